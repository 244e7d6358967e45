"""Stand-ins and builders: a table in memory, a clock to set, a sender that keeps letters, a DynamoDB that can break."""

import itertools
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import yaml
from moto import mock_aws

from chalicelib.casework import Casework
from chalicelib.crime_numbers import CrimeNumbers
from chalicelib.desk import Desk, Officer
from chalicelib.finder import Finder
from chalicelib.ledger import Ledger
from chalicelib.letters import Letter
from chalicelib.reconciliation import Reconciliation
from chalicelib.report import Actor, Head, Report
from chalicelib.retention import USUAL, read_periods
from chalicelib.rule import TwentyFourHourRule
from chalicelib.search import Search
from chalicelib.statistics import monthly, months_between
from chalicelib.store import Store
from chalicelib.table import ConditionFailed, Item, Page, Table, marshal
from chalicelib.wanted import Wanted
from chalicelib.wiring import client

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
KINDS = {"burglary": "home", "theft": "pedal_cycle", "criminal_damage": "vehicle"}
ANN = Officer(Actor("officer-ann", "Ann Officer"), is_supervisor=False)
BOB = Officer(Actor("officer-bob", "Bob Officer"), is_supervisor=False)
SUE = Officer(Actor("supervisor-sue", "Sue Supervisor"), is_supervisor=True)

_TABLE = yaml.safe_load((Path(__file__).parents[1] / "infra" / "data.yaml").read_text())["Resources"]["ReportsTable"]
_PROPERTIES = _TABLE["Properties"]


def answers(category: str = "theft", **sections: Any) -> dict[str, Any]:
    """The least somebody must tell us, and what else a test says."""
    contact = {"full_name": "Eve Example", "email": "eve@example.com", "phone": "07700 900123"}
    least = {"category": category, "emergency": "no", "about": {"kind": KINDS[category]}, "contact": contact}
    return {**least, "declaration": "yes", **sections}


