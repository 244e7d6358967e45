"""The way through the questions: which page asks what, and which questions the answers so far call for.

Answers are nested as the questions are, in the form in which JSON carries them. Pure: no clock, no AWS.
"""

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from pydantic import ValidationError

from chalicelib.errors import FieldError, InvalidAnswers
from chalicelib.forms import pairs as form
from chalicelib.forms.categories import CATEGORIES, Submission
from chalicelib.forms.contact import Contact
from chalicelib.forms.messages import field_errors
from chalicelib.forms.questions import Question, by_name
from chalicelib.forms.reading import canonical, read
from chalicelib.forms.sections import Item
from chalicelib.language import said

Answers = Mapping[str, Any]
Condition = Callable[[Answers], bool]
MOST_ITEMS = 50


@dataclass(frozen=True)
class Step:
    """One page: the last part of its address, its title, the questions that it may ask by their dotted names."""

    name: str
    title: str
    asks: tuple[str, ...] = ()


def _said(name: str, *values: str) -> Condition:
    wanted = values or ("yes",)
    return lambda answers: answer_to(answers, name) in wanted


def _not_said(name: str, *values: str) -> Condition:
    return lambda answers: answer_to(answers, name) not in values


def _any(*conditions: Condition) -> Condition:
    return lambda answers: any(condition(answers) for condition in conditions)


_BEFORE = Step("before", "Before you start", ("emergency", "reporter"))
_HAPPENED = Step(
    "happened",
    "What happened and where",
    ("what_happened", "where.address", "where.postcode", "where.in_force_area"),
)
_WHEN = Step("when", "When it happened", ("when.precision",))
_TIMES = Step("times", "Date and time", ("when.start_date", "when.start_time", "when.end_date", "when.end_time"))
_PEOPLE = ("harm.injury", "harm.weapon", "harm.safety_fears", "harm.vulnerable", "harm.under_18")
ITEMS = Step("items", "What was taken or damaged", ("items",))
FILES = Step("files", "Photos, video and documents")
CHECK = Step("check", "Check your answers", ("declaration",))

_ABOUT = {
    "burglary": (
        Step("building", "The building", ("about.kind",)),
        Step("burglary", "About the burglary", ("about.attached", "about.entered", "about.occupied", "about.alarm")),
        Step("way-in", "How they got in, or tried to", ("about.entry_point", "about.entry_method", "about.keys_taken")),
    ),
    "theft": (
        Step("taken", "The kind of theft", ("about.kind",)),
        Step(
            "theft",
            "About the theft",
            ("about.force_used", "harm.weapon", "about.vehicle_registration", "about.keys_taken"),
        ),
    ),
    "criminal_damage": (
        Step("damaged", "What was damaged", ("about.kind",)),
        Step("damage", "About the damage", ("about.item", "about.how", "about.vehicle_registration", "about.cost")),
        Step("fire", "Fire", ("about.fire", "about.people_inside")),
    ),
}
_SUSPECTS = Step("suspects", "Who did it", ("suspects.known", "suspects.description"))
_SUSPECT = Step("suspect", "Who you think it was", ("suspects.names", "suspects.relationship"))
_EVIDENCE = Step("evidence", "Witnesses and evidence", ("evidence.witnesses", "evidence.cctv", "evidence.forensic"))
_DETAILS = Step(
    "evidence-details",
    "More about the evidence",
    ("evidence.witness_details", "evidence.cctv_holder", "evidence.cctv_overwritten_on", "evidence.forensic_details"),
)
_HARM_DETAILS = Step("people-details", "More about the people affected", ("harm.details",))
_WHY = Step("why", "Why it happened", ("harm.hate",))
_YOU = Step("you", "Your contact details", ("contact.full_name", "contact.email", "contact.phone"))
_CONTACT = Step(
    "contact",
    "How we can reach you safely",
    ("contact.safe_to_write", "contact.safe_to_call", "contact.safe_times", "contact.interpreter",
     "contact.adjustments"),
)  # fmt: skip


def _all_steps(category: str) -> tuple[Step, ...]:
    """The kind comes before the story: nobody should write at length and then learn that this form is not for it."""
    kind, *about = _ABOUT[category]
    elsewhere = {name for step in about for name in step.asks}  # a theft with a weapon is robbery: asked early
    people = Step("people", "People affected", tuple(name for name in _PEOPLE if name not in elsewhere))
    return (_BEFORE, kind, _HAPPENED, _WHEN, _TIMES, *about, ITEMS, _SUSPECTS, _SUSPECT, _EVIDENCE, _DETAILS, FILES,
            people, _HARM_DETAILS, _WHY, _YOU, _CONTACT, CHECK)  # fmt: skip


