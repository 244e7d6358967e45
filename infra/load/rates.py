"""What a steady rate is, and how the highest one is found."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from infra.replay.command import at_shares

SLOWEST_MS = 1_000  # 99 in 100 within this time of when they were due: where more come than go, all wait ever longer
LONGEST_REST_SECONDS = 2  # until triage and letters are through, too: where they fall behind, it becomes ever longer
FIRST, FASTEST = 5.0, 640.0  # a second
CLOSE_ENOUGH = 0.1


class Tried(NamedTuple):
    """What came of sending `rate` reports a second: the `times` in which they were answered, in milliseconds; how many
    `failed`: had no 201; and how long triage and letters went on after the last answer.
    """

    rate: float
    times: Sequence[float]
    failed: int
    rest_seconds: float

    @property
    def unsteady(self) -> str:
        """Why the rate is not steady; no text if it is."""
        _, _, slow, _ = at_shares(self.times)
        if self.failed:
            return f"{self.failed:,} failed"
        if slow > SLOWEST_MS:
            return "too slow"
        if self.rest_seconds > LONGEST_REST_SECONDS:
            return "behind"
        return ""


def highest(is_steady: Callable[[float], bool]) -> float:
    """The highest rate that is steady, to CLOSE_ENOUGH; 0 if not even the FIRST is. None above FASTEST is tried."""
    low, high = 0.0, FIRST
    while is_steady(high):
        low, high = high, high * 2
        if low >= FASTEST:
            return low
    while low and high - low > CLOSE_ENOUGH * low:
        middle = (low + high) / 2
        low, high = (middle, high) if is_steady(middle) else (low, middle)
    return low
