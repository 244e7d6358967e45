"""The 24-hour rule against moto: whatever else fails, what nobody has decided is crimed in time, once."""

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from itertools import chain, count, repeat
from typing import Any

import pytest
from botocore.exceptions import ClientError

from chalicelib import report as life
from chalicelib.crime_numbers import CrimeNumbers
from chalicelib.desk import Officer
from chalicelib.errors import Refused
from chalicelib.reference import show
from chalicelib.report import LEASE, Report
from chalicelib.rule import BLOCK, ENOUGH_TIME, LAST_MOMENT, PAUSE, THREADS, Swept, TwentyFourHourRule
from chalicelib.store import Store
from chalicelib.wiring import mint
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
    crimes = [parts.now(reference).crime for reference in references]
    numbers = [int(crime.number.split("/")[1]) for crime in crimes if crime]
    assert numbers[:BLOCK] == list(range(numbers[0], numbers[0] + BLOCK)), "a block's are in the order of the deadlines"
    parts.check_numbers(references)
    assert wire.calls.count("update_item") == BLOCK + 5 + 4  # two loans, each opened and closed
    assert "scan" not in wire.calls


def test_the_most_overdue_are_first_whatever_their_shard_and_it_stops_in_time(parts: Parts) -> None:
    references = []
    for number in range(3 * BLOCK):
        references.append(parts.submit(f"token {number}").reference)
        parts.clock.advance(seconds=1)
    parts.clock.advance(hours=25)
    for block in (0, 1):
        left = chain([ENOUGH_TIME], repeat(ENOUGH_TIME - 0.1))  # enough to begin one, and it ends though others may not
        assert parts.sweep(lambda left=left: next(left)) == Swept(BLOCK, 0, unfinished=True)
        crimed = [reference for reference in references if crimed_by(parts.now(reference))]
        assert crimed == references[: (block + 1) * BLOCK]
        parts.check_numbers(references)
    assert parts.sweep(lambda: 0) == Swept(0, 0, unfinished=True)
    assert parts.numbers.register()[2026] == (2 * BLOCK, []), "nothing is on loan"
    assert parts.sweep() == Swept(BLOCK, 0, unfinished=False)
    parts.check_numbers(references)


def test_a_block_that_takes_too_long_is_left_and_its_numbers_are_explained(case: tuple[Parts, Wire]) -> None:
    parts, _ = case
    references = submitted(parts, 5)
    parts.clock.advance(hours=24)
    left = chain([ENOUGH_TIME, *[LAST_MOMENT] * 2], repeat(LAST_MOMENT - 0.1))
    assert parts.sweep(lambda: next(left)) == Swept(2, 0, unfinished=True)
    parts.check_numbers(references)
    assert parts.sweep() == Swept(3, 0, unfinished=False)
    parts.clock.advance(hours=1, seconds=1)
    parts.sweep()
    assert set(parts.numbers.taken_and_void(2026)[1]) == {3, 4, 5}
    assert parts.numbers.register()[2026] == (8, [])
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


def test_a_report_that_was_changed_and_cannot_be_read_again_holds_up_nobody(case: tuple[Parts, Wire]) -> None:
    parts, wire = case
    references = submitted(parts, 3)
    parts.clock.advance(hours=24)
    first = next(parts.store.due(parts.clock.now))

    def fail(number: int, name: str, call: Any) -> Any:
        if name == "get_item":
            wire.meddle = all_is_well
            raise ConnectionError
        return call()

    def change() -> None:
        decide(parts, first, "note")
        wire.meddle = fail

    wire.meddle = meanwhile("update_item", 2, change)
    assert parts.sweep() == Swept(2, failed=1, unfinished=False)
    parts.check_numbers(references)
    assert parts.sweep() == Swept(1, 0, False)
    parts.check_numbers(references)


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


# A table that has too much to do


def busy(name: str, times: int, after: bool = False) -> Any:
    """Turns the first calls of that kind away; with `after`, though it has done what was asked before."""
    seen: list[str] = []

    def meddle(number: int, called: str, call: Any) -> Any:
        if called != name or len(seen) == times:
            return call()
        seen.append(called)
        if after:
            call()
        raise ClientError({"Error": {"Code": "ProvisionedThroughputExceededException"}}, called)

    return meddle


@pytest.mark.parametrize("name", ["batch_get_item", "update_item"])
@pytest.mark.parametrize("after", [False, True])
def test_it_waits_for_a_busy_table_and_fails_nobody(case: tuple[Parts, Wire], name: str, after: bool) -> None:
    parts, wire = case
    references = submitted(parts, 3)
    parts.clock.advance(hours=24)
    wire.meddle = busy(name, 3, after)
    assert parts.sweep() == Swept(3, 0, False)
    assert parts.pauses == [PAUSE] * 3
    parts.check_numbers(references)
    assert len(parts.numbers.taken_and_void(2026)[1]) == 0
    assert [life.verify(parts.now(reference)) for reference in references] == [None] * 3
    assert {len(parts.now(reference).history) for reference in references} == {2}


def test_it_waits_for_a_busy_table_no_longer_than_there_is_time(case: tuple[Parts, Wire]) -> None:
    parts, wire = case
    references = submitted(parts, 3)
    parts.clock.advance(hours=24)
    wire.meddle = meanwhile("update_item", 2, lambda: setattr(wire, "meddle", busy("update_item", 1_000)))
    assert parts.sweep(lambda: 60 - 10 * len(parts.pauses)) == Swept(1, failed=1, unfinished=True)
    assert len(parts.pauses) == 6
    wire.meddle = all_is_well
    parts.check_numbers(references)
    assert parts.sweep() == Swept(2, 0, False)
    parts.check_numbers(references)