STEPS: Mapping[str, tuple[Step, ...]] = {category: _all_steps(category) for category in CATEGORIES}
"""All pages of each category, in their order."""

_PERSON = _not_said("reporter", "business")
_CALLED_FOR: Mapping[str, Condition] = {
    "when.start_date": _not_said("when.precision", "unknown"),
    "when.start_time": _not_said("when.precision", "unknown"),
    "when.end_date": _said("when.precision", "between"),
    "when.end_time": _said("when.precision", "between"),
    "suspects.names": _said("suspects.known"),
    "suspects.relationship": _said("suspects.known"),
    "evidence.witness_details": _said("evidence.witnesses"),
    "evidence.cctv_holder": _said("evidence.cctv"),
    "evidence.cctv_overwritten_on": _said("evidence.cctv"),
    "evidence.forensic_details": _said("evidence.forensic"),
    "harm.vulnerable": _PERSON,
    "harm.under_18": _PERSON,
    "harm.details": _any(*(_said(name) for name in _PEOPLE)),
    "contact.safe_to_write": lambda answers: bool(answer_to(answers, "contact.email")),
    "contact.safe_to_call": lambda answers: bool(answer_to(answers, "contact.phone")),
    "contact.safe_times": lambda answers: bool(answer_to(answers, "contact.phone")),
}
_CALLED_FOR_IN: Mapping[str, Mapping[str, Condition]] = {
    "burglary": {
        "about.attached": _said("about.kind", "garage_or_shed", "business", "other", "unknown"),
        "about.keys_taken": _not_said("about.entered", "no"),
        "items": _not_said("about.entered", "no"),
    },
    "theft": {
        "about.vehicle_registration": _said("about.kind", "from_vehicle", "of_vehicle", "vehicle_interference"),
        "about.keys_taken": _said("about.kind", "from_person", "from_vehicle", "of_vehicle", "from_home", "other"),
        "items": _not_said("about.kind", "vehicle_interference", "electricity"),
    },
    "criminal_damage": {
        "about.vehicle_registration": _said("about.kind", "vehicle"),
        "about.people_inside": _said("about.kind", "home", "other_building", "vehicle"),
    },
}
"""When a question is asked. Those that are not here always are."""

# What stands for the sections that a page does not ask about, while its own are validated.
_ELSEWHERE: Answers = {
    "emergency": "no",
    "reporter": "victim",
    "about": {"kind": "other"},
    "contact": {"full_name": "-", "email": "somebody@example.com"},
    "declaration": "yes",
}


def answer_to(answers: Answers, name: str) -> Any:
    """The answer to the question of that dotted name; None if there is none."""
    found: Any = answers
    for part in name.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


@cache
def question(category: str, name: str) -> Question:
    """The question of that dotted name."""
    section, _, rest = name.partition(".")
    found = by_name(CATEGORIES[category])[section]
    return by_name(found.model)[rest] if rest and found.model else found


def asked(category: str, step: Step, answers: Answers) -> list[str]:
    """Which of its questions a page asks, by the answers so far."""
    conditions = {**_CALLED_FOR, **_CALLED_FOR_IN[category]}
    return [name for name in step.asks if name not in conditions or conditions[name](answers)]


def steps(category: str, answers: Answers) -> list[Step]:
    """The pages that the answers so far call for, in order."""
    return [step for step in STEPS[category] if step == FILES or asked(category, step, answers)]


def newly_asked(category: str, before: Answers, after: Answers) -> set[str]:
    """The names of the pages that ask a question after a change that they did not ask before."""
    return {step.name for step in STEPS[category]
            if set(asked(category, step, after)) - set(asked(category, step, before))}  # fmt: skip


def order(category: str, step: Step) -> int:
    """The place of a page on the way."""
    return STEPS[category].index(step)


def find(category: str, name: str) -> Step | None:
    """The page of that name."""
    return next((step for step in STEPS[category] if step.name == name), None)


def unanswered(category: str, answers: Answers) -> Step | None:
    """The first page with a question that has to be answered and is not; None when all is there but the declaration."""
    for step in steps(category, answers):
        if step != CHECK and any(_lacks(category, name, answers) for name in asked(category, step, answers)):
            return step
    return None


def _lacks(category: str, name: str, answers: Answers) -> bool:
    if name == "contact.phone":  # one of the two has to be there
        return not (answer_to(answers, "contact.email") or answer_to(answers, "contact.phone"))
    return question(category, name).required and answer_to(answers, name) in (None, "")


