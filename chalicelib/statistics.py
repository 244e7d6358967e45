"""The force's monthly figures: reports by the month they were received, crimes by the month they were recorded.

Calendar months are those of Europe/London. Source: the force's answer of 2019 (two tables), Home Office Counting
Rules (24 hours).
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from chalicelib.errors import FieldError, InvalidAnswers
from chalicelib.life_cycle import OPEN
from chalicelib.report import RULE
from chalicelib.times import month, read_stamp

CATEGORIES = ("burglary", "theft", "criminal_damage")
NOT_CRIMED_REASONS = ("no_offence", "contrary_evidence", "victim_unconfirmed", "another_force", "duplicate")
MOST_MONTHS = 120
COLUMNS = ("month", "reports", "crimes", "crimed_within_24h", "crimed_automatically", "call_backs", "open")

Row = Mapping[str, Any]


def months_between(first: str, last: str) -> list[str]:
    """`2018-11`, `2019-01` -> the months from the first to the last. Raises InvalidAnswers for no such range."""
    numbers = {name: _number(name, text) for name, text in (("from", first), ("to", last))}
    count = numbers["to"] - numbers["from"] + 1
    if count < 1:
        raise InvalidAnswers(errors=[FieldError("to", "The last month must not be before the first")])
    if count > MOST_MONTHS:
        raise InvalidAnswers(errors=[FieldError("to", f"Ask for {MOST_MONTHS} months or fewer at a time")])
    return [f"{number // 12:04}-{number % 12 + 1:02}" for number in range(numbers["from"], numbers["to"] + 1)]


def monthly(months: Sequence[str], received: Iterable[Row], crimed: Iterable[Row]) -> list[dict[str, Any]]:
    """One row of figures for each of `months`.

    `received` has a row for each report received in them, `crimed` for each crime recorded in them, in any order.
    """
    reports, crimes = _by_month(received, "received_at"), _by_month(crimed, "crimed_at")
    return [_figures(one, reports.get(one, []), crimes.get(one, [])) for one in months]


def table(figures: Iterable[Mapping[str, Any]]) -> list[list[str | int]]:
    """The figures as rows under a row of column names, for a CSV file."""
    by_category = [f"{category}_{what}" for category in CATEGORIES for what in ("reports", "crimes")]
    reasons = [f"not_crimed_{reason}" for reason in NOT_CRIMED_REASONS]
    rows: list[list[str | int]] = [[*COLUMNS, *by_category, *reasons]]
    for row in figures:
        counts = [row["by_category"][category][what] for category in CATEGORIES for what in ("reports", "crimes")]
        rows.append([*(row[column] for column in COLUMNS), *counts,
                     *(row["not_crimed"][reason] for reason in NOT_CRIMED_REASONS)])  # fmt: skip
    return rows


def _figures(month: str, reports: Sequence[Row], crimes: Sequence[Row]) -> dict[str, Any]:
    received = Counter(row["category"] for row in reports)
    recorded = Counter(row["category"] for row in crimes)
    reasons = Counter(row.get("not_crimed_reason") for row in reports)
    return {
        "month": month,
        "reports": len(reports),
        "crimes": len(crimes),
        "by_category": {one: {"reports": received[one], "crimes": recorded[one]} for one in CATEGORIES},
        "crimed_within_24h": sum(row["crimed_at"] <= row["deadline"] for row in crimes),
        "crimed_automatically": sum(row["crimed_by"] == RULE.id for row in crimes),
        "not_crimed": {reason: reasons[reason] for reason in NOT_CRIMED_REASONS},
        "call_backs": sum(bool(row.get("call_backs")) for row in reports),
        "open": sum(row["status"] in OPEN for row in reports),
    }


def _by_month(rows: Iterable[Row], when: str) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(month(read_stamp(row[when])), []).append(row)
    return found


def _number(name: str, text: str) -> int:
    year, _, number = text.partition("-")
    digits = text.isascii() and year.isdigit() and number.isdigit() and (len(year), len(number)) == (4, 2)
    if digits and 1 <= int(number) <= 12:
        return int(year) * 12 + int(number) - 1
    raise InvalidAnswers(errors=[FieldError(name, f"Give “{name}” as a year and a month, such as 2019-03")])
