"""What the person who reported may still do to their report: tell more, choose when to be called, stop the letters.

Pure, like `report.py`: each takes a report and gives it as it is afterwards. Nothing of it stops the clock.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from chalicelib.errors import NotAllowed
from chalicelib.report import PUBLIC, Move, Report, Words, after_move, assessed, require_room, with_entry
from chalicelib.triage import assess, higher

MOST_ENTRIES = 40  # that one person may add: an item must not be filled by whoever knows a reference


def add(report: Report, at: datetime, id: str, words: Words) -> Report:
    """What the person tells us later, whatever has become of the report. The same `id` again is the same addition. It
    may raise the priority, as the words of the report may.
    """
    if any(entry.get("id") == id for entry in report.entries):
        return report
    require_room(report)
    return _by_public(_raised(report, words.text), Move.ADD, "added", at, {"id": id}, words)


def choose_time(report: Report, at: datetime, words: Words) -> Report:
    """When the person wants to be called, in words: they may be about the person. It never stops the clock."""
    if report.call_back_wanted == words.text:
        return report
    require_room(report)
    return _by_public(report, Move.CHOOSE_TIME, "call_back_time", at, {}, words)


def want_letters(report: Report, at: datetime, wanted: bool) -> Report:
    """Stop the letters to the person, or have them again."""
    if report.wants_letters == wanted:
        return report
    return _by_public(report, Move.LETTERS, "letters_resumed" if wanted else "letters_stopped", at, {})


def _by_public(
    report: Report, move: Move, what: str, at: datetime, facts: Mapping[str, Any], words: Words | None = None
) -> Report:
    if sum(entry["by"] == PUBLIC.id for entry in report.entries) > MOST_ENTRIES:
        raise NotAllowed("You have changed this report many times. Call 101 with your reference to tell us more.")
    return with_entry(after_move(report, move), what, PUBLIC, at, facts, words)


def _raised(report: Report, more: str) -> Report:
    """With the priority that `more` words ask for, if it is higher than the one it has."""
    report = assessed(report)
    found = assess(report.category, {**report.answers, "what_happened": more})
    reasons = tuple(dict.fromkeys((*report.reasons, *found.reasons)))
    return replace(report, priority=higher(report.priority, found.priority), reasons=reasons)
