"""Monthly rows from the sums; `test_ledger.py` holds the sums against a recount."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.errors import InvalidAnswers
from chalicelib.figures import Figure
from chalicelib.statistics import (
    CATEGORIES,
    Imported,
    monthly,
    months_asked,
    months_between,
    open_by_age,
    percentile,
    together,
)
from chalicelib.times import stamp

SUMS: Counter[Figure] = Counter({
    ("2019-02", "theft", "reports"): 4,
    ("2019-02", "theft", "not_crimed.duplicate"): 1,
    ("2019-02", "burglary", "reports"): 2,
    ("2019-02", "burglary", "crimes"): 2,
    ("2019-02", "burglary", "within_24h"): 1,
    ("2019-02", "burglary", "took.30"): 1,
    ("2019-02", "burglary", "took.1500"): 1,
    ("2019-03", "theft", "crimes"): 3,
    ("2019-03", "theft", "crimes_cancelled.C4"): 1,
    ("2019-03", "theft", "took.10"): 3,
    ("2019-03", "theft", "letters.sent"): 2,
    ("2019-03", "theft", "letter_took.0"): 1,
    ("2019-03", "theft", "letter_took.7"): 1,
    ("2019-04", "theft", "reports"): 9,
})  # fmt: skip
BEFORE = {"2019-01": Imported(1432, 928), "2018-12": Imported(985, None)}
MONTHS = ["2019-01", "2019-02", "2019-03"]


def test_a_row_for_each_month_of_what_counts_in_it() -> None:
    january, february, march = monthly(MONTHS, SUMS, {})
    assert (january["month"], january["reports"], january["time_to_crime"]["median_minutes"]) == ("2019-01", 0, None)
    assert (february["reports"], february["crimes"], february["not_crimed"]["duplicate"]) == (6, 2, 1)
    assert february["by_category"]["theft"] == {"reports": 4, "crimes": 0}
    assert february["time_to_crime"] == {"median_minutes": 30, "p95_minutes": 1500}
    assert (march["crimes"], march["cancelled"]) == (3, {"C1": 0, "C2": 0, "C3": 0, "C4": 1})
    assert march["letters"] == {"sent": 2, "withheld": 0, "failed": 0, "median_minutes": 0, "p95_minutes": 7}
    assert "imported" not in march


def test_a_row_of_all_months_together_has_the_median_of_all() -> None:
    row = together(MONTHS, SUMS, {})
    assert (row["reports"], row["crimes"], row["crimed_within_24h"]) == (6, 5, 1)
    assert row["time_to_crime"] == {"median_minutes": 10, "p95_minutes": 1500}


def test_one_category_has_nothing_of_the_others() -> None:
    (row,) = monthly(["2019-02"], SUMS, {}, "burglary")
    assert (row["reports"], row["by_category"]) == (2, {"burglary": {"reports": 2, "crimes": 2}})
    assert together(MONTHS, SUMS, BEFORE, "burglary")["reports"] == 2


def test_what_was_imported_is_in_the_figures_and_named() -> None:
    december, january, february = monthly(["2018-12", "2019-01", "2019-02"], SUMS, BEFORE)
    assert (december["reports"], december["crimes"], december["imported"]) == (985, 0, {"reports": 985, "crimes": None})
    assert (january["reports"], january["crimes"], january["imported"]) == (1432, 928, {"reports": 1432, "crimes": 928})
    assert january["by_category"] == {one: {"reports": 0, "crimes": 0} for one in CATEGORIES}
    assert "imported" not in february
    row = together(["2018-12", "2019-01", "2019-02"], SUMS, BEFORE)
    assert (row["reports"], row["crimes"]) == (985 + 1432 + 6, 928 + 2)
    assert row["imported"] == {"reports": 985 + 1432, "crimes": 928}


@given(st.lists(st.integers(0, 50), min_size=1), st.sampled_from([0.5, 0.95, 1.0]))
def test_a_percentile_is_the_nearest_rank(times: list[int], share: float) -> None:
    found = percentile(Counter(times), share)
    assert found in times
    assert sum(time <= found for time in times) >= share * len(times)
    assert sum(time < found for time in times) < share * len(times)


def test_of_nothing_there_is_no_percentile() -> None:
    assert percentile({}, 0.5) is None


@pytest.mark.parametrize(
    ("first", "last", "months"),
    [
        ("2019-03", "2019-03", ["2019-03"]),
        ("2018-11", "2019-02", ["2018-11", "2018-12", "2019-01", "2019-02"]),
        ("2018-12", "2018-12", ["2018-12"]),
    ],
)
def test_months_between(first: str, last: str, months: list[str]) -> None:
    assert months_between(first, last) == months


def test_ten_years_at_most() -> None:
    assert len(months_between("2017-01", "2026-12")) == 120
    with pytest.raises(InvalidAnswers):
        months_between("2017-01", "2027-01")


@pytest.mark.parametrize(
    "text", ["", "2019", "2019-13", "2019-00", "2019-3", "19-03", "20190-3", "2019-03-01", "2019/03", "201\uff19-03",
             "201²-03", "2019--3", "-019-03", "abcd-ef", "2019-03 "]
)  # fmt: skip
def test_what_is_no_month_is_refused_by_its_name(text: str) -> None:
    for name, months in (("from", (text, "2019-03")), ("to", ("2019-03", text))):
        with pytest.raises(InvalidAnswers) as refused:
            months_between(*months)
        assert [error.field for error in refused.value.errors] == [name]


def test_the_last_month_is_not_before_the_first() -> None:
    with pytest.raises(InvalidAnswers) as refused:
        months_between("2019-03", "2019-02")
    assert refused.value.errors[0].field == "to"


@pytest.mark.parametrize(
    ("first", "last", "months"),
    [
        ("", "", ("2018-12", "2019-11")),
        ("2019-10", "", ("2019-10", "2019-11")),
        ("", "2019-03", ("2018-04", "2019-03")),
        ("2019-11", "2019-11", ("2019-11", "2019-11")),
        ("2000-01", "2000-01", ("2000-01", "2000-01")),
    ],
)
def test_months_that_are_not_named(first: str, last: str, months: tuple[str, str]) -> None:
    found = months_asked(first, last, "2019-11")
    assert (found[0], found[-1]) == months


@pytest.mark.parametrize(
    ("first", "last", "fields"),
    [
        ("2019-12", "", ["from"]),
        ("", "2019-12", ["to"]),
        ("2019-12", "2020-01", ["from", "to"]),
        ("2019-10", "2019-09", ["to"]),
        ("2009-11", "2019-11", ["to"]),
        ("1999-12", "2000-01", ["from"]),
        ("", "0000-01", ["from"]),
        ("9999-12", "0001-01", ["from"]),
    ],
)
def test_no_such_months(first: str, last: str, fields: list[str]) -> None:
    with pytest.raises(InvalidAnswers) as refused:
        months_asked(first, last, "2019-11")
    assert [error.field for error in refused.value.errors] == fields


def test_open_reports_by_age() -> None:
    now = datetime(2026, 11, 23, 9, tzinfo=UTC)
    ages = [0, 5.9, 6, 11.9, 12, 18, 23.9, 24, 24.1, 90]
    deadlines = [stamp(now + timedelta(hours=24 - age)) for age in ages]
    assert open_by_age(deadlines, now) == {
        "under_6h": 2, "6h_to_12h": 2, "12h_to_18h": 1, "18h_to_24h": 3, "past_deadline": 2}  # fmt: skip
