"""Keeps the figures from before the service: one item for all months, so that an import is whole or has not been.

In the table (`pk` / `sk`): `FIGURES` / `IMPORTED`: the months as one JSON value, and how often they were replaced.
"""

import json
from collections.abc import Mapping

from chalicelib.statistics import Imported
from chalicelib.table import ConditionFailed, Item, Table

_KEY = "FIGURES", "IMPORTED"
TRIES = 5


class ImportedMonths:
    """The imported figures in the table of the reports."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def months(self) -> dict[str, Imported]:
        """What was imported last, by month."""
        return _months(self._table.get(*_KEY))

    def replace(self, months: Mapping[str, Imported]) -> dict[str, Imported]:
        """Have these months and no others from now on; gives those that were there. Once more does no harm. Raises
        ConditionFailed if others import all the time.
        """
        there = self._table.get(*_KEY)
        for _ in range(TRIES):
            try:
                self._write(there, months)
                return _months(there)
            except ConditionFailed as other:
                if _turn(other.item) == _turn(there) + 1 and _months(other.item) == months:
                    return _months(there)  # our own write, made again by the SDK because its answer was lost
                there = other.item
        raise ConditionFailed(there)

    def _write(self, there: Item | None, months: Mapping[str, Imported]) -> None:
        self._table.update(
            *_KEY,
            values={"months": json.dumps(months), "turn": _turn(there) + 1},
            condition="attribute_not_exists(pk) OR #turn = :was",
            given={"was": _turn(there)},
        )


def _turn(item: Item | None) -> int:
    return int(item["turn"]) if item else 0


def _months(item: Item | None) -> dict[str, Imported]:
    return {month: Imported(*figures) for month, figures in json.loads(item["months"]).items()} if item else {}
