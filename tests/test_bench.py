"""The bench without measuring: its pieces work, the peers do the same work as we, figures are compared."""

import io
import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import boto3
import pytest
from pydantic import TypeAdapter, ValidationError
from rich.console import Console

from bench import baseline, cold, contest, functions, goals, peers, show
from bench.__main__ import checked
from bench.capacity import Spent
from bench.contest import BOTO3, OURS, PLAIN, POWERTOOLS, Contest, Cost
from bench.gauge import INSTRUCTIONS, SECONDS, Gauge, Run
from bench.goals import GOALS, Figure, Found, compare
from bench.peers.model import Report
from bench.sweep import Sweep
from chalicelib.forms import EXAMPLES, read_json
from tests.reports import LEAST

ROOT = Path(__file__).parents[1]
PEERS = sorted({folder for _, folder, _ in contest.PEERS})
FEW = Spent(40, 8, 100)


# The peers do the same work


report = TypeAdapter[Any](Report)


@pytest.mark.parametrize("category", EXAMPLES)
def test_the_model_of_the_peers_takes_what_ours_takes(category: str) -> None:
    answers = EXAMPLES[category]
    assert report.validate_python(answers).model_dump(mode="json", exclude_none=True) == answers
    assert report.validate_python(LEAST).category == "theft"


@pytest.mark.parametrize("name", LEAST)
def test_the_model_of_the_peers_refuses_a_report_that_lacks_an_answer(name: str) -> None:
    with pytest.raises(ValidationError, match=name):
        report.validate_python({key: answer for key, answer in LEAST.items() if key != name})


@pytest.mark.parametrize(
    ("section", "answers"),
    [
        ("about", {"kind": "house"}),
        ("about", {"kind": "from_shop", "colour": "red"}),
        ("contact", {"full_name": "Ann Example"}),
        ("contact", {"full_name": "Ann Example", "email": "ann"}),
        ("where", {"postcode": "B138AAA"}),
        ("when", {"start_date": "2019-01-02", "end_date": "2019-01-01"}),
        ("when", {"start_time": "25:00"}),
        ("items", [{"value": -1}]),
    ],
)
def test_the_model_of_the_peers_refuses_wrong_answers(section: str, answers: Any) -> None:
    with pytest.raises(ValidationError, match=section):
        report.validate_python(LEAST | {section: answers})


def test_all_are_sent_a_report_that_all_take() -> None:
    body = contest.body()
    assert len(body) == contest.BODY_BYTES
    assert read_json(body, date(2026, 11, 23)).category == report.validate_json(body).category == "theft"


@pytest.mark.parametrize("peer", PEERS)
def test_the_peers_have_the_versions_that_we_have(peer: str) -> None:
    ours = _pins(ROOT / "requirements.txt")
    theirs = _pins(peers.HERE / peer / "requirements.txt")
    assert {"boto3", "botocore"} <= theirs.keys()
    assert {name: pin for name, pin in theirs.items() if name in ours} == {
        name: pin for name, pin in ours.items() if name in theirs
    }


def _pins(path: Path) -> dict[str, str]:
    return dict(line.split("==") for line in path.read_text().splitlines() if not line.startswith((" ", "#")))


@pytest.mark.parametrize(("peer", "path"), [("boto3", ""), ("powertools", ""), ("powertools", "-as-text")])
def test_a_peer_stores_a_report(peer: str, path: str, tmp_path: Path) -> None:
    """With what is installed here, so without FastAPI; `make bench` runs all in environments of their own."""
    for installed in Path(boto3.__file__).parents[1].iterdir():
        (tmp_path / installed.name).symlink_to(installed)
    for file in (peers.HERE / peer / "app.py", *(peers.HERE / name for name in peers.SHARED)):
        (tmp_path / file.name).symlink_to(file)
    with cold.table() as endpoint:
        sent = cold.request("POST", f"/reports{path}", contest.body(), Idempotency_Key="k" * 32)
        done = cold.run(tmp_path, [("app.handler", sent), cold.LOOK], {"AWS_ENDPOINT_URL": endpoint})
    answer, seen = json.loads(done.stdout)
    assert answer["statusCode"] == 201 and json.loads(answer["body"]) == {"reference": "k" * 32}
    assert seen["clients"] == ["DynamoDB"] and "boto3" in seen["modules"] and seen["peak_kb"] > 10_000


