"""Conversations in the table: a message is stored before it is confirmed, once, in one order, whatever breaks."""

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.chat import State
from chalicelib.chats import MOST_WAITING, Chats
from chalicelib.errors import NotAllowed, NotFound
from chalicelib.finder import Finder
from chalicelib.report import Actor
from chalicelib.store import Store
from chalicelib.table import Table
from tests.fakes import ANN, BOB, SUE, Clock, Died, FakeTable, Wire, dies, meanwhile, moto_dynamodb, moto_table, repeats

EVE = {"name": "Eve", "email": "eve@example.com"}


class Told:
    """Keeps what it is told to tell."""

    def __init__(self) -> None:
        self.visitor: list[Mapping[str, Any]] = []
        self.advisors: list[tuple[str, Mapping[str, Any]]] = []

    def tell_visitor(self, chat: str, message: Mapping[str, Any]) -> None:
        self.visitor.append(message)

    def tell_advisor(self, officer: str, message: Mapping[str, Any]) -> None:
        self.advisors.append((officer, message))

    def tell_advisors(self, message: Mapping[str, Any]) -> None:
        self.advisors.append(("all", message))


class Room:
    """Chats over one table."""

    def __init__(self, table: Any) -> None:
        count = itertools.count()
        self.table, self.clock, self.told = table, Clock(), Told()
        looks = Store(table, lambda: (b"a secret of the tests",))
        finder = Finder(table, lambda: (b"a secret of the tests",))
        self.chats = Chats(table, looks, finder, self.told, self.clock, lambda: f"minted{next(count):026}")

    def begin(self, id: str = "c1", text: str = "My bicycle is gone") -> str:
        return self.chats.begin(id, EVE, text).id

    def said(self, id: str = "c1") -> list[str]:
        return [entry.text for entry in self.chats.find(id).entries if entry.what == "said"]


@pytest.fixture
def room() -> Room:
    return Room(FakeTable())


@pytest.fixture(scope="module")
def dynamodb() -> Iterator[Any]:
    with moto_dynamodb() as client:
        yield client


@pytest.fixture
def wired(dynamodb: Any) -> tuple[Room, Wire]:
    table, wire = moto_table(dynamodb)
    return Room(table), wire


def test_a_conversation_is_read_as_it_was_written(wired: tuple[Room, Wire]) -> None:
    room, _ = wired
    room.begin(text="“Über” – \n\n 🚲")
    room.chats.take(ANN, "c1")
    room.chats.note(ANN, "c1", "Known address", "n1")
    written = room.chats.advisor_says(ANN, "c1", "Where was it?", "a1")
    assert room.chats.find("c1") == written and written.visitor == EVE
    made = room.chats.write_down(ANN.actor, "c1", "REF1")
    assert room.chats.visitor_ends("c1").state is State.CONCLUDED
    assert room.chats.find("c1").entries[: made.version] == made.entries


def test_begun_twice_it_is_one(room: Room) -> None:
    room.begin()
    assert room.chats.begin("c1", EVE, "My bicycle is gone").version == 1
    assert room.said() == ["My bicycle is gone"]
    with pytest.raises(NotFound):
        room.chats.find("c2")


def test_words_that_worry_are_first_whoever_came_before(room: Room) -> None:
    """Also behind a flood, of which the list shows no more than a page can hold."""
    for number in range(MOST_WAITING + 1):
        room.begin(f"f{number}")
    room.clock.advance(seconds=5)
    room.begin("danger", "He is still outside")
    waiting = room.chats.waiting(ANN)
    assert waiting[0].id == "danger" and len(waiting) == MOST_WAITING
    taken = room.chats.take_next(ANN)
    assert taken and taken.id == "danger"


def test_one_that_the_index_still_shows_holds_nobody_up(room: Room) -> None:
    """It has been erased a moment ago."""
    room.begin()
    room.begin("c2")
    query = room.table.query
    shown = list(query(index="by_deadline", where="#due = :group AND #deadline <= :until",
                       given={"group": "chat-waiting", "until": "9"}))  # fmt: skip
    room.table.query = lambda **asked: iter(shown)
    del room.table.items["CHAT#c1", "CHAT"]
    taken = room.chats.take_next(ANN)
    assert taken and taken.id == "c2"


