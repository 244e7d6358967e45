"""HTTP on one machine: the app behind Chalice's local gateway, with what API Gateway does before and after."""

import json
import socket
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from functools import partial
from http import HTTPStatus
from http.client import HTTPException
from http.server import HTTPServer
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

from chalice.app import Chalice
from chalice.config import Config
from chalice.local import (
    ChaliceRequestHandler,
    LambdaEventConverter,
    LocalChalice,
    LocalGatewayException,
    RouteMatcher,
    ThreadedHTTPServer,
)

MOST_BYTES = 10 * 1024 * 1024  # API Gateway takes no more
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


class Answer(NamedTuple):
    """An HTTP answer."""

    status: int
    headers: dict[str, Any]
    body: bytes = b""


class Request(NamedTuple):
    """An HTTP request for one of the runner's own addresses."""

    method: str
    path: str
    query: dict[str, str]
    headers: Mapping[str, str]
    body: bytes


class Rejected(Exception):
    """The request cannot be read any further; the connection ends with the answer."""

    def __init__(self, status: int, title: str) -> None:
        super().__init__(title)
        self.answer = problem(status, title)


def problem(status: int, title: str, **headers: str) -> Answer:
    """An RFC 9457 problem document."""
    body = json.dumps({"type": "about:blank", "title": title, "status": status}).encode()
    return Answer(status, {"Content-Type": "application/problem+json", **headers}, body)


def not_found(accept: str) -> Answer:
    """What API Gateway would say by itself of an address that no route has; in HTML for a browser."""
    if "text/html" not in accept:
        return problem(404, "Not found")
    page = (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Page not found</title></head>'
        "<body><h1>Page not found</h1><p>If you typed the web address, check it is correct.</p>"
        '<p><a href="/">Go to the start page</a></p></body></html>'
    )
    return Answer(404, {"Content-Type": "text/html; charset=utf-8"}, page.encode())


