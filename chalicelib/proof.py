"""The proof that everything adds up: what a round through the table counts, and what it says in the end. Pure.

See `docs/adr/0023-reconciliation.md`.
"""

import json
import re
import zlib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import accumulate
from typing import NamedTuple

from chalicelib.figures import LETTER_STATES, Figure, Sums
from chalicelib.reference import parse, show
from chalicelib.report import Report
from chalicelib.times import read_stamp, spoken

ANSWERED_WITHIN = timedelta(hours=1)  # a letter that cannot be sent is tried five times, every six minutes
NEWS_FOR = timedelta(days=7)  # so long a late decision or a missing letter is a difference; it stays named for ever
MOST_NAMED = 100  # of a kind; beyond that they are counted, so that what a round keeps in mind has an end
MOST_UNPAIRED = 5_000
FAR = 100_000  # numbers: more are not taken in a year while one round lasts

OWED, LONG_OWED, YOUNG = "owed", "long owed", "young"
_NUMBER = re.compile(r"[0-9]{1,3}/([1-9][0-9]{0,8})/([0-9]{2})")


class Difference(NamedTuple):
    """Something that does not add up: its reference, number or month, and what is wrong. Nothing about a person."""

    about: str
    what: str


class Year(NamedTuple):
    """The crime numbers of a year: how many were taken, and which are on their way, or void."""

    taken: int
    lent: Sequence[int] = ()
    void: Collection[int] = ()


