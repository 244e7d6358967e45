"""The replay of a month, scaled down: a process of its own, as `make replay` starts it."""

import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from argparse import Namespace
from collections.abc import Iterator
from contextlib import closing
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import requests
from conftest import ROOT
from rich.console import Console
from rich.progress import Progress

from infra.local import dynamodb_local as database
from infra.replay import whole
from infra.replay.checkpoints import DATABASE, Checkpoints
from infra.replay.months import HOUR, MONTHS, crimes_of, moments_of, plan
from infra.replay.people import People, body
from infra.replay.service import Failed

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


def test_where_the_force_told_no_crimes_the_share_of_all_other_months_is_played() -> None:
    others = [month for month in MONTHS.values() if month.crimes is not None]
    share = sum(month.crimes or 0 for month in others) / sum(month.reports for month in others)
    assert crimes_of("2018-01") == round(619 * share) == 394
    assert crimes_of("2019-03") == 2076


@pytest.mark.parametrize(("name", "days"), [("2019-02", 28), ("2019-03", 31), ("2018-10", 31), ("2018-01", 31)])
def test_a_month_is_all_of_its_days_in_london(name: str, days: int) -> None:
    there = [moment.astimezone(LONDON) for moment in moments_of(name, 1)]

    assert {f"{moment:%Y-%m}" for moment in there} == {name}
    assert [moment.hour for moment in there] == [12, 23] * days
    assert there == sorted(there)


@pytest.mark.parametrize("name", MONTHS)
def test_each_month_is_planned_as_the_force_told_and_the_same_each_time(name: str) -> None:
    found = plan(name, MONTHS[name].reports)

    assert len(found.comes) == len(found.fates) == MONTHS[name].reports
    assert sum(not fate.reason for fate in found.fates) == found.crimes == crimes_of(name)
    assert found == plan(name, MONTHS[name].reports)
    assert found.fates != plan(next(month for month in MONTHS if month != name), 569).fates


@pytest.mark.parametrize("reports", [1, 5, 60, 3098])
def test_fates_add_up(reports: int) -> None:
    _, hours, comes, found, crimes = plan("2019-03", reports)

    assert crimes == round(reports * 2076 / 3098)
    assert sum(not fate.reason for fate in found) == crimes
    assert sum(bool(fate.call_back) for fate in found) < reports / 10
    for place, fate in enumerate(found):
        assert not (fate.is_left and fate.reason)
        assert not fate.is_left or comes[place] < hours[-1] - 24 * HOUR
        assert (fate.original is not None) == (fate.reason == "duplicate")
        assert fate.original is None or (fate.original < place and not found[fate.original].original)


def test_invented_people_can_be_nobody_real() -> None:
    people, at = People("1"), datetime(2019, 3, 1, 12, tzinfo=LONDON)

    reports = [people.report(at, "", scant=False) for _ in range(200)]

    for report in reports:
        assert body(report, at)
        contact = report["contact"]
        assert re.fullmatch(r"0121 496 0\d{3}|07700 900\d{3}", contact["phone"])
        assert re.fullmatch(r"[a-z.]+\d+@example\.(com|org)", contact.get("email", "a1@example.com"))
        assert date.fromisoformat(report["when"]["end_date"]) <= at.date()
    assert {report["category"] for report in reports} == {"burglary", "theft", "criminal_damage"}


# ---- all months: ended at any moment, it goes on after the last whole one


def test_what_is_left_to_play_follows_what_was_played_last() -> None:
    months = [*MONTHS]
    assert whole.remaining(months, None) == months
    assert whole.remaining(months, "2019-04") == ["2019-05", "2019-06"]
    assert whole.remaining(months, "2019-06") == []


def database_of(folder: Path, *words: str) -> Path:
    """A database as DynamoDB Local has it: a table, and `us`, the records of its stream."""
    folder.mkdir(exist_ok=True)
    with closing(sqlite3.connect(folder / DATABASE)) as made, made:
        for table in ("items", "us"):
            made.execute(f"CREATE TABLE IF NOT EXISTS {table} (word TEXT)")
            made.executemany(f"INSERT INTO {table} VALUES (?)", [(word,) for word in words])
    return folder


def words_in(folder: Path, table: str = "items") -> list[str]:
    with closing(sqlite3.connect(folder / DATABASE)) as there:
        return [word for (word,) in there.execute(f"SELECT word FROM {table}")]


