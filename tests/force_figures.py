"""The force's figures, as its answer of 2019 has them, over the categories: what pages of statistics show."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from chalicelib.figures import Sums
from chalicelib.small_numbers import without_small_numbers
from chalicelib.statistics import CATEGORIES, monthly, months_between, together
from chalicelib.tables import Figures
from infra.replay.months import MONTHS

FIRST, LAST = min(MONTHS), max(MONTHS)
ALL_MONTHS = months_between(FIRST, LAST)
REPORTS = {month: of.reports for month, of in MONTHS.items()}
CRIMES = {month: of.crimes or 0 for month, of in MONTHS.items()}  # none are known of the first two months


def parts(count: int) -> Iterator[tuple[str, int]]:
    """A number over the categories, one in five, one in two and the rest."""
    fifth, half = count // 5, count // 2
    yield from zip(CATEGORIES, (fifth, half, count - fifth - half), strict=True)


def sums() -> Sums:
    """What a ledger has of these months."""
    found: Sums = Counter()
    for month in MONTHS:
        for category, count in parts(REPORTS[month]):
            found[month, category, "reports"] += count
            found[month, category, "call_backs"] += count // 14
            found[month, category, "not_crimed.no_offence"] += count // 5
            found[month, category, "letters.sent"] += count
            found[month, category, "letter_took.2"] += count
        for category, count in parts(CRIMES[month]):
            found[month, category, "crimes"] += count
            found[month, category, "within_24h"] += count - count // 100
            found[month, category, "automatically"] += count // 25
            found[month, category, "crimes_cancelled.C3"] += count // 200
            found[month, category, "took.185"] += count - count // 10
            found[month, category, "took.1290"] += count // 10
    return found


def told(figures: Sums, months: list[str], public: bool = False, imported: Any = None, category: str = "") -> Figures:
    """These figures as the page is given them."""
    if public:
        rows, total = monthly(months, figures, imported or {}), together(months, figures, imported or {})
        return Figures(*without_small_numbers(rows, total, category), category, is_public=True)
    rows = monthly(months, figures, imported or {}, category)
    total = together(months, figures, imported or {}, category)
    return Figures(rows, total, category, open_now={"under_6h": 4, "6h_to_12h": 0, "past_deadline": 1})


class Kept:
    """A ledger that has certain sums."""

    def __init__(self, kept: Sums) -> None:
        self.kept = kept

    def sums(self, months: list[str]) -> Sums:
        return Counter({figure: count for figure, count in self.kept.items() if months[0] <= figure[0] <= months[-1]})
