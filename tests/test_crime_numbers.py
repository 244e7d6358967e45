"""The register: one number for each crime, none twice, none unexplained."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.crime_numbers import CrimeNumbers
from tests.fakes import NOW, Died, Wire, dies, meanwhile, moto_table, repeats

LATER = NOW + timedelta(hours=2)


@pytest.fixture
def register(client: Any) -> tuple[CrimeNumbers, Wire]:
    table, wire = moto_table(client)
    minted = iter(f"loan{number}" for number in range(100))
    return CrimeNumbers(table, "20", lambda: next(minted)), wire


def test_numbers_follow_each_other_from_one(register: tuple[CrimeNumbers, Wire]) -> None:
    numbers, wire = register
    first, block = numbers.borrow(["A"], NOW), numbers.borrow(["B", "C", "D"], NOW)
    assert first.numbers == {"A": "20/1/26"}
    assert block.numbers == {"B": "20/2/26", "C": "20/3/26", "D": "20/4/26"}
    assert wire.calls == ["update_item", "update_item"]  # one request for a block, too
    assert numbers.taken_and_void(2026) == (4, {})


def test_each_year_of_london_has_its_own_sequence(register: tuple[CrimeNumbers, Wire]) -> None:
    numbers, _ = register
    times = [datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)]
    taken = [numbers.borrow(["A"], at).numbers["A"] for at in [*times, *times]]
    assert taken == ["20/1/26", "20/1/27", "20/2/26", "20/2/27"]
    assert numbers.taken_and_void(2025) == (0, {})


def test_a_request_made_twice_by_the_sdk_takes_once(register: tuple[CrimeNumbers, Wire]) -> None:
    numbers, wire = register
    wire.meddle = repeats
    loans = [numbers.borrow(["A"], NOW), numbers.borrow(["B", "C"], NOW)]
    assert [loan.numbers for loan in loans] == [{"A": "20/1/26"}, {"B": "20/2/26", "C": "20/3/26"}]
    for loan in loans:
        numbers.close(loan, {"B": "not needed"} if "B" in loan.references else {})
    assert numbers.taken_and_void(2026) == (3, {2: "not needed"})
    assert numbers.abandoned(LATER) == []


def test_a_request_made_twice_around_somebody_else_s_takes_once(register: tuple[CrimeNumbers, Wire]) -> None:
    numbers, wire = register
    other: list[Any] = []
    wire.meddle = meanwhile("update_item", 1, lambda: other.append(numbers.borrow(["B"], NOW)), repeat=True)
    mine = numbers.borrow(["A"], NOW)
    assert (mine.numbers, other[0].numbers) == ({"A": "20/1/26"}, {"B": "20/2/26"})


def test_a_closed_loan_leaves_only_what_is_void(register: tuple[CrimeNumbers, Wire]) -> None:
    numbers, _ = register
    loan = numbers.borrow(["A", "B", "C"], NOW)
    numbers.close(loan, {"B": "an officer decided first"})
    numbers.close(loan, {"B": "something else"})  # repeatable; the first reason stands
    assert numbers.taken_and_void(2026) == (3, {2: "an officer decided first"})
    assert numbers.abandoned(LATER) == []
    assert numbers.borrow(["D"], NOW).numbers == {"D": "20/4/26"}


def test_a_void_number_does_not_say_of_which_report(register: tuple[CrimeNumbers, Wire], client: Any) -> None:
    numbers, _ = register
    numbers.close(numbers.borrow(["A"], NOW), {"A": "why"})
    row = next(numbers._table.query(where="#pk = :pk", given={"pk": "CRIME_NUMBERS#2026"}))
    assert row == {"pk": "CRIME_NUMBERS#2026", "sk": "000000001", "void": "why", "at": "2026-11-23T09:00:00Z"}


def test_a_loan_is_abandoned_after_an_hour_also_over_new_year(register: tuple[CrimeNumbers, Wire]) -> None:
    numbers, _ = register
    new_year = datetime(2027, 1, 1, tzinfo=UTC)
    old, new = numbers.borrow(["A", "B"], new_year - timedelta(minutes=1)), numbers.borrow(["C"], new_year)
    assert numbers.abandoned(new_year + timedelta(minutes=59)) == []
    assert numbers.abandoned(new_year + timedelta(minutes=59, seconds=30)) == [old]
    assert sorted(loan.id for loan in numbers.abandoned(new_year + timedelta(hours=2))) == sorted([old.id, new.id])


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("call", [2, 3, 4])
def test_closing_can_be_cut_off_anywhere_and_repeated(
    register: tuple[CrimeNumbers, Wire], call: int, after: bool
) -> None:
    numbers, wire = register
    loan = numbers.borrow(["A", "B", "C"], NOW)
    wire.meddle = dies(call, after)
    with pytest.raises(Died):
        numbers.close(loan, {"A": "why", "C": "why"})
    wire.meddle = lambda number, name, request: request()
    for left in numbers.abandoned(LATER):
        numbers.close(left, {"A": "cut off", "C": "cut off"})
    taken, void = numbers.taken_and_void(2026)
    assert taken == 3 and set(void) == {1, 3} and numbers.abandoned(LATER) == []


def test_a_failure_to_close_does_not_undo_a_crime_and_is_logged_without_names(
    register: tuple[CrimeNumbers, Wire], caplog: pytest.LogCaptureFixture
) -> None:
    numbers, wire = register
    loan = numbers.borrow(["A"], NOW)
    wire.meddle = dies(2, after=False, error=ConnectionError)
    numbers.close(loan, {})
    assert numbers.abandoned(LATER) == [loan]
    assert caplog.messages == [f"loan of crime numbers {loan.id} stays open: ConnectionError"]


def test_borrowing_that_fails_is_told(register: tuple[CrimeNumbers, Wire]) -> None:
    numbers, wire = register
    wire.meddle = dies(1, after=True, error=ConnectionError)
    with pytest.raises(ConnectionError):
        numbers.borrow(["A"], NOW)
    assert [loan.references for loan in numbers.abandoned(LATER)] == [("A",)]  # and what it took is found
