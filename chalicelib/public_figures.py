"""The figures as everybody is shown them: read once a minute by each process, for whoever asks.

A reading costs what has changed in the last hour, and nobody has to sign in for it. So that a flood of requests costs
the table nothing, it is of all months: months that somebody makes up are no reason for another one.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from chalicelib.figures import Sums
from chalicelib.statistics import EARLIEST, Imported
from chalicelib.times import month

GOOD_FOR = timedelta(minutes=1)


class PublicFigures:
    """The last reading of `sums` and `imported`; `clock` gives aware UTC datetimes."""

    def __init__(
        self,
        sums: Callable[[Sequence[str]], Sums],
        imported: Callable[[], Mapping[str, Imported]],
        clock: Callable[[], datetime],
    ) -> None:
        self._read_sums, self._read_imported, self._clock = sums, imported, clock
        self._read_at: datetime | None = None
        self._sums: dict[str, Sums] = {}
        self._imported: Mapping[str, Imported] = {}

    def of(self, months: Sequence[str]) -> tuple[Sums, Mapping[str, Imported]]:
        """The figures of `months`, and all that was imported; at most GOOD_FOR old."""
        now = self._clock()
        if not self._read_at or not timedelta(0) <= now - self._read_at < GOOD_FOR:
            self._read(now)
        found = Counter[tuple[str, str, str]]()
        for one in months:
            found.update(self._sums.get(one, {}))
        return found, self._imported

    def _read(self, now: datetime) -> None:
        by_month: dict[str, Sums] = {}
        for figure, count in self._read_sums([EARLIEST, month(now)]).items():
            by_month.setdefault(figure[0], Counter())[figure] = count
        self._sums, self._imported, self._read_at = by_month, self._read_imported(), now
