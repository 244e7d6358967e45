"""What `docs/scale-chat.md` says that a conversation takes is counted here, on a real database engine."""

import json
import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from html import unescape
from typing import Any, NamedTuple

from door import Door
from scale_pages import number, tables, text_of

from bench.capacity import Meter
from chalicelib.chat_hours import ALWAYS
from chalicelib.handlers import sockets as handler
from chalicelib.report import Actor
from chalicelib.sockets import Sockets
from chalicelib.table import Table
from infra.local.stack import client, create_table

ADVISORS = 2  # who are connected: one talks, one has nothing to do with it
Step = tuple[str, Callable[[], Any]]
SAID = "It was there in the evening, and in the morning it was gone. Nobody has seen anything. What shall we do?"


class Took(NamedTuple):
    """What a step took: requests to DynamoDB, its read and write units, and frames that were pushed."""

    calls: int
    reads: float
    writes: float
    frames: int


class Line:
    """Counts what is pushed."""

    def __init__(self) -> None:
        self.frames = 0

    def post(self, connection: str, text: str) -> None:
        self.frames += 1

    def hang_up(self, connection: str) -> None:
        raise AssertionError("nobody is refused here")


class Scene:
    """A conversation between a visitor and an advisor; a colleague is connected too."""

    def __init__(self, app: Any, endpoint: str) -> None:
        self.door, self.line = Door(app), Line()
        name = f"scale-{uuid.uuid4().hex}"
        create_table(endpoint, name)
        dynamodb = client("dynamodb", endpoint)
        self.meter = Meter(dynamodb)
        service: Any = self.door.service
        service.settings = replace(service.settings, chat_hours=ALWAYS, chat_socket="wss://chat.example.com")
        service.table = self._table = Table(dynamodb, name)
        service.sockets = Sockets(service.table, self.line, service._is_signed_in, self.door.clock)
        self.tokens = {name: self.door.has_session("officer", name=name) for name in ("Bob", "Ann")}
        self.advisor, self.visitor = self.door.cookies, dict[str, str]()
        self.asked = self.framed = 0
        self.chat, self.token, self.form = "", "", dict[str, str]()
        for name in self.tokens:
            cookie = service.sessions.begin(Actor(name, name), frozenset({"officer"}))
            self.frame(name, do="open", **{"pass": handler.advisor_pass(service.sessions.find(cookie))})
        assert self.line.frames == ADVISORS
        self.framed = 0

    def did(self, step: Callable[[], Any]) -> Took:
        frames = self.line.frames
        return Took(*self.meter.of(step), self.line.frames - frames)

    def as_visitor(self, method: str, path: str, **fields: str) -> Any:
        self.door.cookies = self.visitor
        return self._ask(method, path, fields)

    def as_advisor(self, method: str, path: str, **fields: str) -> Any:
        self.door.cookies = self.advisor
        return self._ask(method, path, fields)

    def frame(self, connection: str, **said: Any) -> None:
        self.framed += 1
        handler.message(connection, json.dumps(said))

    def _ask(self, method: str, path: str, fields: Mapping[str, str]) -> Any:
        self.asked += 1
        answer = self.door.get(path) if method == "GET" else self.door.post(path, **fields)
        assert answer.status in (200, 303), answer
        if method == "GET":
            self.form = dict(re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', unescape(answer.text)))
        return answer

    def steps(self) -> Iterator[Step]:
        """The usual conversation of `docs/scale-chat.md`."""
        yield "The first page", lambda: self.as_visitor("GET", "/chat")
        self.door.clock.advance(seconds=10)
        begin = {**self.form, "emergency": "no", "name": "Sam", "email": "sam@example.com", "text": SAID}
        yield "A conversation begins", lambda: self.as_visitor("POST", "/chat", **begin)
        (self.chat,) = [pk.removeprefix("CHAT#") for pk in self._keys() if pk.startswith("CHAT#")]
        yield "Its page", lambda: self.as_visitor("GET", "/chat")
        self.token = self.form["token"]
        yield from self.waiting()
        for minute in range(10):
            yield from self.round(minute)
        yield from [self.lists] * (20 + 4 * ADVISORS)
        yield from self.end()

    def waiting(self) -> Iterator[Step]:
        yield "A visitor who waits asks", lambda: self.as_visitor("GET", "/chat/entries?seen=0")
        given = {"pass": handler.visitor_pass(self.chat)}
        yield "A visitor's socket opens", lambda: self.frame("visitor", do="open", **given, seen=0)
        for _ in range(4):
            yield "A visitor who waits asks", lambda: self.as_visitor("GET", "/chat/entries?seen=1")
        fields = {"token": self.tokens["Ann"], "id.": uuid.uuid4().hex, "do": "next"}
        yield "An advisor takes the next", lambda: self.as_advisor("POST", "/desk/chats", **fields)
        yield "An advisor's page with one", lambda: self.as_advisor("GET", "/desk/chats")

    def round(self, number: int) -> Iterator[Step]:
        """A minute: each says something, after typing it, and both pages ask twice."""
        yield from [("A visitor types", lambda: self.frame("visitor", do="typing"))] * 5
        said = {"do": "say", "text": SAID, "id": f"v{number:031}"}
        name = "A visitor's message" if number else "The same while an answer is owed"
        yield name, lambda: self.frame("visitor", **said)
        yield from [("An advisor types", lambda: self.frame("Ann", do="typing", chat=self.chat))] * 5
        answer = {"do": "say", "text": SAID, "id": f"a{number:031}", "chat": self.chat}
        yield "An advisor's message", lambda: self.frame("Ann", **answer)
        seen = 2 * number + 4
        yield from [("A visitor asks", lambda: self.as_visitor("GET", f"/chat/entries?seen={seen}"))] * 2
        path = f"/desk/chats/{self.chat}/entries?seen={seen}"
        yield from [("An advisor asks", lambda: self.as_advisor("GET", path))] * 2

    @property
    def lists(self) -> Step:
        return "The list of who waits", lambda: self.as_advisor("GET", "/desk/chats/lists")

    def end(self) -> Iterator[Step]:
        yield from [("A ping", lambda: self.frame("visitor", do="ping"))] * 2
        yield "The visitor ends it", lambda: self.as_visitor("POST", "/chat/end", token=self.token)
        yield "Its page at the end", lambda: self.as_visitor("GET", "/chat")
        yield "A socket closes", lambda: handler.disconnect("visitor")
        fields = {"token": self.tokens["Ann"], f"id.{self.chat}": uuid.uuid4().hex, f"how.{self.chat}": "advice",
                  "do": f"conclude.{self.chat}"}  # fmt: skip
        yield "An advisor concludes it", lambda: self.as_advisor("POST", "/desk/chats", **fields)
        yield "An advisor's page with none", lambda: self.as_advisor("GET", "/desk/chats")

    def size(self) -> int:
        """Bytes of the conversation's item, as DynamoDB counts them (roughly: of numbers and lists)."""
        item = self._table.get(f"CHAT#{self.chat}", "CHAT") if self.chat else None
        return sum(len(name) + _bytes(value) for name, value in (item or {}).items())

    def _keys(self) -> list[str]:
        pages = self._table.scan(only="#sk = :chat", given={"chat": "CHAT"}, after=None)
        return [item["pk"]["S"] for page in pages for item in page.items]


def _bytes(value: Any) -> int:
    match value:
        case str():
            return len(value.encode())
        case list():
            return 3 + sum(1 + _bytes(one) for one in value)
    return 3


def rows(title: str) -> dict[str, list[str]]:
    """The table of the page under a heading, by the first column."""
    (table,) = tables("scale-chat.md", title)
    return {first: others for first, *others in (list(row.values()) for row in table)}


def value(formula: str, **letters: int) -> float:
    """What `1.5 + 2R` is."""
    found = 0.0
    for part in formula.split(" + "):
        number, letter = re.fullmatch(r"([\d.]*)([A-Z]?)", part).groups()  # type: ignore[union-attr]
        found += float(number or 1) * (letters[letter] if letter else 1)
    return found


def test_each_step_takes_what_the_page_says_and_so_does_all_of_it(app_module: Any, dynamodb_local: str) -> None:
    scene, said, seen = Scene(app_module.app, dynamodb_local), rows("What each step takes"), set()
    whole, wrong = Took(0, 0, 0, 0), dict[str, str]()
    for name, step in scene.steps():
        before, took, after = scene.size(), scene.did(step), scene.size()
        letters = {"A": ADVISORS, "R": -(-before // 4096), "W": -(-after // 1024)}
        if list(took) != [value(formula, **letters) for formula in said[name]]:
            wrong[name] = f"{tuple(took)} with {letters}"
        whole = Took(*(one + other for one, other in zip(whole, took, strict=True)))
        seen.add(name)
    assert not wrong, "\n".join(f"{name}: {took}" for name, took in wrong.items())
    assert seen == set(said), "every row is counted"
    usual = rows("A usual conversation")
    counted = {
        "Requests over HTTP": scene.asked,
        "Frames that come in": scene.framed,
        "Frames that go out": whole.frames,
        "Requests to DynamoDB": whole.calls,
        "Read units": whole.reads,
        "Write units": whole.writes,
        "Bytes of the item at its end": scene.size(),
        "Functions run": scene.asked + scene.framed + len(("connects", "disconnects")),
    }
    assert counted == {name: value(usual[name][0], A=ADVISORS) for name in counted}


def test_the_prices_add_up() -> None:
    usual = rows("A usual conversation").values()
    dollars = [value(many, A=10) * float(million) / 1000 for many, million, _ in usual]
    assert [f"{one:.2f}" for one in dollars] == [thousand for *_, thousand in usual]
    assert f"**{sum(dollars):.2f} dollars a thousand**" in text_of("scale-chat.md")


def test_a_month_costs_what_the_page_says() -> None:
    usual, months = rows("A usual conversation").values(), rows("A force, and the country")
    hourly = next(float(one) for words in months for one in re.findall(r"\(([\d.]+) an hour\)", words))
    for place in (0, 1):
        said = {words: number(cells[place]) for words, cells in months.items()}
        advisors = int(said["Advisors connected (A)"])
        each = sum(value(many, A=advisors) * float(million) for many, million, _ in usual) / 1_000_000
        exact = {"Dollars a month for conversations": said["Conversations a month"] * each,
                 "Dollars a month for advisors": advisors * hourly * 730}  # fmt: skip
        for begins, dollars in exact.items():
            (shown,) = [one for words, one in said.items() if words.startswith(begins)]
            assert abs(shown - dollars) <= 0.05 * dollars + 0.5, (begins, dollars)
