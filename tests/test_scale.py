"""Holds `docs/scale.md` to what is measured and to its own formulas: a figure that is not what its formula gives fails.

What an operation takes is counted on a real database engine by `bench/life.py`, once; the rest is arithmetic.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from scale_pages import SCALES, Names, Row, agrees, formula_in, named, number, tables, text_of, worked_out

from bench.capacity import size
from bench.life import EACH_MINUTE, HOURLY, OTHERS, Left, Life
from bench.stage import ENVIRONMENT, INDEXES, Took
from chalicelib.drafts import GROUPS
from chalicelib.forms import EXAMPLES
from chalicelib.report import receive
from chalicelib.report_items import SHARDS, new_item, written
from chalicelib.table import marshal
from infra.harden import RATE_PER_SECOND
from tests.fakes import NOW
from tests.test_rounds import halfway_round

PAGE = "scale.md"
ROOT = Path(__file__).parents[1]
PUBLIC, OFFICERS, BEHIND = PARTS = ("The public", "Officers", "Behind the pages")
COLUMNS = ("Requests", "Read units", "Write units", "Answer", "Log")
OF_LIFE = "In a life"
RATE, NAME, VALUE, FORMULA = "Reports a second", "Name", "Value", "Formula"


class Wrong(NamedTuple):
    """A figure of the page that is another: in which row and column, what is shown, and what it is."""

    row: str
    column: str
    shown: str
    exact: float


class Operation(NamedTuple):
    """A row of what operations take: of which table, how often in a report's life, and its figures by column."""

    part: str
    times: float
    takes: Mapping[str, float]


class Page:
    """The page, worked out: `names` by scale, `operations` by name, and what is `wrong`."""

    def __init__(self) -> None:
        self.names: dict[str, Names] = {scale: {} for scale in SCALES}
        self.operations: dict[str, Operation] = {}
        self.wrong: list[Wrong] = []
        several = tables(PAGE)
        for table in several:
            for row in table:
                self._learn(row)
        for row in (row for table in several for row in table if NAME not in row and FORMULA in row):
            self._check_by_scale(row)
        self._check_the_text()

    def _learn(self, row: Row) -> None:
        part = next(iter(row))
        if part in PARTS:
            times = self._worked_out(row[OF_LIFE], "country") if row[OF_LIFE] != "–" else 0
            takes = {column: number(row[column]) for column in COLUMNS if row[column] != "–"}
            self.operations[row[part]] = Operation(part, times, takes)
        elif NAME in row:
            self._learn_name(row, formula_in(row[NAME]))

    def _learn_name(self, row: Row, name: str) -> None:
        for scale, head in SCALES.items():
            column = next(column for column in (RATE, VALUE, head) if column in row)
            formula = formula_in(row[FORMULA])
            if name in SUMS:
                exact = SUMS[name](self.operations, self.names[scale])
            else:
                exact = self._worked_out(f"`{formula}`" if formula else row[column], scale)
            self.names[scale][name] = exact
            self._check(row, column, exact)
            if column == RATE:
                self._check(row, head, exact / self.names[scale]["storm"])

    def _check_by_scale(self, row: Row) -> None:
        formula = formula_in(row[FORMULA])
        for scale, head in SCALES.items():
            if formula:
                self._check(row, head, self._worked_out(f"`{formula}`", scale))

    def _check_the_text(self) -> None:
        text, names = prose(), self.names["country"] | named(self.names)
        found = list(re.finditer(r"(\d[\d,.]*)[^\d(|`]*\(`([^`]+)`\)", text))
        for one in found:
            self.wrong += _wrong(one[0][:60], "text", one[1], worked_out(one[2], names))
        formulas = [one for one in re.findall("`([^`]+)`", text) if re.search(" [-+×/−] ", one)]  # noqa: RUF001
        assert {*formulas} <= {one[2] for one in found}, "a formula in the text has its figure before it"

    def _worked_out(self, cell: str, scale: str) -> float:
        formula = formula_in(cell)
        return worked_out(formula, self.names[scale]) if formula else number(cell)

    def _check(self, row: Row, column: str, exact: float) -> None:
        self.wrong += _wrong(next(iter(row.values())), column, row[column], exact)


def _wrong(row: str, column: str, shown: str, exact: float) -> list[Wrong]:
    if shown == "never":
        return [Wrong(row, column, shown, exact)] if exact >= 0 else []
    return [] if agrees(shown, exact) else [Wrong(row, column, shown, exact)]


def prose() -> str:
    """The page without its tables."""
    return "\n".join(line for line in text_of(PAGE).splitlines() if not line.startswith("|"))


