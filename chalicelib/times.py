"""Times as the service writes them (RFC 3339, UTC, whole seconds) and as people in England read them."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from chalicelib.language import said

LONDON = "Europe/London"


def stamp(at: datetime) -> str:
    """`2026-11-23T09:05:00Z`; sorts as it runs. Fractions of a second are cut off."""
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def read_stamp(text: str) -> datetime:
    """The aware datetime of a `stamp`."""
    return datetime.fromisoformat(text)


def local(at: datetime) -> datetime:
    """The same moment on the clocks of London."""
    return at.astimezone(london())


def london() -> ZoneInfo:
    """The time zone of the service's people."""
    return ZoneInfo(LONDON)


def day_of(at: datetime) -> date:
    """The day of the calendar in London."""
    return local(at).date()


def month(at: datetime) -> str:
    """The calendar month in London, `2026-11`."""
    return local(at).strftime("%Y-%m")


def spoken(at: datetime) -> str:
    """`9:05am on Monday 23 November 2026`, London time."""
    there = local(at)
    words = {"time": clock(at), "weekday": said(f"{there:%A}"), "day": there.day, "month": said(f"{there:%B}")}
    return said("{time} on {weekday} {day} {month} {year}").format(**words, year=there.year)


def clock(at: datetime) -> str:
    """`9:05am`, London time."""
    return local(at).strftime("%I:%M%p").lstrip("0").lower()


def spoken_day(day: date) -> str:
    """`Monday 23 November 2026`, as officers read it."""
    return f"{day:%A} {day.day} {day:%B} {day.year}"
