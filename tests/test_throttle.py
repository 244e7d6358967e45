"""How often somebody may try: counted before the try, for one subject and window, without a word of who it was."""

import threading
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.errors import TooManyTries
from chalicelib.table import Table
from chalicelib.throttle import Limit, Throttle
from infra.local.stack import create_table
from tests.fakes import Clock, FakeTable, new_case

LIMIT = Limit("tries of the tests", 3, timedelta(minutes=15))


def throttle(table: Any, clock: Clock | None = None) -> Throttle:
    return Throttle(table, lambda: (b"a secret of the tests",), clock or Clock())


@pytest.mark.parametrize("place", ["memory", "moto"])
def test_so_many_tries_and_no_more(place: str, client: Any) -> None:
    table = FakeTable() if place == "memory" else new_case(client)[0].table
    counted = throttle(table)
    for _ in range(3):
        counted.count(LIMIT, "R")
    with pytest.raises(TooManyTries) as refused:
        counted.count(LIMIT, "R")
    assert (refused.value.status, refused.value.headers) == (429, {"Retry-After": "900"})
    assert "15 minutes" in refused.value.detail
    counted.count(LIMIT, "S")
    counted.count(Limit("another thing", 3, LIMIT.window), "R")


def test_a_good_try_does_not_count() -> None:
    counted = throttle(FakeTable())
    for _ in range(20):
        counted.count(LIMIT, "R")
        counted.give_back(LIMIT, "R")


def test_when_the_window_is_over_it_begins_anew() -> None:
    clock, table = Clock(), FakeTable()
    counted = throttle(table, clock)
    for _ in range(3):
        counted.count(LIMIT, "R")
    clock.advance(minutes=15)
    counted.give_back(LIMIT, "R")  # of a try that began in the window before: nothing to give back
    counted.count(LIMIT, "R")
    assert sorted(item["count"] for item in table.items.values()) == [1, 3]


def test_the_table_has_neither_reference_nor_address_and_may_forget() -> None:
    clock, table = Clock(), FakeTable()
    throttle(table, clock).count(LIMIT, "192.0.2.1")
    ((pk, sk),) = table.items
    assert (pk.partition("#")[0], sk) == ("THROTTLE", "COUNT")
    assert "192.0.2.1" not in str(table.items)
    (item,) = table.items.values()
    assert 0 < item["expires"] - clock.now.timestamp() <= 15 * 60


def test_many_at_once_are_all_counted(dynamodb_local: str) -> None:
    import boto3

    create_table(dynamodb_local, "throttle")
    made = boto3.client("dynamodb", endpoint_url=dynamodb_local, region_name="eu-west-2",
                        aws_access_key_id="local", aws_secret_access_key="local")  # fmt: skip
    counted, through = throttle(Table(made, "throttle")), []

    def guess() -> None:
        for _ in range(5):
            try:
                counted.count(LIMIT, "R")
                through.append(1)
            except TooManyTries:
                pass

    threads = [threading.Thread(target=guess) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(through) == 3
