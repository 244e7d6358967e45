"""The visitor's chat over HTTP: begun, written, twice, too late, by the wrong person, with nonsense, and while it is
closed.
"""

import json
import re
from dataclasses import replace
from datetime import timedelta
from html import unescape
from typing import Any
from urllib.parse import urlencode

import pytest
from door import FORM, Answer, Door, set_cookies
from hostile import HOSTILE
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib import chat as rules
from chalicelib.chat_hours import ALWAYS, read_hours
from chalicelib.handlers import background
from chalicelib.pages import chat as pages
from chalicelib.queues import Change
from chalicelib.report import Actor
from tests.fakes import ANN, NOW, KeptLetters

SAM = {"emergency": "no", "name": "Sam", "text": "My bicycle has gone."}
LEFT = {"emergency": "no", "category": "theft", "reporter": "victim", "what_happened": "My bicycle has gone."}
OFFICE = "Mon-Fri 08:00-22:00"
SOCKET = "wss://socket.example.com/chat"


class KeptChanges:
    """A queue that keeps what it is given."""

    def __init__(self) -> None:
        self.sent: list[Change] = []

    def send(self, changes: list[Change]) -> None:
        self.sent += changes


class Browser(Door):
    """One browser of a visitor; `beside` gives another one at the same service."""

    def __init__(self, app: Any, beside: "Browser | None" = None) -> None:
        super().__init__(app)
        if beside:
            self.clock, self.table, self.service = beside.clock, beside.table, beside.service
        else:
            self.service.letters_queue = KeptChanges()  # type: ignore[misc, assignment]
            self.service.sender = KeptLetters()  # type: ignore[misc, assignment]
            self.hours(ALWAYS)
        self.app, self.page = app, Answer(0, {}, "")
        from chalicelib import wiring

        wiring.install(self.service)

    def beside(self) -> "Browser":
        return Browser(self.app, self)

    def hours(self, hours: str, **more: str) -> None:
        self.service.settings = replace(self.service.settings, chat_hours=hours, **more)

    def open(self, path: str = "/chat") -> Answer:
        self.page = self.get(path)
        return self.page

    def send(self, to: str, **fields: str) -> Answer:
        """Fill in the form of the page that goes there, and send it; what it leads to is opened."""
        self.page = self.post(to, **{**self.hidden(to), **fields})
        return self.open(self.page.location) if self.page.status == 303 else self.page

    def hidden(self, to: str) -> dict[str, str]:
        forms = re.findall(rf'<form action="{to}"[^>]*>(.*?)</form>', self.page.text, re.DOTALL)
        return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', forms[0])) if forms else {}

    def begin(self, **more: str) -> "Browser":
        self.open()
        self.clock.advance(seconds=3)  # nobody is as quick as this
        self.send("/chat", **{**SAM, **more})
        return self

    def say(self, text: str, **more: str) -> Answer:
        return self.send("/chat/messages", text=text, **more)

    def told(self, seen: Any = 0) -> dict[str, Any]:
        answer = self.ask("GET", f"/chat/entries?{urlencode({'seen': seen})}", accept="application/json")
        assert answer.status == 200, answer
        return dict(json.loads(answer.text))

    def script(self, **fields: str) -> Answer:
        """A message as the script sends it."""
        sent = {"token": self.hidden("/chat/messages").get("token", ""), **fields}
        return self.ask("POST", "/chat/messages", urlencode(sent), accept="application/json",
                        **{"content-type": f"{FORM};charset=UTF-8"})  # fmt: skip

    @property
    def words(self) -> str:
        return " ".join(unescape(re.sub(r"<[^>]+>", " ", self.page.text)).split())

    @property
    def said(self) -> list[str]:
        """The words of each entry on the page."""
        return [unescape(text) for text in re.findall(r"data-text>([^<]+)</p>", self.page.text)]

    @property
    def id(self) -> str:
        """The conversation of this browser."""
        found = self.service.passes.read("chat", self.cookies["chat"], timedelta(days=1))
        assert found
        return found

    @property
    def chats(self) -> list[str]:
        return sorted(pk for pk, sk in self.table.items if sk == "CHAT")

    @property
    def chat(self) -> rules.Conversation:
        return self.service.chats.find(self.id)

    def answered(self, text: str = "What does it look like?") -> "Browser":
        """Ann takes it and says something."""
        self.service.chats.take(ANN, self.id)
        self.service.chats.advisor_says(ANN, self.id, text, f"ann-{self.chat.version}")
        return self


