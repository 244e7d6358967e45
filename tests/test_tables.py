"""The tables of the figures: the force's own answer comes out of them as rows, CSV and JSON; no cell is a formula."""

import csv
import io
from collections import Counter
from typing import Any

import pytest
from force_figures import ALL_MONTHS, CRIMES, REPORTS, sums, told
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.figures import Sums
from chalicelib.statistics import CATEGORIES, NOT_CRIMED_REASONS, Imported, months_between
from chalicelib.tables import (
    MONTHS,
    NAMES,
    AtLeast,
    Between,
    Column,
    Gap,
    Line,
    Part,
    Table,
    as_csv,
    as_json,
    share,
    tables,
)


def read(table: Table) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(as_csv(table))))


def test_the_tables_of_the_answer() -> None:
    made = tables(told(sums(), ALL_MONTHS))
    for name, figures, whole in (("reports", REPORTS, 27_537), ("crimes", CRIMES, 16_779)):
        table = made[name]
        assert {row["month"]: int(row[name]) for row in read(table)} == figures
        assert as_json(table) == {
            "table": name, "caption": table.caption,
            "rows": [{"month": month, name: figures[month]} for month in ALL_MONTHS],
            "total": {name: whole},
        }  # fmt: skip


def test_every_table_has_a_cell_under_each_name_and_a_total_that_adds_up() -> None:
    made = tables(told(sums(), ALL_MONTHS))
    assert tuple(made) == NAMES
    for table in made.values():
        names = [column.name for column in table.columns]
        assert len(names) == len(set(names)) and all(len(line.cells) == len(names) for line in table.lines)
        assert [list(row) for row in read(table)] == [names] * len(table.lines)
        for place, cell in enumerate(table.total, start=1):
            if table.columns[place].kind == "count":
                assert cell == sum(line.cells[place] for line in table.lines), (table.name, names[place])  # type: ignore[misc]


def test_the_monthly_rows_have_every_figure_of_the_interface() -> None:
    row = read(tables(told(sums(), ALL_MONTHS))[MONTHS])[-1]
    assert (row["month"], row["reports"], row["crimes"], row["theft_reports"]) == ("2019-06", "2816", "1929", "1408")
    expected = {f"{category}_crimes" for category in CATEGORIES} | {f"not_crimed_{name}" for name in NOT_CRIMED_REASONS}
    assert row.keys() > expected | {"crimed_within_24h", "time_to_crime_median_minutes", "letters_sent", "cancelled_C1"}


def by_source(figures: Sums, months: list[str], public: bool = False, imported: Any = None) -> Table:
    return tables(told(figures, months, public, imported))["sources"]


def test_forms_and_live_chat() -> None:
    figures = Counter({("2026-10", "theft", "reports"): 40, ("2026-10", "theft", "live_chat.reports"): 9,
                       ("2026-10", "theft", "crimes"): 30, ("2026-10", "theft", "live_chat.crimes"): 3,
                       ("2026-11", "theft", "reports"): 20, ("2026-11", "theft", "live_chat.reports"): 1})  # fmt: skip
    months = ["2026-10", "2026-11"]
    made = by_source(figures, months)
    assert [line.cells for line in made.lines] == [["2026-10", 31, 9, 27, 3], ["2026-11", 19, 1, 0, 0]]
    assert made.total == [50, 10, 27, 3]
    seen, hidden = by_source(figures, months, public=True), Gap.NOT_SHOWN
    assert [line.cells for line in seen.lines] == [
        ["2026-10", 31, 9, hidden, hidden], ["2026-11", hidden, hidden, 0, 0]]  # fmt: skip
    assert seen.total == [AtLeast(31), AtLeast(9), hidden, hidden]
    assert "sources" not in tables(told(figures, months, public=True, category="theft"))
    assert read(tables(told(figures, months))[MONTHS])[0]["live_chat_reports"] == "9"


def test_of_what_was_imported_the_source_is_not_known() -> None:
    imported, unknown = {"2018-01": Imported(619, None)}, [Gap.NOT_KNOWN] * 4
    for public in (False, True):
        made = by_source(Counter(), ["2018-01"], public, imported)
        assert [line.cells[1:] for line in made.lines] == [unknown] and made.total == unknown
        later = by_source(Counter({("2018-02", "theft", "reports"): 9}), ["2018-01", "2018-02"], public, imported)
        assert [line.cells[1:] for line in later.lines] == [unknown, [9, 0, 0, 0]] and later.total == [9, 0, 0, 0]


