"""How the bench looks: a bar while it measures, tables afterwards."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from bench.contest import BOTO3, POWERTOOLS
from bench.gauge import INSTRUCTIONS
from bench.goals import GOALS, Figure, Found, Goal, shown, unwanted


class Steps:
    """Tells what is being done: by a bar, or a line each where nobody watches. `total` is in steps as they are told."""

    def __init__(self, console: Console, total: int) -> None:
        columns = (BarColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
        self._bar = Progress(*columns, console=console, disable=not console.is_terminal, transient=True)
        self._console, self._task, self._end = console, self._bar.add_task("", total=total), 0

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    @contextmanager
    def part(self, steps: int) -> Iterator[None]:
        """Some of the steps: however many are told meanwhile, the bar stands at their end afterwards."""
        self._end += steps
        yield
        self._bar.update(self._task, completed=self._end)

    @property
    def completed(self) -> float:
        """Where the bar stands."""
        return self._bar.tasks[0].completed

    def tell(self, what: str) -> None:
        """The next step begins."""
        if not self._console.is_terminal:
            self._console.print(what, highlight=False)
        completed = min(self.completed + 1, self._end)
        self._bar.update(self._task, description=what, completed=completed)


def tables(found: Found) -> Iterator[RenderableType]:
    """All that was measured, the goals first."""
    yield _goals(found)
    if there := unwanted(found.contest):
        yield f"Unwanted after a submission: {', '.join(there)}"
    yield _contest(found)
    yield _functions(found)
    if found.sweep:
        yield _sweep(found)
    if found.operations:
        yield _operations(found)
    yield _sizes(found)


def _goals(found: Found) -> Table:
    table = _table("Goals", "#", "", "Today", "Goal", "Beyond", "")
    for goal in GOALS:
        figure = goal.figure(found)
        beyond = "" if goal.beyond is None else f"{goal.beyond:.3g}"
        table.add_row(str(goal.number), goal.what, shown(figure), f"{goal.goal:.3g}", beyond, _standing(goal, figure))
    return table


def _standing(goal: Goal, figure: Figure) -> str:
    if figure.value is None:
        return ""
    if goal.beyond is not None and figure.reaches(goal.beyond):
        return "[green]beyond[/]"
    return "[green]reached[/]" if figure.reaches(goal.goal) else "[red]missed[/]"


def _contest(found: Found) -> Table:
    columns = ("", "Cold", "/ boto3", "Warm", "/ Powertools", "Peak, MB", "/ boto3", "CPU seconds, cold")
    table = _table(f"One report of 3.8 kB, in {_unit(found)}", *columns)
    boto3, powertools = found.cost(BOTO3), found.cost(POWERTOOLS)
    for name, cost in found.contest.costs.items():
        seconds = "" if cost.seconds is None else f"{cost.seconds:.2f}"
        peak = "" if cost.peak_kb is None else f"{cost.peak_kb / 1000:.1f}"
        table.add_row(name, _amount(found, cost.cold), _over(cost.cold, boto3.cold), _amount(found, cost.warm),
                      _over(cost.warm, powertools.warm), peak, _over(cost.peak_kb, boto3.peak_kb), seconds)  # fmt: skip
    return table


def _functions(found: Found) -> Table:
    table = _table(f"Cold starts with one event, in {_unit(found)}", "", "Cold", "/ boto3")
    for name, cost in found.functions.items():
        table.add_row(name, _amount(found, cost), _over(cost, found.cost(BOTO3).cold))
    return table


def _sweep(found: Found) -> Table:
    assert found.sweep
    table = _table("The 24-hour rule's sweep, as many due", "Open reports", "Requests", "Read units", "Write units")
    for size, spent in found.sweep.by_size.items():
        table.add_row(f"{size:,}", *(f"{one:,.4g}" for one in spent))
    table.caption = (
        f"Reports a second: {found.sweep.ours:,.0f} by the rule; by the store itself, under as many threads, "
        f"{found.sweep.store:,.0f} of a bare boto3 client, {found.sweep.wire:,.0f} over our wire"
    )
    return table


def _operations(found: Found) -> Table:
    assert found.operations
    table = _table("What DynamoDB is asked for", "", "Requests", "Read units", "Write units")
    for name, spent in found.operations.items():
        table.add_row(name, *(f"{one:,.4g}" for one in spent))
    return table


def _sizes(found: Found) -> Table:
    ours, plain = found.packages.built_size, found.packages.plain_size
    table = _table("Sizes", "", "To upload", "Unpacked")
    for name, size in (("Our artifact", ours), ("Chalice's own package", plain)):
        table.add_row(name, *(f"{one / 1e6:.1f} MB" for one in size))
    table.add_row("Ratio", *(f"{one / other:.2f}" for one, other in zip(ours, plain, strict=True)))
    return table


def _table(title: str, *columns: str) -> Table:
    table = Table(*columns, title=title, title_justify="left")
    for column in table.columns[1:]:
        column.justify = "left" if column.header == "" else "right"
    return table


def _unit(found: Found) -> str:
    return "M instructions" if found.unit == INSTRUCTIONS else "CPU milliseconds"


def _amount(found: Found, cost: float | None) -> str:
    if cost is None:
        return ""
    return f"{cost / 1e6:,.1f}" if found.unit == INSTRUCTIONS else f"{cost * 1000:,.1f}"


def _over(one: float | None, other: float | None) -> str:
    return f"{one / other:.2f}" if one is not None and other else ""
