"""The monthly figures for everybody to see: no number from 1 to 4, and none from which one could be told. Pure.

Each month is made ready by itself, and whatever is of several months is made of what its months show. So it does not
matter which ranges and categories somebody asks for and subtracts from each other. A median cannot be made so: of
several months there is one only where each shows its crimes. See `docs/adr/0026-statistics-page.md`.
"""

from collections.abc import Callable, Mapping, Sequence

from chalicelib.statistics import Row

FEWEST = 5
FEWEST_FOR_P95 = 20  # of fewer, the 95th percentile is the longest: one person's

Share = dict[str, int]
_Add = Callable[[list[int | None]], int | None]

_WHAT = ("reports", "crimes")
_NO_TIMES: dict[str, int | None] = {"median_minutes": None, "p95_minutes": None}
_SHARES = {"crimed_within_24h": "crimes", "crimed_automatically": "crimes", "call_backs": "reports"}


def hidden(cells: Mapping[str, int]) -> bool:
    """Whether `cells` are not shown where their sum is (unless that is small itself): none of them, as soon as one is
    small. To hide that one and the next larger is not enough for somebody who knows how they are chosen: of 5, 4 and 4
    it would show 5 and the sum of 13, and no two others but 4 and 4 would then be hidden.
    """
    return any(0 < count < FEWEST for count in cells.values())


def without_small_numbers(rows: Sequence[Row], total: Row, category: str = "") -> tuple[list[Row], Row]:
    """The monthly rows of all categories, and their total, as everybody may see them, with None for what is hidden; of
    one category only if it is named. Times and shares are of all categories together.
    """
    public = [_public(row) for row in rows]
    if category:
        only = [{"month": row["month"]} | _only(row, category) for row in public]
        return only, _only(_sums(rows, public, total), category)
    return public, _sums(rows, public, total) | {"time_to_crime": _times_of_all(rows, public, total)}


def _public(row: Row) -> Row:
    shown, told_apart = {what: _cells(row, what) for what in _WHAT}, _is_told_apart(row)
    return {
        "month": row["month"],
        **{what: _whole(row, what) for what in _WHAT},
        "by_category": {one: {what: shown[what][one] for what in _WHAT} for one in row["by_category"]},
        "by_source": _by_source(row) if told_apart else {one: dict.fromkeys(_WHAT) for one in row["by_source"]},
        "shares": {name: _share(row[name], _counted_here(row, of)) if told_apart else None
                   for name, of in _SHARES.items()},
        "time_to_crime": _times(row) if told_apart else _NO_TIMES,
        **({"imported": {what: shown[what].get("imported") for what in _WHAT}} if "imported" in row else {}),
    }  # fmt: skip


def _cells(row: Row, what: str) -> dict[str, int | None]:
    """What adds up to the sum of a month, as it is shown."""
    cells = {one: of[what] for one, of in row["by_category"].items()}
    if (before := row.get("imported", {}).get(what)) is not None:
        cells["imported"] = before
    return dict.fromkeys(cells) if hidden(cells) else dict(cells)


def _by_source(row: Row) -> dict[str, dict[str, int | None]]:
    """From the forms and from the live chat: neither if one of them is small, as the other would tell it."""
    by = {what: {one: of[what] for one, of in row["by_source"].items()} for what in _WHAT}
    return {one: {what: None if hidden(by[what]) else by[what][one] for what in _WHAT} for one in row["by_source"]}


def _is_told_apart(row: Row) -> bool:
    """Whether it is shown how much was counted before this service, so that the rest may be, too."""
    return all(_cells(row, what).get("imported", 0) is not None for what in _WHAT)


def _share(part: int, of: int) -> Share | None:
    """How many `of` a whole that is shown, or between which numbers, where the part or what is left of it is small."""
    is_small = [0 < number < FEWEST for number in (part, of - part)]
    if 0 < of < FEWEST or (any(is_small) and of < 2 * FEWEST):  # which of the two is small would tell it
        return None
    least, most = (1, FEWEST - 1) if is_small[0] else (of - FEWEST + 1, of - 1) if is_small[1] else (part, part)
    return {"least": least, "most": most, "of": of}


def _times(row: Row) -> dict[str, int | None]:
    of, times = _counted_here(row, "crimes"), row["time_to_crime"]
    return {
        "median_minutes": times["median_minutes"] if of >= FEWEST else None,
        "p95_minutes": times["p95_minutes"] if of >= FEWEST_FOR_P95 else None,
    }


def _times_of_all(rows: Sequence[Row], public: Sequence[Row], total: Row) -> dict[str, int | None]:
    """Where every month shows how many crimes there were: that the others with a hidden month are enough for a time, or
    not, would tell how many that has.
    """
    is_exact = all(map(_is_told_apart, rows)) and None not in [row["crimes"] for row in public]
    return _times(total) if is_exact else _NO_TIMES


def _sums(rows: Sequence[Row], public: Sequence[Row], total: Row) -> Row:
    """Where a month is not shown there is no sum, only what it is `at_least`. Shares are of the months with one."""
    by = {
        name: {one: [row[name][one] for row in public] for one in total[name]} for name in ("by_category", "by_source")
    }
    shares = {name: [row["shares"][name] for row in public if row["shares"][name]] for name in _SHARES}

    def added(add: _Add) -> Row:
        return {
            **_added(public, add),
            **{name: {one: _added(of, add) for one, of in parts.items()} for name, parts in by.items()},
            **({"imported": _imported(rows, public, add)} if "imported" in total else {}),
        }

    return {**added(_sum), "at_least": added(_least), "shares": {name: _together(of) for name, of in shares.items()}}


def _imported(rows: Sequence[Row], public: Sequence[Row], add: _Add) -> Row:
    """How much was imported in the months of which that is known; None if it is known of none, too."""
    known = {what: [shown["imported"][what] for row, shown in zip(rows, public, strict=True)
                    if row.get("imported", {}).get(what) is not None] for what in _WHAT}  # fmt: skip
    return {what: add(known[what]) if known[what] else None for what in _WHAT}


def _added(rows: Sequence[Row], add: _Add) -> Row:
    return {what: add([row[what] for row in rows]) for what in _WHAT}


def _together(shares: Sequence[Share]) -> Share | None:
    return {name: sum(share[name] for share in shares) for name in shares[0]} if shares else None


def _only(row: Row, category: str) -> Row:
    of = row["by_category"][category]
    least = {"at_least": _only(row["at_least"], category)} if "at_least" in row else {}
    imported = {"imported": dict.fromkeys(_WHAT)} if "imported" in row else {}  # of no category is it known
    return {**of, "by_category": {category: of}, **imported, **least}


def _sum(counts: Sequence[int | None]) -> int | None:
    return None if None in counts else _least(counts)


def _least(counts: Sequence[int | None]) -> int:
    return sum(count for count in counts if count is not None)


def _whole(row: Row, what: str) -> int | None:
    """The sum of a month. What was imported has been published, as a rule: the sum tells how many were counted here."""
    is_small = any(0 < count < FEWEST for count in (row[what], _counted_here(row, what)))
    return None if is_small else row[what]


def _counted_here(row: Row, what: str) -> int:
    return sum(of[what] for of in row["by_category"].values())
