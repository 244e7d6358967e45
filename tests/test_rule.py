"""The 24-hour rule against moto: whatever else fails, what nobody has decided is crimed in time, once."""

from datetime import timedelta
from typing import Any

import pytest

from chalicelib import report as life
from chalicelib.desk import Officer
from chalicelib.errors import Refused
from chalicelib.reference import show
from chalicelib.report import LEASE, Report
from chalicelib.rule import BLOCK, ENOUGH_TIME, Swept
from tests.fakes import (
    ANN,
    BOB,
    BROKEN,
    SUE,
    Died,
    FakeTable,
    Parts,
    Wire,
    all_is_well,
    break_item,
    dies,
    meanwhile,
    new_case,
    repeats,
)


def submitted(parts: Parts, count: int, **sections: Any) -> list[str]:
    return [parts.submit(f"token {number}", **sections).reference for number in range(count)]


def crimed_by(report: Report) -> str | None:
    return report.crime.by.id if report.crime else None


def test_what_nobody_touched_is_crimed_at_its_deadline_though_triage_never_ran(case: tuple[Parts, Wire]) -> None:
    parts, _ = case
    (reference,) = submitted(parts, 1, harm={"injury": "yes"})
    parts.clock.advance(hours=24)
    assert parts.sweep() == Swept(crimed=1, failed=0, unfinished=False)
    report = parts.now(reference)
    assert report.crime and report.crime.number == "20/1/26" and report.crime.offence == "44"
    assert report.entries[-1]["by"] == "24-hour rule" and report.awaits_disposal
    assert report.crime.at <= report.deadline
    assert report.priority == "urgent"  # assessed after all, so that it is found in the work list
    assert parts.sweep() == Swept(0, 0, False)
    assert life.verify(parts.now(reference)) is None


@pytest.mark.parametrize(
    ("before_deadline", "due"),
    [
        (timedelta(minutes=2, seconds=1), False),
        (timedelta(minutes=2), True),
        (timedelta(0), True),
        (timedelta(days=-9), True),
    ],
)
def test_due_is_what_will_be_past_its_deadline_before_the_next_run(
    case: tuple[Parts, Wire], before_deadline: timedelta, due: bool
) -> None:
    parts, _ = case
    (reference,) = submitted(parts, 1)
    parts.clock.now = parts.now(reference).deadline - before_deadline
    assert parts.sweep().crimed == due
    assert parts.now(reference).is_open is not due


@pytest.mark.parametrize("officer", [ANN, SUE])
def test_neither_a_claim_nor_a_call_back_nor_a_note_stops_it(case: tuple[Parts, Wire], officer: Officer) -> None:
    parts, _ = case
    (reference,) = submitted(parts, 1)
    parts.clock.advance(hours=23, minutes=55)
    parts.desk.call_back(officer, reference, 1, "no_answer", "rang")
    parts.desk.note(officer, reference, 2, "a note")
    parts.desk.claim(officer, reference, 3)
    parts.clock.advance(minutes=4)
    assert parts.sweep().crimed == 1
    report = parts.now(reference)
    assert crimed_by(report) == "24-hour rule" and report.claim is None


def test_what_is_decided_is_left_alone(case: tuple[Parts, Wire]) -> None:
    parts, _ = case
    crimed, closed = submitted(parts, 2)
    parts.crime(crimed)
    parts.desk.not_crime(ANN, closed, 1, "no_offence", "why", {})
    before = parts.now(crimed), parts.now(closed)
    parts.clock.advance(hours=48)
    assert parts.sweep() == Swept(0, 0, False)
    assert (parts.now(crimed), parts.now(closed)) == before
    assert parts.numbers.taken_and_void(2026)[0] == 1


def test_many_are_crimed_nearest_deadline_first_in_blocks_of_numbers(case: tuple[Parts, Wire]) -> None:
    parts, wire = case
    references = []
    for number in range(BLOCK + 5):
        references.append(parts.submit(f"token {number}").reference)
        parts.clock.advance(seconds=1)
    parts.clock.advance(hours=24)
    wire.calls.clear()
    assert parts.sweep() == Swept(BLOCK + 5, 0, False)
    numbers = [parts.now(reference).crime.number for reference in references]  # type: ignore[union-attr]
    assert {int(number.split("/")[1]) for number in numbers[:BLOCK]} == set(range(1, BLOCK + 1))
    parts.check_numbers(references)
    assert wire.calls.count("update_item") == BLOCK + 5 + 4  # two loans, each opened and closed
    assert "scan" not in wire.calls


def test_it_stops_in_time_and_the_next_run_goes_on(case: tuple[Parts, Wire]) -> None:
    parts, _ = case
    references = submitted(parts, 2 * BLOCK)
    parts.clock.advance(hours=25)
    left = iter([ENOUGH_TIME, ENOUGH_TIME - 0.1])
    assert parts.sweep(lambda: next(left)) == Swept(BLOCK, 0, unfinished=True)
    parts.check_numbers(references)
    assert parts.sweep(lambda: 0) == Swept(0, 0, unfinished=True)
    assert parts.sweep() == Swept(BLOCK, 0, unfinished=False)
    parts.check_numbers(references)


