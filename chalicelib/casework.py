"""The verbs of the service: what the public, officers, triage and the clock do to reports.

Each reads the report, lets the pure rules of `report.py` say what it becomes, and writes that with one conditional
update. Store, crime numbers, sender, clock and the source of randomness are handed in. The 24-hour rule is in
`rule.py`.
"""

import hmac
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from chalicelib import by_public, letters, offences, statistics
from chalicelib import report as life
from chalicelib.crime_numbers import CrimeNumbers
from chalicelib.disposals import Disposal, outcome_for
from chalicelib.errors import FieldError, InvalidAnswers, NotAllowed, NotFound, Stale
from chalicelib.report import PUBLIC, Actor, Crime, Head, Move, Report, Status, Words, assessed
from chalicelib.store import Store
from chalicelib.table import ConditionFailed
from chalicelib.times import local
from chalicelib.triage import suspect_named

LETTER_LEASE = timedelta(seconds=90)  # longer than a sending may take, shorter than a message stays hidden (360 s)
TRIES = 5


class TryAgain(Exception):
    """This cannot be done now; the queue brings it back."""


@dataclass(frozen=True)
class Officer:
    """The officer who asks, as the token says."""

    actor: Actor
    is_supervisor: bool


class Casework:
    """Everything that can be done with reports. Reports are named by their plain reference."""

    def __init__(
        self,
        store: Store,
        numbers: CrimeNumbers,
        sender: letters.Sender,
        clock: Callable[[], datetime],
        mint: Callable[[], str],
        force_name: str,
        service_url: str = "",
    ) -> None:
        """`clock` gives aware UTC datetimes, `mint` unguessable texts of letters and digits."""
        self._store, self._numbers, self._sender = store, numbers, sender
        self._clock, self._mint, self._force_name, self._service_url = clock, mint, force_name, service_url

    # The public

    def today(self) -> datetime:
        """Now, in London."""
        return local(self._now())

    def submit(self, answers: bytes, token: str | None, folder: str | None = None) -> Report:
        """Store a report from its canonical answers. The same `token` and answers again give the same report.
        `folder` has the files that came before it. Raises AlreadySent if the token came with other answers.
        """
        now, said = self._now(), json.loads(answers)

        def received(reference: str) -> Report:
            return replace(life.receive(reference, said["category"], said, now), folder=folder)

        return self._store.submit(token or self._mint(), answers, received)

    def sent_as(self, token: str) -> str | None:
        """The reference of the report that this token made."""
        return self._store.made_by(token)

    def status_for(self, reference: str, email: str, phone: str) -> Report:
        """The report, for somebody who knows its reference and the email address or telephone number in it."""
        report = self._store.read(reference)
        contact = report.answers.get("contact", {}) if report else {}
        known = ((_plain_email(contact.get("email", "")), _plain_email(email)),
                 (_plain_phone(contact.get("phone", "")), _plain_phone(phone)))  # fmt: skip
        matches = [bool(given) and hmac.compare_digest(kept.encode(), given.encode()) for kept, given in known]
        if not report or not any(matches):
            raise NotFound("Check the reference, and use the email address or telephone number you gave with it.")
        self._store.log_access(PUBLIC, "status", [reference], self._now(), self._mint())
        return report

    def standing(self, reference: str) -> Report:
        """The report, for somebody who has shown that it is theirs."""
        report = self._find(reference)
        self._store.log_access(PUBLIC, "status", [reference], self._now(), self._mint())
        return report

    def add(self, reference: str, id: str, text: str) -> Report:
        """Keep what the person tells us later; the same `id` again is the same addition."""
        words = Words(0, text, self._mint())
        return self._change_by_public(reference, lambda report: by_public.add(report, self._now(), id, words))

    def choose_time(self, reference: str, text: str) -> Report:
        """Keep when the person wants to be called, in words."""
        words = Words(0, text, self._mint())
        return self._change_by_public(reference, lambda report: by_public.choose_time(report, self._now(), words))

    def want_letters(self, reference: str, wanted: bool) -> Report:
        """Stop the letters to the person, or have them again."""
        return self._change_by_public(reference, lambda report: by_public.want_letters(report, self._now(), wanted))

    # Triage

    def triage(self, reference: str) -> bool:
        """Assess a report and queue it for an officer. Repeatable: a report that has moved on is left alone, and False
        returned.
        """
        for _ in range(TRIES):
            report = self._store.read(reference)
            if not report or report.status is not Status.RECEIVED:
                return False
            try:
                self._store.save(report, life.triage(assessed(report), self._now()))
                return True
            except ConditionFailed:
                continue  # an officer was quicker
        raise TryAgain(reference)

    # Officers

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

    # Letters

    def send_letter(self, reference: str, version: int) -> tuple[str, str] | None:
        """Send the letter that the history entry of `version` asks for, once. Returns its template and what became of
        it (`sent`, `withheld: …` or `failed: …`), None if none is asked for or that has been seen to.

        If we die between sending and recording it, it is sent again: the same letter twice is a smaller surprise for a
        victim than none. Raises if trying again may help.
        """
        report = self._store.read(reference)
        template = letters.asked_for(report, version) if report else None
        if not report or not template:
            return None
        now = self._now()
        match self._store.start_letter(reference, version, template, now, now - LETTER_LEASE):
            case "busy":
                raise TryAgain(reference)
            case "done":
                return None
        state = self._send(report, version, now)
        self._store.end_letter(reference, version, state, self._now())
        return template, state

    def _send(self, report: Report, version: int, now: datetime) -> str:
        if why := letters.withheld(report, version):
            return f"withheld: {why}"
        try:
            self._sender.send(letters.write(report, version, self._force_name, self._service_url), now)
        except letters.Undeliverable as refusal:
            return f"failed: {refusal}"
        except Exception:
            self._store.free_letter(report.reference, version, now)
            raise
        return "sent"

    # Figures

    def statistics(self, first: str, last: str) -> list[dict[str, Any]]:
        """The monthly figures from month `first` to month `last`, such as `2019-03`."""
        months = statistics.months_between(first, last)
        return statistics.monthly(months, self._store.received_in(months), self._store.crimed_in(months))

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

    def _change_by_public(self, reference: str, move: Callable[[Report], Report]) -> Report:
        """No claim stops it, and no version is asked for: what an officer does meanwhile stays, and this is added."""
        for _ in range(TRIES):
            report = self._find(reference)
            after = move(report)
            if after.version == report.version:  # it was said before
                return report
            with suppress(ConditionFailed):
                return self._store.save(report, after)
        raise NotAllowed("Your report is being changed by somebody else. Try again in a minute.")

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

    def _seen(self, officer: Officer, found: Iterator[tuple[str, Head]]) -> list[tuple[str, Head]]:
        heads = list(found)
        self._store.log_access(officer.actor, "list", [head.reference for _, head in heads], self._now(), self._mint())
        return heads


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


def _plain_email(text: str) -> str:
    return text.strip().casefold()


def _plain_phone(text: str) -> str:
    """The digits as dialled in the UK: `+44 7700 900123` and `07700 900123` are the same."""
    digits = "".join(letter for letter in text if letter in "0123456789")
    if digits.startswith("0044") or (digits.startswith("44") and ("+" in text or len(digits) == 12)):
        digits = "0" + digits.removeprefix("0044").removeprefix("44").removeprefix("0")
    return digits
