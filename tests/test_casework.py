"""The verbs: claims, versions, decisions, lists, the reporter's status, figures."""

from collections.abc import Callable
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from chalicelib import report as life
from chalicelib.desk import Officer
from chalicelib.errors import InvalidAnswers, NotAllowed, NotFound, Stale
from chalicelib.report import LEASE, Head
from chalicelib.wanted import Wanted
from tests.fakes import (
    ANN,
    BOB,
    SUE,
    Parts,
    Wire,
    all_is_well,
    dies,
    meanwhile,
)


def listed(parts: Parts, officer: Officer = ANN, after: str = "", limit: int = 50, **wanted: str) -> list[Any]:
    return parts.desk.queue(officer, Wanted(**wanted), after, limit).heads


def references(found: list[tuple[str, Head]]) -> list[str]:
    return [head.reference for _, head in found]


# Claims and versions


def test_while_a_claim_lives_only_its_holder_and_supervisors_change_the_report(parts: Parts) -> None:
    reference = parts.submit("token").reference
    parts.desk.claim(ANN, reference, 1)
    with pytest.raises(NotAllowed) as refused:
        parts.desk.note(BOB, reference, 2, "a note")
    assert refused.value.more == {"holder": "Ann Officer"} and "Ann Officer" in refused.value.detail
    parts.desk.note(ANN, reference, 2, "a note")
    assert parts.desk.claim(SUE, reference, 3).head.held_by(parts.clock.now) == SUE.actor
    with pytest.raises(NotAllowed):
        parts.desk.note(ANN, reference, 4, "mine")


def test_a_lease_expires_and_claiming_again_renews_it(parts: Parts) -> None:
    reference = parts.submit("token").reference
    parts.desk.claim(ANN, reference, 1)
    parts.clock.advance(minutes=20)
    parts.desk.claim(ANN, reference, 2)
    parts.clock.now += LEASE - timedelta(seconds=1)
    with pytest.raises(NotAllowed):
        parts.desk.note(BOB, reference, 3, "a note")
    parts.clock.advance(seconds=1)
    assert parts.desk.note(BOB, reference, 3, "a note").version == 4


def test_a_released_report_is_anybodys(parts: Parts) -> None:
    reference = parts.submit("token").reference
    parts.desk.claim(ANN, reference, 1)
    parts.desk.release(ANN, reference, 2)
    assert parts.desk.claim(BOB, reference, 3).claim


VERBS: dict[str, Callable[[Parts, str, int], Any]] = {
    "claim": lambda parts, ref, version: parts.desk.claim(BOB, ref, version),
    "release": lambda parts, ref, version: parts.desk.release(BOB, ref, version),
    "call_back": lambda parts, ref, version: parts.desk.call_back(BOB, ref, version, "no_answer", "rang"),
    "note": lambda parts, ref, version: parts.desk.note(BOB, ref, version, "a note"),
    "crime": lambda parts, ref, version: parts.desk.crime(BOB, ref, version, "44", "filed", None, None),
    "not_crime": lambda parts, ref, version: parts.desk.not_crime(BOB, ref, version, "no_offence", "why", {}),
    "dispose": lambda parts, ref, version: parts.desk.dispose(BOB, ref, version, "filed", None, None),
}


@pytest.mark.parametrize("verb", VERBS)
def test_a_stale_version_is_told_who_changed_what(parts: Parts, verb: str) -> None:
    reference = parts.submit("token").reference
    parts.desk.note(ANN, reference, 1, "a note")
    for version in (0, 1, 3):
        with pytest.raises(Stale) as refused:
            VERBS[verb](parts, reference, version)
        assert refused.value.more == {
            "version": 2, "changed_by": "Ann Officer", "changed_at": "2026-11-23T09:00:00Z"
        }  # fmt: skip
    assert parts.now(reference).version == 2
    assert parts.numbers.taken_and_void(2026) == (0, {})


@pytest.mark.parametrize("verb", VERBS)
def test_somebody_was_quicker_between_reading_and_writing(case: tuple[Parts, Wire], verb: str) -> None:
    parts, wire = case
    reference = parts.submit("token").reference
    if verb == "dispose":
        parts.clock.advance(hours=24)
        parts.sweep()
    if verb == "release":
        parts.desk.claim(BOB, reference, 1)
    version, writes = parts.now(reference).version, 2 if verb == "crime" else 1
    quicker = lambda: parts.desk.note(SUE, reference, version, "a note")  # noqa: E731
    wire.meddle = meanwhile("update_item", writes, quicker)
    with pytest.raises(Stale) as refused:
        VERBS[verb](parts, reference, version)
    assert refused.value.more["changed_by"] == "Sue Supervisor"
    wire.meddle = all_is_well
    parts.check_numbers([reference])
    if verb == "crime":
        assert parts.numbers.taken_and_void(2026) == (1, {1: "the report was changed by somebody else"})


