"""The lists of the live chat, and how quickly they move: so how long somebody is likely to wait. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import mean
from typing import NamedTuple

from chalicelib.chat import PROMISE
from chalicelib.report import Actor


class Waiting(NamedTuple):
    """What the list shows of a conversation that nobody has taken: nothing about the person."""

    id: str
    began_at: datetime
    priority: str | None
    reasons: tuple[str, ...]
    has_ended: bool


class Held(NamedTuple):
    """What a supervisor sees of a conversation that somebody has: nothing about the person. `unanswered` if the visitor
    waits longer for an answer than was promised.
    """

    id: str
    began_at: datetime
    advisor: Actor
    has_ended: bool
    priority: str | None
    unanswered: bool


@dataclass(frozen=True)
class Pace:
    """The last conversations that were taken: when each began and when an advisor took it, oldest first."""

    takes: tuple[tuple[datetime, datetime], ...] = ()
    version: int = 0

    KEPT = 50
    OF_LATE = timedelta(hours=1)

    def after(self, began: datetime, taken: datetime) -> "Pace":
        """With one more."""
        return Pace((*self.takes, (began, taken))[-self.KEPT :], self.version + 1)

    @property
    def within_promise(self) -> tuple[int, int]:
        """How many of them were taken within the promise, and how many there are."""
        return sum(taken - began <= PROMISE for began, taken in self.takes), len(self.takes)

    def wait(self, place: int, now: datetime) -> int | None:
        """The minutes that somebody at `place` (1 is next) is likely to wait, at least 1; None if nobody can tell. By
        how often conversations were taken within the last hour.
        """
        late = [taken for _, taken in self.takes if now - taken <= self.OF_LATE]
        if not late:
            return None
        apart = mean((later - earlier).total_seconds() for earlier, later in zip(late, [*late[1:], now], strict=True))
        return max(1, round(apart * place / 60))
