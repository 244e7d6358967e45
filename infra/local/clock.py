"""The service's time on one machine: real time (or a chosen start), at real speed, plus what somebody advanced."""

import threading
import time
from datetime import UTC, datetime, timedelta


class DevClock:
    """A clock that only goes forward. Real clocks may be set back; this one counts from its start."""

    def __init__(self, start: datetime) -> None:
        self._start = start - timedelta(seconds=time.monotonic())
        self._advanced = timedelta()
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """The time that the service sees, in UTC."""
        return self._start + self._advanced + timedelta(seconds=time.monotonic())

    def advance(self, seconds: float) -> datetime:
        """Move forward by `seconds` (not negative), and tell the new time."""
        if not seconds >= 0:
            raise ValueError("time never goes back")
        with self._lock:
            self._advanced += timedelta(seconds=seconds)
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
