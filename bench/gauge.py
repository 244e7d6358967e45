"""What a process takes: instructions, which do not vary, or seconds of the processor where nothing counts those."""

import json
import os
import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from bench import cold

VALGRIND = ("valgrind", "--tool=cachegrind", "--cache-sim=no", f"--cachegrind-out-file={os.devnull}")
INSTRUCTIONS, SECONDS = "instructions", "CPU seconds"
TRIES = 7  # of what is timed: the least of them is the nearest to what it takes when nobody else is there


class Run(NamedTuple):
    """A new process of a package that answers `calls`, and prints what it `says` when all is well."""

    package: Path
    calls: list[tuple[str, Any]]
    environ: Mapping[str, str]
    says: str = ""


class Gauge(NamedTuple):
    """In `unit`; `at_once` is how many processes may be measured beside each other."""

    unit: str
    at_once: int

    def cost(self, make: Callable[[], Run]) -> float:
        """Of what `make` gives, once or several times. AssertionError if it does not go well."""
        return _instructions(make()) if self.unit == INSTRUCTIONS else min(_seconds(make()) for _ in range(TRIES))


def gauge() -> Gauge:
    """The best that this machine has. Instructions do not mind company, seconds do."""
    return Gauge(INSTRUCTIONS, os.cpu_count() or 1) if shutil.which(VALGRIND[0]) else Gauge(SECONDS, 1)


def _instructions(run: Run) -> float:
    done = cold.run(run.package, run.calls, run.environ, under=VALGRIND)
    _expect_well(run, json.loads(done.stdout), done.stderr)
    counted = re.search(r"I\s+refs:\s+([\d,]+)", done.stderr)
    assert counted, done.stderr
    return float(counted[1].replace(",", ""))


def _seconds(run: Run) -> float:
    done = cold.run(run.package, [*run.calls, cold.LOOK], run.environ)
    *answers, seen = json.loads(done.stdout)
    _expect_well(run, answers, done.stderr)
    return float(seen["seconds"])


def _expect_well(run: Run, answers: list[Any], printed: str) -> None:
    for answer in answers:
        assert not isinstance(answer, dict) or answer["statusCode"] < 400, answer
    assert run.says in printed, printed
