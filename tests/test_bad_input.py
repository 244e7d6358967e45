"""Bad input over HTTP, as JSON and as a form: a problem document or the form with its messages, and nothing stored."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from conftest import Runner
from users import FORM, JSON, FormPage, Public, Records, example, filled_form

LIMIT = 256 * 1024
WHOLE = json.dumps(example()).encode()


@pytest.fixture
def public(stack: Runner) -> Public:
    return Public(stack)


@pytest.fixture(scope="module", autouse=True)
def nothing_is_stored(stack: Runner) -> Iterator[None]:
    """Whatever the tests of this file send, the table stays as it was."""
    stack.idle()
    before = Records(stack).items()
    yield
    stack.idle()
    assert Records(stack).items() == before


def post(public: Public, body: bytes, content_type: str, path: str = "/reports") -> requests.Response:
    return requests.post(public.url + path, data=body, headers={"Content-Type": content_type}, timeout=60)


def problem_of(answer: requests.Response, status: int) -> dict[str, Any]:
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json"), answer.text
    document: dict[str, Any] = answer.json()
    assert document["status"] == status
    assert document["title"]
    return document


# ---- bodies that cannot be read


@pytest.mark.parametrize(
    ("status", "body", "content_type"),
    [
        (400, b"", JSON),
        (400, b"{", JSON),
        (400, WHOLE[:-1], JSON),
        (400, WHOLE + b"}", JSON),
        (400, b"category=theft", JSON),
        (400, b"null", JSON),
        (400, b"[]", JSON),
        (400, b'"theft"', JSON),
        (400, b"\xff\xfe", JSON),
        (400, WHOLE.decode().encode("utf-16"), JSON),
        (400, b'{"value": NaN}', JSON),
        (400, b'{"value": Infinity}', JSON),
        (400, b'{"value": ' + b"9" * 5_000 + b"}", JSON),
        (400, b"[" * 100_000, JSON),
        (400, b'{"a":' * 40_000, JSON),
        (413, b" " * (LIMIT + 1), JSON),
        (413, b'{"what_happened": "' + b"x" * LIMIT + b'"}', JSON),
        (413, json.dumps(example(contact__full_name="x" * 1_000_000)).encode(), JSON),
        (413, b"x" * 11_000_000, JSON),
        (413, b"a=" + b"x" * LIMIT, FORM),
        (415, WHOLE, "text/plain"),
        (415, WHOLE, "application/xml"),
        (415, WHOLE, "multipart/form-data; boundary=x"),
        (415, WHOLE, "application/jsonp"),
        (415, WHOLE, "nonsense"),
    ],
)
def test_unreadable_bodies(public: Public, status: int, body: bytes, content_type: str) -> None:
    problem_of(post(public, body, content_type), status)


def test_deep_nesting_inside_an_answer(public: Public) -> None:
    body = WHOLE[:-1] + b', "what_happened": ' + b'{"a":' * 500 + b"1" + b"}" * 500 + b"}"
    assert post(public, body, JSON).status_code in (400, 422)


def test_a_name_that_is_not_utf8_is_not_guessed_at(public: Public) -> None:
    body = WHOLE.replace(b"Kofi", "Ren\u00e9".encode("latin-1"))
    assert post(public, body, JSON).status_code in (400, 422)


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_other_methods(public: Public, method: str) -> None:
    refused = requests.request(method, f"{public.url}/reports", data=WHOLE, headers={"Content-Type": JSON}, timeout=30)
    problem_of(refused, 405)
    assert "POST" in refused.headers["Allow"]


# ---- answers that do not fit


ANSWERS: list[tuple[str, Any]] = [
    ("category", "arson"),
    ("category", ["theft"]),
    ("category", 7),
    ("category", None),
    ("emergency", True),
    ("emergency", None),
    ("emergency", "perhaps"),
    ("colour", "red"),
    ("contact.shoe_size", "9"),
    ("__proto__", {}),
    ("where", "here"),
    ("where", []),
    ("items", {}),
    ("items", "bicycle"),
    ("items", [[]]),
    ("items", [{}] * 51),
    ("contact.full_name", ""),
    ("contact.full_name", 7),
    ("contact.full_name", {}),
    ("contact.full_name", "x" * 201),
    ("contact.full_name", "x" * 200_000),
    ("contact.full_name", "Ann\x00Example"),
    ("contact.full_name", "Ann\x1b[2J"),
    ("contact.full_name", "Ann\nExample"),
    ("contact.full_name", "\u202eelpmaxE nnA"),
    ("contact.full_name", "\ud800"),
    ("contact.email", "ann"),
    ("contact.email", "ann@example.com\nBcc: bob@example.com"),
    ("contact.phone", "call me"),
    ("where.postcode", "<script>"),
    ("when.start_date", "2099-01-01"),
    ("when.start_date", "1850-01-01"),
    ("when.start_date", "2019-02-31"),
    ("when.start_date", "2019-13-01"),
    ("when.start_date", "0000-00-00"),
    ("when.start_date", "yesterday"),
    ("when.start_date", 20190131),
    ("when.start_date", "\u0662\u0660\u0661\u0669-01-31"),
    ("when.end_date", "2019-01-11"),
    ("when.start_time", "25:00"),
    ("harm.details", "x" * 5_001),
    ("what_happened", "\x07"),
    ("harm.hate", ["hair"]),
    ("declaration", "no"),
]


def changed(field: str, answer: Any) -> dict[str, Any]:
    answers = example()
    *sections, last = field.split(".")
    inside = answers
    for section in sections:
        inside = inside[section]
    inside[last] = answer
    return answers


@pytest.mark.parametrize(("field", "answer"), ANSWERS)
def test_json_answers_that_do_not_fit(public: Public, field: str, answer: Any) -> None:
    document = problem_of(post(public, json.dumps(changed(field, answer)).encode(), JSON), 422)
    (error,) = document["errors"]
    assert error["field"].startswith(field)
    assert error["message"][0].isupper()
    if isinstance(answer, str) and len(answer) > 4:
        assert answer not in error["message"]


@pytest.mark.parametrize("item", [{"value": -1}, {"value": 1e30}, {"value": "12"}, {"value": 10**12}, {"make": 7}])
def test_items_that_do_not_fit(public: Public, item: dict[str, Any]) -> None:
    document = problem_of(public.send(example(items=[{"make": "Acme"}, item])), 422)
    assert [error["field"] for error in document["errors"]] == [f"items.1.{next(iter(item))}"]


def test_both_dates_wrong_and_the_times_in_no_order(public: Public) -> None:
    when = {"start_date": "2099-01-01", "start_time": "21:00", "end_date": "1850-01-01", "end_time": "09:00"}
    document = problem_of(public.send(example(when=when)), 422)
    assert [error["field"] for error in document["errors"]] == ["when.start_date", "when.end_date"]


def test_every_field_wrong_at_once_is_a_bounded_answer(public: Public) -> None:
    wrong = {f"field-{number}": "x" for number in range(5_000)} | {"category": "theft", "emergency": "no"}
    document = problem_of(public.send(wrong), 422)
    assert 1 < len(document["errors"]) <= 50


# ---- the same on the page


FORM_ANSWERS: list[tuple[str, str, str]] = [
    ("contact.full_name", "", "Enter your full name"),
    ("contact.full_name", "x" * 201, "must be 200 characters or fewer"),
    ("contact.full_name", "Ann\x07", "must not include characters that cannot be printed"),
    ("contact.email", "ann", "correct format"),
    ("when.start_date.year", "2099", "must be today or in the past"),
    ("when.start_date.year", "1850", "must be within the last 100 years"),
    ("when.start_date.day", "31st", "must be a real date"),
    ("when.start_date.month", "", "must include a month"),
    ("when.start_time", "half past six", "24-hour clock"),
    ("items.0.value", "a lot", "must be a whole number"),
    ("harm.details", "x" * 5_001, "must be 5,000 characters or fewer"),
]


@pytest.mark.parametrize(("name", "typed", "words"), FORM_ANSWERS)
def test_form_comes_back_with_its_message_and_all_answers(public: Public, name: str, typed: str, words: str) -> None:
    form = filled_form(public, "theft", example())
    form.typed[name] = typed
    back = public.post(form.action, form.pairs)
    assert back.status_code == 422
    assert back.headers["Content-Type"].startswith("text/html")
    assert "There is a problem" in back.text
    assert words in back.text
    again = FormPage(back.text)
    assert sorted(again.pairs) == sorted(form.pairs) or "\x07" in typed


@pytest.mark.parametrize(
    "pairs",
    [
        [("colour", "red")],
        [("emergency", "no"), ("emergency", "yes")],
        [("items.0.make", "x"), ("items", "y")],
        [("when.start_date", "2019-01-01")],
        [("items.99999999999999999999.make", "x")],
        [("items.-1.make", "x")],
        [("a.b.c.d.e.f.g.h", "x")],
        [(".", "x"), ("..", "x"), ("", "x")],
        [("contact", "x"), ("about", "y"), ("declaration.yes", "z")],
        [("token", "x" * 10_000)],
        [("category", "burglary")],
    ],
)
def test_forms_that_no_page_of_ours_sends(public: Public, pairs: list[tuple[str, str]]) -> None:
    back = public.post("/report/theft", pairs)
    assert back.status_code == 422
    assert "There is a problem" in back.text
    FormPage(back.text)


@pytest.mark.parametrize("action", ["remove-item-99", "remove-item--1", "remove-item-x", "explode", "add-item"])
def test_buttons_that_no_page_of_ours_has(public: Public, action: str) -> None:
    assert public.post("/report/theft", [("action", action)]).status_code == 200


@pytest.mark.parametrize(
    "body", [b"\xff=\xff&contact.full_name=\xfe", b"%ff=%ff&%00=%00", b"&&&===&", b"%", b"%zz=%u1"]
)
def test_forms_that_are_not_text(public: Public, body: bytes) -> None:
    assert post(public, body, FORM, "/report/theft").status_code == 422


def test_form_with_too_many_fields(public: Public) -> None:
    problem_of(post(public, b"&".join(b"a%d=1" % number for number in range(2_001)), FORM, "/report/theft"), 400)


@pytest.mark.parametrize("content_type", [JSON, "text/plain", "multipart/form-data; boundary=x"])
def test_page_takes_forms_only(public: Public, content_type: str) -> None:
    problem_of(post(public, WHOLE, content_type, "/report/theft"), 415)


# ---- the other public address


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, b"{"),
        (400, b"[" * 100_000),
        (422, b'{"email": 7}'),
        (422, b'{"shoe_size": "9"}'),
        (422, b'{"email": "\\u0000"}'),
        (413, b'{"email": "' + b"x" * LIMIT + b'"}'),
    ],
)
def test_status_with_a_bad_body(public: Public, status: int, body: bytes) -> None:
    problem_of(post(public, body, JSON, "/reports/7K3M-9QWP-R2T8/status"), status)
