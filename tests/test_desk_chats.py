"""Advisors of the live chat at the desk, in this process: who may do what, twice is once, and nothing typed is lost."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from door import Answer, Door

from chalicelib import wiring
from chalicelib.changes import Officer
from chalicelib.chat import PROMISE, State, told
from chalicelib.handlers import sockets as handler
from chalicelib.replies import REPLIES
from chalicelib.report import Actor
from chalicelib.sessions import IDLE
from tests.test_sockets import Line

EVE = {"name": "Eve Example", "email": "eve@example.com", "phone": "07700 900123"}
OLIVE, OSCAR, SUNIL = "Olive Officer", "Oscar Officer", "Sunil Supervisor"
JSON = "application/json"


class Advisor:
    """One officer at the desk with a browser without JavaScript. Several share a door."""

    def __init__(self, door: Door, name: str, role: str = "officer") -> None:
        self.door, self.name, self.officer = door, name, Officer(Actor(name, name), role == "supervisor")
        door.has_session(role, name=name)
        self.cookies = dict(door.cookies)

    def open(self, path: str = "/desk/chats", **headers: str) -> Answer:
        self.door.cookies = dict(self.cookies)
        return self.door.ask("GET", path, **headers)

    def press(self, page: Answer, do: str, **typed: str) -> Answer:
        """Press a button of a page, with what was typed in its boxes: `text_c1` is the box `text.c1`."""
        self.door.cookies = dict(self.cookies)
        boxes = {name.replace("_", ".", 1): text for name, text in typed.items()}
        return self.door.post("/desk/chats", **{**hidden(page), **boxes, "do": do})

    def does(self, do: str, **typed: str) -> Answer:
        """The same on a page opened for it."""
        return self.press(self.open(), do, **typed)

    def asks(self, path: str, **fields: str) -> Answer:
        """What the script of the page asks for, or sends."""
        self.door.cookies = dict(self.cookies)
        from_script = {"accept": JSON, "sec-fetch-mode": "cors"}
        if not fields:
            return self.door.ask("GET", path, **from_script)
        body = "&".join(f"{name}={value}" for name, value in {"token": self.door.token, **fields}.items())
        return self.door.ask("POST", path, body, **from_script)


def hidden(page: Answer) -> dict[str, str]:
    return {name: unescape(value) for name, value in
            re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page.text)}  # fmt: skip


def words(page: Answer) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page.text)).split())


@pytest.fixture
def door(app_module: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Door]:
    monkeypatch.setattr(wiring, "_installed", None)
    door = Door(app_module.app)
    door.service.chats.begin("c1", EVE, "My bicycle is gone")
    yield door


@pytest.fixture
def olive(door: Door) -> Advisor:
    return Advisor(door, OLIVE)


@pytest.fixture
def oscar(door: Door) -> Advisor:
    return Advisor(door, OSCAR)


@pytest.fixture
def sunil(door: Door) -> Advisor:
    return Advisor(door, SUNIL, "supervisor")


def said(door: Door, id: str = "c1") -> list[str]:
    return [entry.text for entry in door.service.chats.find(id).entries if entry.what == "said"]


def happened(door: Door, id: str = "c1") -> list[str]:
    return [entry.what for entry in door.service.chats.find(id).entries]


# Who waits


def test_the_list_is_first_come_first_served_with_words_that_worry_first(door: Door, olive: Advisor) -> None:
    door.clock.advance(minutes=1)
    door.service.chats.begin("c2", {"name": "Fay"}, "My neighbour broke my fence")
    door.service.chats.begin("c3", {"name": "Gus"}, "He is still outside with a knife")
    door.service.chats.visitor_ends("c2")
    page = olive.open()
    assert re.findall(r'value="take\.(\w+)"', page.text) == ["c3", "c1", "c2"]
    assert "knife" not in page.text and "Fay" not in page.text, "nothing about the person before it is taken"
    assert "has left" in words(page) and "still going on" in words(page)


def test_who_takes_it_from_the_list_takes_it_from_nobody(door: Door, olive: Advisor, sunil: Advisor) -> None:
    """A supervisor's list is a moment old; on the page of the conversation they mean it."""
    page = sunil.open()
    olive.does("take.c1")
    assert f"{OLIVE} has taken this conversation" in words(sunil.press(page, "take.c1"))
    assert door.service.chats.find("c1").advisor == olive.officer.actor
    sunil.press(sunil.open("/desk/chats/c1"), "take.c1")
    assert door.service.chats.find("c1").advisor == sunil.officer.actor


