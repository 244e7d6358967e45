"""`python -m bench`: what we promise about speed, measured on this machine beside what people would use instead."""

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console

from bench import cold, contest, functions, goals, show
from bench.gauge import INSTRUCTIONS, gauge
from infra.local.dynamodb_local import missing

BASELINE = Path(__file__).with_name("baseline.json")
OF_PACKAGES, OF_SWEEP, OF_CAPACITY = 1, 10, 10  # shares of the bar


def main() -> int:
    """Measure and print; the exit code says whether all is as good as it was, and should be, if that is asked."""
    asked, console = _asked(), Console()
    found = _measured(console)
    for table in show.tables(found):
        console.print(table)
    if asked.accept:
        return _accept(found, console)
    complaints = [*_compared(found, console), *goals.missed(found)]
    for complaint in complaints if asked.check else []:
        console.print(f"[red]{complaint}", highlight=False)
    return 1 if asked.check and complaints else 0


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="fail if a figure is worse than accepted, or a goal missed"
    )
    parser.add_argument(
        "--accept", action="store_true", help="make today's figures the ones that later are held against"
    )
    return parser.parse_args()


def _measured(console: Console) -> goals.Found:
    counts = gauge()
    if counts.unit != INSTRUCTIONS:
        console.print(
            "There is no valgrind here to count instructions (apt-get install valgrind): CPU seconds instead."
        )
    steps = show.Steps(console, OF_PACKAGES + contest.STEPS + len(functions.FUNCTIONS) + OF_SWEEP + OF_CAPACITY)
    with TemporaryDirectory() as scratch, steps:
        with steps.part(OF_PACKAGES):
            steps.tell("Packaging this service, and as Chalice alone would")
            packages = cold.packages(Path(scratch))
        with steps.part(contest.STEPS):
            against = contest.measure(packages, counts, steps.tell)
        with steps.part(len(functions.FUNCTIONS)):
            started = functions.measure(packages.built, counts, steps.tell)
        swept, operations = _of_dynamodb(console, steps)
    return goals.Found(counts.unit, packages, against, started, swept, operations)


def _of_dynamodb(console: Console, steps: show.Steps) -> tuple[Any, Any]:
    """The sweep and the operations, None where DynamoDB Local cannot run."""
    if lacking := missing():
        console.print(f"Goals 5, 6 and 7 are not measured: {lacking}.")
        return None, None
    from bench import capacity  # it brings the whole service

    with steps.part(OF_SWEEP):
        swept = import_module("bench.sweep").measure(steps.tell) if find_spec("bench.sweep") else None
    with steps.part(OF_CAPACITY):
        return swept, capacity.measure(steps.tell)


def _accept(found: goals.Found, console: Console) -> int:
    figures = goals.figures(found)
    if found.unit != INSTRUCTIONS or None in [figure.value for figure in figures.values()]:
        console.print("[red]Nothing is accepted: not everything was measured, and in instructions.")
        return 1
    accepted = {name: round(figure.value or 0, 4) for name, figure in figures.items()}
    BASELINE.write_text(json.dumps(accepted, indent=2, sort_keys=True) + "\n")
    console.print(f"Accepted: {BASELINE.name} has today's figures.")
    return 0


def _compared(found: goals.Found, console: Console) -> Iterator[str]:
    """What is worse than accepted, or cannot be compared with it; what is better is only said."""
    if found.unit != INSTRUCTIONS:
        yield "Seconds cannot be compared with what was accepted: those are instructions"
        return
    with suppress(FileNotFoundError):
        changes = goals.compare(goals.figures(found), json.loads(BASELINE.read_text()))
        for better in changes.better:
            console.print(f"[green]Better: {better}", highlight=False)
        if changes.better:
            console.print("make bench ACCEPT=1 keeps it so.")
        yield from (f"Worse: {worse}" for worse in changes.worse)
        yield from changes.unknown


if __name__ == "__main__":
    sys.exit(main())