def _sum(operations: Mapping[str, Operation], column: str, *parts: str) -> float:
    return sum(one.times * one.takes.get(column, 0) for one in operations.values() if one.part in (parts or PARTS))


def _times(operations: Mapping[str, Operation], part: str) -> float:
    return sum(one.times for one in operations.values() if one.part == part)


def _at_once(operations: Mapping[str, Operation]) -> float:
    behind = ("Triage assesses a report", "A letter is sent")
    return _sum(operations, "Write units", PUBLIC) + sum(operations[name].takes["Write units"] for name in behind)


SUMS: Mapping[str, Any] = {
    "asked": lambda operations, names: _times(operations, PUBLIC),
    "desk_asked": lambda operations, names: _times(operations, OFFICERS),
    "calls": lambda operations, names: _sum(operations, "Requests"),
    "reads": lambda operations, names: _sum(operations, "Read units"),
    "writes": lambda operations, names: _sum(operations, "Write units"),
    "writes_at_once": lambda operations, names: _at_once(operations),
    "answered": lambda operations, names: _sum(operations, "Answer") / 1000,
    "logged": lambda operations, names: _sum(operations, "Log") / 1000 + 0.7 * names["runs"],
    "queue_reads": lambda operations, names: operations["A page of the queue is opened"].takes["Read units"],
    "minute_reads": lambda operations, names: operations[EACH_MINUTE].takes["Read units"],
    "hour_reads": lambda operations, names: operations[HOURLY].takes["Read units"],
}
"""The figures of a report's life, as sums over the tables of operations."""


@pytest.fixture(scope="module")
def page() -> Page:
    return Page()


# The arithmetic


def test_every_figure_is_what_its_formula_gives(page: Page) -> None:
    assert not page.wrong, "\n".join(map(str, page.wrong))


def test_a_row_has_no_number_in_its_words_that_is_not_in_its_formula() -> None:
    rows = [row for table in tables(PAGE) for row in table if formula_in(row.get(FORMULA, ""))]
    wrong = [(row, shown) for row in rows for shown in _numbers(words_of(row))
             if not any(agrees(shown, number(one)) for one in _numbers(formula_in(row[FORMULA])))]  # fmt: skip
    assert not wrong, wrong


def words_of(row: Row) -> str:
    """Its first cell, without names of code and of the rule."""
    return re.sub("`[^`]*`|24-hour", "", next(iter(row.values())))


def _numbers(text: str) -> list[str]:
    return re.findall(r"\d[\d,]*(?:\.\d+)?", text)


def test_the_runbook_says_what_a_month_costs_here(page: Page) -> None:
    first, sixth = (f"{page.names['force'][name]:.0f}" for name in ("first_month", "sixth_year"))
    assert f"some {first} dollars in the first month and {sixth} after six years" in text_of("runbook.md")


def test_the_limits_are_in_their_order_and_counted(page: Page) -> None:
    names = [formula_in(row[NAME]) for row in _limits()]
    rates = [page.names["country"][name] for name in names]
    assert rates == sorted(rates)
    others = {scale: sum(rate < page.names[scale]["storm"] for rate in rates[1:]) for scale in SCALES}
    (said,) = [row for row in tables(PAGE)[0] if row[""].startswith(f"Of the {len(rates) - 1} other limits")]
    assert {scale: number(said[head]) for scale, head in SCALES.items()} == others
    assert all(page.names["thousand"]["storm"] > rate for rate in rates), "a thousand countries meet all of it"


def test_what_is_ours_of_the_limits_is_as_the_code_has_it(app_module: Any) -> None:
    formulas = {formula_in(row[NAME]): formula_in(row[FORMULA]) for row in _limits()}
    at_once = {one.name: one.maximum_concurrency for one in app_module.app.event_sources if hasattr(one, "queue")}
    assert formulas["api_rate"].startswith(f"{RATE_PER_SECOND} /")
    assert formulas["triage_rate"].startswith(f"{at_once['on_triage']} /")
    assert formulas["letter_rate"].startswith(f"{at_once['on_letter']} /")
    assert formulas["deadline_rate"].startswith(f"{min(SHARDS, GROUPS)} ×")  # noqa: RUF001
    assert formulas["changed_rate"].startswith(f"{SHARDS} ×")  # noqa: RUF001


def _limits() -> list[Row]:
    (limits,) = [table for table in tables(PAGE) if RATE in table[0]]
    return limits


