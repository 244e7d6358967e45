"""Whether a stored report or letter is what the service has written: what somebody changed in the store is found.

See `docs/adr/0020-verifying.md`: what it cannot find.
"""

from typing import Any, NamedTuple

from chalicelib.errors import described
from chalicelib.figures import LETTER_STATES, became
from chalicelib.report import Report, verify
from chalicelib.report_items import changed_places, due_group, is_placed, last_change, reference_of, report_of
from chalicelib.retold import head_told_by
from chalicelib.table import Item, unmarshal
from chalicelib.times import read_stamp

_UNTOUCHED = dict.fromkeys(("changed", "changed_at"))


class Examined(NamedTuple):
    """A report, None if it cannot even be read; what is wrong with its chain or its words; what is wrong with a head
    that its history does not tell. None if nothing is.
    """

    report: Report | None
    broken: str | None = None
    wrong: str | None = None

    @property
    def fault(self) -> str | None:
        """What is wrong with it."""
        return self.broken or self.wrong


def examine(stored: Any) -> Examined:
    """A report as DynamoDB has it."""
    try:
        item = unmarshal(stored)
        report = report_of(item)
        broken = verify(report)
        return Examined(report, broken, None if broken else _wrong_head(item, report))
    except Exception as error:
        return Examined(None, f"It cannot be read: {described(error)}.")


def letter_fault(item: Item) -> str | None:
    """What is wrong with a letter's item: one that has ended has its place among what has changed. Raises if it cannot
    be read. One of before letters said what they count as has none, or has one.
    """
    if not {"category", "asked_at"} & item.keys():
        return None
    read_stamp(item["asked_at"])
    ended = became(item["state"]) in LETTER_STATES
    told = changed_places(reference_of(item), item["at"]) if ended else _UNTOUCHED
    return _otherwise(item, told)


def _wrong_head(item: Item, report: Report) -> str | None:
    entries = report.entries
    touched = is_placed(report) and not report.synthetic
    places = changed_places(report.reference, last_change(entries)) if touched else _UNTOUCHED
    return _otherwise(item, head_told_by(entries) | {"due": due_group(report)} | places)


def _otherwise(item: Item, told: dict[str, Any]) -> str | None:
    wrong = [name for name, value in told.items() if item.get(name) != value]
    return f"Not what the history tells: {', '.join(wrong)}." if wrong else None