@pytest.mark.parametrize("page_size", [1, 3])
def test_small_pages_lose_nobody_although_the_index_shrinks_under_the_sweep(
    case: tuple[Parts, Wire], page_size: int
) -> None:
    parts, wire = case
    references = submitted(parts, BLOCK + 3)
    parts.clock.advance(hours=25)
    wire.page_size = page_size
    assert parts.sweep().crimed == BLOCK + 3
    parts.check_numbers(references)


@pytest.mark.parametrize("attribute", BROKEN)
def test_a_broken_report_is_named_and_holds_up_nobody(
    case: tuple[Parts, Wire], client: Any, attribute: str, caplog: pytest.LogCaptureFixture
) -> None:
    parts, _ = case
    references = submitted(parts, 3)
    break_item(client, parts.table._name, references[1], attribute)
    parts.clock.advance(hours=24)
    for crimed in (2, 0):  # the next run, too
        assert parts.sweep() == Swept(crimed, failed=1, unfinished=False)
    assert [crimed_by(parts.now(references[place])) for place in (0, 2)] == ["24-hour rule"] * 2
    assert parts.numbers.taken_and_void(2026) == (2, {}), "a number was taken for what cannot be crimed"
    errors = [vars(record) for record in caplog.records if record.levelname == "ERROR"]
    assert [error["reference"] for error in errors] == [show(references[1])] * 2
    assert "example.com" not in str(errors) and "Eve" not in str(errors)


def test_a_report_that_breaks_while_its_number_is_on_loan_stops_no_later_sweep(
    case: tuple[Parts, Wire], client: Any
) -> None:
    parts, _ = case
    broken, _ = submitted(parts, 2)
    parts.numbers.borrow([broken], parts.clock.now)  # and whoever did so died
    break_item(client, parts.table._name, broken, "answers")
    parts.clock.advance(hours=24)
    assert parts.sweep() == Swept(1, failed=1, unfinished=False)
    assert len(parts.numbers.abandoned(parts.clock.now)) == 1


# Races


def decide(parts: Parts, reference: str, how: str, officer: Officer = ANN) -> None:
    version = parts.now(reference).version
    {
        "crime": lambda: parts.crime(reference, officer),
        "not_crime": lambda: parts.desk.not_crime(officer, reference, version, "no_offence", "why", {}),
        "note": lambda: parts.desk.note(officer, reference, version, "a note"),
        "claim": lambda: parts.desk.claim(officer, reference, version),
        "triage": lambda: parts.casework.triage(reference),
    }[how]()


def calls_of_a_sweep(client: Any) -> list[str]:
    parts, wire = new_case(client)
    submitted(parts, 2)
    parts.clock.advance(hours=24)
    wire.calls.clear()
    parts.sweep()
    return list(wire.calls)


@pytest.mark.parametrize("how", ["crime", "not_crime", "note", "claim", "triage"])
def test_an_officer_in_between_any_two_calls_of_the_sweep(client: Any, how: str) -> None:
    for place in range(1, len(calls_of_a_sweep(client)) + 1):
        parts, wire = new_case(client)
        references = submitted(parts, 2)
        parts.clock.advance(hours=24)
        wire.calls.clear()
        seen: list[str] = []

        def meddle(number: int, name: str, call: Any, at: int = place, them: Any = (parts, references, seen)) -> Any:
            parts, references, seen = them
            if number == at and not seen:
                seen.append(name)
                with suppress_refusal():
                    decide(parts, references[1], how)
            return call()

        wire.meddle = meddle
        parts.sweep()
        wire.meddle = all_is_well
        assert seen
        reports = [parts.now(reference) for reference in references]
        assert not any(report.is_open for report in reports), (how, place)
        assert all(life.verify(report) is None for report in reports)
        parts.check_numbers(references)
        decided = [entry for entry in reports[1].entries if entry["what"] in ("crimed", "not_crimed")]
        assert len(decided) == 1, (how, place)


