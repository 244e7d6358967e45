"""The load of the live chat: its proof finds what it is there to find, and a small load passes it."""

import signal
import subprocess
import sys
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from botocore.exceptions import EndpointConnectionError
from conftest import ROOT

from chalicelib import chat as rules
from chalicelib.chat import VISITOR, Conversation
from chalicelib.report import Actor
from infra.chat_load import __main__ as load
from infra.chat_load.proof import differences
from infra.chat_load.talk import Talk, Watch

ANN = Actor("ann", "Ann")
AT = datetime(2026, 11, 23, tzinfo=UTC)


def conversation() -> Conversation:
    begun = rules.take(rules.begin("c1", {"name": "Eve"}, "Gone", "first-c1", AT), ANN, AT)
    begun = rules.note(begun, ANN, "Known", "n1", AT)
    return rules.say(rules.say(begun, VISITOR, "It was red", "m1", AT), ANN, "Thank you", "a1", AT)


def sides(chat: Conversation) -> tuple[Talk, Talk]:
    """Both, who have seen all of it, and have sent what they said."""
    visitor, advisor = Talk("visitor", Watch()), Talk("advisor", Watch())
    visitor.say("m1", "It was red")
    advisor.say("a1", "Thank you")
    visitor.take(rules.told(chat, 0, for_visitor=True))
    advisor.take(rules.told(chat, 0, for_visitor=False))
    return visitor, advisor


def test_what_was_said_and_seen_as_it_is_kept_adds_up() -> None:
    chat = conversation()
    visitor, advisor = sides(chat)
    assert (visitor.confirmed, advisor.confirmed) == ({"m1": "It was red"}, {"a1": "Thank you"})
    assert not list(differences(chat, visitor, advisor))


def without(chat: Conversation, number: int) -> Conversation:
    return replace(chat, entries=tuple(entry for entry in chat.entries if entry.number != number))


def twice(chat: Conversation) -> Conversation:
    again = replace(chat.entries[3], number=6)
    return replace(chat, entries=(*chat.entries, again))


def other_words(chat: Conversation) -> Conversation:
    return replace(chat, entries=(*chat.entries[:3], replace(chat.entries[3], text="It was blue"), chat.entries[4]))


@pytest.mark.parametrize(
    ("kept", "words"),
    [
        (lambda chat: without(chat, 4), "a confirmed message of the visitor is there 0 times"),
        (lambda chat: without(chat, 5), "a confirmed message of the advisor is there 0 times"),
        (lambda chat: without(chat, 3), "numbered [1, 2, 4, 5]"),
        (twice, "a confirmed message of the visitor is there 2 times"),
        (other_words, "a confirmed message of the visitor is there 0 times"),
    ],
)
def test_what_is_lost_twice_or_changed_in_the_table_is_found(kept: object, words: str) -> None:
    chat = conversation()
    visitor, advisor = sides(chat)
    assert words in "\n".join(differences(kept(chat), visitor, advisor))  # type: ignore[operator]


def test_who_saw_another_order_or_not_all_or_was_never_confirmed_is_found() -> None:
    chat = conversation()
    for side in (0, 1):
        both = sides(chat)
        both[side].entries.reverse()
        assert ["in another order" in one for one in differences(chat, *both)] == [True]
        both = sides(chat)
        both[side].entries.pop()
        assert ["saw other entries" in one for one in differences(chat, *both)] == [True]
    visitor, advisor = sides(chat)
    visitor.say("m2", "Hello?")
    assert list(differences(chat, visitor, advisor)) == ["c1: the visitor sent 1 messages that nobody confirmed"]


def test_a_side_takes_in_what_comes_late_twice_or_in_parts_as_a_page_does() -> None:
    chat, talk = conversation(), Talk("visitor", Watch())
    late = rules.told(chat, 4, for_visitor=True)
    assert talk.take(late) is None and not talk.entries, "something before it is missing"
    for _ in range(2):
        talk.take(rules.told(chat, 0, for_visitor=True))
        talk.take(late)
    assert [entry["id"] for entry in talk.entries] == ["first-c1", "taken-2", "m1", "a1"]


def test_twenty_conversations_at_once_with_cut_lines_lose_nothing() -> None:
    load = [sys.executable, "-m", "infra.chat_load", "--conversations", "20", "--advisors", "4", "--messages", "2"]
    done = subprocess.run(load, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Nothing is lost" in done.stdout and "20 conversations, 4 advisors" in done.stdout


def test_a_service_that_dies_is_told_in_a_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def dead(*_: object) -> bool:
        raise EndpointConnectionError(endpoint_url="http://127.0.0.1:9")

    monkeypatch.setattr(sys, "argv", ["chat-load"])
    monkeypatch.setattr(load, "running", lambda *_, **__: nullcontext())
    monkeypatch.setattr(load, "_load", dead)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    assert load.main() == 1
    assert capsys.readouterr().err == "The service does not answer: nothing is proved\n"
