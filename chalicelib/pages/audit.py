"""Who did and saw what: the history of a report as a chain, the officers, and what one of them has looked at."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, NamedTuple, Protocol
from urllib.parse import quote

from chalicelib.pages.desk import Event, row, timeline
from chalicelib.pages.desk_place import Place
from chalicelib.pages.render import render
from chalicelib.reference import show
from chalicelib.report import Head, Report, verify
from chalicelib.times import read_stamp, spoken

_WHAT = {"read": "Read it", "next": "Was given it as the next", "status": "Looked where it stands",
         "evidence": "Opened a file of it", "list": "Saw it in a list", "accesses": "Looked at this log",
         "export": "Exported it for the person"}  # fmt: skip

Accesses = Sequence[Mapping[str, Any]]


class Colleague(Protocol):
    """Somebody who signs in."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def roles(self) -> frozenset[str]: ...
    @property
    def last_signed_in(self) -> datetime: ...


class Seen(NamedTuple):
    """One look at personal data."""

    at: str
    who: str
    what: str
    reports: Sequence[str]
    chats: Sequence[str]


class Link(NamedTuple):
    """An entry with its digest, to which the next commits."""

    event: Event
    digest: str


def history(place: Place, it: Report, accesses: Accesses | None) -> str:
    """The chain of a report, oldest first. `accesses` is None for whoever may not see them."""
    digests = [hashlib.sha256(text.encode()).hexdigest()[:32] for text in it.history]
    links = [Link(event, digest) for event, digest in zip(reversed(timeline(it)), digests, strict=True)]
    return render("desk_history.html", place=place, site=place.site, shown=show(it.reference), links=links,
                  wrong=verify(it), seen=None if accesses is None else _seen(accesses))  # fmt: skip


def officers(place: Place, colleagues: Sequence[Colleague]) -> str:
    """Everybody who has signed in of late."""
    listed = [(quote(one.id, safe=""), one.name, ", ".join(sorted(one.roles)), spoken(one.last_signed_in))
              for one in colleagues]  # fmt: skip
    return render("desk_officers.html", place=place, site=place.site, officers=listed)


def officer(place: Place, who: Colleague, held: Sequence[Head], accesses: Accesses, now: datetime,
            ended: bool) -> str:  # fmt: skip
    """What an officer holds and has looked at. `ended` if their sessions have just been ended."""
    rows = [row(head, now, "") for head in held]
    return render("desk_officer.html", place=place, site=place.site, who=who, id=quote(who.id, safe=""), rows=rows,
                  seen=_seen(accesses), ended=ended)  # fmt: skip


def proof(place: Place, text: str, at: str) -> str:
    """The last proof, line by line, and when it was made (a stamp); both empty if there is none yet."""
    when = spoken(read_stamp(at)) if at else ""
    return render("desk_proof.html", place=place, site=place.site, lines=text.splitlines(), at=when)


def _seen(accesses: Accesses) -> list[Seen]:
    """Looks at the same, one after the other, are one line: a queue that is open renews itself every half minute."""
    return [_together(list(looks)) for _, looks in groupby(accesses, key=_what_and_which)]


def _what_and_which(one: Mapping[str, Any]) -> tuple[str, str, list[str]]:
    return str(one["officer"]), str(one["what"]), sorted([*one["references"], *one.get("chats", ())])


def _together(looks: Sequence[Mapping[str, Any]]) -> Seen:
    last, first = looks[0], looks[-1]
    what = _WHAT.get(str(last["what"]), str(last["what"]))
    often = f", {len(looks)} times since {spoken(read_stamp(first['at']))}" if len(looks) > 1 else ""
    shown = [show(reference) for reference in last["references"]]
    chats = list(last.get("chats", ()))
    return Seen(spoken(read_stamp(last["at"])), last["officer_name"], what + often, shown, chats)