@dataclass
class Account:
    """What a round has counted so far. `numbers` is the register as it was when the round began; figures are told as
    of `as_of` (a stamp), however long it lasts.
    """

    as_of: str
    numbers: dict[int, Year] = field(default_factory=dict)
    sums: Sums = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    given: dict[int, int] = field(default_factory=dict)  # by year, a bit for each number that is on a report
    furthest: dict[int, tuple[int, str]] = field(default_factory=dict)  # by year, the highest of them and where it is
    twice: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)
    unanswered: list[str] = field(default_factory=list)
    unpaired: dict[str, str] = field(default_factory=dict)  # reports without a letter yet, letters without a report
    found: list[Difference] = field(default_factory=list)

    @property
    def histories(self) -> int:
        """How many have been read."""
        return self.counts["whole"] + self.counts["broken"]

    # While the round goes on: each says what is wrong with what it is given

    def history(self, reference: str, fault: str | None, told: bool) -> Iterator[Difference]:
        """A report was read, also the smoke test's; `fault` is what is wrong with it. `told` if its history can still
        be relied on to tell the figures.
        """
        self.counts["broken" if fault else "whole"] += 1
        self.counts["untold"] += not told
        if fault:
            yield Difference(shown(reference), fault)

    def deadline(self, report: Report, now: datetime) -> Iterator[Difference]:
        """Whether it was decided in time."""
        late = report.is_late(now)
        self.counts["late" if late else "open" if report.is_open else "in time"] += 1
        if not late:
            return
        if len(self.late) < MOST_NAMED:
            self.late.append(shown(report.reference))
        if report.is_open:
            yield Difference(shown(report.reference), f"It is open, and was due at {spoken(report.deadline)}.")
        elif report.deadline > now - NEWS_FOR:
            yield Difference(shown(report.reference), f"It was decided late: it was due at {spoken(report.deadline)}.")

    def number(self, reference: str, number: str) -> Iterator[Difference]:
        """A report has a crime number."""
        parts = _NUMBER.fullmatch(number)
        if not parts:
            yield Difference(shown(reference), "What it has for a crime number is none.")
            return
        year, sequence = 2000 + int(parts[2]), int(parts[1])
        if sequence > self.numbers.get(year, Year(0)).taken + FAR:
            yield Difference(number, f"It is on {shown(reference)}, and was never taken.")
            return
        if self.given.get(year, 0) >> sequence & 1 and len(self.twice) < MOST_NAMED and number not in self.twice:
            self.twice.append(number)
        self.given[year] = self.given.get(year, 0) | 1 << sequence
        self.furthest[year] = max(self.furthest.get(year, (0, "")), (sequence, reference))

    def pair(self, reference: str, standing: str) -> Iterator[Difference]:
        """A report (`owed` an acknowledgement, for `long` if that is no news, or too `young` or the smoke test's), or
        its acknowledgement by its state; whichever comes first waits for the other.
        """
        first = self.unpaired.pop(reference, None)
        if first is None:
            if len(self.unpaired) < MOST_UNPAIRED:
                self.unpaired[reference] = standing
            else:
                self.counts["unpaired"] += 1
            return
        owed, state = (first, standing) if first in (OWED, LONG_OWED, YOUNG) else (standing, first)
        if owed == YOUNG:
            return
        if state in LETTER_STATES:
            self.counts["owed"] += 1
            self.counts[state] += 1
        else:
            yield from self._unanswered(reference, owed, "Its acknowledgement is still being sent.")

    def keep(self, difference: Difference) -> None:
        """Keep it for the proof."""
        self.counts["differences"] += 1
        if len(self.found) < MOST_NAMED:
            self.found.append(difference)

    # Once the round has come to its end

    def numbers_that_differ(self, year: int, now: Year) -> Iterator[tuple[int, str]]:
        """By their place in the year, what is wrong with the numbers; `now` is what the register says at last."""
        given, void = self.given.get(year, 0), _bits(now.void)
        self.counts["void"] += (self._in_question(year) & void).bit_count()
        missing = self._in_question(year) & ~given & ~void
        yield from ((sequence, "It is on no report, and not void.") for sequence in _places(missing))
        yield from ((sequence, "It is void, and on a report.") for sequence in _places(given & void))
        sequence, reference = self.furthest.get(year, (0, ""))
        if sequence > now.taken:
            yield sequence, f"It is on {shown(reference)}, and was never taken."

    def at_last(self) -> Iterator[Difference]:
        """What can be said of acknowledgements and sums only now."""
        yield from self._sums_that_differ()
        for reference, standing in self.unpaired.items():
            if standing in (OWED, LONG_OWED):
                yield from self._unanswered(reference, standing, "It has no acknowledgement.")
            elif standing != YOUNG:
                yield Difference(shown(reference), "Its acknowledgement is there, and the report is not.")
        if more := self.counts["unpaired"]:
            yield Difference(f"{more:,} more reports", "They have no acknowledgement, or are not there.")

    def text(self, wrong_figures: int) -> str:
        """The proof, to be read aloud. `wrong_figures` is how many of the figures kept differ from the recount."""
        return "\n".join([f"Reconciliation as of {spoken(read_stamp(self.as_of))}", self._received(), self._numbers(),
                          self._deadlines(), self._acknowledgements(), self._histories(), self._figures(wrong_figures),
                          *self._verdict()])  # fmt: skip

    def _unanswered(self, reference: str, owed: str, what: str) -> Iterator[Difference]:
        self.counts["owed"] += 1
        if len(self.unanswered) < MOST_NAMED:
            self.unanswered.append(shown(reference))
        if owed == OWED:
            yield Difference(shown(reference), what)

    def _sums_that_differ(self) -> Iterator[Difference]:
        """Whether in each month, of each category, each report that was received has become exactly one thing."""
        left = Counter[tuple[str, str]]()
        for (month, category, name), count in self.sums.items():
            left[month, category] += count if name == "reports" else -count if _is_standing(name) else 0
        for (month, category), count in sorted(left.items()):
            if count:
                yield Difference(f"{month} {category}", "Received is not crimed + cancelled + not crimed + open.")

    def _in_question(self, year: int) -> int:
        """The numbers that were taken, and not on their way, when the round began."""
        began = self.numbers.get(year, Year(0))
        return (1 << began.taken + 1) - 2 & ~_bits(began.lent)

    def _received(self) -> str:
        by = Counter[str]()
        for (_, _, name), count in self.sums.items():
            by[name.partition(".")[0]] += count
        return (f"{by['reports']:,} received = {by['crimed']:,} crimed + {by['cancelled']:,} cancelled"
                f" + {by['not_crimed']:,} not crimed + {by['open']:,} open")  # fmt: skip

    def _numbers(self) -> str:
        taken = sum(year.taken for year in self.numbers.values())
        lent = sum(len(year.lent) for year in self.numbers.values())
        on_reports = sum((self._in_question(year) & self.given.get(year, 0)).bit_count() for year in self.numbers)
        return (f"{taken:,} crime {'number' if taken == 1 else 'numbers'} taken = {on_reports:,} on a report each"
                f" + {self.counts['void']:,} void + {lent:,} on their way")  # fmt: skip

    def _deadlines(self) -> str:
        return (f"{self.counts['in time']:,} decided in time + {self.counts['open']:,} open and not yet due"
                f" + {self.counts['late']:,} late{_named(': ', self.late, self.counts['late'])}")  # fmt: skip

    def _acknowledgements(self) -> str:
        by, have = self.counts, sum(self.counts[state] for state in LETTER_STATES)
        return (f"{have:,} of {by['owed']:,} reports older than an hour have their acknowledgement"
                f" ({', '.join(f'{by[state]:,} {state}' for state in LETTER_STATES)})"
                f"{_named(', not ', self.unanswered, by['owed'] - have)}")  # fmt: skip

    def _histories(self) -> str:
        broken = self.counts["broken"]
        whole = self.counts["whole"]
        return (f"{whole:,} {'history is' if whole == 1 else 'histories are'} whole"
                f"{f', {broken:,} broken' if broken else ''}")  # fmt: skip

    def _figures(self, wrong: int) -> str:
        months = len({month for month, _, _ in self.sums})
        of = f"The figures of {months:,} {'month' if months == 1 else 'months'}"
        return (
            f"{of} differ from this recount in {wrong:,} {'place' if wrong == 1 else 'places'}"
            if wrong
            else f"{of} equal this recount"
        )

    def _verdict(self) -> list[str]:
        count = self.counts["differences"]
        if not count:
            return ["Everything adds up."]
        more = count - len(self.found)
        return [f"{count:,} {'difference' if count == 1 else 'differences'}:",
                *(f"{about}: {what}" for about, what in self.found),
                *([f"{more:,} more are in the log."] if more else [])]  # fmt: skip

    # How a round that is cut off remembers it

    def packed(self) -> bytes:
        """All of it. Its size depends on how many months there are, hardly on how many reports."""
        kept = vars(self) | {"sums": _flat(self.sums), "given": {year: hex(bits) for year, bits in self.given.items()}}
        return zlib.compress(json.dumps(kept, separators=(",", ":")).encode())


