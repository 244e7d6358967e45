"""The secrets that turn submission tokens into references. They live in the table, beside what they lead to.

Whoever reads the table knows the references anyway; whoever restores it from a backup has the secrets that belong to
it; and a new service makes its own at the first report. In the table: `TOKEN_SECRETS` / `TOKEN_SECRETS`, with a list
of texts, oldest first: `<secret> <since when it is in force>`. See `docs/adr/0003-store.md`.
"""

import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

from chalicelib.table import ConditionFailed, Table, refused
from chalicelib.times import read_stamp, stamp

KEPT = timedelta(minutes=10)  # how long a process trusts what it has read
NOTICE = timedelta(minutes=15)  # every process knows a new secret, as one to come, before any uses it

log = logging.getLogger("crime-reports")


class TokenSecrets:
    """Reads them when they are needed. `mint` gives unguessable texts of letters and digits."""

    def __init__(self, table: Table, clock: Callable[[], datetime], mint: Callable[[], str]) -> None:
        self._table, self._clock, self._mint = table, clock, mint
        self._lines: list[str] = []
        self._read_at: datetime | None = None

    def __call__(self) -> tuple[bytes, ...]:
        """The secret in force, then all others under which a token may have come before or elsewhere."""
        now = self._clock()
        if self._read_at is None or now - self._read_at > KEPT:
            self._renew(now)
        first, *later = [line.split() for line in self._lines]
        *before, current = [first, *(line for line in later if line[1] <= stamp(now))]
        to_come = [line for line in later if line[1] > stamp(now)]
        return tuple(secret.encode() for secret, _ in (current, *before, *to_come))

    def rotate(self) -> datetime:
        """Add a secret, and tell from when it is in force. Raises ConditionFailed while the last is still to come."""
        self()
        now = self._clock()
        since = now + NOTICE
        self._table.update(
            *_KEY,
            append={"secrets": [f"{self._mint()} {stamp(since)}"]},
            values={"since": stamp(since)},
            condition="#since <= :now",
            given={"now": stamp(now)},
        )
        return read_stamp(stamp(since))

    def _renew(self, now: datetime) -> None:
        try:
            self._lines = self._read(now)
        except Exception as error:
            if not (self._lines and refused(error)):  # whatever comes next would be waited for in vain, too
                raise
            log.warning("the token secrets cannot be read again: %s", type(error).__name__)
        self._read_at = now

    def _read(self, now: datetime) -> list[str]:
        """The lines of the item; the first to ask makes it."""
        item = self._table.get(*_KEY)
        if item:
            return list(item["secrets"])
        first = [f"{self._mint()} {stamp(now)}"]
        with suppress(ConditionFailed):  # somebody else was first, and theirs it is
            self._table.put_new({"pk": _KEY[0], "sk": _KEY[1], "secrets": first, "since": stamp(now)})
        return self._read(now)


_KEY = ("TOKEN_SECRETS", "TOKEN_SECRETS")