def test_the_promise_runs_down_and_is_red_once_over(door: Door, olive: Advisor) -> None:
    for after, shown in ((0, 'calm" '), (125, 'near" '), (181, 'late" ')):
        door.clock.now = door.service.chats.find("c1").began_at + timedelta(seconds=after)
        assert f"clock clock--{shown}" in olive.open().text
    assert "1 s late" in words(olive.open())
    door.clock.now += timedelta(minutes=30)
    assert "30 min late" in words(olive.open())


def test_how_many_were_answered_in_time_is_said(door: Door, olive: Advisor) -> None:
    assert "answered within" not in olive.open().text
    olive.does("next")
    door.service.chats.begin("c2", EVE, "Hello")
    door.clock.now += PROMISE + timedelta(seconds=1)
    olive.does("take.c2")
    assert "Taken within 3 minutes: 1 of the last 2" in words(olive.open())


# Taking


def test_what_is_taken_is_there_at_once_though_the_index_lags(door: Door, olive: Advisor, monkeypatch: Any) -> None:
    query = door.table.query
    monkeypatch.setattr(door.table, "query", lambda **asked: iter(()) if asked["given"].get("group") == "chat-held"
                        else query(**asked))  # fmt: skip
    answer = olive.does("next")
    assert (answer.status, answer.location) == (303, "/desk/chats?chat=c1&done=next#chat-c1")
    page = olive.open("/desk/chats?chat=c1&done=next")
    assert 'id="chat-c1"' in page.text and "My bicycle is gone" in page.text and "You have it now" in page.text
    assert "07700 900123" in page.text and "eve@example.com" in page.text
    assert 'id="chat-c1"' not in olive.open().text


def test_take_the_next_pressed_twice_takes_one(door: Door, olive: Advisor) -> None:
    door.service.chats.begin("c2", EVE, "Hello")
    page = olive.open()
    assert [olive.press(page, "next").location for _ in range(2)] == ["/desk/chats?chat=c1&done=next#chat-c1",
                                                                      "/desk/chats"]  # fmt: skip
    assert [door.service.chats.find(id).state for id in ("c1", "c2")] == [State.OPEN, State.WAITING]
    olive.does("next")
    assert door.service.chats.find("c2").advisor == olive.officer.actor


def test_nobody_waits(door: Door, olive: Advisor) -> None:
    olive.does("next")
    page = olive.does("next", text_c1="Half a sentence")
    assert page.status == 200 and "Nobody is waiting any more" in page.text and "Half a sentence" in page.text
    assert olive.does("look").status == 303


def test_what_a_colleague_has_taken_is_refused_by_name_and_what_was_typed_is_kept(
    door: Door, olive: Advisor, oscar: Advisor
) -> None:
    door.service.chats.begin("c2", EVE, "Hello")
    olive.does("take.c2")
    page = olive.open()
    oscar.does("take.c1")
    answer = olive.press(page, "take.c1", text_c2="For the other one")
    assert answer.status == 409 and "Oscar Officer has taken this conversation" in answer.text
    assert "<title>Error: " in answer.text and "\nFor the other one</textarea>" in answer.text
    assert door.service.chats.find("c1").advisor == oscar.officer.actor
    assert 'id="chat-c1"' not in olive.open("/desk/chats?chat=c1").text


