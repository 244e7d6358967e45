"""Verifies the history of every report, a stretch of the table at a time: what somebody changed in the store is found.

See `docs/adr/0020-verifying.md`: why it reads the whole table, and what it cannot find.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chalicelib.errors import described
from chalicelib.report import Report, verify
from chalicelib.report_items import due_group, report_of
from chalicelib.retold import head_told_by
from chalicelib.table import ConditionFailed, Item, Page, Table, unmarshal
from chalicelib.times import stamp

ENOUGH_TIME = 60.0  # seconds that a page of the table may need where the function has little of a processor
_KEY = "VERIFICATION", "VERIFICATION"

Tell = Callable[[str, str], None]
"""Is told each broken report by its key, and what is wrong with it: nothing that is in it."""


@dataclass(frozen=True)
class Verified:
    """How many reports were whole and how many were not. `finished` if the end of the table was reached."""

    verified: int
    broken: int
    finished: bool


class Verification:
    """Goes round the whole table, again and again. Where a run stops, the next one goes on."""

    def __init__(self, table: Table, clock: Callable[[], datetime]) -> None:
        self._table, self._clock = table, clock

    def go_on(self, time_left: Callable[[], float], tell: Tell) -> Verified:
        """Verify from where the last run stopped to the end of the table, or until time is up. `time_left` gives
        seconds. We are past a report only once it was told: cut off, it is told again.
        """
        verified, broken = 0, 0
        round = self._table.get(*_KEY) or {"turn": 0}
        for page in self._pages(round):
            whole, others = _verify(page.items, tell)
            verified, broken = verified + whole, broken + others
            following = self._following(round, whole, others, page)
            if not self._write_down(round, following) or not page.last or time_left() < ENOUGH_TIME:
                return Verified(verified, broken, finished=not page.last)
            round = following
        raise AssertionError("there is always a last page")

    def verify_all(self, tell: Tell) -> Verified:
        """The whole table at once, wherever the runs are."""
        counts = [_verify(page.items, tell) for page in self._pages({})]
        return Verified(sum(whole for whole, _ in counts), sum(broken for _, broken in counts), finished=True)

    def _pages(self, round: Item) -> Iterable[Page]:
        after = (round["after_pk"], round["after_sk"]) if "after_pk" in round else None
        return self._table.scan(only="#sk = :report", given={"report": "REPORT"}, after=after)

    def _following(self, round: Item, whole: int, broken: int, page: Page) -> Item:
        """What is written down after a page: how far this round is and what it has found, from 0 where it begins."""
        now, (pk, sk) = stamp(self._clock()), page.last or (None, None)
        goes_on = "after_pk" in round
        return {
            "turn": round["turn"] + 1,
            "after_pk": pk,
            "after_sk": sk,
            "verified": whole + (round["verified"] if goes_on else 0),
            "broken": broken + (round["broken"] if goes_on else 0),
            "began_at": round["began_at"] if goes_on else now,
            "ended_at": None if page.last else now,
        }

    def _write_down(self, round: Item, following: Item) -> bool:
        """Whether we are the one who goes on: another run at the same time may be ahead of us."""
        try:
            self._table.update(
                *_KEY,
                values=following,
                condition="attribute_not_exists(pk) OR #turn = :was",
                given={"was": round["turn"]},
            )
        except ConditionFailed as there:  # or our own write, made again by the SDK because its answer was lost
            written = there.item or {}
            return bool(written) and all(written.get(name) == value for name, value in following.items())
        return True


def fault_of(stored: Any) -> str | None:
    """What is wrong with a report as DynamoDB has it: its chain, its words, or a head that its history does not tell.
    None if nothing is. What cannot even be read is broken, too.
    """
    try:
        item = unmarshal(stored)
        report = report_of(item)
        return verify(report) or _wrong_head(item, report)
    except Exception as error:
        return f"It cannot be read: {described(error)}."


def _wrong_head(item: Item, report: Report) -> str | None:
    told = head_told_by(report.entries) | {"due": due_group(report)}
    wrong = [name for name, value in told.items() if item.get(name) != value]
    return f"Not what the history tells: {', '.join(wrong)}." if wrong else None


def _verify(items: Iterable[Any], tell: Tell) -> tuple[int, int]:
    """How many are whole, and how many are broken."""
    whole, broken = 0, 0
    for stored in items:
        if fault := fault_of(stored):
            tell(stored["pk"]["S"].removeprefix("REPORT#"), fault)
            broken += 1
        else:
            whole += 1
    return whole, broken
