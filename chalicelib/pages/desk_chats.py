"""The live chat at the officers' desk: who waits, an advisor's conversations side by side, and one of them whole."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Protocol

from chalicelib.chat import CONCLUSIONS, PROMISE, VISITOR, Conversation, Entry, State
from chalicelib.chat_queue import Held, Waiting
from chalicelib.pages.desk import NAMES, Clock, clock_time, countdown
from chalicelib.pages.desk_place import Place
from chalicelib.pages.render import render
from chalicelib.reference import show
from chalicelib.replies import REPLIES
from chalicelib.times import local, read_stamp, spoken, stamp

BACK = "-"  # stands for the waiting list among those to whom a conversation is handed over
_LAST_MINUTE = timedelta(minutes=1)
_TYPED = ("text", "note")  # the fields in which an advisor writes, before the id of the conversation


class Colleague(Protocol):
    """Somebody to whom a conversation can be handed over."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...


@dataclass(frozen=True)
class Lists:
    """What stands beside an advisor's conversations. `pace` is how many of the last were answered in time, of how many;
    `others` is what colleagues have, for supervisors.
    """

    waiting: Sequence[Waiting]
    pace: tuple[int, int]
    others: Sequence[Held] = ()


@dataclass(frozen=True)
class Said:
    """What came with a form and is shown again, and what came of it: `problem` in words, or what was `done`. `about` is
    the id of the conversation in question.
    """

    typed: Mapping[str, str]
    problem: str = ""
    done: str = ""
    about: str = ""


class Line(NamedTuple):
    """One entry as an advisor reads it; `kind` is `visitor`, `advisor`, `note` or `event`."""

    number: int
    kind: str
    who: str
    at: str
    stamp: str
    text: str
    reference: str
    reasons: Sequence[str]


class Column(NamedTuple):
    """One conversation. `is_here` is None where it cannot be known; `id` is what tells a form from the next."""

    chat: Conversation
    id: str
    lines: Sequence[Line]
    is_here: bool | None
    clock: Clock
    conclusions: Mapping[str, str]


def desk(
    place: Place,
    mine: Sequence[Column],
    lists: Lists,
    colleagues: Sequence[Colleague],
    said: Said,
    id: str,
    now: datetime,
) -> str:
    """`/desk/chats`. `id` tells this page from the next, where something is not about one of `mine`."""
    return render("desk_chats.html", place=place, site=place.site, mine=mine, id=id, **_beside(lists, now),
                  colleagues=colleagues, said=said, unsent=_unsent(mine, said.typed), replies=REPLIES, categories=NAMES,
                  back=BACK, stamp=stamp(now))  # fmt: skip


def lists(place: Place, shown: Lists, now: datetime) -> str:
    """The list of those who wait, and for supervisors what colleagues have: a part of the page, for its script."""
    return render("desk_chats_lists.html", place=place, **_beside(shown, now))


def whole(place: Place, it: Column, said: Said, who: str, now: datetime) -> str:
    """One conversation, whoever has it. `who` is the id of the officer."""
    chat = it.chat
    return render("desk_chat.html", place=place, site=place.site, column=it, said=said, is_mine=_is_of(chat, who),
                  began=spoken(chat.began_at), outcome=_outcome(chat), unsent=[], stamp=stamp(now))  # fmt: skip


def seen(place: Place, chat: str, accesses: Sequence[Mapping[str, Any]]) -> str:
    """Who has looked at a conversation, newest first."""
    looks = [(spoken(read_stamp(one["at"])), one["officer_name"], _LOOKED.get(one["what"], one["what"]))
             for one in accesses]  # fmt: skip
    return render("desk_chat_seen.html", place=place, site=place.site, chat=chat, looks=looks)


def column(chat: Conversation, id: str, is_here: bool | None, now: datetime) -> Column:
    """A conversation as it is shown now."""
    offered = {how: words for how, words in CONCLUSIONS.items() if how != "reported" or chat.references}
    lines = [_line(entry, chat, now) for entry in chat.entries]
    return Column(chat, id, lines, is_here, countdown(chat.conclude_by, chat.began_at, now), offered)


def _beside(lists: Lists, now: datetime) -> dict[str, Any]:
    waiting = [(one, _promised(one, now), _when(one.began_at, now)) for one in lists.waiting]
    others = [(one, _when(one.began_at, now)) for one in lists.others]
    return {"waiting": waiting, "pace": lists.pace, "others": others}


def _promised(one: Waiting, now: datetime) -> Clock:
    """The time that is left of the promise to answer."""
    by = one.began_at + PROMISE
    left = by - now
    seconds = int(abs(left).total_seconds())
    length = f"{seconds} s" if seconds < 60 else f"{seconds // 60} min {seconds % 60:02} s"
    if seconds >= 600:
        length = f"{seconds // 60} min" if seconds < 7200 else f"{seconds // 3600} h"
    is_late = left < timedelta(0)
    urgency = "late" if is_late else "near" if left <= _LAST_MINUTE else "calm"
    return Clock(f"{length} {'late' if is_late else 'left'}", stamp(by), spoken(by), urgency)


def _line(entry: Entry, chat: Conversation, now: datetime) -> Line:
    kind = {"said": "visitor" if entry.by == VISITOR else "advisor", "noted": "note"}.get(entry.what, "event")
    who = chat.name if entry.by == VISITOR else entry.by.name
    reference = entry.facts.get("reference", "")
    return Line(entry.number, kind, who, _when(entry.at, now), stamp(entry.at), in_words(entry),
                show(reference) if reference else "", entry.facts.get("reasons", ()))  # fmt: skip


def _when(at: datetime, now: datetime) -> str:
    """The time, with its day unless that is today."""
    return clock_time(at) if local(at).date() == local(now).date() else spoken(at)


def in_words(entry: Entry) -> str:
    """What was written, or what happened, after the name of whoever did it."""
    facts = entry.facts
    return {
        "taken": "took the conversation",
        "handed_over": f"handed it over to {facts.get('to_name', '')}",
        "put_back": "put it back on the waiting list",
        "ended": "ended the conversation",
        "reported": "made a report of it",
        "concluded": f"concluded it: {_lower(CONCLUSIONS.get(facts.get('how', ''), ''))}",
        "transcript": "asked for a copy by email",
        "legal_hold": f"put it under legal hold: {entry.text}",
        "hold_lifted": f"lifted the legal hold: {entry.text}",
    }.get(entry.what, entry.text)


def _outcome(chat: Conversation) -> str:
    """What came of it, in words."""
    return next((CONCLUSIONS[entry.facts["how"]] for entry in chat.entries if entry.what == "concluded"), "")


def _unsent(mine: Sequence[Column], typed: Mapping[str, str]) -> list[str]:
    """What was typed for conversations in which the box for it is no longer shown."""
    boxes = {f"note.{one.chat.id}" for one in mine}
    boxes |= {f"text.{one.chat.id}" for one in mine if not one.chat.has_ended}
    return [text for name, text in typed.items()
            if name.partition(".")[0] in _TYPED and name not in boxes and text.strip()]  # fmt: skip


def _is_of(chat: Conversation, officer: str) -> bool:
    return bool(chat.advisor and chat.advisor.id == officer and chat.state is not State.CONCLUDED)


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


_LOOKED = {"read": "Read it", "accesses": "Looked at this log", "export": "Exported it for the person"}
