"""The force's monthly figures from the sums: reports by the month they were received, crimes by the month they were
recorded. Pure.

Calendar months are those of Europe/London. Source: the force's answer of 2019 (two tables), Home Office Counting
Rules (24 hours).
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from math import ceil
from typing import Any, NamedTuple

from chalicelib.errors import FieldError, InvalidAnswers
from chalicelib.figures import LETTER_STATES, LETTER_TOOK, TOOK, Sums, of_chat
from chalicelib.report import LIVE_CHAT, ONLINE, TIME_TO_CRIME
from chalicelib.times import read_stamp

CATEGORIES = ("burglary", "theft", "criminal_damage")
NOT_CRIMED_REASONS = ("no_offence", "contrary_evidence", "victim_unconfirmed", "another_force", "duplicate")
CANCEL_CODES = ("C1", "C2", "C3", "C4")
MOST_MONTHS = 120
USUAL_MONTHS = 12
EARLIEST = "2000-01"  # before which no force was asked anything online
AGES = ("under_6h", "6h_to_12h", "12h_to_18h", "18h_to_24h", "past_deadline")

_ByMonth = dict[tuple[str, str], Counter[str]]

Row = dict[str, Any]
"""What `GET /statistics` says of one month, or of several together."""


class Imported(NamedTuple):
    """What the force counted in a month before there was this service; None where it is not known."""

    reports: int
    crimes: int | None


def is_month(text: str) -> bool:
    """Whether it is a year and a month, such as `2019-03`."""
    return bool(re.fullmatch("[0-9]{4}-(0[1-9]|1[0-2])", text))


def months_between(first: str, last: str) -> list[str]:
    """`2018-11`, `2019-01` -> the months from the first to the last. Raises InvalidAnswers for no such range."""
    return _range(_number("from", first), _number("to", last))


def months_asked(first: str, last: str, latest: str) -> list[str]:
    """The same, where no text for the last month means `latest`, and none for the first the twelve up to the last.
    Raises InvalidAnswers for a month after `latest`, too.
    """
    given = {name: _number(name, text) for name, text in (("from", first), ("to", last)) if text}
    until = _number("to", latest)
    future = [FieldError(name, "Give an earlier month") for name, number in given.items() if number > until]
    if future:
        raise InvalidAnswers(errors=future)
    end = given.get("to", until)
    return _range(given.get("from", end - USUAL_MONTHS + 1), end)


def monthly(months: Sequence[str], sums: Sums, imported: Mapping[str, Imported], category: str = "") -> list[Row]:
    """One row for each of `months`, of one category only if it is named. `reports` and `crimes` have what was imported
    in them, and the row says how much that is: None where it is not known, as of each category.
    """
    counted = _by_month(sums)
    return [{"month": one} | _row([one], counted, imported, category) for one in months]


def together(months: Sequence[str], sums: Sums, imported: Mapping[str, Imported], category: str = "") -> Row:
    """The row of all `months` together: what cannot be added up (a median) is of all of them, too."""
    return _row(months, _by_month(sums), imported, category)


def percentile(times: Mapping[int, int], share: float) -> int | None:
    """The time within which `share` of all were done: the nearest rank. `times` has how often each occurred."""
    rank = ceil(share * sum(times.values()))
    for time in sorted(times):
        rank -= times[time]
        if rank <= 0:
            return time
    return None


def open_by_age(deadlines: Iterable[str], now: datetime) -> dict[str, int]:
    """How many open reports are how old, by their `deadlines` (stamps)."""
    ages = Counter(_age(read_stamp(deadline) - now) for deadline in deadlines)
    return {age: ages[age] for age in AGES}


def _row(months: Sequence[str], sums: _ByMonth, imported: Mapping[str, Imported], category: str) -> Row:
    counted = {one: _added([sums.get((month, one), {}) for month in months])
               for one in CATEGORIES if category in ("", one)}  # fmt: skip
    all_of_it = _added([*counted.values()])
    there = [imported[one] for one in months if one in imported]
    before = there if not category else []
    return {
        "reports": all_of_it["reports"] + sum(one.reports for one in before),
        "crimes": all_of_it["crimes"] + sum(one.crimes or 0 for one in before),
        "by_category": {one: {what: of[what] for what in ("reports", "crimes")} for one, of in counted.items()},
        "by_source": _by_source(all_of_it),
        "crimed_within_24h": all_of_it["within_24h"],
        "crimed_automatically": all_of_it["automatically"],
        "cancelled": {code: all_of_it[f"crimes_cancelled.{code}"] for code in CANCEL_CODES},
        "time_to_crime": _times(all_of_it, TOOK),
        "not_crimed": {reason: all_of_it[f"not_crimed.{reason}"] for reason in NOT_CRIMED_REASONS},
        "call_backs": all_of_it["call_backs"],
        "open": all_of_it["open"],
        "letters": {state: all_of_it[f"letters.{state}"] for state in LETTER_STATES} | _times(all_of_it, LETTER_TOOK),
        **({"imported": _imported(before)} if there else {}),
    }  # fmt: skip


def _by_source(counted: Mapping[str, int]) -> dict[str, dict[str, int]]:
    """What was counted by this service, from the forms and from the live chat: together they are all of it."""
    chat = {what: counted.get(of_chat(what), 0) for what in ("reports", "crimes")}
    return {ONLINE: {what: counted.get(what, 0) - count for what, count in chat.items()}, LIVE_CHAT: chat}


def _by_month(sums: Sums) -> _ByMonth:
    found: _ByMonth = {}
    for (month, category, name), count in sums.items():
        found.setdefault((month, category), Counter())[name] += count
    return found


def _added(counts: Iterable[Mapping[str, int]]) -> Counter[str]:
    total = Counter[str]()
    for one in counts:
        total.update(one)
    return total


def _times(counted: Mapping[str, int], prefix: str) -> dict[str, int | None]:
    times = {int(name.removeprefix(prefix)): count for name, count in counted.items()
             if count and name.startswith(prefix)}  # fmt: skip
    return {"median_minutes": percentile(times, 0.5), "p95_minutes": percentile(times, 0.95)}


def _imported(before: Sequence[Imported]) -> dict[str, int | None]:
    known = [one.crimes for one in before if one.crimes is not None]
    return {"reports": sum(one.reports for one in before) if before else None, "crimes": sum(known) if known else None}


def _range(begin: int, end: int) -> list[str]:
    if end < begin:
        raise InvalidAnswers(errors=[FieldError("to", "The last month must not be before the first")])
    if end - begin >= MOST_MONTHS:
        raise InvalidAnswers(errors=[FieldError("to", "Ask for ten years or less at a time")])
    if begin < _number("from", EARLIEST):
        raise InvalidAnswers(errors=[FieldError("from", "Give a month of this century")])
    return [f"{number // 12:04}-{number % 12 + 1:02}" for number in range(begin, end + 1)]


def _number(name: str, text: str) -> int:
    if is_month(text):
        return int(text[:4]) * 12 + int(text[5:]) - 1
    raise InvalidAnswers(errors=[FieldError(name, "Give a year and a month, such as 2019-03")])


def _age(left: timedelta) -> str:
    if left < timedelta(0):
        return AGES[-1]
    return AGES[min(3, int((TIME_TO_CRIME - left) / timedelta(hours=6)))]