def test_who_has_another_name_since_still_has_it(room: Room) -> None:
    room.begin()
    room.chats.take(ANN, "c1")
    married = replace(ANN, actor=Actor(ANN.actor.id, "Ann Other"))
    assert room.chats.advisor_says(married, "c1", "Hello", "a1").entries[-1].by.name == "Ann Other"


STEPS: Mapping[str, Callable[[Room], Any]] = {
    "begin": lambda room: room.begin(),
    "take": lambda room: room.chats.take(ANN, "c1"),
    "visitor": lambda room: room.chats.visitor_says("c1", "It was red", "m2"),
    "advisor": lambda room: room.chats.advisor_says(ANN, "c1", "Where was it?", "a1"),
    "note": lambda room: room.chats.note(ANN, "c1", "Known address", "n1"),
    "over": lambda room: room.chats.hand_over(ANN, "c1", BOB.actor),
    "report": lambda room: room.chats.write_down(BOB.actor, "c1", "REF1"),
    "transcript": lambda room: room.chats.want_transcript("c1", "eve@example.com", "t1"),
    "end": lambda room: room.chats.end(BOB, "c1"),
}
WHOLE = [
    "said",
    "taken",
    "said",
    "said",
    "noted",
    "handed_over",
    "reported",
    "transcript",
    "ended",
    "concluded",
]


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("step", STEPS)
def test_who_dies_and_does_it_again_has_done_it_once(wired: tuple[Room, Wire], step: str, after: bool) -> None:
    room, wire = wired
    for name, does in STEPS.items():
        if name == step:
            for number in range(1, 12):
                wire.calls.clear()
                wire.meddle = dies(number, after)
                try:
                    does(room)
                    break
                except Died:
                    continue
            wire.meddle = lambda number, name, call: call()
            assert number > 1, "nothing was cut off"
        does(room)
    assert [entry.what for entry in room.chats.find("c1").entries] == WHOLE


def test_the_sdk_sends_everything_twice(wired: tuple[Room, Wire]) -> None:
    room, wire = wired
    wire.meddle = repeats
    for does in STEPS.values():
        does(room)
    assert [entry.what for entry in room.chats.find("c1").entries] == WHOLE
    told = [entry["text"] for message in room.told.visitor for entry in message["entries"] if entry["what"] == "said"]
    assert told == ["It was red", "Where was it?"], "whoever is connected heard of it all the same"


def test_both_write_at_once_and_both_are_kept(wired: tuple[Room, Wire]) -> None:
    room, wire = wired
    room.begin()
    room.chats.take(ANN, "c1")
    other = Room(Table(wire._client, room.table._name))
    wire.meddle = meanwhile("update_item", 1, lambda: other.chats.visitor_says("c1", "It was red", "m2"))
    room.chats.advisor_says(ANN, "c1", "Where was it?", "a1")
    assert room.said() == ["My bicycle is gone", "It was red", "Where was it?"]


def test_two_take_one_and_one_has_it(wired: tuple[Room, Wire]) -> None:
    room, wire = wired
    room.begin()
    other = Room(Table(wire._client, room.table._name))
    wire.meddle = meanwhile("update_item", 1, lambda: other.chats.take(BOB, "c1"))
    with pytest.raises(NotAllowed):
        room.chats.take(ANN, "c1")
    assert room.chats.find("c1").advisor == BOB.actor


def test_first_come_first_served_and_words_that_worry_before_all(room: Room) -> None:
    for number in range(3):
        room.begin(f"c{number}")
        room.clock.advance(seconds=10)
    room.begin("c9", "He is still here")
    assert [one.id for one in room.chats.waiting(ANN)] == ["c9", "c0", "c1", "c2"]
    assert [room.chats.place(room.chats.find(f"c{number}")).place for number in (0, 1, 2, 9)] == [2, 3, 4, 1]
    taken = [room.chats.take_next(who) for who in (ANN, BOB, SUE, SUE, SUE)]
    assert [one and one.id for one in taken] == ["c9", "c0", "c1", "c2", None]
    assert [one.id for one in room.chats.held(SUE)] == ["c1", "c2"]
    assert room.chats.place(room.chats.find("c1")).place is None


