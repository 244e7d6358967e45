"""What officers do to reports: what they take up, write and decide.

Each reads the report, lets the pure rules say what it becomes, and writes that with one conditional update, on the
version that the officer saw.
"""

from collections.abc import Callable, Container, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from chalicelib import by_officers, offences
from chalicelib import report as life
from chalicelib.crime_numbers import CrimeNumbers
from chalicelib.disposals import Disposal, outcome_for
from chalicelib.errors import FieldError, InvalidAnswers, NotAllowed, NotYourRole, Stale
from chalicelib.life_cycle import Move
from chalicelib.report import Actor, Crime, Report, Words, assessed
from chalicelib.store import Store
from chalicelib.table import ConditionFailed
from chalicelib.times import local
from chalicelib.triage import suspect_named

NOT_YET = "[the next number]"

Save = Callable[[Report, Report], Report]
"""Writes a report, as it was and as it is afterwards. Raises ConditionFailed."""


@dataclass(frozen=True)
class Officer:
    """The officer who asks, as the token says."""

    actor: Actor
    is_supervisor: bool


class Changes:
    """The officers' verbs that change a report. Reports are named by their plain reference."""

    def __init__(
        self,
        store: Store,
        numbers: CrimeNumbers,
        clock: Callable[[], datetime],
        mint: Callable[[], str],
        second_look: Container[str] = (),
    ) -> None:
        """`clock` gives aware UTC datetimes, `mint` unguessable texts of letters and digits. `second_look` has the
        reasons for closing a report without a crime at which a supervisor looks first.
        """
        self._store, self._numbers, self._clock, self._mint = store, numbers, clock, mint
        self._second_look = second_look
        self._on_paper = False

    def on_paper(self) -> Self:
        """The same verbs with all their checks, and nothing is written: to see what a decision would be."""
        paper = copy(self)
        paper._on_paper = True
        return paper

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
        if self._on_paper:
            on_paper = Crime(NOT_YET, now, officer.actor, offence, disposal, outcome)
            return life.crime(assessed(report), on_paper, self._words(text))
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
        require_supervisor(officer)
        now, salt = self._now(), self._mint()

        def confirmed(report: Report) -> Report:
            after = by_officers.confirm(report, officer.actor, now, salt)
            original = after.entries[-1].get("duplicate_of")
            if original and not self._is_original(original, reference):  # it was, when this was proposed
                raise NotAllowed("The original is a duplicate itself by now. Decline the proposal.")
            return after

        return self._change(officer, reference, version, confirmed)

    def decline(self, officer: Officer, reference: str, version: int, why: str) -> Report:
        """Do not close it as somebody proposed."""
        require_supervisor(officer)
        now, words = self._now(), Words(0, why, self._mint())
        return self._change(
            officer, reference, version, lambda report: by_officers.decline(report, officer.actor, now, words)
        )

    def cancel(
        self, officer: Officer, reference: str, version: int, code: str, rationale: str, more: Mapping[str, str]
    ) -> Report:
        """Cancel the crime; its number stays with it."""
        require_supervisor(officer)
        if code == "C3":
            self._require_original(more["duplicate_of"], reference, crimed=True)
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
        require_supervisor(officer)
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

    def file(self, officer: Officer, reference: str, version: int, text: str) -> Report:
        """File it: dispose of its crime, or crime it first by the offence that its answers suggest."""
        report = self._current(officer, reference, version)
        if not report.is_open:
            return self.dispose(officer, reference, version, "filed", None, text)
        return self.crime(officer, reference, version, self.suggestion(report).code, "filed", None, text)

    def standing(self, reference: str) -> Report:
        """The report as it is now, for what was asked of it a moment ago."""
        return self._store.find(reference)

    def suggestion(self, report: Report) -> offences.Suggestion:
        """The offence that the answers suggest today."""
        return offences.suggest(report.category, report.answers, local(self._now()).date())

    # What the verbs share

    def _now(self) -> datetime:
        return self._clock().replace(microsecond=0)

    def _current(self, officer: Officer, reference: str, version: int) -> Report:
        """The report if it is as the officer saw it and nobody else holds it."""
        report = self._store.find(reference)
        if report.version != version:
            raise _stale(report)
        holder = report.head.held_by(self._now())
        if holder and holder.id != officer.actor.id and not officer.is_supervisor:
            detail = f"{holder.name} has claimed this report. A supervisor may take it over."
            raise NotAllowed(detail, holder=holder.name)
        return report

    def _change(
        self,
        officer: Officer,
        reference: str,
        version: int,
        move: Callable[[Report], Report],
        save: Save | None = None,
    ) -> Report:
        report = self._current(officer, reference, version)
        after = move(assessed(report))
        if after.version == report.version or self._on_paper:  # nothing to change
            return after
        try:
            return (save or self._store.save)(report, after)
        except ConditionFailed:
            raise self._stale(reference) from None

    def _require_original(self, other: str, reference: str, crimed: bool = False) -> None:
        """Two reports must not close each other, nor three in a ring: the original is not itself a duplicate. With
        `crimed` it has to be a crime that stands, or there would be none of what happened.
        """
        if not self._is_original(other, reference, crimed):
            message = f"Enter the reference of the original: another {'crime' if crimed else 'report'}, which is not "
            message += "itself cancelled or a duplicate" if crimed else "itself a duplicate"
            raise InvalidAnswers(errors=[FieldError("duplicate_of", message)])

    def _is_original(self, other: str, reference: str, crimed: bool = False) -> bool:
        report = self._store.read(other) if other != reference else None
        if not report or report.not_crimed_reason == "duplicate":
            return False
        cancelled = report.crime.cancelled if report.crime else None
        return bool(report.crime and not cancelled) if crimed else cancelled != "C3"

    def _stale(self, reference: str) -> Stale:
        return _stale(self._store.find(reference))

    def _words(self, text: str | None) -> Words | None:
        return Words(0, text, self._mint()) if text else None


def require_supervisor(officer: Officer) -> None:
    """Raises NotYourRole."""
    if not officer.is_supervisor:
        raise NotYourRole("A supervisor may do this.")


def _stale(report: Report) -> Stale:
    last = report.entries[-1]
    return Stale(
        f"{last['by_name']} changed it. Read it again, then decide.",
        version=report.version,
        changed_by=last["by_name"],
        changed_at=last["at"],
    )
