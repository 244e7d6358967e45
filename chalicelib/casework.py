"""The verbs of the service: what the public, triage and the letters do with reports.

Each reads the report, lets the pure rules of `report.py` say what it becomes, and writes that with one conditional
update. Store, crime numbers, sender, clock and the source of randomness are handed in. The officers' verbs are in
`desk.py`, the 24-hour rule is in `rule.py`.
"""

import hmac
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from chalicelib import by_public, letters
from chalicelib import report as life
from chalicelib.clues import plain_email, plain_phone
from chalicelib.crime_numbers import CrimeNumbers
from chalicelib.errors import NotAllowed, NotFound
from chalicelib.finder import Finder
from chalicelib.life_cycle import Status
from chalicelib.report import PUBLIC, Heard, Report, Words, assessed
from chalicelib.store import Store
from chalicelib.table import ConditionFailed
from chalicelib.times import local

LETTER_LEASE = timedelta(seconds=90)  # longer than a sending may take, shorter than a message stays hidden (360 s)
TRIES = 5


class TryAgain(Exception):
    """This cannot be done now; the queue brings it back."""


class Casework:
    """What is done with reports by all but officers and the clock. Reports are named by their plain reference."""

    def __init__(
        self,
        store: Store,
        numbers: CrimeNumbers,
        finder: Finder,
        sender: letters.Sender,
        clock: Callable[[], datetime],
        mint: Callable[[], str],
        force_name: str,
        service_url: str = "",
    ) -> None:
        """`clock` gives aware UTC datetimes, `mint` unguessable texts of letters and digits."""
        self._store, self._numbers, self._finder, self._sender = store, numbers, finder, sender
        self._clock, self._mint, self._force_name, self._service_url = clock, mint, force_name, service_url

    # The public

    def today(self) -> datetime:
        """Now, in London."""
        return local(self._now())

    def submit(
        self, answers: Mapping[str, Any], token: str | None, folder: str | None = None, heard: Heard | None = None
    ) -> Report:
        """Store a report from its canonical answers. The same `token` and answers again give the same report.
        `folder` has the files that came before it, `heard` says that it was told in the live chat. Raises AlreadySent
        if the token came with other answers.
        """
        now = self._now()

        def received(reference: str) -> Report:
            report = life.receive(reference, answers["category"], answers, now, heard)
            return replace(report, folder=folder) if folder else report

        return self._store.submit(token or self._mint(), answers, received)

    def sent_as(self, token: str) -> str | None:
        """The reference of the report that this token made."""
        return self._store.made_by(token)

    def status_for(self, reference: str, email: str, phone: str) -> Report:
        """The report, for somebody who knows its reference and the email address or telephone number in it."""
        report = self._store.read(reference)
        contact = report.answers.get("contact", {}) if report else {}
        known = ((plain_email(contact.get("email", "")), plain_email(email)),
                 (plain_phone(contact.get("phone", "")), plain_phone(phone)))  # fmt: skip
        matches = [bool(given) and hmac.compare_digest(kept.encode(), given.encode()) for kept, given in known]
        if not report or not any(matches):
            raise NotFound("Check the reference, and use the email address or telephone number you gave with it.")
        self._store.log_access(PUBLIC, "status", [reference], self._now(), self._mint())
        return report

    def standing(self, reference: str) -> Report:
        """The report, for somebody who has shown that it is theirs. Raises NotFound once it was erased."""
        report = self._theirs(reference)
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
        """Note a report's clues, then assess it and queue it for an officer. Repeatable: a report that has moved on is
        left alone, and False returned. Its clues are noted all the same: if we die in between, the queue comes back.
        """
        report = self._store.read(reference)
        if report:
            self._finder.note(report)
        for _ in range(TRIES):
            if not report or report.status is not Status.RECEIVED:
                return False
            try:
                self._store.save(report, life.triage(assessed(report), self._now()))
                return True
            except ConditionFailed:  # an officer was quicker
                report = self._store.read(reference)
        raise TryAgain(reference)

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
        match self._store.start_letter(report, version, template, now, now - LETTER_LEASE):
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

    # What the verbs share

    def _now(self) -> datetime:
        return self._clock().replace(microsecond=0)

    def _theirs(self, reference: str) -> Report:
        report = self._store.find(reference)
        if report.erased_at:
            raise NotFound("We no longer keep this report. Call 101 if you have a question about it.")
        return report

    def _change_by_public(self, reference: str, move: Callable[[Report], Report]) -> Report:
        """No claim stops it, and no version is asked for: what an officer does meanwhile stays, and this is added."""
        for _ in range(TRIES):
            report = self._theirs(reference)
            after = move(report)
            if after.version == report.version:  # it was said before
                return report
            with suppress(ConditionFailed):
                return self._store.save(report, after)
        raise NotAllowed("Your report is being changed by somebody else. Try again in a minute.")
