"""Those who talk: visitors who write from the public page, and advisors at the desk, each a thread of its own. They use
the service as the scripts of its pages do. Nobody here exists."""

import math
import re
import sys
import threading
import time
import uuid
from collections.abc import Callable
from html import unescape
from urllib.parse import parse_qs, parse_qsl, urlsplit

from chalicelib.handlers.opening import QUICKEST
from infra.chat_load.phone import Phone
from infra.chat_load.talk import Talk, Told, Watch
from infra.replay.service import PATIENCE_SECONDS, Failed, Service

POLL, POLL_BESIDE_SOCKET, CONFIRMED_WITHIN = 3, 30, 5  # seconds, as in `pages/static/chat_line.js`
BEGIN_WITHIN = 10  # seconds
_HIDDEN = re.compile(r'<input type="hidden" name="([^"]*)" value="([^"]*)"')


class Person(threading.Thread):
    """Somebody who talks; `failure` says what has gone wrong, if something has."""

    def __init__(self, name: str, service: Service, watch: Watch) -> None:
        super().__init__(name=name, daemon=True)
        self.failure = ""
        self._service, self._watch, self._phone = service, watch, Phone()
        self._looked = 0.0

    def run(self) -> None:
        try:
            self._live()
        except Exception as error:
            self.failure = f"{self.name}: {type(error).__name__}: {error}"
        finally:
            self._phone.hang_up()

    def _listen(self, seconds: float) -> None:
        """For a while; where nothing comes for too long, or the line is gone, ask."""
        was_up = self._phone.is_up
        frame = self._phone.hear(seconds)
        if frame is not None:
            self._hear(frame)
        pause = POLL_BESIDE_SOCKET if self._phone.is_up else POLL
        if self._phone.is_up < was_up or time.monotonic() - self._looked > pause:
            self._look()

    def _call(self, told: Told, seen: int = 0) -> None:
        """Open a socket, with what a poll gave for it."""
        if told["socket"] and not self._phone.is_up and (first := self._phone.call(told["socket"], seen)):
            self._hear(first)

    def _look(self) -> None:
        self._looked = time.monotonic()
        self._ask()

    def _live(self) -> None:
        raise NotImplementedError

    def _hear(self, frame: Told) -> None:
        raise NotImplementedError

    def _ask(self) -> None:
        raise NotImplementedError


class Visitor(Person):
    """Begins a conversation and says `messages` in it, each after the answer to the one before. `is_cut`: loses the
    network midway, just after sending; `only_polls`: a socket is blocked; `says_twice`: every message goes out twice.
    """

    def __init__(self, service: Service, number: int, messages: int, watch: Watch, done: Callable[[], None]) -> None:
        super().__init__(f"visitor {number}", service, watch)
        self.is_cut, self.only_polls, self.says_twice = number % 5 == 1, number % 10 == 2, number % 10 == 3
        self.talk = Talk("visitor", watch)
        self._number, self._messages, self._done = number, messages, done
        self._form: dict[str, str] = {}

    @property
    def chat(self) -> str:
        """The conversation's id, as its first message has it."""
        return str(self.talk.entries[0]["id"]).removeprefix("first-") if self.talk.entries else ""

    def _live(self) -> None:
        self._begin()
        for number in range(self._messages):
            self._say(f"Message {number + 1} of visitor {self._number}: it was there in the evening.", number)
            self._wait_for(number + 1)
            self._done()
        self._look()

    def _begin(self) -> None:
        time.sleep(BEGIN_WITHIN * (self._number % 100) / 100)
        self._service.come_from(_address(self._number))
        fields = _hidden(self._service.ask("GET", "/chat").text)
        time.sleep(QUICKEST.total_seconds() + 1)  # a form that comes back sooner is a machine's
        fields |= {"emergency": "no", "name": f"Visitor {self._number}", "email": f"v{self._number}@example.com",
                   "text": "My bicycle is gone."}  # fmt: skip
        with self._watch.on("A conversation begins"):
            page = self._service.ask("POST", "/chat", data=fields)
        self._form = _hidden(page.text)
        self._look()

    def _say(self, text: str, number: int) -> None:
        id = uuid.uuid4().hex
        self.talk.say(id, text)
        for _ in range(2 if self.says_twice else 1):
            self._phone.send({"do": "say", "id": id, "text": text})
        if self.is_cut and number == self._messages // 2:
            self._phone.cut()
        end = time.monotonic() + CONFIRMED_WITHIN
        while self._phone.is_up and id in self.talk.waiting and time.monotonic() < end:
            self._listen(end - time.monotonic())
        if id in self.talk.waiting:
            self._post(id, text)

    def _post(self, id: str, text: str) -> None:
        fields = self._form | {"id": id, "text": text, "seen": str(self.talk.seen)}
        with self._watch.on("A message by POST"):
            answer = self._service.ask("POST", "/chat/messages", data=fields, headers=JSON)
        self.talk.take(answer.json())

    def _wait_for(self, answers: int) -> None:
        end = time.monotonic() + PATIENCE_SECONDS
        while self.talk.of("advisor") < answers:
            if time.monotonic() > end:
                raise Failed("nobody answers")
            self._listen(1)

    def _hear(self, frame: Told) -> None:
        if "entries" in frame and self.talk.take(frame) is None:
            self._look()

    def _ask(self) -> None:
        with self._watch.on("A visitor asks"):
            told = self._service.get("/chat/entries", seen=str(self.talk.seen))
        self.talk.take(told)
        if not self.only_polls:
            self._call(told, self.talk.seen)


