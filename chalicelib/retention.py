"""How long decided reports are kept: groups and periods, legal hold, and what is left once one is erased. Pure.

A period begins with the last decision, or with the last review that kept the report. When it is over nothing happens by
itself: a supervisor looks at the report, and keeps, holds or erases it. See `docs/adr/0024-retention.md`.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, time, timedelta

from chalicelib.errors import NotAllowed
from chalicelib.life_cycle import Move, Status
from chalicelib.report import Actor, Report, Words, after_move, require_room, with_entry
from chalicelib.times import day_of, london, read_stamp, spoken_day, stamp

GROUPS = {
    "not_crimed": "Not crimed",
    "cancelled": "Crime cancelled",
    "filed": "Filed",
    "further_investigation": "Further investigation",
}
"""Each decided report is of one."""
CHAT = "chat"
"""The group of concluded conversations of the live chat of which no report was made. What one was made of is kept as
long as its reports."""

# Years; months for conversations. After the review periods of the police's Management of Police Information (College of
# Policing, APP Information management: six clear years for offences that are neither sexual, violent nor serious),
# which say when to look again, and are not all of the law. From memory: the force has to check them, and sets its own
# (RETENTION).
USUAL = "not_crimed=2 cancelled=2 filed=6 further_investigation=10 chat=6m"
MOST_YEARS = MOST_MONTHS = 100

CLOSED, HELD, ERASING = LISTS = ("closed", "held", "erasing")
"""Lists of the index by urgency, by time: decided, under legal hold, and erased with something left to be cleaned."""

WHY_ERASED = {"period": "its period was over", "request": "the person asked for it"}

Periods = Mapping[str, int]
"""For how many years reports of each group are kept, and for how many months conversations."""


def read_periods(text: str) -> Periods:
    """The periods in a setting such as USUAL. Raises ValueError, saying what it has to be, and what is wrong."""
    rule = f"years from 1 to {MOST_YEARS} for each group, months for {CHAT}, such as {USUAL}"
    periods, groups = dict[str, int](), (*GROUPS, CHAT)
    for word in text.split():
        group, _, number = word.partition("=")
        if group not in groups or group in periods or not _is_period(group, number):
            raise ValueError(f"{rule}; wrong, or there twice: {word}")
        periods[group] = int(number.removesuffix("m"))
    if missing := [group for group in groups if group not in periods]:
        raise ValueError(f"{rule}; name all five groups: {', '.join(groups)}; missing: {', '.join(missing)}")
    return periods


def _is_period(group: str, number: str) -> bool:
    unit, most = ("m", MOST_MONTHS) if group == CHAT else ("", MOST_YEARS)
    return bool(re.fullmatch(f"[0-9]{{1,3}}{unit}", number)) and 1 <= int(number.removesuffix("m")) <= most


def group_of(report: Report) -> str | None:
    """The group of a decided report. None while something is to be done about it, and once it was erased."""
    if report.is_open or report.awaits_disposal or report.has_news or report.erased_at:
        return None
    if report.status is Status.NOT_CRIMED:
        return "cancelled" if report.crime and report.crime.cancelled else "not_crimed"
    return report.crime.disposal if report.crime else None


def kept_since(report: Report) -> datetime:
    """When its period began: with the last decision, or the last review that kept it."""
    begin = ("received", "crimed", "not_crimed", "disposed", "cancelled", "kept")
    return read_stamp([entry["at"] for entry in report.entries if entry["what"] in begin][-1])


def due_on(since: datetime, years: int) -> date:
    """The day in London on which a period that began at `since` is over: the same day of the calendar, years later."""
    return _months_on(day_of(since), 12 * years)


def goes_on(concluded_at: datetime, months: int) -> date:
    """The day in London on which a conversation goes: the same day of the calendar, months later."""
    return _months_on(day_of(concluded_at), months)


def gone_before(day: date, months: int) -> datetime:
    """The moment before which whatever goes on `day` or earlier was concluded."""
    return datetime.combine(_months_on(day, -months) + timedelta(days=1), time(), london())


def review_on(report: Report, periods: Periods) -> date | None:
    """The day in London on which it is due for review; None if it is in no group, or held."""
    group = group_of(report)
    return due_on(kept_since(report), periods[group]) if group and not held_by_law(report) else None


def held_by_law(report: Report) -> int:
    """The version of the entry that put it under legal hold, 0 if it is not."""
    holds = [entry for entry in report.entries if entry["what"] in ("legal_hold", "hold_lifted")]
    return int(holds[-1]["version"]) if holds and holds[-1]["what"] == "legal_hold" else 0


def retained(report: Report) -> tuple[str | None, str | None]:
    """The list that a decided report is in, and its place there; None twice for any other."""
    if report.erased_at:
        return ERASING, _place(report.erased_at, report)
    if not (group := group_of(report)):
        return None, None
    if version := held_by_law(report):
        return HELD, _place(read_stamp(report.entries[version - 1]["at"]), report)
    return CLOSED, f"{group}#{_place(kept_since(report), report)}"


def between(group: str, periods: Periods, now: datetime, after: str) -> tuple[str, str]:
    """The first and the last place in CLOSED of what is due in a group, from the time and reference `after` on."""
    return f"{group}#{after}", f"{group}#{stamp(gone_before(day_of(now), 12 * periods[group]))}"


def _months_on(day: date, months: int) -> date:
    """Where the month has no such day (29 February): the day after its last if that is later than the day, and its last
    if it is earlier.
    """
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    try:
        return date(year, month + 1, day.day)
    except ValueError:  # never in December
        return date(year, month + 2, 1) - timedelta(days=months < 0)


def _place(at: datetime, report: Report) -> str:
    return f"{stamp(at)}#{report.reference}"


# What supervisors do. A hold and an erasure are decisions: they fit, however long the history is.


def hold(report: Report, by: Actor, at: datetime, words: Words) -> Report:
    """Under legal hold: never erased until it is lifted, whatever its period, and whoever asks."""
    moved = after_move(report, Move.HOLD)
    if held_by_law(report):
        raise NotAllowed("It is under legal hold already.")
    return with_entry(moved, "legal_hold", by, at, words=words)


def lift(report: Report, by: Actor, at: datetime, words: Words) -> Report:
    """No longer under legal hold. Its period goes on from where it began."""
    moved = after_move(report, Move.LIFT)
    if not held_by_law(report):
        raise NotAllowed("It is not under legal hold.")
    return with_entry(moved, "hold_lifted", by, at, words=words)


def keep(report: Report, by: Actor, at: datetime, words: Words) -> Report:
    """Reviewed, and kept for another period."""
    moved = after_move(report, Move.KEEP)
    _require_decided(report)
    require_room(report)
    return with_entry(moved, "kept", by, at, words=words)


def erase(report: Report, by: Actor, at: datetime, why: str, words: Words, periods: Periods) -> Report:
    """Nothing is left of what people said but `words`, which tell why. `why` is one of WHY_ERASED. The history stays:
    its entries commit to the words without having them, and figures and proof need no more.
    """
    moved = after_move(report, Move.ERASE)
    if report.awaits_disposal:
        raise NotAllowed("It still needs a disposal. Dispose of it first.")
    if held_by_law(report):
        raise NotAllowed("It is under legal hold. Lift that first, if it is over.")
    if why == "period":
        _require_decided(report)
        due = due_on(kept_since(report), periods[group_of(report) or ""])
        if due > day_of(at):
            raise NotAllowed(f"Its period is not over before {spoken_day(due)}.")
    empty = replace(moved, answers={}, words=(), claim=None)
    return with_entry(empty, "erased", by, at, {"why": why}, words)


def _require_decided(report: Report) -> None:
    if held_by_law(report):
        raise NotAllowed("It is under legal hold, so no period ends.")
    if not group_of(report):
        raise NotAllowed("Something is still to be done about it. Open it, and see to that first.")
