"""Loads what a function needs, and no more: all functions come from one `app.py`, and a new process is somebody's wait.

Lambda says in `_HANDLER` which function a process will run. Where nobody says so (`chalice deploy`, the one-machine
runner, most tests) all there is is loaded. See `docs/adr/0035-cold-start.md`.
"""

import os
from importlib import import_module
from typing import Any

from chalice.app import Chalice

# Where routes are: each blueprint has the name of its module. On Lambda they are looked through in this order.
FOR_PUBLIC = ("public", "journey", "status", "evidence", "chat", "statistics")
FOR_OFFICERS = ("sign_in", "officers", "desk", "deciding", "desk_chats", "desk_chat", "audit", "bulk", "retention",
                "chat_keeping")  # fmt: skip


class Service(Chalice):
    """Chalice, but on Lambda a blueprint is loaded when a request may be for one of its routes."""

    def __init__(self, app_name: str) -> None:
        super().__init__(app_name=app_name, configure_logs=False)
        self._loaded: set[str] = set()

    def __call__(self, event: Any, context: Any) -> Any:
        """The answer to a request."""
        self.load_for(event)
        return super().__call__(event, context)

    def load_for(self, event: Any) -> None:
        """Load until the route that a request is for is there, or nothing is left: then Chalice says what is wrong."""
        asked = event.get("requestContext", {})
        path, method = asked.get("resourcePath"), asked.get("httpMethod")
        officers = str(path).startswith(("/desk", "/triage"))
        for name in (*FOR_OFFICERS, *FOR_PUBLIC) if officers else (*FOR_PUBLIC, *FOR_OFFICERS):
            if method in self.routes.get(path, {}):
                return
            self._load(name)

    def prepare(self) -> None:
        """Load what this process will need: until its first event, Lambda gives it more of a processor than after."""
        function = os.environ.get("_HANDLER", "")
        if not function:
            self._load(*FOR_PUBLIC, *FOR_OFFICERS)
            return
        if function == "app.app":
            self._load("public")
        else:
            import_module(f"chalicelib.handlers.{'sockets' if 'websocket' in function else 'background'}")
        import_module("chalicelib.wiring").service().prepare()

    def _load(self, *names: str) -> None:
        if not self._loaded:
            self._answer_as_we_do()
        for name in names:
            if name not in self._loaded:
                self.register_blueprint(getattr(import_module(f"chalicelib.handlers.{name}"), name))
                self._loaded.add(name)

    def _answer_as_we_do(self) -> None:
        from chalicelib.handlers import http

        for middleware in (http.safe_headers, http.one_line_a_request, http.problems_everywhere):
            self.register_middleware(middleware, "http")
