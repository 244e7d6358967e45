"""When a person may choose to be called back: parts of days of London, from now to the deadline."""

from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.call_backs import offered

DAY = timedelta(hours=24)


def times(now: datetime, deadline: datetime | None = None) -> list[str]:
    return list(offered(now, deadline or now + DAY))


def test_a_morning_has_all_until_the_decision_tomorrow() -> None:
    now = datetime(2026, 11, 26, 9, 5, tzinfo=UTC)
    assert offered(now, now + DAY) == {
        "soon": "As soon as you can",
        "2026-11-26-morning": "Thursday 26 November, 8am to noon",
        "2026-11-26-afternoon": "Thursday 26 November, noon to 5pm",
        "2026-11-26-evening": "Thursday 26 November, 5pm to 8pm",
        "2026-11-27-morning": "Friday 27 November, 8am to noon",
    }


def test_a_part_that_is_nearly_over_is_not_offered() -> None:
    assert times(datetime(2026, 11, 26, 11, 0, tzinfo=UTC))[1] == "2026-11-26-afternoon"
    assert times(datetime(2026, 11, 26, 10, 59, tzinfo=UTC))[1] == "2026-11-26-morning"


def test_at_night_it_begins_in_the_morning() -> None:
    assert times(datetime(2026, 11, 26, 23, 0, tzinfo=UTC))[1] == "2026-11-27-morning"


def test_a_deadline_that_is_near_or_past_leaves_a_few() -> None:
    now = datetime(2026, 11, 26, 12, 30, tzinfo=UTC)
    assert times(now, now + timedelta(minutes=1)) == ["soon", "2026-11-26-afternoon"]
    assert times(now, now - DAY) == ["soon"]


@pytest.mark.parametrize(
    ("now", "first"),
    [
        (datetime(2026, 3, 29, 9, 59, tzinfo=UTC), "2026-03-29-morning"),  # summer time since 1am: 10:59 in London
        (datetime(2026, 3, 29, 10, 0, tzinfo=UTC), "2026-03-29-afternoon"),
        (datetime(2026, 3, 28, 10, 59, tzinfo=UTC), "2026-03-28-morning"),
        (datetime(2026, 10, 25, 10, 59, tzinfo=UTC), "2026-10-25-morning"),  # winter time again
        (datetime(2026, 10, 24, 10, 0, tzinfo=UTC), "2026-10-24-afternoon"),
    ],
)
def test_days_on_which_the_clocks_change(now: datetime, first: str) -> None:
    assert times(now)[1] == first
    assert len(set(times(now))) == len(times(now)) > 3
