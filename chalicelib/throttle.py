"""How often somebody may try something: counted in the table in windows of fixed length, forgotten when one is over.

In the table: `THROTTLE#<digest>` / `COUNT`, with how many tries there were and when DynamoDB may drop it. What is
counted (a reference, an address of the internet) is not in it: the digest is made under a token secret.
"""

import hashlib
import hmac
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.errors import TooManyTries
from chalicelib.table import ConditionFailed, Table


@dataclass(frozen=True)
class Limit:
    """At most so many tries of one subject within a window. `name` keeps what is counted for one thing from others."""

    name: str
    most: int
    window: timedelta


class Throttle:
    """Counts tries. `secrets` has the one in force first; `clock` gives aware UTC datetimes."""

    def __init__(self, table: Table, secrets: Callable[[], Sequence[bytes]], clock: Callable[[], datetime]) -> None:
        self._table, self._secrets, self._clock = table, secrets, clock

    def count(self, limit: Limit, subject: str) -> None:
        """Count a try before it is made, so that many at once are counted too. Raises TooManyTries."""
        began, ends = self._window(limit)
        try:
            self._table.update(
                *self._key(limit, subject, began),
                values={"expires": ends},
                add={"count": 1},
                condition="attribute_not_exists(pk) OR #count < :most",
                given={"most": limit.most},
            )
        except ConditionFailed:
            raise TooManyTries(ends - int(self._clock().timestamp())) from None

    def give_back(self, limit: Limit, subject: str) -> None:
        """The try was a good one, and does not count."""
        began, _ = self._window(limit)
        with suppress(ConditionFailed):  # the window has ended meanwhile
            self._table.update(
                *self._key(limit, subject, began), values={}, add={"count": -1}, condition="#count > :none",
                given={"none": 0},
            )  # fmt: skip

    def _window(self, limit: Limit) -> tuple[int, int]:
        """When the present window began, and when it ends, in seconds since 1970."""
        now, length = int(self._clock().timestamp()), int(limit.window.total_seconds())
        return now - now % length, now - now % length + length

    def _key(self, limit: Limit, subject: str, began: int) -> tuple[str, str]:
        counted = f"{limit.name}\n{subject}\n{began}"
        digest = hmac.digest(self._secrets()[0], counted.encode(errors="replace"), hashlib.sha256)
        return f"THROTTLE#{digest.hex()[:40]}", "COUNT"
