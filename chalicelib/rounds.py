"""Where a round of the reconciliation is remembered: how far it is and what it has found move on together, however much
that has become over the years.

In the table (`pk` / `sk`):
- `RECONCILIATION` / `ROUND`: how far it is, and in which items is what it has found. `turn` counts up.
- `RECONCILIATION` / `FOUND#<0 or 1>#<number>`: a part of that.

Parts are written beside those that count, and count once `ROUND` names them: cut off before that, nothing has happened.
A turn is one run's alone, as each takes a new one before it goes on; so nobody writes over what another has named. See
`docs/adr/0023-reconciliation.md`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from chalicelib.crime_numbers import DEAD_AFTER
from chalicelib.proof import Account, unpacked
from chalicelib.table import ConditionFailed, Item, Table
from chalicelib.times import stamp

PART = 400_000  # bytes: an item holds 409,600, with its names
_PK = "RECONCILIATION"
_ROUND = _PK, "ROUND"


class Rounds:
    """The one round there is at a time; `clock` gives aware UTC datetimes."""

    def __init__(self, table: Table, clock: Callable[[], datetime]) -> None:
        self._table, self._clock = table, clock

    def take_over(self) -> tuple[Item, Account | None]:
        """How far it is and what it has found, for a run to go on with; a run that was at it can write nothing from now
        on. One that is not begun, or that another release has begun so that this one cannot go on with it, has found
        nothing (None): else every night would fail.
        """
        there = "attribute_not_exists(pk) OR attribute_exists(#turn)"
        round = self._table.update(*_ROUND, values={}, add={"turn": 1}, condition=there)
        packed = b"".join(self._parts(round.get("found")))
        with suppress(Exception):
            return round, unpacked(packed)
        return {"turn": round["turn"]}, None

    def write_down(self, round: Item, values: Mapping[str, Any], account: Account | None) -> Item | None:
        """The round as it is from now on, with `values` and what it has found (nothing, once it is over). None if
        another run has taken it over.
        """
        following: Item = {**values, "turn": round["turn"] + 1, "found": None}
        try:
            if account:
                following["found"] = self._write_parts(account, following["turn"], _other(round.get("found")))
            self._table.update(*_ROUND, values=following, condition="#turn = :was", given={"was": round["turn"]})
        except ConditionFailed as there:  # or our own write, made again by the SDK because its answer was lost
            written = there.item or {}
            return following if all(written.get(name) == value for name, value in following.items()) else None
        return following

    def _parts(self, names: Any) -> Iterator[bytes]:
        for name in names if isinstance(names, list) else ():  # it was the account itself once
            yield (self._table.get(_PK, name) or {}).get("packed", b"")

    def _write_parts(self, account: Account, turn: int, side: str) -> Sequence[str]:
        """Their names. What nobody alive wrote goes, whatever its turn: turns begin anew where `ROUND` is removed."""
        packed, now = account.packed(), self._clock()
        parts = {f"FOUND#{side}#{at // PART}": packed[at : at + PART] for at in range(0, len(packed), PART)}
        for name, part in parts.items():
            self._table.update(_PK, name, values={"turn": turn, "at": stamp(now), "packed": part},
                               condition="attribute_not_exists(pk) OR #turn <= :turn OR #at < :alive",
                               given={"turn": turn, "alive": stamp(now - DEAD_AFTER)})  # fmt: skip
        return [*parts]


def _other(names: Sequence[str] | None) -> str:
    """The side on which no part counts at the moment."""
    return "1" if names and names[0].startswith("FOUND#0") else "0"
