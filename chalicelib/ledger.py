"""The ledger: the monthly figures added up to a moment, and what has changed since. See `docs/adr/0022-figures.md`.

In the table (`pk` / `sk`):
- `FIGURES` / `<month>`: what counts in that month `as_of` a moment.
- `FIGURES` / `AS_OF`: a moment up to which all months have been added up at least; a month that is behind it has not
  changed since.

The figures now are the kept ones, and for each report and letter that has changed since: what counts now, less what
counted then. Both are told by histories, so nothing can be counted twice, and a request costs as much as has changed
since the ledger was moved on, however many reports the past has.
"""

import json
import logging
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from itertools import islice

from chalicelib.figures import Figure, Sums, moved, of_letter, of_report
from chalicelib.report import TIME_TO_CRIME
from chalicelib.report_items import SHARDS
from chalicelib.table import ConditionFailed, Item, Table
from chalicelib.times import read_stamp, stamp

log = logging.getLogger("crime-reports")

# The ledger is moved on to this long ago: what was stamped before then has been written (no function that writes a
# report works at one for longer than a minute or two) and has reached the index (as a rule within a second).
SETTLED_AFTER = timedelta(minutes=10)
BEGINNING, NOW = "1970-01-01T00:00:00Z", "9999-12-31T23:59:59Z"
MOST_KEYS = 100  # that DynamoDB gives at once

Tell = Callable[[str], list[Figure]]
"""What a report or letter counts as up to a moment (a stamp)."""


@dataclass(frozen=True)
class Difference:
    """A figure that the ledger has otherwise than a recount."""

    figure: Figure
    kept: int
    recounted: int


class Ledger:
    """The figures in the table of the reports; `clock` gives aware UTC datetimes."""

    def __init__(self, table: Table, clock: Callable[[], datetime], settle: Callable[[], None]) -> None:
        """`settle` waits until what the indexes are about to show is there."""
        self._table, self._clock, self._settle = table, clock, settle

    def sums(self, months: Sequence[str]) -> Sums:
        """The figures of `months` (the first to the last of a range) as they are now."""
        as_of = self.as_of()  # first: a ledger that is moved on meanwhile has months that are ahead of it, never behind
        return self._sums(months[0], months[-1], as_of, NOW)

    def added_up(self, month: str) -> tuple[Sums, str]:
        """The figures of a month as they were last added up, and as of when: two reads, however much has changed since
        then, for whoever is waited for.
        """
        as_of, item = self.as_of(), self._table.get(*_key(month))
        return (_kept(item), max(item["as_of"], as_of)) if item else (Counter(), as_of)

    def as_of(self) -> str:
        """The moment up to which all months have been added up at least."""
        return str((self._table.get(*_AS_OF) or {}).get("as_of", BEGINNING))

    def move_on(self) -> str:
        """Add up to SETTLED_AFTER ago, and give the moment that is reached. Cut off, the next one goes on: a month that
        was written already is not changed again. Of two at once, one stops.
        """
        as_of, until = self.as_of(), stamp(self._clock() - SETTLED_AFTER)
        if until <= as_of:
            _complain_if_ahead(as_of, self._clock())
            return as_of
        changed = list(self._told(self._twice_changed_since(as_of)))
        since = cache(lambda stands: _changes(changed, stands, until))  # as a rule, all months stand at the same moment
        try:
            for month in sorted({figure[0] for tell in changed for figure in tell(until)}):
                self._move_month_on(month, as_of, until, since)
            self._table.update(
                *_AS_OF,
                values={"as_of": until},
                condition="attribute_not_exists(pk) OR #as_of = :was",
                given={"was": as_of},
            )
        except ConditionFailed:
            return self.as_of()
        return until

    def differences(self, recounted: Sums, as_of: str) -> list[Difference]:
        """Where the ledger does not have what was recounted up to `as_of`, any moment by which all was written. What
        has changed between that and the ledger's own moment is added to the recount, so that both are of one moment.
        """
        now = self.as_of()
        kept = self._sums("0", "9", now, now)
        right = recounted + Counter[Figure]()
        right.update(_changes(self._told(self._twice_changed_since(min(as_of, now))), as_of, now))
        return [Difference(figure, kept[figure], right[figure]) for figure in sorted({*kept, *right})
                if kept[figure] != right[figure]]  # fmt: skip

    def mend(self, differences: Iterable[Difference]) -> None:
        """Have the recounted figures from now on, where they are still kept as they were: what has changed since, or
        was mended by another, is left to the next recount. Raises ConditionFailed if the ledger is moved on meanwhile.
        """
        wrong: dict[str, list[Difference]] = {}
        for one in differences:
            wrong.setdefault(one.figure[0], []).append(one)
        for month, several in wrong.items():
            item = self._table.get(*_key(month))
            kept = _kept(item) if item else Counter[Figure]()
            by = Counter({one.figure: one.recounted - one.kept for one in several if kept[one.figure] == one.kept})
            self._keep(month, item, item["as_of"] if item else self.as_of(), by)

    def _sums(self, first: str, last: str, as_of: str, until: str) -> Sums:
        """The figures from month `first` to `last` up to `until`."""
        between = {"pk": _PK, "first": first, "last": last}
        found = self._table.query(where="#pk = :pk AND #sk BETWEEN :first AND :last", given=between)
        items = {item["sk"]: item for item in found}
        sums, changed = Counter[Figure](), self._changed_since(as_of)
        for item in items.values():
            sums.update(_kept(item))
        stands = {month: max(item["as_of"], as_of) for month, item in items.items()}
        for at in {as_of, *stands.values()}:
            for figure, count in _changes(changed, at, until).items():
                if first <= figure[0] <= last and stands.get(figure[0], as_of) == at:
                    sums[figure] += count
        return sums

    def _move_month_on(self, month: str, as_of: str, until: str, since: Callable[[str], Sums]) -> None:
        item = self._table.get(*_key(month))
        stands = max(item["as_of"], as_of) if item else as_of
        if stands < until:
            by = {figure: count for figure, count in since(stands).items() if figure[0] == month}
            self._keep(month, item, until, Counter(by))

    def _keep(self, month: str, item: Item | None, as_of: str, by: Sums) -> None:
        """Write a month's figures, `by` more, on condition that they are still those of `item`."""
        sums = _kept(item) if item else Counter[Figure]()
        sums.update(by)
        values = {"as_of": as_of, "sums": _packed(sums), "turn": item["turn"] + 1 if item else 1}
        if not item:
            self._table.put_new({"pk": _PK, "sk": month, **values})
            return
        self._table.update(*_key(month), values=values, condition="#turn = :was", given={"was": item["turn"]})

    def _changed_since(self, as_of: str) -> list[Tell]:
        """Each report and letter that has changed after `as_of`, as it is now."""
        return list(self._told(self._keys_changed_since(as_of)))

    def _twice_changed_since(self, as_of: str) -> dict[tuple[str, str], None]:
        """The keys of the same, looked for again once the indexes have settled: what was counted as changed before, and
        was on its way from one place in them to another at this moment, would never be looked for again.
        """
        found = self._keys_changed_since(as_of)
        self._settle()
        return found | self._keys_changed_since(as_of)

    def _keys_changed_since(self, as_of: str) -> dict[tuple[str, str], None]:
        """The untouched are asked for first: one that is touched meanwhile is found twice, not never."""
        return dict.fromkeys([*self._untouched_since(as_of), *self._touched_since(as_of)])

    def _told(self, keys: Iterable[tuple[str, str]]) -> Iterator[Tell]:
        left = iter(keys)
        while some := list(islice(left, MOST_KEYS)):
            yield from (tell for item in self._table.get_many(some) if (tell := told_by(item)))

    def _untouched_since(self, as_of: str) -> Iterator[tuple[str, str]]:
        due = stamp(read_stamp(as_of) + TIME_TO_CRIME)
        for shard in range(SHARDS):
            yield from map(_key_of, self._table.query(
                index="by_deadline", where="#due = :group AND #deadline > :due",
                given={"group": f"new-{shard}", "due": due}))  # fmt: skip

    def _touched_since(self, as_of: str) -> Iterator[tuple[str, str]]:
        for shard in range(SHARDS):
            yield from map(_key_of, self._table.query(
                index="by_changed", where="#changed = :shard AND #changed_at > :as_of",
                given={"shard": str(shard), "as_of": as_of}))  # fmt: skip


