"""How long conversations of the live chat are kept, as supervisors see it."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple, Protocol

from chalicelib.chat import CONCLUSIONS, Conversation, State
from chalicelib.pages.desk_place import Place
from chalicelib.pages.render import render
from chalicelib.retention import goes_on
from chalicelib.times import spoken, spoken_day


class Kept(Protocol):
    """A conversation in a list."""

    @property
    def id(self) -> str: ...
    @property
    def concluded_at(self) -> datetime: ...
    @property
    def how(self) -> str: ...
    @property
    def goes_on(self) -> date: ...


class Row(NamedTuple):
    """The same in words."""

    id: str
    concluded: str
    how: str
    goes: str


def listed(place: Place, soon: Sequence[Kept], held: Sequence[Kept], months: int, is_cut: bool) -> str:
    """`/desk/retention/chats`; `is_cut` if there may be more than these."""
    return render("desk_retention_chats.html", place=place, site=place.site, months=months, is_cut=is_cut,
                  soon=[_row(one) for one in soon],
                  held=[_row(one)._replace(goes="Not before the hold is lifted") for one in held])  # fmt: skip


def keeping(place: Place, it: Conversation, months: int, problem: str, why: str) -> str:
    """How long one is kept, with what was typed and why it could not be done."""
    return render("desk_chat_keeping.html", place=place, site=place.site, id=it.id, kept=how_long(it, months),
                  is_held=it.is_held_by_law, can_be_erased=it.state is State.CONCLUDED and not it.references,
                  problem=problem, why=why)  # fmt: skip


def how_long(it: Conversation, months: int) -> str:
    """How long it is kept."""
    if it.is_held_by_law:
        return "It is kept because the law requires it, until that ends."
    if it.references:
        return "It is kept as long as the report that was made of it."
    if not it.concluded_at:
        return "It is being dealt with. How long it is kept is reckoned from when it is concluded."
    return f"It is erased on {spoken_day(goes_on(it.concluded_at, months))}."


def _row(one: Kept) -> Row:
    return Row(one.id, spoken(one.concluded_at), CONCLUSIONS[one.how], spoken_day(one.goes_on))
