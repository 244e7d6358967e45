"""`make load`: how many reports a second the service on this machine takes, and whether all of them are there."""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice

from botocore.exceptions import BotoCoreError
from requests import RequestException
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import Progress
from rich.table import Table as Shown

from infra.load import proof, soak
from infra.load.posts import Posts
from infra.load.rates import FASTEST, FIRST, Tried, highest
from infra.load.sending import Answer, Post, missing, send
from infra.local import dynamodb_local
from infra.replay.command import SHARES, at_shares, bar, end_in_good_order
from infra.replay.service import Failed, Service, running

TRY_SECONDS, HOLD_SECONDS = 10, 30
SOAK_RATE, SOAK_SECONDS, LEAST_SOAK = 10.0, 600, 60
MOST_POSTS, MOST_SECONDS = 60_000, 1_800  # of one run, then it ends
MOST_SHOWN = 20


class Load:
    """Sends reports to `service`, and keeps what was sent and answered."""

    def __init__(self, service: Service, progress: Progress) -> None:
        self.posts: list[Post] = []
        self.answers: dict[int, Answer] = {}
        self._service, self._progress = service, progress
        self._new = Posts(datetime.now(UTC))
        self._began = time.monotonic()

    def at(self, rate: float, seconds: float) -> Tried:
        """Send `rate` a second for some `seconds`, and wait until all has been seen to."""
        posts = [self._new.make() for _ in range(max(1, round(rate * seconds)))]
        before = len(self.posts)
        self.posts += posts
        if len(self.posts) > MOST_POSTS or time.monotonic() - self._began + seconds > MOST_SECONDS:
            raise Failed(f"A run ends after {MOST_POSTS:,} reports or {MOST_SECONDS // 60} minutes")
        task = self._progress.add_task(f"{rate:g} a second", total=len(posts))

        def told(answer: Answer) -> None:
            self.answers[before + answer.number] = answer
            self._progress.advance(task)

        send(f"{self._service.url}/reports", rate, posts, told)
        answered = time.monotonic()
        self._service.rest()
        rest = time.monotonic() - answered
        self._progress.remove_task(task)
        answers = [self.answers[number] for number in range(before, len(self.posts)) if number in self.answers]
        failed = len(posts) - sum(answer.status == 201 for answer in answers)
        return Tried(rate, [answer.ms for answer in answers], failed, rest)


def main() -> int:
    """Send, prove, tell; the exit code says whether everything is there."""
    asked, console = _asked(), Console(highlight=False, soft_wrap=True)
    if lacking := dynamodb_local.missing() or missing():
        print(lacking, file=sys.stderr)
        return 1
    end_in_good_order()
    try:
        with _service(asked) as service:
            return 0 if _run(service, asked, console) else 1
    except KeyboardInterrupt:
        console.print("Ended: nothing is proved.")
        return 130
    except (Failed, RequestException, BotoCoreError) as failure:
        said = failure if isinstance(failure, Failed) else "The service does not answer: nothing is proved"
        print(said, file=sys.stderr)
        return 1


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m infra.load", description=__doc__)
    parser.add_argument("--soak", action="store_true", help=f"{SOAK_SECONDS // 60} minutes, and what it does to memory")
    parser.add_argument("--rate", type=float, help=f"reports a second; by itself the highest is looked for, "
                                                   f"and a soak has {SOAK_RATE:g}")  # fmt: skip
    parser.add_argument("--seconds", type=float, help=f"how long: {TRY_SECONDS}, or {SOAK_SECONDS} for a soak "
                                                      f"({LEAST_SOAK} at least); up to {MOST_SECONDS}")  # fmt: skip
    asked = parser.parse_args()
    if asked.rate is not None and not 0.1 <= asked.rate <= FASTEST:
        parser.error(f"--rate is a number from 0.1 to {FASTEST:g}")
    if asked.seconds is not None and not 1 <= asked.seconds <= MOST_SECONDS:
        parser.error(f"--seconds is a number from 1 to {MOST_SECONDS}")
    if asked.soak and asked.seconds is not None and asked.seconds < LEAST_SOAK:
        parser.error(f"--soak takes {LEAST_SOAK} seconds at least, or it says nothing")
    if asked.seconds is not None and not (asked.rate or asked.soak):
        parser.error("--seconds is for --rate or --soak")
    return asked


