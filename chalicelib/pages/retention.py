"""How long reports are kept: what is due for review, what is held, and what is left of a report that was erased."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from chalicelib.pages.desk import NAMES, STATUSES, decided, letters_of, timeline
from chalicelib.pages.desk_place import Place
from chalicelib.pages.render import render
from chalicelib.reference import show
from chalicelib.report import Head, Report
from chalicelib.retention import GROUPS, HELD, Periods, due_on
from chalicelib.times import read_stamp, spoken, spoken_day

Placed = Sequence[tuple[str, Head]]
"""Reports, each with its place in the list: the time since when it is in it, and its reference."""


class Row(NamedTuple):
    """One report in the list."""

    shown: str
    version: int
    category: str
    status: str
    since: str
    due: str


def review(
    place: Place, name: str, found: Placed, counts: Mapping[str, int], most: int, periods: Periods, following: str
) -> str:
    """What is due in the group `name`, or `held`. `counts` say how many there are of each, at most `most` and one.
    `following` is the query of the next page.
    """
    lists = [(one, words, _how_many(counts[one], most)) for one, words in (*GROUPS.items(), (HELD, "Under legal hold"))]
    return render("desk_retention.html", place=place, site=place.site, name=name, lists=lists, years=periods,
                  is_held=name == HELD, rows=[_row(*one, periods.get(name)) for one in found],
                  following=following)  # fmt: skip


def erased(place: Place, it: Report, letters: Sequence[Mapping[str, Any]], done: str) -> str:
    """What is left: that it was there, what was decided, and who did what when."""
    events = timeline(it)
    return render("desk_erased.html", place=place, site=place.site, shown=show(it.reference), it=it,
                  category=NAMES[it.category], status=STATUSES[it.status], received=spoken(it.received_at),
                  events=events, erasure=events[0], letters=letters_of(letters), done=done,
                  **decided(it))  # fmt: skip


def _how_many(count: int, most: int) -> str:
    return f"more than {most}" if count > most else str(count)


def _row(place: str, head: Head, years: int | None) -> Row:
    since = read_stamp(place.partition("#")[0])
    return Row(show(head.reference), head.version, NAMES[head.category], STATUSES[head.status], spoken(since),
               spoken_day(due_on(since, years)) if years else "")  # fmt: skip
