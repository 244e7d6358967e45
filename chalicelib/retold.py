"""What a report's history says its head must be, told again from the first entry. Pure.

The chain of a history guards its entries; this guards what lists, figures and the 24-hour rule go by. What an entry
does not say (a priority that words raised) is not told.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib.life_cycle import Status
from chalicelib.report import TIME_TO_CRIME
from chalicelib.times import read_stamp, stamp

Entry = Mapping[str, Any]
Facts = dict[str, Any]

_CLAIM = ("claimed_by", "claimed_by_name", "claimed_until")
_CRIME = ("crime_number", "crimed_at", "crimed_by", "crimed_by_name", "offence", "disposal", "outcome", "cancelled")
_FREE: Facts = dict.fromkeys(_CLAIM)


def head_told_by(entries: Sequence[Entry]) -> Facts:
    """By attribute of the stored item; None is "not there"."""
    received_at = entries[0].get("reported_at", entries[0]["at"])
    deadline = stamp(read_stamp(received_at) + TIME_TO_CRIME)
    told: Facts = {"status": str(Status.RECEIVED), "received_at": received_at, "deadline": deadline,
                   **dict.fromkeys((*_CLAIM, *_CRIME, "proposal", "not_crimed_reason"))}  # fmt: skip
    for entry in entries:
        told |= _change(entry)
    told["call_backs"] = sum(entry["what"] == "call_back" for entry in entries) or None
    return told


def _change(entry: Entry) -> Facts:
    """What of the head an entry says anew."""
    match entry["what"]:
        case "triaged":
            return {"status": str(Status.QUEUED)}
        case "claimed":
            return _held(entry["by"], entry["by_name"], entry["until"])
        case "assigned":
            return _held(entry["to"], entry["to_name"], entry["until"])
        case "released":
            return _FREE
        case "call_back":
            reached = entry["result"] == "reached"
            return {"status": str(Status.QUEUED if reached else Status.AWAITING_INFORMATION)}
        case "proposed":
            return _FREE | {"proposal": entry["version"]}
        case "declined":
            return {"proposal": None}
    return _decided(entry)


def _decided(entry: Entry) -> Facts:
    match entry["what"]:
        case "crimed":
            facts = {name: entry.get(name) for name in ("crime_number", "offence", "disposal", "outcome")}
            by = {"crimed_at": entry["at"], "crimed_by": entry["by"], "crimed_by_name": entry["by_name"]}
            return {**_FREE, **facts, **by, "status": str(Status.CRIMED), "proposal": None, "not_crimed_reason": None}
        case "not_crimed":
            reason = {"not_crimed_reason": entry["reason"], "proposal": None}
            return {**_FREE, **reason, "status": str(Status.NOT_CRIMED)}
        case "disposed":
            return _FREE | {"disposal": entry["disposal"], "outcome": entry["outcome"]}
        case "cancelled":
            return _FREE | {"status": str(Status.NOT_CRIMED), "cancelled": entry["code"]}
        case "erased":
            return _FREE
    return {}


def _held(by: str, name: str, until: str) -> Facts:
    return dict(zip(_CLAIM, (by, name, until), strict=True))
