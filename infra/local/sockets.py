"""WebSocket on one machine, as API Gateway has it: it wakes the app's handlers, and the app answers by the
connection-management API. https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api.html
"""

import base64
import json
import logging
import secrets
import socket
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import unquote

from chalice.app import Chalice
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request as Handshake
from websockets.http11 import Response
from websockets.sync.server import Server, ServerConnection, serve

from infra.local.clock import rfc3339
from infra.local.functions import Functions, tell_failure
from infra.local.gateway import Answer, Request, problem
from infra.local.stack import STAGE

LARGEST_FRAME, LARGEST_MESSAGE = 32 * 1024, 128 * 1024  # bytes
AT_ONCE = 32  # frames that are handled: AWS bounds them by the account's concurrent functions
AT_ONCE_OF_ONE = 8  # of one connection: somebody who floods waits for their own frames
PATIENCE_SECONDS = 5  # with a client that does not read what it is sent
GOODBYE_SECONDS = 1  # that a client has to agree to an end
MANAGEMENT = "/dev/sockets"
_ADDRESS = f"{MANAGEMENT}/@connections/"
_GOINGS = (OSError, EOFError, ConnectionClosed)


class Line(ServerConnection):
    """One connection. `name` is what API Gateway calls its connection id."""

    def __init__(self, peer: socket.socket, *args: Any, **kwargs: Any) -> None:
        self.address = peer.getpeername()[0]
        super().__init__(peer, *args, **kwargs)
        self.name = base64.urlsafe_b64encode(secrets.token_bytes(11)).decode()
        self.began, self.used = time.monotonic(), time.monotonic()
        self.began_at, self.used_at = datetime.now(UTC), datetime.now(UTC)
        self.is_known = False  # the app has let it in
        self.room = threading.Semaphore(AT_ONCE_OF_ONE)
        self.socket.settimeout(PATIENCE_SECONDS)

    def use(self) -> None:
        """It is not idle."""
        self.used, self.used_at = time.monotonic(), datetime.now(UTC)

    def tell(self, text: str) -> None:
        """Send a frame. Raises ConnectionClosed."""
        self.use()
        self.send(text)