def test_the_border_of_three_write_units_is_where_the_page_says() -> None:
    report = receive("7K3M9QWPR2T8", "criminal_damage", {}, NOW)
    marks = {"token": bytes(16), "body": bytes(16)}
    empty = {**marshal({**new_item(report, b"{}"), **marks}), "answers": {"B": b""}}
    assert f"until the answers have {2048 - size(empty):,} bytes compressed" in prose()
    theft = replace(report, category="theft", answers=EXAMPLES["theft"])
    body = written(theft.answers)
    assert f"the item, {size(marshal({**new_item(theft, body), **marks})):,} bytes with" in prose()


# What is measured


@pytest.fixture(scope="module")
def lived(app_module: Any, dynamodb_local: str) -> tuple[Life, dict[str, Took]]:
    """A report's life, and what each operation in it took."""
    life = Life(app_module.app, dynamodb_local)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("POWERTOOLS_SERVICE_NAME", ENVIRONMENT["POWERTOOLS_SERVICE_NAME"])  # it is in each line of metrics
        return life, life.live(lambda step: None)


def test_each_operation_takes_what_the_page_says(page: Page, lived: tuple[Life, dict[str, Took]]) -> None:
    _, took = lived
    assert took["A report is sent"].spent == (1, 0, 3), "one request and three write units"
    exact = {
        name: dict(zip(COLUMNS, (*one.spent, one.answered, one.logged), strict=True)) for name, one in took.items()
    }
    assert exact.keys() == page.operations.keys(), "every operation is on the page"
    assert f"with {OTHERS + 3} reports open" in prose()
    rows = {row[part]: row for table in tables(PAGE) for row in table if (part := next(iter(row))) in PARTS}
    figures = [Wrong(name, column, rows[name][column], exact[name][column])
               for name, one in page.operations.items() for column in one.takes]  # fmt: skip
    wrong = [one for one in figures if not _as_shown(one.column, one.shown, one.exact)]
    assert not wrong, "\n".join(map(str, wrong))


def _as_shown(column: str, shown: str, exact: float) -> bool:
    """Answers and lines have keys, times and names in them that are some bytes more or less each time. What is shared
    by many reports depends a little on which shards they fall into.
    """
    near = 0.1 if column in ("Answer", "Log") else 0.03 if "." in shown else 0
    return agrees(shown, exact) or abs(number(shown) - exact) <= near * exact


def test_the_pages_of_a_journey_are_as_many_as_the_page_says(lived: tuple[Life, dict[str, Took]]) -> None:
    life, _ = lived
    (public,) = [table for table in tables(PAGE) if PUBLIC in table[0]]
    counted = {row[PUBLIC]: int(found[1]) for row in public if (found := re.match(r"`(\d+) ×", row[OF_LIFE]))}  # noqa: RUF001
    assert counted == {name: life.times[name] for name in counted}
    assert len(counted) == 3


def test_what_a_report_writes_to_indexes_and_leaves_is_what_the_page_says(
    page: Page, lived: tuple[Life, dict[str, Took]]
) -> None:
    life, took = lived
    names, values = page.names["country"], {formula_in(row[NAME]): row[VALUE] for row in _life_rows()}
    written = {f"{index.removeprefix('by_')}_writes": sum(
        one.times * getattr(took[name], index.removeprefix("by_")) for name, one in page.operations.items()
    ) for index in INDEXES}  # fmt: skip
    assert {name: values[name] for name in written if not agrees(values[name], written[name])} == {}, written
    left = Left(*(int(names[name]) for name in ("left_in_table", "left", "look")))
    assert all(abs(one - other) <= 0.02 * one for one, other in zip(left, life.left, strict=True)), life.left


def _life_rows() -> Iterator[Row]:
    yield from (row for table in tables(PAGE) for row in table if "A report's life" in row)


def test_what_a_month_adds_to_what_the_night_remembers_is_what_the_page_says(page: Page) -> None:
    for names in (page.names["force"], page.names["country"]):
        one, two = (len(halfway_round(months, int(names["reports"])).packed()) for months in (12, 24))
        assert abs((two - one) / 12 - names["found"]) <= 0.01 * names["found"], (two - one) / 12
    most = page.names["thousand"]
    assert abs(most["reports"] * (most["crimed"] + most["by_rule"]) / 8 - most["found"]) <= 0.01 * most["found"]


def test_the_night_has_the_memory_that_the_page_reckons_with(page: Page) -> None:
    functions = json.loads((ROOT / ".chalice" / "config.json").read_text())["lambda_functions"]
    (formula,) = [row[FORMULA] for table in tables(PAGE) for row in table if row.get(NAME) == "`nightly`"]
    assert f"× {functions['reconcile']['lambda_memory_size']:,} / 1,024" in formula  # noqa: RUF001
    assert f"× {functions['reconcile']['lambda_timeout']} ×" in formula  # noqa: RUF001
