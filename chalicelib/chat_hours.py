"""When advisors answer the live chat: `Mon-Fri 08:00-22:00, Sat-Sun 09:00-18:00`, by the clocks of London. Pure."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from chalicelib.language import said
from chalicelib.times import local

CLOSED = "closed"
ALWAYS = "Mon-Sun 00:00-24:00"
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_STRETCH = r"(?P<first>[A-Z][a-z]{2})(-(?P<last>[A-Z][a-z]{2}))? (?P<opens>\d\d:\d\d)-(?P<closes>\d\d:\d\d)"


class Stretch(NamedTuple):
    """Open from a minute of the day to another (1440 is midnight at its end), on the days from `first` to `last`."""

    first: int
    last: int
    opens: int
    closes: int


@dataclass(frozen=True)
class Hours:
    """When the chat is open. With no stretch there is no chat."""

    stretches: tuple[Stretch, ...]

    @property
    def is_offered(self) -> bool:
        """Whether there is a chat at all."""
        return bool(self.stretches)

    def is_open(self, at: datetime) -> bool:
        """Whether advisors answer at that moment."""
        there = local(at)
        minute = there.hour * 60 + there.minute
        return any(one.first <= there.weekday() <= one.last and one.opens <= minute < one.closes
                   for one in self.stretches)  # fmt: skip

    def opens_next(self, at: datetime) -> datetime | None:
        """When it opens next after a moment at which it is closed; London time, to the minute."""
        minute = local(at).replace(second=0, microsecond=0)
        coming = [self._opening(minute, days) for days in range(8)]
        return min((moment for found in coming for moment in found if moment > at), default=None)

    def in_words(self) -> list[str]:
        """`Monday to Friday, 8:00am to 10:00pm`, a line each."""
        return [_spoken(one) for one in self.stretches]

    def _opening(self, minute: datetime, days: int) -> list[datetime]:
        day = minute + timedelta(days=days)
        return [day.replace(hour=one.opens // 60, minute=one.opens % 60) for one in self.stretches
                if one.first <= day.weekday() <= one.last]  # fmt: skip


def read_hours(text: str) -> Hours:
    """The hours that a setting says. Raises ValueError with what is wrong with it."""
    if text == CLOSED:
        return Hours(())
    return Hours(tuple(map(_read_stretch, text.split(", "))))


def _read_stretch(text: str) -> Stretch:
    found = re.fullmatch(_STRETCH, text)
    if not found or not {found["first"], found["last"] or "Mon"} <= set(DAYS):
        raise ValueError(f"“{text}” is not like Mon-Fri 08:00-22:00")
    first = DAYS.index(found["first"])
    one = Stretch(first, DAYS.index(found["last"] or found["first"]), _minute(found["opens"]), _minute(found["closes"]))
    if one.last < one.first or not 0 <= one.opens < one.closes <= 24 * 60:
        two = "say what goes past midnight as two, such as Fri 22:00-24:00, Sat 00:00-06:00"
        raise ValueError(f"“{text}” ends before it begins: {two}")
    return one


def _minute(text: str) -> int:
    hours, minutes = map(int, text.split(":"))
    if minutes > 59:
        raise ValueError(f"“{text}” is no time of day")
    return hours * 60 + minutes


def _spoken(one: Stretch) -> str:
    first, last = said(_NAMES[one.first]), said(_NAMES[one.last])
    days = said("Every day") if one.last - one.first == 6 else first
    if first != last and one.last - one.first < 6:
        days = said("{first} to {last}").format(first=first, last=last)
    if one.opens == 0 and one.closes == 24 * 60:
        return said("{days}, at all hours").format(days=days)
    return said("{days}, {opens} to {closes}").format(days=days, opens=_clock(one.opens), closes=_clock(one.closes))


def _clock(minute: int) -> str:
    if minute == 24 * 60:
        return said("midnight")
    hour = minute // 60
    return f"{(hour - 1) % 12 + 1}:{minute % 60:02}{'am' if hour < 12 else 'pm'}"
