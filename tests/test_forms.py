"""The questions through their public surface: what is accepted, how it is kept, and what is sent elsewhere."""

from datetime import date
from typing import Any, get_args

import pytest

from chalicelib.errors import SentElsewhere
from chalicelib.forms import CATEGORIES, EXAMPLES, TITLES, canonical, read_form
from chalicelib.forms.questions import questions
from chalicelib.report_items import written
from tests.reports import LEAST, TODAY, all_questions, errors, kept, posted, read, with_answer


def test_the_three_categories_come_in_the_forces_order() -> None:
    assert list(CATEGORIES) == list(TITLES) == list(EXAMPLES) == ["burglary", "theft", "criminal_damage"]
    assert list(TITLES.values()) == ["Burglary", "Theft", "Criminal damage"]


@pytest.mark.parametrize("category", CATEGORIES)
def test_questions_come_in_the_order_of_the_page(category: str) -> None:
    names = [question.name for question in questions(CATEGORIES[category])]
    assert names == (
        [
            "emergency",
            "reporter",
            "about",
            "where",
            "when",
            "what_happened",
            "items",
            "suspects",
            "evidence",
            "harm",
            "contact",
            "declaration",
        ]
    )


@pytest.mark.parametrize("category", CATEGORIES)
@pytest.mark.parametrize("today", [date(2019, 3, 1), TODAY, date(2050, 1, 1)])
def test_an_example_is_kept_as_it_is(category: str, today: date) -> None:
    submission = read(EXAMPLES[category], today)
    assert isinstance(submission, CATEGORIES[category])
    assert canonical(submission) == EXAMPLES[category]
    assert 2_000 <= len(written(canonical(submission))) <= 4_000


@pytest.mark.parametrize("category", CATEGORIES)
def test_a_form_and_json_keep_the_same(category: str) -> None:
    by_form = read_form(category, posted(EXAMPLES[category]), TODAY)
    assert canonical(by_form) == canonical(read(EXAMPLES[category]))


@pytest.mark.parametrize("category", CATEGORIES)
def test_an_example_answers_every_section(category: str) -> None:
    assert EXAMPLES[category].keys() >= {question.name for question in questions(CATEGORIES[category])}


def test_the_least_that_is_accepted() -> None:
    assert kept(LEAST) == LEAST


def test_what_is_kept_does_not_depend_on_order_or_blanks() -> None:
    blanks = {"what_happened": "", "where": {"address": "  ", "postcode": ""}, "when": {}, "items": [{}, {"make": ""}]}
    sent = {**dict(reversed(list(LEAST.items()))), **blanks}
    assert canonical(read(sent)) == canonical(read(LEAST))
    assert canonical(read(LEAST)) == LEAST


def test_sections_left_out_can_be_read_as_empty_ones() -> None:
    submission = read(LEAST)
    assert submission.where.postcode is None
    assert submission.harm.hate == []
    assert submission.items == []


@pytest.mark.parametrize(
    ("field", "answer", "expected"),
    [
        ("where.postcode", "b11aa", "B1 1AA"),
        ("where.postcode", " wv1 - 1aa ", "WV1 1AA"),
        ("where.postcode", "EC1A1BB", "EC1A 1BB"),
        ("when.start_time", "9:05", "09:05"),
        ("when.start_time", "21.30", "21:30"),
        ("when.start_date", "2026-11-23", "2026-11-23"),
        ("when.start_date", "2024-02-29", "2024-02-29"),
        ("when.start_date", "1927-01-01", "1927-01-01"),
        ("evidence.cctv_overwritten_on", "2027-11-23", "2027-11-23"),
        ("contact.full_name", "  Zoe\u0308 O’Neill ", "Zoë O’Neill"),
        ("contact.full_name", "李 Ó 🙂", "李 Ó 🙂"),
        ("contact.full_name", "x" * 200, "x" * 200),
        ("contact.full_name", "x" * 198 + "e\u0301", "x" * 198 + "\u00e9"),
        ("contact.email", "o'neill+police@sub.example.co.uk", "o'neill+police@sub.example.co.uk"),
        ("contact.phone", "+44 (0)121 496-0123", "+44 (0)121 496-0123"),
        ("what_happened", " one\r\ntwo\n\n\tthree\rfour\r", "one\ntwo\n\n\tthree\nfour"),
        ("about.force_used", "unknown", "unknown"),
        ("harm.hate", ["other", "race", "race"], ["race", "other"]),
        ("items", [{"value": 0}], [{"value": 0}]),
    ],
)
def test_an_answer_is_kept_in_its_regular_form(field: str, answer: Any, expected: Any) -> None:
    assert kept(with_answer(field, answer)) == kept(with_answer(field, expected)) == with_answer(field, expected)


def test_fifty_items_are_kept_and_no_more() -> None:
    assert len(read(with_answer("items", [{"make": "Make"}] * 50)).items) == 50
    assert errors(with_answer("items", [{"make": "Make"}] * 51)) == [("items", "Enter no more than 50 items")]


@pytest.mark.parametrize(
    ("field", "answer", "where"),
    [
        ("emergency", "yes", "emergency"),
        ("emergency", " yes ", "emergency"),
        ("about.force_used", "yes", "robbery"),
        ("about.kind", "fraud", "fraud"),
        ("about.kind", "lost_property", "lost_property"),
    ],
)
def test_sent_elsewhere_even_if_other_answers_are_wrong(field: str, answer: str, where: str) -> None:
    sent = with_answer(field, answer, {"category": "theft", "contact": 7})
    for refused in (lambda: read(sent), lambda: read_form("theft", posted(sent), TODAY)):
        with pytest.raises(SentElsewhere) as elsewhere:
            refused()
        assert (elsewhere.value.where, elsewhere.value.errors[0].field) == (where, field)
        assert elsewhere.value.detail


def test_an_emergency_comes_before_everything_else() -> None:
    with pytest.raises(SentElsewhere) as elsewhere:
        read({"category": "arson", "emergency": "yes", "about": {"force_used": "yes"}})
    assert elsewhere.value.title == "Call 999 now"


def test_only_a_theft_can_be_robbery() -> None:
    sent = {**LEAST, "category": "burglary", "about": {"kind": "home", "force_used": "yes"}}
    assert errors(sent) == [("about.force_used", "This is not one of our questions")]


@pytest.mark.parametrize("category", CATEGORIES)
def test_the_options_of_a_question_are_the_values_of_its_type(category: str) -> None:
    found = 0
    for model, name in all_questions(CATEGORIES[category]):
        question = next(question for question in questions(model) if question.name == name)
        if question.kind in ("choice", "choices"):
            assert list(question.ask.options) == literals(model.model_fields[name].annotation), name
            found += 1
    assert found > 15


def literals(annotation: Any) -> list[str]:
    """The strings in `Literal`s anywhere inside an annotation, in their order."""
    if isinstance(annotation, str):
        return [annotation]
    return [value for inner in get_args(annotation) for value in literals(inner)]


@pytest.mark.parametrize("category", CATEGORIES)
def test_every_text_has_a_greatest_length_and_every_question_its_words(category: str) -> None:
    for model, name in all_questions(CATEGORIES[category]):
        question = next(question for question in questions(model) if question.name == name)
        assert question.ask.label and question.ask.noun, name
        assert question.ask.noun[0].islower(), name
        if question.kind in ("text", "long_text", "sections", "choices"):
            assert question.max_length, name