class Advisor(Person):
    """Takes `share` conversations, and answers each message of their visitors until `stop`."""

    def __init__(self, service: Service, number: int, share: int, watch: Watch) -> None:
        super().__init__(f"advisor {number}", service, watch)
        self.talks: dict[str, Talk] = {}
        self.stop = threading.Event()
        self._number, self._share, self._token = number, share, ""
        self._sent = dict[str, tuple[str, str, float]]()
        self._some_may_wait = True

    def _live(self) -> None:
        self._sign_in()
        while not self.stop.is_set():
            if self._some_may_wait and len(self.talks) < self._share:
                self._take()
            self._listen(0 if self._some_may_wait else 1)
            self._send_again()
        self._look()

    def _sign_in(self) -> None:
        to_issuer = self._service.ask("GET", "/desk/sign-in", 303, params={"to": "/desk/chats"}, allow_redirects=False)
        asked = dict(parse_qsl(urlsplit(to_issuer.headers["Location"]).query))
        who = {"person": f"Advisor {self._number}", "role": "officer"}
        page = self._service.ask("POST", "/dev/issuer/authorize", data=asked | who)
        self._token = _hidden(page.text)["token"]

    def _take(self) -> None:
        fields = {"token": self._token, "id.": uuid.uuid4().hex, "do": "next"}
        with self._watch.on("An advisor takes the next"):
            answer = self._service.ask("POST", "/desk/chats", 200, 303, data=fields, allow_redirects=False)
        found = parse_qs(urlsplit(answer.headers.get("Location", "")).query).get("chat")
        self._some_may_wait = bool(found)
        for chat in found or ():
            self.talks[chat] = Talk("advisor", self._watch)
            self._ask_about(chat)

    def _hear(self, frame: Told) -> None:
        if frame.get("lists"):
            self._some_may_wait = True
        elif "entries" in frame and frame["chat"] in self.talks and self._take_in(frame["chat"], frame) is None:
            self._ask_about(frame["chat"])

    def _ask(self) -> None:
        self._some_may_wait = True
        for chat in self.talks:
            self._ask_about(chat)

    def _ask_about(self, chat: str) -> None:
        with self._watch.on("An advisor asks"):
            told = self._service.get(f"/desk/chats/{chat}/entries", seen=str(self.talks[chat].seen))
        self._take_in(chat, told)
        self._call(told)

    def _take_in(self, chat: str, told: Told) -> list[Told] | None:
        fresh = self.talks[chat].take(told)
        for entry in fresh or ():
            if entry["what"] == "said" and entry["by"] == "visitor" and not entry["id"].startswith("first-"):
                self._answer(chat, f"Thank you. This is the answer to number {entry['number']}.")
        return fresh

    def _answer(self, chat: str, text: str) -> None:
        id = uuid.uuid4().hex
        self.talks[chat].say(id, text)
        self._sent[id] = (chat, text, time.monotonic() if self._phone.is_up else -math.inf)
        self._phone.send({"do": "say", "chat": chat, "id": id, "text": text})

    def _send_again(self) -> None:
        """By POST what nobody has confirmed in time."""
        for id, (chat, text, at) in list(self._sent.items()):
            if id in self.talks[chat].confirmed:
                del self._sent[id]
            elif time.monotonic() - at > CONFIRMED_WITHIN:
                fields = {"token": self._token, "id": id, "text": text, "seen": str(self.talks[chat].seen)}
                with self._watch.on("A message by POST"):
                    self._service.ask("POST", f"/desk/chats/{chat}/messages", data=fields, headers=JSON)
                self._ask_about(chat)


JSON = {"Accept": "application/json"}


def _address(number: int) -> str:
    """An address of this machine (Linux has all of 127.0.0.0/8): as many conversations from one are refused."""
    return f"127.1.{number // 250}.{number % 250 + 1}" if sys.platform == "linux" else "127.0.0.1"


def _hidden(page: str) -> dict[str, str]:
    """What a form carries that nobody types."""
    return {name: unescape(value) for name, value in _HIDDEN.findall(page)}
