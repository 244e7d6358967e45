"""This service beside what people would use instead: the same report, sent to each, and what that takes."""

import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from bench import cold, peers
from bench.gauge import Gauge, Run
from chalicelib.forms import EXAMPLES

OURS, PLAIN = "This service", "Chalice's own package"
BOTO3, POWERTOOLS, FASTAPI = "Bare boto3 handler", "Powertools + parser", "FastAPI + Mangum"
AS_TEXT = "Powertools + parser, answers as text"
PEERS = ((BOTO3, "boto3", "/reports"), (POWERTOOLS, "powertools", "/reports"),
         (AS_TEXT, "powertools", "/reports-as-text"), (FASTAPI, "fastapi", "/reports"))  # fmt: skip
WARMED_UP, WARM = 20, 120  # requests of two processes; what the second takes more is what 100 warm requests take
LOOKS = 5
BODY_BYTES = 3_800

Job = tuple[str, int]  # a contestant's name, and how many reports a process of it takes


class Contestant(NamedTuple):
    """Who takes reports: an unpacked package, its handler, and where it wants them sent."""

    package: Path
    handler: str
    path: str = "/reports"


class Cost(NamedTuple):
    """In units of the gauge: a cold start with its first report, and one report of a warm process. Then, of processes
    after their first report: the least seconds of processor, the median kilobytes at the peak. None is not measured.
    """

    cold: float
    warm: float | None = None
    seconds: float | None = None
    peak_kb: float | None = None


class Contest(NamedTuple):
    """What each takes by its name, and what our process had loaded after its first report: modules, AWS clients."""

    costs: Mapping[str, Cost]
    modules: frozenset[str]
    clients: frozenset[str]


def measure(ours: cold.Ours, gauge: Gauge, tell: Callable[[str], None]) -> Contest:
    """Measure all of them. Needs the registry once, for the peers."""
    contestants = {OURS: Contestant(ours.built, "app.app")}
    for name, folder, path in PEERS:
        tell(f"Getting {name}")
        contestants[name] = Contestant(peers.build(folder), "app.handler", path)
    with cold.table() as endpoint:
        environ = {"AWS_ENDPOINT_URL": endpoint, "LETTER_SENDER": "ses", "LETTER_FROM": "letters@example.com"}
        tell("Looking at processes after their first report")
        looks = {name: _looks(one, environ) for name, one in contestants.items()}
        jobs = [(name, requests) for requests in (WARM, WARMED_UP, 1) for name in contestants] + [(PLAIN, 1)]
        found = _counted(jobs, contestants | {PLAIN: Contestant(ours.plain, "app.app")}, environ, gauge, tell)
    costs = {name: _cost(found, name, looks[name]) for name in looks} | {PLAIN: Cost(found[PLAIN, 1])}
    return Contest(costs, frozenset(looks[OURS][0]["modules"]), frozenset(looks[OURS][0]["clients"]))


STEPS = len(PEERS) + 1 + 3 * (len(PEERS) + 1) + 1  # how often `measure` tells


def body() -> str:
    """The report that all are sent, in 3.8 kB of JSON: our example of a theft, with what our other examples miss as
    well, and their words until it is as long.
    """
    report, others = deepcopy(EXAMPLES["theft"]), [EXAMPLES["burglary"], EXAMPLES["criminal_damage"]]
    for other in others:
        report["items"] += other["items"]
    words = 2 * "".join(f" {other['what_happened']}" for other in others).replace("\n", " ").replace("’", "'")
    report["what_happened"] += words[: BODY_BYTES - len(json.dumps(report))]
    return json.dumps(report)


def _calls(contestant: Contestant, requests: int) -> list[tuple[str, Any]]:
    """Reports of as many people, each with a key of its own."""
    sent = body()
    headers = [{"Content_Type": "application/json", "Idempotency_Key": f"{number:032d}"} for number in range(requests)]
    return [(contestant.handler, cold.request("POST", contestant.path, sent, **one)) for one in headers]


def _looks(contestant: Contestant, environ: Mapping[str, str]) -> list[Any]:
    calls = [*_calls(contestant, 1), cold.LOOK]
    return [json.loads(cold.run(contestant.package, calls, environ).stdout)[-1] for _ in range(LOOKS)]


def _counted(
    jobs: Sequence[Job],
    contestants: Mapping[str, Contestant],
    environ: Mapping[str, str],
    gauge: Gauge,
    tell: Callable[[str], None],
) -> dict[Job, float]:
    """What each job takes, some beside each other."""

    def cost(job: Job) -> float:
        name, requests = job
        tell(f"{name}, {requests} {'reports' if requests > 1 else 'report'}")
        run = Run(contestants[name].package, _calls(contestants[name], requests), environ)
        return gauge.cost(lambda: run)

    with ThreadPoolExecutor(gauge.at_once) as pool:
        return dict(zip(jobs, pool.map(cost, jobs), strict=True))


def _cost(found: Mapping[Job, float], name: str, looks: list[Any]) -> Cost:
    warm = (found[name, WARM] - found[name, WARMED_UP]) / (WARM - WARMED_UP)
    peaks = [look["peak_kb"] for look in looks if look["peak_kb"]]
    return Cost(found[name, 1], warm, min(look["seconds"] for look in looks), median(peaks) if peaks else None)