@pytest.fixture
def visitor(app_module: Any) -> Browser:
    return Browser(app_module.app)


# It begins


def test_a_conversation_from_the_first_word_to_the_last(visitor: Browser) -> None:
    visitor.begin()
    assert "You are next. We promise an answer by 9:03am." in visitor.words
    visitor.say("It was at the station.\r\nIt is red.")
    visitor.answered()
    assert visitor.send("/chat/messages", text="", action="check").status == 200
    assert "Ann Officer has your chat, and answers you here." in visitor.words
    assert "Ann Officer has joined the chat" in visitor.words
    assert visitor.said == ["My bicycle has gone.", "It was at the station.\nIt is red.", "What does it look like?"]
    visitor.open("/chat/end")
    visitor.send("/chat/end")
    assert "This chat has ended. What you told us is kept" in visitor.words and "You ended the chat." in visitor.words
    assert visitor.chat.state == "ended"


def test_what_must_be_answered_is_asked_and_what_was_typed_is_kept(visitor: Browser) -> None:
    visitor.begin(emergency="", name=" ", email="sam@", text="My words")
    assert visitor.page.status == 422 and "<title>Error: Chat with us" in visitor.page.text
    for words in ("Select yes if it is happening now", "Enter what we should call you", "Enter an email address"):
        assert words in visitor.words
    assert "My words</textarea>" in visitor.page.text and 'value="sam@"' in visitor.page.text
    assert not visitor.chats
    visitor.send("/chat", **SAM, email="sam@example.com", phone="07700 900123")
    assert visitor.chat.visitor == {"name": "Sam", "email": "sam@example.com", "phone": "07700 900123"}


def test_in_an_emergency_nothing_is_kept_whatever_else_is_wrong(visitor: Browser) -> None:
    visitor.begin(emergency="yes", name="")
    assert visitor.page.status == 422 and "Call 999 now" in visitor.words
    assert not visitor.chats and "chat" not in visitor.cookies
    visitor.hours("closed")
    assert visitor.beside().send("/chat/leave", **{**LEFT, "emergency": "yes"}).status == 422


def test_pressed_twice_it_is_one(visitor: Browser) -> None:
    visitor.open()
    visitor.clock.advance(seconds=3)
    form, other = visitor.hidden("/chat"), visitor.beside()  # the second press goes without the cookie of the first
    other.cookies = dict(visitor.cookies)
    visitor.post("/chat", **form, **SAM)
    other.post("/chat", **form, **SAM)
    assert visitor.id == other.id and len(visitor.chats) == 1
    assert visitor.chat.version == 1


def test_the_token_of_a_conversation_does_not_open_it(visitor: Browser) -> None:
    """Somebody goes back to the page on which a stranger has begun one."""
    visitor.open()
    visitor.clock.advance(seconds=3)
    form, other = visitor.hidden("/chat"), visitor.beside()
    other.cookies = dict(visitor.cookies)
    visitor.post("/chat", **form, **SAM)
    other.post("/chat", **form, **{**SAM, "text": "Something else"})
    assert other.id != visitor.id
    other.open()
    assert other.said == ["Something else"]


def test_no_website_begins_one_here_that_it_can_read(visitor: Browser) -> None:
    """Its form has a token of its own and words that it knows; the browser that it is sent from has no cookie of it."""
    evil = visitor.beside()
    evil.open()
    evil.clock.advance(seconds=3)
    form = {**evil.hidden("/chat"), **SAM}
    visitor.page = visitor.post("/chat", **form)
    assert visitor.page.status == 422 and "Allow cookies" in visitor.words and not visitor.chats
    visitor.clock.advance(seconds=3)
    visitor.send("/chat", **SAM)
    visitor.say("Where I live")
    evil.post("/chat", **form)
    evil.open()
    assert evil.id != visitor.id and "Where I live" not in evil.page.text


