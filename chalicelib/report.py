"""A report, and its history as a chain.

Pure: every function takes a report and what happened, and returns the report as it is afterwards. `store.py` writes the
difference, conditional on the version, so a change and its history entry are one write.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from chalicelib.errors import NotAllowed
from chalicelib.life_cycle import LIFE_CYCLE, OPEN, Move, Status
from chalicelib.times import read_stamp, spoken, stamp
from chalicelib.triage import assess

TIME_TO_CRIME = timedelta(hours=24)  # Home Office Counting Rules: elapsed hours from when the report reached us
LEASE = timedelta(minutes=30)
RENEW_AFTER = timedelta(minutes=5)
LARGEST_HISTORY = 120_000  # bytes; an item holds 400 kB, answers may take 200, and a decision must always fit


@dataclass(frozen=True)
class Actor:
    """Who does something: an officer, or the service itself. Whoever has another name since is who they were."""

    id: str
    name: str = field(compare=False)


PUBLIC = Actor("public", "The person who reported")
TRIAGE = Actor("triage", "Triage")
RULE = Actor("24-hour rule", "24-hour rule")
_OURSELVES = {PUBLIC.id, TRIAGE.id, RULE.id}
ONLINE, LIVE_CHAT = SOURCES = ("online", "live_chat")
"""Where a report comes from: the forms of the website, or an advisor to whom it was told in the live chat."""
# An officer who did this has not dealt with any news.
_NO_ANSWER = ("claimed", "released", "assigned", "linked", "legal_hold", "hold_lifted")


@dataclass(frozen=True)
class Heard:
    """A report was told in the live chat: when it first was, in which conversation, and which advisor typed it."""

    at: datetime
    conversation: str
    by: Actor


@dataclass(frozen=True)
class Claim:
    """A lease: while it lives, only its holder (or a supervisor) changes the report."""

    by: Actor
    until: datetime


@dataclass(frozen=True)
class Crime:
    """The crime that a report became. `disposal` is None until an officer gives one. Cancelled, it keeps its number."""

    number: str
    at: datetime
    by: Actor
    offence: str
    disposal: str | None = None
    outcome: int | None = None
    cancelled: str | None = None  # the code of why, C1 to C4


@dataclass(frozen=True)
class Words:
    """Free text that belongs to a history entry, kept apart so that it can be erased and the chain still verifies."""

    version: int
    text: str
    salt: str

    @property
    def digest(self) -> str:
        """What the entry commits to."""
        return hashlib.sha256(f"{self.salt}{self.text}".encode()).hexdigest()[:32]


@dataclass(frozen=True)
class Head:
    """What a list shows of a report; nothing about the person in it."""

    reference: str
    category: str
    status: Status
    priority: str | None
    reasons: tuple[str, ...]
    received_at: datetime
    deadline: datetime
    claim: Claim | None
    version: int

    def held_by(self, now: datetime) -> Actor | None:
        """Whose claim lives."""
        return self.claim.by if self.claim and self.claim.until > now else None


@dataclass(frozen=True)
class Report:
    """One report as it stands. Times are aware UTC datetimes; `answers` is what the person said, as they said it."""

    reference: str
    category: str
    answers: Mapping[str, Any] = field(repr=False)
    received_at: datetime
    status: Status = Status.RECEIVED
    version: int = 1
    priority: str | None = None
    reasons: tuple[str, ...] = ()
    claim: Claim | None = None
    crime: Crime | None = None
    not_crimed_reason: str | None = None
    proposal: int | None = None  # the version of the entry that asks for a second look, while it waits for one
    call_backs: int = 0
    history: tuple[str, ...] = ()
    words: tuple[Words, ...] = field(default=(), repr=False)
    seal: str = ""  # the digest of the last entry, so that no entry stands unguarded
    synthetic: bool = False  # the smoke test's: in no list, counted nowhere, and no letter goes out
    folder: str | None = None  # of its files, where it began as a draft

    @property
    def deadline(self) -> datetime:
        """When it must be crimed or closed."""
        return self.received_at + TIME_TO_CRIME

    @property
    def source(self) -> str:
        """One of SOURCES."""
        return LIVE_CHAT if self.conversation else ONLINE

    @property
    def conversation(self) -> str:
        """The conversation of the live chat that it was made of; no text if it was not."""
        return str(self.entries[0].get("conversation", "")) if self.history else ""

    @property
    def is_open(self) -> bool:
        """Whether the 24-hour rule still has to be met."""
        return self.status in OPEN

    @property
    def decided_at(self) -> datetime | None:
        """When it was crimed or closed; None while it is open."""
        decisions = (entry["at"] for entry in self.entries if entry["what"] in ("crimed", "not_crimed"))
        return next(map(read_stamp, decisions), None)

    def is_late(self, now: datetime) -> bool:
        """Whether the deadline was missed, by the decision or by there being none."""
        return (self.decided_at or now) > self.deadline

    @property
    def awaits_disposal(self) -> bool:
        """Crimed by the rule, and no officer has said yet what follows."""
        return self.status is Status.CRIMED and self.crime is not None and self.crime.disposal is None

    @property
    def erased_at(self) -> datetime | None:
        """When all that people said in it was erased; None if it was not. Nothing happens to it any more."""
        last = self.entries[-1] if self.history else {}
        return read_stamp(last["at"]) if last.get("what") == "erased" else None

    @cached_property
    def entries(self) -> list[dict[str, Any]]:
        """The history, oldest first."""
        return [json.loads(entry) for entry in self.history]

    @property
    def wants_letters(self) -> bool:
        """Whether the person has not asked us to stop sending letters."""
        asked = [entry["what"] for entry in self.entries if entry["what"] in ("letters_stopped", "letters_resumed")]
        return asked[-1:] != ["letters_stopped"]

    @property
    def call_back_wanted(self) -> str | None:
        """When the person wants to be called, in words; None if they have not said, or the words are erased."""
        said = {words.version: words.text for words in self.words}
        chosen = [entry["version"] for entry in self.entries if entry["what"] == "call_back_time"]
        return said.get(chosen[-1]) if chosen else None

    @property
    def has_news(self) -> bool:
        """Decided, and the person has told us more since an officer last wrote anything."""
        if self.is_open:
            return False
        for entry in reversed(self.entries):
            if entry["what"] == "added":
                return True
            if entry["by"] not in _OURSELVES and entry["what"] not in _NO_ANSWER:
                return False
        return False

    @property
    def files_in(self) -> str:
        """The folder of the files that belong to it."""
        return self.folder or self.reference

    @property
    def head(self) -> Head:
        """What a list shows of it."""
        return Head(self.reference, self.category, self.status, self.priority, self.reasons, self.received_at,
                    self.deadline, self.claim, self.version)  # fmt: skip


def assessed(report: Report) -> Report:
    """With its priority, also if triage has not come to it yet."""
    if report.priority:
        return report
    found = assess(report.category, report.answers)
    return replace(report, priority=found.priority, reasons=found.reasons)


def receive(
    reference: str, category: str, answers: Mapping[str, Any], at: datetime, heard: Heard | None = None
) -> Report:
    """A report as it is the moment it reaches us. One that was `heard` in the live chat reached us when it was first
    told, and the clock runs from there (Home Office Counting Rules); its entry says when it was made. Raises
    NotAllowed if it was heard after `at`.
    """
    if not heard:
        return with_entry(Report(reference, category, answers, at, version=0), "received", PUBLIC, at)
    if heard.at > at:
        raise NotAllowed("It cannot have been told later than now. Try again in a minute.")
    facts = {"source": LIVE_CHAT, "reported_at": stamp(heard.at), "conversation": heard.conversation}
    blank = Report(reference, category, answers, heard.at, version=0)
    return with_entry(assessed(blank), "received", heard.by, at, facts)


def triage(report: Report, at: datetime) -> Report:
    """Assessed, and queued for an officer."""
    report = assessed(report)
    facts = {"priority": report.priority, "reasons": list(report.reasons)}
    return with_entry(after_move(report, Move.TRIAGE), "triaged", TRIAGE, at, facts)


def claim(report: Report, officer: Actor, at: datetime) -> Report:
    """Leased to `officer` for half an hour; claiming again renews it, once it is worth an entry."""
    moved, held = replace(after_move(report, Move.CLAIM), claim=Claim(officer, at + LEASE)), report.claim
    if held and held.by.id == officer.id and held.until - at > LEASE - RENEW_AFTER:
        return report
    require_room(report)
    return with_entry(moved, "claimed", officer, at, {"until": stamp(at + LEASE)})


def release(report: Report, officer: Actor, at: datetime) -> Report:
    """Free for anybody. A report that nobody holds stays as it is."""
    moved = after_move(report, Move.RELEASE)
    if not report.head.held_by(at):
        return report
    return with_entry(replace(moved, claim=None), "released", officer, at)


def call_back(report: Report, officer: Actor, at: datetime, result: str, words: Words | None) -> Report:
    """A call-back was asked for or tried. It never stops the clock."""
    require_room(report)
    move = Move.REACH if result == "reached" else Move.ASK
    moved = replace(after_move(report, move), call_backs=report.call_backs + 1)
    return with_entry(moved, "call_back", officer, at, {"result": result}, words)


def crime(report: Report, crime: Crime, words: Words | None = None) -> Report:
    """Recorded as a crime, by an officer with a disposal or by the rule without one. Ends any claim and any proposal.
    A report that was closed without a crime may become one after all; a crime that was cancelled stays so.
    """
    require_uncancelled(report)
    move = Move.CRIME_BY_RULE if crime.by == RULE else Move.CRIME
    facts: dict[str, Any] = {"crime_number": crime.number, "offence": crime.offence}
    facts |= {"disposal": crime.disposal, "outcome": crime.outcome} if crime.disposal else {}
    moved = replace(after_move(report, move), crime=crime, claim=None, proposal=None, not_crimed_reason=None)
    return with_entry(moved, "crimed", crime.by, crime.at, facts, words)


def not_crime(
    report: Report, officer: Actor, at: datetime, reason: str, words: Words, more: Mapping[str, str]
) -> Report:
    """Closed without a crime: always a reason, a rationale, an author and a time."""
    moved = replace(after_move(report, Move.NOT_CRIME), not_crimed_reason=reason, claim=None, proposal=None)
    return with_entry(moved, "not_crimed", officer, at, {"reason": reason, **more}, words)


def dispose(
    report: Report, officer: Actor, at: datetime, disposal: str, outcome: int, words: Words | None = None
) -> Report:
    """What follows from a crime: after an automatic criming, or changed later (a filed crime reopened)."""
    moved = after_move(report, Move.DISPOSE)
    assert moved.crime  # the life cycle allows it only when crimed
    if (moved.crime.disposal, moved.crime.outcome) == (disposal, outcome):
        raise NotAllowed("The report has this disposal and outcome already.", allowed=_names(report.status))
    if moved.crime.disposal:  # the first is a decision and must fit
        require_room(report)
    moved = replace(moved, crime=replace(moved.crime, disposal=disposal, outcome=outcome), claim=None)
    return with_entry(moved, "disposed", officer, at, {"disposal": disposal, "outcome": outcome}, words)


def note(report: Report, officer: Actor, at: datetime, words: Words) -> Report:
    """An officer's note."""
    require_room(report)
    return with_entry(after_move(report, Move.NOTE), "noted", officer, at, words=words)


