"""What a long load does to the memory of the service's processes."""

import subprocess
import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from statistics import median
from typing import NamedTuple, Self

SAMPLE_SECONDS = 5
WARM_SHARE = 0.5  # of the time: connections, threads and caches come until then
STRIDE_SHARE = 0.2  # of the rest: whatever makes a process larger once is in few strides, what is lost is in each
MOST_GROWTH = 0.01  # of a process's size, in the rest of the time
CHILDREN = {"infra.local.moto_server": "moto", "DynamoDBLocal.jar": "DynamoDB Local"}

Sample = tuple[float, float]
"""When, in seconds, and how many MB."""


class Growth(NamedTuple):
    """The size of a process in MB `first`, when it was `warm`, and `last`; since then it rises by `slope` MB a second,
    `is_growth` if that is more than a wobble.
    """

    first: float
    warm: float
    last: float
    slope: float
    is_growth: bool


class Memory:
    """Samples the processes of the runner with that id while the context lasts; `samples` are by the process's name."""

    def __init__(self, runner: int) -> None:
        self.samples: dict[str, list[Sample]] = defaultdict(list)
        self._runner = runner
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while True:
            listing = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,rss=,args="], capture_output=True, text=True)
            for name, size in sizes(listing.stdout, self._runner).items():
                self.samples[name].append((time.monotonic(), size))
            if self._done.wait(SAMPLE_SECONDS):
                return


def sizes(listing: str, runner: int) -> dict[str, float]:
    """The MB of memory of the runner and its children, by name, from what `ps` lists: process, parent, kB, command."""
    found = dict[str, float]()
    for process, parent, size, command in (line.split(None, 3) for line in listing.splitlines()):
        if int(process) == runner:
            found["the service"] = int(size) / 1024
        elif int(parent) == runner:
            found |= {name: int(size) / 1024 for part, name in CHILDREN.items() if part in command}
    return found


def growth(samples: Sequence[Sample]) -> Growth:
    """What became of the size of a process; needs a few samples. The slope is the middle one of all strides."""
    warm = samples[int(len(samples) * WARM_SHARE) :]
    stride = max(1, int(len(warm) * STRIDE_SHARE))
    slope = median((to - size) / (end - at) for (at, size), (end, to) in zip(warm, warm[stride:], strict=False))
    (began, size), (ended, last) = warm[0], warm[-1]
    return Growth(samples[0][1], size, last, slope, slope * (ended - began) > MOST_GROWTH * size)
