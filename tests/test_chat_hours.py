"""When the chat is open, by the clocks of London, and what a setting may say about it."""

from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.chat_hours import ALWAYS, CLOSED, read_hours
from chalicelib.times import local

WEEK = read_hours("Mon-Fri 08:00-22:00, Sat-Sun 09:30-18:00")


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}:00Z")


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ("2026-11-23T07:59", False), ("2026-11-23T08:00", True), ("2026-11-23T21:59", True),
        ("2026-11-23T22:00", False), ("2026-11-28T09:29", False), ("2026-11-28T09:30", True),
        ("2026-07-20T06:59", False), ("2026-07-20T07:00", True),  # summer time: 8am
        ("2026-07-20T21:00", False),
    ],
)  # fmt: skip
def test_open_by_the_clocks_of_london(moment: str, is_open: bool) -> None:
    assert WEEK.is_open(at(moment)) is is_open


@pytest.mark.parametrize(
    ("moment", "opens"),
    [
        ("2026-11-23T03:00", "2026-11-23T08:00"), ("2026-11-23T22:00", "2026-11-24T08:00"),
        ("2026-11-27T23:00", "2026-11-28T09:30"), ("2026-11-29T19:00", "2026-11-30T08:00"),
        ("2026-03-28T20:00", "2026-03-29T08:30"),  # the clocks go forward that night
        ("2026-10-24T20:00", "2026-10-25T09:30"),  # and back
    ],
)  # fmt: skip
def test_when_it_opens_next(moment: str, opens: str) -> None:
    found = WEEK.opens_next(at(moment))
    assert found and found.astimezone(UTC) == at(opens) and WEEK.is_open(found)


def test_open_once_a_week_it_opens_in_a_week() -> None:
    wednesdays = read_hours("Wed 10:00-12:00")
    found = wednesdays.opens_next(at("2026-11-25T12:00"))
    assert found and local(found).isoformat()[:16] == "2026-12-02T10:00"


def test_past_midnight_is_said_as_two() -> None:
    late = read_hours("Mon-Sun 00:00-02:00, Mon-Sun 18:00-24:00")
    assert late.is_open(at("2026-11-23T23:59")) and late.is_open(at("2026-11-24T01:59"))
    assert not late.is_open(at("2026-11-24T02:00"))


def test_at_all_hours_and_never() -> None:
    always, never = read_hours(ALWAYS), read_hours(CLOSED)
    for hours in range(0, 24 * 8, 5):
        moment = at("2026-11-23T00:00") + timedelta(hours=hours)
        assert always.is_open(moment) and not never.is_open(moment)
    assert always.is_offered and not never.is_offered
    assert never.opens_next(at("2026-11-23T00:00")) is None and never.in_words() == []


def test_in_words() -> None:
    assert WEEK.in_words() == ["Monday to Friday, 8:00am to 10:00pm", "Saturday to Sunday, 9:30am to 6:00pm"]
    assert read_hours(ALWAYS).in_words() == ["Every day, at all hours"]
    assert read_hours("Wed 12:00-24:00").in_words() == ["Wednesday, 12:00pm to midnight"]


@pytest.mark.parametrize(
    "text",
    ["", "always", "Mon-Fri", "08:00-22:00", "Mon-Fri 8:00-22:00", "Mon-Fri 22:00-08:00", "Mon-Fri 08:00-08:00",
     "Fri-Mon 08:00-22:00", "Mon-Xyz 08:00-22:00", "Mon-Fri 08:60-22:00", "Mon-Fri 08:00-24:01",
     "Mon-Fri 08:00-22:00,Sat 09:00-12:00", "Mon-Fri 08:00-22:00, ", "mon-fri 08:00-22:00", "Montag 08:00-22:00"],
)  # fmt: skip
def test_what_cannot_be_read_says_what_is_wrong(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not like|ends before|no time of day"):
        read_hours(text)
