"""A report that is made of a conversation of the live chat. It goes the way of every other report (`casework.py`).

The report is there first, and is then written down on the conversation. Its submission token names the conversation and
which of its reports it is, so pressing twice, two advisors, or a crash in between never make two: whoever comes next
finds the one that is there, and writes it down. See `docs/adr/0030-reports-from-chat.md`.
"""

from collections.abc import Mapping
from typing import Any

from chalicelib.casework import Casework
from chalicelib.changes import Officer
from chalicelib.chat import VISITOR, Conversation, Entry
from chalicelib.chats import Chats
from chalicelib.errors import AlreadySent, FieldError, InvalidAnswers, NotAllowed
from chalicelib.report import Actor, Heard, Report


class ChatReports:
    """The verb of advisors, and what puts right what one of them has left half done."""

    def __init__(self, casework: Casework, chats: Chats) -> None:
        self._casework, self._chats = casework, chats

    def make_report(self, officer: Officer, id: str, number: int, answers: Mapping[str, Any], nth: int) -> Report:
        """Store the `nth` report (from 1, as the advisor's page said) of a conversation, from its canonical answers.
        `number` is that of the message in which the visitor first told of the crime: its 24 hours run from there.

        The same answers again give the same report. Raises AlreadySent if the `nth` was made with other answers,
        InvalidAnswers if there is no such message of the visitor, NotAllowed if there cannot be an `nth` yet.
        """
        chat = self._chats.find(id)
        if not 1 <= nth <= len(chat.references) + 1:
            raise NotAllowed("The conversation has changed. Open it again, and make the report from there.")
        heard = Heard(_first_told(chat, number).at, id, officer.actor)
        try:
            report = self._casework.submit(answers, _token(chat.id, nth), heard=heard)
        except AlreadySent as there:
            self._chats.write_down(officer.actor, id, there.reference)
            raise
        self._chats.write_down(officer.actor, id, report.reference)
        return report

    def with_all_written_down(self, chat: Conversation, by: Actor) -> Conversation:
        """The conversation with the report that somebody made of it and died before writing that down, if one did."""
        reference = self._casework.sent_as(_token(chat.id, len(chat.references) + 1))
        return self._chats.write_down(by, chat.id, reference) if reference else chat


def first_message(chat: Conversation) -> Entry:
    """The visitor's first message: as a rule that in which a crime was first told."""
    return next(entry for entry in chat.entries if _is_visitors(entry))


def _first_told(chat: Conversation, number: int) -> Entry:
    for entry in chat.entries:
        if entry.number == number and _is_visitors(entry):
            return entry
    raise InvalidAnswers(errors=[FieldError("number", "Select the message that first told of the crime")])


def _is_visitors(entry: Entry) -> bool:
    return entry.what == "said" and entry.by == VISITOR


def _token(id: str, nth: int) -> str:
    return f"chat:{id}:{nth}"