# What a process takes


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A handler that prints and answers what it was sent."""
    folder = tmp_path / "package"
    folder.mkdir()
    (folder / "app.py").write_text("def handler(event, context):\n    print('said', event)\n    return event\n")
    return folder


def test_without_valgrind_seconds_of_the_processor_are_taken(package: Path) -> None:
    made: list[int] = []

    def run() -> Run:
        made.append(1)
        return Run(package, [("app.handler", {"statusCode": 201})], {}, says="said")

    assert 0.001 < Gauge(SECONDS, 1).cost(run) < 10
    assert len(made) > 1  # each time from the beginning: what was done once cannot be done again


def test_with_valgrind_its_count_is_taken(package: Path, tmp_path: Path) -> None:
    valgrind = tmp_path / "valgrind"
    valgrind.write_text(
        '#!/bin/sh\nshift 3\n"$@"; ended=$?\necho "==1== I   refs:      1,040,200,017" >&2\nexit $ended\n'
    )
    valgrind.chmod(0o755)
    run = Run(package, [("app.handler", None)], {"PATH": f"{tmp_path}:/usr/bin:/bin"})
    assert Gauge(INSTRUCTIONS, 2).cost(lambda: run) == 1_040_200_017


@pytest.mark.parametrize(("answer", "says"), [({"statusCode": 500}, "said"), ({"statusCode": 201}, "stored")])
def test_what_does_not_go_well_is_not_measured(package: Path, answer: Any, says: str) -> None:
    with pytest.raises(AssertionError):
        Gauge(SECONDS, 1).cost(lambda: Run(package, [("app.handler", answer)], {}, says))


def test_each_function_has_its_cold_start_measured() -> None:
    declared = set(re.findall(r'name="(\w+)"', (ROOT / "app.py").read_text()))
    measured = {one.handler.removeprefix("app.") for one in functions.FUNCTIONS.values()}
    assert len(declared) > 8 and measured == declared | {"app"}


# Goals and baseline


def swept(few: Spent = FEW, many: Spent = FEW, rate: float = 0.8) -> Sweep:
    """A sweep among few open reports, and among many."""
    return Sweep({2_000: few, 20_000: few, 100_000: many}, 800, 1_000, 1_200, rate)


def found(**other: Any) -> Found:
    """A run in which every goal is reached, or nearly any other."""
    costs = {
        OURS: Cost(900.0, 4.0, 0.2, 40_000),
        BOTO3: Cost(1_000.0, 8.0, 0.3, 50_000),
        POWERTOOLS: Cost(1_500.0, 10.0, 0.4, 60_000),
        PLAIN: Cost(4_500.0),
    }
    sizes = cold.Ours(Path("a"), Path("b"), cold.Size(10, 30), cold.Size(20, 40))
    made = Found(
        INSTRUCTIONS,
        sizes,
        Contest(costs, frozenset({"chalice", "chalicelib.store"}), frozenset({"DynamoDB"})),
        {name: 800.0 for name in functions.FUNCTIONS},
        swept(),
        {goals.SUBMISSION: Spent(1, 0, 3)},
    )
    return Found(**{**vars(made), **other})


def costing(name: str, **other: float) -> Contest:
    """The contest in which one takes something else."""
    contest = found().contest
    return contest._replace(costs={**contest.costs, name: contest.costs[name]._replace(**other)})


def test_each_of_the_eight_goals_has_its_figure() -> None:
    assert [goal.number for goal in GOALS] == [1, 2, 3, 4, 5, 5, 6, 7, 7, 8]
    assert [goal.figure(found()).value for goal in GOALS] == [0.2, 0.9, 0.8, 0.4, 1, 1, 0.8, 1, 3, 0]
    assert list(goals.missed(found())) == []


@pytest.mark.parametrize(
    ("number", "other"),
    [
        (1, {"contest": costing(PLAIN, cold=2_000)}),
        (2, {"contest": costing(BOTO3, cold=850)}),
        (3, {"contest": costing(OURS, peak_kb=49_000)}),
        (4, {"contest": costing(OURS, warm=4.6)}),
        (5, {"sweep": swept(many=Spent(41, 8, 100))}),
        (5, {"sweep": swept(many=Spent(40, 8.5, 100))}),
        (6, {"sweep": swept(rate=0.69)}),
        (7, {"operations": {goals.SUBMISSION: Spent(2, 0, 3)}}),
        (7, {"operations": {goals.SUBMISSION: Spent(1, 0, 3.5)}}),
        (8, {"contest": found().contest._replace(modules=frozenset({"jinja2.environment"}))}),
        (8, {"contest": found().contest._replace(modules=frozenset({"boto3"}))}),
        (8, {"contest": found().contest._replace(clients=frozenset({"DynamoDB", "SESV2"}))}),
    ],
)
def test_a_goal_that_is_missed_is_named(number: int, other: dict[str, Any]) -> None:
    (said,) = goals.missed(found(**other))
    assert said.startswith(f"Goal {number}, ")


def test_a_figure_has_changed_only_by_more_than_its_noise() -> None:
    before = {"less": 1.0, "more": 1.0, "same": 1.0, "rate": 1.0, "slower": 1.0, "none": 0.0, "some": 0.0}
    now = {
        "less": Figure(0.97, 0.02),
        "more": Figure(1.03, 0.02),
        "same": Figure(1.019, 0.02),
        "rate": Figure(1.3, 0.2, more_is_better=True),
        "slower": Figure(0.7, 0.2, more_is_better=True),
        "none": Figure(0, 0.02),
        "some": Figure(1, 0),
    }
    changes = compare(now, before)
    assert changes.better == ["less: was 1, is 0.97 (2% is noise)", "rate: was 1, is 1.3 (20% is noise)"]
    assert [one.partition(":")[0] for one in changes.worse] == ["more", "slower", "some"]
    assert changes.unknown == []


def test_what_was_measured_or_accepted_alone_is_said() -> None:
    changes = compare({"new": Figure(1.0), "lost": Figure(None)}, {"lost": 1.0, "gone": 1.0})
    assert changes.unknown == ["gone: not measured", "lost: not measured", "new: not accepted yet"]
    assert changes.worse == changes.better == []


def told(run: Found, path: Path) -> tuple[int, str]:
    """The exit code of a check against the baseline at `path`, and what it says."""
    said = io.StringIO()
    code = checked(run, Console(file=said, width=200), path)
    return code, said.getvalue()


def test_a_run_is_held_against_what_was_accepted(tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    baseline.accept(found(), path)
    kept = json.loads(path.read_text())
    assert list(kept) == sorted(kept) and len(kept) == len(GOALS) + len(functions.FUNCTIONS) + 1
    assert told(found(), path) == (0, "")

    code, said = told(found(contest=costing(OURS, cold=950)), path)  # no goal is missed by that
    assert code == 1 and said.count("Worse: ") == 2 and "bare boto3 handler: was 0.9, is 0.95 (2% is noise)" in said
    code, said = told(found(contest=costing(OURS, warm=3.0)), path)
    assert code == 0 and "Better: Warm submission" in said and "ACCEPT=1" in said
    code, said = told(found(sweep=None), path)
    assert code == 1 and said.count("not measured") == 3
    code, said = told(found(unit=SECONDS), path)
    assert code == 1 and "not held against the baseline" in said
    assert told(found(), tmp_path / "none.json")[0] == 1


@pytest.mark.parametrize("lacking", [{"operations": None}, {"unit": SECONDS}])
def test_nothing_is_accepted_that_was_not_measured(lacking: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="nothing is accepted without"):
        baseline.accept(found(**lacking), tmp_path / "baseline.json")
    assert not (tmp_path / "baseline.json").exists()


def test_what_is_accepted_is_what_is_measured() -> None:
    assert json.loads(baseline.HERE.read_text()).keys() == goals.figures(found()).keys()


# How it looks


def shown(run: Found) -> str:
    """The tables as text."""
    said = io.StringIO()
    Console(file=said, width=200).print(*show.tables(run))
    return said.getvalue()


def test_the_tables_have_it_all() -> None:
    said = shown(found())
    for expected in (*(goal.what for goal in GOALS), *functions.FUNCTIONS, goals.SUBMISSION, "100,000", "0.50"):
        assert expected in said
    assert said.count("beyond") == 1 and said.count("reached") == 9 and "missed" not in said


def test_the_tables_say_what_could_not_be_measured() -> None:
    said = shown(found(sweep=None, operations=None))
    assert said.count("not measured") == 5 and "Requests" not in said
    assert "missed" in shown(found(contest=costing(OURS, warm=9.0)))


def test_where_nobody_watches_each_step_is_a_line() -> None:
    said = io.StringIO()
    with show.Steps(Console(file=said, width=200), 3) as steps:
        with steps.part(1):
            steps.tell("one")
            steps.tell("two")  # more than it was said to have
        with steps.part(2):
            pass
        assert steps.completed == 3
    assert said.getvalue() == "one\ntwo\n"
