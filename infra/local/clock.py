"""The service's time on one machine: real time (or a chosen start), at real speed, plus what somebody advanced."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta


class DevClock:
    """A clock that only goes forward. Real clocks may be set back; this one counts from its start.

    It is advanced between two pieces of work, never within one: who read the time before has written what came of it.
    """

    def __init__(self, start: datetime) -> None:
        self._start = start - timedelta(seconds=time.monotonic())
        self._advanced = timedelta()
        self._change = threading.Condition()
        self._at_work = 0
        self._jumping = False

    def now(self) -> datetime:
        """The time that the service sees, in UTC."""
        return self._start + self._advanced + timedelta(seconds=time.monotonic())

    @contextmanager
    def without_jumps(self) -> Iterator[None]:
        """A piece of work: nobody advances the clock before its end. It waits at its start while somebody is about to.
        Not to be nested.
        """
        with self._change:
            self._change.wait_for(lambda: not self._jumping)
            self._at_work += 1
        try:
            yield
        finally:
            with self._change:
                self._at_work -= 1
                self._change.notify_all()

    def advance(self, seconds: float) -> datetime:
        """Move forward by `seconds` (not negative) as soon as all work under way has ended, and tell the new time."""
        if not seconds >= 0:
            raise ValueError("time never goes back")
        with self._change:
            self._change.wait_for(lambda: not self._jumping)  # one at a time
            self._jumping = True
            self._change.wait_for(lambda: not self._at_work)
            self._advanced += timedelta(seconds=seconds)
            self._jumping = False
            self._change.notify_all()
        return self.now()


def parse_time(text: str) -> datetime:
    """Read `2019-03-01T00:00:00Z`; anything but a full time with its zone is a ValueError."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time needs its zone")
    return moment.astimezone(UTC)


def rfc3339(moment: datetime) -> str:
    """Write a time as the service's answers do."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