def test_no_website_closes_it(visitor: Browser) -> None:
    """A form from elsewhere comes without the cookie (SameSite=Lax)."""
    assert not set_cookies(visitor.beside().begin().beside().post("/chat/close"))


def test_begun_again_while_one_is_going_on_it_is_a_message_in_that(visitor: Browser) -> None:
    visitor.open()
    other_tab = visitor.page
    visitor.begin()
    visitor.page = other_tab
    for _ in range(2):
        visitor.post("/chat", **visitor.hidden("/chat"), **{**SAM, "text": "And my lock."})
    visitor.open()
    assert visitor.said == ["My bicycle has gone.", "And my lock."] and len(visitor.chats) == 1


def test_programs_are_kept_out_and_people_let_in(visitor: Browser) -> None:
    visitor.open()
    visitor.send("/chat", **SAM)
    assert visitor.page.status == 422 and "That was very quick" in visitor.words
    visitor.clock.advance(seconds=3)
    visitor.send("/chat", **SAM, website="https://example.com")
    assert visitor.page.status == 422 and "Empty the box" in visitor.words
    visitor.send("/chat", **SAM, token="forged")
    assert visitor.page.status == 422 and "open for too long" in visitor.words
    visitor.clock.advance(seconds=3)
    assert visitor.send("/chat", **SAM).status == 200 and visitor.said


def test_a_page_of_yesterday_brings_a_new_token(visitor: Browser) -> None:
    visitor.open()
    visitor.clock.advance(days=2)
    assert visitor.send("/chat", **SAM).status == 422
    visitor.clock.advance(seconds=3)
    assert visitor.send("/chat", **SAM).status == 200 and visitor.said


def test_one_address_begins_thirty_in_an_hour(visitor: Browser) -> None:
    for _ in range(30):
        assert visitor.beside().begin().page.status == 200
    late = visitor.beside().begin()
    assert late.page.status == 429 and "My bicycle has gone." in late.words, "what was typed can be copied"
    visitor.clock.advance(hours=1)
    assert visitor.beside().begin().page.status == 200


# Whose it is


def test_no_address_names_it_and_the_cookie_is_ours_alone(visitor: Browser) -> None:
    visitor.open()
    visitor.clock.advance(seconds=3)
    answer = visitor.post("/chat", **visitor.hidden("/chat"), **SAM)
    assert answer.location == "/chat"
    (cookie,) = set_cookies(answer)
    assert {"Path=/chat", "HttpOnly", "SameSite=Lax", "Secure", "Max-Age=86400"} <= set(cookie.split("; "))
    visitor.open()
    addresses = re.findall(r'(?:href|action|src|data-entries|data-messages)="([^"]*)"', visitor.page.text)
    assert len(addresses) > 10 and not [address for address in addresses if visitor.id in address]
    assert visitor.page.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("cookie", ["", "forged", "theirs", "another purpose", "old"])
def test_nobody_reaches_anothers(visitor: Browser, cookie: str) -> None:
    visitor.begin()
    form, thief = visitor.hidden("/chat/messages"), visitor.beside()
    give = visitor.service.passes.give
    keys = {"": "", "forged": f"{visitor.id}.AAAAAA.sig", "theirs": give("chat", "0" * 32),
            "another purpose": give("chat form", visitor.id), "old": visitor.cookies["chat"]}  # fmt: skip
    thief.cookies = {"chat": keys[cookie]}
    if cookie == "old":
        visitor.clock.advance(days=1, seconds=1)
    assert "My bicycle" not in thief.open().text
    assert thief.ask("GET", "/chat/entries", accept="application/json").status == 404
    thief.page = Answer(200, {}, "")
    assert thief.script(**form | {"text": "Mine"}).status == 404
    answer = thief.post("/chat/messages", **form, text="My own words")
    assert answer.status == 404 and "My own words" in answer.text and "We cannot open this chat" in answer.text
    for path in ("/chat/end", "/chat/copy"):
        assert thief.get(path).location == "/chat"
        assert thief.post(path, **form).status == 404
    assert visitor.service.chats.find(visitor.chats[0].removeprefix("CHAT#")).version == 1


