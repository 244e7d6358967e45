"""Who is connected, and what comes over a connection: nothing raises, nobody hears what is another's."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib import wiring
from chalicelib.chats import Chats
from chalicelib.finder import Finder
from chalicelib.handlers import sockets as handler
from chalicelib.passes import Passes
from chalicelib.report import Actor
from chalicelib.sessions import Session, Sessions
from chalicelib.sockets import Connection, Gone, Sockets
from chalicelib.store import Store
from chalicelib.throttle import Throttle
from tests.fakes import ANN, BOB, Clock, FakeTable

SECRET = (b"a secret of the tests",)
OFFICER = frozenset({"officer"})


class Line:
    """Connections that keep what they are told."""

    def __init__(self) -> None:
        self.heard: dict[str, list[Any]] = {}
        self.gone: set[str] = set()
        self.hung_up: list[str] = []
        self.broken = False

    def post(self, connection: str, text: str) -> None:
        if self.broken:
            raise ConnectionError("eve@example.com")
        if connection in self.gone:
            raise Gone()
        self.heard.setdefault(connection, []).append(json.loads(text))

    def hang_up(self, connection: str) -> None:
        self.hung_up.append(connection)

    def last(self, connection: str) -> Any:
        return self.heard[connection][-1]


class Hall:
    """The service, as far as a socket needs it."""

    def __init__(self) -> None:
        self.table: Any = FakeTable()
        self.clock, self.line, count = Clock(), Line(), iter(range(10**6))
        mint = lambda: f"{next(count):032x}"  # noqa: E731
        self.passes = Passes(lambda: SECRET, self.clock)
        self.throttle = Throttle(self.table, lambda: SECRET, self.clock)
        self.sessions = Sessions(self.table, self.clock, mint)
        self.sockets = Sockets(self.table, self.line, self._is_signed_in, self.clock)
        store, finder = Store(self.table, lambda: SECRET), Finder(self.table, lambda: SECRET)
        self.chats = Chats(self.table, store, finder, self.sockets, self.clock, mint)

    def _is_signed_in(self, officer: str, session: str) -> bool:
        return bool(self.sessions.standing(officer, session, is_use=False))

    def sits_down(self, actor: Actor, roles: frozenset[str] = OFFICER) -> Session:
        session = self.sessions.find(self.sessions.begin(actor, roles))
        assert session
        return session

    def visitor(self, connection: str, chat: str, seen: Any = 0) -> None:
        send(connection, do="open", **{"pass": handler.visitor_pass(chat)}, seen=seen)

    def advisor(self, connection: str, session: Session) -> None:
        send(connection, do="open", **{"pass": handler.advisor_pass(session)})

    def left_of(self, connection: str) -> list[tuple[str, str]]:
        return [key for key in self.table.items if connection in "".join(key)]


@pytest.fixture
def hall(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hall]:
    hall = Hall()
    monkeypatch.setattr(wiring, "_installed", hall)
    hall.chats.begin("c1", {"name": "Eve"}, "My bicycle is gone")
    yield hall


def send(connection: str, **frame: Any) -> None:
    handler.message(connection, json.dumps(frame))


def test_opened_twice_by_the_sdk_it_is_told(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its answer was lost, so the first write is made again and refused."""
    put_new = hall.table.put_new

    def again(item: Any) -> None:
        put_new(item)
        put_new(item)

    with monkeypatch.context() as lost:
        lost.setattr(hall.table, "put_new", again)
        hall.visitor("v", "c1")
    hall.chats.visitor_says("c1", "It was red", "m2")
    assert hall.line.last("v")["entries"][0]["text"] == "It was red"


