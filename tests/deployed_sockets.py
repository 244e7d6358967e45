"""API Gateway's WebSockets in the rehearsal: what was deployed, behind sockets on this machine. Knows no app either."""

import json
import re
import threading
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

from deployed import FunctionFailed, Functions
from users import aws_client
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection, serve

LARGEST_FRAME = 128 * 1024
IN_AWS = re.compile(r"(wss|https)://(\w+)\.execute-api\.[\w-]+\.amazonaws\.com")


class Sockets(ThreadingHTTPServer):
    """Two loopback ports: `ws://…/<api>/<stage>` to connect, and `http://…/<api>/<stage>/@connections/<id>`, by which
    functions write to who is connected.
    """

    daemon_threads = True

    def __init__(self, functions: Functions, endpoint: str) -> None:
        super().__init__(("127.0.0.1", 0), _Management)
        self.connected: dict[str, ServerConnection] = {}
        self._functions, self._apis = functions, aws_client("apigatewayv2", endpoint)
        self._sockets = serve(self._serve, "127.0.0.1", 0, process_request=self._connect, max_size=LARGEST_FRAME)
        functions.here = self.here
        for served in (self.serve_forever, self._sockets.serve_forever):
            threading.Thread(target=served, daemon=True).start()

    def here(self, address: str) -> str:
        """Where an address of AWS's is on this machine; any other text stays what it is."""
        ports = {"wss": ("ws", self._sockets.socket.getsockname()[1]), "https": ("http", self.server_port)}
        found = IN_AWS.match(address)
        if not found:
            return address
        scheme, port = ports[found[1]]
        return f"{scheme}://127.0.0.1:{port}/{found[2]}{address[found.end() :]}"

    def _connect(self, connection: ServerConnection, request: Request) -> Response | None:
        """The handshake is answered when the function has answered."""
        try:
            self._wake(connection, "$connect", "CONNECT", headers=dict(request.headers.raw_items()))
        except KeyError:
            return connection.respond(403, '{"message":"Forbidden"}')
        except FunctionFailed:
            return connection.respond(500, '{"message":"Internal server error"}')
        return None

    def _serve(self, connection: ServerConnection) -> None:
        id = connection.id.hex
        self.connected[id] = connection
        try:
            for frame in connection:
                self._pass_on(connection, frame)
        finally:
            del self.connected[id]
            self._wake(connection, "$disconnect", "DISCONNECT")

    def _pass_on(self, connection: ServerConnection, frame: str | bytes) -> None:
        try:
            self._wake(connection, "$default", "MESSAGE", body=frame)
        except FunctionFailed:
            words = {"message": "Internal server error", "connectionId": connection.id.hex, "requestId": "1"}
            connection.send(json.dumps(words))

    def _wake(self, connection: ServerConnection, route: str, kind: str, **more: Any) -> None:
        """Have the function of a route handle an event. Raises KeyError if no stage in effect has it."""
        assert connection.request
        _, api, stage, *_ = [*connection.request.path.split("/"), "", ""]
        function = self._routes(api, stage)[route].split(":function:")[1].split("/")[0]
        moment = datetime.now(UTC)
        context = {
            "routeKey": route,
            "eventType": kind,
            "messageDirection": "IN",
            "stage": stage,
            "apiId": api,
            "connectionId": connection.id.hex,
            "domainName": f"{api}.execute-api.eu-west-2.amazonaws.com",
            "requestId": str(uuid.uuid4()),
            "requestTime": f"{moment:%d/%b/%Y:%H:%M:%S +0000}",
            "requestTimeEpoch": int(moment.timestamp() * 1000),
            "identity": {"sourceIp": "192.0.2.1"},
        }
        self._functions.invoke(function, {"requestContext": context, "isBase64Encoded": False, **more})

    def _routes(self, api: str, stage: str) -> Mapping[str, str]:
        """What is in effect, which may be older than what the API has: see `rehearsal_aws.py`."""
        try:
            return dict(self._apis.get_stage(ApiId=api, StageName=stage)["StageVariables"])
        except self._apis.exceptions.NotFoundException:
            return {}


class _Management(BaseHTTPRequestHandler):
    server: Sockets
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        said = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self._do(lambda connection: connection.send(said))

    def do_DELETE(self) -> None:
        self._do(lambda connection: connection.close())

    def _do(self, act: Any) -> None:
        connection = self.server.connected.get(unquote(self.path.rpartition("/@connections/")[2]))
        try:
            assert connection
            act(connection)
            self.send_response(200)
        except (AssertionError, ConnectionClosed):
            self.send_response(410)
            self.send_header("x-amzn-errortype", "GoneException")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """The tests say what matters."""
