"""Visitors of the live chat over the table of a runner: what they say is told to whoever is connected there."""

from datetime import UTC, datetime
from typing import Any

import requests
from conftest import Runner
from users import aws_client

from chalicelib.chat import Conversation
from chalicelib.chats import Chats
from chalicelib.finder import Finder
from chalicelib.sockets import Management, Sockets
from chalicelib.store import Store
from chalicelib.table import Table
from chalicelib.wiring import mint

SECRET = (b"not asked for",)
EVE = {"name": "Eve Example", "email": "eve@example.com", "phone": "07700 900123"}


class Visitors:
    """They begin conversations, write and leave, by the service's own verbs."""

    def __init__(self, runner: Runner) -> None:
        self._url = runner.url
        table: Any = Table(aws_client("dynamodb", runner.aws_endpoint), "crime-reports-local")
        line = Management(lambda: aws_client("apigatewaymanagementapi", f"{runner.url}/dev/sockets"))
        self._sockets = Sockets(table, line, lambda officer, session: True, self._now)
        store, finder = Store(table, lambda: SECRET), Finder(table, lambda: SECRET)
        self.chats = Chats(table, store, finder, self._sockets, self._now, mint)

    def begins(self, text: str = "My bicycle is gone", **visitor: str) -> str:
        """Somebody writes for the first time; gives the id of the conversation."""
        return self.chats.begin(mint(), visitor or EVE, text).id

    def says(self, id: str, text: str) -> Conversation:
        """They write again."""
        return self.chats.visitor_says(id, text, mint())

    def types(self, id: str) -> None:
        """They are typing."""
        advisor = self.chats.find(id).advisor
        assert advisor
        self._sockets.tell_advisor(advisor.id, {"typing": True, "chat": id})

    def _now(self) -> datetime:
        """By the clock of the machine."""
        told = requests.get(f"{self._url}/dev/clock", timeout=30).json()["now"]
        return datetime.fromisoformat(told).astimezone(UTC)
