"""The months that the force told of, when their reports come, and what is to become of each report."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil
from pathlib import Path
from random import Random
from typing import NamedTuple

from chalicelib.imported import read
from chalicelib.times import local, month

SEED = 20190301
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FEWEST_DAYS = 3  # a report that is left to the 24-hour rule needs a day and a bit
TABLES = Path(__file__).parents[1] / "west_midlands_2018_2019.csv"

# Source: West Midlands Police, answer to a freedom of information request, 2019. Online incident reports, and crimes
# with the source as online: those are not told for the first two months.
MONTHS = read(TABLES.read_bytes(), "2019-06")

# The hours (in London) at which something happens: people report, officers work. Once a day and not at each hour, as
# each time the service has to come to rest, its clock is moved, and all its schedules run.
COME, WORK = 12, 23
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


class Plan(NamedTuple):
    """A month to play: its `moments` (UTC), the one at which each report `comes`, in order, and the fate of each."""

    month: str
    moments: list[datetime]
    comes: list[datetime]
    fates: list[Fate]
    crimes: int


def plan(name: str, reports: int) -> Plan:
    """Month `name`, or its first days if `reports` are fewer than it had. The same each time it is asked for."""
    chance, share = Random(f"{SEED} {name}"), reports / MONTHS[name].reports
    crimes = round(crimes_of(name) * share)
    moments = moments_of(name, share)
    comes = arrivals(moments, reports, chance)
    return Plan(name, moments, comes, fates(comes, crimes, moments[-1] + HOUR, chance), crimes)


def crimes_of(name: str) -> int:
    """The crimes of a month; where they are not told, as many of its reports as of those of all other months."""
    known = [figures for figures in MONTHS.values() if figures.crimes is not None]
    share = sum(figures.crimes or 0 for figures in known) / sum(figures.reports for figures in known)
    crimes = MONTHS[name].crimes
    return round(MONTHS[name].reports * share) if crimes is None else crimes


def moments_of(name: str, share: float) -> list[datetime]:
    """When something happens in a month in London, in UTC; of its first days only for a `share` below 1, at the same
    rate a day.
    """
    year, number = map(int, name.split("-"))
    midday = datetime(year, number, 1, 12, tzinfo=UTC)
    hours = [midday + HOUR * count for count in range(-DAY // HOUR, 32 * 24)]
    moments = [hour for hour in hours if month(hour) == name and local(hour).hour in (COME, WORK)]
    days = max(FEWEST_DAYS, ceil(local(moments[-1]).day * share))
    return [moment for moment in moments if local(moment).day <= days]


def arrivals(moments: list[datetime], reports: int, chance: Random) -> list[datetime]:
    """The moment at which each report comes, in order."""
    return sorted(chance.choices([moment for moment in moments if local(moment).hour == COME], k=reports))


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
