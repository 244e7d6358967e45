"""Makes calls to AWS's stand-ins on this machine cheap: botocore's way to a neighbour costs more than the neighbour's
answer. The requests are the same, byte for byte, but for what nobody here reads: who the client is."""

import io
import select
import socket
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ConnectionClosedError
from botocore.httpsession import URLLib3Session
from botocore.useragent import UserAgentString
from urllib3.response import HTTPHeaderDict

_PATIENCE_SECONDS = 60
_connections = threading.local()  # one for each thread and address: each waits for its answer
_botocore_send = URLLib3Session.send


def install() -> None:
    """Have all clients of this process call so. For addresses on this machine only: it speaks no TLS."""
    URLLib3Session.send = _send  # type: ignore[method-assign]
    UserAgentString.to_string = lambda _: "local"  # type: ignore[method-assign]


def _send(session: URLLib3Session, request: AWSPreparedRequest) -> Any:
    body = request.body or b""
    url = urlsplit(request.url)
    is_near = (url.scheme, url.hostname) in (("http", "127.0.0.1"), ("http", "localhost"))
    if not is_near or request.stream_output or not isinstance(body, bytes | bytearray | str):
        return _botocore_send(session, request)  # elsewhere, or a file, up or down
    try:
        return _ask(url.hostname or "", url.port or 80, request, body.encode() if isinstance(body, str) else body)
    except (OSError, ValueError) as error:  # what botocore tries again
        _forget(url.hostname or "", url.port or 80)
        raise ConnectionClosedError(endpoint_url=request.url, error=error) from None


def _ask(host: str, port: int, request: AWSPreparedRequest, body: bytes | bytearray) -> AWSResponse:
    connection, answer = _connection(host, port)
    connection.sendall(_head(request, len(body)) + body)
    status, headers = _status(answer.readline()), HTTPHeaderDict()
    while line := answer.readline().strip():
        name, _, value = line.partition(b":")
        headers.add(name.decode("latin-1"), value.strip().decode("latin-1"))
    bodiless = request.method == "HEAD" or status in (204, 304)
    text = b"" if bodiless else _text(answer, headers.get("Content-Length"))
    if headers.get("Connection", "").lower() == "close":
        _forget(host, port)
    return AWSResponse(request.url, status, headers, _Raw(text))


def _head(request: AWSPreparedRequest, length: int) -> bytes:
    url = urlsplit(request.url)
    path = (url.path or "/") + (f"?{url.query}" if url.query else "")
    said = {name: value.decode() if isinstance(value, bytes) else value for name, value in request.headers.items()}
    said = {"Host": url.netloc} | said | {"Content-Length": str(length)}
    lines = [f"{request.method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in said.items()), "", ""]
    return "\r\n".join(lines).encode("latin-1")


def _status(line: bytes) -> int:
    return int(line.split(None, 2)[1]) if line.startswith(b"HTTP/1.1 ") else int("")  # a ValueError: no answer


def _text(answer: Any, length: str | None) -> bytes:
    if length is not None:
        return _exactly(answer, int(length))
    text = b""  # in chunks: DynamoDB Local sends long answers so
    while size := int(answer.readline().split(b";")[0], 16):
        text += _exactly(answer, size)
        answer.readline()
    answer.readline()
    return text


def _exactly(answer: Any, length: int) -> bytes:
    text: bytes = answer.read(length)
    if len(text) < length:
        raise ValueError("the answer ends too early")
    return text


def _connection(host: str, port: int) -> Any:
    known = vars(_connections)
    if (host, port) in known and _hung_up(known[host, port][0]):
        _forget(host, port)
    if (host, port) not in known:
        connection = socket.create_connection((host, port), timeout=_PATIENCE_SECONDS)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        known[host, port] = connection, connection.makefile("rb")
    return known[host, port]


def _hung_up(connection: socket.socket) -> bool:
    """Whether a connection that rests has been ended: nothing else is to be read from it then."""
    return bool(select.select([connection], [], [], 0)[0])


def _forget(host: str, port: int) -> None:
    connection, answer = vars(_connections).pop((host, port), (None, None))
    if connection:
        answer.close()
        connection.close()


class _Raw(io.BytesIO):
    """An answer as urllib3 would give it."""

    def __init__(self, text: bytes) -> None:
        super().__init__(text)

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        """All at once."""
        yield self.read()
