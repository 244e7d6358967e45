"""When a person may choose to be called back, and when an officer tries again. Pure.

The parts of days are those in which Public Contact Officers call; none of them stops the 24 hours.
"""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from chalicelib.language import said
from chalicelib.times import LONDON, local

SOON = "soon"
_PARTS = {"morning": (8, 12, "8am to noon"), "afternoon": (12, 17, "noon to 5pm"), "evening": (17, 20, "5pm to 8pm")}
_NOTICE = timedelta(hours=1)  # a part that is nearly over is not offered
_MOST = 6
LARGEST_SHARE = 10  # per cent of reports that may need a call-back: the force's own aim, foi-response.txt
LAST_CHANCE = timedelta(hours=2)  # before the deadline: what was not asked by then is decided without
_WAIT = {"requested": timedelta(0), "no_answer": timedelta(hours=1), "left_message": timedelta(hours=3)}


def next_attempt(result: str, at: datetime, deadline: datetime) -> datetime | None:
    """When to try again after an attempt with that result; None once the person was reached. Soon enough before the
    deadline, however it went.
    """
    if result not in _WAIT:
        return None
    return max(at, min(at + _WAIT[result], deadline - LAST_CHANCE))


def offered(now: datetime, deadline: datetime) -> dict[str, str]:
    """The times that may be chosen, as the form has them and in words: `2026-11-27-morning`, `Friday 27 November, 8am
    to noon`. Both arguments are aware; days are those of London.
    """
    first, last = local(now).date(), local(deadline).date()
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    fitting = [(day, part) for day in days for part in _PARTS if _fits(day, part, now, deadline)]
    return {SOON: said("As soon as you can")} | {f"{day}-{part}": _in_words(day, part) for day, part in fitting[:_MOST]}


def _fits(day: date, part: str, now: datetime, deadline: datetime) -> bool:
    begins, ends, _ = _PARTS[part]
    return _at(day, ends) - now > _NOTICE and _at(day, begins) < deadline


def _at(day: date, hour: int) -> datetime:
    return datetime.combine(day, time(hour), ZoneInfo(LONDON))


def _in_words(day: date, part: str) -> str:
    words = {"weekday": said(f"{day:%A}"), "day": day.day, "month": said(f"{day:%B}"), "part": said(_PARTS[part][2])}
    return said("{weekday} {day} {month}, {part}").format(**words)
