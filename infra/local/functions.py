"""Runs the app's event handlers as Lambda does: an event of plain JSON, a context with a time limit."""

import base64
import json
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

from chalice.app import Chalice
from chalice.local import LambdaContext

TIME_LIMIT_MS = 60_000
MEMORY_MB = 512


class Activity(NamedTuple):
    """What the handlers are at. Two equal readings with none running: nothing happened in between."""

    started: int
    running: int


class Functions:
    """The app's event handlers by name. Whoever polls for their work is woken when there may be some."""

    def __init__(self, app: Chalice, at_work: Callable[[], AbstractContextManager[None]]) -> None:
        """Each handler runs inside of what `at_work` gives."""
        self._at_work = at_work
        self._handlers: dict[str, Callable[[Any, Any], Any]] = app.handler_map
        self._wakers: list[Callable[[], None]] = []
        self._lock = threading.Lock()
        self._activity = Activity(0, 0)

    def invoke(self, name: str, event: dict[str, Any]) -> None:
        """Run one handler, and wake whoever polls; what it raises is raised."""
        try:
            self.run(name, event)
        finally:
            self.wake()

    def run(self, name: str, event: dict[str, Any]) -> Any:
        """Run one handler and give what it answers; what it raises is raised."""
        self._count(started=1, running=1)
        try:
            with self._at_work():
                return self._handlers[name](_as_sent(event), LambdaContext(name, MEMORY_MB, TIME_LIMIT_MS))
        finally:
            self._count(started=0, running=-1)

    def activity(self) -> Activity:
        """How many handlers were started since the beginning, and how many run now."""
        return self._activity

    def on_wake(self, waker: Callable[[], None]) -> None:
        """Have `waker` called whenever something may have made work."""
        self._wakers.append(waker)

    def wake(self) -> None:
        """Say that something may have made work: a request, a handler, an advance of the clock."""
        for waker in self._wakers:
            waker()

    def _count(self, started: int, running: int) -> None:
        with self._lock:
            self._activity = Activity(self._activity.started + started, self._activity.running + running)


def _as_sent(event: dict[str, Any]) -> Any:
    return json.loads(json.dumps(event, default=lambda binary: base64.b64encode(binary).decode()))


def tell_failure(name: str, error: Exception) -> None:
    """One line on stderr, unless the app has logged it. Of errors that are not our own, which may quote a person, the
    type only.
    """
    whose = type(error).__module__.split(".")[0]
    if whose != "chalicelib":
        said = f": {error}" if whose == "infra" else ""
        print(f"{name} failed: {type(error).__name__}{said}", file=sys.stderr, flush=True)