def test_a_checkpoint_is_the_table_after_a_month_without_its_stream(tmp_path: Path) -> None:
    live, restored = database_of(tmp_path / "live", "May"), tmp_path / "restored"
    restored.mkdir()
    checkpoints = Checkpoints(tmp_path / "kept", [])
    assert checkpoints.last([*MONTHS]) is None
    checkpoints.keep("2018-05", live)
    database_of(live, "half of June")

    again = Checkpoints(tmp_path / "kept", [])
    assert again.last([*MONTHS]) == "2018-05"
    again.restore("2018-05", restored)

    assert words_in(restored) == ["May"]
    assert words_in(restored, "us") == []  # it was handled: nobody is told it again
    assert words_in(live, "us") == ["May", "half of June"]


def test_only_the_last_checkpoint_is_kept_and_one_that_was_cut_off_is_none(tmp_path: Path) -> None:
    live, folder = database_of(tmp_path / "live", "May"), tmp_path / "kept"
    checkpoints = Checkpoints(folder, [])
    checkpoints.keep("2018-05", live)
    (folder / "new.db").write_bytes(b"half a copy")  # killed while it kept June
    assert checkpoints.last([*MONTHS]) == "2018-05"

    checkpoints.keep("2018-06", live)

    assert checkpoints.last([*MONTHS]) == "2018-06"
    assert len(list(folder.glob("*.db"))) == 1
    checkpoints.forget()
    assert checkpoints.last([*MONTHS]) is None


def test_a_checkpoint_of_another_version_of_the_service_is_of_no_use(tmp_path: Path) -> None:
    live, sources = database_of(tmp_path / "live", "May"), tmp_path / "sources"
    sources.mkdir()
    (sources / "code.py").write_text("one = 1")
    Checkpoints(tmp_path / "kept", [sources]).keep("2018-05", live)
    same = Checkpoints(tmp_path / "kept", [sources])
    assert (same.last([*MONTHS]), same.others()) == ("2018-05", False)

    (sources / "code.py").write_text("one = 2")

    changed = Checkpoints(tmp_path / "kept", [sources])
    assert (changed.last([*MONTHS]), changed.others()) == (None, True)
    changed.keep("2018-03", live)
    assert not changed.others()


def test_two_replays_of_all_months_do_not_share_a_database(tmp_path: Path) -> None:
    with whole._alone(tmp_path) as live:
        database_of(live, "left by one that was killed")
        with pytest.raises(Failed, match="under way"), whole._alone(tmp_path):
            pass
    assert not live.exists()
    live.mkdir()
    database_of(live, "left by one that was killed")
    with whole._alone(tmp_path) as again:
        assert again == live and not any(again.iterdir())


def test_without_java_it_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        whole, "missing", lambda: "DynamoDB Local needs Java (Debian: apt install default-jre-headless)"
    )
    with pytest.raises(Failed, match="needs Java"):
        whole.replay(Namespace(), Progress(), Console())


class Interrupted(Progress):
    """Somebody presses Ctrl-C in the middle of March 2018."""

    def update(self, *arguments: Any, **more: Any) -> None:
        if more.get("description", "").startswith("02 Mar 2018 23"):
            raise KeyboardInterrupt


def test_all_months_are_played_once_although_it_was_ended_in_between(tmp_path: Path) -> None:
    if lacking := database.missing():
        pytest.skip(lacking)
    counts, asked, said = {"2018-02": 9, "2018-03": 9}, Namespace(port=0, stay=False), Console(record=True, width=150)
    checkpoints = Checkpoints(tmp_path / "kept", [])
    lives = [tmp_path / "first", tmp_path / "second"]
    for live in lives:
        live.mkdir()
    with pytest.raises(KeyboardInterrupt):
        whole.play(counts, checkpoints, lives[0], asked, Interrupted(disable=True), said)
    assert checkpoints.last([*counts]) == "2018-02"

    assert whole.play(counts, checkpoints, lives[1], asked, Progress(disable=True), said)

    text = said.export_text()
    assert "The months up to 2018-02 have been played" in text
    assert "18 reports, and 6 crimes where the force told them, as it said." in text
    assert "Of 2018-02 it told no crimes" in text
    assert "9 reports played in" in text
    assert checkpoints.last([*counts]) == "2018-03"
