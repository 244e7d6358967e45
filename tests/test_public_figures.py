"""What everybody is shown is read once a minute, whoever asks for what, however often."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from force_figures import ALL_MONTHS, CRIMES, sums

from chalicelib.figures import Sums
from chalicelib.public_figures import PublicFigures
from chalicelib.statistics import EARLIEST, Imported
from tests.fakes import Clock

IMPORTED = {"2017-12": Imported(7, None)}


class Read:
    """A ledger and imported months that count how often they are read."""

    def __init__(self) -> None:
        self.kept, self.ranges = sums(), list[tuple[str, str]]()

    def sums(self, months: Sequence[str]) -> Sums:
        self.ranges.append((months[0], months[-1]))
        return self.kept

    def months(self) -> dict[str, Imported]:
        return IMPORTED


def made() -> tuple[PublicFigures, Read, Clock]:
    read, clock = Read(), Clock()
    clock.now = datetime(2019, 7, 9, 12, tzinfo=UTC)
    return PublicFigures(read.sums, read.months, clock), read, clock


def test_any_months_are_of_one_reading() -> None:
    figures, read, clock = made()
    for months in (ALL_MONTHS, ALL_MONTHS[3:5], ["2001-01"], ALL_MONTHS[3:5]):
        counted, imported = figures.of(months)
        assert imported == IMPORTED
        assert counted == Counter({figure: count for figure, count in sums().items() if figure[0] in months})
        clock.now += timedelta(seconds=19)
    assert read.ranges == [(EARLIEST, "2019-07")]


def test_after_a_minute_they_are_read_again() -> None:
    figures, read, clock = made()
    for later, times in ((0, 1), (59, 1), (1, 2), (-1, 3)):  # a clock that was put right is no reason to wait
        clock.now += timedelta(seconds=later)
        figures.of(ALL_MONTHS)
        assert len(read.ranges) == times
    read.kept = Counter({("2019-06", "theft", "crimes"): CRIMES["2019-06"]})
    clock.now += timedelta(minutes=1)
    assert figures.of(["2019-06"])[0] == read.kept