def read_step(
    category: str, step: Step, kept: Answers, pairs: form.Pairs, today: date, on_page: Sequence[str] = ()
) -> dict[str, Any]:
    """The answers with what a page says in `pairs`. Raises SentElsewhere, or InvalidAnswers about this page alone.

    What is not asked any more stays: whoever changes their mind twice has lost nothing. `on_page` are the questions
    that stood on it, if that is known: an older page says nothing of a question that has been called for since.
    """
    stood = set(on_page) & set(step.asks)
    names = [name for name in asked(category, step, kept) if not stood or name in stood]
    typed = form.answers([pair for pair in pairs if _belongs(pair[0], names)], CATEGORIES[category])
    merged = deepcopy(dict(kept))
    for name in names:
        _put(merged, name, answer_to(typed, name))
    said = called_for(category, merged)
    own = {section: said.get(section, _blank(category, section)) for section in {name.split(".")[0] for name in names}}
    valid = canonical(read({**_ELSEWHERE, **own, "category": category}, today))
    for name in names:
        _put(merged, name, answer_to(valid, name))
    return merged


def read_email(typed: str) -> str:
    """An email address for a return link. Raises InvalidAnswers."""
    try:
        email = Contact.model_validate({"full_name": "-", "phone": "0121 496 0123", "email": typed}).email
    except ValidationError as error:
        raise InvalidAnswers(errors=field_errors(Contact, error)) from None
    if not email:
        raise InvalidAnswers(errors=[FieldError("email", "Enter your email address")])
    return email


def read_item(pairs: form.Pairs) -> dict[str, Any]:
    """One item. Raises InvalidAnswers."""
    typed = form.answers(pairs, Item)
    try:
        item = Item.model_validate(typed)
    except ValidationError as error:
        errors = field_errors(Item, error)
    else:
        if said := item.model_dump(mode="json", exclude_none=True):
            return said
        errors = [FieldError("type", "Enter what the item is")]
    raise InvalidAnswers(errors=errors)


def read_all(category: str, answers: Answers, declaration: str, today: date) -> Submission:
    """The submission that all pages together make. Raises SentElsewhere or InvalidAnswers."""
    said = called_for(category, {**answers, "declaration": declaration})
    return read({**said, "category": category}, today)


def called_for(category: str, answers: Answers) -> dict[str, Any]:
    """The answers without those to questions that the others do not call for."""
    said: dict[str, Any] = {}
    for step in STEPS[category]:
        for name in asked(category, step, answers):
            _put(said, name, answer_to(answers, name))
    return said


def typed(category: str, names: Sequence[str], answers: Answers) -> dict[str, Any]:
    """The answers to these questions as a form shows them: a date in its boxes, numbers as text."""
    shown: dict[str, Any] = {}
    for name in names:
        _put(shown, name, _shown(question(category, name), answer_to(answers, name)))
    return shown


def typed_item(item: Answers) -> dict[str, Any]:
    """The same of one item."""
    return {name: str(answer) for name, answer in item.items()}


def step_of(category: str, field: str) -> Step:
    """The page that asks for the field of a message, such as `items.0.value`; the last page for one that none asks."""
    return next((step for step in STEPS[category] if any(_belongs(field, [name]) for name in step.asks)), CHECK)


def in_words(asks: Question, answer: Any) -> str:
    """An answer as a person reads it back; no text for none."""
    if answer in (None, "", []):
        return ""
    if asks.kind == "choices":
        return ", ".join(said(asks.ask.options[one]) for one in answer)
    if asks.kind == "date":
        day = date.fromisoformat(answer)
        return f"{day.day} {said(f'{day:%B}')} {day.year}"
    words = asks.ask.options.get(str(answer))
    return said(words) if words else str(answer)


def _belongs(field: str, names: Sequence[str]) -> bool:
    return any(field == name or field.startswith(f"{name}.") for name in names)


def _blank(category: str, section: str) -> Any:
    """What was asked about and left blank: no answer stands for it, so that what must be answered is missed."""
    return {} if question(category, section).kind == "section" else ""


def _put(answers: dict[str, Any], name: str, answer: Any) -> None:
    *sections, last = name.split(".")
    for section in sections:
        if answer is None and section not in answers:
            return
        answers = answers.setdefault(section, {})
    if answer is None:
        answers.pop(last, None)
    else:
        answers[last] = answer


def _shown(asks: Question, answer: Any) -> Any:
    if answer is None or asks.kind == "choices":
        return answer
    if asks.kind == "date":
        year, month, day = str(answer).split("-")
        return {"day": str(int(day)), "month": str(int(month)), "year": year}
    return str(answer)