def test_a_supervisor_takes_over_what_a_colleague_has(door: Door, olive: Advisor, sunil: Advisor) -> None:
    olive.does("next")
    before, page = olive.open(), sunil.open()
    assert "Olive Officer, since" in words(page) and "My bicycle" not in page.text
    assert "With colleagues" not in olive.open().text
    whole = sunil.open("/desk/chats/c1")
    assert "Take it over" in whole.text and "Olive Officer has it" in whole.text
    assert sunil.press(whole, "take.c1").status == 303
    answer = olive.press(before, "say.c1", text_c1="Where was it?")
    assert answer.status == 409 and "Sunil Supervisor has taken" in answer.text
    assert "Where was it?" in answer.text, "what was typed is shown though its box is gone"


# Saying


def test_what_is_said_is_there_once_however_often_it_is_sent(door: Door, olive: Advisor) -> None:
    olive.does("next")
    page = olive.open()
    for _ in range(2):
        assert olive.press(page, "say.c1", text_c1="Where was it?").location == "/desk/chats?chat=c1#chat-c1"
    assert said(door) == ["My bicycle is gone", "Where was it?"]
    olive.press(page, "say.c1", text_c1="From the same old page, other words")
    olive.does("say.c1", text_c1="Where was it?")
    assert len(said(door)) == 4


def test_an_empty_box_sends_the_reply_that_was_chosen(door: Door, olive: Advisor) -> None:
    olive.does("next")
    olive.does("say.c1", text_c1="  ", reply_c1="999")
    assert said(door)[-1] == REPLIES["999"].words
    olive.does("say.c1", text_c1="My own words", reply_c1="999")
    assert said(door)[-1] == "My own words"
    for nothing in ({}, {"reply_c1": "nonsense"}, {"text_c1": " \n "}):
        assert olive.does("say.c1", **nothing).status == 422
    assert len(said(door)) == 3


def test_what_was_typed_elsewhere_comes_back_whatever_is_pressed(door: Door, olive: Advisor) -> None:
    door.service.chats.begin("c2", {"name": "Fay"}, "Hello")
    olive.does("take.c1"), olive.does("take.c2")
    page = olive.open()
    for do in ("say.c1", "note.c1", "look", "end.c1"):
        answer = olive.press(page, do, text_c1="One <b>", note_c1="Two", text_c2="Half a sentence")
        assert answer.status == 200 and "\nHalf a sentence</textarea>" in answer.text, do
    assert "One &lt;b&gt;" in answer.text and "\nTwo</textarea>" in answer.text


def test_what_was_typed_as_the_visitor_ended_it_is_shown(door: Door, olive: Advisor) -> None:
    olive.does("next")
    page = olive.open()
    door.service.chats.visitor_ends("c1")
    answer = olive.press(page, "say.c1", text_c1="Where was it?")
    assert answer.status == 409 and "Where was it?" in answer.text and "This conversation has ended" in answer.text
    assert said(door) == ["My bicycle is gone"]


def test_a_message_that_is_too_long_is_refused_and_kept(door: Door, olive: Advisor) -> None:
    olive.does("next")
    answer = olive.does("say.c1", text_c1="x" * 2_001)
    assert answer.status == 422 and "2,000 characters or fewer" in answer.text and "x" * 2_001 in answer.text


def test_a_private_note_is_marked_and_never_told_to_the_visitor(door: Door, olive: Advisor) -> None:
    olive.does("next")
    page = olive.open()
    for _ in range(2):
        olive.press(page, "note.c1", note_c1="Sounds frightened")
    assert happened(door).count("noted") == 1
    assert "Private note, Olive Officer" in words(olive.open())
    chat = door.service.chats.find("c1")
    assert "frightened" not in json.dumps(told(chat, 0, for_visitor=True))


# Handing over, ending, concluding


