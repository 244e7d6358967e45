"""The questions through their public surface: what is accepted, how it is kept, and what is said about the rest."""

import copy
import json
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, get_args

import pytest

from chalicelib.errors import FieldError, InvalidAnswers, SentElsewhere, Unreadable
from chalicelib.forms import CATEGORIES, EXAMPLES, TITLES, Submission, canonical, form_values, read_form, read_json
from chalicelib.forms.questions import Section, questions

TODAY = date(2026, 11, 23)
Pairs = list[tuple[str, str]]

LEAST = {
    "category": "theft",
    "emergency": "no",
    "about": {"kind": "pedal_cycle"},
    "contact": {"full_name": "Ann Example", "email": "ann@example.com"},
    "declaration": "yes",
}


def with_answer(field: str, answer: Any, base: dict[str, Any] = LEAST) -> dict[str, Any]:
    """The least that is accepted, with one answer changed or added."""
    sent = copy.deepcopy(base)
    *sections, name = field.split(".")
    place = sent
    for section in sections:
        place = place.setdefault(section, {})
    place[name] = answer
    return sent


def without(field: str) -> dict[str, Any]:
    sent = copy.deepcopy(LEAST)
    *sections, name = field.split(".")
    place = sent
    for section in sections:
        place = place[section]
    del place[name]
    return sent


def read(sent: Any, today: date = TODAY) -> Submission:
    return read_json(json.dumps(sent), today)


def kept(sent: Any) -> Any:
    return json.loads(canonical(read(sent)))


def errors(sent: Any) -> list[FieldError]:
    with pytest.raises(InvalidAnswers) as refused:
        read(sent)
    return refused.value.errors


def form_errors(pairs: Pairs, category: str = "theft") -> list[FieldError]:
    with pytest.raises(InvalidAnswers) as refused:
        read_form(category, pairs, TODAY)
    return refused.value.errors


