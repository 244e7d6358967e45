"""What supervisors do about how long reports are kept: the review list, legal hold, and erasure. See `retention.py`."""

from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from chalicelib import retention
from chalicelib.changes import Changes, Officer, Save, require_supervisor
from chalicelib.crime_numbers import CrimeNumbers
from chalicelib.finder import Finder
from chalicelib.report import Actor, Report, Words
from chalicelib.store import Store
from chalicelib.wanted import BEFORE_ALL, BEHIND_ALL, Placed

MOST_COUNTED = 200  # of a group: what is read of it to say how many there are

Rule = Callable[[Report, Actor, datetime, Words], Report]


@dataclass(frozen=True)
class Review:
    """A page of what is due for review in a group, or of what is under legal hold: each with its place there, which is
    the time since when it is in it, and its reference. `more` if there are others.
    """

    heads: list[Placed]
    more: bool


class Keeping(Changes):
    """The supervisors' verbs."""

    def __init__(
        self,
        store: Store,
        numbers: CrimeNumbers,
        finder: Finder,
        clock: Callable[[], datetime],
        mint: Callable[[], str],
        periods: retention.Periods,
        second_look: Container[str] = (),
    ) -> None:
        """As `Changes`. `finder` says where a report is found, `periods` how long each group is kept."""
        super().__init__(store, numbers, clock, mint, second_look)
        self._finder, self.periods = finder, periods

    def review(self, officer: Officer, name: str, limit: int, after: str = "") -> Review:
        """What is due in the group `name`, or `held`, oldest first, beyond the place `after`."""
        require_supervisor(officer)
        found = list(islice(self._retained(name, after, limit + 2), limit + 1))
        page = Review(found[:limit], len(found) > limit)
        self._store.log_access(
            officer.actor, "list", [head.reference for _, head in page.heads], self._now(), self._mint()
        )
        return page

    def count(self, officer: Officer, name: str) -> int:
        """How many there are of it, at most MOST_COUNTED and one."""
        require_supervisor(officer)
        return sum(1 for _ in islice(self._retained(name, "", MOST_COUNTED + 1), MOST_COUNTED + 1))

    def _retained(self, name: str, after: str, at_a_time: int) -> Iterator[Placed]:
        if name == retention.HELD:
            listed, first, last = name, after or BEFORE_ALL, BEHIND_ALL
        else:
            listed, (first, last) = retention.CLOSED, retention.between(name, self.periods, self._now(), after)
        found = self._store.lists.retained(listed, first, last, at_a_time)
        within = ((place.removeprefix(f"{name}#"), head) for place, head in found)
        return (pair for pair in within if pair[0] != after)

    def hold(self, officer: Officer, reference: str, version: int, why: str) -> Report:
        """Put it under legal hold."""
        return self._decide(officer, reference, version, why, retention.hold)

    def lift(self, officer: Officer, reference: str, version: int, why: str) -> Report:
        """Lift the legal hold."""
        return self._decide(officer, reference, version, why, retention.lift)

    def keep(self, officer: Officer, reference: str, version: int, why: str) -> Report:
        """Keep it for another period."""
        return self._decide(officer, reference, version, why, retention.keep)

    def erase(self, officer: Officer, reference: str, version: int, because: str, why: str) -> Report:
        """Erase what people said, `because` of one of `retention.WHY_ERASED`: at once in the report itself, and within
        the hour wherever else it is (`erasing.py`).
        """

        def erased(report: Report, by: Actor, at: datetime, words: Words) -> Report:
            return retention.erase(report, by, at, because, words, self.periods)

        return self._decide(officer, reference, version, why, erased, self._erase)

    def _decide(
        self, officer: Officer, reference: str, version: int, why: str, rule: Rule, save: Save | None = None
    ) -> Report:
        require_supervisor(officer)
        now, words = self._now(), Words(0, why, self._mint())
        return self._change(officer, reference, version, lambda report: rule(report, officer.actor, now, words), save)

    def _erase(self, before: Report, after: Report) -> Report:
        return self._store.erase(before, after, self._finder.look_ups(before))
