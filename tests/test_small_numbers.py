"""What everybody may see tells no number from 1 to 4: by all months there may be, and by what else each may be."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from itertools import product
from typing import Any

import pytest
from force_figures import ALL_MONTHS, sums
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.figures import Sums
from chalicelib.small_numbers import hidden, without_small_numbers
from chalicelib.statistics import CATEGORIES, Imported, Row, monthly, together

MONTHS = ["2026-10", "2026-11", "2026-12"]


def view(cells: Mapping[str, int]) -> tuple[Any, ...]:
    """The cells as they are shown, and their sum."""
    total = sum(cells.values())
    return *([None] * len(cells) if hidden(cells) else cells.values()), None if 0 < total < 5 else total


@pytest.mark.parametrize(("names", "most"), [("abc", 14), ("abcd", 8)])
def test_every_hidden_number_may_be_another(names: str, most: int) -> None:
    """Of all months that look the same, each hidden cell has several numbers; nothing small is left by subtraction."""
    alike: dict[tuple[Any, ...], list[tuple[int, ...]]] = defaultdict(list)
    for counts in product(range(most + 1), repeat=len(names)):
        alike[view(dict(zip(names, counts, strict=True)))].append(counts)
    gaps = 0
    for shown, months in alike.items():
        *cells, total = shown
        assert not [number for number in shown if number is not None and 0 < number < 5]
        for place, number in enumerate(cells):
            if number is None:
                gaps += 1
                assert len({month[place] for month in months}) > 1, (shown, months)
        rest = sum(months[0]) - sum(number for number in cells if number is not None)
        assert total is None or rest == 0 or rest >= 5, shown
    assert gaps > 50


def shares(part: int, of: int) -> Any:
    """What is shown of crimes of which a part were in time."""
    counted: Sums = Counter({(MONTHS[0], "theft", "crimes"): of, (MONTHS[0], "theft", "within_24h"): part})
    (row,), _ = public(counted, MONTHS[:1], {})
    return row["shares"]["crimed_within_24h"]


def test_every_share_that_tells_of_few_may_be_another() -> None:
    alike: dict[tuple[int, str], set[int]] = defaultdict(set)
    for of in range(25):
        for part in range(of + 1):
            shown = shares(part, of)
            alike[of, str(shown)].add(part)
            assert shown is None or shown["least"] <= part <= shown["most"]
            if {part, of - part} & {1, 2, 3, 4}:
                assert shown is None or shown["most"] - shown["least"] == 3
            elif of == 0 or of >= 5:
                assert shown == {"least": part, "most": part, "of": of}
    for (of, _), parts in alike.items():
        assert of < 5 or len(parts) > 1 or not {*parts, of - min(parts)} & {1, 2, 3, 4}


figures = st.dictionaries(
    st.tuples(st.sampled_from(MONTHS), st.sampled_from(CATEGORIES),
              st.sampled_from(["reports", "crimes", "within_24h", "automatically", "call_backs", "took.10",
                               "live_chat.reports", "live_chat.crimes"])),
    st.integers(0, 12), max_size=40,
)  # fmt: skip


def whole(counts: dict[tuple[str, str, str], int]) -> Sums:
    """Figures that may be: no part is more than its whole."""
    found = Counter(counts)
    for month, category in product(MONTHS, CATEGORIES):
        for part, of in (("within_24h", "crimes"), ("automatically", "crimes"), ("call_backs", "reports"),
                         ("live_chat.reports", "reports"), ("live_chat.crimes", "crimes")):  # fmt: skip
            found[month, category, part] = min(found[month, category, part], found[month, category, of])
        found[month, category, "took.10"] = found[month, category, "crimes"]
    return found


def numbers(shown: Any) -> list[int]:
    """Every number that is a count of people, wherever it stands."""
    if isinstance(shown, dict):
        return [
            one for name, value in shown.items() if name not in ("time_to_crime", "shares") for one in numbers(value)
        ]
    return [shown] if isinstance(shown, int) else []


def public(counted: Sums, months: list[str], imported: Any, category: str = "") -> tuple[list[Row], Row]:
    return without_small_numbers(monthly(months, counted, imported), together(months, counted, imported), category)


imports = st.dictionaries(
    st.sampled_from(MONTHS), st.builds(Imported, st.integers(0, 12), st.none() | st.integers(0, 12))
)


@settings(max_examples=200, deadline=None)  # a busy machine is no defect
@given(figures, imports)
def test_no_small_number_is_shown_or_left_by_subtraction(
    counts: dict[tuple[str, str, str], int], imported: dict[str, Imported]
) -> None:
    counted = whole(counts)
    rows, total = public(counted, MONTHS, imported)
    assert not [number for number in numbers({"rows": dict(enumerate(rows)), "total": total}) if 0 < number < 5]
    for (month, row), what in product(zip(MONTHS, rows, strict=True), ("reports", "crimes")):
        cells = [of[what] for of in row["by_category"].values()]
        before = imported.get(month)
        if before and getattr(before, what) is not None:
            cells.append(row["imported"][what])
        if row[what] is not None and None in cells:
            assert cells.count(None) > 1 and row[what] - sum(cell for cell in cells if cell is not None) >= 5
        sources = [of[what] for of in row["by_source"].values()]
        assert None in sources or before is None or row["imported"][what] is not None or getattr(before, what) is None
        assert set(sources) == {None} or None not in sources


@settings(max_examples=100, deadline=None)
@given(figures, imports)
def test_no_range_and_no_category_says_more_than_its_months_do(
    counts: dict[tuple[str, str, str], int], imported: dict[str, Imported]
) -> None:
    """So nothing comes of subtracting one answer from another."""
    counted = whole(counts)
    rows, _ = public(counted, MONTHS, imported)
    for first in range(3):
        for last in range(first, 3):
            months = MONTHS[first : last + 1]
            some, total = public(counted, months, imported)
            assert some == rows[first : last + 1]
            shown = [row["reports"] for row in some]
            assert total["at_least"]["reports"] == sum(count or 0 for count in shown)
            assert total["reports"] == (None if None in shown else sum(shown))
            for name, share in total["shares"].items():
                told = [row["shares"][name] for row in some if row["shares"][name]]
                assert share == ({key: sum(one[key] for one in told) for key in share} if told else None)
            for category in CATEGORIES:
                only, of_all = public(counted, months, imported, category)
                assert [row["crimes"] for row in only] == [row["by_category"][category]["crimes"] for row in some]
                assert of_all["at_least"]["crimes"] == sum(row["crimes"] or 0 for row in only)
                assert set(of_all) - {"imported"} == {"reports", "crimes", "by_category", "at_least"}
                assert set(of_all.get("imported", {}).values()) <= {None}


@pytest.mark.parametrize("what", ["reports", "crimes"])
def test_every_hidden_number_of_a_source_may_be_another(what: str) -> None:
    alike: dict[str, set[int]] = defaultdict(set)
    for of, chat in product(range(25), repeat=2):
        if chat <= of:
            counted: Sums = Counter({(MONTHS[0], "theft", what): of, (MONTHS[0], "theft", f"live_chat.{what}"): chat})
            (row,), total = public(counted, MONTHS[:1], {})
            shown = row["by_source"]["online"][what], row["by_source"]["live_chat"][what]
            assert shown == (total["by_source"]["online"][what], total["by_source"]["live_chat"][what])
            is_small = bool({chat, of - chat} & {1, 2, 3, 4})
            assert shown == ((None, None) if is_small else (of - chat, chat))
            alike[str((shown, row[what]))].add(chat)
    for parts in alike.values():
        assert len(parts) > 1 or not parts & {1, 2, 3, 4}


def test_what_came_by_which_source_does_not_tell_how_much_was_imported() -> None:
    counted: Sums = Counter({(MONTHS[0], "theft", "reports"): 40})
    (row,), _ = public(counted, MONTHS[:1], {MONTHS[0]: Imported(3, 0)})
    assert (row["reports"], row["imported"]["reports"], row["by_source"]["online"]["reports"]) == (43, None, None)


def test_a_force_of_some_size_loses_nothing() -> None:
    rows, total = public(sums(), ALL_MONTHS, {})
    assert (total["reports"], total["crimes"]) == (27_537, 16_779)
    assert total["time_to_crime"] == {"median_minutes": 185, "p95_minutes": 1290}
    assert None not in [row["reports"] for row in rows] + [row["by_category"]["theft"]["crimes"] for row in rows]


def test_what_is_not_for_everybody() -> None:
    rows, total = public(sums(), ALL_MONTHS, {})
    for row in (rows[-1], total):
        assert not {"open", "letters", "not_crimed", "cancelled"} & row.keys()


def times(count: int) -> Any:
    counted: Sums = Counter({(MONTHS[0], "theft", "crimes"): count, (MONTHS[0], "theft", "took.7"): count})
    (row,), total = public(counted, MONTHS[:1], {})
    assert row["time_to_crime"] == total["time_to_crime"]
    return row["time_to_crime"]


def test_a_time_is_about_enough_crimes() -> None:
    assert times(4) == {"median_minutes": None, "p95_minutes": None}
    assert times(5) == times(19) == {"median_minutes": 7, "p95_minutes": None}
    assert times(20) == {"median_minutes": 7, "p95_minutes": 7}


@pytest.mark.parametrize("few", [1, 2, 3, 4])
def test_no_time_is_of_a_month_whose_crimes_are_hidden(few: int) -> None:
    """Whether 16 crimes and those of a hidden month are enough for a 95th percentile would tell how many those are."""
    counted: Sums = Counter({(month, "theft", name): count for month, count in zip(MONTHS, (16, few, 17), strict=True)
                             for name in ("crimes", "took.60")})  # fmt: skip
    for months in (MONTHS[:2], MONTHS[1:], MONTHS):
        assert public(counted, months, {})[1]["time_to_crime"] == {"median_minutes": None, "p95_minutes": None}


@pytest.mark.parametrize("what", ["reports", "crimes"])
def test_a_total_tells_no_small_number_to_who_knows_what_was_imported(what: str) -> None:
    """A force has published it, as a rule. Nobody counted here is nobody."""
    for count in range(12):
        counted: Sums = Counter({(MONTHS[0], "theft", what): count, (MONTHS[0], "burglary", what): 3 * (count > 9)})
        (row,), total = public(counted, MONTHS[:1], {MONTHS[0]: Imported(700, 700)})
        assert row[what] == total[what] == (None if 0 < count < 5 else 700 + count + 3 * (count > 9))


def before(imported: dict[str, Imported], few: int = 0) -> Any:
    """How much of the total was imported, and is at least, as everybody sees it."""
    counted: Sums = Counter({(MONTHS[2], "theft", what): few for what in ("reports", "crimes")})
    _, total = public(counted, MONTHS[: len(imported)], imported)
    return total["imported"], total["at_least"]["imported"]


def test_what_was_imported_in_all() -> None:
    unknown = {MONTHS[0]: Imported(578, None)}
    assert before(unknown) == ({"reports": 578, "crimes": None}, {"reports": 578, "crimes": None})
    both = unknown | {MONTHS[1]: Imported(600, 400)}
    assert before(both) == ({"reports": 1178, "crimes": 400},) * 2  # as the force's own total has it
    all_three = both | {MONTHS[2]: Imported(700, 500)}
    assert before(all_three) == ({"reports": 1878, "crimes": 900},) * 2
    assert before(all_three, few=2) == ({"reports": None, "crimes": None}, {"reports": 1178, "crimes": 400})
