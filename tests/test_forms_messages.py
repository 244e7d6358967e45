"""What is said about answers that do not fit."""

import json
import time
from datetime import date, timedelta
from typing import Any

import pytest

from chalicelib.errors import InvalidAnswers, Unreadable
from chalicelib.forms import read_json
from tests.reports import (
    LEAST,
    TODAY,
    errors,
    kept,
    read,
    with_answer,
    without,
)

NOT_PRINTABLE = "must not include characters that cannot be printed"
REAL_DATE = "must be a real date, like 2019-01-31"


@pytest.mark.parametrize(
    ("field", "answer", "message"),
    [
        ("emergency", "", "Select yes if it is happening now, the offender is nearby, or anyone is hurt or in danger"),
        ("declaration", "", "Confirm that what you have told us is true as far as you know"),
        ("contact.full_name", "   ", "Enter your full name"),
        ("contact.full_name", "\u00a0\u3000", "Enter your full name"),
        ("contact.full_name", None, "Your full name must be text"),
        ("contact.full_name", 7, "Your full name must be text"),
        ("contact.full_name", True, "Your full name must be text"),
        ("contact.full_name", ["Ann"], "Your full name must be text"),
        ("contact.full_name", {"first": "Ann"}, "Your full name must be text"),
        ("contact.full_name", "x" * 201, "Your full name must be 200 characters or fewer"),
        ("contact.full_name", "x" * 1_000_000, "Your full name must be 200 characters or fewer"),
        ("contact.full_name", "Ann\nBcc: x", "Your full name must be on one line, without tabs"),
        ("contact.full_name", "Ann\u2028x", "Your full name must be on one line, without tabs"),
        ("contact.full_name", "Ann\x00", f"Your full name {NOT_PRINTABLE}"),
        ("contact.full_name", "Ann\x85", f"Your full name {NOT_PRINTABLE}"),
        ("contact.full_name", "Ann\ufffd", f"Your full name {NOT_PRINTABLE}"),
        ("contact.full_name", "Ann\ud800", f"Your full name {NOT_PRINTABLE}"),
        ("contact.full_name", "\u202eAnn", f"Your full name {NOT_PRINTABLE}"),
        ("contact.full_name", "\u2066Ann", f"Your full name {NOT_PRINTABLE}"),
        ("what_happened", "a\x1bb", f"What happened {NOT_PRINTABLE}"),
        ("what_happened", "x" * 10_001, "What happened must be 10,000 characters or fewer"),
        ("where", "here", "Where it happened must be a group of answers"),
        ("where", None, "Where it happened must be a group of answers"),
        ("where.postcode", "B1", "Enter a real postcode, like B1 1AA"),
        ("where.postcode", "B1 1AA and more", "Enter a real postcode, like B1 1AA"),
        ("where.in_force_area", "maybe", "Select whether it happened in our area: yes, no or unknown"),
        ("where.in_force_area", True, "Select whether it happened in our area: yes, no or unknown"),
        ("where.in_force_area", None, "Select whether it happened in our area: yes, no or unknown"),
        ("when.start_date", "2026-02-31", f"The date it happened {REAL_DATE}"),
        ("when.start_date", "20260201", f"The date it happened {REAL_DATE}"),
        ("when.start_date", "\u0662\u0660\u0662\u0666-02-01", f"The date it happened {REAL_DATE}"),
        ("when.start_date", 1_700_000_000, f"The date it happened {REAL_DATE}"),
        ("when.start_date", None, f"The date it happened {REAL_DATE}"),
        ("when.start_date", ["1", "2", "2026"], f"The date it happened {REAL_DATE}"),
        ("when.start_date", "2026-11-24", "The date it happened must be today or in the past"),
        ("when.start_date", "9999-12-31", "The date it happened must be today or in the past"),
        ("when.start_date", "1850-01-01", "The date it happened must be within the last 100 years"),
        ("when.start_date", "0000-00-00", f"The date it happened {REAL_DATE}"),
        ("when.start_time", "24:00", "Enter the time it happened in the 24-hour clock, like 21:30"),
        ("when.start_time", "9pm", "Enter the time it happened in the 24-hour clock, like 21:30"),
        (
            "evidence.cctv_overwritten_on",
            "2027-11-25",
            "The date the video will be recorded over must be no more than a year from now",
        ),
        ("contact.email", "ann", "Enter an email address in the correct format, like name@example.com"),
        ("contact.email", "ann@example", "Enter an email address in the correct format, like name@example.com"),
        ("contact.email", "a@b@example.com", "Enter an email address in the correct format, like name@example.com"),
        ("contact.email", "a, b@example.com", "Enter an email address in the correct format, like name@example.com"),
        ("contact.email", "a@example.com\n", "Your email address must be on one line, without tabs"),
        ("contact.email", "a" * 250 + "@example.com", "Your email address must be 254 characters or fewer"),
        ("contact.phone", "123456", "Enter a telephone number, like 0121 496 0123 or 07700 900123"),
        ("contact.phone", "1" * 16, "Enter a telephone number, like 0121 496 0123 or 07700 900123"),
        ("contact.phone", "ring the bell", "Enter a telephone number, like 0121 496 0123 or 07700 900123"),
        ("contact.phone", "--------", "Enter a telephone number, like 0121 496 0123 or 07700 900123"),
        ("about", [], "About the theft must be a group of answers"),
        (
            "suspects.relationship",
            "enemy",
            "Select how the victim knows them: partner, ex_partner, family, friend, neighbour, colleague, "
            "acquaintance, stranger or other",
        ),
        ("harm.hate", "race", "Reasons must be a list"),
        ("harm.hate", ["race"] * 7, "Select no more than 6 reasons"),
        (
            "harm.hate",
            ["race", "hair", "hats", []],
            "Select reasons: race, religion, disability, sexual_orientation, transgender or other",
        ),
        ("items", {"make": "Apple"}, "Items must be a list of groups of answers"),
        ("colour", "red", "This is not one of our questions"),
        ("where.colour", "red", "This is not one of our questions"),
        ("about.attached", "yes", "This is not one of our questions"),
    ],
)
def test_message(field: str, answer: Any, message: str) -> None:
    assert errors(with_answer(field, answer)) == [(field, message)]


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ("emergency", "Select yes if it is happening now, the offender is nearby, or anyone is hurt or in danger"),
        ("reporter", "Select who you are"),
        ("about.kind", "Select what was taken"),
        ("about", "Select what was taken"),
        ("contact.full_name", "Enter your full name"),
        ("contact.email", "Enter an email address or a telephone number"),
        ("declaration", "Confirm that what you have told us is true as far as you know"),
    ],
)
def test_what_must_be_answered(field: str, message: str) -> None:
    assert errors(without(field)) == [("about.kind" if field == "about" else field, message)]


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ({"value": "1200"}, ("items.1.value", "The value must be a whole number, like 1200")),
        ({"value": 12.5}, ("items.1.value", "The value must be a whole number, like 1200")),
        ({"value": True}, ("items.1.value", "The value must be a whole number, like 1200")),
        ({"value": -1}, ("items.1.value", "The value must be 0 or more")),
        ({"value": 100_000_001}, ("items.1.value", "The value must be 100,000,000 or less")),
        ({"make": 7}, ("items.1.make", "The make must be text")),
        ({"colour": "red"}, ("items.1.colour", "This is not one of our questions")),
        ("a bicycle", ("items.1", "Items must be a list of groups of answers")),
    ],
)
def test_message_about_an_item(item: Any, expected: tuple[str, str]) -> None:
    assert errors(with_answer("items", [{"make": "Apple"}, item])) == [expected]


