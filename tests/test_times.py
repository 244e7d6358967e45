"""Times as they are written, read and counted."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from chalicelib.times import month, read_stamp, spoken, stamp


@pytest.mark.parametrize(
    ("utc", "expected"),
    [
        ("2026-03-28T23:59:59Z", "2026-03"),
        ("2026-03-29T00:59:59Z", "2026-03"),  # the last second before the clocks go forward
        ("2026-03-29T01:00:00Z", "2026-03"),
        ("2026-03-31T22:59:59Z", "2026-03"),
        ("2026-03-31T23:00:00Z", "2026-04"),  # midnight in summer time
        ("2026-06-30T23:00:00Z", "2026-07"),
        ("2026-10-25T00:59:59Z", "2026-10"),
        ("2026-10-25T01:00:00Z", "2026-10"),  # the clocks go back
        ("2026-10-31T23:00:00Z", "2026-10"),
        ("2026-10-31T23:59:59Z", "2026-10"),
        ("2026-11-01T00:00:00Z", "2026-11"),
        ("2026-12-31T23:59:59Z", "2026-12"),
        ("2027-01-01T00:00:00Z", "2027-01"),
    ],
)
def test_months_are_those_of_london(utc: str, expected: str) -> None:
    assert month(read_stamp(utc)) == expected


@pytest.mark.parametrize(
    ("utc", "expected"),
    [
        ("2026-11-23T09:05:00Z", "9:05am on Monday 23 November 2026"),
        ("2026-07-01T09:05:00Z", "10:05am on Wednesday 1 July 2026"),
        ("2026-12-31T12:00:00Z", "12:00pm on Thursday 31 December 2026"),
        ("2027-01-01T00:00:00Z", "12:00am on Friday 1 January 2027"),
        ("2026-03-29T01:00:00Z", "2:00am on Sunday 29 March 2026"),
        ("2026-10-25T00:30:00Z", "1:30am on Sunday 25 October 2026"),
        ("2026-10-25T01:30:00Z", "1:30am on Sunday 25 October 2026"),
    ],
)
def test_times_are_said_as_the_clocks_of_london_show_them(utc: str, expected: str) -> None:
    assert spoken(read_stamp(utc)) == expected


def test_stamps_are_utc_to_the_second_and_come_back() -> None:
    abroad = datetime(2026, 11, 23, 10, 5, 7, 999_999, tzinfo=timezone(timedelta(hours=1)))
    assert stamp(abroad) == "2026-11-23T09:05:07Z"
    assert read_stamp(stamp(abroad)) == datetime(2026, 11, 23, 9, 5, 7, tzinfo=UTC)


def test_stamps_sort_as_they_run() -> None:
    times = [datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC) + timedelta(hours=step) for step in range(-2_000, 2_000)]
    assert sorted(map(stamp, reversed(times))) == [stamp(at) for at in times]
