"""What officers do with reports: the lists they work from, what they take up, write and decide.

Each reads the report, lets the pure rules of `report.py` say what it becomes, and writes that with one conditional
update, on the version that the officer saw. Every look at a person's data leaves a record of its own.
"""

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from chalicelib import by_officers, clues, offences
from chalicelib import report as life
from chalicelib.crime_numbers import CrimeNumbers
from chalicelib.disposals import Disposal, outcome_for
from chalicelib.errors import FieldError, InvalidAnswers, NotAllowed, NotFound, NotYourRole, Stale
from chalicelib.finder import Finder, key_for, read_key
from chalicelib.life_cycle import Move
from chalicelib.report import Actor, Crime, Head, Report, Words, assessed
from chalicelib.store import Store
from chalicelib.table import ConditionFailed
from chalicelib.times import local
from chalicelib.triage import suspect_named


@dataclass(frozen=True)
class Officer:
    """The officer who asks, as the token says."""

    actor: Actor
    is_supervisor: bool


@dataclass(frozen=True)
class Found:
    """Where a search leads: to the one report that it found, or to the list that a key opens."""

    reference: str = ""
    key: str = ""


@dataclass(frozen=True)
class Related:
    """Another report that has to do with one: why, in words, and whether it may be about the same thing."""

    head: Head
    because: tuple[str, ...]
    possible_duplicate: bool


MOST_FOUND = 50
MOST_RELATED = 20


