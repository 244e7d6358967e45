"""The 24-hour rule: what nobody has decided is crimed in time. It needs the table and the clock, and nothing else.

Source: Home Office Counting Rules; the force's own words: "if we fail to get the information we request, it's crimed
within 24 hours". The index names candidates; the condition on each report decides.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from chalicelib import report as life
from chalicelib.crime_numbers import CrimeNumbers, Loan
from chalicelib.errors import described
from chalicelib.offences import suggest
from chalicelib.reference import show
from chalicelib.report import RULE, Crime, Report, assessed
from chalicelib.store import Store
from chalicelib.table import ConditionFailed
from chalicelib.times import local

log = logging.getLogger("crime-reports")

LOOK_AHEAD = timedelta(minutes=2)  # a one-minute schedule is exact to the minute: the next run may be two minutes off
BLOCK = 25  # reports that numbers are taken for at a time
ENOUGH_TIME = 15.0  # seconds that a block may need
TRIES = 5
TRIAGE_TAKES = timedelta(minutes=15)  # seconds, usually; longer, and something stands still
MOST_COUNTED = 1_000  # reports that wait: by then the number is no news


@dataclass(frozen=True)
class Swept:
    """What a run did. `unfinished` if it stopped for lack of time; the next run goes on."""

    crimed: int
    failed: int
    unfinished: bool


class TwentyFourHourRule:
    """Crimes what is due."""

    def __init__(self, store: Store, numbers: CrimeNumbers, clock: Callable[[], datetime]) -> None:
        self._store, self._numbers, self._clock = store, numbers, clock

    def crime_due_reports(self, time_left: Callable[[], float]) -> Swept:
        """Crime every open report that is past its deadline or will be before the next run. `time_left` gives seconds.

        What cannot be crimed is left to the next run and named in the log; the others go on.
        """
        crimed, failed = 0, 0
        due = self._store.due(self._now() + LOOK_AHEAD)
        while block := list(islice(due, BLOCK)):
            if time_left() < ENOUGH_TIME:
                return Swept(crimed, failed, unfinished=True)
            done, bad = self._crime_block(block)
            crimed, failed = crimed + done, failed + bad
        return Swept(crimed, failed, unfinished=not self._settle_abandoned_loans(time_left))

    def overdue(self) -> int:
        """How many open reports are past their deadline, as the index knows it; MOST_COUNTED at most."""
        before_now = self._now() - timedelta(seconds=1)
        return sum(1 for _ in islice(self._store.due(before_now), MOST_COUNTED))

    def untriaged(self) -> int:
        """How many reports nothing has touched since they came, a quarter of an hour ago or longer."""
        received_by_then = self._now() - TRIAGE_TAKES + life.TIME_TO_CRIME
        return sum(1 for _ in islice(self._store.due(received_by_then, ("new",)), MOST_COUNTED))

    def _now(self) -> datetime:
        return self._clock().replace(microsecond=0)

    def _crime_block(self, references: Sequence[str]) -> tuple[int, int]:
        found, now = self._store.read_many(references), self._now()
        ready, failed = [], 0
        for reference, report in found.items():
            try:
                ready += _crimes(report, now)
            except Exception as error:
                failed += 1
                _complain(reference, error)
        if not ready:
            return 0, failed
        done, bad = self._record(ready)
        return done, failed + bad

    def _record(self, ready: Sequence[tuple[Report, str]]) -> tuple[int, int]:
        """Record each (report, offence) under a number of its own. Returns how many were, and how many could not be."""
        loan = self._numbers.borrow([report.reference for report, _ in ready], self._now())
        results = {report.reference: self._try(report, offence, loan) for report, offence in ready}
        if _UNKNOWN not in results.values():  # else the loan stays open, until it is certain what became of each number
            self._numbers.close(loan, {reference: why for reference, why in results.items() if why})
        lost = sum(why in (_UNKNOWN, _CONTESTED) for why in results.values())
        return sum(why is None for why in results.values()), lost

    def _try(self, report: Report, offence: str, loan: Loan) -> str | None:
        """None if it is crimed, else why its number was not used."""
        for _ in range(TRIES):
            crime = Crime(loan.numbers[report.reference], self._now(), RULE, offence)
            try:
                self._store.save(report, life.crime(assessed(report), crime))
                told = {"reference": show(report.reference), "crime_number": crime.number}
                log.info("crimed by the 24-hour rule", extra=told)
                return None
            except ConditionFailed:
                found = self._store.read(report.reference)  # a claim or a note is no reason to wait
                if not found or not found.is_open:
                    by_rule = found and found.crime and found.crime.by == RULE
                    return "another run of the rule was quicker" if by_rule else "an officer decided first"
                report = found
            except Exception as error:
                _complain(report.reference, error)
                return _UNKNOWN
        return _CONTESTED

    def _settle_abandoned_loans(self, time_left: Callable[[], float]) -> bool:
        """Account for numbers whose borrower died: each is on its report, or void. Whether there was time for all."""
        for loan in self._numbers.abandoned(self._now()):
            if time_left() < ENOUGH_TIME:
                return False
            try:
                self._settle(loan)
            except Exception as error:
                log.error("loan of crime numbers %s cannot be settled: %s", loan.id, type(error).__name__)
        return True

    def _settle(self, loan: Loan) -> None:
        reports = self._store.read_many(loan.references)
        if unreadable := [report for report in reports.values() if isinstance(report, Exception)]:
            raise unreadable[0]
        used = {
            ref for ref, report in reports.items() if isinstance(report, Report) and _bears(report, loan.numbers[ref])
        }
        void = {ref: "not used: whoever took it was cut off" for ref in loan.references if ref not in used}
        self._numbers.close(loan, void)


_UNKNOWN = "unknown"
_CONTESTED = "the report kept changing"


def _crimes(report: Report | Exception, now: datetime) -> list[tuple[Report, str]]:
    """The report and the offence, if it is due. Raises if it cannot be read or crimed: before a number is taken."""
    if isinstance(report, Exception):
        raise report
    if not report.is_open or report.deadline > now + LOOK_AHEAD:
        return []
    ready, offence = assessed(report), suggest(report.category, report.answers, local(now).date()).code
    life.crime(ready, Crime("", now, RULE, offence))
    return [(ready, offence)]


def _bears(report: Report, number: str) -> bool:
    return report.crime is not None and report.crime.number == number


def _complain(reference: str, error: Exception) -> None:
    told = {"reference": show(reference), "error": described(error)}
    log.error("report is due and cannot be crimed", extra=told)