def test_handing_over_sent_twice_late_takes_nothing_back(door: Door, olive: Advisor, oscar: Advisor) -> None:
    olive.does("next")
    page = olive.open()
    assert f'<option value="{OLIVE}"' not in page.text and f'<option value="{OSCAR}"' in page.text
    answer = olive.press(page, "hand-over.c1", to_c1=OSCAR)
    assert "done=hand-over" in answer.location and "It is handed over" in olive.open(answer.location.split("#")[0]).text
    assert 'id="chat-c1"' in oscar.open().text
    oscar.does("hand-over.c1", to_c1=OLIVE)
    olive.press(page, "hand-over.c1", to_c1=OSCAR)  # the first press again
    assert door.service.chats.find("c1").advisor == olive.officer.actor
    assert "handed it over to Oscar Officer" in words(olive.open())


def test_back_to_the_waiting_list(door: Door, olive: Advisor, oscar: Advisor) -> None:
    olive.does("next")
    olive.does("hand-over.c1", to_c1="-")
    assert door.service.chats.find("c1").state is State.WAITING and "take.c1" in oscar.open().text


def test_only_to_colleagues_who_answer_chats(door: Door, olive: Advisor) -> None:
    Advisor(door, "Anna Analyst", "analyst")
    olive.does("next")
    for to in ("", "Anna Analyst", "nobody", "x" * 5_000):
        answer = olive.does("hand-over.c1", to_c1=to)
        assert answer.status == 422 and "Select an officer" in answer.text
    assert "handed_over" not in happened(door)


def test_what_has_ended_stays_until_it_is_concluded(door: Door, olive: Advisor) -> None:
    olive.does("next")
    door.service.chats.visitor_ends("c1")
    door.clock.advance(hours=19)
    door.cookies = {}
    olive = Advisor(door, OLIVE)
    page = olive.open()
    assert "It has ended. Say what came of it: 5 h 00 min left" in words(page) and "clock--near" in page.text
    assert 'name="text.c1"' not in page.text
    assert olive.does("conclude.c1").status == 422
    assert olive.does("conclude.c1", how_c1="reported").status == 422, "there is no report of it"
    for _ in range(2):
        assert olive.does("conclude.c1", how_c1="left").status == 303
    assert door.service.chats.find("c1").state is State.CONCLUDED and happened(door).count("concluded") == 1
    assert 'id="chat-c1"' not in olive.open("/desk/chats?chat=c1&done=conclude").text


def test_to_end_it_and_say_later_what_came_of_it(door: Door, olive: Advisor) -> None:
    olive.does("next")
    for _ in range(2):
        olive.does("end.c1")
    assert door.service.chats.find("c1").state is State.ENDED and happened(door).count("ended") == 1
    olive.does("conclude.c1", how_c1="advice")
    assert "Advice was given" in words(olive.open("/desk/chats/c1"))


# One of them, whole


def test_the_whole_conversation_is_there_for_colleagues_too_and_every_look_is_logged(
    door: Door, olive: Advisor, oscar: Advisor, sunil: Advisor
) -> None:
    olive.does("next")
    olive.does("note.c1", note_c1="Sounds frightened")
    page = oscar.open("/desk/chats/c1")
    assert "Sounds frightened" in page.text and "Take it over" not in page.text and "Who has seen it" not in page.text
    assert oscar.press(page, "note.c1", note_c1="I know him", alone="c1").location == "/desk/chats/c1?done=note"
    assert oscar.press(page, "note.c1", note_c1=" ", alone="c1").status == 422
    assert oscar.open("/desk/chats/c1/seen").status == 403
    log = words(sunil.open("/desk/chats/c1/seen"))
    assert log.count("Oscar Officer Read it") >= 1 and "Sunil Supervisor Looked at this log" in log


