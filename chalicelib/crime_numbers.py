"""The register of crime numbers: a yearly counter, one number for each crime, every number accounted for.

A number is on a report, or on loan to somebody who is about to put it on one, or void with a reason. In the table
(`pk` / `sk`):
- `CRIME_NUMBERS` / `<year>`: how many were taken, and for each open loan what it took, for which reports and when.
- `CRIME_NUMBERS#<year>` / `<sequence>`: a number that is void, and why.
See `docs/adr/0004-crime-numbers.md` for what happens when somebody dies at each step.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.table import ConditionFailed, Item, Table
from chalicelib.times import local, read_stamp, stamp

DEAD_AFTER = timedelta(hours=1)  # no function runs longer than 15 minutes

log = logging.getLogger("crime-reports")


@dataclass(frozen=True)
class Loan:
    """Numbers taken from a year's counter: `first` is the sequence number for the first of `references`, and so on."""

    id: str
    year: int
    first: int
    references: tuple[str, ...]
    at: datetime
    force_code: str

    @property
    def numbers(self) -> dict[str, str]:
        """The crime number that each reference may use, such as `20/123456/26`."""
        return {reference: f"{self.force_code}/{sequence}/{self.year % 100:02}"
                for sequence, reference in enumerate(self.references, start=self.first)}  # fmt: skip

    def sequence(self, reference: str) -> int:
        """The place of a reference's number in the year."""
        return self.first + self.references.index(reference)


class CrimeNumbers:
    """The register, in the same table as the reports. `mint` gives unguessable texts of letters and digits."""

    def __init__(self, table: Table, force_code: str, mint: Callable[[], str]) -> None:
        self._table, self._force_code, self._mint = table, force_code, mint

    def borrow(self, references: Sequence[str], at: datetime) -> Loan:
        """Take one number for each of `references` and leave a note of it, in one request.

        The note (the loan) stays until `close`, so that numbers taken by somebody who died are found.
        """
        year, loan = local(at).year, self._mint()
        try:
            item = self._take(year, references, loan, at)
        except ConditionFailed as there:
            if not there.item:
                raise
            item = there.item  # our own request, made again by the SDK because its answer was lost
        return self._loan(item, year, loan)

    def close(self, loan: Loan, void: Mapping[str, str]) -> None:
        """Account for a loan: the numbers of the references in `void` are void for that reason, the others were used.

        Repeatable. A failure is logged and not raised: the crimes stand, and the sweep closes the loan later.
        """
        try:
            for reference, reason in void.items():
                self._record_void(loan, reference, reason)
            gone: dict[str, None] = {f"{part}_{loan.id}": None for part in ("from", "for", "at")}
            self._table.update("CRIME_NUMBERS", str(loan.year), values=gone, condition="attribute_exists(pk)")
        except Exception as error:
            log.warning("loan of crime numbers %s stays open: %s", loan.id, type(error).__name__)

    def abandoned(self, now: datetime) -> list[Loan]:
        """Loans that nobody alive can still be using."""
        year, before = local(now).year, stamp(now - DEAD_AFTER)
        items = {one: self._table.get("CRIME_NUMBERS", str(one)) or {} for one in (year, year - 1)}
        return [loan for one, item in items.items() for loan in self._loans(item, one) if stamp(loan.at) < before]

    def register(self) -> dict[int, tuple[int, list[Loan]]]:
        """By year: how many numbers were taken, and the loans that are open, both as of one moment."""
        items = self._table.query(where="#pk = :register", given={"register": "CRIME_NUMBERS"})
        return {(year := int(item["sk"])): (item["taken"], self._loans(item, year)) for item in items}

    def taken_and_void(self, year: int) -> tuple[int, dict[int, str]]:
        """How many numbers of `year` were taken, and the void ones with their reasons."""
        item = self._table.get("CRIME_NUMBERS", str(year)) or {}
        void = self._table.query(where="#pk = :register", given={"register": f"CRIME_NUMBERS#{year}"})
        return item.get("taken", 0), {int(row["sk"]): row["void"] for row in void}

    def _take(self, year: int, references: Sequence[str], loan: str, at: datetime) -> Item:
        return self._table.update(
            "CRIME_NUMBERS",
            str(year),
            copy={f"from_{loan}": "taken"},
            add={"taken": len(references)},
            values={f"for_{loan}": list(references), f"at_{loan}": stamp(at)},
            condition=f"attribute_not_exists(#for_{loan})",
        )

    def _record_void(self, loan: Loan, reference: str, reason: str) -> None:
        sequence = f"{loan.sequence(reference):09}"
        item = {"pk": f"CRIME_NUMBERS#{loan.year}", "sk": sequence, "void": reason, "at": stamp(loan.at)}
        with suppress(ConditionFailed):  # recorded before a crash
            self._table.put_new(item)

    def number(self, year: int, sequence: int) -> str:
        """A number as it is on a report."""
        return f"{self._force_code}/{sequence}/{year % 100:02}"

    def _loans(self, item: Item, year: int) -> list[Loan]:
        return [self._loan(item, year, name.removeprefix("at_")) for name in item if name.startswith("at_")]

    def _loan(self, item: Item, year: int, loan: str) -> Loan:
        first, references = item[f"from_{loan}"] + 1, tuple(item[f"for_{loan}"])
        return Loan(loan, year, first, references, read_stamp(item[f"at_{loan}"]), self._force_code)
