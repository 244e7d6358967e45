"""What officers do with reports: the lists they work from, what they take up, write and decide.

Each reads the report, lets the pure rules of `report.py` say what it becomes, and writes that with one conditional
update, on the version that the officer saw. Every look at a person's data leaves a record of its own.
"""

import logging
import zlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Any

from chalicelib import offences
from chalicelib import report as life
from chalicelib.crime_numbers import CrimeNumbers
from chalicelib.disposals import Disposal, outcome_for
from chalicelib.errors import FieldError, InvalidAnswers, NotAllowed, NotFound, NotYourRole, Stale, described
from chalicelib.reference import show
from chalicelib.report import Actor, Crime, Head, Move, Report, Words, assessed
from chalicelib.store import Store
from chalicelib.table import ConditionFailed
from chalicelib.times import local
from chalicelib.triage import PRIORITIES, suspect_named
from chalicelib.wanted import Placed, QueuePage, Wanted

log = logging.getLogger("crime-reports")

FREE = 32  # reports that one press of “next” tries at most: as many officers may press at once, and each gets one
TRIES = 5


@dataclass(frozen=True)
class Officer:
    """The officer who asks, as the token says."""

    actor: Actor
    is_supervisor: bool


class Desk:
    """The officers' verbs. Reports are named by their plain reference."""

    def __init__(
        self, store: Store, numbers: CrimeNumbers, clock: Callable[[], datetime], mint: Callable[[], str]
    ) -> None:
        """`clock` gives aware UTC datetimes, `mint` unguessable texts of letters and digits."""
        self._store, self._numbers, self._clock, self._mint = store, numbers, clock, mint

    def queue(self, officer: Officer, wanted: Wanted, after: str = "", limit: int = 50, before: str = "") -> QueuePage:
        """A page of a list, most urgent first, then nearest deadline, each report with its place in that order: what
        comes after the place `after`, or before the place `before`.
        """
        page = self._store.lists.page(wanted, officer.actor.id, self._now(), limit, after, before)
        self._log_list(officer, page.heads)
        return page

    def held_by(self, officer: Officer, holder: str) -> list[Placed]:
        """What another officer holds, for a supervisor who gives it to others."""
        _require_supervisor(officer)
        heads = self._store.lists.held_by(holder, self._now())
        self._log_list(officer, heads)
        return heads

    def read(self, officer: Officer, reference: str) -> Report:
        """A whole report; that it was seen is recorded first."""
        report = self._find(reference)
        self._store.log_access(officer.actor, "read", [reference], self._now(), self._mint())
        return assessed(report)

    def folder_of(self, officer: Officer, reference: str) -> str:
        """Where the files of a report are, for an officer who opens one; that it was opened is recorded first."""
        report = self._find(reference)
        self._store.log_access(officer.actor, "evidence", [reference], self._now(), self._mint())
        return report.files_in

    def take_next(self, officer: Officer) -> Report | None:
        """Claim the most urgent report that nobody holds; None if there is none. Never the same for two officers.

        Whoever loses it to another takes any of the next of its priority: all who press at once would meet again at
        the second, and at the third. Each is tried once, so this ends.
        """
        now = self._now()
        for head in _in_turn(self._store.lists.free(now, FREE), Random(self._mint())):
            if taken := self._take(officer, head.reference, now):
                self._store.log_access(officer.actor, "next", [taken.reference], now, self._mint())
                return taken
        return None

    def _take(self, officer: Officer, reference: str, now: datetime) -> Report | None:
        """Claim it if it is still free; None if it is not, or is broken: that must not keep everybody from the rest."""
        try:
            report = self._store.read(reference)
            if not report or not report.is_open or report.head.held_by(now) or not life.has_room(report):
                return None
            return self._store.save(report, life.claim(assessed(report), officer.actor, now))
        except ConditionFailed:
            return None  # another officer was quicker
        except (ValueError, LookupError, TypeError, AttributeError, zlib.error) as error:
            log.error("report cannot be read", extra={"reference": show(reference), "error": described(error)})
            return None

    def renew(self, officer: Officer, reference: str) -> datetime | None:
        """Go on holding it while working on it; until when, None if the officer does not hold it any more. What others
        change meanwhile is no reason to lose it, nor is a history that is full: then the lease ends when it ends.
        """
        now, until = self._now(), None
        for _ in range(TRIES):
            report = self._find(reference)
            if not report.claim or report.head.held_by(now) != officer.actor:
                return None
            until = report.claim.until
            renewed = life.claim(assessed(report), officer.actor, now) if life.has_room(report) else report
            if renewed.version == report.version:
                break
            with suppress(ConditionFailed):
                self._store.save(report, renewed)
                return now + life.LEASE
        return until

    def claim(self, officer: Officer, reference: str, version: int) -> Report:
        """Hold the report for half an hour."""
        now = self._now()
        return self._change(officer, reference, version, lambda report: life.claim(report, officer.actor, now))

    def release(self, officer: Officer, reference: str, version: int) -> Report:
        """Let go of it."""
        now = self._now()
        return self._change(officer, reference, version, lambda report: life.release(report, officer.actor, now))

    def call_back(self, officer: Officer, reference: str, version: int, result: str, text: str | None) -> Report:
        """Record that a call-back is needed, or how an attempt went."""
        now, words = self._now(), self._words(text)
        return self._change(
            officer, reference, version, lambda report: life.call_back(report, officer.actor, now, result, words)
        )

    def note(self, officer: Officer, reference: str, version: int, text: str) -> Report:
        """Keep a note."""
        now, words = self._now(), Words(0, text, self._mint())
        return self._change(officer, reference, version, lambda report: life.note(report, officer.actor, now, words))

    def crime(
        self,
        officer: Officer,
        reference: str,
        version: int,
        offence: str,
        disposal: Disposal,
        outcome: int | None,
        text: str | None,
    ) -> Report:
        """Record it as a crime under the next number of the year."""
        now = self._now()
        report = self._current(officer, reference, version)
        life.require(report, Move.CRIME)
        if not offences.find(offence, local(now).date()):
            raise InvalidAnswers(errors=[FieldError("offence", "Enter an offence code from the table, such as 28E")])
        outcome = outcome_for(disposal, outcome, suspect_named(report.answers))
        loan = self._numbers.borrow([reference], now)
        crime = Crime(loan.numbers[reference], now, officer.actor, offence, disposal, outcome)
        try:
            crimed = self._store.save(report, life.crime(assessed(report), crime, self._words(text)))
        except ConditionFailed:
            self._numbers.close(loan, {reference: "the report was changed by somebody else"})
            raise self._stale(reference) from None
        self._numbers.close(loan, {})
        return crimed

    def not_crime(
        self, officer: Officer, reference: str, version: int, reason: str, rationale: str, more: Mapping[str, str]
    ) -> Report:
        """Close it without a crime. `more` names the other report or the other force where the reason calls for it."""
        if reason == "duplicate":
            self._require_original(more["duplicate_of"], reference)
        words = Words(0, rationale, self._mint())
        return self._change(
            officer, reference, version,
            lambda report: life.not_crime(report, officer.actor, self._now(), reason, words, more),
        )  # fmt: skip

    def dispose(
        self, officer: Officer, reference: str, version: int, disposal: Disposal, outcome: int | None, text: str | None
    ) -> Report:
        """Say what follows from a crime."""

        def disposed(report: Report) -> Report:
            life.require(report, Move.DISPOSE)
            code = outcome_for(disposal, outcome, suspect_named(report.answers))
            return life.dispose(report, officer.actor, self._now(), disposal, code, self._words(text))

        return self._change(officer, reference, version, disposed)

    def letters(self, reference: str) -> list[dict[str, Any]]:
        """What became of the letters about a report."""
        return self._store.letters(reference)

    # What the verbs share

    def _now(self) -> datetime:
        return self._clock().replace(microsecond=0)

    def _find(self, reference: str) -> Report:
        report = self._store.read(reference)
        if not report:
            raise NotFound("There is no report with this reference.")
        return report

    def _current(self, officer: Officer, reference: str, version: int) -> Report:
        """The report if it is as the officer saw it and nobody else holds it."""
        report = self._find(reference)
        if report.version != version and not _only_renewed(report, version, officer):
            raise _stale(report)
        holder = report.head.held_by(self._now())
        if holder and holder.id != officer.actor.id and not officer.is_supervisor:
            detail = f"{holder.name} has claimed this report. A supervisor may take it over."
            raise NotAllowed(detail, holder=holder.name)
        return report

    def _change(self, officer: Officer, reference: str, version: int, move: Callable[[Report], Report]) -> Report:
        report = self._current(officer, reference, version)
        after = move(assessed(report))
        if after.version == report.version:  # nothing to change
            return after
        try:
            return self._store.save(report, after)
        except ConditionFailed:
            raise self._stale(reference) from None

    def _require_original(self, other: str, reference: str) -> None:
        """Two reports must not close each other, nor three in a ring: the original is not itself a duplicate."""
        report = self._store.read(other) if other != reference else None
        if not report or report.not_crimed_reason == "duplicate":
            message = "Enter the reference of the original: another report, which is not itself a duplicate"
            raise InvalidAnswers(errors=[FieldError("duplicate_of", message)])

    def _stale(self, reference: str) -> Stale:
        return _stale(self._find(reference))

    def _words(self, text: str | None) -> Words | None:
        return Words(0, text, self._mint()) if text else None

    def _log_list(self, officer: Officer, heads: Sequence[Placed]) -> None:
        self._store.log_access(officer.actor, "list", [head.reference for _, head in heads], self._now(), self._mint())


def _require_supervisor(officer: Officer) -> None:
    if not officer.is_supervisor:
        raise NotYourRole("A supervisor may do this.")


def _in_turn(heads: Sequence[Head], random: Random) -> list[Head]:
    """The first, then the others by priority, and within one at random."""
    ranks = (None, *PRIORITIES)
    return [*heads[:1], *sorted(heads[1:], key=lambda head: (ranks.index(head.priority), random.random()))]


def _only_renewed(report: Report, version: int, officer: Officer) -> bool:
    """Whether nothing has happened since `version` but that this officer went on holding it."""
    since = report.entries[version:]
    return bool(since) and all((entry["what"], entry["by"]) == ("claimed", officer.actor.id) for entry in since)


def _stale(report: Report) -> Stale:
    last = report.entries[-1]
    return Stale(
        f"{last['by_name']} changed it. Read it again, then decide.",
        version=report.version,
        changed_by=last["by_name"],
        changed_at=last["at"],
    )
