"""What one person is given of all that we hold about them: the search for their reports, and the file."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from chalicelib.chat import VISITOR, Conversation, Entry
from chalicelib.errors import FieldError
from chalicelib.evidence import File
from chalicelib.pages import Site
from chalicelib.pages.chat_keeping import how_long
from chalicelib.pages.desk import NAMES, Event, Part, all_answers, letters_of, timeline
from chalicelib.pages.desk_chats import in_words
from chalicelib.pages.desk_place import Place
from chalicelib.pages.evidence import in_words as file_in_words
from chalicelib.pages.fields import Problem
from chalicelib.pages.render import render
from chalicelib.reference import show
from chalicelib.report import PUBLIC, RULE, TRIAGE, Report
from chalicelib.retention import CHAT, GROUPS, Periods, group_of, held_by_law, review_on
from chalicelib.times import read_stamp, spoken, spoken_day

_LOOKS = {
    "read": "Read by the police",
    "next": "Given to an officer to work on",
    "status": "The person looked where it stands",
    "evidence": "A file was opened by the police",
    "accesses": "A supervisor looked at this log",
    "export": "Made into a file such as this one",
}
_WHO = {PUBLIC.id: "The person who reported", TRIAGE.id: "The service", RULE.id: "The service"}


class Found(Protocol):
    """The reports of a person."""

    @property
    def reports(self) -> Sequence[Report]: ...
    @property
    def more(self) -> bool: ...
    @property
    def unreadable(self) -> Sequence[str]: ...
    @property
    def chats(self) -> Sequence[Conversation]: ...


class Holding(Protocol):
    """A report with what is beside it."""

    @property
    def report(self) -> Report: ...
    @property
    def letters(self) -> Sequence[Mapping[str, Any]]: ...
    @property
    def looks(self) -> Sequence[Mapping[str, Any]]: ...


class Talk(Protocol):
    """A conversation, and who has looked at it."""

    @property
    def chat(self) -> Conversation: ...
    @property
    def looks(self) -> Sequence[Mapping[str, Any]]: ...


class Told(NamedTuple):
    """One conversation in the file: what they and we wrote, and what was done with it."""

    began: str
    lines: Sequence[tuple[str, str, str]]
    looks: Sequence[tuple[str, str]]
    kept: str


class Chapter(NamedTuple):
    """One report in the file. `files` is None where they could not be listed."""

    shown: str
    category: str
    received: str
    parts: Sequence[Part]
    told: Sequence[Event]
    events: Sequence[Event]
    letters: Sequence[tuple[str, str, str]]
    files: Sequence[str] | None
    looks: Sequence[tuple[str, str]]
    kept: str


def ask(place: Place, typed: str, errors: Sequence[FieldError]) -> str:
    """Whose data is asked for."""
    problems = [Problem(error.message, "#text") for error in errors]
    return render("desk_export.html", place=place, site=place.site, typed=typed, problems=problems)


def found(place: Place, there: Found, errors: Sequence[FieldError]) -> str:
    """The reports that may be theirs, to be ticked."""
    rows = [(show(one.reference), _name(one), NAMES[one.category], spoken(one.received_at)) for one in there.reports]
    problems = [Problem(error.message, "#chosen") for error in errors]
    talks = [(one.id, one.name, spoken(one.began_at)) for one in there.chats]
    return render("desk_export_found.html", place=place, site=place.site, rows=rows, talks=talks, more=there.more,
                  unreadable=[show(reference) for reference in there.unreadable], problems=problems)  # fmt: skip


def file(
    site: Site,
    held: Sequence[tuple[Holding, Sequence[File] | None]],
    talks: Sequence[Talk],
    periods: Periods,
    now: datetime,
) -> str:
    """All that is held in these reports and conversations, in words, for whoever they are about: one page that needs
    nothing else.
    """
    given = [*(_who(one.report) for one, _ in held), *(_who_wrote(one.chat) for one in talks)]
    about = dict.fromkeys(line for lines in given for line in lines)
    return render("desk_export_file.html", site=site, about=list(about), made=spoken(now),
                  chapters=[_chapter(one, files, periods) for one, files in held],
                  talks=[_told(one, periods) for one in talks])  # fmt: skip


def _chapter(one: Holding, files: Sequence[File] | None, periods: Periods) -> Chapter:
    it = one.report
    events = [_without_names(event, entry) for event, entry in zip(timeline(it)[::-1], it.entries, strict=True)]
    told = [event for event, entry in zip(events, it.entries, strict=True) if entry["by"] == PUBLIC.id and event.words]
    looks = _looks(one.looks)
    listed = None if files is None else [file_in_words(kept) for kept in files]
    return Chapter(show(it.reference), NAMES[it.category], spoken(it.received_at), all_answers(it), told, events,
                   letters_of(one.letters), listed, looks, _kept(it, periods))  # fmt: skip


def _told(one: Talk, periods: Periods) -> Told:
    """Whoever of ours wrote it, or did it, is “the police”."""
    chat = one.chat
    lines = [(spoken(entry.at), chat.name if entry.by == VISITOR else "The police", _line(entry))
             for entry in chat.entries]  # fmt: skip
    return Told(spoken(chat.began_at), lines, _looks(one.looks), how_long(chat, periods[CHAT]))


def _line(entry: Entry) -> str:
    if entry.what == "handed_over":  # to whom is not about the person
        return "handed it over"
    return f"noted: {entry.text}" if entry.what == "noted" else in_words(entry)


def _looks(looks: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    return [(spoken(read_stamp(look["at"])), _LOOKS.get(look["what"], look["what"])) for look in looks]


def _without_names(event: Event, entry: Mapping[str, Any]) -> Event:
    """As the person is told: officers are “the police”, and to whom it was given is not about the person."""
    details = [detail for detail in event.details if detail[0] != "To"]
    return event._replace(by=_WHO.get(entry["by"], "The police"), details=details)


def _kept(it: Report, periods: Periods) -> str:
    if held_by_law(it):
        return "It is kept because the law requires it, until that ends."
    group, due = group_of(it), review_on(it, periods)
    if not group or not due:
        return "It is being dealt with. How long it is kept is reckoned from the last decision."
    return f"{GROUPS[group]}: whether it is still needed is reviewed from {spoken_day(due)} on."


def _who(it: Report) -> Iterator[str]:
    said = it.answers.get("contact", {})
    yield from (said[name] for name in ("full_name", "email", "phone") if said.get(name))


def _who_wrote(chat: Conversation) -> Iterator[str]:
    given = (*chat.visitor.values(), *chat.transcripts_to)
    yield from (text for text in given if text)


def _name(it: Report) -> str:
    return str(it.answers.get("contact", {}).get("full_name", ""))
