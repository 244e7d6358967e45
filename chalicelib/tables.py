"""The tables of the monthly figures: one description of each, from which page, CSV and JSON are made. Pure.

A cell is a number, a name (a month, a category, a reason), or a `Gap`: no number, and why.
"""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from math import ceil, floor
from typing import Any, NamedTuple

from chalicelib.report import SOURCES
from chalicelib.statistics import CANCEL_CODES, NOT_CRIMED_REASONS, Row

MONTHS = "months"
NAMES = (MONTHS, "reports", "crimes", "categories", "sources", "times", "call_backs", "not_crimed", "cancelled",
         "letters", "open_now")  # fmt: skip
CAPTIONS = {
    "reports": "Number of online incident reports",
    "crimes": "Crime with the source as online",
    "categories": "By category",
    "sources": "By source",
    "times": "Time from report to crime",
    "call_backs": "Call-backs",
    "not_crimed": "Closed without a crime, by reason",
    "cancelled": "Crimes that were cancelled later, by code",
    "letters": "Letters to the people who reported",
    "open_now": "Open now, by age",
}
_FORMULA = re.compile(r"\s*[=+\-@＝＋－＠]|[\t\r\n]")  # noqa: RUF001 - a spreadsheet takes the wide ones for the others


class Gap(StrEnum):
    """Why there is no number, as people read it. In JSON it is null, in CSV an empty cell."""

    FEW = "fewer than 5"
    NOT_SHOWN = "not shown"
    NOT_KNOWN = "not known"
    NONE = "none"


class Between(NamedTuple):
    """Per cent, from the least to the most that it may be: which it is would tell a small number."""

    least: float
    most: float


class AtLeast(NamedTuple):
    """A sum of which some parts are not shown."""

    least: int


class Part(NamedTuple):
    """From `least` to `most` of a whole; where nothing has to be hidden these are the same."""

    least: int
    most: int
    of: int


Cell = int | float | str | Gap | Between | AtLeast


class Column(NamedTuple):
    """`name` stands in CSV and JSON, `title` is for people. `kind` says what its cells are: `count`, `percent`,
    `minutes`, or the names of a `month`, `category`, `reason`, `code` or `age`.
    """

    name: str
    title: str
    kind: str = "count"


class Line(NamedTuple):
    """A row of a table; `imported` is `all`, `part` or empty: how much of it was counted before this service."""

    cells: Sequence[Cell]
    imported: str = ""


@dataclass(frozen=True)
class Table:
    """The first column names the row. The total has a cell for each column after it."""

    name: str
    caption: str
    columns: Sequence[Column]
    lines: Sequence[Line]
    total: Sequence[Cell] = ()


@dataclass(frozen=True)
class Figures:
    """What was asked for: by month and in all, of `category` only if one is named. `running` is the month that is not
    over. `open_now` has how many are open by age; None where that is not told. What is public has no small numbers.
    """

    rows: Sequence[Row]
    total: Row
    category: str = ""
    running: str = ""
    open_now: Mapping[str, int] | None = None
    is_public: bool = False


def tables(figures: Figures) -> dict[str, Table]:
    """By name, those that can be made of what the figures have."""
    total, made = figures.total, [_counts(figures, "reports"), _counts(figures, "crimes"), _categories(figures)]
    if "time_to_crime" in total:
        made += [_sources(figures), _times(figures), _call_backs(figures)]
    if "not_crimed" in total:
        made += [
            _listed(
                "not_crimed",
                "reason",
                "reports",
                {reason: total["not_crimed"][reason] for reason in NOT_CRIMED_REASONS},
            ),
            _listed("cancelled", "code", "crimes", {code: total["cancelled"][code] for code in CANCEL_CODES}),
            _letters(figures),
        ]
    if figures.open_now is not None:
        made.append(_listed("open_now", "age", "reports", figures.open_now))
    return {table.name: table for table in (_wide(figures), *made)}


def as_csv(table: Table) -> str:
    """Its rows under the names of its columns, without the total. No cell is a formula to a spreadsheet."""
    text = io.StringIO()
    csv.writer(text).writerows([[column.name for column in table.columns],
                                *([_safe(cell) for cell in line.cells] for line in table.lines)])  # fmt: skip
    return text.getvalue()


