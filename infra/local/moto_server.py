"""moto as a server on a loopback port it picks and prints: `python -m infra.local.moto_server`, the runner's child."""

import io
import logging
import threading
import warnings
from collections.abc import Callable, Iterable
from typing import Any

from moto.dynamodbstreams.models import DynamoDBStreamsBackend, dynamodbstreams_backends
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

from infra.local import evidence_bucket, quick_queries, quick_queues

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class _QuietHandler(MotoRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else every answer waits 40 ms for an acknowledgement

    def run_wsgi(self) -> None:
        """Answer, and keep the connection: werkzeug would make a new one and a new thread for every request."""
        environ, said = self.make_environ(), []
        length = int(self.headers.get("Content-Length", 0))
        if length > evidence_bucket.LARGEST_POST:
            self._refuse(length)
            return
        environ["wsgi.input"] = io.BytesIO(self.rfile.read(length))
        app: Wsgi = self.server.app
        body = b"".join(app(environ, lambda *status_and_headers: said.append(status_and_headers)))
        status, headers = said[0][:2]
        self.send_response(int(status.split()[0]))
        for name, value in headers:
            if name.lower() not in ("content-length", "connection"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _refuse(self, length: int) -> None:
        """As S3 does, and what is still on its way is read away: a browser would not see the answer otherwise."""
        while length > 0 and (read := self.rfile.read(min(length, 1024 * 1024))):
            length -= len(read)
        body = evidence_bucket.error("EntityTooLarge")
        self.send_response(400)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log(self, type: str, message: str, *args: Any) -> None:
        """Requests are not logged: they carry reports."""


def main() -> None:
    """Serve until killed."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    logging.getLogger("moto").setLevel(logging.ERROR)  # says of the firewall that it makes none: we need none here
    warnings.filterwarnings("ignore", message="Tried to parse")
    quick_queries.install()
    quick_queues.install()
    app = evidence_bucket.checking_posts(_one_at_a_time(DomainDispatcherApplication(create_backend_app)))
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_QuietHandler)
    print(server.server_port, flush=True)
    server.serve_forever()


def _one_at_a_time(app: Wsgi) -> Wsgi:
    """moto's DynamoDB is not safe under threads, and it keeps every stream iterator for ever."""
    lock = threading.Lock()

    def serialised(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        with lock:
            answer = list(app(environ, start_response))
            for account in dynamodbstreams_backends.values():
                for backend in account.values():
                    _forget_old_iterators(backend)
            return answer

    return serialised


def _forget_old_iterators(backend: DynamoDBStreamsBackend, keep: int = 100) -> None:
    iterators = backend.shard_iterators
    for key in list(iterators)[:-keep]:
        del iterators[key]


if __name__ == "__main__":
    main()
