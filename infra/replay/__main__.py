"""`make replay`: a month of the force's figures through the running service, and whether its answers agree."""

import argparse
import os
import signal
import sys
import time
from concurrent.futures import Executor, ThreadPoolExecutor
from datetime import datetime
from random import Random
from typing import Any, NoReturn

from requests import RequestException
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from chalicelib.times import local, read_stamp
from infra.replay.force import OFFICERS, Force
from infra.replay.months import HOUR, MONTHS, arrivals, fates, hours_of
from infra.replay.people import People
from infra.replay.service import Failed, Service, running

SEED = 20190301
MOST_CALL_BACKS = 0.1  # "our call back rate is less than 10%"


def main() -> int:
    """Replay the month that was asked for; the exit code says whether the figures agree."""
    asked, console = _asked(), Console()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    try:
        return _replay(asked, console)
    except KeyboardInterrupt:
        console.print("Ended.")
        return 130
    except (Failed, RequestException) as failure:
        print(failure if isinstance(failure, Failed) else "The service does not answer", file=sys.stderr)
        return 1


def _replay(asked: argparse.Namespace, console: Console) -> int:
    began, chance = time.monotonic(), Random(SEED)
    figures = MONTHS[asked.month]
    crimes = round(figures.crimes * asked.reports / figures.reports)
    hours = hours_of(asked.month, asked.reports / figures.reports)
    comes = arrivals(hours, asked.reports, chance)
    destined = fates(comes, crimes, hours[-1] + HOUR, chance)
    # The pool outlives the service: requests under way fail at once when it ends.
    with ThreadPoolExecutor(len(OFFICERS)) as pool, running(asked.port, hours[0]) as service:
        force = Force(service, pool, People(SEED), comes, destined)
        _play(force, hours, asked.reports, console)
        found = _figures(service, pool, asked.month, force.not_crimed)
        _show(found, asked.month, time.monotonic() - began, console)
        wrong = _differences(found, asked.reports, crimes)
        whose = "as the force said" if asked.reports == figures.reports else "in the force's proportion"
        console.print("\n".join(wrong) or f"{asked.reports:,} reports and {crimes:,} crimes, {whose}.")
        if asked.stay:
            _stay(service, console)
    return 1 if wrong else 0


def _play(force: Force, hours: list[datetime], reports: int, console: Console) -> None:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        bar = progress.add_task("", total=reports)

        def tell(hour: datetime, sent: int) -> None:
            there = local(hour)
            progress.update(bar, completed=sent, description=f"{there:%a %d %b %H:%M}")
            if not console.is_terminal and there.hour == 23 and there.day % 5 == 0:
                console.print(f"{there:%d %B %Y}: {sent:,} of {reports:,} reports")

        force.play(hours, tell)


def _figures(service: Service, pool: Executor, month: str, not_crimed: list[str]) -> dict[str, Any]:
    """What the service answers, and what its histories say of the reports that were closed without a crime."""
    analyst, supervisor = service.token("analyst", "Ada Frost"), service.token("supervisor", "Sunil Gray")
    query = {"from": month, "to": month}
    (found,) = service.get("/statistics", token=analyst, **query)["months"]
    read = pool.map(lambda reference: service.get(f"/triage/{reference}", token=supervisor), not_crimed)
    in_time = sum(_closed_in_time(report) for report in read)
    letters = len(service.get("/dev/outbox")["letters"])
    return {**found, "closed_within_24h": in_time, "letters": letters}


def _closed_in_time(report: dict[str, Any]) -> bool:
    closed = [entry["at"] for entry in report["history"] if entry["what"] == "not_crimed"]
    return any(read_stamp(at) <= read_stamp(report["deadline"]) for at in closed)


def _differences(found: dict[str, Any], reports: int, crimes: int) -> list[str]:
    expected = {
        "reports": reports,
        "crimes": crimes,
        "open": 0,
        "crimed_within_24h": crimes,
        "closed_within_24h": reports - crimes,
    }
    wrong = [f"{name}: {found[name]:,}, not {right:,}" for name, right in expected.items() if found[name] != right]
    if found["call_backs"] >= MOST_CALL_BACKS * reports:
        wrong.append(f"call_backs: {found['call_backs']:,}, not under {MOST_CALL_BACKS:.0%} of {reports:,}")
    return wrong


def _show(found: dict[str, Any], month: str, seconds: float, console: Console) -> None:
    table = Table("The service says", month, title_justify="left")
    table.columns[1].justify = "right"
    by_rule, in_time = found["crimed_automatically"], found["crimed_within_24h"] + found["closed_within_24h"]
    rows = {
        "Reports": f"{found['reports']:,}",
        "Crimes": f"{found['crimes']:,}",
        "  recorded by officers": f"{found['crimes'] - by_rule:,}",
        "  recorded by the 24-hour rule": f"{by_rule:,}",
        "Not crimed": f"{sum(found['not_crimed'].values()):,}",
        **{f"  {reason.replace('_', ' ')}": f"{count:,}" for reason, count in found["not_crimed"].items()},
        "Call-backs": f"{found['call_backs']:,} ({found['call_backs'] / max(1, found['reports']):.1%})",
        "Crimed or closed within 24 hours": f"{in_time:,} ({in_time / max(1, found['reports']):.1%})",
        "Letters sent": f"{found['letters']:,}",
        "Time taken": f"{seconds // 60:.0f} min {seconds % 60:.0f} s",
    }
    for row in rows.items():
        table.add_row(*row)
    console.print(table)


def _stay(service: Service, console: Console) -> None:
    console.print(f"The service goes on at {service.url}/dev until you press Ctrl-C.")
    try:
        signal.pause()
    except KeyboardInterrupt:
        return


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m infra.replay", description=__doc__)
    parser.add_argument("--month", default="2019-03", help="such as 2019-03, the busiest")
    parser.add_argument(
        "--port", type=int, default=os.environ.get("PORT") or 8000, help="of the service (0 picks a free one)"
    )
    parser.add_argument("--reports", type=int, help="fewer than the month had, for a quick look")
    parser.add_argument("--stay", action="store_true", help="leave the service running until Ctrl-C")
    asked = parser.parse_args()
    figures = MONTHS.get(asked.month)
    if not figures or figures.crimes is None:
        raise SystemExit(f"{asked.month} cannot be replayed: reports and crimes are both known from 2018-03 to 2019-06")
    asked.reports = figures.reports if asked.reports is None else asked.reports
    if not 1 <= asked.reports <= figures.reports:
        raise SystemExit(f"--reports is a number from 1 to {figures.reports}, the reports of {asked.month}")
    return asked


def _interrupt(*_: Any) -> NoReturn:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # once is enough: what follows ends the service in good order
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
