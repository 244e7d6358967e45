"""A report that an advisor makes of a conversation of the live chat: the form of its category beside what was said."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from chalicelib.chat import VISITOR, Conversation
from chalicelib.errors import FieldError
from chalicelib.forms import CATEGORIES
from chalicelib.pages.desk import NAMES
from chalicelib.pages.desk_chats import Column
from chalicelib.pages.desk_place import Place
from chalicelib.pages.fields import Problem, fields_of, problems_of
from chalicelib.pages.render import render
from chalicelib.report import TIME_TO_CRIME
from chalicelib.times import spoken

_SHOWN = 60  # characters of a message among those to choose from


class Asked(NamedTuple):
    """What the page is about besides the answers: the message that first told of it, which report of the conversation
    it is, and where the form goes.
    """

    category: str
    number: int
    nth: int
    address: str


def form(
    place: Place, it: Column, asked: Asked, values: Mapping[str, Any], errors: Sequence[FieldError], refused: str
) -> str:
    """The form with the answers so far and what is wrong with them; `refused` is why it cannot be sent as it is."""
    fields = fields_of(CATEGORIES[asked.category], values, errors)
    of_fields = [error for error in errors if error.field != "number"]
    problems = [Problem(error.message, "#number") for error in errors if error.field == "number"]
    problems += problems_of(fields, of_fields) if of_fields else []
    return render("desk_chat_report.html", place=place, site=place.site, column=it, asked=asked, fields=fields,
                  problems=problems, refused=refused, name=NAMES[asked.category].lower(),
                  messages=_messages(it.chat))  # fmt: skip


def _messages(chat: Conversation) -> list[tuple[int, str, str]]:
    """What the visitor said: the number, its first words, and by when a crime first told there must be decided."""
    return [(entry.number, _short(entry.text), spoken(entry.at + TIME_TO_CRIME))
            for entry in chat.entries if entry.what == "said" and entry.by == VISITOR]  # fmt: skip


def _short(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= _SHOWN else f"{words[:_SHOWN].rstrip()} …"
