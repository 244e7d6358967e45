"""The goals (`docs/adr/0033-bench.md`), and what else must not get worse: ratios, each measured in one run. Pure."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from bench.capacity import Spent
from bench.cold import Ours
from bench.contest import BOTO3, OURS, PLAIN, POWERTOOLS, Contest, Cost
from bench.sweep import Sweep

SUBMISSION = "A report is sent"
FEW, MANY = 2_000, 100_000
UNWANTED_MODULES = ("jinja2", "phonenumbers", "boto3", "notifications_python_client")
UNWANTED_CLIENTS = ("SES", "SESV2")
NOISE = 0.02  # of instructions, bytes, kilobytes: repeats agree to 0.003, and another patch of Python moves the rest


@dataclass(frozen=True)
class Found:
    """All that was measured in one run, in `unit`. None is what could not be measured here."""

    unit: str
    packages: Ours
    contest: Contest
    functions: Mapping[str, float]
    sweep: Sweep | None
    operations: Mapping[str, Spent] | None

    def cost(self, name: str) -> Cost:
        """What a contestant takes."""
        return self.contest.costs[name]


@dataclass(frozen=True)
class Figure:
    """One number, and how far it may be from another run's without anything being better or worse."""

    value: float | None
    noise: float = NOISE
    more_is_better: bool = False

    def reaches(self, mark: float) -> bool:
        """As good as `mark`, or better."""
        return self.value is not None and (self.value >= mark if self.more_is_better else self.value <= mark)

    def change(self, before: float) -> int:
        """1 better than it was, -1 worse, 0 the same but for noise."""
        gain = (self.value or 0) - before if self.more_is_better else before - (self.value or 0)
        return (gain > 0) - (gain < 0) if abs(gain) > self.noise * abs(before) else 0


@dataclass(frozen=True)
class Goal:
    """What we promise; `figure` finds in a run how far we are."""

    number: int
    what: str
    goal: float
    beyond: float | None
    figure: Callable[[Found], Figure]


def _ratio(one: float | None, other: float | None, noise: float = NOISE) -> Figure:
    return Figure(one / other if one is not None and other else None, noise)


def _sweep(of: str) -> Callable[[Found], Figure]:
    """Many open reports beside few, with as many of them due: the same to the request."""

    def figure(found: Found) -> Figure:
        if not found.sweep:
            return Figure(None)
        few, many = (getattr(found.sweep.by_size[size], of) for size in (FEW, MANY))
        return _ratio(many, few, noise=0)

    return figure


def _submission(of: str) -> Callable[[Found], Figure]:
    def figure(found: Found) -> Figure:
        return Figure(getattr(found.operations[SUBMISSION], of) if found.operations else None, noise=0)

    return figure


def unwanted(contest: Contest) -> list[str]:
    """What a submission had loaded that it does not need."""
    modules = {name.partition(".")[0] for name in contest.modules}
    return [name for name in UNWANTED_MODULES if name in modules] + [
        f"client of {name}" for name in UNWANTED_CLIENTS if name in contest.clients
    ]


GOALS = (
    Goal(1, "Cold start / Chalice's own package", 0.33, 0.25,
         lambda found: _ratio(found.cost(OURS).cold, found.cost(PLAIN).cold)),
    Goal(2, "Cold start / bare boto3 handler", 1.05, 0.70,
         lambda found: _ratio(found.cost(OURS).cold, found.cost(BOTO3).cold)),
    Goal(3, "Peak memory / bare boto3 handler", 0.97, 0.75,
         lambda found: _ratio(found.cost(OURS).peak_kb, found.cost(BOTO3).peak_kb)),
    Goal(4, "Warm submission / Powertools + parser", 0.45, 0.28,
         lambda found: _ratio(found.cost(OURS).warm, found.cost(POWERTOOLS).warm)),
    Goal(5, "Sweep of the same due reports, requests, among 100,000 / among 2,000", 1.00, None, _sweep("requests")),
    Goal(5, "Sweep of the same due reports, read units, among 100,000 / among 2,000", 1.00, None, _sweep("read_units")),
    Goal(6, "Sweep, reports a second / the store's own rate", 0.70, 0.90,
         lambda found: Figure(found.sweep.rate if found.sweep else None, noise=0.30, more_is_better=True)),
    Goal(7, "Submission, requests to DynamoDB", 1, None, _submission("requests")),
    Goal(7, "Submission, write units", 3, None, _submission("write_units")),
    Goal(8, "Submission, unwanted modules and clients loaded", 0, None,
         lambda found: Figure(len(unwanted(found.contest)), noise=0)),
)  # fmt: skip


def figures(found: Found) -> dict[str, Figure]:
    """Every figure that is held against the baseline, by its name: of the goals, and of what has none."""
    others = {f"{name}, cold start / bare boto3 handler": _ratio(cost, found.cost(BOTO3).cold)
              for name, cost in found.functions.items()}  # fmt: skip
    ours = found.packages
    size = {"Artifact, bytes to upload / Chalice's own package": _ratio(ours.built_size.zipped, ours.plain_size.zipped)}
    return {goal.what: goal.figure(found) for goal in GOALS} | others | size


class Changes(NamedTuple):
    """Sentences about the figures that are no longer what they were."""

    worse: list[str]
    better: list[str]
    unknown: list[str]


def compare(found: Mapping[str, Figure], baseline: Mapping[str, float]) -> Changes:
    """What has changed by more than noise, and what cannot be compared: measured or accepted only once."""
    changes = Changes([], [], [])
    for name in sorted(found.keys() | baseline.keys()):
        figure = found.get(name, Figure(None))
        if figure.value is None or name not in baseline:
            changes.unknown.append(f"{name}: {'not accepted yet' if figure.value is not None else 'not measured'}")
        elif change := figure.change(baseline[name]):
            said = f"{name}: was {baseline[name]:.3g}, is {figure.value:.3g} ({figure.noise:.0%} is noise)"
            (changes.better if change > 0 else changes.worse).append(said)
    return changes


def missed(found: Found) -> Iterator[str]:
    """A sentence about each goal that was measured and is not reached."""
    for goal in GOALS:
        figure = goal.figure(found)
        if figure.value is not None and not figure.reaches(goal.goal):
            yield f"Goal {goal.number}, {goal.what}: {shown(figure)}, should be {goal.goal:.3g}"


def shown(figure: Figure) -> str:
    """For a person."""
    return "not measured" if figure.value is None else f"{figure.value:.3g}"
