"""The 24-hour rule: what nobody has decided is crimed in time. It needs the table and the clock, and nothing else.

Source: Home Office Counting Rules; the force's own words: "if we fail to get the information we request, it's crimed
within 24 hours". The index names candidates; the condition on each report decides.
"""

import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from threading import Lock
from typing import TypeVar

from chalicelib import report as life
from chalicelib.crime_numbers import CrimeNumbers, Loan
from chalicelib.errors import described
from chalicelib.offences import suggest
from chalicelib.reference import show
from chalicelib.report import RULE, Crime, Report, assessed
from chalicelib.store import Store
from chalicelib.table import ConditionFailed, turned_away
from chalicelib.times import local

log = logging.getLogger("crime-reports")

LOOK_AHEAD = timedelta(minutes=2)  # a one-minute schedule is exact to the minute: the next run may be two minutes off
# With half a gigabyte Lambda gives 0.29 of a processor, and DynamoDB answers in some 6 ms: then 46 reports a second by
# one thread, 190 by four, 293 by eight, 299 by sixteen (`docs/adr/0007-rule.md`).
THREADS = 8
BLOCK = 50  # reports that are read, and numbers that are taken, at a time: 1.06 requests a report (25: 1.12, 100: 1.03)
ENOUGH_TIME = 15.0  # seconds that must be left to begin a block; it takes one or two
LAST_MOMENT = 5.0  # and to begin a report of it, if it takes longer
PAUSE = 1.0  # seconds, while the table has too much to do; the SDK has waited longer and longer before it says so
TRIES = 5
TRIAGE_TAKES = timedelta(minutes=15)  # seconds, usually; longer, and something stands still
MOST_COUNTED = 1_000  # reports that wait: by then the number is no news

Seconds = Callable[[], float]
Got = TypeVar("Got")


@dataclass(frozen=True)
class Swept:
    """What a run did. `unfinished` if it stopped for lack of time; the next run goes on."""

    crimed: int
    failed: int
    unfinished: bool


