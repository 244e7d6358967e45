"""Monthly rows from the sums; `test_ledger.py` holds the sums against a recount."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.errors import InvalidAnswers
from chalicelib.figures import Figure
from chalicelib.statistics import CATEGORIES, Imported, monthly, months_between, percentile, table, together

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


def test_the_table_for_a_file_has_a_name_over_every_figure() -> None:
    names, first, second = table(monthly(["2018-10", "2019-02"], SUMS, {}))
    assert len(names) == len(set(names)) == len(first) == len(second) == 7 + 6 + 5
    row = dict(zip(names, second, strict=True))
    assert (row["month"], row["reports"], row["theft_reports"], row["not_crimed_duplicate"]) == ("2019-02", 6, 4, 1)
    assert not any(first[1:])


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