def test_text_that_is_slow_to_compose_is_refused_at_once() -> None:
    started = time.monotonic()
    assert errors(with_answer("what_happened", "\u0301\u0327\u0323" * 40_000))
    assert time.monotonic() - started < 5  # composing it takes some 20 seconds


def test_all_messages_come_at_once_in_the_order_of_the_page() -> None:
    sent = {"category": "burglary", "where": {"postcode": "x", "colour": "red"}, "harm": {"injury": 1}, "zebra": 1}
    assert [error.field for error in errors(sent)] == [
        "emergency",
        "reporter",
        "about.kind",
        "where.postcode",
        "where.colour",
        "harm.injury",
        "contact.full_name",
        "contact.email",
        "declaration",
        "zebra",
    ]


@pytest.mark.parametrize(
    ("contact", "fields"),
    [
        ({}, ["contact.full_name", "contact.email"]),
        ({"full_name": "Ann", "phone": "0121 496 0123"}, []),
        ({"full_name": "Ann", "email": "ann@example.com", "phone": ""}, []),
        ({"full_name": "Ann", "email": "", "phone": " "}, ["contact.email"]),
        ({"full_name": "Ann", "email": "ann@", "phone": ""}, ["contact.email"]),
        ({"full_name": "Ann", "email": "ann@", "phone": "1"}, ["contact.email", "contact.phone"]),
    ],
)
def test_an_email_address_or_a_telephone_number_is_needed(contact: dict[str, str], fields: list[str]) -> None:
    sent = {**LEAST, "contact": contact}
    assert [error.field for error in (errors(sent) if fields else [])] == fields
    if not fields:
        assert kept(sent)["contact"] == {name: value for name, value in contact.items() if value}


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ({"start_date": "2026-02-02", "end_date": "2026-02-01"}, "when.end_date"),
        (
            {"start_date": "2026-02-02", "end_date": "2026-02-02", "start_time": "9:30", "end_time": "9:29"},
            "when.end_time",
        ),
        ({"start_date": "2026-02-02", "end_date": "2026-02-02", "start_time": "9:30", "end_time": "10:00"}, None),
        ({"start_date": "2026-02-01", "end_date": "2026-02-02", "start_time": "22:00", "end_time": "6:00"}, None),
        ({"start_time": "22:00", "end_time": "6:00"}, None),
        ({"end_date": "2026-02-02", "end_time": "6:00"}, None),
    ],
)
def test_it_does_not_end_before_it_starts(when: dict[str, str], expected: str | None) -> None:
    sent = {**LEAST, "when": when}
    if expected:
        ((field, message),) = errors(sent)
        assert field == expected
        assert message.endswith("must be the same as or after the {} it happened".format(expected.split("_")[-1]))
    else:
        read(sent)


