"""A conversation of the live chat becomes a report: once, and its 24 hours run from when it was first told."""

from datetime import timedelta
from typing import Any

import pytest

from chalicelib import report as life
from chalicelib.chat import VISITOR, begin, say
from chalicelib.chat_reports import ChatReports, first_message
from chalicelib.chats import Chats
from chalicelib.errors import AlreadySent, InvalidAnswers, NotAllowed, NotFound
from chalicelib.forms.chat import answers_from
from chalicelib.letters import write
from chalicelib.pages import desk, status
from chalicelib.report import Heard, verify
from chalicelib.retold import head_told_by
from tests.fakes import ANN, BOB, NOW, Died, Parts, all_is_well, answers, dies, new_case
from tests.test_chats import EVE, Told

CHAT = "c1"
HOUR = timedelta(hours=1)


class Desk:
    """A conversation that began an hour ago, taken by Ann; its second message tells of the crime, after ten minutes."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.chats = Chats(parts.table, parts.store, parts.finder, Told(), parts.clock, lambda: "minted")
        self.reports = ChatReports(parts.casework, self.chats)
        self.chats.begin(CHAT, EVE, "Hello")
        parts.clock.advance(minutes=10)
        self.chats.visitor_says(CHAT, "My bicycle is gone", "m1")
        self.chats.take(ANN, CHAT)
        parts.clock.advance(minutes=50)

    def make(self, officer: Any = ANN, number: int = 2, nth: int = 1, **said: Any) -> life.Report:
        return self.reports.make_report(officer, CHAT, number, answers("theft", **said), nth)

    def everything(self) -> list[str]:
        return [item["pk"] for item in self.parts.table.items.values() if item["sk"] == "REPORT"]


@pytest.fixture
def at_desk(parts: Parts) -> Desk:
    return Desk(parts)


# The report


def test_it_reached_us_when_it_was_told_and_its_history_says_when_it_was_made(at_desk: Desk) -> None:
    report = at_desk.make()
    told = NOW + timedelta(minutes=10)
    assert (report.received_at, report.deadline) == (told, told + timedelta(hours=24))
    assert (report.source, report.conversation) == ("live_chat", CHAT)
    (entry,) = report.entries
    assert (entry["what"], entry["at"], entry["by"]) == ("received", "2026-11-23T10:00:00Z", ANN.actor.id)
    assert (entry["source"], entry["reported_at"], entry["conversation"]) == ("live_chat", "2026-11-23T09:10:00Z", CHAT)
    assert verify(report) is None and at_desk.parts.now(report.reference) == report
    assert at_desk.chats.find(CHAT).references == [report.reference]


def test_a_report_from_the_forms_is_what_it_was(parts: Parts) -> None:
    report = parts.submit("token")
    assert report.entries[0].keys() == {"version", "at", "by", "by_name", "what", "previous"}
    assert (report.source, report.conversation) == ("online", "")
    assert not {"changed", "worklist"} & parts.table.items[f"REPORT#{report.reference}", "REPORT"].keys()


def test_it_is_told_to_nobody_before_it_was_said() -> None:
    heard = Heard(NOW + timedelta(seconds=1), CHAT, ANN.actor)
    with pytest.raises(NotAllowed):
        life.receive("7K3M9QWPR2T8", "theft", {"category": "theft"}, NOW, heard)


def test_the_head_is_told_by_the_history_whatever_happens_to_it(at_desk: Desk) -> None:
    parts, reference = at_desk.parts, at_desk.make().reference
    for _ in range(2):
        told = head_told_by(parts.now(reference).entries)
        assert (told["received_at"], told["deadline"]) == ("2026-11-23T09:10:00Z", "2026-11-24T09:10:00Z")
        parts.casework.triage(reference)
    assert parts.now(reference).status == "queued"
    assert parts.reconciliation.go_on(lambda: 60, lambda difference: pytest.fail(str(difference))).proof


def test_it_is_in_the_queue_at_once_with_its_priority_and_once(at_desk: Desk) -> None:
    report = at_desk.make(harm={"weapon": "yes"})
    (head,) = at_desk.parts.listed()
    assert (head.reference, head.priority, head.received_at) == (report.reference, "urgent", report.received_at)
    at_desk.parts.casework.triage(report.reference)
    assert [one.reference for one in at_desk.parts.listed()] == [report.reference]
    assert at_desk.parts.rule.untriaged() == 0


def test_told_more_than_a_day_ago_it_is_crimed_by_the_next_run_and_counts_as_late(at_desk: Desk) -> None:
    at_desk.parts.clock.advance(hours=30)
    report = at_desk.make()
    assert at_desk.parts.sweep().crimed == 1
    now = at_desk.parts.now(report.reference)
    assert now.crime and now.is_late(at_desk.parts.clock.now)
    (row,) = at_desk.parts.statistics("2026-11", "2026-11")
    assert (row["crimes"], row["crimed_within_24h"]) == (1, 0)


def test_a_young_one_is_not_yet_owed_a_letter_however_long_ago_it_was_told(at_desk: Desk) -> None:
    at_desk.parts.clock.advance(hours=5)
    reference = at_desk.make().reference
    proof = lambda: at_desk.parts.reconciliation.prove("2026-11-30T00:00:00Z").text  # noqa: E731
    assert "0 of 0 reports older than an hour" in proof()
    at_desk.parts.clock.advance(hours=2)
    assert "0 of 1 reports older than an hour" in proof()
    at_desk.parts.deliver_letters(reference)
    assert "1 of 1 reports older than an hour" in proof()


def test_the_ledger_counts_what_was_made_after_it_was_moved_on(at_desk: Desk) -> None:
    """Its deadline lies before that of what the ledger has seen: by the deadline alone it would be missed."""
    parts = at_desk.parts
    parts.clock.advance(hours=2)
    parts.ledger.move_on()
    at_desk.make()
    assert parts.statistics("2026-11", "2026-11")[0]["reports"] == 1
    parts.clock.advance(hours=1)
    parts.ledger.move_on()
    assert parts.statistics("2026-11", "2026-11")[0]["reports"] == 1


def test_the_acknowledgement_says_when_it_was_told(at_desk: Desk) -> None:
    report = at_desk.make()
    letter = write(report, 1, "Example Police")
    assert "9:10am on Monday 23 November 2026" in letter.body and letter.template == "acknowledgement"
    at_desk.parts.deliver_letters(report.reference)
    assert len(at_desk.parts.sender.sent) == 1


def test_officer_and_victim_read_when_it_was_told_and_when_it_was_made(at_desk: Desk) -> None:
    report = at_desk.make()
    (event,) = desk.timeline(report)
    assert event.at.startswith("10:00am") and event.details == [
        ("Told in live chat at", "9:10am on Monday 23 November 2026")
    ]
    told, made = status.timeline(report)
    assert (told.at[:6], made.at[:7]) == ("9:10am", "10:00am") and "live chat" in told.words


# Made once


def test_pressed_twice_it_is_one(at_desk: Desk) -> None:
    report = at_desk.make()
    assert at_desk.make() == report and at_desk.make(BOB) == report
    assert len(at_desk.everything()) == 1 and at_desk.chats.find(CHAT).references == [report.reference]


def test_two_advisors_make_one_and_the_second_is_told_which(at_desk: Desk) -> None:
    report = at_desk.make()
    with pytest.raises(AlreadySent) as there:
        at_desk.make(BOB, what_happened="Something else")
    assert there.value.reference == report.reference and len(at_desk.everything()) == 1


def test_a_second_crime_is_a_second_report(at_desk: Desk) -> None:
    made = [at_desk.make().reference, at_desk.make(nth=2, what_happened="My shed, too").reference]
    assert len(set(made)) == 2 and at_desk.chats.find(CHAT).references == made


@pytest.mark.parametrize("nth", [-1, 0, 2, 99])
def test_there_is_no_second_before_the_first(at_desk: Desk, nth: int) -> None:
    with pytest.raises(NotAllowed):
        at_desk.make(nth=nth)
    assert not at_desk.everything()


@pytest.mark.parametrize("number", [-1, 0, 3, 4, 99])  # 3: the advisor took it
def test_only_a_message_of_the_visitor_tells_of_a_crime(at_desk: Desk, number: int) -> None:
    with pytest.raises(InvalidAnswers) as refused:
        at_desk.make(number=number)
    assert [error.field for error in refused.value.errors] == ["number"] and not at_desk.everything()


def test_of_no_conversation_there_is_no_report(at_desk: Desk) -> None:
    with pytest.raises(NotFound):
        at_desk.reports.make_report(ANN, "c2", 1, answers(), 1)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("same", [True, False])
def test_cut_off_anywhere_there_is_one_in_the_end(client: Any, after: bool, same: bool) -> None:
    for at in range(1, 50):
        parts, wire = new_case(client)
        at_desk, begun = Desk(parts), len(wire.calls)
        wire.meddle = dies(begun + at, after)
        try:
            at_desk.make()
        except Died:
            wire.meddle = all_is_well
            _again(at_desk, same)
            continue
        assert at > 3, "it was never cut off"
        return
    pytest.fail("it does not come to its end")


def _again(at_desk: Desk, same: bool) -> None:
    """Another advisor makes the report; with other answers it is the first's, if that is there."""
    try:
        made = at_desk.make(BOB, **({} if same else {"what_happened": "Something else"})).reference
    except AlreadySent as there:
        made = there.reference
    assert at_desk.chats.find(CHAT).references == [made]
    assert at_desk.parts.now(made).conversation == CHAT