def unpacked(packed: bytes) -> Account:
    """What `packed` was made of."""
    kept = json.loads(zlib.decompress(packed))
    return Account(
        as_of=kept["as_of"],
        numbers={int(year): Year(*parts) for year, parts in kept["numbers"].items()},
        sums=_unflat(kept["sums"]),
        counts=Counter(kept["counts"]),
        given={int(year): int(bits, 16) for year, bits in kept["given"].items()},
        furthest={int(year): (sequence, where) for year, (sequence, where) in kept["furthest"].items()},
        twice=kept["twice"],
        late=kept["late"],
        unanswered=kept["unanswered"],
        unpaired=kept["unpaired"],
        found=[Difference(*parts) for parts in kept["found"]],
    )


def shown(key: str) -> str:
    """A reference as people read it. Whatever else somebody has made the key of a report is not repeated."""
    return show(key) if parse(key) else "A report whose key is no reference"


def _named(before: str, names: Sequence[str], count: int) -> str:
    """Those that are named, of `count`."""
    return before + ", ".join([*names, *(["and more"] if count > len(names) else [])]) if names else ""


def _bits(places: Iterable[int]) -> int:
    bits = 0
    for place in places:
        bits |= 1 << place
    return bits


def _places(bits: int) -> Iterator[int]:
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest


def _is_standing(name: str) -> bool:
    """Whether this is one of the things that a report may have become."""
    return name in ("open", "crimed", "cancelled") or name.startswith("not_crimed.")


_Flat = dict[str, dict[str, list[int]]]


def _flat(sums: Sums) -> _Flat:
    """By month and category, and there by name. Times, of which there are many, are in one list of steps and counts:
    a fifth of the size.
    """
    flat: _Flat = {}
    at: dict[tuple[str, str], int] = {}
    for (month, category, name), count in sorted(sums.items(), key=_by_time):
        kind, time = _kind_and_time(name)
        place = f"{month} {category}"
        flat.setdefault(place, {}).setdefault(kind, []).extend((time - at.get((place, kind), 0), count))
        at[place, kind] = time
    return flat


def _unflat(flat: _Flat) -> Sums:
    sums = Counter[Figure]()
    for place, by_kind in flat.items():
        month, _, category = place.partition(" ")
        for kind, steps in by_kind.items():
            times = accumulate(steps[::2])
            sums.update({(month, category, f"{kind}{time}" if kind.endswith(".") else kind): count
                         for time, count in zip(times, steps[1::2], strict=True)})  # fmt: skip
    return sums


def _by_time(counted: tuple[Figure, int]) -> tuple[str, str, str, int]:
    (month, category, name), _ = counted
    return month, category, *_kind_and_time(name)


def _kind_and_time(name: str) -> tuple[str, int]:
    """`took.15` -> `took.`, 15; a figure that is no time stays what it is."""
    kind, _, time = name.rpartition(".")
    return (f"{kind}.", int(time)) if time.isdigit() else (name, 0)
