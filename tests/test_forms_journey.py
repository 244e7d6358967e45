"""The way through the questions: which page asks what, what the answers call for, what a page may change."""

import json
from contextlib import suppress
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from chalicelib.errors import InvalidAnswers, SentElsewhere
from chalicelib.forms import CATEGORIES, EXAMPLES, canonical, journey, read_json
from chalicelib.forms.journey import CHECK, ITEMS, STEPS, Step
from chalicelib.forms.questions import questions

TODAY = date(2026, 11, 24)
BEGUN = {"emergency": "no", "reporter": "victim"}


def step(category: str, name: str) -> Step:
    found = journey.find(category, name)
    assert found
    return found


def read(category: str, name: str, kept: dict[str, Any], *pairs: tuple[str, str]) -> dict[str, Any]:
    return journey.read_step(category, step(category, name), kept, pairs, TODAY)


def refused(category: str, name: str, kept: dict[str, Any], *pairs: tuple[str, str]) -> dict[str, str]:
    with pytest.raises(InvalidAnswers) as refusal:
        read(category, name, kept, *pairs)
    return dict(refusal.value.errors)


def leaves(model: type[BaseModel], prefix: str = "") -> list[str]:
    """The dotted names of all questions; the items are one."""
    names = []
    for question in questions(model):
        inside = question.model if question.kind == "section" else None
        names += leaves(inside, f"{prefix}{question.name}.") if inside else [prefix + question.name]
    return names


def names_of(category: str, answers: dict[str, Any]) -> list[str]:
    return [each.name for each in journey.steps(category, answers)]


@pytest.mark.parametrize("category", CATEGORIES)
def test_every_question_is_asked_on_one_page(category: str) -> None:
    asked = [name for each in STEPS[category] for name in each.asks]
    assert sorted(asked) == sorted(leaves(CATEGORIES[category]))


@pytest.mark.parametrize("category", CATEGORIES)
def test_pages_have_names_and_titles_of_their_own(category: str) -> None:
    steps = STEPS[category]
    assert len({each.name for each in steps}) == len({each.title for each in steps}) == len(steps)
    assert not {"save", "erase", "items/x"} & {each.name for each in steps}


@pytest.mark.parametrize("category", CATEGORIES)
def test_an_example_taken_page_by_page_is_the_same_report(category: str) -> None:
    """Each page gets what a browser would send for the example's answers; together they make the same submission."""
    example = EXAMPLES[category]
    kept: dict[str, Any] = {}
    for each in STEPS[category]:
        if each not in (ITEMS, CHECK) and journey.asked(category, each, kept):
            kept = journey.read_step(category, each, kept, browser_pairs(category, each, example), TODAY)
    kept["items"] = example.get("items", [])
    expected = canonical(read_json(json.dumps(example), TODAY))
    assert canonical(journey.read_all(category, kept, "yes", TODAY)) == journey.called_for(category, expected) | {
        "category": category
    }


def browser_pairs(category: str, each: Step, answers: dict[str, Any]) -> list[tuple[str, str]]:
    shown = journey.typed(category, each.asks, answers)
    return list(flat(shown))


