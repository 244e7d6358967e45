"""The lists that officers work from, read a page at a time: what that costs does not grow with the queue.

See `docs/adr/0019-lists.md`. A report that nobody has touched has no place in a work list yet (`store.py` says why):
it is found by deadline in the groups `new-…`, and comes before all others, as it could be anything.
"""

import heapq
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, groupby, islice

from chalicelib.errors import described
from chalicelib.reference import show
from chalicelib.report import Head
from chalicelib.report_items import SHARDS, head_of, reference_of
from chalicelib.table import Item, Table
from chalicelib.times import stamp
from chalicelib.triage import urgency
from chalicelib.wanted import BEFORE_ALL, BEHIND_ALL, MINE, OPEN_LIST, Placed, QueuePage, Wanted

log = logging.getLogger("crime-reports")

BESIDE = 3
"""Read beside the reports of a page: the one at its border, one that says whether there are more, and one that ends a
run of equal deadlines."""

_FREE = "( attribute_not_exists(#claimed_until) OR #claimed_until <= :now )"


@dataclass(frozen=True)
class _Stretch:
    """A stretch of a list between two places, both included, and how it is read: DynamoDB keeps back what does not
    fit `only`, with the values of `given`.
    """

    name: str
    first: str
    last: str
    backwards: bool
    at_a_time: int
    only: str
    given: Mapping[str, str]


class WorkLists:
    """Heads of reports in the order of urgency, from the indexes of one table: hints, which may lag by a moment."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def page(
        self, wanted: Wanted, officer: str, now: datetime, limit: int, after: str = "", before: str = ""
    ) -> QueuePage:
        """The first `limit` reports beyond the place `after`, or the last ones before the place `before`; where fewer
        are before it, the first page. `officer` is whose `mine` is.
        """
        first, last = wanted.between(after, before)
        if wanted.list == MINE:
            there = self._held_between(wanted, officer, now, first, last, bool(before))
        else:
            stretch = _Stretch(wanted.list, first, last, bool(before), limit + BESIDE, *_only(wanted))
            there = self._listed_and_new(stretch) if wanted.untouched else self._listed(stretch)
        found = list(islice((pair for pair in there if pair[0] not in (after, before)), limit + 1))
        heads, others = found[:limit], len(found) > limit
        if not before:
            return QueuePage(heads, more=others, earlier=bool(after))
        if not others:
            return self.page(wanted, officer, now, limit)
        return QueuePage(heads[::-1], more=True, earlier=True)

    def free(self, now: datetime, count: int) -> list[Head]:
        """The most urgent `count` open reports that nobody holds."""
        stretch = _Stretch(OPEN_LIST, BEFORE_ALL, BEHIND_ALL, False, count + BESIDE, _FREE, {"now": stamp(now)})
        return [head for _, head in islice(self._listed_and_new(stretch), count)]

    def held_by(
        self, officer: str, now: datetime, only: str = "", given: Mapping[str, str] | None = None
    ) -> list[Placed]:
        """What an officer holds, decided or not, most urgent first. Nobody holds many: they are read at once."""
        items = self._table.query(
            index="by_holder",
            where="#claimed_by = :holder AND #claimed_until > :now",
            only=only,
            given={"holder": officer, "now": stamp(now), **(given or {})},
        )
        return sorted(_placed(items), key=_place)

    def retained(self, name: str, first: str, last: str, at_a_time: int) -> Iterator[Placed]:
        """What stands between two places of a list of `retention.py`, both included, oldest first."""
        stretch = _Stretch(name, first, last, False, at_a_time, "", {})
        where = "#worklist = :name AND #urgency BETWEEN :first AND :last"
        return _placed(self._query("by_urgency", where, name, first, last, stretch), lambda _, item: item["urgency"])

    def _held_between(
        self, wanted: Wanted, officer: str, now: datetime, first: str, last: str, backwards: bool
    ) -> Iterator[Placed]:
        held = self.held_by(officer, now, *_only(wanted))
        return (pair for pair in (held[::-1] if backwards else held) if first <= pair[0] <= last)

    def _listed_and_new(self, stretch: _Stretch) -> Iterator[Placed]:
        """Each report once. The untouched are read first: one that is touched meanwhile is found twice, not never."""
        listed = self._listed(stretch)
        if stretch.first > f"0#{BEHIND_ALL}":
            return listed
        groups = (self._untouched(f"new-{shard}", stretch) for shard in range(SHARDS))
        new = heapq.merge(*groups, key=_place, reverse=stretch.backwards)
        return _unique(chain(listed, new) if stretch.backwards else chain(new, listed))

    def _listed(self, stretch: _Stretch) -> Iterator[Placed]:
        where = "#worklist = :name AND #urgency BETWEEN :first AND :last"
        return _placed(self._query("by_urgency", where, stretch.name, stretch.first, stretch.last, stretch))

    def _untouched(self, group: str, stretch: _Stretch) -> Iterator[Placed]:
        """One group, sorted by more than its index has: several may have come in one second."""
        first, last = _deadline(stretch.first) or BEFORE_ALL, _deadline(stretch.last) or BEHIND_ALL
        items = self._query(
            "by_deadline", "#due = :name AND #deadline BETWEEN :first AND :last", group, first, last, stretch
        )
        for _, run in groupby(items, key=lambda item: str(item["deadline"])):
            together = sorted(_placed(run), key=_place, reverse=stretch.backwards)
            yield from (pair for pair in together if stretch.first <= pair[0] <= stretch.last)

    def _query(self, index: str, where: str, name: str, first: str, last: str, stretch: _Stretch) -> Iterator[Item]:
        if first > last:  # a place of another list: DynamoDB would refuse it
            return iter(())
        return self._table.query(
            index=index,
            where=where,
            only=stretch.only,
            given={"name": name, "first": first, "last": last, **stretch.given},
            limit=stretch.at_a_time,
            backwards=stretch.backwards,
        )


def _only(wanted: Wanted) -> tuple[str, dict[str, str]]:
    """The filter for what the order does not say already, and the values in it."""
    given = {name: value for name, value in (("category", wanted.category), ("status", wanted.status)) if value}
    return " AND ".join(f"#{name} = :{name}" for name in given), given


def _by_urgency(head: Head, item: Item) -> str:
    return urgency(head.priority, item["deadline"], head.reference)


def _placed(items: Iterable[Item], place_of: Callable[[Head, Item], str] = _by_urgency) -> Iterator[Placed]:
    """Each with its place. One that is broken must not keep everybody from the rest; it is named in the log."""
    for item in items:
        try:
            head = head_of(item)
            place = place_of(head, item)
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            told = {"reference": show(reference_of(item)), "error": described(error)}
            log.error("report cannot be listed", extra=told)
            continue
        yield place, head


def _place(pair: Placed) -> str:
    return pair[0]


def _deadline(place: str) -> str:
    """The deadline in a place among the untouched; of any other there is none to keep to."""
    return place.removeprefix("0#").partition("#")[0] if place.startswith("0#") else ""


def _unique(heads: Iterable[Placed]) -> Iterator[Placed]:
    seen: set[str] = set()
    for place, head in heads:
        if head.reference not in seen:
            seen.add(head.reference)
            yield place, head