def test_a_form_of_another_conversation_is_refused_and_its_words_kept(visitor: Browser) -> None:
    form = visitor.begin().hidden("/chat/messages")
    other = visitor.beside().begin(text="Another")
    answer = other.post("/chat/messages", **form, text="For the first")
    assert answer.status == 422 and "open for too long" in answer.text and "For the first</textarea>" in answer.text
    other.send("/chat/end", **form)
    assert other.chat.version == 1


# It goes on


def test_sent_twice_it_is_there_once(visitor: Browser) -> None:
    form = visitor.begin().hidden("/chat/messages")
    for _ in range(2):
        assert visitor.post("/chat/messages", **form, text="It is red.").location == "/chat#newest"
    answers = [visitor.script(id="minted-by-the-page", text="And old.", seen="2") for _ in range(2)]
    assert [json.loads(answer.text)["last"] for answer in answers] == [3, 3]
    visitor.open()
    assert visitor.said == ["My bicycle has gone.", "It is red.", "And old."]


def test_looking_for_new_messages_keeps_what_is_being_written(visitor: Browser) -> None:
    form = visitor.begin().hidden("/chat/messages")
    visitor.answered()
    page = visitor.send("/chat/messages", text="I am still writ", action="check")
    assert page.status == 200 and "I am still writ</textarea>" in page.text and "What does it look like?" in page.text
    assert visitor.hidden("/chat/messages")["id"] == form["id"]
    visitor.post("/chat/messages", **form, text="I am still writ")  # it had arrived, but the answer was lost
    page = visitor.send("/chat/messages", text="I am still writ", action="check")
    assert "I am still writ</textarea>" not in page.text and visitor.said[-1] == "I am still writ"


def test_a_script_is_told_what_it_lacks(visitor: Browser) -> None:
    visitor.begin().say("It is red.")
    told = visitor.told(1)
    assert {name: told[name] for name in ("since", "last", "state", "place", "wait", "socket")} == {
        "since": 1, "last": 2, "state": "waiting", "place": 1, "wait": None, "socket": None}  # fmt: skip
    assert told["words"] == "You are next. We promise an answer by 9:03am."
    (entry,) = told["entries"]
    assert entry | {"id": ""} == {"number": 2, "at": "2026-11-23T09:00:03Z", "what": "said", "by": "visitor",
                                  "name": "Sam", "text": "It is red.", "id": ""}  # fmt: skip
    assert visitor.told(2)["entries"] == []


def test_it_knows_its_place_and_how_long_it_may_take(visitor: Browser) -> None:
    for wait in (120, 180, 240):
        other = visitor.beside().begin()
        visitor.clock.advance(seconds=wait)
        other.answered()
    visitor.beside().begin()
    told = visitor.begin().told()
    assert (told["place"], told["wait"]) == (2, 5)
    assert told["words"].startswith("You are number 2 in the queue. We think it takes about 5 minutes.")
    assert "may not keep that now" in told["words"]


def test_what_advisors_do_among_themselves_is_not_told(visitor: Browser) -> None:
    visitor.begin().answered()
    visitor.service.chats.note(ANN, visitor.id, "Private words", "n")
    visitor.service.chats.hand_over(ANN, visitor.id, Actor("officer-bob", "Bob Officer"))
    visitor.open()
    told = visitor.told()
    assert "Private words" not in visitor.page.text + str(told)
    assert [entry["what"] for entry in told["entries"]] == ["said", "taken", "said", "handed_over"]
    assert told["last"] == visitor.chat.version == 5
    assert "handed over to <b data-name>Bob Officer</b>" in visitor.page.text
    assert "Bob Officer has your chat" in visitor.words
    assert ANN.actor.id not in visitor.page.text + str(told) and "facts" not in str(told)