class suppress_refusal:
    """The officer came too late, and was told."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: object) -> bool:
        return kind is not None and issubclass(kind, Refused)


def test_the_sweep_in_between_any_two_calls_of_an_officer(client: Any) -> None:
    for place in range(1, 6):
        parts, wire = new_case(client)
        (reference,) = submitted(parts, 1)
        parts.clock.advance(hours=24)
        wire.calls.clear()
        done: list[int] = []

        def meddle(number: int, name: str, call: Any, at: int = place, them: Any = (parts, done)) -> Any:
            parts, done = them
            if number == at and not done:
                done.append(number)
                parts.sweep()
            return call()

        wire.meddle = meddle
        with suppress_refusal():
            parts.crime(reference)
        assert done or place > 4
        assert len([entry for entry in parts.now(reference).entries if entry["what"] == "crimed"]) == 1
        parts.check_numbers([reference])


def test_a_report_that_keeps_changing_is_left_to_the_next_run(case: tuple[Parts, Wire]) -> None:
    parts, wire = case
    (reference,) = submitted(parts, 1)
    parts.clock.advance(hours=24)
    busy = [False]

    def restless(number: int, name: str, call: Any) -> Any:
        if name == "update_item" and not busy[0]:
            busy[0] = True
            decide(parts, reference, "note")
            busy[0] = False
        return call()

    wire.meddle = restless
    assert parts.sweep() == Swept(0, failed=1, unfinished=False)
    wire.meddle = all_is_well
    parts.check_numbers([reference])
    assert parts.sweep() == Swept(1, 0, False)
    parts.check_numbers([reference])


def test_two_sweeps_at_once_crime_once(case: tuple[Parts, Wire]) -> None:
    parts, wire = case
    references = submitted(parts, 3)
    parts.clock.advance(hours=24)
    wire.meddle = meanwhile("update_item", 2, parts.sweep)
    parts.sweep()
    parts.check_numbers(references)
    assert [len(parts.now(reference).history) for reference in references] == [2, 2, 2]


# Lost answers and crashes


def test_writes_made_twice_by_the_sdk(case: tuple[Parts, Wire]) -> None:
    parts, wire = case
    references = submitted(parts, 3)
    parts.clock.advance(hours=24)
    wire.meddle = repeats
    assert parts.sweep() == Swept(3, 0, False)
    assert parts.numbers.taken_and_void(2026) == (3, {})
    parts.check_numbers(references)


def test_a_lost_answer_with_an_officer_at_once_after_it_voids_no_number_in_use(case: tuple[Parts, Wire]) -> None:
    parts, wire = case
    (reference,) = submitted(parts, 1)
    parts.clock.advance(hours=24)

    def dispose() -> None:
        parts.desk.dispose(ANN, reference, parts.now(reference).version, "filed", None, None)

    wire.meddle = meanwhile("update_item", 2, dispose, repeat=True)
    assert parts.sweep() == Swept(1, 0, False)
    assert parts.numbers.taken_and_void(2026) == (1, {})
    parts.check_numbers([reference])


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("error", [Died, ConnectionError])
def test_cut_off_at_any_call(client: Any, error: type[BaseException], after: bool) -> None:
    """Dead, or only without an answer: the next run sees to the rest, and an hour later every number is explained."""
    for at in range(1, len(calls_of_a_sweep(client)) + 1):
        parts, wire = new_case(client)
        references = submitted(parts, 2)
        parts.clock.advance(hours=24)
        wire.calls.clear()
        wire.meddle = dies(at, after, error)
        with dying(error):
            parts.sweep()
        wire.meddle = all_is_well
        parts.check_numbers(references)
        parts.clock.advance(minutes=1)
        parts.sweep()
        assert not any(parts.now(reference).is_open for reference in references), (at, after)
        parts.check_numbers(references)
        parts.clock.advance(hours=1, minutes=1)
        parts.sweep()
        assert parts.numbers.abandoned(parts.clock.now + timedelta(days=1)) == []
        parts.check_numbers(references)


class dying:
    """It may raise this, or have seen to it."""

    def __init__(self, error: type[BaseException]) -> None:
        self.error = error

    def __enter__(self) -> None: ...

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: object) -> bool:
        return kind is not None and issubclass(kind, self.error)


def test_a_lease_ends_by_itself_before_the_deadline_too(case: tuple[Parts, Wire]) -> None:
    parts, _ = case
    (reference,) = submitted(parts, 1)
    parts.desk.claim(ANN, reference, 1)
    parts.clock.advance(seconds=LEASE.total_seconds())
    assert parts.crime(reference, BOB).crime


def test_a_thousand_due_at_once_take_several_runs_and_one_bad_report_stops_none() -> None:
    parts = Parts(FakeTable())
    references = submitted(parts, 1_000)
    parts.table.items[f"REPORT#{references[500]}", "REPORT"]["answers"] = b"junk"
    parts.clock.advance(hours=24)
    runs = []
    while not runs or runs[-1].unfinished:
        left = iter([60.0] * 15)  # time for fifteen blocks
        runs.append(parts.sweep(lambda left=left: next(left, 0)))
    assert len(runs) == 3
    assert sum(run.crimed for run in runs) == 999 and sum(run.failed for run in runs) >= 1
    assert parts.numbers.taken_and_void(2026) == (999, {})


def test_what_nothing_has_touched_for_a_quarter_of_an_hour_is_counted(parts: Parts) -> None:
    untouched, triaged = parts.submit("one").reference, parts.submit("two").reference
    parts.clock.advance(seconds=15 * 60 - 1)
    assert parts.rule.untriaged() == 0
    parts.clock.advance(seconds=1)
    parts.casework.triage(triaged)
    assert parts.rule.untriaged() == 1
    parts.clock.advance(hours=24)
    parts.sweep()
    assert parts.now(untouched).crime and parts.rule.untriaged() == 0