@contextmanager
def _service(asked: argparse.Namespace) -> Iterator[Service]:
    """A service of its own. For a soak its table is in a folder: else the database would grow by what is kept."""
    with tempfile.TemporaryDirectory(dir=dynamodb_local.in_memory()) as folder:
        kept = {"DATABASE_DIR": folder} if asked.soak else {}
        with running(0, datetime.now(UTC), DATABASE="dynamodb-local", **kept) as service:
            yield service


def _run(service: Service, asked: argparse.Namespace, console: Console) -> bool:
    busy, *_ = os.getloadavg()
    with bar(console) as progress:
        load = Load(service, progress)
        load.at(FIRST, 3)  # what is made at first is made once, and nobody's figure
        is_fine = _soak(load, service, asked, console) if asked.soak else _tries(load, asked, console)
    # What the figures hang on: who sends, the runner and the database share the cores with whatever else runs here.
    console.print(f"{os.cpu_count()} cores, load average {busy:.1f} when it began, {os.getloadavg()[0]:.1f} at its end")
    return _proved(load, service, console) and is_fine


def _tries(load: Load, asked: argparse.Namespace, console: Console) -> bool:
    tried = list[Tried]()

    def is_steady(rate: float, seconds: float = TRY_SECONDS) -> bool:
        tried.append(load.at(rate, seconds))
        return not tried[-1].unsteady

    if asked.rate:
        is_steady(asked.rate, asked.seconds or TRY_SECONDS)
    else:
        rate = highest(is_steady)
        while rate and not is_steady(rate, HOLD_SECONDS):
            rate *= 0.9
        console.print(f"The highest steady rate: {rate:.3g} reports a second, for {HOLD_SECONDS} seconds")
    _show(tried, console)
    return not any(one.failed for one in tried)


def _soak(load: Load, service: Service, asked: argparse.Namespace, console: Console) -> bool:
    rate, seconds = asked.rate or SOAK_RATE, asked.seconds or SOAK_SECONDS
    with soak.Memory(service.process) as memory:
        tried = load.at(rate, seconds)
    _show([tried], console)
    grown = [soak.growth(samples) for samples in memory.samples.values()]
    shown = Shown("MB of memory", "at first", "warm", "at the end", "a report", "growth", box=SIMPLE_HEAD)
    for name, one in zip(memory.samples, grown, strict=True):
        shown.add_row(name, *(f"{at:.1f}" for at in (one.first, one.warm, one.last)),
                      f"{one.slope * 1024 / rate:+.2f} kB", "yes" if one.is_growth else "none")  # fmt: skip
    console.print(shown)
    if tried.unsteady:
        console.print(f"The service did not hold {rate:g} a second: {tried.unsteady}.")
    return not tried.unsteady and not any(one.is_growth for one in grown)


def _show(tried: list[Tried], console: Console) -> None:
    title = "Milliseconds until an answer, and then until all was done"
    shown = Shown("a second", "sent", *SHARES, "all done after", "verdict", title=title, box=SIMPLE_HEAD)
    for column in shown.columns[:-1]:
        column.justify = "right"
    for one in sorted(tried):
        shown.add_row(f"{one.rate:.3g}", f"{len(one.times):,}", *(f"{ms:,.0f}" for ms in at_shares(one.times)),
                      f"{1000 * one.rest_seconds:,.0f}", one.unsteady or "steady")  # fmt: skip
    console.print(shown)


def _proved(load: Load, service: Service, console: Console) -> bool:
    there = proof.kept(service.table())
    found = list(proof.differences(load.posts, load.answers, there))
    unheard, kept = proof.unheard(load.posts, load.answers, there)
    answered = sum(answer.status == 201 for answer in load.answers.values())
    if unheard:
        console.print(f"{unheard:,} were not answered; {kept:,} of them are in the table, whose answer was lost.")
    for line in islice(found, MOST_SHOWN):
        console.print(line)
    if not found:
        console.print(f"All {answered:,} reports that were answered with 201 are in the table (with those to warm up), "
                      "once and as they were sent, and no others; each was triaged once, and one acknowledgement "
                      "went out.")  # fmt: skip
    else:
        console.print(f"{len(found):,} differences.")
    return not found


if __name__ == "__main__":
    sys.exit(main())
