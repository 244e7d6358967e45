"""Triage and letters told late, twice and out of order; and every verb cut off between any two calls."""

from datetime import timedelta
from typing import Any

import pytest

from chalicelib import report as life
from chalicelib.casework import LETTER_LEASE, TryAgain
from chalicelib.forms import EXAMPLES
from chalicelib.letters import Undeliverable
from chalicelib.report import Report
from chalicelib.table import ConditionFailed
from tests.fakes import ANN, BOB, Died, Parts, Wire, all_is_well, dies, meanwhile, new_case, repeats

# Triage and letters, told late, twice, out of order


def test_triage_told_twice_or_late_changes_nothing_more(parts: Parts) -> None:
    reference = parts.submit("token").reference
    parts.casework.triage(reference)
    once = parts.now(reference)
    parts.casework.triage(reference)
    assert parts.now(reference) == once
    parts.crime(reference)
    decided = parts.now(reference)
    parts.casework.triage(reference)
    parts.casework.triage("2" * 12)
    assert parts.now(reference) == decided


def test_triage_gives_way_to_an_officer_and_then_does_its_work(case: tuple[Parts, Wire]) -> None:
    parts, wire = case
    reference = parts.submit("token").reference
    wire.meddle = meanwhile("update_item", 1, lambda: parts.desk.claim(ANN, reference, 1))
    parts.casework.triage(reference)
    report = parts.now(reference)
    assert (report.status, report.version) == ("queued", 3) and report.claim


def test_each_letter_goes_out_once_however_often_it_is_asked_for(parts: Parts) -> None:
    reference = parts.submit("token").reference
    parts.casework.triage(reference)
    parts.clock.advance(hours=24)
    parts.sweep()
    parts.desk.dispose(ANN, reference, 3, "filed", None, None)
    for version in (4, 3, 1, 2, 4, 1, 3, 3):
        parts.casework.send_letter(reference, version)
        parts.clock.advance(hours=1)
    assert [letter.template for letter in parts.sender.sent] == ["disposed", "crimed", "acknowledgement"]
    rows = parts.desk.letters(reference)
    assert [(row["version"], row["template"], row["state"]) for row in rows] == [
        (1, "acknowledgement", "sent"), (3, "crimed", "sent"), (4, "disposed", "sent")
    ]  # fmt: skip


def test_a_letter_about_nothing_is_no_letter(parts: Parts) -> None:
    parts.casework.send_letter("2" * 12, 1)
    assert parts.sender.sent == []


@pytest.mark.parametrize(
    ("contact", "state"),
    [
        ({"full_name": "Eve", "email": "eve@example.com", "safe_to_write": "no"},
         "withheld: the person said that writing is not safe"),
        ({"full_name": "Eve", "phone": "07700 900123"}, "withheld: there is no email address"),
    ],
)  # fmt: skip
def test_a_withheld_letter_is_on_record_and_never_sent(parts: Parts, contact: dict[str, str], state: str) -> None:
    reference = parts.submit("token", contact=contact).reference
    for _ in range(2):
        parts.casework.send_letter(reference, 1)
    assert parts.sender.sent == [] and [row["state"] for row in parts.desk.letters(reference)] == [state]


def test_a_refused_address_is_on_record_and_not_tried_again(parts: Parts) -> None:
    reference = parts.submit("token").reference
    parts.sender.failure = Undeliverable("MessageRejected")
    parts.casework.send_letter(reference, 1)
    parts.sender.failure = None
    parts.casework.send_letter(reference, 1)
    assert parts.sender.sent == []
    assert [row["state"] for row in parts.desk.letters(reference)] == ["failed: MessageRejected"]


def test_a_sender_that_is_down_is_tried_again_at_once(parts: Parts) -> None:
    reference = parts.submit("token").reference
    parts.sender.failure = ConnectionError()
    for _ in range(3):
        with pytest.raises(ConnectionError):
            parts.casework.send_letter(reference, 1)
    parts.sender.failure = None
    parts.casework.send_letter(reference, 1)
    assert len(parts.sender.sent) == 1


def test_while_one_sends_another_waits_and_takes_over_if_it_died(parts: Parts) -> None:
    reference = parts.submit("token").reference
    parts.sender.after = lambda: (_ for _ in ()).throw(Died())  # sent, and gone before it was recorded
    with pytest.raises(Died):
        parts.casework.send_letter(reference, 1)
    parts.sender.after = lambda: None
    parts.clock.now += LETTER_LEASE
    with pytest.raises(TryAgain):
        parts.casework.send_letter(reference, 1)
    parts.clock.advance(seconds=1)
    parts.casework.send_letter(reference, 1)
    parts.casework.send_letter(reference, 1)
    assert len(parts.sender.sent) == 2  # the one case of a letter twice


