"""What the commands share that drive a service of their own: how they end, and how they show progress and times."""

import signal
from collections.abc import Sequence
from typing import Any, NoReturn

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

SHARES = {"half": 0.5, "95 in 100": 0.95, "99 in 100": 0.99, "longest": 1.0}


def end_in_good_order() -> None:
    """From now on Ctrl-C and SIGTERM raise KeyboardInterrupt, once: what follows ends the service."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)


def bar(console: Console) -> Progress:
    """A progress bar, if somebody looks."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, disable=not console.is_terminal)


def at_shares(times: Sequence[float]) -> list[float]:
    """The times within which the SHARES of all of them were; no times are all 0."""
    found = sorted(times) or [0.0]
    return [found[min(len(found) - 1, int(len(found) * share))] for share in SHARES.values()]


def _interrupt(*_: Any) -> NoReturn:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt
