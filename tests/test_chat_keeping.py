"""Conversations are kept as long as the force says, or as their reports are; then nothing of them is left."""

import json
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib import retention
from chalicelib.chat_keeping import ChatKeeping
from chalicelib.chat_reports import ChatReports
from chalicelib.chats import Chats
from chalicelib.clues import Clue, of_chat
from chalicelib.errors import NotAllowed, NotFound, NotYourRole
from chalicelib.report import Heard
from chalicelib.times import day_of, london
from tests.fakes import ANN, NOW, SUE, Died, Parts, all_is_well, answers, dies, meanwhile, new_case, repeats
from tests.test_chats import Told

MARK = "Zephyrine"
EVE = {"name": MARK, "email": f"{MARK}@example.com", "phone": "07700 900123"}
MONTHS = 6
GONE_ON = timedelta(days=182)  # from 23 November to 23 May is 181 days


class Force:
    """The conversation c1 was concluded; c2 is still going on."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        table: Any = parts.table
        parts_of = (parts.store, parts.finder, Told(), parts.clock, lambda: "minted")
        self.chats = Chats(table, *parts_of)
        self.reports = ChatReports(parts.casework, self.chats)
        self.forgotten: list[str] = []
        self.keeping = ChatKeeping(table, *parts_of, self.reports, self.forgotten.append, MONTHS)
        for id in ("c1", "c2"):
            self.chats.begin(id, EVE, f"{MARK} lost a bicycle")
            self.chats.take(ANN, id)
            self.chats.note(ANN, id, f"{MARK} seems calm", "n1")
            self.chats.advisor_says(ANN, id, f"Good morning {MARK}", "a1")
        self.chats.want_transcript("c1", f"{MARK}@example.org", "t1")

    def conclude(self, how: str = "advice") -> None:
        self.chats.conclude(ANN, "c1", how)

    def report(self) -> str:
        return self.reports.make_report(ANN, "c1", 1, answers("theft"), 1).reference

    def house(self, after: timedelta = timedelta()) -> tuple[int, int]:
        """What the housekeeping does that long later."""
        self.parts.clock.now += after
        return self.keeping.finish(lambda: 60.0)

    def item(self) -> dict[str, Any]:
        return dict(self.parts.table.get("CHAT#c1", "CHAT") or {})

    def is_there(self) -> bool:
        try:
            return bool(self.chats.find("c1"))
        except NotFound:
            return False

    def look_ups(self) -> int:
        clues = [Clue("email", EVE["email"].lower()), Clue("email", f"{MARK}@example.org".lower())]
        found = self.parts.finder.find(self.parts.finder.digests([of_chat(clue)] for clue in clues), 50)
        return found.references.count("c1")


@pytest.fixture
def force(parts: Parts) -> Force:
    return Force(parts)


def test_nothing_leads_to_what_is_gone(force: Force) -> None:
    """Not by an address to which a copy went before another, nor as it was begun twice."""
    force.parts.clock.advance(seconds=5)
    force.chats.begin("c1", {"name": "Fay", "email": "fay@example.net"}, "From a page that the browser kept")
    force.chats.want_transcript("c1", "other@example.net", "t2")
    assert force.chats.find("c1").transcripts_to == [f"{MARK}@example.org", "other@example.net"]
    force.conclude()
    for _ in range(3):
        force.house(GONE_ON)
    assert not force.is_there()
    assert not [key for key in force.parts.table.items if key[0].startswith("FIND#") and key[1].endswith("#c1")]


def test_one_without_a_report_goes_after_its_period_and_nothing_said_is_left(force: Force) -> None:
    force.conclude()
    assert force.look_ups() == 1
    assert force.house(timedelta(days=180)) == (0, 0) and force.is_there()
    assert force.house(timedelta(days=2)) == (2, 0) and not force.is_there()  # erased, and cleaned
    assert MARK not in str(force.item()) and force.look_ups() == 0 and force.forgotten == ["c1"]
    assert (force.item()["because"], force.item()["erased_by"]) == ("period", "housekeeping")
    assert force.house(timedelta(hours=3)) == (1, 0) and force.house(timedelta(hours=1)) == (0, 0)
    assert not {"due", "look_ups"} & force.item().keys()
    assert force.chats.find("c2").state == "open"


def test_one_that_goes_on_does_not_go(force: Force) -> None:
    assert force.house(timedelta(days=900)) == (0, 0) and force.is_there()


@given(st.dates(date(2026, 1, 1), date(2032, 12, 31)), st.integers(1, 40), st.integers(-1, 1))
def test_a_month_is_one_of_the_calendar_and_the_list_agrees_with_it(day: date, months: int, more: int) -> None:
    at = datetime(day.year, day.month, day.day, 12, tzinfo=london())
    goes = retention.goes_on(at, months)
    assert goes.day == day.day or (goes.day == 1 and day.day > 28)
    now = goes + timedelta(days=more)
    assert (at < retention.gone_before(now, months)) == (goes <= now)
    assert day_of(at) == day


def test_one_with_a_report_is_kept_as_long_as_that_and_goes_with_it(force: Force) -> None:
    reference = force.report()
    force.conclude("reported")
    for _ in range(3):
        force.house(GONE_ON)
        assert force.is_there()
    assert force.house() == (0, 0)  # and is not looked at again every hour
    _erase(force, reference)
    force.keeping.report_erased("c1")
    assert not force.is_there() and force.item()["because"] == "reports"
    assert force.house() == (1, 0) and force.look_ups() == 0


def test_it_goes_with_the_last_of_its_reports(force: Force) -> None:
    first = force.report()
    second = force.reports.make_report(ANN, "c1", 1, answers("theft", what_happened="More"), 2).reference
    force.conclude("reported")
    _erase(force, first)
    force.keeping.report_erased("c1")
    assert force.is_there()
    _erase(force, second)
    force.keeping.report_erased("c1")
    assert not force.is_there()


def test_one_that_was_going_on_when_its_report_was_erased_goes_after_its_period(force: Force) -> None:
    _erase(force, force.report())
    force.keeping.report_erased("c1")
    assert force.is_there()
    force.conclude("reported")
    force.house(GONE_ON)
    assert not force.is_there()


def test_a_report_that_was_made_and_not_written_down_keeps_it(force: Force) -> None:
    force.conclude()
    reference = force.parts.casework.submit(answers(), "chat:c1:1", heard=Heard(NOW, "c1", ANN.actor)).reference
    force.house(GONE_ON)
    assert force.chats.find("c1").references == [reference]


def test_a_report_under_legal_hold_keeps_it(force: Force) -> None:
    reference = force.report()
    force.conclude("reported")
    force.parts.desk.not_crime(ANN, reference, 1, "no_offence", "why", {})
    force.parts.desk.hold(SUE, reference, 2, "A court asked")
    with pytest.raises(NotAllowed):
        force.keeping.erase(SUE, "c1", "Request 7")
    force.house(GONE_ON)
    assert force.is_there()


def test_under_legal_hold_it_stays_and_afterwards_it_goes(force: Force) -> None:
    force.conclude()
    force.keeping.hold(SUE, "c1", "A court asked")
    assert [one.id for one in force.keeping.held_by_law(SUE)] == ["c1"] and not force.keeping.going_soon(SUE)
    force.house(GONE_ON)
    assert force.is_there()
    for refused in (force.keeping.hold, force.keeping.erase):
        with pytest.raises(NotAllowed):
            refused(SUE, "c1", "why")
    force.keeping.lift(SUE, "c1", "The court is done")
    with pytest.raises(NotAllowed):
        force.keeping.lift(SUE, "c1", "again")
    force.house()
    assert not force.is_there() and not force.keeping.held_by_law(SUE)


def test_a_supervisor_sees_what_goes_within_a_month(force: Force) -> None:
    force.conclude()
    assert force.keeping.going_soon(SUE) == []
    force.parts.clock.advance(days=160)
    (one,) = force.keeping.going_soon(SUE)
    assert (one.id, one.how, one.goes_on) == ("c1", "advice", date(2027, 5, 23))
    assert any(item["what"] == "list" and item.get("chats") == ["c1"] for item in force.parts.table.items.values()
               if item["pk"] == f"OFFICER#{SUE.actor.id}")  # fmt: skip


def test_what_was_made_into_a_report_is_not_among_what_goes(force: Force) -> None:
    force.report()
    force.conclude("reported")
    force.parts.clock.advance(days=160)
    assert force.keeping.going_soon(SUE) == []


def test_it_is_erased_at_once_if_the_person_asks(force: Force) -> None:
    with pytest.raises(NotAllowed):  # it is going on
        force.keeping.erase(SUE, "c1", "Request 7")
    force.conclude()
    force.keeping.erase(SUE, "c1", "Request 7")
    assert not force.is_there() and MARK not in str(force.item())
    assert (force.item()["because"], force.item()["why"], force.item()["erased_by"]) == (
        "request", "Request 7", SUE.actor.id)  # fmt: skip
    with pytest.raises(NotFound):
        force.keeping.erase(SUE, "c1", "Request 7")
    with pytest.raises(NotFound):  # what the visitor's browser sends once more does not bring it back
        force.chats.begin("c1", EVE, "Hello")


@pytest.mark.parametrize("verb", ["going_soon", "held_by_law"])
def test_lists_are_for_supervisors(force: Force, verb: str) -> None:
    with pytest.raises(NotYourRole):
        getattr(force.keeping, verb)(ANN)


@pytest.mark.parametrize("verb", ["hold", "lift", "erase"])
def test_keeping_is_for_supervisors(force: Force, verb: str) -> None:
    force.conclude()
    with pytest.raises(NotYourRole):
        getattr(force.keeping, verb)(ANN, "c1", "why")


def test_a_hold_that_comes_first_stops_the_erasure(client: Any) -> None:
    parts, wire = new_case(client)
    force = Force(parts)
    force.conclude()
    parts.clock.now += GONE_ON
    wire.meddle = meanwhile("update_item", 1, lambda: force.keeping.hold(SUE, "c1", "A court asked"))
    force.house()
    assert force.chats.find("c1").is_held_by_law


def test_the_sdk_may_send_each_write_twice(client: Any) -> None:
    parts, wire = new_case(client)
    force = Force(parts)
    force.conclude()
    wire.meddle = repeats
    force.keeping.erase(SUE, "c1", "Request 7")
    assert force.house(timedelta(hours=3)) == (1, 0) and not force.is_there()


@pytest.mark.parametrize("after", [False, True])
def test_cut_off_anywhere_the_next_run_does_the_rest(client: Any, after: bool) -> None:
    for at in range(1, 60):
        parts, wire = new_case(client)
        force = Force(parts)
        force.conclude()
        parts.clock.now += GONE_ON
        wire.meddle = dies(len(wire.calls) + at, after)
        try:
            force.house()
            died = False
        except Died:
            died = True
        wire.meddle = all_is_well
        force.house(timedelta(hours=3))
        force.house(timedelta(hours=3))
        assert not force.is_there() and force.look_ups() == 0 and "due" not in force.item()
        if not died:
            assert at > 5, "it was never cut off"
            return
    pytest.fail("it does not come to its end")


def test_one_that_cannot_be_erased_holds_up_no_other_and_is_named_by_nothing(
    force: Force, caplog: pytest.LogCaptureFixture
) -> None:
    force.conclude()
    force.chats.conclude(ANN, "c2", "advice")
    force.parts.table.items["CHAT#c1", "CHAT"]["entries"] = [json.dumps({"text": MARK})]
    assert force.house(GONE_ON) == (2, 1)
    assert MARK not in caplog.text and "cannot be erased" in caplog.text
    with pytest.raises(NotFound):
        force.chats.find("c2")


def _erase(force: Force, reference: str) -> None:
    desk = force.parts.desk
    if force.parts.now(reference).is_open:
        desk.not_crime(ANN, reference, force.parts.now(reference).version, "no_offence", "why", {})
    desk.erase(SUE, reference, force.parts.now(reference).version, "request", "Request 7")
