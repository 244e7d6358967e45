"""`make replay ARGS="--all"`: all months that the force told of, one after the other, over DynamoDB Local.

It goes on where it was ended: after each month the table is kept (see `checkpoints.py`).
"""

import fcntl
import hashlib
import shutil
import time
from argparse import Namespace
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from chalicelib.times import local
from infra.local.dynamodb_local import in_memory, missing
from infra.replay.checkpoints import Checkpoints
from infra.replay.force import OFFICERS, Force
from infra.replay.months import MONTHS, TABLES, plan
from infra.replay.service import Failed, Service, running, stay

FOLDER = Path(".cache/replay")
SOURCES = (Path("app.py"), Path("chalicelib"), Path("infra/data.yaml"), Path("infra/replay"), TABLES)

Counts = dict[str, int]
"""How many reports to play of each month, in order."""


def replay(asked: Namespace, progress: Progress, console: Console) -> bool:
    """Play all months that have not been played yet; whether the service's tables are the force's."""
    if lacking := missing():
        raise Failed(f"All months are replayed over DynamoDB Local. {lacking}")
    counts = {month: figures.reports for month, figures in MONTHS.items()}
    with _alone(FOLDER) as live:
        checkpoints = Checkpoints(FOLDER, SOURCES)
        if asked.fresh:
            checkpoints.forget()
        return play(counts, checkpoints, live, asked, progress, console)


def play(
    counts: Counts, checkpoints: Checkpoints, live: Path, asked: Namespace, progress: Progress, console: Console
) -> bool:
    """Play what `checkpoints` do not have of `counts`, with the database in the folder `live`, and compare."""
    began, months = time.monotonic(), [*counts]
    left = remaining(months, checkpoints.last(months))
    _begin(months, left, checkpoints, live, console)
    clock = plan(left[0], counts[left[0]]).moments[0] if left else _end(months[-1], counts)
    settings = {"DATABASE": "dynamodb-local", "DATABASE_DIR": str(live)}
    # The pool outlives the service: requests under way fail at once when it ends.
    with ThreadPoolExecutor(len(OFFICERS)) as pool, running(asked.port, clock, **settings) as service:
        with progress:
            _play_months(left, counts, service, pool, checkpoints, live, progress, console)
        rows = _figures(service, months)
        wrong = _show(rows, counts, console)
        played = sum(counts[month] for month in left)
        _sum_up(wrong, rows, played, time.monotonic() - began, console)
        if asked.stay:
            stay(service, "/statistics", console)
    return not wrong


def remaining(months: Sequence[str], last: str | None) -> list[str]:
    """The months that are left to play after the one that was played last."""
    return [month for month in months if last is None or month > last]


def _begin(months: list[str], left: list[str], checkpoints: Checkpoints, live: Path, console: Console) -> None:
    if left != months:
        done = months[len(months) - len(left) - 1]
        checkpoints.restore(done, live)
        console.print(f"The months up to {done} have been played: going on from there (--fresh begins again).")
    elif checkpoints.others():
        console.print("What was played before is of another version of the service: beginning again.")


def _play_months(
    left: list[str], counts: Counts, service: Service, pool: Executor, checkpoints: Checkpoints, live: Path,
    progress: Progress, console: Console,
) -> None:  # fmt: skip
    before = sum(counts.values()) - sum(counts[month] for month in left)
    bar = progress.add_task("", total=sum(counts.values()), completed=before)
    for month in left:
        began = time.monotonic()

        def tell(moment: datetime, sent: int, before: int = before) -> None:
            progress.update(bar, completed=before + sent, description=f"{local(moment):%d %b %Y %H:%M}")

        Force(service, pool, plan(month, counts[month])).play(tell)
        checkpoints.keep(month, live)
        before += counts[month]
        if not console.is_terminal:
            console.print(f"{month}: {before:,} reports so far, this month in {time.monotonic() - began:.0f} s")


def _end(month: str, counts: Counts) -> datetime:
    return plan(month, counts[month]).moments[-1]


def _figures(service: Service, months: list[str]) -> list[dict[str, Any]]:
    analyst = service.token("analyst", "Ada Frost")
    found: list[dict[str, Any]] = service.get("/statistics", token=analyst, **{"from": months[0], "to": months[-1]})[
        "months"
    ]
    return found


def _show(rows: list[dict[str, Any]], counts: Counts, console: Console) -> list[str]:
    """The force's two tables beside the service's; gives what is otherwise in them."""
    table = Table("Month", "Reports: force", "service", "Crimes: force", "service", "Within 24 h", "Open")
    for column in table.columns[1:]:
        column.justify = "right"
    wrong = []
    for row in rows:
        reports, crimes = counts[row["month"]], _crimes(row["month"], counts)
        wrong += _differences(row, reports, crimes)
        told = "not told" if crimes is None else f"{crimes:,}"
        said = f"{row['reports']:,}", told, f"{row['crimes']:,}", f"{row['crimed_within_24h']:,}", f"{row['open']:,}"
        table.add_row(row["month"], f"{reports:,}", *said)
    console.print(table)
    return wrong


def _crimes(month: str, counts: Counts) -> int | None:
    """The crimes there must be; None where the force does not tell, and any number will do."""
    return None if MONTHS[month].crimes is None else plan(month, counts[month]).crimes


def _differences(row: dict[str, Any], reports: int, crimes: int | None) -> list[str]:
    expected = {"reports": reports, "crimes": crimes, "crimed_within_24h": crimes, "open": 0}
    return [f"{row['month']} {name}: {row[name]:,}, not {right:,}" for name, right in expected.items()
            if right is not None and row[name] != right]  # fmt: skip


def _sum_up(wrong: list[str], rows: list[dict[str, Any]], played: int, seconds: float, console: Console) -> None:
    reports = sum(row["reports"] for row in rows)
    crimes = sum(row["crimes"] for row in rows if MONTHS[row["month"]].crimes is not None)
    unknown = [row["month"] for row in rows if MONTHS[row["month"]].crimes is None]
    console.print(
        "\n".join(wrong) or f"{reports:,} reports, and {crimes:,} crimes where the force told them, as it said."
    )
    if unknown:
        console.print(f"Of {' and '.join(unknown)} it told no crimes: the share of all other months was played.")
    console.print(f"{played:,} reports played in {seconds // 60:.0f} min {seconds % 60:.0f} s.")


@contextmanager
def _alone(folder: Path) -> Iterator[Path]:
    """A folder for the database while it is in use: in memory, where there is such a thing, as DynamoDB Local waits
    for the disk at each write otherwise. Nothing in it is needed once it is gone, and one at a time may have it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Failed("Another replay of all months is under way here") from None
        us = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:12]
        live = in_memory() / f"crime-reports-replay-{us}"
        shutil.rmtree(live, ignore_errors=True)  # of one that was killed
        live.mkdir(mode=0o700)
        try:
            yield live
        finally:
            shutil.rmtree(live, ignore_errors=True)
