"""Who is connected over WebSocket, and how they are told. Only a quicker way: nothing is lost if it fails.

In the table, all ending by themselves (`expires`) shortly after API Gateway would have ended the connection:
- `SOCKET#<connection>` / `SOCKET`: whose connection this is.
- `CHAT_SOCKETS#<chat>` / `<connection>`: a visitor's. `ADVISORS` / `<officer>#<connection>`: an advisor's. Both are
  apart from the conversation: who may remove them may not remove that.
A connection that is gone is removed by whoever finds that out. See `docs/adr/0027-chat.md`.
"""

import json
import logging
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from botocore.exceptions import ClientError

from chalicelib.errors import described
from chalicelib.table import ConditionFailed, Item, Table

LONGEST_CONNECTION = timedelta(hours=2)  # API Gateway ends it then
AT_LEAST = timedelta(minutes=10)

log = logging.getLogger("crime-reports")


class Gone(Exception):
    """There is no such connection any more."""


class Line(Protocol):
    """How a connection is written to. `post` raises Gone; `hang_up` does not mind if it is gone."""

    def post(self, connection: str, text: str) -> None: ...
    def hang_up(self, connection: str) -> None: ...


@dataclass(frozen=True)
class Connection:
    """Whose connection it is: a visitor's, with the `chat`, or an advisor's, with officer and session."""

    id: str
    chat: str = ""
    officer: str = ""
    session: str = ""

    @property
    def listed(self) -> tuple[str, str]:
        """The key of the item under which it is found by whoever has something to tell."""
        return (f"CHAT_SOCKETS#{self.chat}", self.id) if self.chat else ("ADVISORS", f"{self.officer}#{self.id}")


class Sockets:
    """The connections. `is_signed_in` says whether an officer's session is still good; a leaver is told nothing."""

    def __init__(
        self, table: Table, line: Line, is_signed_in: Callable[[str, str], bool], clock: Callable[[], datetime]
    ) -> None:
        self._table, self._line, self._is_signed_in, self._clock = table, line, is_signed_in, clock

    def open(self, connection: Connection) -> None:
        """From now on it is told. A connection is one person's for all its life: opened again, it stays what it was.
        What the SDK made twice, as an answer was lost, or a crash left half done, is made whole.
        """
        expires = int((self._clock() + LONGEST_CONNECTION + AT_LEAST).timestamp())
        kept = {"connection": connection.id, "chat": connection.chat or None, "officer": connection.officer or None,
                "session": connection.session or None, "expires": expires}  # fmt: skip
        try:
            self._table.put_new({"pk": f"SOCKET#{connection.id}", "sk": "SOCKET", **kept})
        except ConditionFailed as there:
            if not there.item or _connection(there.item) != connection:
                return
        with suppress(ConditionFailed):
            pk, sk = connection.listed
            self._table.put_new({"pk": pk, "sk": sk, **kept})

    def find(self, id: str) -> Connection | None:
        """Whose it is; None if it was never opened, or is closed."""
        item = self._table.get(f"SOCKET#{id}", "SOCKET")
        return _connection(item) if item else None

    def close(self, id: str) -> None:
        """It is gone. Said twice, or of one that was never opened, it does no harm."""
        if found := self.find(id):
            self._remove(found)

    def tell(self, id: str, message: Mapping[str, Any]) -> None:
        """Tell one connection, if it is there."""
        self._is_posted(Connection(id), json.dumps(message, ensure_ascii=False))

    def hang_up(self, id: str) -> None:
        """End a connection from our side."""
        try:
            self._line.hang_up(id)
        except Exception as error:
            log.warning("a connection cannot be ended", extra={"error": described(error)})

    def tell_visitor(self, chat: str, message: Mapping[str, Any]) -> None:
        """Tell the visitor of a conversation, on every device."""
        self._tell_all(f"CHAT_SOCKETS#{chat}", "", message)

    def tell_advisor(self, officer: str, message: Mapping[str, Any]) -> None:
        """Tell an advisor, on every page that is open in a session that is still good."""
        self._tell_all("ADVISORS", f"{officer}#", message, lambda one: one.officer == officer and self._may_know(one))

    def tell_advisors(self, message: Mapping[str, Any]) -> None:
        """Tell all advisors something that says nothing about anybody."""
        self._tell_all("ADVISORS", "", message)

    def visitor_is_here(self, chat: str) -> bool:
        """Whether the visitor is connected."""
        return any(True for _ in self._connections(f"CHAT_SOCKETS#{chat}", ""))

    def _may_know(self, connection: Connection) -> bool:
        return self._is_signed_in(connection.officer, connection.session)

    def _tell_all(
        self, pk: str, prefix: str, message: Mapping[str, Any],
        whom: Callable[[Connection], bool] = lambda connection: True,
    ) -> None:  # fmt: skip
        """Whatever goes wrong here is found by those who are not told when they ask by themselves."""
        try:
            text = json.dumps(message, ensure_ascii=False)
            for connection in self._connections(pk, prefix):
                if whom(connection) and not self._is_posted(connection, text):
                    return  # nor would the next be told, and somebody waits for us to have told all
        except Exception as error:
            log.warning("connections cannot be told", extra={"error": described(error)})

    def _connections(self, pk: str, prefix: str) -> Iterable[Connection]:
        where, given = "#pk = :pk", {"pk": pk}
        if prefix:
            where, given = f"{where} AND begins_with(#sk, :prefix)", {**given, "prefix": prefix}
        now = int(self._clock().timestamp())
        return [_connection(item) for item in self._table.query(where=where, given=given) if item["expires"] > now]

    def _is_posted(self, connection: Connection, text: str) -> bool:
        """False if connections cannot be written to; one that is gone says nothing about the others."""
        try:
            try:
                self._line.post(connection.id, text)
            except Gone:
                self.close(connection.id)
        except Exception as error:
            log.warning("a connection cannot be told", extra={"error": described(error)})
            return False
        return True

    def _remove(self, connection: Connection) -> None:
        for pk, sk in (connection.listed, (f"SOCKET#{connection.id}", "SOCKET")):
            with suppress(ConditionFailed):  # somebody else has
                self._table.remove(pk, sk, condition="attribute_exists(pk)", given={})


class Management:
    """The connection-management API of API Gateway. `client` is called when somebody is told for the first time."""

    def __init__(self, client: Callable[[], Any]) -> None:
        self._client = client

    def post(self, connection: str, text: str) -> None:
        """Write a frame. Raises Gone."""
        try:
            self._client().post_to_connection(ConnectionId=connection, Data=text.encode())
        except ClientError as error:
            if error.response["Error"]["Code"] == "GoneException":
                raise Gone() from None
            raise

    def hang_up(self, connection: str) -> None:
        """End a connection."""
        with suppress(ClientError):  # it is gone
            self._client().delete_connection(ConnectionId=connection)


class NoLine:
    """Where there is no WebSocket: nobody is connected."""

    def post(self, connection: str, text: str) -> None:
        """There is nobody."""
        raise Gone()

    def hang_up(self, connection: str) -> None:
        """There is nobody."""


def _connection(item: Item) -> Connection:
    return Connection(item["connection"], item.get("chat", ""), item.get("officer", ""), item.get("session", ""))