@pytest.mark.parametrize("verb", VERBS)
def test_nothing_can_be_done_to_a_report_that_is_not_there(parts: Parts, verb: str) -> None:
    with pytest.raises(NotFound):
        VERBS[verb](parts, "2" * 12, 1)
    assert parts.table.items == {}


# Decisions


@pytest.mark.parametrize(
    ("offence", "disposal", "outcome", "field"),
    [("XX", "filed", None, "offence"), ("44", "filed", 0, "outcome"), ("44", "further_investigation", 18, "outcome")],
)
def test_a_decision_that_does_not_fit_takes_no_number(
    parts: Parts, offence: str, disposal: Any, outcome: int | None, field: str
) -> None:
    reference = parts.submit("token").reference
    with pytest.raises(InvalidAnswers) as refused:
        parts.desk.crime(ANN, reference, 1, offence, disposal, outcome, None)
    assert [error.field for error in refused.value.errors] == [field]
    assert parts.numbers.taken_and_void(2026) == (0, {}) and parts.now(reference).version == 1


def test_a_named_suspect_forbids_18_at_criming_and_at_disposal(parts: Parts) -> None:
    reference = parts.submit("token", suspects={"names": "Sam Sample"}).reference
    with pytest.raises(InvalidAnswers):
        parts.desk.crime(ANN, reference, 1, "44", "filed", None, None)
    parts.desk.crime(ANN, reference, 1, "44", "filed", 14, None)
    with pytest.raises(InvalidAnswers):
        parts.desk.dispose(ANN, reference, 2, "filed", 18, None)
    assert parts.desk.dispose(ANN, reference, 2, "further_investigation", None, "found him").crime.outcome == 0


def test_an_officer_crimes_with_offence_disposal_outcome_and_note(parts: Parts) -> None:
    reference = parts.submit("token").reference
    crimed = parts.desk.crime(ANN, reference, 1, "44", "filed", None, "seen the video")
    assert crimed == parts.now(reference) and crimed.crime
    assert vars(crimed.crime) == {
        "number": "20/1/26", "at": parts.clock.now, "by": ANN.actor, "offence": "44", "disposal": "filed",
        "outcome": 18, "cancelled": None,
    }  # fmt: skip
    assert [words.text for words in crimed.words] == ["seen the video"]
    with pytest.raises(NotAllowed):
        parts.crime(reference)
    assert parts.numbers.taken_and_void(2026) == (1, {})


def test_a_duplicate_names_another_report_that_is_there(parts: Parts) -> None:
    reference, other = parts.submit("one").reference, parts.submit("two").reference
    for wrong in (reference, "2" * 12, ""):
        with pytest.raises(InvalidAnswers):
            parts.desk.not_crime(ANN, reference, 1, "duplicate", "why", {"duplicate_of": wrong})
    closed = parts.desk.not_crime(ANN, reference, 1, "duplicate", "why", {"duplicate_of": other})
    assert closed.entries[-1]["duplicate_of"] == other and closed.words[-1].text == "why"


def test_call_backs_move_a_report_between_waiting_and_the_queue(parts: Parts) -> None:
    reference = parts.submit("token").reference
    results = {"requested": "awaiting_information", "no_answer": "awaiting_information", "reached": "queued",
               "left_message": "awaiting_information"}  # fmt: skip
    for version, (result, status) in enumerate(results.items(), start=1):
        called = parts.desk.call_back(ANN, reference, version, result, None)
        assert (called.status, called.call_backs) == (status, version)
    assert parts.now(reference).deadline == parts.submit("token").deadline