def test_one_that_was_slow_does_not_undo_what_another_recorded(parts: Parts) -> None:
    reference = parts.submit("token").reference

    def slow() -> None:
        parts.sender.after = lambda: None
        parts.clock.now += 2 * LETTER_LEASE
        parts.casework.send_letter(reference, 1)
        raise ConnectionError

    parts.sender.after = slow
    with pytest.raises(ConnectionError):
        parts.casework.send_letter(reference, 1)
    (row,) = parts.desk.letters(reference)
    assert row["state"] == "sent" and row["at"]
    parts.casework.send_letter(reference, 1)
    assert len(parts.sender.sent) == 2


# Cut off between any two calls


def the_report(parts: Parts) -> Report:
    """The report of the day; asked for again, it is the same."""
    return parts.submit("token", "burglary", suspects=EXAMPLES["burglary"]["suspects"])


def officers_day(parts: Parts) -> None:
    """A report through all of it. Each step can be repeated by whoever was cut off."""
    reference = the_report(parts).reference
    parts.casework.triage(reference)
    now = parts.now(reference)
    if now.is_open:
        parts.crime(now.reference)
    now = parts.now(reference)
    if now.crime and now.crime.disposal == "filed":
        parts.desk.dispose(ANN, now.reference, now.version, "further_investigation", None, "more to do")
    parts.deliver_letters(now.reference)


def calls_of_a_day(client: Any) -> int:
    parts, wire = new_case(client)
    officers_day(parts)
    return len(wire.calls)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("error", [Died, ConnectionError])
def test_cut_off_at_any_call_and_begun_again(client: Any, error: type[BaseException], after: bool) -> None:
    for at in range(1, calls_of_a_day(client) + 1):
        parts, wire = new_case(client)
        wire.meddle = dies(at, after, error)
        try:
            officers_day(parts)
        except (Died, ConnectionError):
            sent = len(parts.sender.sent)
        else:
            assert error is ConnectionError  # a loan that could not be closed is left to the sweep
            sent = 0
        wire.meddle = all_is_well
        parts.clock.now += LETTER_LEASE + timedelta(seconds=1)
        officers_day(parts)
        reference = the_report(parts).reference
        report = parts.now(reference)
        assert [entry["what"] for entry in report.entries] == ["received", "triaged", "crimed", "disposed"], at
        assert life.verify(report) is None
        parts.check_numbers([reference])
        templates = [letter.template for letter in parts.sender.sent]
        assert set(templates) == {"acknowledgement", "crimed", "disposed"}, (at, sent)
        assert len(templates) <= 4  # one may come twice: it was sent, and nobody lived to record it
        assert [row["state"] for row in parts.desk.letters(reference)] == ["sent"] * 3
        parts.clock.advance(hours=2)
        parts.sweep()
        assert parts.numbers.abandoned(parts.clock.now + timedelta(days=1)) == []
        parts.check_numbers([reference])


def test_a_day_of_writes_made_twice_by_the_sdk(case: tuple[Parts, Wire]) -> None:
    """Letters excepted: their second write finds the first, and the queue brings the message again."""
    parts, wire = case
    wire.meddle = repeats
    for _ in range(10):
        try:
            officers_day(parts)
        except (TryAgain, ConditionFailed):
            parts.clock.now += LETTER_LEASE + timedelta(seconds=1)
    reference = the_report(parts).reference
    assert [entry["what"] for entry in parts.now(reference).entries] == ["received", "triaged", "crimed", "disposed"]
    parts.check_numbers([reference])
    assert parts.numbers.taken_and_void(2026) == (1, {})


def test_a_lost_answer_with_somebody_at_once_after_it_voids_no_number_in_use(case: tuple[Parts, Wire]) -> None:
    parts, wire = case
    reference = parts.submit("token").reference
    wire.meddle = meanwhile("update_item", 2, lambda: parts.desk.note(BOB, reference, 2, "a note"), repeat=True)
    assert parts.crime(reference).crime
    assert parts.numbers.taken_and_void(2026) == (1, {})
    parts.check_numbers([reference])