class Clock:
    """Stands still until it is moved."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> None:
        self.now += timedelta(**by)


class KeptLetters:
    """A sender that keeps what it is given; `failure` is raised instead, `after` happens once it is sent."""

    def __init__(self) -> None:
        self.sent: list[Letter] = []
        self.failure: Exception | None = None
        self.after: Callable[[], None] = lambda: None

    def send(self, letter: Letter, at: datetime) -> None:
        if self.failure:
            raise self.failure
        self.sent.append(letter)
        self.after()


class Parts:
    """Casework and the 24-hour rule over one table, as `wiring.py` puts them together."""

    def __init__(self, table: Any, secret: bytes = b"a secret of the tests", second_look: bool = False) -> None:
        count = itertools.count()
        mint = lambda: f"minted{next(count):026}"  # noqa: E731
        self.table, self.clock, self.sender = table, Clock(), KeptLetters()
        self.settle: Callable[[], None] = lambda: None
        self.pauses: list[float] = []
        self.store, self.numbers = Store(table, lambda: (secret,)), CrimeNumbers(table, "20", mint)
        self.finder = Finder(table, lambda: (secret,))
        self.casework = Casework(self.store, self.numbers, self.finder, self.sender, self.clock, mint, "Example Police")
        reasons = {"no_offence"} if second_look else set()
        self.desk = Desk(self.store, self.numbers, self.finder, self.clock, mint, read_periods(USUAL), reasons)
        self.search = Search(self.store, self.finder, self.clock, mint)
        self.ledger = Ledger(table, self.clock, lambda: self.settle())
        self.reconciliation = Reconciliation(table, self.numbers, self.ledger, self.clock)
        self.rule = TwentyFourHourRule(self.store, self.numbers, self.clock, self.pauses.append)

    def submit(self, token: str | None = None, category: str = "theft", **sections: Any) -> Report:
        return self.casework.submit(answers(category, **sections), token)

    def sweep(self, time_left: Callable[[], float] = lambda: 60.0) -> Any:
        return self.rule.crime_due_reports(time_left)

    def now(self, reference: str) -> Report:
        report = self.store.read(reference)
        assert report
        return report

    def crime(self, reference: str, officer: Officer = ANN, disposal: Any = "filed") -> Report:
        version = self.now(reference).version
        return self.desk.crime(officer, reference, version, "44", disposal, None, None)

    def statistics(self, first: str, last: str) -> list[dict[str, Any]]:
        """The monthly figures from month `first` to month `last`."""
        months = months_between(first, last)
        return monthly(months, self.ledger.sums(months), {})

    def listed(self, name: str = "open") -> list[Head]:
        """A whole list, page by page."""
        page = self.store.lists.page(Wanted(name), "", self.clock.now, 200)
        heads = page.heads
        while page.more:
            page = self.store.lists.page(Wanted(name), "", self.clock.now, 200, heads[-1][0])
            heads += page.heads
        return [head for _, head in heads]

    def deliver_letters(self, reference: str) -> None:
        """What the letters queue brings for everything that happened to a report."""
        for version in range(1, self.now(reference).version + 1):
            self.casework.send_letter(reference, version)

    def check_numbers(self, references: Sequence[str], year: int = 2026) -> None:
        """Every number taken is on one report, or void, or on an open loan, and never two of these on a report."""
        taken, void = self.numbers.taken_and_void(year)
        crimes = [report.crime.number for report in map(self.now, references) if report.crime]
        used = [int(number.split("/")[1]) for number in crimes if number.endswith(f"/{year % 100:02}")]
        loans = self.numbers.abandoned(self.clock.now + timedelta(days=1))
        lent = {loan.sequence(one) for loan in loans if loan.year == year for one in loan.references}
        assert len(set(used)) == len(used), "one number on two reports"
        assert not set(used) & set(void), "a void number is on a report"
        assert set(used) | set(void) | lent == set(range(1, taken + 1)), "a number is not accounted for"


class Died(BaseException):
    """The process is gone; no handler of exceptions runs."""


class Wire:
    """A DynamoDB client whose calls a test watches (`calls`) and meddles with (`meddle`, `page_size`)."""

    def __init__(self, client: Any) -> None:
        self._client, self._lock = client, threading.Lock()  # moto is not safe under threads
        self.calls: list[str] = []
        self.page_size: int | None = None
        self.meddle: Callable[[int, str, Callable[[], Any]], Any] = lambda number, name, call: call()

    def __getattr__(self, name: str) -> Any:
        def call(**request: Any) -> Any:
            with self._lock:
                self.calls.append(name)
                number = len(self.calls)
            more = {"Limit": self.page_size} if name in ("query", "scan") and self.page_size else {}
            return self.meddle(number, name, lambda: self._call(name, request | more))

        return call

    def _call(self, name: str, request: Any) -> Any:
        with self._lock:
            return getattr(self._client, name)(**request)


def dies(at: int, after: bool, error: type[BaseException] = Died) -> Callable[[int, str, Callable[[], Any]], Any]:
    """Breaks off at the call of that number: before it reaches the table, or after, with its answer lost."""

    def meddle(number: int, name: str, call: Callable[[], Any]) -> Any:
        if number != at:
            return call()
        if after:
            call()
        raise error

    return meddle


def repeats(number: int, name: str, call: Callable[[], Any]) -> Any:
    """The SDK makes each write twice, as it does when the first answer is lost."""
    if name in ("put_item", "update_item"):
        call()
    return call()


def meanwhile(kind: str, nth: int, do: Callable[[], Any], repeat: bool = False) -> Callable[..., Any]:
    """Does something before the `nth` call of that kind; with `repeat`, between the call and its repetition."""
    seen: list[str] = []

    def meddle(number: int, name: str, call: Callable[[], Any]) -> Any:
        seen.append(name)
        if name == kind and seen.count(kind) == nth:
            if repeat:
                call()
            do()
        return call()

    return meddle


@contextmanager
def moto_dynamodb() -> Iterator[Any]:
    """A DynamoDB client of a moto in this process."""
    with patch.dict("os.environ", {"AWS_DEFAULT_REGION": "eu-west-2"}), mock_aws():
        yield client("dynamodb")


_names = (f"reports-{number}" for number in itertools.count())


def moto_table(client: Any) -> tuple[Table, Wire]:
    """A new table, as the template has it, and the wire to it."""
    name, wire = next(_names), Wire(client)
    keys = ("BillingMode", "KeySchema", "AttributeDefinitions", "GlobalSecondaryIndexes")
    client.create_table(TableName=name, **{key: _PROPERTIES[key] for key in keys})
    return Table(wire, name), wire  # type: ignore[arg-type]


BROKEN: dict[str, Any] = {
    "answers": {"B": b"not compressed"},
    "status": {"S": "gone"},
    "version": {"S": "two"},
    "history": {"L": [{"N": "1"}]},
    "received_at": {"S": "yesterday"},
}


def break_item(client: Any, table: str, reference: str, attribute: str) -> None:
    """Make one attribute of a report what it never is."""
    client.update_item(
        TableName=table,
        Key={"pk": {"S": f"REPORT#{reference}"}, "sk": {"S": "REPORT"}},
        UpdateExpression="SET #name = :value",
        ExpressionAttributeNames={"#name": attribute},
        ExpressionAttributeValues={":value": BROKEN[attribute]},
    )


class _Nothing:
    """An attribute that is not there: no comparison holds."""

    def _never(self, other: object) -> bool:
        return False

    __eq__ = __lt__ = __le__ = __gt__ = __ge__ = _never  # type: ignore[assignment]


class FakeTable:
    """`chalicelib.table.Table` in memory: the same methods, conditions, sparse indexes and projections. Each write is
    one step for other threads, as DynamoDB's are.
    """

    _INDEXES: Mapping[str, tuple[tuple[str, ...], set[str]]] = {
        index["IndexName"]: (
            tuple(key["AttributeName"] for key in index["KeySchema"]),
            set(index["Projection"].get("NonKeyAttributes", ())),
        )
        for index in _PROPERTIES["GlobalSecondaryIndexes"]
    }

    def __init__(self) -> None:
        self.items: dict[tuple[str, str], Item] = {}
        self._lock = threading.Lock()

    def get(self, pk: str, sk: str) -> Item | None:
        return _copied(self.items.get((pk, sk)))

    def get_many(self, keys: Sequence[tuple[str, str]]) -> list[Item]:
        assert len(keys) <= 100 and len(set(keys)) == len(keys), "DynamoDB refuses this"
        return [_copied(self.items[key]) for key in keys if key in self.items]

    def put_new(self, item: Mapping[str, Any]) -> None:
        key = item["pk"], item["sk"]
        with self._lock:
            if key in self.items:
                raise ConditionFailed(self.get(*key))
            self.items[key] = _plain(item)

    def update(
        self,
        pk: str,
        sk: str,
        *,
        values: Mapping[str, Any],
        append: Mapping[str, Sequence[str]] | None = None,
        add: Mapping[str, int] | None = None,
        copy: Mapping[str, str] | None = None,
        condition: str,
        given: Mapping[str, Any] | None = None,
        returning: str = "ALL_NEW",
    ) -> Item:
        with self._lock:
            before = self.items.get((pk, sk))
            if not _holds(condition, before or {}, given or {}):
                raise ConditionFailed(_copied(before))
            was = before or {"pk": pk, "sk": sk}
            after = was | {to: was.get(of, 0) for to, of in (copy or {}).items()}
            after |= {name: was.get(name, 0) + by for name, by in (add or {}).items()}
            after |= {name: [*was.get(name, []), *more] for name, more in (append or {}).items()} | dict(values)
            self.items[pk, sk] = _plain(after)
            return _copied(self.items[pk, sk]) if returning == "ALL_NEW" else {}

    def remove(self, pk: str, sk: str, *, condition: str, given: Mapping[str, Any]) -> None:
        with self._lock:
            there = self.items.get((pk, sk))
            if not _holds(condition, there or {}, given):
                raise ConditionFailed(_copied(there))
            del self.items[pk, sk]

    def query(
        self,
        *,
        index: str | None = None,
        where: str,
        only: str = "",
        given: Mapping[str, Any],
        names: Sequence[str] = (),
        limit: int | None = None,
        backwards: bool = False,
    ) -> Iterator[Item]:
        keys, shown = self._INDEXES[index] if index else (("pk", "sk"), set())
        asked = f"( {where} ) AND ( {only} )" if only else where
        there = list(self.items.values())  # in one step
        found = [item for item in there if set(keys) <= set(item) and _holds(asked, item, given)]
        kept = {"pk", "sk", *keys, *shown}
        for item in sorted(found, key=lambda item: item[keys[-1]], reverse=backwards):
            seen = {name: item[name] for name in item if not index or name in kept}
            yield _copied({name: seen[name] for name in names or seen if name in seen})

    def scan(self, *, only: str, given: Mapping[str, Any], after: tuple[str, str] | None) -> Iterator[Page]:
        """Ten items at a time."""
        keys = sorted(key for key in self.items if after is None or key > after)
        for start in range(0, len(keys) or 1, 10):
            stretch = keys[start : start + 10]
            found = [marshal(self.items[key]) for key in stretch if _holds(only, self.items[key], given)]
            yield Page(found, stretch[-1] if keys[start + 10 :] else None)


def _plain(item: Mapping[str, Any]) -> Item:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in item.items()
            if value is not None}  # fmt: skip


def _copied(item: Item | None) -> Any:
    return item and {name: list(value) if isinstance(value, list) else value for name, value in item.items()}


def _holds(condition: str, item: Item, given: Mapping[str, Any]) -> bool:
    """The few words of DynamoDB's expressions that the service uses, read as Python."""
    python = re.sub(r"attribute_(not_)?exists\(#?(\w+)\)", r"\1has('\2')", condition)
    python = re.sub(r"#(\w+) BETWEEN :(\w+) AND :(\w+)", r":\2 <= #\1 <= :\3", python)
    python = re.sub(r"#(\w+)", r"value('\1')", python)
    python = re.sub(r":(\w+)", r"given['\1']", python)
    for theirs, ours in ((" = ", " == "), ("AND", "and"), ("OR", "or"), ("not_has", "not has")):
        python = python.replace(theirs, ours)
    words = {"has": item.__contains__, "value": lambda name: item.get(name, _Nothing()), "given": given,
             "begins_with": str.startswith}  # fmt: skip
    return bool(eval(python, {"__builtins__": {}}, words))  # our own conditions, nobody else's


def all_is_well(number: int, name: str, call: Callable[[], Any]) -> Any:
    """For `Wire.meddle`: nothing happens to the call."""
    return call()


def new_case(client: Any) -> tuple[Parts, Wire]:
    """Casework over a new table of moto's, and the wire to it, to be meddled with."""
    table, wire = moto_table(client)
    return Parts(table), wire