@pytest.mark.parametrize("text", ["x" * 4_000, "€" * 4_000, '"' * 4_000])
def test_a_full_history_still_takes_a_decision(parts: Parts, text: str) -> None:
    """The largest answers there can be, and notes until no more are taken: the item stays under DynamoDB's 400 kB."""
    random = Random(1)
    noise = "".join(chr(random.randrange(0x4E00, 0x9FFF)) for _ in range(80_000))  # Chinese does not compress
    reference = parts.submit("token", what_happened=noise).reference
    with pytest.raises(NotAllowed):
        for version in range(1, 100):
            parts.desk.note(ANN, reference, version, text)
    version = parts.now(reference).version
    with pytest.raises(NotAllowed):
        parts.desk.call_back(ANN, reference, version, "no_answer", text)
    crimed = parts.desk.crime(ANN, reference, version, "44", "filed", None, text)
    assert life.verify(crimed) is None
    with pytest.raises(NotAllowed):
        parts.desk.dispose(ANN, reference, crimed.version, "further_investigation", None, text)
    item = parts.table.items[f"REPORT#{reference}", "REPORT"]
    pieces = [piece for value in item.values() for piece in (value if isinstance(value, list) else [value])]
    assert sum(len(piece if isinstance(piece, bytes) else str(piece).encode()) for piece in pieces) < 390_000


def test_two_reports_do_not_close_each_other(parts: Parts) -> None:
    first, second = (parts.submit(token).reference for token in ("first", "second"))
    parts.desk.not_crime(ANN, first, 1, "duplicate", "the same", {"duplicate_of": second})
    with pytest.raises(InvalidAnswers) as refused:
        parts.desk.not_crime(BOB, second, 1, "duplicate", "the same", {"duplicate_of": first})
    assert refused.value.errors[0].field == "duplicate_of"
    assert parts.now(second).is_open


# Lists and taking


def test_next_is_the_most_urgent_unclaimed_and_never_the_same_twice(parts: Parts) -> None:
    standard = parts.submit("standard").reference
    parts.clock.advance(minutes=1)
    high = parts.submit("high", harm={"under_18": "yes"}).reference
    parts.clock.advance(minutes=1)
    urgent = parts.submit("urgent", harm={"injury": "yes"}).reference
    for reference in (standard, high, urgent):
        parts.casework.triage(reference)
    taken = [parts.desk.take_next(officer) for officer in (ANN, BOB, ANN)]
    assert [report.reference for report in taken if report] == [urgent, high, standard]
    assert parts.desk.take_next(BOB) is None
    parts.clock.now += LEASE
    again = parts.desk.take_next(BOB)
    assert again and again.reference == urgent and again.head.held_by(parts.clock.now) == BOB.actor


def test_what_triage_has_not_seen_comes_first_and_is_assessed_when_taken(parts: Parts) -> None:
    parts.casework.triage(parts.submit("urgent", harm={"injury": "yes"}).reference)
    fresh = parts.submit("fresh").reference
    taken = parts.desk.take_next(ANN)
    assert taken and (taken.reference, taken.status, taken.priority) == (fresh, "received", "standard")


def test_two_officers_taking_at_once_get_two_reports(case: tuple[Parts, Wire]) -> None:
    parts, wire = case
    made = {parts.submit(token).reference for token in ("one", "two")}
    taken: list[Any] = []
    wire.meddle = meanwhile("update_item", 1, lambda: taken.append(parts.desk.take_next(BOB)))
    taken.append(parts.desk.take_next(ANN))
    assert {report.reference for report in taken} == made


def test_next_passes_over_what_somebody_claimed_after_it_was_listed(case: tuple[Parts, Wire]) -> None:
    parts, wire = case
    reference = parts.submit("token").reference
    wire.meddle = meanwhile("get_item", 1, lambda: parts.desk.claim(BOB, reference, 1))
    assert parts.desk.take_next(ANN) is None
    assert parts.now(reference).head.held_by(parts.clock.now) == BOB.actor


def test_lists_by_page_and_filter(parts: Parts) -> None:
    for number in range(6):
        parts.clock.advance(minutes=1)
        report = parts.submit(f"token {number}", ("theft", "burglary")[number % 2])
        if number < 4:
            parts.casework.triage(report.reference)
    whole = listed(parts)
    assert len(whole) == 6
    pages, after = [], ""
    while page := listed(parts, after=after, limit=4):
        pages.append(references(page))
        after = page[-1][0]
    assert [len(page) for page in pages] == [4, 2] and [*pages[0], *pages[1]] == references(whole)
    assert {head.category for _, head in listed(parts, category="burglary")} == {"burglary"}
    assert len(listed(parts, category="burglary")) == len(listed(parts, status="received")) + 1 == 3
    first = listed(parts, category="burglary", limit=2)
    assert references(first) + references(listed(parts, category="burglary", after=first[-1][0])) == references(
        listed(parts, category="burglary")
    )