def test_what_is_refused_for_another_reason_is_not_asked_again(case: tuple[Parts, Wire]) -> None:
    """It would hold up the others."""
    parts, wire = case
    references = submitted(parts, 3)
    parts.clock.advance(hours=24)

    def refused(number: int, name: str, call: Any) -> Any:
        if name == "update_item" and wire.calls.count(name) == 2:
            raise ClientError({"Error": {"Code": "ValidationException"}}, name)
        return call()

    wire.calls.clear()
    wire.meddle = refused
    assert parts.sweep() == Swept(2, failed=1, unfinished=False)
    assert parts.pauses == []
    parts.check_numbers(references)


# Several threads


class Watched:
    """The table of one process with several threads, which take turns at every call. `watch` hears of each call, and
    what it raises is what that call does."""

    def __init__(self, table: FakeTable, watch: Callable[[int, str, Callable[[], Any]], Any]) -> None:
        self._table, self._watch, self._numbers = table, watch, count(1)

    def __getattr__(self, name: str) -> Any:
        def call(*given: Any, **named: Any) -> Any:
            time.sleep(0)
            return self._watch(next(self._numbers), name, lambda: getattr(self._table, name)(*given, **named))

        return call


def watched_sweep(parts: Parts, watch: Any) -> Swept:
    table: Any = Watched(parts.table, watch)
    store, numbers = Store(table, tuple), CrimeNumbers(table, "20", mint)
    return TwentyFourHourRule(store, numbers, parts.clock, parts.pauses.append).crime_due_reports(lambda: 60.0)


def test_blocks_are_seen_to_side_by_side(parts: Parts) -> None:
    references, both = submitted(parts, 2 * BLOCK), threading.Barrier(2)
    parts.clock.advance(hours=24)

    def meet(number: int, name: str, call: Any) -> Any:
        if name == "get_many":
            both.wait(10)
        return call()

    assert watched_sweep(parts, meet) == Swept(2 * BLOCK, 0, False)
    parts.check_numbers(references)


def test_only_some_are_held_in_memory(parts: Parts) -> None:
    submitted(parts, (THREADS + 4) * BLOCK)
    parts.clock.advance(hours=24)
    held, most = set[str](), 0

    def weigh(number: int, name: str, call: Any) -> Any:
        nonlocal most
        done = call()
        if name == "get_many":
            held.update(item["pk"] for item in done)
        elif name == "update":
            held.difference_update([pk for pk in list(held) if "crime_number" in parts.table.items[pk, "REPORT"]])
        most = max(most, len(held))
        return done

    assert watched_sweep(parts, weigh).crimed == (THREADS + 4) * BLOCK
    assert BLOCK <= most <= THREADS * BLOCK and not held


@pytest.mark.parametrize("name", ["get_many", "update"])
def test_what_ends_one_thread_is_raised_once_the_others_are_through(parts: Parts, name: str) -> None:
    references, seen = submitted(parts, 4 * BLOCK), list[str]()
    parts.clock.advance(hours=24)

    def fail_once(number: int, called: str, call: Any) -> Any:
        seen.append(called)
        if called == name and seen.count(name) == 1:
            raise ConnectionError
        return call()

    with pytest.raises(ConnectionError):
        watched_sweep(parts, fail_once)
    assert sum(parts.now(reference).is_open for reference in references) == BLOCK
    parts.check_numbers(references)
    assert parts.sweep() == Swept(BLOCK, 0, False)
    parts.check_numbers(references)


@pytest.mark.parametrize("after", [False, True])
def test_all_threads_die_at_any_moment(after: bool) -> None:
    for at in range(1, 3 * BLOCK + 16, 23):
        parts = Parts(FakeTable())
        references = submitted(parts, 3 * BLOCK)
        parts.clock.advance(hours=24)

        def die(number: int, name: str, call: Any, at: int = at) -> Any:
            done = call() if number < at or (number == at and after) else None
            if number >= at:
                raise Died
            return done

        with pytest.raises(Died):
            watched_sweep(parts, die)
        parts.check_numbers(references)
        parts.clock.advance(minutes=1)
        parts.sweep()
        parts.check_numbers(references)
        parts.clock.advance(hours=1, seconds=1)
        assert parts.sweep() == Swept(0, 0, False)
        assert [len(parts.now(reference).history) for reference in references] == [2] * len(references), at
        assert parts.numbers.abandoned(parts.clock.now + timedelta(days=1)) == []
        parts.check_numbers(references)


def test_a_lease_ends_by_itself_before_the_deadline_too(case: tuple[Parts, Wire]) -> None:
    parts, _ = case
    (reference,) = submitted(parts, 1)
    parts.desk.claim(ANN, reference, 1)
    parts.clock.advance(seconds=LEASE.total_seconds())
    assert parts.crime(reference, BOB).crime


def test_a_thousand_due_at_once_take_several_runs_and_one_bad_report_stops_none() -> None:
    parts = Parts(FakeTable())
    references = submitted(parts, 1_000)
    parts.table.items[f"REPORT#{references.pop(500)}", "REPORT"]["answers"] = b"junk"
    parts.clock.advance(hours=24)
    runs = []
    while not runs or runs[-1].unfinished:
        left = iter([60.0] * 400)  # time to begin fewer than so many
        runs.append(parts.sweep(lambda left=left: next(left, 0)))
        parts.check_numbers(references)
    assert len(runs) == 3
    assert sum(run.crimed for run in runs) == 999 and sum(run.failed for run in runs) >= 1
    parts.clock.advance(hours=1, seconds=1)
    assert parts.sweep() == Swept(0, 1, unfinished=False)
    assert parts.numbers.abandoned(parts.clock.now + timedelta(days=1)) == []
    parts.check_numbers(references)


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
