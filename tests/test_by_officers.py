"""What officers do beyond the daily moves: assess, assign, link, the second look, cancelling, criming after all."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib import by_officers, letters
from chalicelib import report as life
from chalicelib.desk import Officer
from chalicelib.errors import InvalidAnswers, NotAllowed, NotYourRole, Stale
from chalicelib.report import Actor
from chalicelib.wanted import Wanted
from tests.fakes import ANN, BOB, SUE, FakeTable, Parts

SID = Officer(Actor("supervisor-sid", "Sid Supervisor"), is_supervisor=True)


@pytest.fixture
def reference(parts: Parts) -> str:
    return parts.submit().reference


@pytest.fixture
def careful() -> Parts:
    """A force that wants a second look at reports closed for want of an offence."""
    return Parts(FakeTable(), second_look=True)


def whats(parts: Parts, reference: str) -> list[str]:
    report = parts.now(reference)
    assert life.verify(report) is None
    return [entry["what"] for entry in report.entries]


# Assessing


def test_an_assessment_is_kept_letter_by_letter_with_who_and_when(parts: Parts, reference: str) -> None:
    said = {"threat": "A knife was shown", "engagement": "Wants to be\nheard: soon", "harm": ""}
    report = parts.desk.assess(ANN, reference, 1, said, None)
    entry, text = report.entries[-1], report.words[-1].text
    assert (entry["what"], entry["by_name"], entry["at"]) == ("assessed", "Ann Officer", "2026-11-23T09:00:00Z")
    assert text == "Threat: A knife was shown\nEngagement: Wants to be heard: soon"
    assert by_officers.letters_in(text) == {"threat": "A knife was shown", "engagement": "Wants to be heard: soon"}


def test_an_assessment_raises_the_priority_and_never_lowers_it(parts: Parts, reference: str) -> None:
    raised = parts.desk.assess(ANN, reference, 1, {"threat": "x"}, "urgent")
    assert (raised.priority, raised.reasons[-1]) == ("urgent", by_officers.RAISED)
    assert [head.priority for _, head in parts.desk.queue(ANN, Wanted()).heads] == ["urgent"]
    again = parts.desk.assess(ANN, reference, 2, {"threat": "x"}, "standard")
    assert (again.priority, again.reasons) == (raised.priority, raised.reasons)


# Assigning


def test_a_supervisor_gives_a_leavers_work_to_somebody_for_a_shift(parts: Parts, reference: str) -> None:
    parts.desk.claim(ANN, reference, 1)
    given = parts.desk.assign(SUE, reference, 2, BOB.actor)
    assert given.claim and given.claim.by == BOB.actor
    assert given.claim.until == parts.clock.now + by_officers.SHIFT
    with pytest.raises(NotAllowed):
        parts.desk.note(ANN, reference, 3, "Mine?")
    kept = parts.desk.claim(BOB, reference, 3)
    assert kept.version == 3  # claiming what one was given does not shorten it
    assert parts.desk.take_next(ANN) is None
    parts.clock.advance(hours=9)
    assert parts.desk.take_next(ANN)


def test_no_assignment_stops_the_clock(parts: Parts, reference: str) -> None:
    parts.clock.advance(hours=23)
    parts.desk.assign(SUE, reference, 1, BOB.actor)
    parts.clock.advance(hours=1)
    assert parts.sweep().crimed == 1


@pytest.mark.parametrize("officer", [ANN, BOB])
def test_only_supervisors_assign_confirm_decline_and_cancel(parts: Parts, reference: str, officer: Officer) -> None:
    for act in (
        lambda: parts.desk.assign(officer, reference, 1, BOB.actor),
        lambda: parts.desk.confirm(officer, reference, 1),
        lambda: parts.desk.decline(officer, reference, 1, "why"),
        lambda: parts.desk.cancel(officer, reference, 1, "C4", "why", {}),
    ):
        with pytest.raises(NotYourRole):
            act()
    assert whats(parts, reference) == ["received"]


# Linking


def test_a_link_names_the_others_and_the_pattern(parts: Parts, reference: str) -> None:
    other = parts.submit("another").reference
    report = parts.desk.link(ANN, reference, 1, [reference, other], "One street, one night")
    assert report.entries[-1]["with"] == [other]
    assert report.words[-1].text == "One street, one night"


# The second look


def proposed(parts: Parts) -> str:
    reference = parts.submit().reference
    parts.desk.claim(ANN, reference, 1)
    parts.desk.not_crime(ANN, reference, 2, "no_offence", "The bicycle was lent.", {})
    return reference


def test_a_reason_that_needs_a_second_look_is_proposed_and_waits(careful: Parts) -> None:
    reference = proposed(careful)
    report = careful.now(reference)
    assert report.is_open and report.proposal == 3 and not report.claim
    assert careful.table.get(f"REPORT#{reference}", "REPORT")["worklist"] == "second_look"
    assert letters.asked_for(report, 3) is None  # nobody is told of what is not decided
    with pytest.raises(NotAllowed):
        careful.desk.not_crime(BOB, reference, 3, "no_offence", "Me too.", {})


def test_another_reason_needs_none(careful: Parts) -> None:
    reference = careful.submit().reference
    assert not careful.desk.not_crime(ANN, reference, 1, "contrary_evidence", "Seen on video.", {}).is_open


def test_a_supervisor_confirms_with_the_rationale_of_who_proposed_it(careful: Parts) -> None:
    reference = proposed(careful)
    closed = careful.desk.confirm(SUE, reference, 3)
    entry = closed.entries[-1]
    assert (closed.status, closed.not_crimed_reason, closed.proposal) == ("not_crimed", "no_offence", None)
    assert (entry["by"], entry["proposed_by"]) == (SUE.actor.id, ANN.actor.id)
    assert closed.words[-1].text == "The bicycle was lent."
    assert letters.asked_for(closed, 4) == "not_crimed"
    assert life.verify(closed) is None


def test_nobody_looks_twice_at_their_own(careful: Parts) -> None:
    reference = careful.submit().reference
    careful.desk.not_crime(SUE, reference, 1, "no_offence", "It was lent.", {})
    with pytest.raises(NotAllowed) as refused:
        careful.desk.confirm(SUE, reference, 2)
    assert "yourself" in refused.value.detail
    assert not careful.desk.confirm(SID, reference, 2).is_open


def test_what_is_declined_is_everybodys_again(careful: Parts) -> None:
    reference = proposed(careful)
    report = careful.desk.decline(SUE, reference, 3, "Ask who lent it.")
    assert (report.proposal, report.is_open) == (None, True)
    taken = careful.desk.take_next(BOB)
    assert taken and taken.reference == reference
    with pytest.raises(NotAllowed):
        careful.desk.confirm(SUE, reference, taken.version)


def test_no_proposal_stops_the_clock(careful: Parts) -> None:
    reference = proposed(careful)
    careful.clock.advance(hours=24)
    assert careful.sweep().crimed == 1
    report = careful.now(reference)
    assert (report.status, report.proposal, report.awaits_disposal) == ("crimed", None, True)


def test_a_look_at_another_version_is_refused(careful: Parts) -> None:
    reference = proposed(careful)
    careful.casework.add(reference, "id", "I found the person who took it.")
    with pytest.raises(Stale):
        careful.desk.confirm(SUE, reference, 3)


# Cancelling, and criming after all


def test_a_crime_is_cancelled_by_somebody_else_and_keeps_its_number(parts: Parts, reference: str) -> None:
    crimed = parts.crime(reference)
    assert crimed.crime
    cancelled = parts.desk.cancel(SUE, reference, 2, "C2", "Found in the garage.", {})
    assert (cancelled.status, cancelled.is_open) == ("not_crimed", False)
    assert cancelled.crime == replace(crimed.crime, cancelled="C2")
    assert parts.now(reference) == cancelled
    assert cancelled.entries[-1]["crime_number"] == crimed.crime.number
    parts.check_numbers([reference])
    parts.deliver_letters(reference)
    assert [letter.template for letter in parts.sender.sent][-1] == "cancelled"
    assert crimed.crime.number in parts.sender.sent[-1].subject


def test_nobody_cancels_their_own(parts: Parts, reference: str) -> None:
    parts.crime(reference, SUE)
    with pytest.raises(NotAllowed):
        parts.desk.cancel(SUE, reference, 2, "C4", "A slip.", {})
    assert parts.desk.cancel(SID, reference, 2, "C4", "A slip.", {}).crime


def test_a_crime_of_the_rule_is_cancelled_and_waits_for_no_disposal(parts: Parts, reference: str) -> None:
    parts.clock.advance(hours=24)
    parts.sweep()
    cancelled = parts.desk.cancel(SUE, reference, 2, "C4", "A slip.", {})
    assert not cancelled.awaits_disposal
    assert parts.desk.queue(SUE, Wanted("awaiting_disposal")).heads == []


def test_a_cancelled_crime_is_no_crime_again_and_takes_no_number(parts: Parts, reference: str) -> None:
    parts.crime(reference)
    parts.desk.cancel(SUE, reference, 2, "C4", "A slip.", {})
    with pytest.raises(NotAllowed):
        parts.desk.crime(ANN, reference, 3, "44", "filed", None, None)
    assert parts.numbers.taken_and_void(2026) == (1, {})


def test_a_duplicate_names_an_original(parts: Parts, reference: str) -> None:
    parts.crime(reference)
    with pytest.raises(InvalidAnswers):
        parts.desk.cancel(SUE, reference, 2, "C3", "Twice.", {"duplicate_of": reference})


def test_two_crimes_do_not_cancel_each_other_as_duplicates(parts: Parts, reference: str) -> None:
    other = parts.submit("other").reference
    for one in (reference, other):
        parts.crime(one)
    parts.desk.cancel(SUE, reference, 2, "C3", "Twice.", {"duplicate_of": other})
    with pytest.raises(InvalidAnswers):
        parts.desk.cancel(SUE, other, 2, "C3", "Twice.", {"duplicate_of": reference})
    open_one = parts.submit("open").reference
    with pytest.raises(InvalidAnswers):
        parts.desk.not_crime(ANN, open_one, 1, "duplicate", "Twice.", {"duplicate_of": reference})


def test_a_crime_is_a_duplicate_of_a_crime_only(parts: Parts, reference: str) -> None:
    parts.crime(reference)
    with pytest.raises(InvalidAnswers):
        parts.desk.cancel(SUE, reference, 2, "C3", "Twice.", {"duplicate_of": parts.submit("open").reference})


def test_a_proposal_is_not_confirmed_once_its_original_is_a_duplicate_of_it() -> None:
    parts = Parts(FakeTable(), second_look=True)
    parts.desk._second_look = {"duplicate"}
    one, other = parts.submit("one").reference, parts.submit("other").reference
    parts.desk.not_crime(ANN, one, 1, "duplicate", "Twice.", {"duplicate_of": other})
    parts.desk.not_crime(ANN, other, 1, "duplicate", "Twice.", {"duplicate_of": one})
    parts.desk.confirm(SUE, one, 2)
    with pytest.raises(NotAllowed):
        parts.desk.confirm(SUE, other, 2)
    assert parts.now(other).is_open


def test_proposing_again_and_again_leaves_room_for_the_rule(careful: Parts) -> None:
    reference = careful.submit().reference
    long = "😀" * 4_000
    with pytest.raises(NotAllowed):
        for version in range(1, 100, 2):
            careful.desk.not_crime(ANN, reference, version, "no_offence", long, {})
            careful.desk.decline(SUE, reference, version + 1, long)
    careful.clock.advance(hours=24)
    careful.sweep()
    assert careful.now(reference).status == "crimed"


def test_a_report_that_was_closed_becomes_a_crime_after_all(parts: Parts, reference: str) -> None:
    parts.desk.not_crime(ANN, reference, 1, "no_offence", "It was lent.", {})
    parts.clock.advance(hours=30)
    crimed = parts.crime(reference, BOB)
    assert (crimed.status, crimed.not_crimed_reason) == ("crimed", None)
    assert crimed.decided_at == parts.clock.now - timedelta(hours=30)  # the promise was kept then
    assert whats(parts, reference) == ["received", "not_crimed", "crimed"]
    parts.check_numbers([reference])
    (month,) = parts.statistics("2026-11", "2026-11")
    assert (month["crimes"], month["not_crimed"]["no_offence"]) == (1, 0)