def verify(report: Report) -> str | None:
    """What is wrong with the history, or None: each entry commits to the one before, its place and its words."""
    expected, said = report.seal, {}
    for version, text in reversed(list(enumerate(report.history, start=1))):
        if not text or _digest(text) != expected:
            return f"Entry {version} is not the one that was made."
        entry = json.loads(text)  # ours, as its digest is right
        if entry["version"] != version:
            return f"Entry {version} is not in its place."
        expected, said[version] = entry["previous"], entry.get("words")
    if expected or not report.version == len(report.history) > 0:
        return "Entries are missing."
    wrong = (words.version for words in report.words if said.get(words.version) != words.digest)
    return next((f"The words of entry {version} are not those it was made with." for version in wrong), None)


def require(report: Report, move: Move) -> None:
    """Refuse a move that the life cycle does not allow, saying which it does; any, once the report was erased."""
    if report.erased_at:
        raise NotAllowed(f"It was erased at {spoken(report.erased_at)}. Nothing of it can change any more.")
    if move not in LIFE_CYCLE[report.status]:
        allowed = _names(report.status)
        standing = report.status.replace("_", " ")
        raise NotAllowed(f"The report is {standing}. Allowed now: {', '.join(allowed)}.", allowed=allowed)


def require_uncancelled(report: Report) -> None:
    """Refuse to crime what was a crime before: its number tells what happened to it."""
    if report.crime and report.crime.cancelled:
        raise NotAllowed("The crime of this report was cancelled. It cannot become another one.")


