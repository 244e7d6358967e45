"""The months that the force told of, when their reports come, and what is to become of each report."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil
from random import Random
from typing import NamedTuple

from chalicelib.times import local, month

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FEWEST_DAYS = 3  # a report that is left to the 24-hour rule needs a day and a bit


class Figures(NamedTuple):
    """Online incident reports, and crimes with the source as online."""

    reports: int
    crimes: int | None


# Source: West Midlands Police, answer to a freedom of information request, 2019.
MONTHS = {
    "2018-01": Figures(619, None),
    "2018-02": Figures(578, None),
    "2018-03": Figures(657, 469),
    "2018-04": Figures(569, 421),
    "2018-05": Figures(765, 354),
    "2018-06": Figures(972, 486),
    "2018-07": Figures(1318, 741),
    "2018-08": Figures(1252, 711),
    "2018-09": Figures(1125, 691),
    "2018-10": Figures(1336, 808),
    "2018-11": Figures(1249, 856),
    "2018-12": Figures(985, 626),
    "2019-01": Figures(1432, 928),
    "2019-02": Figures(2761, 1711),
    "2019-03": Figures(3098, 2076),
    "2019-04": Figures(2981, 2040),
    "2019-05": Figures(3024, 1932),
    "2019-06": Figures(2816, 1929),
}

_BY_HOUR = (2, 1, 1, 1, 1, 2, 3, 4, 5, 5, 5, 5, 6, 6, 5, 5, 6, 7, 9, 10, 10, 9, 6, 3)  # people report in the evening
_REASONS = {"no_offence": 36, "victim_unconfirmed": 26, "duplicate": 16, "another_force": 12, "contrary_evidence": 10}
_LEFT, _REACHED = 0.03, 0.04  # of all reports; together they are the call-backs, which the force says are under 10%


@dataclass(frozen=True)
class Fate:
    """What is to become of a report: crimed, or not for a `reason`; `original` is the place of the one it repeats.

    `call_back` is "reached", "unanswered" (then it is left until the 24-hour rule crimes it) or empty.
    """

    reason: str = ""
    call_back: str = ""
    original: int | None = None

    @property
    def is_left(self) -> bool:
        """Whether officers leave it to the 24-hour rule."""
        return self.call_back == "unanswered"


def hours_of(name: str, share: float) -> list[datetime]:
    """The hours of a month in London, in UTC; of its first days only for a `share` below 1, at the same rate a day."""
    year, number = map(int, name.split("-"))
    midday = datetime(year, number, 1, 12, tzinfo=UTC)
    first = midday - HOUR * local(midday).hour
    hours = [first + HOUR * count for count in range(32 * 24)]
    hours = [hour for hour in hours if month(hour) == name]
    days = max(FEWEST_DAYS, ceil(local(hours[-1]).day * share))
    return [hour for hour in hours if local(hour).day <= days]


def arrivals(hours: list[datetime], reports: int, chance: Random) -> list[datetime]:
    """The hour at which each report comes, in order."""
    return sorted(chance.choices(hours, [_BY_HOUR[local(hour).hour] for hour in hours], k=reports))


def fates(comes: list[datetime], crimes: int, end: datetime, chance: Random) -> list[Fate]:
    """What becomes of each report, so that exactly `crimes` are crimed before `end`."""
    places = chance.sample(range(len(comes)), len(comes))
    not_crimed, crimed = places[crimes:], places[:crimes]
    leavable = [place for place in crimed if comes[place] < end - DAY - HOUR]
    left = set(leavable[: int(_LEFT * len(comes))])
    reached = [place for place in places if place not in left][: int(_REACHED * len(comes))]
    calls = dict.fromkeys(left, "unanswered") | dict.fromkeys(reached, "reached")
    reasons = dict(zip(not_crimed, chance.choices([*_REASONS], [*_REASONS.values()], k=len(not_crimed)), strict=True))
    if reasons.get(0) == "duplicate":
        reasons[0] = "no_offence"  # the first of all repeats nothing
    return [
        Fate(reasons.get(place, ""), calls.get(place, ""), _original(place, reasons)) for place in range(len(comes))
    ]


def _original(place: int, reasons: dict[int, str]) -> int | None:
    if reasons.get(place) != "duplicate":
        return None
    return next(other for other in range(place - 1, -1, -1) if reasons.get(other) != "duplicate")
