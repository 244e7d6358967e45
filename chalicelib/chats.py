"""The live chat: conversations in the table, and what visitors and advisors do with them.

In the table: `CHAT#<id>` / `CHAT`. Each verb reads the conversation, lets `chat.py` say what it becomes, and writes
that with one conditional update on its version; who was slower reads again. Lists are in the index by deadline, in the
groups `chat-waiting`, `chat-held` and `chat-kept`. What is stored is told to whoever is connected (`sockets.py`); that
this may fail loses nothing, as every page also asks. See `docs/adr/0027-chat.md`.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, NamedTuple, Protocol

from chalicelib import chat as rules
from chalicelib.changes import Officer, require_supervisor
from chalicelib.chat import VISITOR, Conversation, State
from chalicelib.chat_items import ERASED, conversation_of, group, id_of, key, new_item, texts_of, values_of
from chalicelib.chat_queue import Held, Pace, Waiting
from chalicelib.errors import NotAllowed, NotFound
from chalicelib.report import Actor
from chalicelib.table import ConditionFailed, Item, Table
from chalicelib.times import read_stamp, stamp

TRIES = 20  # both sides may write at once, and many advisors take the same conversation
MOST_WAITING = 100  # that are looked at by who waits: beyond that, nobody is told a place
MOST_LISTED = 1_000  # by advisors: words that worry must not wait unseen behind a hundred others, or a flood
MOST_HELD = 50
MOST_ACCESSES = 1_000
LONGEST_ID = 64
WARNED_AFTER = timedelta(hours=18)  # as reports are

Move = Callable[[Conversation], Conversation]


class Telling(Protocol):
    """Whoever is connected. None of it raises."""

    def tell_visitor(self, chat: str, message: Mapping[str, Any]) -> None: ...
    def tell_advisor(self, officer: str, message: Mapping[str, Any]) -> None: ...
    def tell_advisors(self, message: Mapping[str, Any]) -> None: ...


class Looks(Protocol):
    """Where it is recorded that somebody looked at conversations."""

    def log_chat_access(self, who: Actor, what: str, chats: Sequence[str], at: datetime, id: str) -> None: ...
    def accesses(self, *, chat: str, limit: int) -> list[Item]: ...


class Notes(Protocol):
    """Where it is noted by what address or number a conversation is found, for whoever asks for their data."""

    def note_chat(self, chat: Conversation) -> None: ...


class Place(NamedTuple):
    """Where somebody stands in the queue (1 is next), and the minutes they are likely to wait; None: cannot be said."""

    place: int | None
    minutes: int | None


class Chats:
    """The verbs. `clock` gives aware UTC datetimes, `mint` unguessable texts of letters and digits."""

    def __init__(
        self,
        table: Table,
        looks: Looks,
        notes: Notes,
        sockets: Telling,
        clock: Callable[[], datetime],
        mint: Callable[[], str],
    ) -> None:
        self._table, self._looks, self._notes, self._sockets = table, looks, notes, sockets
        self._clock, self._mint = clock, mint

    # The visitor

    def begin(self, id: str, visitor: Mapping[str, str], text: str) -> Conversation:
        """A new conversation with its first message; the same `id` again is the same conversation."""
        with suppress(NotFound):
            return self.find(id)  # before it is noted again, at another time: that would outlast it
        begun = rules.begin(id, visitor, text, f"first-{id}", self._now())
        self._notes.note_chat(begun)  # first: a note of nothing does no harm
        try:
            self._table.put_new(new_item(begun))
        except ConditionFailed:
            return self.find(id)
        self._sockets.tell_advisors({"lists": True})
        return begun

    def find(self, id: str) -> Conversation:
        """The conversation as it is now, for the visitor or ourselves. Raises NotFound."""
        item = self._table.get(*key(id)) if len(id) <= LONGEST_ID else None
        if not item or item["status"] == ERASED:
            raise NotFound("We no longer keep this conversation. Begin another, or call 101.")
        return conversation_of(item)

    def visitor_says(self, id: str, text: str, message_id: str) -> Conversation:
        """Keep a message of the visitor; the same `message_id` again is the same message."""
        return self._change(id, lambda chat: rules.say(chat, VISITOR, text, message_id, self._now()))

    def visitor_ends(self, id: str) -> Conversation:
        """The visitor ends it."""
        return self._change(id, lambda chat: rules.end(chat, VISITOR, self._now()))

    def want_transcript(self, id: str, email: str, ask_id: str) -> Conversation:
        """The visitor wants what was said by letter: the caller has it sent."""

        def wanted(chat: Conversation) -> Conversation:
            after = rules.want_transcript(chat, email, ask_id, self._now())
            self._notes.note_chat(after)
            return after

        return self._change(id, wanted)

    def place(self, chat: Conversation) -> Place:
        """Where a waiting conversation stands."""
        order = [one.id for one in self._waiting(MOST_WAITING + 1)] if chat.is_listed_as == "waiting" else None
        if order is None or len(order) > MOST_WAITING:
            return Place(None, None)
        place = order.index(chat.id) + 1 if chat.id in order else len(order) + 1  # the index lags behind the table
        return Place(place, self.pace().wait(place, self._now()))

    # Advisors

    def waiting(self, officer: Officer) -> list[Waiting]:
        """Those whom nobody has taken, in the order in which they are to be taken."""
        return self._waiting(MOST_LISTED)[:MOST_WAITING]

    def held(self, officer: Officer, also: str = "") -> list[Conversation]:
        """What this advisor has, oldest first; `also` if it is theirs, though the index may not show it yet. That they
        were seen is recorded.
        """
        found = self._held(officer.actor.id, also)
        if found:
            self._looks.log_chat_access(officer.actor, "list", [one.id for one in found], self._now(), self._mint())
        return found

    def ids_held(self, officer: Officer) -> list[str]:
        """The ids of what this advisor has."""
        return [pk.removeprefix("CHAT#") for pk in self._keys_held(officer.actor.id)]

    def follow(self, officer: Officer, id: str, seen: int) -> Conversation:
        """A conversation that this advisor has, for a page that shows the entries up to number `seen`. If there are
        more, that they were seen is recorded. Raises NotFound once it is somebody else's, or concluded.
        """
        chat = self.find(id)
        if not _is_held_by(chat, officer.actor.id):
            raise NotFound("You do not have this conversation any more.")
        if chat.version > seen:
            self._looks.log_chat_access(officer.actor, "list", [id], self._now(), self._mint())
        return chat

    def with_others(self, officer: Officer) -> list[Held]:
        """What colleagues have, for a supervisor who may take it over: first where somebody waits for an answer."""
        require_supervisor(officer)
        listed = islice(self._listing("held", self._now() + rules.TIME_TO_CONCLUDE), MOST_WAITING)
        heads = [_held(item, self._now()) for item in listed]
        return [one for one in heads if one.advisor.id != officer.actor.id]

    def accesses(self, officer: Officer, id: str) -> list[Item]:
        """Who looked at it of late, newest first. That a supervisor looks there is recorded first."""
        require_supervisor(officer)
        self.find(id)
        self._looks.log_chat_access(officer.actor, "accesses", [id], self._now(), self._mint())
        return self._looks.accesses(chat=id, limit=MOST_ACCESSES)

    def read(self, officer: Officer, id: str) -> Conversation:
        """A whole conversation; that it was seen is recorded first."""
        chat = self.find(id)
        self._looks.log_chat_access(officer.actor, "read", [id], self._now(), self._mint())
        return chat

    def take(self, officer: Officer, id: str, take_id: str = "") -> Conversation:
        """Answer it from now on; the same `take_id` again does nothing."""
        now = self._now()
        taken = self._change(id, lambda chat: rules.take(chat, officer.actor, now, officer.is_supervisor, take_id))
        if [entry.at for entry in taken.entries if entry.what == "taken"] == [now]:  # nobody took it before
            self._note_pace(taken.began_at, now)
        return taken

    def take_next(self, officer: Officer) -> Conversation | None:
        """Take the one that is next; None if nobody waits. Whoever is slower gets the one after it."""
        for one in self.waiting(officer):
            with suppress(NotAllowed, NotFound):
                if not self.find(one.id).advisor:
                    return self.take(_plain(officer), one.id)
        return None

    def advisor_says(self, officer: Officer, id: str, text: str, message_id: str) -> Conversation:
        """Keep a message of the advisor who has it."""
        return self._change(id, lambda chat: rules.say(chat, officer.actor, text, message_id, self._now()))

    def note(self, officer: Officer, id: str, text: str, note_id: str) -> Conversation:
        """Keep a private note."""
        return self._change(id, lambda chat: rules.note(chat, officer.actor, text, note_id, self._now()))

    def hand_over(self, officer: Officer, id: str, to: Actor | None, over_id: str = "") -> Conversation:
        """Give it to a colleague, or back to the waiting list; the same `over_id` again does nothing."""
        who, now, is_supervisor = officer.actor, self._now(), officer.is_supervisor
        if to is None:
            return self._change(id, lambda chat: rules.put_back(chat, who, now, is_supervisor, over_id))
        return self._change(id, lambda chat: rules.hand_over(chat, to, who, now, is_supervisor, over_id))

    def end(self, officer: Officer, id: str) -> Conversation:
        """The advisor ends it."""
        return self._change(id, lambda chat: rules.end(chat, officer.actor, self._now(), officer.is_supervisor))

    def conclude(self, officer: Officer, id: str, how: str) -> Conversation:
        """Say what came of it."""
        return self._change(
            id, lambda chat: rules.conclude(chat, how, officer.actor, self._now(), officer.is_supervisor)
        )

    def write_down(self, officer: Actor, id: str, reference: str) -> Conversation:
        """A report was made of it."""
        return self._change(id, lambda chat: rules.reported(chat, reference, officer, self._now()))

    def pace(self) -> Pace:
        """How quickly conversations are taken."""
        item = self._table.get("CHATS", "PACE")
        return _pace(item) if item else Pace()

    # Ourselves

    def late(self) -> tuple[int, int]:
        """How many wait longer for an answer than was promised, also of somebody who has taken them, and how many have
        not been concluded though it is high time.
        """
        now = self._now()
        waiting = self._listed("waiting", now)
        held = self._listed("held", now + rules.TIME_TO_CONCLUDE - WARNED_AFTER)
        unanswered = [one for one in held if _held(one, now).unanswered]
        long = [one for one in (*waiting, *held) if now - read_stamp(one["received_at"]) >= WARNED_AFTER]
        return len(waiting) + len(unanswered), len(long)

    def _waiting(self, most: int) -> list[Waiting]:
        far = self._now() + rules.TIME_TO_CONCLUDE
        found = [_head(item) for item in islice(self._listing("waiting", far), most)]
        return sorted(found, key=lambda one: (rules.rank(one.priority), one.began_at, one.id))

    def _held(self, officer: str, also: str) -> list[Conversation]:
        named = [key(also)[0]] if 1 <= len(also) <= LONGEST_ID else []
        keys = [(pk, "CHAT") for pk in dict.fromkeys((*self._keys_held(officer), *named))]
        found = [conversation_of(item) for item in self._table.get_many(keys) if item["status"] != ERASED]
        mine = [one for one in found if _is_held_by(one, officer)]
        return sorted(mine, key=lambda one: (one.began_at, one.id))

    def _keys_held(self, officer: str) -> list[str]:
        far = self._now() + rules.TIME_TO_CONCLUDE
        return [item["pk"] for item in self._listing("held", far) if item["claimed_by"] == officer][:MOST_HELD]

    def _listed(self, name: str, until: datetime) -> list[Item]:
        return list(self._listing(name, until))

    def _listing(self, name: str, until: datetime) -> Any:
        given = {"group": group(name), "until": stamp(until)}
        return self._table.query(index="by_deadline", where="#due = :group AND #deadline <= :until", given=given)

    def _note_pace(self, began: datetime, taken: datetime) -> None:
        """An estimate: what another take overtakes is left out, and pressing twice is one take."""
        before = self.pace()
        if (began, taken) in before.takes:
            return
        after = before.after(began, taken)
        takes = [f"{stamp(one)} {stamp(other)}" for one, other in after.takes]
        with suppress(ConditionFailed):
            self._table.update("CHATS", "PACE", values={"takes": takes, "version": after.version},
                               condition="attribute_not_exists(pk) OR #version = :was",
                               given={"was": before.version})  # fmt: skip

    def _change(self, id: str, move: Move) -> Conversation:
        first = before = self.find(id)
        for _ in range(TRIES):
            after = move(before)
            if after.version > before.version and not self._is_saved(before, after):
                before = self.find(id)
                continue
            if after.version > first.version:  # not so already when we came
                self._tell(first, after)
            return after
        raise NotAllowed("The conversation is very busy. Try again in a moment.")

    def _is_saved(self, before: Conversation, after: Conversation) -> bool:
        """False if somebody was quicker; also if that was our own request, made again by the SDK because its answer
        was lost: what is read next has it.
        """
        try:
            self._table.update(
                *key(after.id),
                values=values_of(after),
                append={"entries": texts_of(after.entries[before.version :])},
                condition="#version = :was",
                given={"was": before.version},
            )
        except ConditionFailed:
            return False
        return True

    def _tell(self, before: Conversation, after: Conversation) -> None:
        if any(not entry.is_private for entry in after.entries[before.version :]):
            self._sockets.tell_visitor(after.id, rules.told(after, before.version, for_visitor=True))
        for advisor in {one.id for one in (before.advisor, after.advisor) if one}:
            self._sockets.tell_advisor(advisor, {"chat": after.id, **rules.told(after, before.version, False)})
        if _shown(before) != _shown(after):
            self._sockets.tell_advisors({"lists": True})

    def _now(self) -> datetime:
        return self._clock().replace(microsecond=0)


def _plain(officer: Officer) -> Officer:
    """Without the right to take over what somebody else has: who takes the next one means one that is free."""
    return Officer(officer.actor, is_supervisor=False)


def _is_held_by(chat: Conversation, officer: str) -> bool:
    return bool(chat.advisor and chat.advisor.id == officer and chat.is_listed_as == "held")


def _shown(chat: Conversation) -> tuple[Any, ...]:
    """What the lists show."""
    return chat.state, chat.advisor, chat.priority, chat.reasons


def _head(item: Item) -> Waiting:
    return Waiting(id_of(item), read_stamp(item["received_at"]), item.get("priority"),
                   tuple(item.get("reasons", ())), item["status"] == State.ENDED)  # fmt: skip


def _held(item: Item, now: datetime) -> Held:
    began, due = read_stamp(item["received_at"]), read_stamp(item["deadline"])
    return Held(
        id_of(item), began, Actor(item["claimed_by"], item["claimed_by_name"]), item["status"] == State.ENDED,
        item.get("priority"), due <= now and due < began + rules.TIME_TO_CONCLUDE,
    )  # fmt: skip


def _pace(item: Item) -> Pace:
    takes = (tuple(map(read_stamp, text.split())) for text in item["takes"])
    return Pace(tuple((began, taken) for began, taken in takes), item["version"])
