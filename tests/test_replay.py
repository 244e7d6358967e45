"""The replay of a month, scaled down: a process of its own, as `make replay` starts it."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date, datetime
from random import Random
from zoneinfo import ZoneInfo

import pytest
import requests
from conftest import ROOT

from infra.replay.months import HOUR, MONTHS, arrivals, fates, hours_of
from infra.replay.people import People, body

LONDON = ZoneInfo("Europe/London")


@pytest.fixture
def replays() -> Iterator[list["subprocess.Popen[str]"]]:
    """Replays that a test starts; none outlives it."""
    started: list[subprocess.Popen[str]] = []
    yield started
    for process in started:
        process.kill()
        process.wait()


def start(*arguments: str) -> "subprocess.Popen[str]":
    environment = {name: value for name, value in os.environ.items() if name not in ("CLOCK", "DATABASE")}
    return subprocess.Popen(
        [sys.executable, "-u", "-m", "infra.replay", "--port", "0", *arguments],
        cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def children(parent: int) -> list[int]:
    with open(f"/proc/{parent}/task/{parent}/children") as listed:
        return [int(child) for child in listed.read().split()]


def gone(process: int) -> bool:
    return not os.path.exists(f"/proc/{process}")


def figure(said: str, name: str) -> str:
    found = re.search(rf"│ *{name} *│ *(.+?) *│", said)
    assert found, said
    return found[1]


def test_a_small_month_ends_with_its_figures_and_leaves_nothing_running(
    replays: list["subprocess.Popen[str]"],
) -> None:
    replays.append(start("--reports", "60", "--stay"))
    assert replays[0].stdout
    said = ""
    for line in replays[0].stdout:
        said += line
        if address := re.search(r"goes on at (\S+)/dev", line):
            break
    (service,) = children(replays[0].pid)
    assert address
    token = requests.get(f"{address[1]}/dev/token?role=analyst", timeout=10).json()["token"]
    query = {"from": "2019-03", "to": "2019-03"}
    answer = requests.get(
        f"{address[1]}/statistics", params=query, headers={"Authorization": f"Bearer {token}"}, timeout=10
    )
    replays[0].send_signal(signal.SIGINT)

    assert replays[0].wait(15) == 0
    assert gone(service)
    (month,) = answer.json()["months"]
    assert (month["reports"], month["crimes"], month["open"]) == (60, 40, 0)
    assert (figure(said, "Reports"), figure(said, "Crimes")) == ("60", "40")
    assert figure(said, "recorded by the 24-hour rule") == str(month["crimed_automatically"])
    assert month["crimed_automatically"] > 0
    assert figure(said, "Not crimed") == "20"
    assert figure(said, "Crimed or closed within 24 hours") == "60 (100.0%)"
    assert 0 < month["call_backs"] < 6
    assert "60 reports and 40 crimes" in said


def test_ctrl_c_in_the_middle_leaves_nothing_running(replays: list["subprocess.Popen[str]"]) -> None:
    replays.append(start())
    end = time.monotonic() + 30
    while not (service := children(replays[0].pid)):
        assert time.monotonic() < end
        time.sleep(0.05)
    time.sleep(8)

    replays[0].send_signal(signal.SIGINT)

    assert replays[0].wait(20) == 130
    assert gone(service[0])


@pytest.mark.parametrize("arguments", [("--month", "2018-01"), ("--month", "2020-01"), ("--reports", "3099")])
def test_what_cannot_be_replayed_is_refused_in_one_line(
    arguments: tuple[str, ...], replays: list["subprocess.Popen[str]"]
) -> None:
    replays.append(start(*arguments))

    _, complaint = replays[0].communicate(timeout=20)

    assert replays[0].returncode == 1
    assert complaint.count("\n") == 1


def test_the_months_are_those_that_the_force_told_of() -> None:
    assert sum(month.reports for month in MONTHS.values()) == 27_537
    assert sum(month.crimes or 0 for month in MONTHS.values()) == 16_779
    assert [name for name, month in MONTHS.items() if month.crimes is None] == ["2018-01", "2018-02"]
    assert MONTHS["2019-03"] == (3098, 2076)


@pytest.mark.parametrize(("name", "hours"), [("2019-02", 672), ("2019-03", 743), ("2018-10", 745)])
def test_a_month_begins_and_ends_at_midnight_in_london(name: str, hours: int) -> None:
    found = hours_of(name, 1)

    assert len(found) == hours
    assert found[0].astimezone(LONDON).strftime("%Y-%m-%d %H") == f"{name}-01 00"
    assert found[-1].astimezone(LONDON).hour == 23


@pytest.mark.parametrize("reports", [1, 5, 60, 3098])
def test_fates_add_up(reports: int) -> None:
    crimes, chance, hours = round(reports * 2076 / 3098), Random(1), hours_of("2019-03", reports / 3098)
    comes = arrivals(hours, reports, chance)

    found = fates(comes, crimes, hours[-1] + HOUR, chance)

    assert sum(not fate.reason for fate in found) == crimes
    assert sum(bool(fate.call_back) for fate in found) < reports / 10
    for place, fate in enumerate(found):
        assert not (fate.is_left and fate.reason)
        assert not fate.is_left or comes[place] < hours[-1] - 24 * HOUR
        assert (fate.original is not None) == (fate.reason == "duplicate")
        assert fate.original is None or (fate.original < place and not found[fate.original].original)


def test_invented_people_can_be_nobody_real() -> None:
    people, at = People(1), datetime(2019, 3, 1, 12, tzinfo=LONDON)

    reports = [people.report(at, "", scant=False) for _ in range(200)]

    for report in reports:
        assert body(report, at)
        contact = report["contact"]
        assert re.fullmatch(r"0121 496 0\d{3}|07700 900\d{3}", contact["phone"])
        assert re.fullmatch(r"[a-z.]+\d+@example\.(com|org)", contact.get("email", "a1@example.com"))
        assert date.fromisoformat(report["when"]["end_date"]) <= at.date()
    assert {report["category"] for report in reports} == {"burglary", "theft", "criminal_damage"}