def test_today_is_the_callers() -> None:
    sent = with_answer("when.start_date", "2026-11-24")
    assert read(sent, TODAY + timedelta(days=1)).when.start_date == date(2026, 11, 24)


def test_a_thousand_strange_names_give_fifty_short_printable_fields() -> None:
    sent = {**LEAST, **{f"{number}\u202e\x00{'long' * 50}": 1 for number in range(1000)}}
    found = errors(sent)
    assert len(found) == 50
    assert all(len(error.field) <= 100 and error.field.isprintable() for error in found)


@pytest.mark.parametrize("category", [None, "", "arson", 7, [], {}, "Burglary"])
def test_an_unknown_category_is_the_only_error(category: Any) -> None:
    expected = [("category", "Select burglary, theft or criminal damage")]
    assert errors({**LEAST, "category": category, "colour": "red"}) == expected
    assert errors(without("category")) == expected


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'"text"',
        b"null",
        b"\xff\xfe{}",
        json.dumps(LEAST).encode("utf-16"),
        b'{"a": NaN}',
        b'{"a": ' + b"9" * 5_000 + b"}",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        "\ufeff{}",
        "{'a': 1}",
    ],
)
def test_a_body_that_is_no_json_object_is_unreadable(body: bytes | str) -> None:
    with pytest.raises(Unreadable) as refused:
        read_json(body, TODAY)
    assert refused.value.__context__ is None  # a trace would carry the body


def test_refused_answers_are_in_no_trace() -> None:
    with pytest.raises(InvalidAnswers) as refused:
        read(with_answer("contact.email", "secret"))
    assert refused.value.__context__ is None
    assert "secret" not in repr(refused.value)
