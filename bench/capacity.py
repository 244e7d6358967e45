"""What each operation takes of DynamoDB, counted on a real database engine: requests, read units, write units.

`python -m bench.capacity` prints it. `docs/scale.md` reckons with it, and `tests/test_scale.py` holds the two together.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from math import ceil
from multiprocessing import get_context
from multiprocessing.connection import Connection
from threading import Lock
from typing import Any, NamedTuple

LEAST_READ, LEAST_OF_AN_INDEX = 1.0, 0.5  # for finding nothing: DynamoDB Local takes 0 for that
WRITES = ("PutItem", "UpdateItem", "DeleteItem")


class Spent(NamedTuple):
    """Requests to DynamoDB, and the units that they took: 4 kB read (half a unit from an index), 1 kB written."""

    requests: int
    read_units: float
    write_units: float


class Meter:
    """Counts what a DynamoDB client takes, by the events of the client: the code that uses it is not changed."""

    def __init__(self, client: Any) -> None:
        self._spent, self._lock = Spent(0, 0, 0), Lock()
        self.written_to = Counter[str]()  # units, by index
        client.meta.events.register("before-parameter-build.dynamodb", _ask)
        client.meta.events.register("after-call.dynamodb", self._count)

    def of(self, act: Callable[[], Any]) -> Spent:
        """What `act` takes; nobody else uses the client meanwhile."""
        before = self._spent
        act()
        return Spent(*(one - other for one, other in zip(self._spent, before, strict=True)))

    def _count(self, parsed: Mapping[str, Any], model: Any, context: Mapping[str, Any], **_: Any) -> None:
        told = parsed.get("ConsumedCapacity", [])
        told = told if isinstance(told, list) else [told]
        reads, writes = 0.0, 0.0
        if "Error" in parsed:
            writes = _refused(parsed, context["put"])
        elif model.name in WRITES:
            writes = sum(one["CapacityUnits"] for one in told)
        else:
            least = LEAST_OF_AN_INDEX if any("GlobalSecondaryIndexes" in one for one in told) else LEAST_READ
            reads = max(least, sum(one["CapacityUnits"] for one in told))
        with self._lock:
            before = self._spent
            self._spent = Spent(before.requests + 1, before.read_units + reads, before.write_units + writes)
            if model.name in WRITES:
                self.written_to.update(_by_index(told))


def _ask(params: dict[str, Any], model: Any, context: dict[str, Any], **_: Any) -> None:
    if model.input_shape and "ReturnConsumedCapacity" in model.input_shape.members:
        params["ReturnConsumedCapacity"] = "INDEXES"
    context["put"] = params.get("Item", {})


def _by_index(told: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    return {
        name: units["CapacityUnits"] for one in told for name, units in one.get("GlobalSecondaryIndexes", {}).items()
    }


def _refused(parsed: Mapping[str, Any], put: Mapping[str, Any]) -> int:
    """What a write took whose condition did not hold: as much as the larger item would, and DynamoDB says not how
    much. Nothing for any other error.
    """
    if parsed["Error"]["Code"] != "ConditionalCheckFailedException":
        return 0
    return max(1, ceil(max(size(parsed.get("Item", {})), size(put)) / 1024))


def size(item: Mapping[str, Any]) -> int:
    """Bytes of an item as DynamoDB sends it, by the rules by which DynamoDB counts them."""
    return sum(len(name.encode()) + _bytes(value) for name, value in item.items())


def _bytes(value: Mapping[str, Any]) -> int:
    ((kind, plain),) = value.items()
    match kind:
        case "S":
            return len(plain.encode())
        case "N":
            return len(plain.lstrip("-")) // 2 + 2
        case "L":
            return 3 + sum(1 + _bytes(one) for one in plain)
    return len(plain)


def measure(tell: Callable[[str], None]) -> Mapping[str, Spent]:
    """What each operation takes, by its name in `docs/scale.md`. Needs DynamoDB Local (Java and npm)."""
    from infra.local.dynamodb_local import dynamodb_local

    processes = get_context("spawn")  # one of its own: the service logs to its output, and reads its environment
    told, teller = processes.Pipe(duplex=False)
    tell("Starting DynamoDB Local")
    with dynamodb_local() as endpoint:
        process = processes.Process(target=_live, args=(endpoint, teller))
        process.start()
        teller.close()  # ours: when the other is closed too, nobody tells any more
        while isinstance(found := told.recv(), str):
            tell(found)
        process.join()
    return found


def _live(endpoint: str, teller: Connection) -> None:
    """Tell each step as it begins, and what all took at last."""
    from bench.life import Life
    from bench.stage import set_environment

    set_environment()
    took = Life(import_module("app").app, endpoint).live(teller.send)
    teller.send({name: one.spent for name, one in took.items()})


def main() -> None:
    """Print the table."""
    from rich.console import Console
    from rich.table import Table

    from infra.local.dynamodb_local import missing

    lacking = missing()
    if lacking:
        raise SystemExit(lacking)
    with Console(stderr=True).status("") as status:
        found = measure(status.update)
    shown = Table("What happens", "Requests", "Read units", "Write units")
    for column in shown.columns[1:]:
        column.justify = "right"
    for name, spent in found.items():
        shown.add_row(name, *(f"{one:,.4g}" for one in spent))
    Console().print(shown)


if __name__ == "__main__":
    main()