class TwentyFourHourRule:
    """Crimes what is due. `pause` waits for so many seconds."""

    def __init__(
        self,
        store: Store,
        numbers: CrimeNumbers,
        clock: Callable[[], datetime],
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._store, self._numbers, self._clock, self._pause = store, numbers, clock, pause

    def crime_due_reports(self, time_left: Seconds) -> Swept:
        """Crime every open report that is past its deadline or will be before the next run. `time_left` gives seconds.

        What cannot be crimed is left to the next run and named in the log; the others go on. Raises what the table
        said where a block could not be read or given numbers, once all that was begun has ended.
        """
        run = _Run(self._store, self._numbers, self._now, self._pause, time_left)
        swept = run.crime_all()
        if not swept.unfinished and not self._settle_abandoned_loans(time_left):
            return Swept(swept.crimed, swept.failed, unfinished=True)
        return swept

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

    def _settle_abandoned_loans(self, time_left: Seconds) -> bool:
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
        numbers = loan.numbers
        used = {ref for ref, report in reports.items() if isinstance(report, Report) and _bears(report, numbers[ref])}
        void = {ref: "not used: whoever took it was cut off" for ref in loan.references if ref not in used}
        self._numbers.close(loan, void)


_UNKNOWN = "unknown"
_NO_TIME = "there was no time for it"
_CONTESTED = "the report kept changing"


class _Run:
    """One run, by several threads. Each takes a block, the most overdue first, and sees to it alone, as if it were the
    only one: what two runs may do at once two threads may, too.
    """

    def __init__(
        self,
        store: Store,
        numbers: CrimeNumbers,
        now: Callable[[], datetime],
        pause: Callable[[float], None],
        time_left: Seconds,
    ) -> None:
        self._store, self._numbers, self._now, self._pause, self._time_left = store, numbers, now, pause, time_left
        self._due, self._taking, self._unfinished = store.due(now() + LOOK_AHEAD), Lock(), False

    def crime_all(self) -> Swept:
        """Crime what is due, while there is time. Raises what ended a thread, once the others are through."""
        with ThreadPoolExecutor(THREADS) as pool:  # each tells by its context which invocation its lines belong to
            threads = [pool.submit(copy_context().run, self._crime_blocks) for _ in range(THREADS)]
        done = [thread.result() for thread in threads]
        return Swept(sum(crimed for crimed, _ in done), sum(failed for _, failed in done), self._unfinished)

    def _crime_blocks(self) -> tuple[int, int]:
        """How many were crimed, and how many could not be."""
        crimed, failed = 0, 0
        while block := self._take():
            done, bad = self._crime_block(block)
            crimed, failed = crimed + done, failed + bad
        return crimed, failed

    def _take(self) -> list[str]:
        """The next references; none when all are taken, or there is too little time."""
        with self._taking:
            block = [] if self._unfinished else list(islice(self._due, BLOCK))
            if block and self._time_left() < ENOUGH_TIME:
                self._unfinished = True
            return [] if self._unfinished else block

    def _crime_block(self, references: Sequence[str]) -> tuple[int, int]:
        found, now = self._patiently(lambda: self._store.read_many(references)), self._now()
        ready, failed = [], 0
        for reference in filter(found.__contains__, references):  # DynamoDB gives them in any order
            try:
                ready += _crimes(found[reference], now)
            except Exception as error:
                failed += 1
                _complain(reference, error)
        if not ready:
            return 0, failed
        done, bad = self._record(ready)
        return done, failed + bad

    def _record(self, ready: Sequence[tuple[Report, str]]) -> tuple[int, int]:
        """Record each (report, offence) under a number of its own. Returns how many were, and how many could not be."""
        references = [report.reference for report, _ in ready]
        loan = self._patiently(lambda: self._numbers.borrow(references, self._now()))
        numbers = loan.numbers
        results = {report.reference: self._try(report, offence, numbers[report.reference]) for report, offence in ready}
        left_open = {_UNKNOWN, _NO_TIME} & set(results.values())  # until it is certain what became of each number
        if not left_open:
            self._numbers.close(loan, {reference: why for reference, why in results.items() if why})
        lost = sum(why in (_UNKNOWN, _CONTESTED) for why in results.values())
        return sum(why is None for why in results.values()), lost

    def _try(self, report: Report, offence: str, number: str) -> str | None:
        """None if it is crimed, else why its number was not used."""
        try:
            return self._crime(report, offence, number)
        except Exception as error:
            _complain(report.reference, error)
            return _UNKNOWN

    def _crime(self, report: Report, offence: str, number: str) -> str | None:
        for _ in range(TRIES):
            if self._time_left() < LAST_MOMENT:
                self._unfinished = True
                return _NO_TIME
            try:
                self._save(report, life.crime(assessed(report), Crime(number, self._now(), RULE, offence)))
            except ConditionFailed:
                found = self._store.read(report.reference)  # a claim or a note is no reason to wait
                if not found or not found.is_open:
                    by_rule = found and found.crime and found.crime.by == RULE
                    return "another run of the rule was quicker" if by_rule else "an officer decided first"
                report = found
            else:
                told = {"reference": show(report.reference), "crime_number": number}
                log.info("crimed by the 24-hour rule", extra=told)
                return None
        return _CONTESTED

    def _save(self, before: Report, after: Report) -> None:
        self._patiently(lambda: self._store.save(before, after))  # each time the same, so that it is known as ours

    def _patiently(self, ask: Callable[[], Got]) -> Got:
        """What `ask` gives, however often the table says that it has too much to do, while there is time."""
        while True:
            try:
                return ask()
            except Exception as error:
                if not turned_away(error) or self._time_left() < LAST_MOMENT:
                    raise
            self._pause(PAUSE)


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