def test_what_was_counted_before_this_service() -> None:
    imported = {"2018-01": Imported(619, None), "2018-02": Imported(100, 50)}
    figures = sums()
    for figure in [one for one in figures if one[0] == "2018-01"]:
        del figures[figure]
    made = tables(told(figures, ["2018-01", "2018-02", "2018-03"], imported=imported))
    assert [(line.cells[1], line.imported) for line in made["reports"].lines] == [
        (619, "all"),
        (678, "part"),
        (657, ""),
    ]
    assert [(line.cells[1], line.imported) for line in made["crimes"].lines] == [
        (Gap.NOT_KNOWN, "all"), (50, "all"), (469, "")]  # fmt: skip
    assert made["crimes"].total == [519]
    assert made["categories"].lines[-1] == Line(["not_known", 719, 50], "all")
    assert read(made["crimes"])[0]["crimes"] == "" and as_json(made["crimes"])["rows"][0]["crimes"] is None
    assert [line.cells[1] for line in made["call_backs"].lines] == [Gap.NOT_KNOWN, 578, 657]


@pytest.mark.parametrize("public", [True, False], ids=["everybody", "desk"])
def test_of_a_category_nothing_is_known_in_a_month_that_was_imported(public: bool) -> None:
    imported = {"2018-01": Imported(619, 400)}
    made = tables(told(Counter(), ["2018-01", "2018-02"], public, imported, "theft"))
    assert [(line.cells[1], line.imported) for line in made["reports"].lines] == [(Gap.NOT_KNOWN, "all"), (0, "")]
    assert made["reports"].total == [0] and read(made["crimes"])[0]["crimes"] == ""


@pytest.mark.parametrize("public", [True, False], ids=["everybody", "desk"])
def test_crimes_that_nobody_knows_are_not_none(public: bool) -> None:
    imported = {"2018-01": Imported(619, None), "2018-02": Imported(578, None)}
    made = tables(told(Counter(), ["2018-01", "2018-02"], public, imported))
    assert made["crimes"].total == [Gap.NOT_KNOWN] and as_json(made["crimes"])["total"] == {"crimes": None}
    assert made["categories"].lines[-1].cells == ["not_known", 1197, Gap.NOT_KNOWN]
    assert made["categories"].total == [1197, Gap.NOT_KNOWN]
    one_more = tables(told(Counter(), ["2018-01", "2018-02", "2018-03"], public, imported))
    assert one_more["crimes"].total == [0]  # those of March


def test_what_was_imported_where_a_month_is_hidden() -> None:
    imported = {"2018-02": Imported(600, 400), "2018-03": Imported(700, 500)}
    few: Sums = Counter({("2018-03", "theft", what): 2 for what in ("reports", "crimes")})
    for first, cells in (("2018-02", [AtLeast(600), AtLeast(400)]), ("2018-03", [Gap.NOT_SHOWN] * 2)):
        made = tables(told(few, months_between(first, "2018-03"), public=True, imported=imported))
        assert made["categories"].lines[-1].cells == ["not_known", *cells]
        assert made["reports"].lines[-1] == Line(["2018-03", Gap.NOT_SHOWN], "part")  # 702 are not fewer than 5


@pytest.mark.parametrize(
    ("part", "said"),
    [
        (None, Gap.NOT_SHOWN),
        (Part(0, 0, 0), Gap.NONE),
        (Part(9_999, 9_999, 10_000), 99.9),
        (Part(1, 1, 10_000), 0.1),
        (Part(10, 10, 10), 100.0),
        (Part(0, 0, 10), 0.0),
        (Part(1, 1, 3), 33.3),
        (Part(350, 353, 354), Between(98.8, 99.8)),
        (Part(1, 4, 60), Between(1.6, 6.7)),
    ],
)
def test_a_share(part: Part | None, said: object) -> None:
    assert share(part) == said


def with_text(text: str) -> Table:
    return Table("x", "X", [Column("who", "Who", "text"), Column("count", "Count")], [Line([text, 1])])


@pytest.mark.parametrize("before", ["", " ", "\n", "\u00a0 ", "\t"])
@pytest.mark.parametrize("sign", "=+-@\uff1d\uff0b\uff0d\uff20")
def test_no_cell_is_a_formula(sign: str, before: str) -> None:
    text = f'{before}{sign}HYPERLINK("http://example.com","x")'
    (row,) = read(with_text(text))
    assert row == {"who": f"'{text}", "count": "1"}


@given(st.text())
def test_text_comes_out_as_it_went_in_or_with_a_mark_before_it(text: str) -> None:
    _, (cell, _) = csv.reader(io.StringIO(as_csv(with_text(text)), newline=""))
    assert cell.removeprefix("'") == text.removeprefix("'")
    assert cell.lstrip()[:1] not in tuple("=+-@") and cell[:1] not in tuple("\t\r\n")


def test_the_cells_of_ours_carry_no_mark() -> None:
    texts: list[Any] = [as_csv(table) for table in tables(told(sums(), ALL_MONTHS)).values()]
    assert not [text for text in texts if "'" in text]
