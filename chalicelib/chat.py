"""A conversation of the live chat, and what may be done to it.

Pure: every function takes a conversation and what happened, and gives it as it is afterwards. `chats.py` writes the
difference, conditional on the version, so a message and its place in the order are one write. Entries are only ever
added: each has a number, the same for both sides, and an `id` minted by who sent it, so that what comes twice is there
once. The times are of the service's clock.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import takewhile
from typing import Any

from chalicelib.errors import FieldError, InvalidAnswers, NotAllowed
from chalicelib.report import Actor
from chalicelib.times import stamp
from chalicelib.triage import PRIORITIES, assess, higher

PROMISE = timedelta(minutes=3)  # the force's promise of an answer
TIME_TO_CONCLUDE = timedelta(hours=24)  # what it tells us may be a crime, and the 24-hour rule runs
LONGEST = 2_000  # characters of one message
# Bytes of the item, which holds 400 kB: an advisor must be able to answer whatever a visitor writes, and what was done
# must always fit.
LARGEST, LARGEST_OF_ALL, LARGEST_ENTRY = 160_000, 320_000, 700
MOST_TRANSCRIPTS = 5  # letters that we send for one conversation: nobody is to be pestered through us
CONCLUSIONS = {
    "reported": "Made into a report",
    "advice": "Advice was given, there was no crime to report",
    "elsewhere": "Sent elsewhere, such as 999 or another force",
    "left": "The visitor left before we knew what it was about",
}


class State(StrEnum):
    """Where a conversation stands."""

    WAITING = "waiting"
    OPEN = "open"
    ENDED = "ended"
    CONCLUDED = "concluded"


VISITOR = Actor("visitor", "Visitor")


@dataclass(frozen=True)
class Entry:
    """One thing that happened. `what` is `said`, `noted` (private), `taken`, `handed_over`, `put_back`, `ended`,
    `reported`, `concluded`, `legal_hold`, `hold_lifted` or `transcript`; `facts` are its other words: `to`,
    `reference`, `how`, `reasons`, `email`.
    """

    number: int
    at: datetime
    what: str
    by: Actor
    id: str
    text: str = field(default="", repr=False)
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_private(self) -> bool:
        """Whether the visitor does not see it."""
        return self.what not in ("said", "taken", "handed_over", "ended")


@dataclass(frozen=True)
class Conversation:
    """One conversation as it stands. `visitor` has `name`, and perhaps `email` and `phone`, as they were given."""

    id: str
    began_at: datetime
    visitor: Mapping[str, str] = field(repr=False)
    state: State = State.WAITING
    advisor: Actor | None = None
    priority: str | None = None
    reasons: tuple[str, ...] = ()
    entries: tuple[Entry, ...] = field(default=(), repr=False)
    concluded_at: datetime | None = None

    @property
    def version(self) -> int:
        """How many entries there are: each change is one."""
        return len(self.entries)

    @property
    def name(self) -> str:
        """What the visitor is called."""
        return self.visitor.get("name") or VISITOR.name

    @property
    def has_ended(self) -> bool:
        """Whether nobody may say any more."""
        return self.state in (State.ENDED, State.CONCLUDED)

    @property
    def is_answered(self) -> bool:
        """Whether anybody but the visitor has said something."""
        return any(entry.what == "said" and entry.by != VISITOR for entry in self.entries)

    @property
    def is_listed_as(self) -> str:
        """The list it is in: `waiting` until somebody takes it, even if the visitor has left; then `held`, `kept`, or
        `by_law` while it is under legal hold.
        """
        if self.state is State.CONCLUDED:
            return "by_law" if self.is_held_by_law else "kept"
        return "held" if self.advisor else "waiting"

    @property
    def answer_by(self) -> datetime:
        """When an advisor should have taken it."""
        return self.began_at + PROMISE

    @property
    def conclude_by(self) -> datetime:
        """When it must be known what came of it."""
        return self.began_at + TIME_TO_CONCLUDE

    @property
    def unanswered_since(self) -> datetime | None:
        """When the visitor wrote the first message to which nobody has answered yet; None if there is none."""
        if self.has_ended:
            return None
        said = [entry for entry in self.entries if entry.what == "said"]
        open_ones = takewhile(lambda entry: entry.by == VISITOR, reversed(said))
        return min((entry.at for entry in open_ones), default=None)

    @property
    def due_at(self) -> datetime:
        """When somebody has to see to it: by the promise of an answer, which also holds once it is taken, or because it
        must be known what came of it.
        """
        if self.is_listed_as == "waiting":
            return self.answer_by
        since = self.unanswered_since
        return min(self.conclude_by, since + PROMISE) if since else self.conclude_by

    @property
    def references(self) -> list[str]:
        """The reports that were made of it, in order."""
        return [entry.facts["reference"] for entry in self.entries if entry.what == "reported"]

    @property
    def is_held_by_law(self) -> bool:
        """Whether it is under legal hold: it goes neither after its period nor with its reports."""
        holds = [entry.what for entry in self.entries if entry.what in ("legal_hold", "hold_lifted")]
        return holds[-1:] == ["legal_hold"]

    @property
    def transcripts_to(self) -> list[str]:
        """The addresses to which transcripts were asked for, in order."""
        return [entry.facts["email"] for entry in self.entries if entry.what == "transcript"]

    def since(self, seen: int, for_visitor: bool) -> list[Entry]:
        """The entries after number `seen`, without what a visitor does not see."""
        return [entry for entry in self.entries[max(0, seen) :] if not (for_visitor and entry.is_private)]

    def told(self, by: Actor, id: str) -> bool:
        """Whether the entry is there to which its sender gave this id."""
        return any((entry.by, entry.id) == (by, id) for entry in self.entries)


def begin(id: str, visitor: Mapping[str, str], text: str, message_id: str, at: datetime) -> Conversation:
    """A conversation with its first message."""
    return _said(Conversation(id, at, visitor), VISITOR, text, message_id, at)


def say(chat: Conversation, by: Actor, text: str, id: str, at: datetime) -> Conversation:
    """A message by the visitor or the advisor who has it. Raises NotAllowed."""
    if chat.told(by, id):
        return chat
    if chat.has_ended:
        raise NotAllowed("This conversation has ended. Begin another, or call 101.")
    if by != VISITOR:
        _require_holder(chat, by)
    _require_words(text)
    _require_room(chat, by, text)
    return _said(chat, by, text, id, at)


def note(chat: Conversation, by: Actor, text: str, id: str, at: datetime) -> Conversation:
    """A private note of an advisor, also after the end."""
    if chat.told(by, id):
        return chat
    _require_words(text)
    _require_room(chat, by, text)
    return _with(chat, "noted", by, at, id, text)


def take(chat: Conversation, by: Actor, at: datetime, is_supervisor: bool = False, id: str = "") -> Conversation:
    """Answer it from now on. Raises NotAllowed if somebody else has it; a supervisor may take it over."""
    if chat.advisor == by or chat.told(by, id):
        return chat
    _require_unconcluded(chat)
    if chat.advisor:
        _require_holder(chat, by, is_supervisor)
    _require_room(chat, by)
    taken = _with(chat, "taken", by, at, id)
    return replace(taken, advisor=by, state=State.OPEN if chat.state is State.WAITING else chat.state)


def hand_over(
    chat: Conversation, to: Actor, by: Actor, at: datetime, is_supervisor: bool = False, id: str = ""
) -> Conversation:
    """A colleague answers it from now on."""
    if chat.advisor == to or chat.told(by, id):
        return chat
    _require_unconcluded(chat)
    _require_holder(chat, by, is_supervisor)
    _require_room(chat, by)
    return replace(_with(chat, "handed_over", by, at, id, facts={"to": to.id, "to_name": to.name}), advisor=to)


def put_back(chat: Conversation, by: Actor, at: datetime, is_supervisor: bool = False, id: str = "") -> Conversation:
    """Nobody has it any more; it waits in its old place."""
    if not chat.advisor or chat.told(by, id):
        return chat
    _require_unconcluded(chat)
    _require_holder(chat, by, is_supervisor)
    _require_room(chat, by)
    state = State.WAITING if chat.state is State.OPEN else chat.state
    return replace(_with(chat, "put_back", by, at, id), advisor=None, state=state)


def end(chat: Conversation, by: Actor, at: datetime, is_supervisor: bool = False) -> Conversation:
    """Nobody says any more. With a report made of it, it is concluded by that."""
    if chat.has_ended:
        return chat
    if by != VISITOR:
        _require_holder(chat, by, is_supervisor)
    ended = replace(_with(chat, "ended", by, at), state=State.ENDED)
    return _concluded(ended, "reported", by, at) if chat.references and chat.advisor else ended


def reported(chat: Conversation, reference: str, by: Actor, at: datetime) -> Conversation:
    """A report was made of it. Whoever made it need not have it any more: what is done is written down."""
    if reference in chat.references:
        return chat
    made = _with(chat, "reported", by, at, facts={"reference": reference})
    return _concluded(made, "reported", by, at) if made.state is State.ENDED else made


def conclude(chat: Conversation, how: str, by: Actor, at: datetime, is_supervisor: bool = False) -> Conversation:
    """Say what came of it; it ends by that if it has not."""
    if chat.state is State.CONCLUDED:
        return chat
    _require_holder(chat, by, is_supervisor)
    if how not in CONCLUSIONS or (how == "reported" and not chat.references):
        raise InvalidAnswers(errors=[FieldError("how", "Select what came of the conversation")])
    ended = end(chat, by, at, is_supervisor)
    return ended if ended.state is State.CONCLUDED else _concluded(ended, how, by, at)


def hold(chat: Conversation, by: Actor, at: datetime, why: str) -> Conversation:
    """Put it under legal hold. That always fits, however long it is."""
    if chat.is_held_by_law:
        raise NotAllowed("It is under legal hold already.")
    return _with(chat, "legal_hold", by, at, text=why)


def lift(chat: Conversation, by: Actor, at: datetime, why: str) -> Conversation:
    """Lift the legal hold. Its period goes on from where it began."""
    if not chat.is_held_by_law:
        raise NotAllowed("It is not under legal hold.")
    return _with(chat, "hold_lifted", by, at, text=why)


def require_erasable(chat: Conversation) -> None:
    """Refuse to erase what is going on, or under legal hold."""
    if chat.state is not State.CONCLUDED:
        raise NotAllowed("The conversation is not concluded. Conclude it first.")
    if chat.is_held_by_law:
        raise NotAllowed("It is under legal hold. Lift that first, if it is over.")


def want_transcript(chat: Conversation, email: str, id: str, at: datetime) -> Conversation:
    """The visitor asks for what was said, by letter. Once somebody has answered: what nobody but the visitor said would
    be a letter of theirs to anybody they like, with our name under it.
    """
    if chat.told(VISITOR, id):
        return chat
    if not chat.is_answered:
        raise InvalidAnswers(errors=[FieldError("email", "We can send you a copy once somebody has answered you")])
    if len(chat.transcripts_to) >= MOST_TRANSCRIPTS:
        message = "We have sent you five copies already. Look for them in your email, or call 101"
        raise InvalidAnswers(errors=[FieldError("email", message)])
    return _with(chat, "transcript", VISITOR, at, id, facts={"email": email})


def rank(priority: str | None) -> int:
    """The place of a priority among those who wait: words that worry come first, as in triage; then who came first."""
    return PRIORITIES.index(priority or PRIORITIES[-1])


def _said(chat: Conversation, by: Actor, text: str, id: str, at: datetime) -> Conversation:
    if by != VISITOR:
        return _with(chat, "said", by, at, id, text)
    found = assess("", {"what_happened": text})  # what triage reads in words: it raises, and never lowers
    said = _with(chat, "said", by, at, id, text, {"reasons": list(found.reasons)} if found.reasons else {})
    reasons = tuple(dict.fromkeys((*chat.reasons, *found.reasons)))
    return replace(said, reasons=reasons, priority=higher(chat.priority, found.priority))


def _with(
    chat: Conversation, what: str, by: Actor, at: datetime, id: str = "", text: str = "",
    facts: Mapping[str, Any] | None = None,
) -> Conversation:  # fmt: skip
    number = chat.version + 1
    entry = Entry(number, at, what, by, id or f"{what}-{number}", text, facts or {})
    return replace(chat, entries=(*chat.entries, entry))


def _concluded(chat: Conversation, how: str, by: Actor, at: datetime) -> Conversation:
    concluded = _with(chat, "concluded", by, at, facts={"how": how})
    return replace(concluded, state=State.CONCLUDED, concluded_at=at)


def _require_holder(chat: Conversation, by: Actor, is_supervisor: bool = False) -> None:
    if chat.advisor == by or (is_supervisor and chat.advisor):
        return
    if chat.advisor:
        raise NotAllowed(f"{chat.advisor.name} has taken this conversation.", holder=chat.advisor.name)
    raise NotAllowed("Nobody has taken this conversation. Take it first.")


def _require_unconcluded(chat: Conversation) -> None:
    if chat.state is State.CONCLUDED:
        raise NotAllowed("This conversation is concluded.")


def _require_words(text: str) -> None:
    if not text.strip():
        raise InvalidAnswers(errors=[FieldError("text", "Write a message")])
    if len(text) > LONGEST:
        raise InvalidAnswers(errors=[FieldError("text", f"A message must be {LONGEST:,} characters or fewer")])


def _require_room(chat: Conversation, by: Actor, text: str = "") -> None:
    whose = [entry for entry in chat.entries if by != VISITOR or entry.by == VISITOR]
    room = LARGEST if by == VISITOR else LARGEST_OF_ALL
    if sum(_size(entry.text) for entry in whose) + _size(text) > room:
        raise NotAllowed("This conversation is as long as one can be. Begin another, or call 101.")


def _size(text: str) -> int:
    """Bytes that an entry takes in the table, or a little more."""
    return len(json.dumps(text, ensure_ascii=False).encode()) + LARGEST_ENTRY


def told(chat: Conversation, seen: int, for_visitor: bool) -> dict[str, Any]:
    """What somebody who has seen the entries up to number `seen` is told: `since` and `last`, the numbers between which
    it is whole (a visitor is not shown all that has one), the `entries`, and the `state`.
    """
    entries = [_as_data(entry, chat, for_visitor) for entry in chat.since(seen, for_visitor)]
    state = State.ENDED if for_visitor and chat.has_ended else chat.state
    return {"since": seen, "last": chat.version, "entries": entries, "state": str(state)}


def _as_data(entry: Entry, chat: Conversation, for_visitor: bool) -> dict[str, Any]:
    """The visitor learns no more of an advisor than the name."""
    is_visitor = entry.by == VISITOR
    name = chat.name if is_visitor else entry.by.name
    if for_visitor and entry.what == "handed_over":
        name = entry.facts["to_name"]  # who answers from now on
    who = {"by": "visitor" if is_visitor else "advisor", "name": name}
    seen = {"number": entry.number, "at": stamp(entry.at), "what": entry.what, "id": entry.id, "text": entry.text}
    return {**seen, **who, **({} if for_visitor else {"officer": entry.by.id, "facts": dict(entry.facts)})}
