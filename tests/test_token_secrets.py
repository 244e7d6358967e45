"""The secrets behind references: made once, kept, and changed without a report taken for another, or twice."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from chalicelib.report import Report
from chalicelib.store import Store
from chalicelib.table import ConditionFailed, Table
from chalicelib.token_secrets import KEPT, NOTICE, TokenSecrets
from tests.fakes import NOW, Clock, FakeTable, Parts, all_is_well, answers, meanwhile, moto_table


@pytest.fixture
def clock() -> Clock:
    return Clock()


def process(table: Any, clock: Clock, names: str) -> TokenSecrets:
    """The secrets as one process sees them; it mints `names` with numbers, so that one can tell who made what."""
    minted = iter(f"{names}{number}" for number in range(100))
    return TokenSecrets(table, clock, lambda: next(minted))


def fails(error: Exception) -> Callable[[int, str, Callable[[], Any]], Any]:
    """For `Wire.meddle`: no call gets through."""

    def meddle(number: int, name: str, call: Callable[[], Any]) -> Any:
        raise error

    return meddle


def submit(table: Any, secrets: TokenSecrets, token: str = "token") -> Report:
    parts = Parts(table)
    parts.casework._store = Store(table, secrets)
    return parts.casework.submit(answers(), token)


def test_the_first_process_makes_the_secret_and_all_have_it(clock: Clock) -> None:
    table = FakeTable()
    one, two = process(table, clock, "one"), process(table, clock, "two")
    assert one() == two() == (b"one0",)


def test_two_first_processes_at_once_agree(client: Any, clock: Clock) -> None:
    table, wire = moto_table(client)
    rival = process(Table(client, table._name), clock, "rival")
    wire.meddle = meanwhile("put_item", 1, rival)
    assert process(table, clock, "late")() == rival() == (b"rival0",)


def test_a_process_whose_clock_is_behind_uses_it_all_the_same(clock: Clock) -> None:
    table = FakeTable()
    process(table, clock, "one")()
    assert process(table, Clock(NOW - timedelta(seconds=5)), "two")() == (b"one0",)


def test_what_was_read_is_kept_for_a_while_and_for_as_long_as_the_table_refuses(client: Any, clock: Clock) -> None:
    table, wire = moto_table(client)
    secrets = process(table, clock, "one")
    known = secrets()
    wire.calls.clear()
    clock.now += KEPT
    assert secrets() == known and not wire.calls
    wire.meddle = fails(ClientError({"Error": {"Code": "ThrottlingException"}}, "GetItem"))
    clock.advance(seconds=1)
    assert secrets() == known and wire.calls == ["get_item"]


def test_nobody_waits_twice_for_a_table_that_says_nothing(client: Any, clock: Clock) -> None:
    table, wire = moto_table(client)
    secrets = process(table, clock, "one")
    known = secrets()
    wire.meddle = fails(ReadTimeoutError(endpoint_url="https://example.com"))
    clock.now += KEPT + timedelta(seconds=1)
    with pytest.raises(ReadTimeoutError):
        secrets()
    wire.meddle = all_is_well
    assert secrets() == known


def test_a_first_process_that_cannot_read_says_so(client: Any, clock: Clock) -> None:
    table, wire = moto_table(client)
    wire.meddle = lambda number, name, call: 1 / 0
    with pytest.raises(ZeroDivisionError):
        process(table, clock, "one")()


def test_a_new_secret_is_known_everywhere_before_it_is_in_force(clock: Clock) -> None:
    table = FakeTable()
    other, own = process(table, clock, "other"), process(table, clock, "own")
    assert other() == own()
    since = own.rotate()
    assert since == NOW + NOTICE and NOTICE > KEPT
    clock.now += KEPT + timedelta(seconds=1)
    assert other() == (b"other0", b"own0")
    clock.now = since
    assert other() == (b"own0", b"other0")


def test_a_second_new_secret_waits_for_the_first(clock: Clock) -> None:
    secrets = process(FakeTable(), clock, "one")
    secrets.rotate()
    with pytest.raises(ConditionFailed):
        secrets.rotate()
    clock.now += NOTICE
    secrets.rotate()
    clock.now += NOTICE
    assert secrets() == (b"one3", b"one0", b"one1")


@pytest.mark.parametrize("minutes", [0, 5, 11, 14, 15, 16, 60 * 24 * 400])
def test_a_report_sent_again_while_the_secret_changes_is_one_report(clock: Clock, minutes: int) -> None:
    """Whichever of two processes it comes to first, and whatever each has read by then."""
    for first, second in ((0, 1), (1, 0)):
        table, moved = FakeTable(), Clock()
        processes = [process(table, moved, name) for name in ("one", "two")]
        for secrets in processes:
            secrets()
        processes[0].rotate()
        moved.advance(minutes=minutes)
        sent = submit(table, processes[first])
        moved.advance(minutes=30)
        assert submit(table, processes[second]).reference == sent.reference
        assert len([key for key in table.items if key[1] == "REPORT"]) == 1


def test_a_new_secret_gives_other_references(clock: Clock) -> None:
    table = FakeTable()
    secrets = process(table, clock, "one")
    before = submit(table, secrets)
    other = FakeTable()
    changed = process(other, clock, "one")
    changed.rotate()
    clock.now += NOTICE
    assert submit(other, changed).reference != before.reference
