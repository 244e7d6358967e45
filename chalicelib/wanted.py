"""What an officer asks of the queue, where that begins and ends in its order, and a page of what is found. Pure."""

from dataclasses import dataclass

from chalicelib.report import Head
from chalicelib.triage import PRIORITIES, UNASSESSED

OPEN_LIST, MINE = "open", "mine"
LISTS = (OPEN_LIST, "awaiting_disposal", "new_information", "second_look", MINE)
"""What is open, what waits for something after its decision, and what the officer holds, decided or not."""

BEFORE_ALL, BEHIND_ALL = " ", "~"  # no place is either of them

Placed = tuple[str, Head]
"""A report and its place in the order, `triage.urgency`: a text that stays what it is as others come and go."""


@dataclass(frozen=True)
class Wanted:
    """Which reports a page of the queue shows; None is any."""

    list: str = OPEN_LIST
    category: str | None = None
    status: str | None = None
    priority: str | None = None

    @property
    def untouched(self) -> bool:
        """Whether reports that nothing has touched since they came may be among them."""
        return (
            self.list == OPEN_LIST and self.status in (None, "received") and self.priority in (None, UNASSESSED)
        )  # fmt: skip

    def between(self, after: str, before: str) -> tuple[str, str]:
        """The first and the last place there can be beyond `after` and `before`, which may be empty, both included."""
        first, last = BEFORE_ALL, BEHIND_ALL
        if self.priority:
            rank = (UNASSESSED, *PRIORITIES).index(self.priority)
            first, last = f"{rank}#", f"{rank}#{BEHIND_ALL}"
        return max(first, after), min(last, before or last)


@dataclass(frozen=True)
class QueuePage:
    """Some reports of a list in its order, and whether there are others behind and before them.

    The next page is what comes after the place of the last, the one before what comes before the place of the first.
    """

    heads: list[Placed]
    more: bool
    earlier: bool
