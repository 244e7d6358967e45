"""What an officer does to a report: the form of each thing, and what it will do before it is done."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from chalicelib.call_backs import LARGEST_SHARE
from chalicelib.errors import FieldError
from chalicelib.forms.questions import Section
from chalicelib.offences import find, in_force
from chalicelib.pages.desk import CALLED_BACK, Event, clock_time, next_attempt_of, row, timeline
from chalicelib.pages.desk_place import Place
from chalicelib.pages.fields import Field, fields_of, problems_of
from chalicelib.pages.render import render
from chalicelib.reference import show
from chalicelib.report import Report
from chalicelib.times import local
from chalicelib.triage import assess, suspect_named


@dataclass(frozen=True)
class Ask:
    """A form about a report: its name (the end of its address), its words, and its questions. `home` is the page of the
    desk where reports are chosen for it, if that is not the queue; `warns` are words that must not be overlooked, with
    a red button.
    """

    name: str
    title: str
    button: str
    model: type[Section] | None
    intro: str = ""
    home: str = ""
    warns: str = ""

    def back(self, place: Place) -> str:
        """The address of where reports are chosen for it."""
        return f"{place.address}/{self.home}" if self.home else place.queue

    def button_for(self, reports: int) -> str:
        """The words of its button, which speak of several reports."""
        return self.button.replace("them", "it") if reports == 1 else self.button


class Share(NamedTuple):
    """How many of this month's reports were called back, and as of when, as people read it."""

    called_back: int
    reports: int
    as_of: str


class Colleague(Protocol):
    """Somebody to whom reports can be given."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...


def form(
    place: Place,
    it: Report,
    ask: Ask,
    typed: Mapping[str, Any],
    errors: Sequence[FieldError],
    now: datetime,
    who: str,
    refusal: str = "",
    meanwhile: Sequence[Event] = (),
    colleagues: Sequence[Colleague] = (),
    share: Share | None = None,
    tells: bool = False,
) -> str:
    """The form of one thing that an officer does. `meanwhile` is what has happened since the page was opened, `refusal`
    why it could not be done. What `tells` the person something is shown before it is done.
    """
    fields = [with_colleagues(field, colleagues) for field in _fields(it, ask.model, typed, errors)]
    problems = problems_of(fields, errors) if fields else []
    return render("desk_form.html", place=place, site=place.site, it=it, shown=show(it.reference), ask=ask,
                  fields=fields, problems=problems, refusal=refusal, meanwhile=meanwhile, offences=_offences(ask, now),
                  row=row(it.head, now, who), held_until=clock_time(it.claim.until) if it.claim else "",
                  script=_script(it) if ask.name == "call-back" else None,
                  share=share, largest_share=LARGEST_SHARE, tells=tells)  # fmt: skip


def preview(
    place: Place, it: Report, ask: Ask, sent: Sequence[tuple[str, str]], letter: Mapping[str, str] | None, withheld: str
) -> str:
    """What is about to be decided, with the letter that goes out. `withheld` is why none does."""
    return render("desk_preview.html", place=place, site=place.site, it=it, shown=show(it.reference), ask=ask,
                  sent=[pair for pair in sent if pair[0] not in ("token", "confirmed")], letter=letter,
                  withheld=withheld, deciding=_in_words(it), is_proposal=it.proposal == it.version)  # fmt: skip


def _in_words(it: Report) -> list[tuple[str, str]]:
    """What the last entry says was decided, with the offence by its title."""
    event, crime = timeline(it)[0], it.crime
    offence = find(crime.offence, local(crime.at).date()) if crime else None
    told = [(label, f"{words} {offence.title}" if offence and label == "Offence" else words)
            for label, words in event.details if label != "Crime number"]  # fmt: skip
    return [*told, ("Note", event.words)] if event.words else told


def _fields(it: Report, model: type[Section] | None, typed: Mapping[str, Any],
            errors: Sequence[FieldError]) -> list[Field]:  # fmt: skip
    if not model:
        return []
    named = ("duplicate_of", "force")  # their hints say when they are needed
    fields = [replace(field, marks_optional=field.name not in named) for field in fields_of(model, typed, errors)]
    return [_without_18(field) if suspect_named(it.answers) and field.name == "follows" else field for field in fields]


def with_colleagues(field: Field, colleagues: Sequence[Colleague]) -> Field:
    """The question of whom to give reports, with those who may have them."""
    if field.name != "to":
        return field
    options = {one.id: one.name for one in colleagues}
    ask = replace(field.question.ask, options=options)
    return replace(field, question=replace(field.question, kind="choice", ask=ask, required=True))


def _without_18(field: Field) -> Field:
    """18 is “no suspect identified”: not offered where one is named."""
    options = {value: words for value, words in field.question.ask.options.items() if value != "18"}
    return replace(field, question=replace(field.question, ask=replace(field.question.ask, options=options)))


def _offences(ask: Ask, now: datetime) -> list[tuple[str, str]]:
    """The offence table of today, where the form asks for one."""
    return [(row.code, row.title) for row in in_force(local(now).date())] if ask.name == "crime" else []


def _script(it: Report) -> dict[str, Any]:
    """What to say on the telephone, and what to ask."""
    said = it.answers.get("contact", {})
    return {
        "name": said.get("full_name", ""),
        "interpreter": said.get("interpreter", ""),
        "adjustments": said.get("adjustments", ""),
        "happened": it.answers.get("what_happened", ""),
        "phone": said.get("phone", ""),
        "safe": said.get("safe_to_call") != "no",
        "asked_safe": said.get("safe_to_call") == "yes",
        "times": said.get("safe_times", ""),
        "wanted": it.call_back_wanted or "",
        "missing": assess(it.category, it.answers).missing,
        "attempts": [event for event in timeline(it) if event.what == CALLED_BACK],
        "next": next_attempt_of(it),
    }