def flat(answer: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """The pairs that a browser would post for `answer`."""
    if isinstance(answer, dict):
        for key, value in answer.items():
            yield from flat(value, f"{name}.{key}" if name else key)
    elif isinstance(answer, list):
        for index, value in enumerate(answer):
            yield from flat(value, f"{name}.{index}" if isinstance(value, dict) else name)
    elif name.split("_")[-1] in ("date", "on"):
        yield from zip([f"{name}.year", f"{name}.month", f"{name}.day"], answer.split("-"), strict=True)
    else:
        yield name, str(answer).replace("\n", "\r\n")


def posted(sent: dict[str, Any]) -> Pairs:
    return list(flat({name: answer for name, answer in sent.items() if name != "category"}))


def all_questions(model: type[Section]) -> Iterator[tuple[type[Section], str]]:
    for question in questions(model):
        yield model, question.name
        if question.model:
            yield from all_questions(question.model)


# What is accepted


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
    assert json.loads(canonical(submission)) == EXAMPLES[category]
    assert 2_000 <= len(canonical(submission)) <= 4_000


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
    blanks = {"reporter": "", "where": {"address": "  ", "postcode": ""}, "when": {}, "items": [{}, {"make": ""}]}
    sent = {**dict(reversed(list(LEAST.items()))), **blanks}
    assert canonical(read(sent)) == canonical(read(LEAST))
    assert canonical(read(LEAST)) == json.dumps(LEAST, sort_keys=True, separators=(",", ":")).encode()


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
        ("contact.email", "o'neill+police@sub.example.co.uk", "o'neill+police@sub.example.co.uk"),
        ("contact.phone", "+44 (0)121 496-0123", "+44 (0)121 496-0123"),
        ("what_happened", " one\r\ntwo\n\n\tthree\r", "one\ntwo\n\n\tthree"),
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


# What is said about the rest

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
            "2028-01-01",
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


def test_all_messages_come_at_once_in_the_order_of_the_page() -> None:
    sent = {"category": "burglary", "where": {"postcode": "x", "colour": "red"}, "harm": {"injury": 1}, "zebra": 1}
    assert [error.field for error in errors(sent)] == [
        "emergency",
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


# Sent elsewhere


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


# Forms


def typed(*extra: tuple[str, str]) -> Pairs:
    return [*posted(LEAST), *extra]


@pytest.mark.parametrize(
    ("boxes", "message"),
    [
        (("31", "2", "2026"), REAL_DATE),
        (("first", "May", "2026"), REAL_DATE),
        (("1", "1", "²"), REAL_DATE),
        (("1", "1", ""), "must include a year"),
        (("", "", "2026"), "must include a day and month"),
        (("24", "11", "2026"), "must be today or in the past"),
        (("1", "1", "26"), "must be within the last 100 years"),
    ],
)
def test_message_about_a_date_in_three_boxes(boxes: tuple[str, str, str], message: str) -> None:
    names = [f"when.start_date.{part}" for part in ("day", "month", "year")]
    pairs = typed(*zip(names, boxes, strict=True))
    assert form_errors(pairs) == [("when.start_date", f"The date it happened {message}")]
    assert form_values(pairs)["when"]["start_date"] == dict(zip(("day", "month", "year"), boxes, strict=True))


def test_a_date_in_three_boxes() -> None:
    pairs = typed(("when.start_date.day", " 1 "), ("when.start_date.month", "02"), ("when.start_date.year", "2026"))
    assert read_form("theft", pairs, TODAY).when.start_date == date(2026, 2, 1)


def test_three_blank_boxes_are_no_answer() -> None:
    pairs = typed(*((f"when.start_date.{part}", " ") for part in ("day", "month", "year")))
    assert canonical(read_form("theft", pairs, TODAY)) == canonical(read(LEAST))


@pytest.mark.parametrize(
    ("value", "expected"),
    [("£1,200", 1200), ("1200.00", 1200), (" 0 ", 0), ("£", None), ("12.50", None), ("-5", None), ("9" * 5_000, None)],
)
def test_pounds_as_people_type_them(value: str, expected: int | None) -> None:
    pairs = typed(("items.0.value", value))
    if expected is None:
        assert form_errors(pairs) == [("items.0.value", "The value must be a whole number, like 1200")]
    else:
        assert read_form("theft", pairs, TODAY).items[0].value == expected


def test_rows_of_items_may_have_gaps_and_blanks() -> None:
    pairs = typed(("items.999999999.make", "C"), ("items.2.make", "A"), ("items.10.make", "B"), ("items.4.make", ""))
    assert [item.make for item in read_form("theft", pairs, TODAY).items] == ["A", "B", "C"]
    assert form_values(pairs)["items"] == [{"make": "A"}, {"make": ""}, {"make": "B"}, {"make": "C"}]


def test_an_error_in_a_row_is_at_its_place_on_the_page_shown_again() -> None:
    pairs = typed(("items.2.make", "A"), ("items.5.make", ""), ("items.9.value", "dear"))
    (error,) = form_errors(pairs)
    assert error.field == "items.2.value"
    assert form_values(pairs)["items"][2] == {"value": "dear"}


def test_one_ticked_box_is_a_list() -> None:
    pairs = typed(("harm.hate", "race"))
    assert read_form("theft", pairs, TODAY).harm.hate == ["race"]
    assert form_values(pairs)["harm"]["hate"] == ["race"]


def test_a_blank_beside_an_answer_is_no_second_answer() -> None:
    pairs = [("declaration", ""), ("harm.hate", ""), *typed(("declaration", "yes"))]
    assert canonical(read_form("theft", pairs, TODAY)) == canonical(read(LEAST))


@pytest.mark.parametrize(
    ("extra", "field"),
    [
        ([("where", "1"), ("where.postcode", "B1 1AA")], "where"),
        ([("where.postcode", "B1 1AA"), ("where.postcode.x", "1")], "where.postcode"),
        ([("where.postcode.x.y.z.z", "1")], "where.postcode"),
        ([("where.postcode", "B1 1AA"), ("where.postcode", "B2 1AA")], "where.postcode"),
        ([("items", "1"), ("items.0.make", "A")], "items"),
        ([("items.one.make", "A")], "items"),
        ([("items.9999999999.make", "A")], "items"),
        ([("items.0", "A")], "items.0"),
        ([("items.0.colour", "A")], "items.0.colour"),
        ([("items.0.value.x", "1")], "items.0.value"),
        ([("when.start_date", "soon")], "when.start_date"),
        ([("when.start_date.hour", "1")], "when.start_date"),
        ([("when.start_date.day.x", "1")], "when.start_date"),
        ([("harm.hate.0", "race")], "harm.hate"),
        ([("colour", "red")], "colour"),
        ([("", "")], ""),
    ],
)
def test_a_name_that_does_not_fit_gives_a_message(extra: Pairs, field: str) -> None:
    assert [error.field for error in form_errors(typed(*extra))] == [field]
    assert isinstance(form_values(typed(*extra)), dict)


def test_thousands_of_pairs_give_messages() -> None:
    pairs = [(f"items.{number}.make", "A") for number in range(20_000)] + [("a." * 50_000, "x")] + [("b", "c")] * 5_000
    assert form_errors(typed(*pairs))[0] == ("items", "Enter no more than 50 items")
    assert len(form_values(pairs)["items"]) == 50


def test_form_values_keep_what_was_typed() -> None:
    pairs = [("contact.full_name", " <b> \x00"), ("about.kind", "nonsense"), ("where.postcode", "?"), ("emergency", "")]
    assert form_values(pairs) == {
        "contact": {"full_name": " <b> \x00"},
        "about": {"kind": "nonsense"},
        "where": {"postcode": "?"},
        "emergency": "",
    }


def test_an_unknown_category_of_a_form() -> None:
    assert form_errors(typed(), "arson") == [("category", "Select burglary, theft or criminal damage")]


# Guards


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