class Sockets:
    """Listens from the moment it is made (so that its port is known), answers once it serves an app. It is also a
    source of work, as `triggers.py` wants one to know when all is at rest.
    """

    name = "sockets"

    def __init__(self, idle_seconds: float = 10 * 60, longest_seconds: float = 2 * 60 * 60) -> None:
        self._idle, self._longest = idle_seconds, longest_seconds
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.url = f"ws://127.0.0.1:{self._listening.getsockname()[1]}"
        self._lines: dict[str, Line] = {}
        self._threads: set[threading.Thread] = set()
        self._of_thread = threading.local()
        self._several = ThreadPoolExecutor(AT_ONCE, self.name)
        self._lock = threading.Lock()
        self._in_hand = 0

    def start(self, app: Chalice, functions: Functions, wrote: Callable[[], None]) -> None:
        """Answer for `app`. `wrote` hears of each frame that may have changed the table."""
        self._names = {route: config.name for route, config in app.websocket_handlers.items()}
        self._functions, self._wrote = functions, wrote
        self._server: Server = serve(
            self._talk,
            sock=self._listening,
            process_response=self._connect,
            create_connection=self._line,  # type: ignore[arg-type]  # or a wrapper, its documentation says
            compression=None,  # API Gateway has none, and sends no pings
            ping_interval=None,
            max_size=(LARGEST_MESSAGE, LARGEST_FRAME),
            close_timeout=GOODBYE_SECONDS,
            server_header=None,
            logger=_logger(),
        )
        self._server.handler = partial(self._from_begin_to_end, self._server.handler)
        threading.Thread(target=self._server.serve_forever, name=self.name, daemon=True).start()

    def stop(self) -> None:
        """End all connections, and tell the app so."""
        self._server.shutdown()
        for thread in list(self._threads):
            thread.join()
        self._several.shutdown()

    def poll(self) -> bool:
        """Frames come by themselves."""
        return False

    def drained(self) -> bool:
        """No frame waits for its handler or is handled."""
        return not self._in_hand

    def manage(self, request: Request) -> Answer | None:
        """The connection-management API; None for every other address."""
        path = unquote(request.path)
        if not path.startswith(_ADDRESS):
            return None
        line = self._lines.get(path.removeprefix(_ADDRESS))
        if line is None:
            return _refused(410, "GoneException")
        does = {"GET": self._describe, "POST": self._post, "DELETE": self._delete}.get(request.method)
        return does(line, request) if does else problem(405, "This address does not take that method")

    # One connection, in its thread

    def _line(self, *args: Any, **kwargs: Any) -> Line:
        line = self._of_thread.line = Line(*args, **kwargs)
        return line

    def _from_begin_to_end(self, serve_one: Callable[[Any, Any], None], peer: Any, address: Any) -> None:
        """However it ends, also while it begins, who was let in is said to have gone."""
        thread = threading.current_thread()
        self._threads.add(thread)
        try:
            serve_one(peer, address)
        finally:
            line = getattr(self._of_thread, "line", None)
            if line and line.is_known:
                self._disconnect(line)
            self._threads.discard(thread)

    def _connect(self, line: ServerConnection, handshake: Handshake, response: Response) -> Response | None:
        if response.status_code != 101:
            return None
        assert isinstance(line, Line)
        headers = dict(handshake.headers.raw_items())
        event = self._event(line, "$connect", "CONNECT") | {
            "headers": headers,
            "multiValueHeaders": {name: handshake.headers.get_all(name) for name in headers},
        }
        try:
            said = self._functions.run(self._names["$connect"], event)
        except Exception as error:
            tell_failure(self._names["$connect"], error)
            return line.respond(502, '{"message": "Internal server error"}')
        line.is_known = 200 <= said["statusCode"] < 300
        return None if line.is_known else line.respond(said["statusCode"], said.get("body", ""))

    def _talk(self, line: ServerConnection) -> None:
        assert isinstance(line, Line)
        self._lines[line.name] = line
        with suppress(ConnectionClosed):
            self._read(line)

    def _read(self, line: Line) -> None:
        while (left := self._seconds_left(line)) > 0:
            try:
                frame = line.recv(timeout=left)
            except TimeoutError:
                continue  # something was sent meanwhile
            if isinstance(frame, bytes):
                line.close(1003, "Binary frames are not supported")
                return
            line.use()
            line.room.acquire()
            self._count(1)
            # Not one after the other: API Gateway does not wait for the function that has the frame before.
            self._several.submit(self._handle, line, frame)
        line.close(1001, "Going away")

    def _seconds_left(self, line: Line) -> float:
        return min(line.used + self._idle, line.began + self._longest) - time.monotonic()

    def _disconnect(self, line: Line) -> None:
        self._lines.pop(line.name, None)
        event = self._event(line, "$disconnect", "DISCONNECT")
        if end := line.protocol.close_rcvd or line.protocol.close_sent:
            event["requestContext"] |= {"disconnectStatusCode": int(end.code), "disconnectReason": end.reason}
        else:  # the network is gone
            event["requestContext"] |= {"disconnectStatusCode": 1006, "disconnectReason": ""}
        try:
            self._functions.run(self._names["$disconnect"], event)
        except Exception as error:
            tell_failure(self._names["$disconnect"], error)
        self._wrote()

    # One frame

    def _handle(self, line: Line, frame: str) -> None:
        event = self._event(line, "$default", "MESSAGE") | {"body": frame}
        event["requestContext"]["messageId"] = _id()
        try:
            self._functions.run(self._names["$default"], event)
        except Exception as error:
            tell_failure(self._names["$default"], error)
            self._apologise(line, event["requestContext"]["requestId"])
        finally:
            line.room.release()
            self._count(-1)
            self._wrote()

    def _apologise(self, line: Line, request: str) -> None:
        told = {"message": "Internal server error", "connectionId": line.name, "requestId": request}
        with suppress(ConnectionClosed):
            line.tell(json.dumps(told))

    def _count(self, more: int) -> None:
        with self._lock:
            self._in_hand += more

    def _event(self, line: Line, route: str, kind: str) -> dict[str, Any]:
        now = datetime.now(UTC)
        context = {
            "routeKey": route,
            "eventType": kind,
            "messageDirection": "IN",
            "apiId": "local",
            "stage": STAGE,
            "domainName": self.url.removeprefix("ws://"),
            "connectionId": line.name,
            "connectedAt": _milliseconds(line.began_at),
            "requestTime": now.strftime("%d/%b/%Y:%H:%M:%S +0000"),
            "requestTimeEpoch": _milliseconds(now),
            "requestId": _id(),
            "extendedRequestId": _id(),
            "identity": {"sourceIp": line.address},
        }
        return {"requestContext": context, "isBase64Encoded": False}

    # The connection-management API

    def _describe(self, line: Line, _: Request) -> Answer:
        about = {
            "connectedAt": rfc3339(line.began_at),
            "identity": {"sourceIp": line.address, "userAgent": ""},
            "lastActiveAt": rfc3339(line.used_at),
        }
        return Answer(200, {"Content-Type": "application/json"}, json.dumps(about).encode())

    def _post(self, line: Line, request: Request) -> Answer:
        if len(request.body) > LARGEST_MESSAGE:
            return _refused(413, "PayloadTooLargeException")
        try:
            line.tell(request.body.decode(errors="replace"))
        except ConnectionClosed:
            return _refused(410, "GoneException")
        return Answer(200, {})

    def _delete(self, line: Line, _: Request) -> Answer:
        self._lines.pop(line.name, None)
        threading.Thread(target=line.close, daemon=True).start()  # nobody waits for the client to agree
        return Answer(204, {})


def _logger() -> logging.Logger:
    """Clients come and go; anything else is worth a trace."""
    logger = logging.getLogger("infra.local.sockets")
    logger.addFilter(lambda record: not (record.exc_info and isinstance(record.exc_info[1], _GOINGS)))
    return logger


def _refused(status: int, kind: str) -> Answer:
    return Answer(status, {"Content-Type": "application/json", "x-amzn-ErrorType": kind}, b"{}")


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _id() -> str:
    return str(uuid.uuid4())