class Server(ThreadedHTTPServer):
    """Listens from the moment it is made (so that its port is known), answers once it serves an app."""

    request_queue_size = 1024

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", port), ChaliceRequestHandler)
        self.url = f"http://127.0.0.1:{self.server_port}"

    def serve(
        self,
        app: Chalice,
        config: Config,
        own: Callable[[Request], Answer | None],
        at_work: Callable[[], AbstractContextManager[None]],
        wrote: Callable[[], None],
    ) -> None:
        """Answer for `app`; `own` answers the runner's own addresses first, the app is asked inside of what `at_work`
        gives, and `wrote` hears of each change.
        """
        app.__class__ = type("ThreadSafeChalice", (LocalChalice, type(app)), {})  # a current request for each thread
        said: Any = {"app_object": app, "config": config, "own": own, "at_work": at_work, "wrote": wrote}
        self.RequestHandlerClass = partial(Handler, **said)
        self.serve_forever(poll_interval=0.1)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients come and go; anything else is worth a trace."""
        if not isinstance(sys.exception(), OSError | HTTPException):
            traceback.print_exc()


class _Converter(LambdaEventConverter):
    """Makes events as API Gateway does: text bodies, decoded path parameters."""

    def create_lambda_event(
        self, method: str, path: str, headers: dict[str, str], body: bytes | None = None
    ) -> dict[str, Any]:
        event = super().create_lambda_event(method, path, headers, body)
        if isinstance(event["body"], bytes):
            event["body"] = event["body"].decode(errors="replace")
        event["pathParameters"] = {name: unquote(value) for name, value in event["pathParameters"].items()}
        return event


class Handler(ChaliceRequestHandler):
    """One connection."""

    command: str
    disable_nagle_algorithm = True
    timeout = 60  # an idle connection

    def __init__(
        self,
        request: Any,
        client_address: Any,
        server: HTTPServer,
        app_object: Chalice,
        config: Config,
        own: Callable[[Request], Answer | None],
        at_work: Callable[[], AbstractContextManager[None]],
        wrote: Callable[[], None],
    ) -> None:
        self._app = app_object
        self._own = own
        self._at_work = at_work
        self._wrote = wrote
        super().__init__(request, client_address, server, app_object, config)

    def setup(self) -> None:
        super().setup()
        self._matcher = RouteMatcher(list(self._app.routes))
        converter = _Converter(self._matcher, self._app.api.binary_types)
        converter.LOCAL_SOURCE_IP = self.client_address[0]  # all of 127.0.0.0/8 is this machine
        self.local_gateway.event_converter = converter

    def _serve_one(self) -> None:
        try:
            self._send(self._answer(self._read_body()))
        except Rejected as rejected:
            self._send_last(rejected.answer)
        except (ConnectionError, TimeoutError):
            raise
        except Exception:
            traceback.print_exc()
            self._send_last(problem(500, "Something went wrong"))

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _serve_one

    def _read_body(self) -> bytes:
        if self.headers.get("Transfer-Encoding"):
            raise Rejected(411, "Say how long the body is with Content-Length")
        lengths = {length.strip() for length in self.headers.get_all("Content-Length", ["0"])}
        length = lengths.pop()
        if lengths or not (length.isascii() and length.isdigit()):
            raise Rejected(400, "Content-Length is not a number")
        if len(length) > 15 or int(length) > MOST_BYTES:
            raise Rejected(413, "The body is too large")
        body: bytes = self.rfile.read(int(length))
        if len(body) < int(length):
            raise Rejected(400, "The body is shorter than Content-Length says")
        return body

    def _answer(self, body: bytes) -> Answer:
        method = "GET" if self.command == "HEAD" else self.command
        url = _split(self.path)
        if url is None:
            return problem(400, "The address cannot be read")
        query = {name: values[-1] for name, values in parse_qs(url.query, keep_blank_values=True).items()}
        own = self._own(Request(method, url.path, query, self.headers, body))
        return own or self._answer_of_app(method, body)

    def _answer_of_app(self, method: str, body: bytes) -> Answer:
        try:
            methods = self._app.routes[self._matcher.match_route(self.path).route]
        except ValueError:
            return not_found(self.headers.get("Accept", ""))
        if method not in methods:
            return problem(405, "This address does not take that method", Allow=", ".join(methods))
        try:
            with self._at_work():
                response = self.local_gateway.handle_request(method, self.path, dict(self.headers), body or None)
        except LocalGatewayException as refused:
            return problem(refused.CODE, HTTPStatus(refused.CODE).phrase.capitalize())
        if method != "GET":
            self._wrote()
        return _from_lambda(self._handle_binary(response))

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        bodiless = answer.status in (204, 304)
        if not bodiless:
            self.send_header("Content-Length", str(len(answer.body)))
        self._send_headers(answer.headers)
        if not bodiless and self.command != "HEAD":
            self.wfile.write(answer.body)

    def _send_last(self, answer: Answer) -> None:
        """Answer and hang up. What the client is still sending is read away, or it would not see the answer."""
        self.close_connection = True
        self._send(answer._replace(headers=answer.headers | {"Connection": "close"}))
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_WR)
        self.connection.settimeout(1)
        end = time.monotonic() + 5
        try:
            while time.monotonic() < end and self.connection.recv(65536):
                pass
        except TimeoutError:
            pass

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What the standard library says of a request it cannot read: never a 5xx, and as a problem document."""
        code = {501: 405, 505: 400}.get(code, code)
        self.command = self.command or "GET"
        self.request_version = self.protocol_version  # whatever the client claimed: an answer has a status and headers
        allow = {"Allow": ", ".join(METHODS)} if code == 405 else {}
        self._send_last(problem(code, HTTPStatus(code).phrase.capitalize(), **allow))

    def version_string(self) -> str:
        """The `Server` header."""
        return "local"

    def log_message(self, *args: Any) -> None:
        """Requests are not logged: addresses and bodies are about people."""


def _split(path: str) -> Any:
    try:
        return urlsplit(path)
    except ValueError:
        return None


def _from_lambda(response: dict[str, Any]) -> Answer:
    headers = response.get("headers", {}) | response.get("multiValueHeaders", {})
    body = response.get("body") or b""
    if body and "content-type" not in {name.lower() for name in headers}:
        headers["Content-Type"] = "application/json"  # as API Gateway does
    return Answer(response["statusCode"], headers, body if isinstance(body, bytes) else body.encode(errors="replace"))
