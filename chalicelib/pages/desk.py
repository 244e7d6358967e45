"""The officers' desk: the queue, a report, what an officer does with it, and what that does to the victim's letter."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Protocol

from chalicelib.by_officers import THRIVE, letters_in
from chalicelib.call_backs import next_attempt
from chalicelib.disposals import DISPOSALS
from chalicelib.evidence import File
from chalicelib.forms import CATEGORIES, journey
from chalicelib.forms.desk import CODES, REASONS, RESULTS
from chalicelib.forms.questions import Question, Section, questions
from chalicelib.life_cycle import OPEN
from chalicelib.offences import suggest
from chalicelib.pages.desk_place import Place
from chalicelib.pages.evidence import in_words as file_in_words
from chalicelib.pages.render import render
from chalicelib.reference import show
from chalicelib.report import TIME_TO_CRIME, Head, Report, verify
from chalicelib.retention import WHY_ERASED, held_by_law
from chalicelib.times import local, read_stamp, spoken, stamp
from chalicelib.triage import PRIORITIES, UNASSESSED, assess

RANKS = (*PRIORITIES, UNASSESSED)
NAMES = {"burglary": "Burglary", "theft": "Theft", "criminal_damage": "Criminal damage"}
STATUSES = {"received": "Received", "queued": "Queued", "awaiting_information": "Awaiting information",
            "crimed": "Crimed", "not_crimed": "Not crimed"}  # fmt: skip
WARNINGS = (timedelta(hours=18), timedelta(hours=22))  # after receipt: domain.md
# In the order in which an officer reads them.
_READ = ("what_happened", "about", "items", "where", "when", "suspects", "evidence", "harm", "reporter")
_DONE = {
    "received": "Received", "triaged": "Assessed by triage", "claimed": "Claimed", "released": "Released",
    "assigned": "Assigned", "noted": "Note", "assessed": "Assessed (THRIVE)", "linked": "Linked",
    "call_back": "Call-back", "call_back_time": "The person chose a time for a call", "added": "The person added",
    "letters_stopped": "The person wants no more letters", "letters_resumed": "The person wants letters again",
    "proposed": "Proposed to close it without a crime", "declined": "The proposal was declined",
    "crimed": "Crimed", "not_crimed": "Closed without a crime", "disposed": "Disposed of",
    "cancelled": "Crime cancelled", "legal_hold": "Put under legal hold", "hold_lifted": "Legal hold lifted",
    "kept": "Reviewed, and kept for another period", "erased": "Erased",
}  # fmt: skip
CALLED_BACK = _DONE["call_back"]


class Clock(NamedTuple):
    """How long there is to decide: in words, as a time that a script reads, and how near it is (`late` to `calm`)."""

    words: str
    deadline: str
    spoken: str
    urgency: str


class Row(NamedTuple):
    """One report in a list."""

    shown: str
    head: Head
    category: str
    status: str
    priority: str
    clock: Clock | None
    holder: str
    is_mine: bool


@dataclass(frozen=True)
class Queue:
    """What a page of the queue shows. `query` is what was asked for, by name; `before` and `after` lead on and back."""

    title: str
    heads: Sequence[Head]
    query: Mapping[str, str]
    address: str
    before: str
    after: str


class Part(NamedTuple):
    """One part of the answers: its title and its rows of a question and an answer."""

    title: str
    rows: Sequence[tuple[str, str]]


class Event(NamedTuple):
    """One entry of the history as an officer reads it."""

    version: int
    at: str
    by: str
    what: str
    details: Sequence[tuple[str, str]]
    words: str


def queue(place: Place, page: Queue, now: datetime, who: str, problem: str = "", searched: str = "") -> str:
    """`/desk`: reports to work on, most urgent first, then nearest deadline. `who` is the id of the officer, `searched`
    what they searched for in vain.
    """
    rows = [row(head, now, who) for head in page.heads]
    return render("desk_queue.html", place=place, site=place.site, page=page, rows=rows, filters=_filters(page.query),
                  problem=problem, searched=searched, now=spoken(now), stamp=stamp(now))  # fmt: skip


def _filters(query: Mapping[str, str]) -> list[tuple[str, str, Mapping[str, str]]]:
    """The name, the label and the options of each filter that fits the list."""
    priorities = {rank: rank.capitalize() for rank in RANKS}
    found: list[tuple[str, str, Mapping[str, str]]] = [
        ("category", "Category", NAMES),
        ("priority", "Priority", priorities),
    ]
    if query["list"] in ("open", "mine"):  # the others hold reports that are decided, or wait for one thing
        found.insert(1, ("status", "Status", {status: STATUSES[status] for status in sorted(OPEN)}))
    return found


def found(place: Place, heads: Sequence[Head], more: bool, now: datetime, who: str) -> str:
    """What a search found, newest first; `more` if there may be others."""
    rows = [row(head, now, who) for head in heads]
    return render("desk_found.html", place=place, site=place.site, rows=rows, more=more, now=stamp(now))


def row(head: Head, now: datetime, who: str) -> Row:
    """A report as a line of a list."""
    holder = head.held_by(now)
    is_open = head.status not in ("crimed", "not_crimed")
    return Row(show(head.reference), head, NAMES[head.category], STATUSES[head.status], head.priority or UNASSESSED,
               clock(head, now) if is_open else None, holder.name if holder else "",
               bool(holder and holder.id == who))  # fmt: skip


def clock(head: Head, now: datetime) -> Clock:
    """The time that is left until the deadline."""
    return countdown(head.deadline, head.received_at, now)


def countdown(deadline: datetime, began: datetime, now: datetime) -> Clock:
    """The time that is left of 24 hours; warnings at 18 and 22 hours."""
    left, passed = deadline - now, now - began
    late = left < timedelta(0)
    urgency = "late" if late else "soon" if passed >= WARNINGS[1] else "near" if passed >= WARNINGS[0] else "calm"
    words = f"{_duration(abs(left))} late" if late else f"{_duration(left)} left"
    return Clock(words, stamp(deadline), spoken(deadline), urgency)


class Related(Protocol):
    """Another report that has to do with one."""

    @property
    def head(self) -> Head: ...
    @property
    def because(self) -> Sequence[str]: ...
    @property
    def possible_duplicate(self) -> bool: ...


@dataclass(frozen=True)
class Around:
    """What belongs to a report beside it. `files` is None while they cannot be looked at."""

    files: Sequence[tuple[File, str]] | None
    related: Sequence[Related]
    letters: Sequence[Mapping[str, Any]]


def report(place: Place, it: Report, around: Around, now: datetime, who: str, done: str) -> str:
    """A whole report. `done` is what the officer has just done."""
    found = assess(it.category, it.answers)
    return render(
        "desk_report.html",
        place=place,
        site=place.site,
        it=it,
        row=row(it.head, now, who),
        contact=_contact_rules(it),
        parts=answers(it),
        missing=found.missing,
        next_attempt=next_attempt_of(it),
        attend=found.attend,
        solvability=found.solvability,
        suggestion=suggest(it.category, it.answers, local(now).date()),
        thrive=_thrive(it),
        files=_files(around.files),
        related=[
            (show(one.head.reference), row(one.head, now, who), "; ".join(one.because), one.possible_duplicate)
            for one in around.related
        ],
        linked=_linked(it),
        letters=letters_of(around.letters),
        events=_without_renewals(timeline(it)),
        who=who,
        original=_original(it),
        received=spoken(it.received_at),
        made=spoken(read_stamp(it.entries[0]["at"])),
        held_until=clock_time(it.claim.until) if it.claim else "",
        stamp=stamp(now),
        crime=it.crime,
        crimed_at=spoken(it.crime.at) if it.crime else "",
        **decided(it),
        proposal=_proposal(it),
        hold=_hold(it),
        is_broken=verify(it),
        done=done,
    )


def decided(it: Report) -> dict[str, str]:
    """What was decided, in words: the `disposal` of a crime, why it was `cancelled`, the `reason` why it is none."""
    disposal, cancelled = (it.crime.disposal, it.crime.cancelled) if it.crime else (None, None)
    return {"disposal": DISPOSALS.get(disposal or "", ""), "cancelled": CODES.get(cancelled or "", ""),
            "reason": REASONS.get(it.not_crimed_reason or "", "")}  # fmt: skip


def answers(it: Report) -> list[Part]:
    """What the person answered, in the order in which an officer reads it; how to reach them stands above it."""
    asked = {question.name: question for question in questions(CATEGORIES[it.category])}
    return [part for name in _READ if name in asked for part in _parts(asked[name], it.answers.get(name))]


def all_answers(it: Report) -> list[Part]:
    """Everything the person answered, in the order in which it was asked."""
    asked = questions(CATEGORIES[it.category])
    return [part for question in asked for part in _parts(question, it.answers.get(question.name))]


def letters_of(letters: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, str]]:
    """What became of each letter: its template, its state, and when."""
    return [(letter["template"], letter["state"], spoken(read_stamp(letter["at"])) if letter["at"] else "")
            for letter in letters]  # fmt: skip


def timeline(it: Report) -> list[Event]:
    """What has happened to it, newest first."""
    said = {words.version: words.text for words in it.words}
    return [
        Event(entry["version"], spoken(read_stamp(entry["at"])), entry["by_name"],
              _DONE.get(entry["what"], entry["what"]), list(_details(entry)), said.get(entry["version"], ""))
        for entry in reversed(it.entries)
    ]  # fmt: skip


def _parts(question: Question, answer: Any) -> Iterator[Part]:
    if question.kind == "section" and question.model:
        rows = _rows(question.model, answer or {})
        if rows:
            yield Part(question.ask.label, rows)
    elif question.kind == "sections" and question.model:
        for number, one in enumerate(answer or [], start=1):
            yield Part(f"Item {number}", _rows(question.model, one))
    elif answer:
        title = "Who reported it" if question.name == "reporter" else question.ask.label
        yield Part(title, [("", journey.in_words(question, answer))])


def _rows(model: type[Section], said: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(question.ask.label, journey.in_words(question, said[question.name])) for question in questions(model)
            if said.get(question.name) not in (None, "", [])]  # fmt: skip


def _contact_rules(it: Report) -> list[tuple[str, str, bool]]:
    """How this person may be reached: what, the rule, and whether it is a warning."""
    said = it.answers.get("contact", {})
    call, write = said.get("safe_to_call"), said.get("safe_to_write")
    rules = [
        ("Telephone", f"{said.get('phone', 'none given')}{_safety(call, 'call')}", call == "no"),
        ("Email", f"{said.get('email', 'none given')}{_safety(write, 'write')}", write == "no"),
        ("Safe times", said.get("safe_times", ""), True),
        ("Wants to be called", it.call_back_wanted or "", False),
        ("Interpreter", said.get("interpreter", ""), True),
        ("Adjustments", said.get("adjustments", ""), True),
        ("Letters", "" if it.wants_letters else "The person asked for no more letters", True),
    ]
    return [rule for rule in rules if rule[1]]


def _safety(said: str | None, verb: str) -> str:
    return {"no": f" – DO NOT {verb.upper()}: the person said it is not safe", "yes": f" – safe to {verb}"}.get(
        said or "", f" – not asked whether it is safe to {verb}"
    )


def next_attempt_of(it: Report) -> str:
    """When the next attempt is due, in words; no text if none is."""
    tries = [entry for entry in it.entries if entry["what"] == "call_back"]
    due = next_attempt(tries[-1]["result"], read_stamp(tries[-1]["at"]), it.deadline) if tries and it.is_open else None
    return spoken(due) if due else ""


def _thrive(it: Report) -> tuple[str, list[tuple[str, str]]] | None:
    """The last assessment by an officer: who and when, and its letters."""
    entries = [entry for entry in it.entries if entry["what"] == "assessed"]
    if not entries:
        return None
    text = next((words.text for words in it.words if words.version == entries[-1]["version"]), "")
    letters = letters_in(text)
    by = f"{entries[-1]['by_name']}, {spoken(read_stamp(entries[-1]['at']))}"
    return by, [(THRIVE[name], words) for name, words in letters.items()]


def _proposal(it: Report) -> dict[str, str] | None:
    if not it.proposal:
        return None
    entry = it.entries[it.proposal - 1]
    why = next((words.text for words in it.words if words.version == it.proposal), "")
    return {"by": entry["by_name"], "by_id": entry["by"], "reason": REASONS[entry["reason"]], "why": why}


def _hold(it: Report) -> Event | None:
    """What put it under legal hold, if it is."""
    version = held_by_law(it)
    return next((event for event in timeline(it) if event.version == version), None)


def _files(files: Sequence[tuple[File, str]] | None) -> list[tuple[str, str, str]] | None:
    return None if files is None else [(file.id, file_in_words(file), verdict) for file, verdict in files]


def _details(entry: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if "reported_at" in entry:
        yield "Told in live chat at", spoken(read_stamp(entry["reported_at"]))
    if entry["what"] == "triaged":
        yield "Priority", entry["priority"]
        yield "Because", "; ".join(entry["reasons"])
    if "result" in entry:
        yield "Result", RESULTS[entry["result"]]
    if "why" in entry:
        yield "Because", WHY_ERASED[entry["why"]]
    if "to_name" in entry:
        yield "To", entry["to_name"]
    if "with" in entry:
        yield "With", ", ".join(map(show, entry["with"]))
    if "reason" in entry:
        yield "Reason", REASONS[entry["reason"]]
    if "code" in entry:
        yield "Reason", CODES[entry["code"]]
    for name, words in (("crime_number", "Crime number"), ("offence", "Offence"), ("outcome", "Outcome"),
                        ("force", "Force")):  # fmt: skip
        if entry.get(name) is not None:
            yield words, str(entry[name])
    if entry.get("duplicate_of"):
        yield "Original", show(entry["duplicate_of"])
    if entry.get("disposal"):
        yield "Disposal", DISPOSALS[entry["disposal"]].lower()


def _without_renewals(events: Sequence[Event]) -> list[Event]:
    """Newest first; somebody who goes on holding it is one line. The page of the history has them all."""
    older = [*events[1:], None]
    return [event for event, before in zip(events, older, strict=True)
            if not (before and event.what == before.what == _DONE["claimed"] and event.by == before.by)]  # fmt: skip


def _original(it: Report) -> str:
    """The report of which it is a duplicate."""
    named = [entry["duplicate_of"] for entry in it.entries if "duplicate_of" in entry]
    return show(named[-1]) if named and it.not_crimed_reason == "duplicate" else ""


def _linked(it: Report) -> list[tuple[list[str], str]]:
    """The reports with which officers have linked it, and by what."""
    said = {words.version: words.text for words in it.words}
    return [([show(other) for other in entry["with"]], said.get(entry["version"], ""))
            for entry in it.entries if entry["what"] == "linked"]  # fmt: skip


def clock_time(at: datetime) -> str:
    return spoken(at).split(" ")[0]


def _duration(time: timedelta) -> str:
    minutes = int(time.total_seconds() // 60)
    if minutes < 60:
        return f"{minutes} min"
    hours = minutes // 60
    return f"{hours} h {minutes % 60:02} min" if hours < 48 else f"{hours // 24} days"


assert TIME_TO_CRIME > WARNINGS[1] > WARNINGS[0]