class Desk:
    """The officers' verbs. Reports are named by their plain reference."""

    def __init__(
        self,
        store: Store,
        numbers: CrimeNumbers,
        finder: Finder,
        clock: Callable[[], datetime],
        mint: Callable[[], str],
        second_look: Container[str] = (),
    ) -> None:
        """`clock` gives aware UTC datetimes, `mint` unguessable texts of letters and digits. `second_look` has the
        reasons for closing a report without a crime at which a supervisor looks first.
        """
        self._store, self._numbers, self._finder = store, numbers, finder
        self._clock, self._mint = clock, mint
        self._second_look = second_look

    def list_with_news(
        self, officer: Officer, wanted: Callable[[Head], bool], after: str, limit: int
    ) -> list[tuple[str, Head]]:
        """Decided reports about which the person has told us more since, in the same order as `list_open`."""
        return self._seen(officer, islice(_filtered(self._store.heads_with_news(after), wanted), limit))

    def list_open(
        self, officer: Officer, wanted: Callable[[Head], bool], after: str, limit: int
    ) -> list[tuple[str, Head]]:
        """Open reports, most urgent first, then nearest deadline, each with its place in that order."""
        return self._seen(officer, islice(_filtered(self._store.open_heads(after), wanted), limit))

    def list_awaiting_disposal(
        self, officer: Officer, wanted: Callable[[Head], bool], after: str, limit: int
    ) -> list[tuple[str, Head]]:
        """Reports that were crimed automatically and need a disposal, in the same order."""
        return self._seen(officer, islice(_filtered(self._store.heads_awaiting_disposal(after), wanted), limit))

    def search(self, officer: Officer, text: str) -> Found:
        """Find what an officer typed. That one report has it is seen here; whoever opens a key sees its list there."""
        asked = clues.asked_for(text)
        number = asked.crime_number and self._store.crimed_as(asked.crime_number)
        for reference in (asked.reference, number):
            if reference and self._store.read(reference):
                return Found(reference)
        digests = self._finder.digests(asked.meanings)
        found = self._finder.find(digests, 1)
        if not found.references:
            message = "No report was found. Check what you typed. A new report is found within a minute"
            raise InvalidAnswers(errors=[FieldError("text", message)])
        if found.more:
            return Found(key=key_for(digests))
        self._list_was_seen(officer, found.references)
        return Found(*found.references)

    def found(self, officer: Officer, key: str, limit: int = MOST_FOUND) -> tuple[list[Head], bool]:
        """The newest reports of a search, and whether there may be more of them."""
        found = self._finder.find(read_key(key), limit)
        heads = [report.head for report in self._readable(found.references)]
        self._list_was_seen(officer, [head.reference for head in heads])
        return heads, found.more

    def related(self, officer: Officer, report: Report) -> list[Related]:
        """Other reports with the same telephone number, email address, place or numbered property, newest first."""
        digests = self._finder.digests([clue] for clue in clues.relating(report.answers))
        found = self._finder.find(digests, MOST_RELATED + 1).references  # itself is among them
        others = [other for other in self._readable(found) if other.reference != report.reference]
        related = [
            Related(other.head, clues.because(kinds), clues.may_be_duplicate(report, other))
            for other in others[:MOST_RELATED]
            if (kinds := clues.shared(report, other))
        ]
        if related:
            self._list_was_seen(officer, [one.head.reference for one in related])
        return related

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
        """Claim the most urgent report that nobody holds; None if there is none. Never the same for two officers."""
        now = self._now()
        for _, head in self._store.open_heads():
            if head.held_by(now):
                continue
            report = self._store.read(head.reference)
            if not report or not report.is_open or report.head.held_by(now) or not life.has_room(report):
                continue
            try:
                taken = self._store.save(report, life.claim(assessed(report), officer.actor, now))
            except ConditionFailed:
                continue  # another officer was quicker
            self._store.log_access(officer.actor, "next", [taken.reference], now, self._mint())
            return taken
        return None

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
        life.require_uncancelled(report)
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
        """Close it without a crime, or propose that if the reason needs a second look. `more` names the other report or
        the other force where the reason calls for it.
        """
        if reason == "duplicate":
            self._require_original(more["duplicate_of"], reference)
        words, close = Words(0, rationale, self._mint()), life.not_crime
        if reason in self._second_look:
            close = by_officers.propose
        return self._change(
            officer, reference, version, lambda report: close(report, officer.actor, self._now(), reason, words, more)
        )

    def confirm(self, officer: Officer, reference: str, version: int) -> Report:
        """Close it as somebody else proposed."""
        _require_supervisor(officer)
        now, salt = self._now(), self._mint()
        return self._change(
            officer, reference, version, lambda report: by_officers.confirm(report, officer.actor, now, salt)
        )

    def decline(self, officer: Officer, reference: str, version: int, why: str) -> Report:
        """Do not close it as somebody proposed."""
        _require_supervisor(officer)
        now, words = self._now(), Words(0, why, self._mint())
        return self._change(
            officer, reference, version, lambda report: by_officers.decline(report, officer.actor, now, words)
        )

    def cancel(
        self, officer: Officer, reference: str, version: int, code: str, rationale: str, more: Mapping[str, str]
    ) -> Report:
        """Cancel the crime; its number stays with it."""
        _require_supervisor(officer)
        if code == "C3":
            self._require_original(more["duplicate_of"], reference)
        now, words = self._now(), Words(0, rationale, self._mint())
        return self._change(
            officer, reference, version,
            lambda report: by_officers.cancel(report, officer.actor, now, code, words, more),
        )  # fmt: skip

    def assess(
        self, officer: Officer, reference: str, version: int, said: Mapping[str, str], priority: str | None
    ) -> Report:
        """Keep an officer's assessment, letter by letter."""
        now, words = self._now(), Words(0, by_officers.in_letters(said), self._mint())
        return self._change(
            officer, reference, version,
            lambda report: by_officers.assess(report, officer.actor, now, words, priority),
        )  # fmt: skip

    def assign(self, officer: Officer, reference: str, version: int, to: Actor) -> Report:
        """Give it to somebody for a shift, whoever has it now."""
        _require_supervisor(officer)
        now = self._now()
        return self._change(
            officer, reference, version, lambda report: by_officers.assign(report, to, officer.actor, now)
        )

    def link(self, officer: Officer, reference: str, version: int, others: Sequence[str], pattern: str) -> Report:
        """Say that it belongs together with others, and by what."""
        now, words = self._now(), Words(0, pattern, self._mint())
        return self._change(
            officer, reference, version, lambda report: by_officers.link(report, officer.actor, now, others, words)
        )

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
        if report.version != version:
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

    def _readable(self, references: Sequence[str]) -> list[Report]:
        """The reports there are, in that order. One that cannot be read is left to whoever opens it."""
        reports = self._store.read_many(references)
        there = (reports.get(reference) for reference in references)
        return [report for report in there if isinstance(report, Report) and not report.synthetic]

    def _seen(self, officer: Officer, found: Iterator[tuple[str, Head]]) -> list[tuple[str, Head]]:
        heads = list(found)
        self._list_was_seen(officer, [head.reference for _, head in heads])
        return heads

    def _list_was_seen(self, officer: Officer, references: Sequence[str]) -> None:
        self._store.log_access(officer.actor, "list", references, self._now(), self._mint())


def _require_supervisor(officer: Officer) -> None:
    if not officer.is_supervisor:
        raise NotYourRole("Only a supervisor can do this.")


def _stale(report: Report) -> Stale:
    last = report.entries[-1]
    return Stale(
        f"{last['by_name']} changed it. Read it again, then decide.",
        version=report.version,
        changed_by=last["by_name"],
        changed_at=last["at"],
    )


def _filtered(heads: Iterator[tuple[str, Head]], wanted: Callable[[Head], bool]) -> Iterator[tuple[str, Head]]:
    return ((place, head) for place, head in heads if wanted(head))
