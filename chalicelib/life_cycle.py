"""Where a report can stand, what can happen to it, and the one table of which of it is allowed when. Pure."""

from collections.abc import Mapping
from enum import StrEnum


class Status(StrEnum):
    """Where a report stands. A claim is a lease on the report, not a status."""

    RECEIVED = "received"
    QUEUED = "queued"
    AWAITING_INFORMATION = "awaiting_information"
    CRIMED = "crimed"
    NOT_CRIMED = "not_crimed"


OPEN = frozenset({Status.RECEIVED, Status.QUEUED, Status.AWAITING_INFORMATION})


class Move(StrEnum):
    """What can happen to a report."""

    TRIAGE = "triage"
    CLAIM = "claim"
    RELEASE = "release"
    ASK = "ask"  # a call-back that has not reached the person yet
    REACH = "reach"  # a call-back that has
    CRIME = "crime"
    CRIME_BY_RULE = "crime_by_rule"
    NOT_CRIME = "not_crime"
    DISPOSE = "dispose"
    NOTE = "note"
    ADD = "add"  # the person tells us more
    CHOOSE_TIME = "choose_time"  # when to call them back
    LETTERS = "letters"  # the person wants none, or wants them again
    ASSIGN = "assign"  # a supervisor gives it to somebody
    ASSESS = "assess"  # by an officer, letter by letter
    LINK = "link"  # it belongs together with others
    PROPOSE = "propose"  # to close it without a crime, for somebody else to look at
    DECLINE = "decline"  # what was proposed
    CANCEL = "cancel"  # the crime
    HOLD = "hold"  # put under legal hold
    LIFT = "lift"  # the legal hold
    KEEP = "keep"  # for another period, once it was reviewed
    ERASE = "erase"  # all that people said


_ALWAYS = {
    Move.NOTE: None,
    Move.ADD: None,
    Move.LETTERS: None,
    Move.ASSESS: None,
    Move.LINK: None,
    Move.HOLD: None,
    Move.LIFT: None,
}
_ONCE_DECIDED = {Move.KEEP: None, Move.ERASE: None}
_WHILE_OPEN = {
    Move.CLAIM: None,
    Move.RELEASE: None,
    Move.ASK: Status.AWAITING_INFORMATION,
    Move.REACH: Status.QUEUED,
    Move.CRIME: Status.CRIMED,
    Move.CRIME_BY_RULE: Status.CRIMED,
    Move.NOT_CRIME: Status.NOT_CRIMED,
    Move.CHOOSE_TIME: None,
    Move.ASSIGN: None,
    Move.PROPOSE: None,
    Move.DECLINE: None,
    **_ALWAYS,
}

LIFE_CYCLE: Mapping[Status, Mapping[Move, Status | None]] = {
    Status.RECEIVED: {Move.TRIAGE: Status.QUEUED, **_WHILE_OPEN},
    Status.QUEUED: _WHILE_OPEN,
    Status.AWAITING_INFORMATION: _WHILE_OPEN,
    Status.CRIMED: {
        Move.CLAIM: None,
        Move.RELEASE: None,
        Move.ASSIGN: None,
        Move.DISPOSE: None,
        Move.CANCEL: Status.NOT_CRIMED,
        **_ALWAYS,
        **_ONCE_DECIDED,
    },
    Status.NOT_CRIMED: {Move.CRIME: Status.CRIMED, **_ALWAYS, **_ONCE_DECIDED},
}
"""The one table of allowed moves: the status each leads to, None where it stays as it is. What was erased has none."""
