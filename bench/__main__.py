"""`python -m bench`: what we promise about speed, measured on this machine beside what people would use instead."""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

from bench import baseline, capacity, cold, contest, functions, goals, show, sweep
from bench.gauge import INSTRUCTIONS, gauge
from infra.local.dynamodb_local import missing

WIDTH = 120  # of the tables in a file
OF_PACKAGES, OF_SWEEP, OF_CAPACITY = 1, 10, 10  # shares of the bar


def main() -> int:
    """Measure and print; the exit code says whether all is as good as it was, and should be, if that is asked."""
    asked, width = _asked(), None if sys.stdout.isatty() else WIDTH
    console = Console(file=sys.stdout, width=width)  # this one, whatever a part does with what is printed
    try:
        found = _measured(console)
    except KeyboardInterrupt:
        console.print("Ended: nothing is told.")
        return 130
    for table in show.tables(found):
        console.print(table)
    if asked.accept:
        return accepted(found)
    return checked(found, console) if asked.check else 0


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


def _of_dynamodb(console: Console, steps: show.Steps) -> tuple[sweep.Sweep | None, Mapping[str, capacity.Spent] | None]:
    """The sweep and the operations, None where DynamoDB Local cannot run."""
    if lacking := missing():
        console.print(f"Goals 5, 6 and 7 are not measured: {lacking}.")
        return None, None
    with steps.part(OF_SWEEP):
        swept = sweep.measure(steps.tell)
    with steps.part(OF_CAPACITY):
        return swept, capacity.measure(steps.tell)


def accepted(found: goals.Found, path: Path = baseline.HERE) -> int:
    """The exit code of ACCEPT=1."""
    try:
        baseline.accept(found, path)
    except ValueError as lacking:
        print(f"Not accepted: {lacking}.", file=sys.stderr)
        return 1
    print(f"Accepted: {path.name} has today's figures.")
    return 0


def checked(found: goals.Found, console: Console, path: Path = baseline.HERE) -> int:
    """The exit code of CHECK=1."""
    changes = baseline.changes(found, path)
    worse = [*(f"Worse: {one}" for one in changes.worse), *goals.missed(found), *changes.unknown]
    for colour, lines in (("green", [f"Better: {one}" for one in changes.better]), ("red", worse)):
        for line in lines:
            console.print(f"[{colour}]{line}[/]", highlight=False)
    if changes.better:
        console.print("make bench ACCEPT=1 holds on to what is better.")
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
