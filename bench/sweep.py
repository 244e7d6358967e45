"""The sweep of the 24-hour rule: what it takes of DynamoDB however many reports are open, and how quick it is beside
the store itself, which is given the same conditional updates by as many threads and a bare client.

`python -m bench.sweep` prints it. Rates are of DynamoDB Local on this machine; only their ratio means anything.
"""

import gc
import logging
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import islice
from statistics import median
from typing import Any, NamedTuple

from bench.capacity import Meter, Spent
from chalicelib import report as life
from chalicelib import telemetry, wiring
from chalicelib.crime_numbers import CrimeNumbers
from chalicelib.forms import EXAMPLES
from chalicelib.reference import derive, token_digest
from chalicelib.report import Report
from chalicelib.report_items import head_values, new_item, written
from chalicelib.rule import THREADS, Swept, TwentyFourHourRule
from chalicelib.store import Store
from chalicelib.table import Table, marshal
from chalicelib.wire import Wire
from infra.local import stack
from infra.local.dynamodb_local import dynamodb_local, missing

DUE, SIZES = 100, (2_000, 20_000, 100_000)  # of so many open reports
ROUNDS, SWEPT = 13, 800  # two blocks for each thread; 10,000 in all, in turns so that both find the same machine
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
LATE, EARLY = NOW - timedelta(hours=24), NOW - timedelta(hours=12)  # when what is due was received, and what is not
AT_ONCE = 25  # items that DynamoDB writes in a request
ENVIRONMENT = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_DEFAULT_REGION": stack.REGION}


class Sweep(NamedTuple):
    """What a sweep of DUE reports took by the number of open ones, and reports a second: our rule's, the store's own by
    a bare client of boto3 and by our wire, and the ratio of ours to the former, which is the median of several times.
    """

    by_size: Mapping[int, Spent]
    ours: float
    store: float
    wire: float
    rate: float


class Race(NamedTuple):
    """Reports a second of one round."""

    ours: float
    store: float
    wire: float


class Bench:
    """A table of DynamoDB Local with reports, and the rule over it. It asks over the wire, as it is deployed; or by
    `client`, which can be counted.
    """

    def __init__(self, endpoint: str, name: str, client: Any = None) -> None:
        stack.create_table(endpoint, name)
        self.name, self._bare = name, stack.client("dynamodb", endpoint)
        self._bare.update_table(
            TableName=name, StreamSpecification={"StreamEnabled": False}
        )  # it slows each write more
        wire = Wire.from_environ(ENVIRONMENT | {"AWS_ENDPOINT_URL_DYNAMODB": endpoint})
        self.updates, self._wire = list[Any](), _Heard(wire, self)
        table = Table(client or self._wire, name)
        store, numbers = Store(table, lambda: ()), CrimeNumbers(table, "20", wiring.mint)
        self._rule = TwentyFourHourRule(store, numbers, lambda: NOW)

    def seed(self, numbers: Iterable[int], received_at: datetime) -> None:
        """Put a report there for each number."""
        items = (_item(number, received_at) for number in numbers)
        with ThreadPoolExecutor(THREADS) as pool:
            for block in _blocks(items, AT_ONCE * THREADS):
                list(pool.map(self._put, _blocks(block, AT_ONCE)))

    def sweep(self, count: int) -> None:
        """Crime what is due, which is so many."""
        swept = self._rule.crime_due_reports(lambda: 900.0)
        assert swept == Swept(count, failed=0, unfinished=False), swept

    def update(self, updates: Sequence[Any], over_wire: bool) -> None:
        """The same updates by a bare client, or over the bare wire, each thread its share."""
        client = self._wire if over_wire else self._bare

        def update_all(share: Sequence[Any]) -> None:
            for update in share:
                client.update_item(**{**update, "TableName": self.name})

        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(update_all, [updates[first::THREADS] for first in range(THREADS)]))

    def _put(self, items: Sequence[Any]) -> None:
        wanted: Any = {self.name: [{"PutRequest": {"Item": item}} for item in items]}
        while wanted:
            wanted = self._bare.batch_write_item(RequestItems=wanted)["UnprocessedItems"]


class _Heard:
    """A wire, of which the bench keeps what was asked of the store about reports, not about the register of numbers."""

    def __init__(self, wire: Any, bench: Bench) -> None:
        self._wire, self._bench = wire, bench

    def __getattr__(self, name: str) -> Any:
        return getattr(self._wire, name)

    def update_item(self, **request: Any) -> Any:
        if request["Key"]["pk"]["S"].startswith("REPORT#"):
            self._bench.updates.append(request)
        return self._wire.update_item(**request)


