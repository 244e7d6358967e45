"""How long conversations are kept, at the supervisors' desk; and conversations in the file for whoever asks for it."""

from collections.abc import Iterator
from typing import Any

import pytest
from door import Door
from test_retention_pages import Files, words

from chalicelib import wiring
from chalicelib.desk import Officer
from chalicelib.report import Actor
from tests.fakes import answers

OLIVE = Officer(Actor("olive", "Olive Officer"), is_supervisor=False)
SAM = {"name": "Sam Carter", "email": "sam@example.com", "phone": "07700 900456"}


@pytest.fixture
def door(app_module: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Door]:
    monkeypatch.setattr(wiring, "_installed", None)
    door = Door(app_module.app)
    door.service.evidence = Files(door)  # type: ignore[misc, assignment]
    yield door


@pytest.fixture
def token(door: Door) -> str:
    return door.has_session("supervisor", name="sara")


def conversation(door: Door, id: str = "c1", how: str = "advice", visitor: Any = SAM) -> str:
    chats = door.service.chats
    chats.begin(id, visitor, "My bicycle is gone")
    chats.take(OLIVE, id)
    chats.advisor_says(OLIVE, id, "Where was it locked?", "a1")
    chats.note(OLIVE, id, "Seems calm", "n1")
    if how == "reported":
        door.service.chat_reports.make_report(OLIVE, id, 1, answers(), 1)
    chats.conclude(OLIVE, id, how)
    return id


def test_what_goes_soon_is_listed_and_held_and_let_go(door: Door, token: str) -> None:
    conversation(door)
    assert "None." in words(door.get("/desk/retention/chats"))
    door.clock.advance(days=160)
    token = door.has_session("supervisor", name="sara")
    listed = door.get("/desk/retention/chats")
    assert "Advice was given" in words(listed) and "/desk/chats/c1/keeping" in listed.text
    assert "Sam" not in listed.text
    page = door.get("/desk/chats/c1/keeping")
    assert "It is erased on" in words(page) and "Lift" not in words(page)
    held = door.post("/desk/chats/c1/keeping", token=token, what="hold", why="A court asked")
    assert (held.status, held.location) == (303, "/desk/chats/c1/keeping")
    page = words(door.get("/desk/chats/c1/keeping"))
    assert "because the law requires it" in page and "Erase" not in page
    assert "Not before the hold is lifted" in words(door.get("/desk/retention/chats"))
    refused = door.post("/desk/chats/c1/keeping", token=token, what="erase", why="Request 7")
    assert refused.status == 409 and "It is under legal hold." in words(refused) and "Request 7" in refused.text
    assert door.post("/desk/chats/c1/keeping", token=token, what="lift", why="It is done").status == 303
    assert door.post("/desk/chats/c1/keeping", token=token, what="erase", why="Request 7").status == 303
    assert door.get("/desk/chats/c1").status == 404 and door.get("/desk/chats/c1/keeping").status == 404
    assert "lifted the legal hold" not in words(door.get("/desk/retention/chats"))


@pytest.mark.parametrize("why", ["", "   ", "x" * 2_001])
def test_a_reason_is_asked_for(door: Door, token: str, why: str) -> None:
    conversation(door)
    answer = door.post("/desk/chats/c1/keeping", token=token, what="erase", why=why)
    assert answer.status == 422 and "Say why" in words(answer) and door.service.chats.find("c1")


@pytest.mark.parametrize("what", ["", "take", "__init__", "finish"])
def test_nothing_else_can_be_asked_for(door: Door, token: str, what: str) -> None:
    conversation(door)
    assert door.post("/desk/chats/c1/keeping", token=token, what=what, why="why").status == 200
    assert door.service.chats.find("c1").version == 6


@pytest.mark.parametrize("path", ["/desk/retention/chats", "/desk/chats/c1/keeping"])
def test_it_is_for_supervisors(door: Door, path: str) -> None:
    conversation(door)
    door.has_session("officer", name="olive")
    assert door.get(path).status == 403


def test_one_with_a_report_says_that_it_goes_with_that(door: Door, token: str) -> None:
    conversation(door, how="reported")
    page = words(door.get("/desk/chats/c1/keeping"))
    assert "as long as the report that was made of it" in page and "Erase" not in page
    assert door.post("/desk/chats/c1/keeping", token=token, what="erase", why="why").status == 409


# Who asks for their data


def test_the_file_has_what_was_written_by_both_and_no_officers_name(door: Door, token: str) -> None:
    conversation(door)
    conversation(door, "c2", visitor={"name": "Kofi Other", "email": "other@example.com"})
    for typed in ("sam@example.com", "+44 7700 900456"):
        found = door.post("/desk/export", token=token, text=typed)
        assert found.status == 200 and 'value="chat:c1"' in found.text and "Kofi" not in found.text
    door.service.chats.read(OLIVE, "c1")
    answer = door.post("/desk/export/file", token=token, chosen="chat:c1", listed="chat:c1")
    told = words(answer)
    for text in ("Sam Carter", "sam@example.com", "My bicycle is gone", "Where was it locked?", "noted: Seems calm",
                 "The police", "took the conversation", "Read by the police", "Made into a file such as this one",
                 "It is erased on"):  # fmt: skip
        assert text in told, text
    assert "Olive" not in told and "sara" not in told.lower()
    assert {look["what"] for look in door.service.store.accesses(chat="c1")} == {"read", "export"}


def test_a_report_brings_its_conversation(door: Door, token: str) -> None:
    conversation(door, how="reported", visitor={"name": "Sam Carter"})
    reference = door.service.chats.find("c1").references[0]
    found = door.post("/desk/export", token=token, text=reference)
    assert found.status == 200 and 'value="chat:c1"' in found.text


def test_what_is_not_there_any_more_is_not_handed_over(door: Door, token: str) -> None:
    conversation(door)
    for chosen in ("chat:c9", "chat:" + "c" * 999):
        answer = door.post("/desk/export/file", token=token, chosen=chosen, listed="chat:c1")
        assert answer.status == 422 and "not all there any more" in words(answer) and 'value="chat:c1"' in answer.text


# Who looked at it


def test_every_look_is_at_the_officers_log(door: Door, token: str) -> None:
    conversation(door)
    door.has_session("officer", name="olive")
    door.get("/desk/chats/c1")
    door.has_session("supervisor", name="sara")
    log = door.get("/desk/officers/olive")
    assert "Read it" in words(log) and 'href="/desk/chats/c1"' in log.text
    assert "Read it" in words(door.get("/desk/chats/c1/seen"))
