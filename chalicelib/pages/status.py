"""The pages of a report that has been sent: where it stands, what was decided and why, what the person can still do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

from chalicelib.errors import FieldError
from chalicelib.forms.questions import Question, by_name
from chalicelib.forms.status import Addition, WhoAsks, call_back_question
from chalicelib.language import said
from chalicelib.pages import Site
from chalicelib.pages.fields import Problem, fields_named, fields_of, problems_of
from chalicelib.pages.render import render
from chalicelib.report import Report
from chalicelib.times import read_stamp, spoken
from chalicelib.triage import assess


@dataclass(frozen=True)
class Place:
    """Whose report a page is about: its reference as people see it, and the form token that the page's forms carry."""

    site: Site
    reference: str
    token: str
    change: bool = False

    @property
    def address(self) -> str:
        """The address of the report."""
        return f"{self.site.base}/status/{self.reference}"


class Event(NamedTuple):
    """One thing that happened, in words."""

    at: str
    words: str


# What a history entry says to the person. The others are between officers.
_EVENTS = {
    ("received", ""): "We received your report",
    ("told", ""): "You told us about it in the live chat",
    ("claimed", ""): "A Public Contact Officer began to look at it",
    ("call_back", "requested"): "We found that we need to ask you a few things",
    ("call_back", "no_answer"): "We tried to call you",
    ("call_back", "left_message"): "We left you a message",
    ("call_back", "reached"): "We spoke to you",
    ("crimed", ""): "We recorded it as a crime",
    ("not_crimed", ""): "We decided not to record a crime",
    ("disposed", "further_investigation"): "We decided to investigate further",
    ("disposed", "filed"): "We filed and closed it",
    ("cancelled", ""): "We cancelled the crime record",
    ("added", ""): "You added information",
    ("call_back_time", ""): "You chose a time for a call",
    ("letters_stopped", ""): "You asked us to send no more letters",
    ("letters_resumed", ""): "You asked us to send letters again",
}


def ask(site: Site, typed: Mapping[str, str], errors: Sequence[FieldError]) -> str:
    """`/status`: the questions that show us who asks, with what was typed and what is wrong with it."""
    fields = fields_of(WhoAsks, typed, errors)
    return render("status.html", site=site, fields=fields, problems=problems_of(fields, errors))


def standing(place: Place, report: Report, now: datetime, may_be_called: bool, done: str) -> str:
    """Where a report stands `now`. `done` is what the person has just done."""
    crime, contact = report.crime, report.answers.get("contact", {})
    return render(
        "standing.html",
        place=place,
        site=place.site,
        report=report,
        status=str(report.status),
        received=spoken(report.received_at),
        deadline=spoken(report.deadline),
        late=report.is_late(now),
        may_get_letters=bool(contact.get("email")) and contact.get("safe_to_write") != "no",
        is_victim=report.answers.get("reporter") != "witness",
        crime_number=crime.number if crime else "",
        cancelled=crime.cancelled if crime else None,
        disposal=crime.disposal if crime else None,
        reason=report.not_crimed_reason,
        other_force=_other_force(report),
        missing=[said(thing) for thing in assess(report.category, report.answers).missing],
        events=timeline(report),
        may_be_called=may_be_called,
        done=done,
    )


def timeline(report: Report) -> list[Event]:
    """What has happened to it, oldest first. That officers took it up is told once."""
    events: list[Event] = []
    for entry in _as_it_happened(report):
        words = _EVENTS.get((entry["what"], entry.get("result") or "")) or _EVENTS.get(
            (entry["what"], entry.get("disposal") or "")
        )
        if words and (entry["what"] != "claimed" or said(words) not in [event.words for event in events]):
            events.append(Event(spoken(read_stamp(entry["at"])), said(words)))
    return events


def _as_it_happened(report: Report) -> list[dict[str, Any]]:
    """The entries, after one for what was told in the live chat before the report was made of it."""
    entries = report.entries
    told = [{"what": "told", "at": entry["reported_at"]} for entry in entries[:1] if "reported_at" in entry]
    return [*told, *entries]


def add(place: Place, typed: Mapping[str, Any], errors: Sequence[FieldError]) -> str:
    """What else do you want to tell us?"""
    return _questions(place, "add", by_name(Addition), typed, errors)


def call_back(place: Place, offered: dict[str, str], report: Report, typed: Mapping[str, Any],
              errors: Sequence[FieldError]) -> str:  # fmt: skip
    """When may we call you?"""
    return _questions(place, "call-back", {"time": call_back_question(offered)}, typed, errors,
                      deadline=spoken(report.deadline), chosen=report.call_back_wanted)  # fmt: skip


def letters(place: Place, wanted: bool, errors: Sequence[FieldError]) -> str:
    """Stop the letters, or have them again."""
    problems = [Problem(said(error.message), "#send") for error in errors]
    return render("letters.html", place=place, site=place.site, wanted=wanted, problems=problems)


def refused(place: Place, why: str, text: str) -> str:
    """It cannot be done as things stand; what was typed is shown."""
    return render("status_refused.html", place=place, site=place.site, why=said(why), text=text)


def hour_is_over(site: Site, text: str) -> str:
    """The page had been open for more than an hour: what was typed is shown, and nothing of the report."""
    return render("hour_is_over.html", site=site, text=text)


def _questions(place: Place, name: str, questions: Mapping[str, Question], typed: Mapping[str, Any],
               errors: Sequence[FieldError], **more: Any) -> str:  # fmt: skip
    fields = [replace(field, is_heading=False) for field in fields_named(questions, typed, errors)]
    return render("status_step.html", place=place, site=place.site, name=name, fields=fields,
                  problems=problems_of(fields, errors), **more)  # fmt: skip


def _other_force(report: Report) -> str:
    return next((str(entry["force"]) for entry in reversed(report.entries) if "force" in entry), "")
