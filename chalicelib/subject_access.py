"""What one person is given of all that we hold about them (right of access: Data Protection Act 2018, section 45).

Their reports and their conversations in the live chat are found by what they gave us: an email address, a telephone
number, a reference. A supervisor says which of them are theirs. What was typed is kept nowhere.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chalicelib.chat import Conversation
from chalicelib.chats import Chats
from chalicelib.clues import LONGEST, Clue, asked_for, clues_of, clues_of_chat, of_chat
from chalicelib.desk import Officer
from chalicelib.errors import FieldError, InvalidAnswers, NotFound
from chalicelib.finder import Finder
from chalicelib.report import Report
from chalicelib.store import Store

MOST_FOUND = 50  # the newest; more of one person is more than one file can have
MOST_LOOKS = 1_000
_THEIRS = ("email", "phone")
_WHAT_TO_ENTER = "Enter the email address or telephone number that they gave, or the reference of a report of theirs"


@dataclass(frozen=True)
class Found:
    """The reports and the conversations of a person, newest first; `more` if there are others. `unreadable` are
    references of broken reports.
    """

    reports: list[Report]
    more: bool = False
    unreadable: tuple[str, ...] = ()
    chats: Sequence[Conversation] = ()


@dataclass(frozen=True)
class Holding:
    """A report with what is beside it: its letters, and who has looked at it."""

    report: Report
    letters: Sequence[dict[str, Any]]
    looks: Sequence[dict[str, Any]]


@dataclass(frozen=True)
class Talk:
    """A conversation, and who has looked at it."""

    chat: Conversation
    looks: Sequence[dict[str, Any]]


class SubjectAccess:
    """The verbs. `clock` gives aware UTC datetimes, `mint` unguessable texts of letters and digits."""

    def __init__(
        self, store: Store, finder: Finder, chats: Chats, clock: Callable[[], datetime], mint: Callable[[], str]
    ) -> None:
        self._store, self._finder, self._chats, self._clock, self._mint = store, finder, chats, clock, mint

    def find(self, officer: Officer, text: str) -> Found:
        """The reports and conversations with this email address or telephone number; with a reference, that report and
        whatever has the address or number that is in it. A report brings the conversation that it was made of. Raises
        InvalidAnswers, also if there is none.
        """
        named, wanted = self._meant(text)
        found = self._finder.find(self._finder.digests([clue] for clue in sorted(wanted)), MOST_FOUND)
        there = self._read(dict.fromkeys([*named, *found.references]))
        theirs = [one for one in there.reports if one.reference in named or wanted & clues_of(one.answers)]
        in_chat = frozenset(map(of_chat, wanted))
        noted = self._finder.find(self._finder.digests([clue] for clue in sorted(in_chat)), MOST_FOUND)
        made_of = {one.conversation for one in theirs if one.conversation}
        talks = [one for one in self._talks(dict.fromkeys([*noted.references, *made_of]))
                 if one.id in made_of or in_chat & clues_of_chat(one)]  # fmt: skip
        if not theirs and not there.unreadable and not talks:
            raise InvalidAnswers(errors=[FieldError("text", "Nothing was found. Check what you typed")])
        self._log_list(officer, theirs, talks)
        return Found(theirs, found.more or noted.more, there.unreadable, talks)

    def listed(self, officer: Officer, references: Sequence[str], chats: Sequence[str] = ()) -> Found:
        """The same once more, after one of them was to be handed over and could not."""
        there = self._read(dict.fromkeys(references[:MOST_FOUND]))
        talks = self._talks(dict.fromkeys(chats[:MOST_FOUND]))
        self._log_list(officer, there.reports, talks)
        return Found(there.reports, unreadable=there.unreadable, chats=talks)

    def hand_over(
        self, officer: Officer, references: Sequence[str], chats: Sequence[str] = ()
    ) -> tuple[list[Holding], list[Talk]]:
        """All that is held in these reports and conversations, for the person. That each is given out is recorded first
        (disclosure: Data Protection Act 2018, section 62). Raises InvalidAnswers.
        """
        if not 1 <= len(references) + len(chats) <= MOST_FOUND:
            raise InvalidAnswers(errors=[FieldError("chosen", f"Tick from one to {MOST_FOUND}")])
        there, talks = self._read(dict.fromkeys(references)), self._talks(dict.fromkeys(chats))
        if len(there.reports) < len(set(references)) or len(talks) < len(set(chats)):
            message = "What you ticked is not all there any more, or cannot be read. Search again"
            raise InvalidAnswers(errors=[FieldError("chosen", message)])
        at = self._clock().replace(microsecond=0)
        for report in there.reports:
            self._store.log_access(officer.actor, "export", [report.reference], at, self._mint())
        for chat in talks:
            self._store.log_chat_access(officer.actor, "export", [chat.id], at, self._mint())
        looks = [self._store.accesses(chat=chat.id, limit=MOST_LOOKS) for chat in talks]
        return [self._holding(report) for report in there.reports], list(map(Talk, talks, looks))

    def _meant(self, text: str) -> tuple[list[str], set[Clue]]:
        """The report that was named, if one was, and the clues to look for."""
        if not text.strip():
            raise InvalidAnswers(errors=[FieldError("text", _WHAT_TO_ENTER)])
        try:
            asked = asked_for(text)
        except InvalidAnswers:
            if len(text) > LONGEST:
                raise
            raise InvalidAnswers(errors=[FieldError("text", _WHAT_TO_ENTER)]) from None
        report = self._store.read(asked.reference) if asked.reference else None
        if report and report.erased_at:
            raise InvalidAnswers(
                errors=[FieldError("text", "That report was erased. Nothing is kept about the person")]
            )
        clues = clues_of(report.answers) if report else {clue for meaning in asked.meanings for clue in meaning}
        wanted = {clue for clue in clues if clue.kind in _THEIRS}
        if not report and not wanted:
            message = "No report was found. Check what you typed" if asked.reference else _WHAT_TO_ENTER
            raise InvalidAnswers(errors=[FieldError("text", message)])
        return [report.reference] if report else [], wanted

    def _read(self, references: Iterable[str]) -> Found:
        """Those that are there and say something about a person, in that order."""
        wanted = list(references)
        read = self._store.read_many(wanted)
        there = [read[reference] for reference in wanted if reference in read]
        reports = [one for one in there if isinstance(one, Report) and not one.synthetic and not one.erased_at]
        broken = [reference for reference in wanted if isinstance(read.get(reference), Exception)]
        return Found(reports, unreadable=tuple(broken))

    def _talks(self, ids: Iterable[str]) -> list[Conversation]:
        """Those that are there."""
        found = []
        for id in ids:
            with suppress(NotFound):
                found.append(self._chats.find(id))
        return found

    def _holding(self, report: Report) -> Holding:
        reference = report.reference
        return Holding(
            report, self._store.letters(reference), self._store.accesses(reference=reference, limit=MOST_LOOKS)
        )

    def _log_list(self, officer: Officer, reports: Sequence[Report], talks: Sequence[Conversation]) -> None:
        at = self._clock().replace(microsecond=0)
        self._store.log_access(officer.actor, "list", [one.reference for one in reports], at, self._mint())
        if talks:
            self._store.log_chat_access(officer.actor, "list", [one.id for one in talks], at, self._mint())
