"""The schema of the questions: a document that others can rely on, as strict as the validation where it can be."""

import json
from datetime import date
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from chalicelib.errors import InvalidAnswers
from chalicelib.forms import CATEGORIES, EXAMPLES, read_json, schema
from chalicelib.forms.questions import questions
from tests.reports import LEAST, all_questions, with_answer, without

BODY, COMPONENTS = schema()
VALIDATOR = Draft202012Validator(
    {**BODY, "components": {"schemas": COMPONENTS}}, format_checker=Draft202012Validator.FORMAT_CHECKER
)


def test_it_makes_a_valid_openapi_document() -> None:
    content = {"application/json": {"schema": BODY, "examples": {key: {"value": EXAMPLES[key]} for key in EXAMPLES}}}
    answers = {"201": {"description": "Received"}}
    validate(
        {
            "openapi": "3.1.0",
            "info": {"title": "Reports", "version": "1"},
            "paths": {"/reports": {"post": {"requestBody": {"content": content}, "responses": answers}}},
            "components": {"schemas": COMPONENTS},
        }
    )


def test_the_category_discriminates() -> None:
    assert list(BODY["discriminator"]["mapping"]) == list(CATEGORIES)
    for category, reference in BODY["discriminator"]["mapping"].items():
        name = reference.removeprefix("#/components/schemas/")
        assert COMPONENTS[name]["properties"]["category"]["const"] == category
        assert {"$ref": reference} in BODY["oneOf"]


@pytest.mark.parametrize("category", CATEGORIES)
def test_the_examples_fit(category: str) -> None:
    VALIDATOR.validate(EXAMPLES[category])


@pytest.mark.parametrize(
    ("field", "answer"),
    [
        ("contact.full_name", "Ann"),
        ("contact.full_name", " "),
        ("contact.full_name", ""),
        ("contact.full_name", None),
        ("contact.full_name", 7),
        ("contact.full_name", "x" * 201),
        ("contact.full_name", "Ann\x00"),
        ("contact.full_name", "Ann\x1c"),
        ("contact.full_name", "Ann\ufffd"),
        ("contact.full_name", "Ann\nExample"),
        ("contact.full_name", "\u202eAnn"),
        ("contact.email", "ann"),
        ("contact.email", ""),
        ("contact.email", "ann@example.com"),
        ("contact.email", "ann@example"),
        ("contact.phone", ""),
        ("contact.phone", "--------"),
        ("contact.phone", "0121 496 0123"),
        ("contact.safe_times", "\x1c"),
        ("contact.safe_times", "\nx"),
        ("where.postcode", ""),
        ("where.postcode", "B11AA"),
        ("where.postcode", "nowhere"),
        ("where.in_force_area", ""),
        ("where.in_force_area", None),
        ("where.in_force_area", True),
        ("where.colour", "red"),
        ("where", "here"),
        ("where", None),
        ("where", {}),
        ("when.start_date", ""),
        ("when.start_date", "2019-02-31"),
        ("when.start_date", 20190131),
        ("when.start_time", "9:30"),
        ("when.start_time", "24:30"),
        ("when.start_time", ""),
        ("what_happened", "one\r\n\ttwo"),
        ("what_happened", "one\x0btwo"),
        ("items", []),
        ("items", [{}]),
        ("items", [{"value": 12}, {"value": ""}]),
        ("items", [{"value": "12"}]),
        ("items", [{"value": -1}]),
        ("items", [{"value": None}]),
        ("items", [7]),
        ("items", [{}] * 51),
        ("harm.hate", ["race"]),
        ("harm.hate", "race"),
        ("harm.hate", ["hair"]),
        ("harm.hate", ""),
        ("emergency", "unknown"),
        ("emergency", ""),
        ("declaration", "no"),
        ("about", {}),
        ("about.kind", ""),
        ("about.attached", "yes"),
        ("colour", "red"),
        ("category", "arson"),
    ],
)
def test_schema_and_validation_agree(field: str, answer: Any) -> None:
    sent = with_answer(field, answer)
    assert VALIDATOR.is_valid(sent) == accepted(sent)


@pytest.mark.parametrize(
    "field", ["category", "emergency", "reporter", "about", "about.kind", "contact", "contact.email"]
)
def test_schema_and_validation_agree_on_what_is_needed(field: str) -> None:
    assert VALIDATOR.is_valid(LEAST)
    assert not VALIDATOR.is_valid(without(field))
    assert not accepted(without(field))


def accepted(sent: dict[str, Any]) -> bool:
    try:
        read_json(json.dumps(sent), date(2026, 11, 23))
    except InvalidAnswers:
        return False
    return True


@pytest.mark.parametrize("category", CATEGORIES)
def test_the_words_of_the_questions_are_in_it(category: str) -> None:
    for model, name in all_questions(CATEGORIES[category]):
        question = next(question for question in questions(model) if question.name == name)
        described = COMPONENTS[model.__name__]["properties"][name]
        assert described["title"] == question.ask.label
        assert described.get("description", "") == question.ask.hint


def test_patterns_are_read_alike_by_all_engines() -> None:
    found = json.dumps(COMPONENTS).split('"pattern"')
    assert len(found) > 10
    assert not [text for text in found[1:] if "(?" in text.split('"')[1]]
