"""Officers at the desk: sessions kept in the table, and who has signed in of late.

A session is what its cookie says only if the table says so too: whoever ends it there has ended it everywhere. In the
table (`pk` / `sk`):
- `DESK#<officer>` / `SESSION#<digest of a secret>`: a session, with name, roles, when it began and was last used.
- `OFFICERS` / `<officer>`: who has signed in, with name, roles and when last.
Both end by themselves (`expires`): a session by its shift, a colleague when they have not signed in for 90 days.
See `docs/adr/0017-sign-in-at-the-desk.md`.
"""

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.report import Actor
from chalicelib.table import ConditionFailed, Item, Table, Value
from chalicelib.times import read_stamp, stamp

IDLE = timedelta(hours=1)  # longer than any call with a victim
SHIFT = timedelta(hours=10)  # however busy: roles are asked for anew at the next sign-in
RENEWED_AFTER = timedelta(minutes=5)  # so that not every page is a write
OF_LATE = timedelta(days=90)
LONGEST = 1_000


@dataclass(frozen=True)
class Session:
    """Somebody who signed in, with the roles they had then. `id` is the digest of the secret in the cookie."""

    id: str
    actor: Actor
    roles: frozenset[str]
    began: datetime
    seen: datetime


@dataclass(frozen=True)
class Colleague:
    """Somebody who has signed in of late."""

    actor: Actor
    roles: frozenset[str]
    last_signed_in: datetime

    @property
    def id(self) -> str:
        """As histories have it."""
        return self.actor.id

    @property
    def name(self) -> str:
        """As histories show it."""
        return self.actor.name


class Sessions:
    """`clock` gives aware UTC datetimes, `mint` unguessable texts of letters and digits."""

    def __init__(self, table: Table, clock: Callable[[], datetime], mint: Callable[[], str]) -> None:
        self._table, self._clock, self._mint = table, clock, mint

    def begin(self, actor: Actor, roles: frozenset[str]) -> str:
        """Begin a session, and give what its cookie carries. Each sign-in has a secret of its own."""
        now, secret = self._clock(), self._mint() + self._mint()
        who = {"name": actor.name, "roles": sorted(roles)}
        with suppress(ConditionFailed):  # our own request, made again by the SDK because its answer was lost
            self._table.put_new({**_key(actor.id, _digest(secret)), **who, "began": stamp(now), "seen": stamp(now),
                                 "expires": int((now + SHIFT + IDLE).timestamp())})  # fmt: skip
        seen: dict[str, Value] = {**who, "last": stamp(now), "expires": int((now + OF_LATE).timestamp())}
        with suppress(ConditionFailed):  # the same officer signed in elsewhere in this moment
            self._table.update("OFFICERS", actor.id, values=seen, given={"now": stamp(now)},
                               condition="attribute_not_exists(pk) OR #last <= :now")  # fmt: skip
        return f"{urlsafe_b64encode(actor.id.encode()).decode().rstrip('=')}.{secret}"

    def find(self, cookie: str, *, is_use: bool = True) -> Session | None:
        """The session of a cookie if it is still good; that somebody uses it keeps it from going idle."""
        read = _read(cookie)
        return self._good(read, is_use) if read else None

    def standing(self, officer: str, id: str, *, is_use: bool) -> Session | None:
        """The session of an officer by its id, if it is still good."""
        return self._good((f"DESK#{officer}", f"SESSION#{id}"), is_use)

    def end(self, session: Session) -> None:
        """Sign out."""
        self._end(session.actor.id, session.id)

    def end_all(self, officer: str) -> None:
        """Sign an officer out everywhere."""
        own = self._table.query(where="#pk = :desk AND begins_with(#sk, :session)",
                                given={"desk": f"DESK#{officer}", "session": "SESSION#"})  # fmt: skip
        for item in list(own):
            self._end(officer, item["sk"].removeprefix("SESSION#"))

    def colleagues(self) -> list[Colleague]:
        """Those who have signed in within the last 90 days, by name."""
        items = self._table.query(where="#pk = :officers", given={"officers": "OFFICERS"})
        found = [_colleague(item) for item in items]
        since = self._clock() - OF_LATE
        return sorted((one for one in found if one.last_signed_in > since), key=lambda one: (one.name, one.id))

    def colleague(self, officer: str) -> Colleague | None:
        """One of them."""
        return next((one for one in self.colleagues() if one.id == officer), None)

    def _good(self, key: tuple[str, str], is_use: bool) -> Session | None:
        item = self._table.get(*key)
        session = _session(item) if item else None
        now = self._clock()
        if not session or now - session.seen > IDLE or now - session.began > SHIFT:
            return None
        if is_use and now - session.seen > RENEWED_AFTER:
            self._renew(session, now)
        return session

    def _renew(self, session: Session, now: datetime) -> None:
        with suppress(ConditionFailed):  # it was ended meanwhile, which the next page notices, or renewed by another
            self._table.update(*_key(session.actor.id, session.id).values(), values={"seen": stamp(now)},
                               condition="#seen = :seen", given={"seen": stamp(session.seen)})  # fmt: skip

    def _end(self, officer: str, id: str) -> None:
        with suppress(ConditionFailed):  # it is ended
            self._table.remove(*_key(officer, id).values(), condition="attribute_exists(pk)", given={})


def _key(officer: str, id: str) -> dict[str, str]:
    return {"pk": f"DESK#{officer}", "sk": f"SESSION#{id}"}


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()


def _read(cookie: str) -> tuple[str, str] | None:
    """The key that a cookie leads to; None for nonsense."""
    officer, _, secret = cookie.partition(".")
    if not officer or not secret or len(cookie) > LONGEST:
        return None
    try:
        plain = urlsafe_b64decode(officer + "=" * (-len(officer) % 4)).decode()
    except ValueError:
        return None
    return f"DESK#{plain}", f"SESSION#{_digest(secret)}"


def _session(item: Item) -> Session:
    actor = Actor(item["pk"].removeprefix("DESK#"), item["name"])
    return Session(item["sk"].removeprefix("SESSION#"), actor, frozenset(item["roles"]), read_stamp(item["began"]),
                   read_stamp(item["seen"]))  # fmt: skip


def _colleague(item: Item) -> Colleague:
    return Colleague(Actor(item["sk"], item["name"]), frozenset(item["roles"]), read_stamp(item["last"]))
