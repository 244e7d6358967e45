"""The pages of the live chat for visitors: how one begins, what is said in it, and what to do while it is closed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from chalicelib.chat import PROMISE, VISITOR, Conversation, Entry, told
from chalicelib.chat_hours import Hours
from chalicelib.errors import FieldError
from chalicelib.forms.chat import Beginning, Left
from chalicelib.language import said
from chalicelib.pages import Site
from chalicelib.pages.fields import Problem, fields_of, problems_of
from chalicelib.pages.journey import TRAP
from chalicelib.pages.render import render
from chalicelib.times import clock, day_of, spoken, stamp

_PROMISED = int(PROMISE.total_seconds() // 60)


@dataclass(frozen=True)
class Place:
    """Whose pages, the form token that their forms carry, and an id for what is sent by one of them."""

    site: Site
    token: str
    id: str = ""
    back: str = ""
    change: bool = False

    @property
    def address(self) -> str:
        """The start of all addresses of the chat."""
        return f"{self.site.base}/chat"


class Line(NamedTuple):
    """One entry as the page shows it: `what` is `said`, `taken`, `handed_over` or `ended`."""

    what: str
    is_mine: bool
    name: str
    text: str
    at: str
    stamp: str


def begin(place: Place, hours: Hours, typed: Mapping[str, Any], errors: Sequence[FieldError] = ()) -> str:
    """What we ask before a conversation, with what was typed and what is wrong with it."""
    return _questions("chat_begin.html", place, fields_of(Beginning, typed, errors), errors, hours=hours.in_words(),
                      promised=_PROMISED)  # fmt: skip


def closed(place: Place, hours: Hours, now: datetime, typed: Mapping[str, Any], errors: Sequence[FieldError] = (),
           tried: bool = False) -> str:  # fmt: skip
    """Nobody answers now: when somebody does, and the questions of a message that is left. `tried` says that it closed
    while somebody wrote.
    """
    opens = hours.opens_next(now)
    return _questions("chat_closed.html", place, fields_of(Left, typed, errors), errors, hours=hours.in_words(),
                      opens=spoken(opens) if opens else "", tried=tried)  # fmt: skip


def none_at_all(site: Site) -> str:
    """There is no chat."""
    return render("chat_none.html", site=site)


def conversation(place: Place, chat: Conversation, words: str, now: datetime, text: str = "",
                 errors: Sequence[FieldError] = ()) -> str:  # fmt: skip
    """What was said, where it stands in `words`, and room to write; `text` is what is in it."""
    problems = [Problem(said(message), "#text") for _, message in errors]
    return render("chat.html", place=place, site=place.site, lines=lines(chat, now), words=words, text=text,
                  problems=problems, state=told(chat, chat.version, True)["state"], has_ended=chat.has_ended,
                  seen=chat.version, is_answered=chat.is_answered, models=_MODELS)  # fmt: skip


def copy(place: Place, chat: Conversation, email: str, errors: Sequence[FieldError] = (), sent_to: str = "") -> str:
    """Where shall we send a copy? `sent_to` is where one has just been sent."""
    problems = [Problem(said(message), "#email") for _, message in errors]
    return render("chat_copy.html", place=place, site=place.site, email=email, problems=problems, sent_to=sent_to,
                  is_answered=chat.is_answered)  # fmt: skip


def end(place: Place) -> str:
    """Do you want to end it?"""
    return render("chat_end.html", place=place, site=place.site)


def gone(site: Site, text: str = "") -> str:
    """This browser has no conversation (any more): `text` is what was just written."""
    return render("chat_gone.html", site=site, text=text)


def refused(place: Place, why: str, text: str) -> str:
    """It cannot be done as things stand; what was typed is shown."""
    return render("chat_refused.html", place=place, site=place.site, why=said(why), text=text)


def lines(chat: Conversation, now: datetime) -> list[Line]:
    """What a visitor sees of a conversation."""
    return [_line(entry, chat, now) for entry in chat.since(0, for_visitor=True)]


def standing(chat: Conversation, place: int | None, minutes: int | None, hours: Hours, now: datetime) -> str:
    """Where a conversation stands, in words for the visitor: `place` and `minutes` as `Chats.place` gives them. Nothing
    is promised that will not be kept.
    """
    if chat.has_ended:
        return said("This chat has ended. What you told us is kept. Nobody can write here any more.")
    if chat.advisor:
        return _with_advisor(chat.advisor.name, chat.unanswered_since, now)
    if not hours.is_open(now):
        opens = hours.opens_next(now)
        late = said("The chat has closed before anybody could answer you. We are sorry. What you wrote is kept.")
        read = said("Somebody reads it when the chat opens again, at {time}.")
        return f"{late} {read.format(time=spoken(opens))}" if opens else late
    return f"{_in_queue(place)} {_until_answered(chat, minutes, now)}"


def _with_advisor(name: str, unanswered_since: datetime | None, now: datetime) -> str:
    if unanswered_since and now - unanswered_since > PROMISE:
        late = said(
            "{name} has not answered for more than {promised} minutes. We are sorry. If it cannot wait, call 101."
        )
        return late.format(name=name, promised=_PROMISED)
    return said("{name} has your chat, and answers you here.").format(name=name)


def _in_queue(place: int | None) -> str:
    if place is None:
        return said("You are in the queue. Very many people are waiting.")
    return said("You are next.") if place == 1 else said("You are number {place} in the queue.").format(place=place)


def _until_answered(chat: Conversation, minutes: int | None, now: datetime) -> str:
    wait = said("We think it takes about {minutes} minutes.").format(minutes=minutes) if minutes else ""
    wait = said("We think it takes about a minute.") if minutes == 1 else wait
    left = (chat.answer_by - now).total_seconds() / 60
    if left < 0:
        late = said(
            "We promised you an answer within {promised} minutes, and we are late. We are sorry. You can also call 101."
        )
        return f"{late.format(promised=_PROMISED)} {wait}".strip()
    promise = said("We promise an answer by {time}.").format(time=clock(chat.answer_by))
    if minutes and minutes > left:
        promise = said(
            "We promise an answer within {promised} minutes, but may not keep that now: many people are writing."
        )
        promise = promise.format(promised=_PROMISED)
    return f"{wait} {promise}".strip()


def _line(entry: Entry, chat: Conversation, now: datetime) -> Line:
    is_mine = entry.by == VISITOR
    at = clock(entry.at) if day_of(entry.at) == day_of(now) else spoken(entry.at)
    name = chat.name if is_mine else entry.facts.get("to_name", entry.by.name)
    return Line(entry.what, is_mine, name, entry.text, at, stamp(entry.at))


# How each kind of entry looks, for the script to fill in.
_MODELS = [
    Line(what, is_mine, "", "", "", "")
    for what, is_mine in (
        ("said", True),
        ("said", False),
        ("taken", False),
        ("handed_over", False),
        ("ended", True),
        ("ended", False),
    )
]


def _questions(template: str, place: Place, fields: Any, errors: Sequence[FieldError], **more: Any) -> str:
    caught = any(error.field == TRAP for error in errors)
    trap = Problem(said("Empty the box that has to stay empty, then continue again"), f"#{TRAP}")
    problems = [trap] if caught else problems_of(fields, errors)
    return render(template, place=place, site=place.site, fields=fields, problems=problems, caught=caught, **more)