def test_who_is_left_without_an_answer_is_told_so(visitor: Browser) -> None:
    visitor.begin().answered().say("Are you there?")
    visitor.clock.advance(minutes=4)
    visitor.open()
    assert "Ann Officer has not answered for more than 3 minutes. We are sorry." in visitor.words


def test_a_poll_opens_the_way_to_a_socket(visitor: Browser) -> None:
    visitor.hours(ALWAYS, chat_socket=SOCKET)
    visitor.begin()
    policy = visitor.page.headers["Content-Security-Policy"]
    assert f"connect-src 'self' {SOCKET}" in policy and "script-src 'self'" in policy
    socket = visitor.told()["socket"]
    assert socket["url"] == SOCKET
    assert visitor.service.passes.read("chat socket", socket["pass"], timedelta(minutes=5)) == f"visitor:{visitor.id}"
    assert visitor.service.passes.read("chat", socket["pass"], timedelta(minutes=5)) is None
    visitor.service.chats.visitor_ends(visitor.id)
    assert visitor.told()["socket"] is None


@pytest.mark.parametrize("seen", ["", "-1", "99", "1e3", "٣", "x" * 5_000, "0001", "99999999999999999999"])
def test_whatever_a_script_says_it_has_seen(visitor: Browser, seen: str) -> None:
    visitor.begin()
    told = visitor.told(seen)
    assert told["last"] == 1 and told["since"] in (0, 1)


@pytest.mark.parametrize(("sent", "status", "why"), [
    ({"text": ""}, 422, "Enter your message"), ({"text": "x" * 2_001}, 422, "must be 2,000 characters or fewer"),
    ({"text": "\x00"}, 422, "cannot be printed"), ({"id": ""}, 400, "Reload the page"),
    ({"id": "x" * 65}, 400, "Reload the page"), ({"token": "forged"}, 422, "open for too long"),
])  # fmt: skip
def test_what_is_refused_is_refused_with_words(visitor: Browser, sent: dict[str, str], status: int, why: str) -> None:
    visitor.begin()
    answer = visitor.script(**{"id": "a", "text": "Words", **sent})
    assert answer.status == status and answer.headers["Content-Type"] == "application/problem+json"
    document = json.loads(answer.text)
    assert why in (document["errors"][0]["message"] if "errors" in document else document["detail"])
    page = visitor.say(**{"text": "My words", "id": "a", **sent})
    assert page.status == status and why in visitor.words
    assert visitor.chat.version == 1


def test_after_the_end_nothing_is_said_and_the_words_are_kept(visitor: Browser) -> None:
    form = visitor.begin().hidden("/chat/messages")
    visitor.service.chats.visitor_ends(visitor.id)
    answer = visitor.post("/chat/messages", **form, text="One more thing")
    assert answer.status == 409 and "One more thing" in answer.text and "has ended" in answer.text
    assert visitor.script(id="a", text="Words").status == 409
    assert visitor.get("/chat/end").location == "/chat#newest"


def test_nobody_types_so_fast(visitor: Browser) -> None:
    visitor.begin()
    visitor.clock.now = NOW.replace(minute=30)
    for number in range(30):
        assert visitor.script(id=f"m{number}", text="x").status == 200
    refused = visitor.script(id="m30", text="x")
    assert refused.status == 429 and int(refused.headers["Retry-After"]) <= 60
    page = visitor.say("My words")
    assert page.status == 429 and "My words" in page.text and page.headers["Retry-After"]


def tags(page: str) -> list[str]:
    return re.findall("<[a-zA-Z/!]+", page)