def test_what_was_made_and_not_written_down_is_found(at_desk: Desk) -> None:
    chat, parts = at_desk.chats.find(CHAT), at_desk.parts
    assert at_desk.reports.with_all_written_down(chat, ANN.actor) == chat
    report = parts.casework.submit(answers(), f"chat:{CHAT}:1", heard=Heard(NOW, CHAT, ANN.actor))
    assert at_desk.reports.with_all_written_down(chat, ANN.actor).references == [report.reference]


# What the form is filled with


def test_the_form_has_the_visitors_words_and_how_to_reach_them(at_desk: Desk) -> None:
    chat = at_desk.chats.advisor_says(ANN, CHAT, "Where was it?", "a1")
    filled = answers_from(chat, "theft")
    assert filled == {"category": "theft", "what_happened": "Hello\n\nMy bicycle is gone",
                      "contact": {"full_name": "Eve", "email": "eve@example.com"}}  # fmt: skip
    assert first_message(chat).text == "Hello"


def test_a_long_conversation_is_cut_to_what_the_form_takes() -> None:
    chat = begin(CHAT, {}, "Hello", "m0", NOW)
    for number in range(8):
        chat = say(chat, VISITOR, "a" * 2_000, f"m{number + 1}", NOW)
    assert len(answers_from(chat, "theft")["what_happened"]) == 10_000
