"""What officers do to a report beyond the moves of `report.py`: assign, assess, link, the second look, cancel. Pure.

Each takes a report and gives it as it is afterwards, with an entry that says who did it and when.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from chalicelib.errors import NotAllowed
from chalicelib.life_cycle import Move
from chalicelib.report import Actor, Claim, Report, Words, after_move, require_room, with_entry
from chalicelib.times import stamp
from chalicelib.triage import higher

SHIFT = timedelta(hours=8)  # how long a report is kept for whom it was assigned to
THRIVE = {
    "threat": "Threat",
    "harm": "Harm",
    "risk": "Risk",
    "investigation": "Investigation",
    "vulnerability": "Vulnerability",
    "engagement": "Engagement",
}
RAISED = "Raised by an officer: see the assessment"


def assign(report: Report, to: Actor, by: Actor, at: datetime) -> Report:
    """Kept for somebody for a shift, whoever held it before. It never stops the clock."""
    require_room(report)
    moved = replace(after_move(report, Move.ASSIGN), claim=Claim(to, at + SHIFT))
    return with_entry(moved, "assigned", by, at, {"to": to.id, "to_name": to.name, "until": stamp(at + SHIFT)})


def assess(report: Report, officer: Actor, at: datetime, words: Words, priority: str | None) -> Report:
    """An officer's assessment (THRIVE), as `in_letters` writes it. It may raise the priority, never lower it."""
    require_room(report)
    moved = after_move(report, Move.ASSESS)
    raised = higher(moved.priority, priority) if priority else moved.priority
    reasons = moved.reasons if raised == moved.priority else tuple(dict.fromkeys((*moved.reasons, RAISED)))
    return with_entry(replace(moved, priority=raised, reasons=reasons), "assessed", officer, at,
                      {"priority": raised}, words)  # fmt: skip


def in_letters(said: Mapping[str, str]) -> str:
    """The six letters of THRIVE as one text, one line for each that was filled in."""
    return "\n".join(f"{title}: {' '.join(said[name].split())}" for name, title in THRIVE.items() if said.get(name))


def letters_in(text: str) -> dict[str, str]:
    """The same back from the text."""
    lines = dict(line.split(": ", 1) for line in text.splitlines() if ": " in line)
    return {name: lines[title] for name, title in THRIVE.items() if title in lines}


def link(report: Report, officer: Actor, at: datetime, others: Sequence[str], words: Words) -> Report:
    """It belongs together with `others` (plain references): a spree, say. The words tell the pattern."""
    require_room(report)
    links = [other for other in others if other != report.reference]
    return with_entry(after_move(report, Move.LINK), "linked", officer, at, {"with": links}, words)


def propose(report: Report, officer: Actor, at: datetime, reason: str, words: Words, more: Mapping[str, str]) -> Report:
    """To close it without a crime, for a reason at which somebody else has to look first. The clock goes on."""
    if report.proposal:
        raise NotAllowed("It has been proposed already, and waits for a supervisor.")
    require_room(report)  # declined and proposed again, it could go on without an end
    moved = replace(after_move(report, Move.PROPOSE), proposal=report.version + 1, claim=None)
    return with_entry(moved, "proposed", officer, at, {"reason": reason, **more}, words)


def confirm(report: Report, supervisor: Actor, at: datetime, salt: str) -> Report:
    """What was proposed is done, with the rationale of who proposed it. Never by that officer."""
    entry = _proposal(report)
    if entry["by"] == supervisor.id:
        raise NotAllowed("You proposed it yourself. The second look has to be somebody else’s.")
    said = next((words.text for words in report.words if words.version == report.proposal), "")
    more: dict[str, Any] = {name: entry[name] for name in ("force", "duplicate_of") if name in entry}
    moved = replace(after_move(report, Move.NOT_CRIME), not_crimed_reason=entry["reason"], claim=None, proposal=None)
    facts: dict[str, Any] = {"reason": entry["reason"], **more, "proposed_by": entry["by"]}
    return with_entry(moved, "not_crimed", supervisor, at, facts, Words(0, said, salt))


def decline(report: Report, supervisor: Actor, at: datetime, words: Words) -> Report:
    """What was proposed is not done: it is open to everybody again."""
    _proposal(report)
    return with_entry(replace(after_move(report, Move.DECLINE), proposal=None), "declined", supervisor, at, words=words)


def cancel(report: Report, supervisor: Actor, at: datetime, code: str, words: Words, more: Mapping[str, str]) -> Report:
    """The crime is cancelled and keeps its number. Needs somebody independent of the decision to crime it.

    Source of the codes: Home Office Counting Rules. C1 outside the area of the force, C2 additional verifiable
    information, C3 a duplicate, C4 recorded in error.
    """
    moved = after_move(report, Move.CANCEL)
    assert moved.crime  # the life cycle allows it only when crimed
    if moved.crime.by.id == supervisor.id:
        raise NotAllowed("You recorded this crime yourself. Somebody else has to cancel it.")
    moved = replace(moved, crime=replace(moved.crime, cancelled=code), claim=None)
    facts = {"code": code, "crime_number": report.crime.number if report.crime else "", **more}
    return with_entry(moved, "cancelled", supervisor, at, facts, words)


def only_held_on(report: Report, version: int, officer: Actor) -> bool:
    """Whether nothing has happened since `version` but that this officer went on holding it: the desk does that by
    itself while a page is open, which must not make the page stale.
    """
    since = report.entries[version:]
    return bool(since) and all((entry["what"], entry["by"]) == ("claimed", officer.id) for entry in since)


def _proposal(report: Report) -> dict[str, Any]:
    if not report.proposal:
        raise NotAllowed("Nothing is proposed about this report.")
    return report.entries[report.proposal - 1]