def test_where_nobody_can_be_told_it_is_tried_once(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever wrote waits meanwhile: they must not wait as many times as there are advisors."""
    for connection in ("first-line", "second-line", "third-line"):
        hall.advisor(connection, hall.sits_down(ANN.actor))
    tried: list[str] = []

    def post(connection: str, text: str) -> None:
        tried.append(connection)
        raise Gone() if connection == "first-line" else TimeoutError()

    monkeypatch.setattr(hall.line, "post", post)
    hall.sockets.tell_advisors({"lists": True})
    assert tried == ["first-line", "second-line"] and not hall.left_of("first-line"), (
        "one that is gone says nothing about the others"
    )


def test_who_floods_with_signs_is_not_listened_to(hall: Hall) -> None:
    hall.visitor("v", "c1")
    hall.advisor("a", hall.sits_down(ANN.actor))
    hall.chats.take(ANN, "c1")
    for _ in range(60):
        send("v", do="typing")
    assert hall.line.hung_up == ["v"]
    assert sum("typing" in frame for frame in hall.line.heard["a"]) == 59
    hall.clock.advance(minutes=1)
    for _ in range(61):
        hall.visitor("w", "c1")
    assert hall.line.hung_up == ["v", "w"]


def test_a_visitor_writes_and_an_advisor_answers(hall: Hall) -> None:
    hall.visitor("v", "c1")
    assert hall.line.last("v")["entries"][0]["text"] == "My bicycle is gone"
    hall.advisor("a", hall.sits_down(ANN.actor))
    hall.chats.take(ANN, "c1")
    send("v", do="say", id="m2", text="It was red")
    send("a", do="say", chat="c1", id="a1", text="Where was it?")
    for one in "va":
        assert [frame["entries"][0]["text"] for frame in hall.line.heard[one][-2:]] == ["It was red", "Where was it?"]
    assert hall.line.last("a")["chat"] == "c1" and "officer" not in hall.line.last("v")["entries"][0]


def test_sent_twice_it_is_said_once(hall: Hall) -> None:
    hall.visitor("v", "c1")
    for _ in range(2):
        send("v", do="say", id="m2", text="It was red")
    assert hall.chats.find("c1").version == 2


def test_who_comes_back_hears_what_was_missed(hall: Hall) -> None:
    for number in range(3):
        hall.chats.visitor_says("c1", f"word {number}", f"m{number}")
    hall.visitor("again", "c1", seen=2)
    missed = hall.line.last("again")
    assert (missed["since"], missed["last"]) == (2, 4) and len(missed["entries"]) == 2
    for nonsense in (-1, 99, "2", None, [], 1.5, True):
        hall.visitor(f"n{nonsense}", "c1", seen=nonsense)
        assert hall.line.last(f"n{nonsense}")["last"] == 4


def test_typing_is_heard_by_the_other_side_alone(hall: Hall) -> None:
    session = hall.sits_down(ANN.actor)
    hall.advisor("a", session)
    hall.advisor("b", hall.sits_down(BOB.actor))
    hall.visitor("v", "c1")
    send("v", do="typing")  # nobody has it: nobody hears
    hall.chats.take(ANN, "c1")
    send("v", do="typing")
    send("a", do="typing", chat="c1")
    send("b", do="typing", chat="c1")
    assert hall.line.last("a") == {"typing": True, "chat": "c1"} and hall.line.last("v") == {"typing": True}
    assert [frame for frame in hall.line.heard["v"] if "typing" in frame] == [{"typing": True}]
    assert not any("typing" in frame for frame in hall.line.heard["b"])


@pytest.mark.parametrize(
    "body",
    ["", "{", "[]", "null", "7", '"do"', "{}", '{"do": "fly"}', '{"do": ["say"]}', '{"do": null}', "[" * 100_000,
     '{"do": "open"}', '{"do": "open", "pass": 7}', '{"do": "say", "id": 7, "text": "x"}', "\ud800", "x" * 1_000_000,
     '{"do": "say", "id": "\\ud800", "text": "x"}', '{"do": "typing", "chat": "a/b"}',
     '{"do": "say", "id": "m", "text": "not opened"}', '{"do": "typing", "chat": "c1"}',
     '{"do": "open", "pass": "visitor:c1"}'],
)  # fmt: skip
def test_nonsense_is_refused_with_a_reason_and_not_listened_to(hall: Hall, body: str) -> None:
    handler.message("x", body)
    assert hall.line.last("x")["refused"].endswith(".") and hall.line.hung_up == ["x"]
    assert hall.chats.find("c1").version == 1 and not hall.left_of("x")


NAMES = st.sampled_from(["do", "id", "text", "pass", "seen", "chat"]) | st.text()


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(),
                    lambda more: st.lists(more) | st.dictionaries(NAMES, more)))  # fmt: skip
def test_no_frame_raises(frame: Any) -> None:
    hall = Hall()
    wiring.install(hall)  # type: ignore[arg-type]
    try:
        hall.chats.begin("c1", {"name": "Eve"}, "My bicycle is gone")
        hall.visitor("v", "c1")
        handler.message("v", json.dumps(frame))
        for do in ("say", "open", "typing", "ping"):
            handler.message("v", json.dumps({**(frame if isinstance(frame, dict) else {"text": frame}), "do": do}))
    finally:
        wiring._installed = None


@pytest.mark.parametrize("text", ["", " \n", "x" * 2_001, "bell\u0007", 7, None])
def test_what_is_no_message_is_refused_under_its_id(hall: Hall, text: Any) -> None:
    hall.visitor("v", "c1")
    send("v", do="say", id="m2", text=text)
    refused = hall.line.last("v")
    assert refused["refused"] and refused["id"] == "m2" and hall.chats.find("c1").version == 1


def test_a_flood_is_refused_and_the_others_are_unharmed(hall: Hall) -> None:
    hall.chats.begin("c2", {"name": "Mo"}, "My car was damaged")
    hall.visitor("v", "c1")
    hall.visitor("w", "c2")
    for number in range(handler.MESSAGES.most + 5):
        send("v", do="say", id=f"m{number}", text="flood")
    assert "Try again in a minute" in hall.line.last("v")["refused"] and "v" in hall.line.hung_up
    assert hall.chats.find("c1").version == 1 + handler.MESSAGES.most
    send("w", do="say", id="m", text="I am still here")
    assert hall.chats.find("c2").version == 2


def test_a_pass_is_for_a_few_minutes_and_one_purpose(hall: Hall) -> None:
    given = handler.visitor_pass("c1")
    for text in (hall.passes.give("chat", "visitor:c1"), hall.passes.give("draft", "c1"), given[:-1] + "A", ""):
        send("x", do="open", **{"pass": text})
        assert "refused" in hall.line.last("x")
    hall.clock.advance(seconds=handler.PASS_LASTS.total_seconds() + 1)
    send("x", do="open", **{"pass": given})
    assert "refused" in hall.line.last("x") and not hall.left_of("x")


def test_a_connection_stays_whose_it_was(hall: Hall) -> None:
    hall.chats.begin("c2", {"name": "Mo"}, "My car was damaged")
    hall.visitor("v", "c1")
    hall.visitor("v", "c2")
    send("v", do="say", id="m2", text="Whose?", chat="c2")
    assert hall.chats.find("c1").version == 2 and hall.chats.find("c2").version == 1
    hall.chats.visitor_says("c2", "secret", "m3")
    assert "secret" not in str(hall.line.heard["v"])


def test_an_advisor_writes_only_where_it_is_theirs(hall: Hall) -> None:
    hall.advisor("a", hall.sits_down(ANN.actor))
    for chat in ("c1", "c9", "", 7, "\ud800", "x" * 5_000):
        send("a", do="say", chat=chat, id="a1", text="Hello")
        assert "refused" in hall.line.last("a")
    assert hall.chats.find("c1").version == 1


def test_an_analyst_is_no_advisor(hall: Hall) -> None:
    hall.advisor("a", hall.sits_down(ANN.actor, frozenset({"analyst"})))
    assert "refused" in hall.line.last("a") and not hall.left_of("#a")


def test_who_is_signed_out_hears_and_says_nothing_any_more(hall: Hall) -> None:
    session = hall.sits_down(ANN.actor)
    hall.advisor("a", session)
    hall.chats.take(ANN, "c1")
    hall.sessions.end_all(ANN.actor.id)
    heard = len(hall.line.heard["a"])
    hall.chats.visitor_says("c1", "My address is 1 Example Street", "m2")
    assert len(hall.line.heard["a"]) == heard
    send("a", do="say", chat="c1", id="a1", text="Hello")
    assert "Sign in" in hall.line.last("a")["refused"] and hall.line.hung_up == ["a"]


def test_to_write_keeps_a_session_in_use_and_to_listen_does_not(hall: Hall) -> None:
    hall.advisor("a", hall.sits_down(ANN.actor))
    hall.chats.take(ANN, "c1")
    hall.clock.advance(minutes=40)
    send("a", do="say", chat="c1", id="a1", text="Hello")
    hall.clock.advance(minutes=40)
    send("a", do="typing", chat="c1")
    send("a", do="say", chat="c1", id="a2", text="Are you there?")
    assert hall.chats.find("c1").version == 4
    hall.clock.advance(minutes=61)
    send("a", do="say", chat="c1", id="a3", text="Hello?")
    assert hall.chats.find("c1").version == 4


def test_officers_whose_names_begin_alike_are_not_mixed_up(hall: Hall) -> None:
    hall.advisor("x", hall.sits_down(Actor("officer-ann#x", "Another")))
    hall.chats.take(ANN, "c1")
    hall.chats.visitor_says("c1", "My address is 1 Example Street", "m2")
    assert "Example Street" not in str(hall.line.heard["x"])


def test_connections_that_are_gone_are_removed(hall: Hall) -> None:
    hall.visitor("v", "c1")
    hall.visitor("w", "c1")
    assert len(hall.left_of("v")) == 2
    handler.disconnect("v")
    handler.disconnect("v")
    handler.disconnect("never")
    assert not hall.left_of("v")
    hall.line.gone.add("w")
    hall.chats.visitor_says("c1", "It was red", "m2")
    assert not hall.left_of("w") and not hall.sockets.visitor_is_here("c1")


def test_what_outlived_its_time_is_not_told(hall: Hall) -> None:
    hall.visitor("v", "c1")
    hall.clock.advance(hours=3)
    assert not hall.sockets.visitor_is_here("c1")
    hall.chats.visitor_says("c1", "It was red", "m2")
    assert len(hall.line.heard["v"]) == 1


def test_that_nobody_can_be_told_loses_nothing_and_names_nobody(hall: Hall, caplog: pytest.LogCaptureFixture) -> None:
    hall.visitor("v", "c1")
    hall.line.broken = True
    send("v", do="say", id="m2", text="It was red")
    assert hall.chats.find("c1").version == 2 and hall.left_of("v")
    assert "eve@example.com" not in caplog.text and "It was red" not in caplog.text
    logged = [getattr(record, "error", "") for record in caplog.records]
    assert logged and not any("eve" in text for text in logged)


def test_what_goes_wrong_with_us_is_said_and_not_raised(hall: Hall, caplog: pytest.LogCaptureFixture) -> None:
    hall.visitor("v", "c1")
    hall.table.items["CHAT#c1", "CHAT"]["entries"] = ["My address is 1 Example Street"]
    send("v", do="say", id="m2", text="It was red")
    assert "our side" in hall.line.last("v")["refused"] and hall.line.last("v")["id"] == "m2"
    assert "Example Street" not in caplog.text + str([record.__dict__ for record in caplog.records])


def test_a_disconnect_that_came_first_leaves_nothing_for_long(hall: Hall) -> None:
    handler.disconnect("v")
    hall.visitor("v", "c1")
    kept = [item["expires"] for key, item in hall.table.items.items() if "v" in key[1] or key[0] == "SOCKET#v"]
    assert len(kept) == 2 and all(at <= int((hall.clock.now + timedelta(hours=3)).timestamp()) for at in kept)


def test_whose_a_connection_is(hall: Hall) -> None:
    hall.visitor("v", "c1")
    session = hall.sits_down(ANN.actor)
    hall.advisor("a", session)
    assert hall.sockets.find("v") == Connection("v", chat="c1")
    assert hall.sockets.find("a") == Connection("a", officer=ANN.actor.id, session=session.id)