def test_a_supervisor_who_takes_the_next_one_takes_none_away(room: Room) -> None:
    room.begin()
    room.chats.take(ANN, "c1")
    assert room.chats.take_next(SUE) is None
    assert room.chats.take(SUE, "c1").advisor == SUE.actor


def test_nobody_is_told_a_place_that_was_not_counted(room: Room) -> None:
    for number in range(MOST_WAITING + 1):
        room.begin(f"c{number}")
    assert room.chats.place(room.chats.find("c3")).place is None


def test_whoever_left_before_somebody_came_is_still_read(room: Room) -> None:
    room.begin()
    room.chats.visitor_ends("c1")
    assert [(one.id, one.has_ended) for one in room.chats.waiting(ANN)] == [("c1", True)]
    taken = room.chats.take_next(ANN)
    assert taken and taken.state is State.ENDED
    assert room.chats.conclude(ANN, "c1", "left").state is State.CONCLUDED
    assert room.chats.waiting(ANN) == room.chats.held(ANN) == []


def test_late_ones_are_counted(room: Room) -> None:
    room.begin("waits")
    room.begin("held")
    room.chats.take(ANN, "held")
    room.clock.advance(minutes=2)
    assert room.chats.late() == (0, 0)
    room.clock.advance(minutes=1)
    assert room.chats.late() == (2, 0), "that it was taken is no answer"
    assert [one.unanswered for one in room.chats.with_others(SUE)] == [True]
    room.chats.advisor_says(ANN, "held", "Where was it?", "a1")
    assert room.chats.late() == (1, 0)
    assert [one.unanswered for one in room.chats.with_others(SUE)] == [False]
    room.clock.advance(hours=17)
    assert room.chats.late() == (1, 0)
    room.clock.advance(hours=1)
    assert room.chats.late() == (1, 2)
    room.chats.visitor_says("held", "He is still outside", "m2")
    room.clock.advance(minutes=3)
    assert room.chats.late() == (2, 2)
    (held,) = room.chats.with_others(SUE)
    assert held.unanswered and held.priority == "urgent"
    room.chats.conclude(ANN, "held", "advice")
    assert room.chats.late() == (1, 1)


def test_the_pace_is_of_first_takes(room: Room) -> None:
    room.begin()
    room.clock.advance(minutes=4)
    room.chats.take(ANN, "c1")
    room.chats.take(ANN, "c1")
    room.chats.hand_over(ANN, "c1", None)
    room.clock.advance(minutes=4)
    room.chats.take(BOB, "c1")
    assert room.chats.pace().takes == ((room.clock.now - timedelta(minutes=8), room.clock.now - timedelta(minutes=4)),)


def test_every_look_at_a_conversation_is_logged(room: Room) -> None:
    room.begin()
    room.chats.take(ANN, "c1")
    room.chats.read(BOB, "c1")
    logs = [item for key, item in room.table.items.items() if key[1].startswith("ACCESS#")]
    assert {(item["pk"], item["officer"], item["what"]) for item in logs} == {
        ("CHAT#c1", BOB.actor.id, "read"), ("OFFICER#officer-bob", BOB.actor.id, "read"),
    }  # fmt: skip
    room.chats.held(ANN)
    assert room.chats.find("c1").version == 2


def test_who_is_told_what(room: Room) -> None:
    room.begin()
    assert room.told.advisors == [("all", {"lists": True})] and not room.told.visitor
    room.chats.take(ANN, "c1")
    room.told.__init__()  # type: ignore[misc]
    room.chats.note(ANN, "c1", "Known address", "n1")
    assert not room.told.visitor and [who for who, _ in room.told.advisors] == [ANN.actor.id]
    room.chats.visitor_says("c1", "It was red", "m2")
    (message,) = room.told.visitor
    assert (message["since"], message["last"]) == (3, 4) and message["entries"][0]["id"] == "m2"
    room.chats.hand_over(ANN, "c1", BOB.actor)
    assert {who for who, _ in room.told.advisors[2:]} == {ANN.actor.id, BOB.actor.id, "all"}