def as_json(table: Table) -> dict[str, Any]:
    """Its rows as objects by the names of its columns, and the total."""
    names = [column.name for column in table.columns]
    rows = [dict(zip(names, map(_plain, line.cells), strict=True)) for line in table.lines]
    total = dict(zip(names[1:], map(_plain, table.total), strict=False))
    return {"table": table.name, "caption": table.caption, "rows": rows} | ({"total": total} if total else {})


def part(row: Row, name: str) -> Part | None:
    """How many crimes (reports, for the `call_backs`) are so, of those that were counted by this service: of what was
    counted before it nothing of the kind is known. None where it is not shown.
    """
    if "shares" in row:
        shown = row["shares"][name]
        return Part(**shown) if shown else None
    what = "reports" if name == "call_backs" else "crimes"
    return Part(row[name], row[name], row[what] - (row.get("imported", {}).get(what) or 0))


def share(one: Part | None) -> float | Between | Gap:
    """In per cent, to one place; never rounded up to all, or down to nothing."""
    if not one:
        return Gap.NOT_SHOWN
    if not one.of:
        return Gap.NONE
    if one.least == one.most:
        percent = round(100 * one.least / one.of, 1)
        return percent if one.least in (0, one.of) else min(max(percent, 0.1), 99.9)
    return Between(floor(1000 * one.least / one.of) / 10, ceil(1000 * one.most / one.of) / 10)


def _counts(figures: Figures, what: str) -> Table:
    lines = [Line([row["month"], _count(row, what, figures.category)], _imported(row, what)) for row in figures.rows]
    return Table(what, CAPTIONS[what], [_MONTH, Column(what, "Total")], lines, [_in_all(figures, what)])


def _count(row: Row, what: str, category: str) -> Cell:
    if row[what] is None:
        return Gap.NOT_SHOWN if category or "imported" in row else Gap.FEW
    unknown = "imported" in row and row["imported"][what] is None
    return Gap.NOT_KNOWN if unknown and not row[what] else int(row[what])


def _in_all(figures: Figures, what: str) -> Cell:
    known = [row for row in figures.rows if _count(row, what, figures.category) is not Gap.NOT_KNOWN]
    return _sum(figures.total, what) if known else Gap.NOT_KNOWN


def _sum(total: Row, what: str, category: str = "") -> Cell:
    """What the total has of it, or is at least."""

    def of(row: Row) -> Any:
        return row["by_category"][category][what] if category else row[what]

    if of(total) is not None:
        return int(of(total))
    return AtLeast(of(total["at_least"])) if of(total["at_least"]) else Gap.NOT_SHOWN


def _imported(row: Row, what: str = "reports") -> str:
    if "imported" not in row:
        return ""
    before, whole = row["imported"][what], row[what]
    return "part" if whole is None or (whole and before != whole) else "all"


def _categories(figures: Figures) -> Table:
    total = figures.total
    lines = [Line([name, *(_sum(total, what, name) for what in ("reports", "crimes"))])
             for name in total["by_category"]]  # fmt: skip
    if "imported" in total:
        lines.append(Line(["not_known", *(_before(total, what) for what in ("reports", "crimes"))], "all"))
    columns = [Column("category", "Category", "category"), Column("reports", "Reports"), Column("crimes", "Crimes")]
    sums = [_in_all(figures, what) for what in ("reports", "crimes")]
    return Table("categories", CAPTIONS["categories"], columns, lines, sums)


def _before(total: Row, what: str) -> Cell:
    """How much of the total was imported; of what is hidden in it, what it is at least."""
    if (count := total["imported"][what]) is not None:
        return int(count)
    least = total.get("at_least", total)["imported"][what]
    return Gap.NOT_KNOWN if least is None else AtLeast(least) if least else Gap.NOT_SHOWN


def _sources(figures: Figures) -> Table:
    """How many came from the forms and from the live chat. Of what was imported that is not known."""
    columns = [_MONTH, Column("reports_online", "Reports: online forms"),
               Column("reports_live_chat", "Reports: live chat"), Column("crimes_online", "Crimes: online forms"),
               Column("crimes_live_chat", "Crimes: live chat")]  # fmt: skip

    def cells(row: Row) -> list[Cell]:
        return [_from(row, source, what) for what in ("reports", "crimes") for source in SOURCES]

    made = _by_month("sources", columns, figures, cells)
    unknown = all(line.cells[1] is Gap.NOT_KNOWN for line in made.lines)
    return replace(made, total=[Gap.NOT_KNOWN] * len(made.total)) if unknown else made