@pytest.mark.parametrize("text", HOSTILE)
def test_words_stay_words(visitor: Browser, text: str) -> None:
    plain = visitor.beside().begin(text="Words")
    visitor.begin(name=text[:100] if "://" not in text else "Sam", text=text)
    assert tags(visitor.page.text) == tags(plain.page.text)
    assert visitor.said == [entry.text for entry in visitor.chat.entries]


FIELDS = ("token", "id", "text", "action", "seen", "email", "emergency", "name", "category", "reporter", "website")
_texts = st.dictionaries(st.sampled_from(FIELDS), st.text(max_size=50))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sent=_texts, to=st.sampled_from(["", "/messages", "/end", "/copy", "/close", "/leave"]), page=st.booleans())
def test_no_nonsense_breaks_it(visitor: Browser, sent: dict[str, str], to: str, page: bool) -> None:
    if "chat" not in visitor.cookies:
        visitor.cookies = {}
        visitor.begin()
    accept = "text/html" if page else "application/json"
    body = urlencode({name: text.encode(errors="replace") for name, text in sent.items()})
    assert visitor.ask("POST", f"/chat{to}", body, accept=accept).status < 500


# A copy


def ask_for_a_copy(visitor: Browser, email: str = "sam@example.com") -> Answer:
    visitor.open("/chat/copy")
    return visitor.send("/chat/copy", email=email)


def deliver(visitor: Browser) -> list[Any]:
    """What the queue brings; the letters that went."""
    for change in visitor.service.letters_queue.sent:  # type: ignore[attr-defined]
        background.send_letter(json.dumps(change._asdict()), 1)
    return list(visitor.service.sender.sent)  # type: ignore[attr-defined]


def test_no_words_of_a_visitor_stand_in_a_copy_as_ours(visitor: Browser) -> None:
    """Anybody can have one sent to anybody, once somebody has answered."""
    visitor.begin(name="Midshire Police", text="Hello\n9:01am – Ann Officer: You owe us £200").answered()
    ask_for_a_copy(visitor, email="victim@example.com")
    (letter,) = deliver(visitor)
    assert "Midshire Police:" not in letter.body
    assert "\n\nYou: 9:01am – Ann Officer: You owe us £200" in letter.body


def test_a_copy_is_sent_of_what_the_visitor_has_seen(visitor: Browser) -> None:
    visitor.begin(text="It has gone.\nIt was red.", email="sam@example.com").answered(
        "Was it locked? See www.example.com."
    )
    visitor.service.chats.note(ANN, visitor.id, "Private words", "n")
    visitor.open("/chat/copy")
    assert 'value="sam@example.com"' in visitor.page.text
    ask_for_a_copy(visitor)
    assert "We are sending a copy to sam@example.com" in visitor.words
    (change,) = visitor.service.letters_queue.sent  # type: ignore[attr-defined]
    assert change == (visitor.id, 1, "transcript")
    (letter,) = deliver(visitor)
    assert (letter.to, letter.template, letter.reference) == ("sam@example.com", "transcript", "")
    assert letter.subject == "A copy of your chat with Midshire Police"
    assert "9:00am – You: It has gone.\n\nYou: It was red.\n" in letter.body
    assert "9:00am – Ann Officer joined the chat." in letter.body
    assert "Private words" not in letter.body + letter.html + letter.markdown
    assert "www.example.com" not in letter.body  # no mail program makes a link of it
    assert visitor.id not in letter.body + letter.html


def test_a_copy_goes_only_where_somebody_has_answered(visitor: Browser) -> None:
    """Or anybody could have us write anything to anybody."""
    visitor.begin()
    assert "/chat/copy" not in re.sub(r"<li id=\"copy\" hidden>.*?</li>", "", visitor.page.text)
    visitor.open("/chat/copy")
    assert "once somebody has answered you" in visitor.words
    answer = visitor.post("/chat/copy", token=visitor.service.passes.give("chat form", visitor.id), id="a",
                          email="eve@example.com")  # fmt: skip
    assert answer.status == 422 and not deliver(visitor)


