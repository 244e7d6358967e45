"""What the person who reported may still do to their report: tell more, choose when to be called, stop the letters.

Pure, like `report.py`: each takes a report and gives it as it is afterwards. Nothing of it stops the clock.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from chalicelib.errors import NotAllowed
from chalicelib.life_cycle import Move
from chalicelib.report import PUBLIC, Report, Words, after_move, assessed, has_room, size_of, with_entry
from chalicelib.triage import assess, higher

MOST_ENTRIES = 40  # that one person may add: an item must not be filled by whoever knows a reference
MOST_WORDS = 60_000  # bytes of theirs, half of what a history may have: officers must still be able to take it up


def add(report: Report, at: datetime, id: str, words: Words) -> Report:
    """What the person tells us later, whatever has become of the report. The same `id` again is the same addition. It
    may raise the priority, as the words of the report may.
    """
    if any(entry.get("id") == id for entry in report.entries):
        return report
    _require_room(report, words)
    return _by_public(_raised(report, words.text), Move.ADD, "added", at, {"id": id}, words)


def choose_time(report: Report, at: datetime, words: Words) -> Report:
    """When the person wants to be called, in words: they may be about the person. It never stops the clock."""
    if report.call_back_wanted == words.text:
        return report
    _require_room(report, words)
    return _by_public(report, Move.CHOOSE_TIME, "call_back_time", at, {}, words)


def want_letters(report: Report, at: datetime, wanted: bool) -> Report:
    """Stop the letters to the person, or have them again. They can always be stopped: a letter may be a danger."""
    if report.wants_letters == wanted:
        return report
    if wanted:
        _require_room(report)
    return _by_public(report, Move.LETTERS, "letters_resumed" if wanted else "letters_stopped", at, {})


def _by_public(
    report: Report, move: Move, what: str, at: datetime, facts: Mapping[str, Any], words: Words | None = None
) -> Report:
    try:
        moved = after_move(report, move)
    except NotAllowed as refusal:  # in words for officers
        raise NotAllowed(
            "Your report has been decided meanwhile. Look at it to see what was decided, or call 101.",
            **refusal.more,
        ) from None
    return with_entry(moved, what, PUBLIC, at, facts, words)


def _require_room(report: Report, *more: Words) -> None:
    """Refuse what would leave officers no room."""
    theirs = {entry["version"] for entry in report.entries if entry["by"] == PUBLIC.id}
    said = [words for words in report.words if words.version in theirs]
    if len(theirs) > MOST_ENTRIES or size_of([*said, *more]) > MOST_WORDS or not has_room(report):
        raise NotAllowed(
            "You have told us all that we can keep with this report. Call 101 with your reference to tell us more."
        )


def _raised(report: Report, more: str) -> Report:
    """With the priority that `more` words ask for, if it is higher than the one it has."""
    report = assessed(report)
    found = assess(report.category, {**report.answers, "what_happened": more})
    reasons = tuple(dict.fromkeys((*report.reasons, *found.reasons)))
    return replace(report, priority=higher(report.priority, found.priority), reasons=reasons)
