"""The monthly figures against a recount that is written out plainly."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.errors import InvalidAnswers
from chalicelib.statistics import CATEGORIES, NOT_CRIMED_REASONS, monthly, months_between, table

MONTHS = ["2018-10", "2018-11", "2018-12", "2019-01"]
STATUSES = ["received", "queued", "awaiting_information", "crimed", "not_crimed"]


def at(text: datetime) -> str:
    return text.strftime("%Y-%m-%dT%H:%M:%SZ")


@st.composite
def rows(draw: Any) -> dict[str, Any]:
    start = datetime(2018, 9, 30, 22, 0, tzinfo=UTC)
    received = start + timedelta(seconds=draw(st.integers(0, 126 * 86_400)))
    row = {
        "category": draw(st.sampled_from(CATEGORIES)),
        "received_at": at(received),
        "deadline": at(received + timedelta(hours=24)),
        "status": draw(st.sampled_from(STATUSES)),
        "call_backs": draw(st.sampled_from([None, 1, 3])),
    }
    if row["status"] == "crimed":
        by = draw(st.sampled_from(["24-hour rule", "officer-ann"]))
        row |= {"crimed_at": at(received + timedelta(hours=draw(st.sampled_from([0, 1, 24, 25, 800])))),
                "crimed_by": by}  # fmt: skip
    if row["status"] == "not_crimed":
        row["not_crimed_reason"] = draw(st.sampled_from(NOT_CRIMED_REASONS))
    return {name: value for name, value in row.items() if value is not None}


def london_month(text: str) -> str:
    return datetime.fromisoformat(text).astimezone(ZoneInfo("Europe/London")).isoformat()[:7]


def recount(month: str, all_rows: list[dict[str, Any]]) -> dict[str, Any]:
    """One count at a time, by reading all rows again and again."""
    received = [row for row in all_rows if london_month(row["received_at"]) == month]
    crimed = [row for row in all_rows if row["status"] == "crimed" and london_month(row["crimed_at"]) == month]
    return {
        "month": month,
        "reports": len(received),
        "crimes": len(crimed),
        "by_category": {
            category: {
                "reports": len([row for row in received if row["category"] == category]),
                "crimes": len([row for row in crimed if row["category"] == category]),
            }
            for category in ("burglary", "theft", "criminal_damage")
        },
        "crimed_within_24h": len([
            row for row in crimed
            if datetime.fromisoformat(row["crimed_at"]) - datetime.fromisoformat(row["received_at"])
            <= timedelta(hours=24)
        ]),
        "crimed_automatically": len([row for row in crimed if row["crimed_by"] == "24-hour rule"]),
        "not_crimed": {
            reason: len([row for row in received if row.get("not_crimed_reason") == reason])
            for reason in ("no_offence", "contrary_evidence", "victim_unconfirmed", "another_force", "duplicate")
        },
        "call_backs": len([row for row in received if row.get("call_backs", 0) > 0]),
        "open": len([row for row in received if row["status"] not in ("crimed", "not_crimed")]),
    }  # fmt: skip


@given(st.lists(rows(), max_size=40))
def test_figures_are_those_of_a_recount(all_rows: list[dict[str, Any]]) -> None:
    crimed = [row for row in all_rows if row["status"] == "crimed"]
    assert monthly(MONTHS, reversed(all_rows), crimed) == [recount(month, all_rows) for month in MONTHS]


def test_a_month_without_anything_has_noughts() -> None:
    (row,) = monthly(["2019-03"], [], [])
    assert row == recount("2019-03", [])


def test_the_table_for_a_file_has_a_name_over_every_figure() -> None:
    received = [{"category": "theft", "received_at": "2018-11-05T10:00:00Z", "deadline": "2018-11-06T10:00:00Z",
                 "status": "not_crimed", "not_crimed_reason": "duplicate"}]  # fmt: skip
    names, first, second = table(monthly(["2018-10", "2018-11"], received, []))
    assert len(names) == len(set(names)) == len(first) == len(second) == 7 + 6 + 5
    row = dict(zip(names, second, strict=True))
    assert (row["month"], row["reports"], row["theft_reports"], row["not_crimed_duplicate"]) == ("2018-11", 1, 1, 1)
    assert sum(value for value in row.values() if isinstance(value, int)) == 3
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