def _from(row: Row, source: str, what: str) -> Cell:
    if (count := row["by_source"][source][what]) is not None:
        return int(count)
    least = row.get("at_least", row)["by_source"][source][what]
    return AtLeast(least) if least else Gap.NOT_SHOWN


def _times(figures: Figures) -> Table:
    columns = [_MONTH, Column("crimes", "Crimes"), Column("crimed_within_24h", "Within 24 hours"),
               Column("crimed_within_24h_percent", "Share", "percent"), _MEDIAN, _P95,
               Column("crimed_automatically", "Crimed automatically")]  # fmt: skip

    def cells(row: Row) -> list[Cell]:
        within, automatically = part(row, "crimed_within_24h"), part(row, "crimed_automatically")
        times = _both(row["time_to_crime"], within.of if within else None)
        return [_whole(within), _exact(within), share(within), *times, _exact(automatically)]

    return _by_month("times", columns, figures, cells)


def _call_backs(figures: Figures) -> Table:
    columns = [_MONTH, Column("reports", "Reports"), Column("call_backs", "With a call-back"),
               Column("call_backs_percent", "Share", "percent")]  # fmt: skip

    def cells(row: Row) -> list[Cell]:
        called = part(row, "call_backs")
        return [_whole(called), _exact(called), share(called)]

    return _by_month("call_backs", columns, figures, cells)


def _letters(figures: Figures) -> Table:
    columns = [
        _MONTH,
        Column("sent", "Sent"),
        Column("withheld", "Withheld"),
        Column("failed", "Failed"),
        _MEDIAN,
        _P95,
    ]

    def cells(row: Row) -> list[Cell]:
        of = row["letters"]
        return [of["sent"], of["withheld"], of["failed"], *_both(of, of["sent"])]

    return _by_month("letters", columns, figures, cells)


def _by_month(name: str, columns: Sequence[Column], figures: Figures, cells: Any) -> Table:
    """Of a month that was imported nothing is known but its two totals."""
    lines = []
    for row in figures.rows:
        found, all_before = cells(row), _imported(row) == "all"
        unknown = all_before and not any(isinstance(cell, int) and cell for cell in found)
        lines.append(Line([row["month"], *([Gap.NOT_KNOWN] * len(found) if unknown else found)],
                          "all" if all_before else ""))  # fmt: skip
    return Table(name, CAPTIONS[name], columns, lines, cells(figures.total))


def _listed(name: str, kind: str, what: str, counts: Mapping[str, int]) -> Table:
    columns = [Column(kind, kind.capitalize(), kind), Column(what, what.capitalize())]
    return Table(name, CAPTIONS[name], columns, [Line([key, count]) for key, count in counts.items()],
                 [sum(counts.values())])  # fmt: skip


def _wide(figures: Figures) -> Table:
    """The monthly rows as the interface gives them, each figure in a column of its own."""
    flat = [_flat(row) for row in figures.rows]
    names = list(dict.fromkeys(name for row in flat for name in row))
    lines = [Line([_known(row.get(name), Gap.NOT_SHOWN) for name in names]) for row in flat]
    return Table(MONTHS, "Monthly figures", [Column(name, name) for name in names], lines)


def _flat(row: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in row.items():
        inside = "" if name in ("by_category", "by_source") else f"{before}{name}_"
        flat |= _flat(value, inside) if isinstance(value, Mapping) else {f"{before}{name}": value}
    return flat


def _both(times: Mapping[str, int | None], of: int | None) -> list[Cell]:
    gap = Gap.NOT_SHOWN if of is None or of else Gap.NONE
    return [_known(times[name], gap) for name in ("median_minutes", "p95_minutes")]


def _whole(one: Part | None) -> Cell:
    return one.of if one else Gap.NOT_SHOWN


def _exact(one: Part | None) -> Cell:
    return one.least if one and one.least == one.most else Gap.NOT_SHOWN


def _known(value: Any, gap: Gap = Gap.NOT_SHOWN) -> Any:
    return gap if value is None else value


def _plain(cell: Cell) -> Cell | None:
    return None if isinstance(cell, Gap | Between | AtLeast) else cell


def _safe(cell: Cell) -> str:
    text = "" if isinstance(cell, Gap | Between | AtLeast) else str(cell)
    return f"'{text}" if _FORMULA.match(text) else text


_MONTH = Column("month", "Date", "month")
_MEDIAN = Column("median_minutes", "Median", "minutes")
_P95 = Column("p95_minutes", "95 in 100 within", "minutes")
