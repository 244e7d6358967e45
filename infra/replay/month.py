"""`make replay`: one month through the running service, and whether its answers agree with the force's."""

import time
from argparse import Namespace
from concurrent.futures import Executor, ThreadPoolExecutor
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from chalicelib.times import local, read_stamp
from infra.replay.force import OFFICERS, Force
from infra.replay.months import MONTHS, Plan, plan
from infra.replay.service import Service, running, stay

MOST_CALL_BACKS = 0.1  # "our call back rate is less than 10%"


def replay(asked: Namespace, progress: Progress, console: Console) -> bool:
    """Play `asked.reports` of `asked.month`; whether the figures agree."""
    began, planned = time.monotonic(), plan(asked.month, asked.reports)
    # The pool outlives the service: requests under way fail at once when it ends.
    with ThreadPoolExecutor(len(OFFICERS)) as pool, running(asked.port, planned.moments[0]) as service:
        force = Force(service, pool, planned)
        with progress:
            bar = progress.add_task("", total=asked.reports)

            def tell(moment: datetime, sent: int) -> None:
                there = local(moment)
                progress.update(bar, completed=sent, description=f"{there:%a %d %b %H:%M}")
                if not console.is_terminal and there.hour == 23 and there.day % 5 == 0:
                    console.print(f"{there:%d %B %Y}: {sent:,} of {asked.reports:,} reports")

            force.play(tell)
        found = _figures(service, pool, asked.month, force.not_crimed)
        _show(found, asked.month, time.monotonic() - began, console)
        wrong = _differences(found, planned)
        whose = "as the force said" if asked.reports == MONTHS[asked.month].reports else "in the force's proportion"
        console.print("\n".join(wrong) or f"{asked.reports:,} reports and {planned.crimes:,} crimes, {whose}.")
        if asked.stay:
            stay(service, "/dev", console)
    return not wrong


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


def _differences(found: dict[str, Any], planned: Plan) -> list[str]:
    reports, crimes = len(planned.comes), planned.crimes
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