@pytest.mark.parametrize("id", ["nobody", "x" * 3_000, "c1%00", "%F0%9F%98%80", "-", "lists%2F"])
def test_foreign_and_nonsense_ids(door: Door, olive: Advisor, sunil: Advisor, id: str) -> None:
    for path in (f"/desk/chats/{id}", f"/desk/chats/{id}/entries", f"/desk/chats/{id}/report?category=theft",
                 f"/desk/chats?chat={id}"):  # fmt: skip
        assert olive.open(path).status == (200 if "?chat" in path else 404), path
    assert sunil.open(f"/desk/chats/{id}/seen").status == 404
    for move in ("take", "say", "note", "end", "conclude", "hand-over", "next", "nonsense", ""):
        typed = {
            f"text.{id}": "Hello",
            f"note.{id}": "Hello",
            f"to.{id}": "-",
            f"how.{id}": "left",
            f"id.{id}": "f" * 32,
        }
        answer = olive.press(olive.open(), f"{move}.{id}", **typed)
        assert answer.status < 500, move
    assert said(door) == ["My bicycle is gone"]


def test_a_form_without_its_ids_does_nothing(door: Door, olive: Advisor) -> None:
    olive.does("next")
    before = happened(door)
    olive.door.cookies = dict(olive.cookies)
    for do in ("say.c1", "note.c1", "hand-over.c1", "next", "take.c1"):
        for extra in ({}, {"id.c1": "short", "id.": "short"}, {"id.c1": "ü" * 32, "id.": "ü" * 32}):
            fields = {"token": door.token, "do": do, "text.c1": "x", "note.c1": "x", "to.c1": "-", **extra}
            assert door.post("/desk/chats", **fields).status == 422, do
    assert happened(door) == before


# What the script of the page asks


def test_the_script_is_told_what_is_new_and_nothing_twice(door: Door, olive: Advisor) -> None:
    olive.does("next")
    news = json.loads(olive.asks("/desk/chats/c1/entries?seen=0").text)
    assert (news["since"], news["last"], news["state"], news["here"], news["socket"]) == (0, 2, "open", None, None)
    assert [entry["what"] for entry in news["entries"]] == ["said", "taken"]
    looks = lambda: len([key for key in door.table.items if key[0] == f"OFFICER#{OLIVE}"])  # noqa: E731
    before = looks()
    assert json.loads(olive.asks("/desk/chats/c1/entries?seen=2").text)["entries"] == []
    assert looks() == before, "who is shown nothing new has seen nothing"
    for seen in ("-1", "x", "99", "", "9" * 400):
        assert olive.asks(f"/desk/chats/c1/entries?seen={seen}").status == 200


def test_the_script_hears_that_a_conversation_is_not_theirs(door: Door, olive: Advisor, oscar: Advisor) -> None:
    olive.does("next")
    assert oscar.asks("/desk/chats/c1/entries").status == 404
    olive.does("hand-over.c1", to_c1=OSCAR)
    assert olive.asks("/desk/chats/c1/entries?seen=1").status == 404
    assert json.loads(oscar.asks("/desk/chats/lists").text)["mine"] == ["c1"]
    oscar.does("conclude.c1", how_c1="left")
    assert oscar.asks("/desk/chats/c1/entries").status == 404


def test_the_script_sends_a_message_once(door: Door, olive: Advisor, oscar: Advisor) -> None:
    olive.does("next")
    for _ in range(2):
        news = json.loads(olive.asks("/desk/chats/c1/messages", id="m1", text="Where was it?", seen="2").text)
        assert [entry["text"] for entry in news["entries"]] == ["Where was it?"]
    refused = oscar.asks("/desk/chats/c1/messages", id="m2", text="And I?")
    assert refused.status == 409 and "Olive Officer has taken" in json.loads(refused.text)["detail"]
    empty = olive.asks("/desk/chats/c1/messages", id="m3", text="%20")
    assert empty.status == 422 and json.loads(empty.text)["errors"]
    assert olive.asks("/desk/chats/c1/messages", id="", text="x").status == 422
    assert said(door) == ["My bicycle is gone", "Where was it?"]