def test_asked_twice_by_one_page_it_is_asked_once_and_each_address_gets_one(visitor: Browser) -> None:
    visitor.begin().answered().open("/chat/copy")
    form = visitor.hidden("/chat/copy")
    for _ in range(2):
        visitor.post("/chat/copy", **form, email="sam@example.com")
    assert visitor.chat.transcripts_to == ["sam@example.com"]
    ask_for_a_copy(visitor, "sam@example.org")
    assert {letter.to for letter in deliver(visitor)} == {"sam@example.com", "sam@example.org"}


def test_nobody_is_pestered_with_copies(visitor: Browser) -> None:
    visitor.begin().answered()
    assert ask_for_a_copy(visitor, "sam@").status == 422
    assert "Enter an email address in the correct format" in visitor.words and 'value="sam@"' in visitor.page.text
    for _ in range(5):
        assert ask_for_a_copy(visitor).status == 200
    other = visitor.beside().begin().answered()
    assert ask_for_a_copy(other, "SAM@example.com").status == 429
    assert ask_for_a_copy(visitor, "kim@example.com").status == 422 and "five copies" in visitor.words


def test_a_copy_of_what_is_erased_is_not_sent(visitor: Browser) -> None:
    visitor.begin().answered()
    ask_for_a_copy(visitor)
    visitor.table.items.clear()
    assert deliver(visitor) == []


# Closing it


def test_closed_on_this_device_it_cannot_be_opened_but_goes_on(visitor: Browser) -> None:
    visitor.begin()
    chat = visitor.id
    visitor.send("/chat/close")
    assert "chat" not in visitor.cookies and "Report a crime online" in visitor.words
    assert "My bicycle" not in visitor.open().text and "Start the chat" in visitor.words
    assert visitor.service.chats.find(chat).state == "waiting"
    assert visitor.send("/chat/close").status == 200  # twice


def test_after_the_end_another_can_be_begun(visitor: Browser) -> None:
    visitor.begin()
    visitor.service.chats.visitor_ends(visitor.id)
    visitor.open()
    visitor.page = visitor.post("/chat/close", again="1")
    assert visitor.page.location == "/chat"
    visitor.begin(text="Another thing")
    assert visitor.said == ["Another thing"] and len(visitor.chats) == 2


def test_what_we_no_longer_keep_is_no_conversation(visitor: Browser) -> None:
    visitor.begin()
    visitor.table.items.clear()
    assert visitor.open().status == 200 and "Start the chat" in visitor.words


# Opening hours


def test_while_it_is_closed_a_message_begins_a_report(visitor: Browser) -> None:
    visitor.hours(OFFICE)
    visitor.clock.now = NOW.replace(hour=23)
    visitor.open()
    assert "It opens again at 8:00am on Tuesday 24 November 2026" in visitor.words
    assert "Monday to Friday, 8:00am to 10:00pm" in visitor.words
    assert "It is not sent to us until you press ‘Send report’" in visitor.words
    answer = visitor.post("/chat/leave", **visitor.hidden("/chat/leave"), **LEFT)
    draft = visitor.service.drafts.find(answer.location.removeprefix("/drafts/"))
    assert draft and draft.category == "theft"
    assert draft.answers == {"emergency": "no", "reporter": "victim", "what_happened": "My bicycle has gone."}
    assert visitor.open(answer.location).location == f"{answer.location}/taken"
    assert "My bicycle has gone." in visitor.get(f"{answer.location}/happened").text + visitor.get(
        visitor.post(f"{answer.location}/taken", token=visitor.service.passes.give("form", draft.id),
                     **{"about.kind": "pedal_cycle"}).location).text  # fmt: skip
    assert not visitor.chats


def test_a_message_needs_its_answers_and_comes_twice_without_harm(visitor: Browser) -> None:
    visitor.hours(OFFICE)
    visitor.clock.now = NOW.replace(hour=23)
    visitor.open()
    visitor.send("/chat/leave", what_happened="Kept words")
    assert visitor.page.status == 422 and "Select what it is about" in visitor.words
    assert "Kept words</textarea>" in visitor.page.text
    form = visitor.hidden("/chat/leave")
    first, second = (visitor.post("/chat/leave", **form, **LEFT) for _ in range(2))
    assert first.status == second.status == 303 and first.location != second.location
    assert visitor.post("/chat/leave", **LEFT, token="forged").status == 422
    assert visitor.post("/chat/leave", **form, **LEFT, website="x").status == 422