def after_move(report: Report, move: Move) -> Report:
    """In the status that a move leads to. Raises NotAllowed."""
    require(report, move)
    return replace(report, status=LIFE_CYCLE[report.status][move] or report.status)


def _names(status: Status) -> list[str]:
    """The allowed moves as an officer calls them: the last part of the address that makes each."""
    address = {Move.CLAIM: "claim", Move.RELEASE: "release", Move.ASK: "call-backs", Move.REACH: "call-backs",
               Move.CRIME: "crime", Move.NOT_CRIME: "not-crime", Move.DISPOSE: "disposal",
               Move.NOTE: "notes"}  # fmt: skip
    return list(dict.fromkeys(address[move] for move in LIFE_CYCLE[status] if move in address))


def with_entry(
    report: Report,
    what: str,
    by: Actor,
    at: datetime,
    facts: Mapping[str, Any] | None = None,
    words: Words | None = None,
) -> Report:
    """With the entry that says what happened: a canonical JSON text, chained to the one before."""
    version = report.version + 1
    last = report.history[-1] if report.history else ""
    entry = {
        "version": version,
        "at": stamp(at),
        "by": by.id,
        "by_name": by.name,
        "what": what,
        "previous": _digest(last),
    }
    entry |= dict(facts or {}) | ({"words": words.digest} if words else {})
    text = json.dumps(entry, separators=(",", ":"), ensure_ascii=False)
    said = (replace(words, version=version),) if words else ()
    history = (*report.history, text)
    return replace(report, version=version, history=history, words=(*report.words, *said), seal=_digest(text))


def has_room(report: Report) -> bool:
    """Whether the history may still grow by more than a decision, which must always fit into the item."""
    return sum(len(text.encode()) for text in report.history) + size_of(report.words) <= LARGEST_HISTORY


def size_of(words: Iterable[Words]) -> int:
    """Bytes that the texts take as they are stored."""
    return sum(len(json.dumps(said.text, ensure_ascii=False).encode()) for said in words)


def require_room(report: Report) -> None:
    """Refuse what is not a decision once there is no room for it."""
    if not has_room(report):
        raise NotAllowed("The history of this report is full. Decide it, or go on elsewhere.")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32] if text else ""