def told_by(item: Item) -> Tell | None:
    """What a stored report or letter counts as; None for what counts nowhere: the smoke test's, its letters, and what
    cannot be read. That must not hold up all figures, and the reconciliation names it.
    """
    if "synthetic" in item:
        return None
    try:
        tell = cache(_tell(item))  # it is asked again, for the same few moments
        tell(NOW)
        return tell
    except Exception:
        return None


def _tell(item: Item) -> Tell:
    """Keeps of the item what it needs: not the answers, which may be long."""
    category = item["category"]
    if item["sk"] == "REPORT":
        entries = [json.loads(entry) for entry in item["history"]]
        return lambda until: of_report(category, entries, until)
    state, asked_at, at = item["state"], item["asked_at"], item["at"]
    return lambda until: of_letter(category, state, asked_at, at, until)


_PK = "FIGURES"
_AS_OF = _PK, "AS_OF"


def _complain_if_ahead(as_of: str, now: datetime) -> None:
    """A clock that was far ahead once has left the ledger in the future: what happens until then is not counted."""
    if as_of > stamp(now):
        log.error("the ledger is ahead of the clock", extra={"as_of": as_of})


def _key(month: str) -> tuple[str, str]:
    return _PK, month


def _key_of(item: Item) -> tuple[str, str]:
    return item["pk"], item["sk"]


def _changes(changed: Iterable[Tell], before: str, after: str) -> Sums:
    """What the figures of two moments differ by."""
    sums = Counter[Figure]()
    for tell in changed:
        sums.update(moved(tell(before), tell(after)))
    return sums


def _packed(sums: Sums) -> bytes:
    by_category: dict[str, dict[str, int]] = {}
    for (_, category, name), count in sorted(sums.items()):
        if count:
            by_category.setdefault(category, {})[name] = count
    return zlib.compress(json.dumps(by_category, separators=(",", ":")).encode(), 9)


def _kept(item: Item) -> Sums:
    by_category = json.loads(zlib.decompress(item["sums"]))
    return Counter({(item["sk"], category, name): count for category, counts in by_category.items()
                    for name, count in counts.items()})  # fmt: skip