def test_it_closes_while_somebody_writes_and_their_words_are_kept(visitor: Browser) -> None:
    visitor.hours(OFFICE)
    visitor.open()
    visitor.clock.now = NOW.replace(hour=22)
    visitor.send("/chat", **SAM)
    assert "It closed while you were writing" in visitor.words
    assert "My bicycle has gone.</textarea>" in visitor.page.text and not visitor.chats


@pytest.mark.parametrize("hours", [OFFICE, "closed"])
def test_a_conversation_is_not_cut_off_at_closing_time(visitor: Browser, hours: str) -> None:
    visitor.begin()
    visitor.hours(hours)
    visitor.clock.now = NOW.replace(hour=22, minute=30)
    visitor.open()
    assert "closed before anybody could answer you" in visitor.words
    assert visitor.say("Is anybody there?").status == 200
    visitor.answered().open()
    assert (
        "Ann Officer has your chat, and answers you here." in visitor.words and visitor.said[-2] == "Is anybody there?"
    )


def test_where_there_is_no_chat_it_says_what_else_there_is(visitor: Browser) -> None:
    assert "/chat" in visitor.open("/").text and "/chat" in visitor.open("/status").text
    visitor.hours("closed")
    assert "does not offer one" in visitor.open().text and "call 101 at any time" in visitor.words
    assert "/chat" not in visitor.open("/").text + visitor.open("/status").text
    assert "does not offer one" in visitor.post("/chat", **SAM).text


# What is said of the queue


BEGUN = rules.begin("0" * 32, {"name": "Sam"}, "Hello", "first", NOW)
PROMISED = "We promise an answer by 9:03am."
IN_DOUBT = "We promise an answer within 3 minutes, but may not keep that now: many people are writing."
LATE = "We promised you an answer within 3 minutes, and we are late. We are sorry. You can also call 101."
SHUT = "The chat has closed before anybody could answer you. We are sorry. What you wrote is kept."
TUESDAY = "Somebody reads it when the chat opens again, at 8:00am on Tuesday 24 November 2026."


@pytest.mark.parametrize(("place", "minutes", "later", "hours", "said"), [
    (1, None, 0, ALWAYS, f"You are next. {PROMISED}"),
    (1, 1, 0, ALWAYS, f"You are next. We think it takes about a minute. {PROMISED}"),
    (3, 2, 0, ALWAYS, f"You are number 3 in the queue. We think it takes about 2 minutes. {PROMISED}"),
    (3, 2, 2, ALWAYS, f"You are number 3 in the queue. We think it takes about 2 minutes. {IN_DOUBT}"),
    (2, 4, 9, ALWAYS, f"You are number 2 in the queue. {LATE} We think it takes about 4 minutes."),
    (2, None, 9, ALWAYS, f"You are number 2 in the queue. {LATE}"),
    (None, None, 0, ALWAYS, f"You are in the queue. Very many people are waiting. {PROMISED}"),
    (1, 4, 14 * 60, OFFICE, f"{SHUT} {TUESDAY}"),
    (1, 4, 0, "closed", SHUT),
])  # fmt: skip
def test_nothing_is_promised_that_will_not_be_kept(place: int | None, minutes: int | None, later: int, hours: str,
                                                   said: str) -> None:  # fmt: skip
    now = NOW + timedelta(minutes=later)
    assert pages.standing(BEGUN, place, minutes, read_hours(hours), now) == said


def test_what_was_said_on_another_day_has_its_day(visitor: Browser) -> None:
    assert [line.at for line in pages.lines(BEGUN, NOW + timedelta(hours=20))] == ["9:00am on Monday 23 November 2026"]