def measure(tell: Callable[[str], None]) -> Sweep:
    """Seed and sweep. Needs DynamoDB Local (Java and npm)."""
    tell("Starting DynamoDB Local for the sweep")
    with dynamodb_local() as endpoint, _logging_to_nowhere():
        by_size = dict(_by_size(endpoint, tell))
        races = list(_races(endpoint, tell))
    ours, store, wire = (median(side) for side in zip(*races, strict=True))
    return Sweep(by_size, ours, store, wire, median(race.ours / race.store for race in races))


def _by_size(endpoint: str, tell: Callable[[str], None]) -> Iterator[tuple[int, Spent]]:
    client, numbers, there = stack.client("dynamodb", endpoint), iter(range(2 * SIZES[-1])), 0
    bench, meter = Bench(endpoint, "sizes", client), Meter(client)
    for size in SIZES:
        tell(f"Sweeping {DUE} due among {size:,} open reports")
        bench.seed(islice(numbers, size - DUE - there), EARLY)
        bench.seed(islice(numbers, DUE), LATE)
        yield size, meter.of(lambda: bench.sweep(DUE))
        there = size - DUE


def _races(endpoint: str, tell: Callable[[str], None]) -> Iterator[Race]:
    """The rule, a bare client and the bare wire in turn, a part at a time: each has a table with the same reports."""
    rule, bare, wire = (Bench(endpoint, name) for name in ("rule", "bare", "wire"))
    for number in range(1 + ROUNDS):
        tell(f"Sweeping {SWEPT:,} due reports: {number} of {ROUNDS}" if number else "Sweeping to warm up")
        for side in (rule, bare, wire):
            side.seed(range(number * SWEPT, (number + 1) * SWEPT), LATE)
        rule.updates.clear()
        ours = _seconds(lambda: rule.sweep(SWEPT))
        store = _seconds(lambda: bare.update(rule.updates, over_wire=False))
        over_wire = _seconds(lambda: wire.update(rule.updates, over_wire=True))
        if number:
            yield Race(SWEPT / ours, SWEPT / store, SWEPT / over_wire)


def _seconds(act: Callable[[], None]) -> float:
    gc.collect()
    gc.freeze()  # what is there already is the bench's, and not to be looked through meanwhile
    begun = time.perf_counter()
    act()
    seconds = time.perf_counter() - begun
    gc.unfreeze()
    return seconds


def _item(number: int, received_at: datetime) -> Any:
    """A report as triage leaves it."""
    reference = derive(token_digest(b"bench", str(number)))
    category = list(EXAMPLES)[number % len(EXAMPLES)]
    report = replace(_triaged(category, received_at + timedelta(seconds=number % 50)), reference=reference)
    body = written(report.answers)
    return marshal({**new_item(report, body), **head_values(report), "token": bytes(16), "body": bytes(16)})


@cache
def _triaged(category: str, received_at: datetime) -> Report:
    report = life.receive("", category, EXAMPLES[category], received_at)
    return life.triage(report, received_at + timedelta(seconds=2))


def _blocks(items: Iterable[Any], size: int) -> Iterator[list[Any]]:
    rest = iter(items)
    return iter(lambda: list(islice(rest, size)), [])


@contextmanager
def _logging_to_nowhere() -> Iterator[None]:
    """The rule logs as it does on Lambda, where a line for each report costs something, too; nobody reads it."""
    telemetry.start_logging()
    (handler,) = logging.getLogger(telemetry.LOGGER).handlers
    assert isinstance(handler, logging.StreamHandler)
    with open(os.devnull, "w") as nowhere:
        usual = handler.setStream(nowhere)
        yield
        handler.setStream(usual)


def main() -> None:
    """Print the figures."""
    from rich.console import Console
    from rich.table import Table as Shown

    if lacking := missing():
        raise SystemExit(lacking)
    with Console(stderr=True).status("") as status:
        found = measure(status.update)
    shown = Shown(f"Sweep of {DUE} due reports", "Requests", "Read units", "Write units")
    for size, spent in found.by_size.items():
        shown.add_row(f"among {size:,} open ones", *(f"{one:,.5g}" for one in spent))
    Console().print(shown)
    said = f"{found.ours:.0f} by the rule, {found.store:.0f} by the store alone, {found.wire:.0f} over our wire"
    Console().print(f"Reports a second: {said}; ratio {found.rate:.2f}")


if __name__ == "__main__":
    main()
