"""What one report, or one letter, adds to the monthly figures: told by its history, as of any moment. Pure.

A history is never changed and never erased, so the same moment always gives the same figures, however late it is asked
for, however often, and whatever has happened since. See `docs/adr/0022-figures.md`.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from chalicelib.life_cycle import OPEN, Status
from chalicelib.report import LIVE_CHAT, ONLINE, RULE
from chalicelib.retold import head_told_by
from chalicelib.times import month, read_stamp

Figure = tuple[str, str, str]
"""A month of London, a category, and what is counted there."""
Sums = Counter[Figure]

TOOK, LETTER_TOOK = "took.", "letter_took."
LETTER_STATES = ("sent", "withheld", "failed")
"""What may have become of a letter; while it is being sent it is in none of them."""
_HOUR, _DAY = 60, 24 * 60  # minutes


def of_report(category: str, entries: Sequence[Mapping[str, Any]], until: str) -> list[Figure]:
    """The figures in which a report counts as one, by what its history says up to `until` (a stamp, included).

    A report counts in the month it was received (told, if that was in the live chat), its crime in the month it was
    recorded. A cancelled crime goes on to count as recorded, and counts as cancelled beside it. Source: Home Office
    Counting Rules.
    """
    if not entries or entries[0]["at"] > until:
        return []
    head, source = head_told_by([entry for entry in entries if entry["at"] <= until]), entries[0].get("source", ONLINE)
    received = _counted(category, head["received_at"], _of_received(head), "reports", source)
    if not head["crime_number"]:
        return received
    return received + _counted(category, head["crimed_at"], _of_recorded(head), "crimes", source)


def of_letter(category: str, state: str, asked_at: str, at: str, until: str) -> list[Figure]:
    """The same of a letter: what became of it, in the month in which that was certain. `state` is `sent`, `withheld: …`
    or `failed: …`; one that is still being sent counts nowhere yet.
    """
    kind = became(state)
    if kind not in LETTER_STATES or at > until:
        return []
    names = [f"letters.{kind}", *([f"{LETTER_TOOK}{minutes_between(asked_at, at)}"] if kind == "sent" else [])]
    return [(month(read_stamp(at)), category, name) for name in names]


def became(state: str) -> str:
    """The state of a letter without the reason that may stand behind it: `withheld: …` -> `withheld`."""
    return state.partition(":")[0]


def moved(before: Iterable[Figure], after: Iterable[Figure]) -> Sums:
    """What has to be added to the sums when what counted in `before` counts in `after`: one up, or one down."""
    sums = Counter(after)
    sums.subtract(before)
    return sums


def minutes_between(first: str, last: str) -> int:
    """Whole minutes up to two days, then whole hours up to sixty days, then whole days, all in minutes: so that there
    are some four thousand of them at most, and a month's times can be kept by how often each occurred.
    """
    minutes = max(0, int((read_stamp(last) - read_stamp(first)).total_seconds()) // 60)
    unit = 1 if minutes < 2 * _DAY else _HOUR if minutes < 60 * _DAY else _DAY
    return minutes // unit * unit


def of_chat(what: str) -> str:
    """The figure of `reports` or `crimes` that came from the live chat; those from the forms are all others."""
    return f"{LIVE_CHAT}.{what}"


def _counted(category: str, at: str, names: Sequence[str], what: str, source: str) -> list[Figure]:
    """A report or crime in the month of `at` (a stamp)."""
    by_source = [of_chat(what)] if source == LIVE_CHAT else []
    return [(month(read_stamp(at)), category, name) for name in (*names, *by_source)]


def _of_received(head: Mapping[str, Any]) -> list[str]:
    """What has become of it is exactly one of `open`, `crimed`, `cancelled` and `not_crimed.<reason>`."""
    return ["reports", _standing(head), *(["call_backs"] if head["call_backs"] else [])]


def _standing(head: Mapping[str, Any]) -> str:
    if head["status"] in OPEN:
        return "open"
    if head["status"] == Status.CRIMED:
        return "crimed"
    return "cancelled" if head["cancelled"] else f"not_crimed.{head['not_crimed_reason']}"


def _of_recorded(head: Mapping[str, Any]) -> list[str]:
    return [
        "crimes",
        f"{TOOK}{minutes_between(head['received_at'], head['crimed_at'])}",
        *(["within_24h"] if head["crimed_at"] <= head["deadline"] else []),
        *(["automatically"] if head["crimed_by"] == RULE.id else []),
        *([f"crimes_cancelled.{head['cancelled']}"] if head["cancelled"] else []),
    ]