def flat(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from flat(inner, f"{name}.{key}" if name else key)
    elif isinstance(value, list):
        yield from ((name, each) for each in value)
    else:
        yield name, value


def test_the_first_page_has_to_be_answered() -> None:
    errors = refused("theft", "before", {})
    assert errors == {
        "emergency": "Select yes if it is happening now, the offender is nearby, or anyone is hurt or in danger",
        "reporter": "Select who you are",
    }


@pytest.mark.parametrize(
    ("category", "page", "kept", "answer", "where"),
    [
        ("burglary", "before", {}, ("emergency", "yes"), "emergency"),
        ("theft", "taken", BEGUN, ("about.kind", "fraud"), "fraud"),
        ("theft", "taken", BEGUN, ("about.kind", "lost_property"), "lost_property"),
        ("theft", "theft", {**BEGUN, "about": {"kind": "other"}}, ("about.force_used", "yes"), "robbery"),
        ("theft", "theft", {**BEGUN, "about": {"kind": "other"}}, ("harm.weapon", "yes"), "robbery"),
    ],
)
def test_what_belongs_elsewhere_is_said_on_the_page_that_asks(
    category: str, page: str, kept: dict[str, Any], answer: tuple[str, str], where: str
) -> None:
    with pytest.raises(SentElsewhere) as refusal:
        read(category, page, kept, answer)
    assert refusal.value.where == where


def test_a_page_changes_its_own_answers_only() -> None:
    kept = {**BEGUN, "what_happened": "It was gone.", "where": {"address": "1 Example Street"}}
    after = read("theft", "happened", kept, ("where.postcode", "b11aa"), ("about.kind", "fraud"), ("nonsense", "x"))
    assert after == {**BEGUN, "where": {"postcode": "B1 1AA"}}
    assert kept["where"] == {"address": "1 Example Street"}  # what was handed in is not touched


def test_messages_are_about_the_page_alone() -> None:
    """Nothing else is answered yet, and none of that is complained of."""
    assert refused("burglary", "times", BEGUN, ("when.start_date.day", "31"), ("when.start_date.month", "2"),
                   ("when.start_date.year", "2026")) == {
        "when.start_date": "The date it happened must be a real date, like 31 1 2019"
    }  # fmt: skip


def test_a_rule_between_two_pages_holds() -> None:
    kept = read("burglary", "you", BEGUN, ("contact.full_name", "Sam Carter"), ("contact.email", "sam@example.com"))
    after = read("burglary", "contact", kept, ("contact.safe_to_write", "no"))
    assert after["contact"] == {"full_name": "Sam Carter", "email": "sam@example.com", "safe_to_write": "no"}


def test_an_email_address_or_a_telephone_number_is_needed() -> None:
    errors = refused("burglary", "you", BEGUN, ("contact.full_name", "Sam Carter"))
    assert errors == {"contact.email": "Enter an email address or a telephone number"}


CALLED_FOR = [
    ("burglary", {"when": {"precision": "unknown"}}, set(), {"times"}),
    ("burglary", {"suspects": {"known": "yes"}}, {"suspect"}, set()),
    ("burglary", {"suspects": {"known": "no"}}, set(), {"suspect"}),
    ("burglary", {"evidence": {"cctv": "yes"}}, {"evidence-details"}, set()),
    ("burglary", {}, {"times", "items"}, {"evidence-details", "suspect", "people-details", "contact-by-phone"}),
    ("burglary", {"about": {"entered": "no"}}, {"way-in"}, {"items"}),
    ("theft", {"about": {"kind": "vehicle_interference"}}, set(), {"items"}),
    ("theft", {"harm": {"injury": "yes"}}, {"people-details"}, set()),
    ("criminal_damage", {"harm": {"weapon": "yes"}}, {"people-details"}, set()),
]


@pytest.mark.parametrize(("category", "answers", "there", "not_there"), CALLED_FOR)
def test_pages_are_those_that_the_answers_call_for(
    category: str, answers: dict[str, Any], there: set[str], not_there: set[str]
) -> None:
    names = set(names_of(category, {**BEGUN, **answers}))
    assert there <= names
    assert not not_there & names


QUESTIONS = [
    ("theft", "theft", "about.vehicle_registration", {"about": {"kind": "of_vehicle"}}, {"about": {"kind": "mail"}}),
    ("theft", "theft", "about.keys_taken", {"about": {"kind": "from_home"}}, {"about": {"kind": "electricity"}}),
    ("burglary", "burglary", "about.attached", {"about": {"kind": "garage_or_shed"}}, {"about": {"kind": "home"}}),
    ("burglary", "way-in", "about.keys_taken", {"about": {"entered": "yes"}}, {"about": {"entered": "no"}}),
    ("criminal_damage", "damage", "about.vehicle_registration", {"about": {"kind": "vehicle"}}, {}),
    ("criminal_damage", "fire", "about.people_inside", {"about": {"kind": "home"}}, {"about": {"kind": "other"}}),
    ("burglary", "times", "when.end_date", {"when": {"precision": "between"}}, {"when": {"precision": "exact"}}),
    ("burglary", "people", "harm.under_18", {"reporter": "victim"}, {"reporter": "business"}),
    ("burglary", "contact", "contact.safe_to_call", {"contact": {"phone": "0121 496 0123"}}, {"contact": {}}),
    ("burglary", "contact", "contact.safe_to_write", {"contact": {"email": "sam@example.com"}}, {"contact": {}}),
]


@pytest.mark.parametrize(("category", "page", "question", "when", "when_not"), QUESTIONS)
def test_questions_are_those_that_the_answers_call_for(
    category: str, page: str, question: str, when: dict[str, Any], when_not: dict[str, Any]
) -> None:
    assert question in journey.asked(category, step(category, page), when)
    assert question not in journey.asked(category, step(category, page), when_not)


def test_whoever_changes_their_mind_twice_has_lost_nothing() -> None:
    kept = read("theft", "suspects", BEGUN, ("suspects.known", "yes"))
    kept = read("theft", "suspect", kept, ("suspects.names", "Alex"))
    kept = read("theft", "suspects", kept, ("suspects.known", "no"))
    assert journey.called_for("theft", kept)["suspects"] == {"known": "no"}
    kept = read("theft", "suspects", kept, ("suspects.known", "yes"))
    assert journey.called_for("theft", kept)["suspects"] == {"known": "yes", "names": "Alex"}


def test_what_is_not_called_for_any_more_is_not_sent() -> None:
    said = {**EXAMPLES["theft"], "suspects": {"known": "no", "names": "Alex"}}
    sent = canonical(journey.read_all("theft", said, "yes", TODAY))
    assert "names" not in sent["suspects"]


def test_the_declaration_has_to_be_given() -> None:
    with pytest.raises(InvalidAnswers) as refusal:
        journey.read_all("theft", EXAMPLES["theft"], "", TODAY)
    assert [error.field for error in refusal.value.errors] == ["declaration"]


@pytest.mark.parametrize(
    ("answers", "page"),
    [
        ({}, "before"),
        (BEGUN, "building"),
        ({**BEGUN, "about": {"kind": "home"}}, "you"),
        ({**BEGUN, "about": {"kind": "home"}, "contact": {"full_name": "Sam Carter"}}, "you"),
        ({**BEGUN, "about": {"kind": "home"}, "contact": {"full_name": "Sam Carter", "phone": "0121"}}, None),
    ],
)
def test_the_first_page_that_still_needs_an_answer(answers: dict[str, Any], page: str | None) -> None:
    found = journey.unanswered("burglary", answers)
    assert (found.name if found else None) == page


@pytest.mark.parametrize(
    ("field", "page"),
    [
        ("items.0.value", "items"),
        ("when.start_date.day", "times"),
        ("what_happened", "happened"),
        ("nonsense", "check"),
    ],
)
def test_a_message_leads_to_the_page_that_asks(field: str, page: str) -> None:
    assert journey.step_of("theft", field).name == page


def test_an_item_is_something() -> None:
    assert journey.read_item([("type", " Laptop "), ("value", "£1,200")]) == {"type": "Laptop", "value": 1200}
    for pairs in ([], [("make", "  ")]):
        with pytest.raises(InvalidAnswers) as refusal:
            journey.read_item(pairs)
        assert dict(refusal.value.errors) == {"type": "Enter what the item is"}


def test_an_item_that_does_not_fit_is_told_by_field() -> None:
    with pytest.raises(InvalidAnswers) as refusal:
        journey.read_item([("type", "Laptop"), ("value", "much")])
    assert dict(refusal.value.errors) == {"value": "The value must be a whole number, like 1200"}


@pytest.mark.parametrize("typed", ["", "sam", "sam@", "sam@example", "a b@example.com", "x" * 300 + "@example.com"])
def test_a_link_goes_to_an_email_address(typed: str) -> None:
    with pytest.raises(InvalidAnswers) as refusal:
        journey.read_email(typed)
    assert [error.field for error in refusal.value.errors] == ["email"]
    assert journey.read_email(" sam@example.com ") == "sam@example.com"


@pytest.mark.parametrize("category", CATEGORIES)
def test_answers_are_read_back_in_words(category: str) -> None:
    answers = {**EXAMPLES[category], "hate": []}
    for each in STEPS[category]:
        for name in each.asks:
            if name != "items":
                words = journey.in_words(journey.question(category, name), journey.answer_to(answers, name))
                assert bool(words) == bool(journey.answer_to(answers, name))
    assert journey.in_words(journey.question(category, "when.start_date"), "2026-03-01") == "1 March 2026"


@given(st.lists(st.tuples(st.text(max_size=30), st.text(max_size=30)), max_size=8), st.sampled_from(list(CATEGORIES)))
def test_no_page_fails_on_anything_that_is_posted(pairs: list[tuple[str, str]], category: str) -> None:
    for each in STEPS[category]:
        if each == ITEMS:
            continue
        with suppress(InvalidAnswers, SentElsewhere):
            journey.read_step(category, each, BEGUN, [*pairs, *((name, "x") for name in each.asks)], TODAY)