def test_awaiting_disposal_lists_what_was_crimed_automatically(parts: Parts) -> None:
    urgent = parts.submit("urgent", harm={"injury": "yes"}).reference
    parts.clock.advance(minutes=-1)
    standard = parts.submit("standard").reference
    parts.crime(parts.submit("decided").reference)
    parts.clock.advance(hours=25)
    parts.sweep()
    waiting = listed(parts, list="awaiting_disposal")
    assert references(waiting) == [urgent, standard] and listed(parts) == []
    parts.desk.claim(ANN, urgent, 2)
    parts.desk.dispose(ANN, urgent, 3, "further_investigation", None, None)
    assert references(listed(parts, after=waiting[0][0], list="awaiting_disposal")) == [standard]


def test_every_way_of_seeing_is_recorded(parts: Parts) -> None:
    reference = parts.submit("token").reference
    parts.desk.read(ANN, reference)
    parts.desk.take_next(BOB)
    listed(parts, SUE)
    assert [(seen["what"], seen["officer"]) for seen in parts.store.accesses(reference=reference)] in (
        [("read", "officer-ann"), ("next", "officer-bob")], [("next", "officer-bob"), ("read", "officer-ann")]
    )  # fmt: skip
    assert [seen["references"] for seen in parts.store.accesses(officer=SUE.actor.id)] == [[reference]]
    assert "Eve" not in str([parts.store.accesses(reference=reference), parts.store.accesses(officer=SUE.actor.id)])


def test_what_cannot_be_recorded_cannot_be_seen(case: tuple[Parts, Wire]) -> None:
    parts, wire = case
    reference = parts.submit("token").reference
    for see in (lambda: parts.desk.read(ANN, reference), lambda: listed(parts)):
        wire.meddle = lambda number, name, call: dies(number, False, ConnectionError)(number, name, call) if (
            name == "put_item") else call()  # fmt: skip
        with pytest.raises(ConnectionError):
            see()


# The reporter's status


@pytest.mark.parametrize(
    ("email", "phone"),
    [("eve@example.com", ""), (" EVE@Example.com ", ""), ("", "07700 900123"), ("", "+44 7700 900123"),
     ("", "00447700900123"), ("", "+44 (0)7700 900 123"), ("wrong@example.com", "07700900123")],
)  # fmt: skip
def test_the_reporter_sees_the_status_with_what_they_gave(parts: Parts, email: str, phone: str) -> None:
    report = parts.submit("token")
    assert parts.casework.status_for(report.reference, email, phone) == report


@pytest.mark.parametrize(
    ("email", "phone"),
    [("", ""), (" ", " "), ("eve@example.co", ""), ("", "07700 900124"), ("", "7700 900123"), ("07700 900123", ""),
     ("", "-"), ("ﬁ@example.com", "١٢٣")],
)  # fmt: skip
def test_a_wrong_factor_and_an_unknown_reference_are_told_the_same(parts: Parts, email: str, phone: str) -> None:
    answers = []
    for reference in (parts.submit("token").reference, "2" * 12):
        with pytest.raises(NotFound) as refused:
            parts.casework.status_for(reference, email, phone)
        answers.append((refused.value.title, refused.value.detail, refused.value.more))
    assert answers[0] == answers[1]


def test_a_report_without_email_is_not_opened_by_no_email(parts: Parts) -> None:
    report = parts.submit("token", contact={"full_name": "Eve Example", "phone": "07700 900123"})
    with pytest.raises(NotFound):
        parts.casework.status_for(report.reference, "", "")


# Figures


def test_statistics_count_each_report_and_crime_once(case: tuple[Parts, Wire]) -> None:
    parts, _ = case
    made = [parts.submit(f"token {number}").reference for number in range(5)]
    parts.casework.triage(made[1])
    parts.desk.call_back(ANN, made[1], 2, "no_answer", None)
    parts.crime(made[2])
    parts.desk.not_crime(ANN, made[3], 1, "duplicate", "why", {"duplicate_of": made[2]})
    parts.submit("token 0")
    parts.clock.advance(days=8)  # into December
    parts.crime(made[4])
    november, december = parts.statistics("2026-11", "2026-12")
    assert (november["reports"], november["crimes"], november["open"], november["call_backs"]) == (5, 1, 2, 1)
    assert november["not_crimed"]["duplicate"] == 1
    assert (december["reports"], december["crimes"], december["crimed_within_24h"]) == (0, 1, 0)