def test_asking_lets_a_session_go_idle_and_sending_does_not(door: Door, olive: Advisor) -> None:
    olive.does("next")
    for number in range(3):
        door.clock.now += IDLE * 0.6
        assert olive.asks("/desk/chats/c1/messages", id=f"m{number}", text="x").status == 200
    for _ in range(2):
        door.clock.now += IDLE * 0.6
        answer = olive.asks("/desk/chats/c1/entries?seen=9")
    assert answer.status == 401 and answer.headers["Content-Type"] == "application/problem+json"


def test_a_script_with_the_token_of_another_session_is_turned_away(door: Door, olive: Advisor, oscar: Advisor) -> None:
    olive.does("next")
    oscar.open()
    foreign = door.token
    olive.open()
    assert olive.asks("/desk/chats/c1/messages", id="m1", text="x", token=foreign).status == 403
    Advisor(door, "Anna Analyst", "analyst")
    assert door.ask("GET", "/desk/chats/lists", accept=JSON).status == 403


# Sockets


def test_signing_out_ends_what_a_socket_may_do(door: Door, olive: Advisor) -> None:
    line = Line()
    door.service.sockets._line = line
    olive.does("next")
    sessions, say = door.service.sessions, {"do": "say", "chat": "c1", "text": "Hello"}
    for number, everywhere in enumerate(({}, {"everywhere": "yes"})):
        olive = Advisor(door, OLIVE)
        session = sessions.find(olive.cookies["__Host-desk"])
        assert session
        name = f"socket{number}"
        handler.message(name, json.dumps({"do": "open", "pass": handler.advisor_pass(session), "seen": 0}))
        handler.message(name, json.dumps({**say, "id": f"before{number}"}))
        assert line.last(name)["entries"][0]["text"] == "Hello"
        olive.door.cookies = dict(olive.cookies)
        door.post("/desk/sign-out", token=door.token, **everywhere)
        heard = len(line.heard[name])
        door.service.chats.visitor_says("c1", f"Are you there? {number}", f"v{number}")
        assert len(line.heard[name]) == heard, "nothing is pushed to whoever has signed out"
        handler.message(name, json.dumps({**say, "id": f"after{number}"}))
        assert "Sign in again" in line.last(name)["refused"] and name in line.hung_up
    assert said(door).count("Hello") == 2


# The page as a whole


def test_the_desk_leads_to_the_chats_where_there_is_a_chat(door: Door, olive: Advisor) -> None:
    assert 'href="/desk/chats">Chats' not in olive.open("/desk").text
    door.service.settings = replace(door.service.settings, chat_hours="Mon-Sun 00:00-24:00")
    assert 'href="/desk/chats">Chats' in olive.open("/desk").text


def test_the_page_may_open_the_socket_and_nothing_else(door: Door, olive: Advisor) -> None:
    policy = olive.open().headers["Content-Security-Policy"]
    assert "connect-src 'self';" in f"{policy};" and "script-src 'self'" in policy
    door.service.settings = replace(door.service.settings, chat_socket="wss://chat.example.com/api")
    assert "connect-src 'self' wss://chat.example.com" in olive.open().headers["Content-Security-Policy"]
    assert "may be away" not in olive.open().text
    olive.does("next")
    assert "may be away" in olive.open().text
    news = json.loads(olive.asks("/desk/chats/c1/entries?seen=0").text)
    assert news["socket"]["url"] == "wss://chat.example.com/api" and news["here"] is False


# A report made of it


FILLED = {"emergency": "no", "reporter": "victim", "about.kind": "pedal_cycle", "declaration": "yes"}


def form_of(advisor: Advisor, category: str = "theft") -> Answer:
    return advisor.open(f"/desk/chats/c1/report?category={category}")


def send(advisor: Advisor, page: Answer, category: str = "theft", **answers: str) -> Answer:
    """Send the form of a report with what it was filled with, and what the advisor adds."""
    advisor.door.cookies = dict(advisor.cookies)
    inputs = [dict(re.findall(r'(\w+)="([^"]*)"', tag)) for tag in re.findall(r"<input\s([^>]+)>", page.text)]
    typed = {one["name"]: unescape(one["value"]) for one in inputs if one["type"] == "text" and one.get("value")}
    chosen = re.findall(r'<option value="(\d+)" selected>', page.text)
    added = {name.replace("__", "."): value for name, value in answers.items()}
    fields = {**hidden(page), **typed, "number": chosen[0], **FILLED, **added}
    return advisor.door.post(f"/desk/chats/c1/report?category={category}", **fields)


