"""What a browser posts: dates in three boxes, rows of items, and names that do not fit."""

from datetime import date

import pytest

from chalicelib.forms import canonical, form_values, read_form
from tests.reports import LEAST, TODAY, Pairs, form_errors, posted, read

REAL_DATE = "must be a real date, like 31 1 2019"
FOUR_DIGITS = "must have a year of four digits, like 2019"


def typed(*extra: tuple[str, str]) -> Pairs:
    return [*posted(LEAST), *extra]


@pytest.mark.parametrize(
    ("boxes", "message"),
    [
        (("31", "2", "2026"), REAL_DATE),
        (("first", "May", "2026"), REAL_DATE),
        (("1", "1", "²"), FOUR_DIGITS),
        (("1", "1", ""), "must include a year"),
        (("1", "1", " "), "must include a year"),
        (("", "", "2026"), "must include a day and month"),
        (("24", "11", "2026"), "must be today or in the past"),
        (("1", "1", "26"), FOUR_DIGITS),
        (("1", "1", "1850"), "must be within the last 100 years"),
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


def test_rows_of_the_same_number_are_two_rows() -> None:
    pairs = typed(("items.1.make", "A"), ("items.01.make", "B"))
    assert [item.make for item in read_form("theft", pairs, TODAY).items] == ["A", "B"]


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