def reports(door: Door) -> list[str]:
    return [pk for pk, sk in door.table.items if sk == "REPORT"]


def test_a_report_is_made_of_what_was_said_and_counts_from_when_it_was_told(door: Door, olive: Advisor) -> None:
    olive.does("next")
    door.clock.advance(minutes=20)
    door.service.chats.visitor_says("c1", "It was red", "v2")
    page = form_of(olive)
    assert "My bicycle is gone\n\nIt was red</textarea>" in page.text and 'value="eve@example.com"' in page.text
    assert re.findall(r'<option value="(\d+)"( selected)?>', page.text) == [("1", " selected"), ("3", "")]
    assert "decide by 9:00am on Tuesday 24 November 2026" in page.text
    answers = [send(olive, page, what_happened="My bicycle is gone") for _ in range(2)]
    assert {answer.status for answer in answers} == {303} and len({answer.location for answer in answers}) == 1
    assert len(reports(door)) == 1 and happened(door).count("reported") == 1
    report = olive.open(answers[0].location)
    assert "The report is made" in report.text and "Told in live chat at 9:00am" in words(report)
    assert 'href="/desk/chats/c1">the conversation' in report.text
    shown = answers[0].location.rpartition("/")[2].partition("?")[0]
    assert f"made a report of it: {shown}" in words(olive.open())
    olive.does("end.c1")
    assert door.service.chats.find("c1").state is State.CONCLUDED


def test_the_advisor_says_which_message_first_told_of_it(door: Door, olive: Advisor) -> None:
    olive.does("next")
    door.clock.advance(hours=1)
    door.service.chats.visitor_says("c1", "It was stolen", "v2")
    location = send(olive, form_of(olive), number="3").location
    assert "Told in live chat at 10:00am" in words(olive.open(location))
    for number in ("2", "99", "", "x"):  # 2 is that it was taken
        answer = send(olive, form_of(olive), number=number)
        assert answer.status == 422 and "Select the message that first told of the crime" in answer.text
        assert '<a href="#number">' in answer.text


def test_a_form_with_mistakes_comes_back_as_it_was_typed(door: Door, olive: Advisor) -> None:
    olive.does("next")
    answer = send(olive, form_of(olive), declaration="", contact__full_name="Eve <b>")
    assert answer.status == 422 and "<title>Error: " in answer.text and "Eve &lt;b&gt;" in answer.text
    danger = send(olive, form_of(olive), emergency="yes")
    assert danger.status == 422 and "999" in words(danger)
    more = send(olive, form_of(olive), action="add-item")
    assert more.status == 200 and 'name="items.1.' in more.text and not reports(door)


def test_a_second_report_is_another_and_the_same_with_other_answers_is_none(door: Door, olive: Advisor) -> None:
    olive.does("next")
    page = form_of(olive)
    send(olive, page)
    again = send(olive, page, what_happened="Something else")
    assert again.status == 409 and "has been made already" in again.text and "Something else" in again.text
    assert len(reports(door)) == 1
    assert send(olive, again, what_happened="Something else").status == 303
    assert len(reports(door)) == 2 and happened(door).count("reported") == 2


def test_foreign_categories_and_roles(door: Door, olive: Advisor) -> None:
    for query in ("", "?category=", "?category=fraud", "?category=criminal-damage"):
        assert olive.open(f"/desk/chats/c1/report{query}").status == 404
    assert form_of(olive, "criminal_damage").status == 200
    Advisor(door, "Anna Analyst", "analyst")
    assert door.get("/desk/chats/c1/report?category=theft").status == 403
