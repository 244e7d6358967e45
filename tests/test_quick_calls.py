"""The runner's own way to AWS's stand-ins: whatever form an answer has, and whenever its server hangs up."""

import socket
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.exceptions import ConnectionClosedError
from botocore.httpsession import URLLib3Session

from infra.local import quick_calls

ITEM = b'{"Item":{"pk":{"S":"found"}}}'
WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(ITEM), ITEM)
IN_CHUNKS = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n%b\r\n%x;x=y\r\n%b\r\n0\r\n\r\n" % (
    ITEM[:5], len(ITEM) - 5, ITEM[5:])  # fmt: skip
REFUSED = b'HTTP/1.1 400 Bad Request\r\nContent-Length: 26\r\n\r\n{"__type":"x#NoSuchThing"}'
CUT_OFF = WHOLE[:-3]


class Server:
    """Gives its answers one after the other; where it has None, it hangs up instead of waiting for a request."""

    def __init__(self, answers: Sequence[bytes | None]) -> None:
        self._answers, self._listening = list(answers), socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self.asked: list[bytes] = []
        self.connections = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while self._answers:
            connection, _ = self._listening.accept()
            self.connections += 1
            with connection:
                while self._answers and (answer := self._answers.pop(0)) is not None:
                    self.asked.append(connection.recv(65536))
                    connection.sendall(answer)
                    if answer == CUT_OFF:
                        break
        self._listening.close()


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(URLLib3Session, "send", quick_calls._send)
    yield
    vars(quick_calls._connections).clear()


def get(server: Server) -> Any:
    """What DynamoDB's client makes of the next answer. It tries again once."""
    client = boto3.client(
        "dynamodb", endpoint_url=server.url, region_name="eu-west-2", aws_access_key_id="local",
        aws_secret_access_key="local", config=Config(retries={"mode": "standard", "max_attempts": 2}),
    )  # fmt: skip
    return client.get_item(TableName="table", Key={"pk": {"S": "é"}})["Item"]


@pytest.mark.parametrize("answer", [WHOLE, IN_CHUNKS], ids=["whole", "in chunks"])
def test_an_answer_is_read_whatever_its_form_and_the_connection_is_kept(answer: bytes) -> None:
    server = Server([answer, answer])
    assert get(server) == get(server) == {"pk": {"S": "found"}}
    assert server.connections == 1
    head, _, body = server.asked[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST / HTTP/1.1\r\n") and b"X-Amz-Target: DynamoDB_20120810.GetItem" in head
    assert f"Content-Length: {len(body)}".encode() in head and b"\\u00e9" in body


def test_a_refusal_is_what_it_is() -> None:
    server = Server([REFUSED])
    with pytest.raises(Exception, match="NoSuchThing"):
        get(server)


def test_a_server_that_hung_up_meanwhile_is_called_anew() -> None:
    server = Server([WHOLE, None, WHOLE])
    get(server)
    while not quick_calls._hung_up(next(iter(vars(quick_calls._connections).values()))[0]):
        pass
    assert get(server) == {"pk": {"S": "found"}}
    assert (server.connections, len(server.asked)) == (2, 2)


def test_an_answer_that_is_cut_off_is_asked_for_again() -> None:
    server = Server([CUT_OFF, WHOLE])
    assert get(server) == {"pk": {"S": "found"}}
    assert server.connections == 2


def test_nobody_there_is_an_error_of_the_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    with pytest.raises(ConnectionClosedError):
        URLLib3Session().send(AWSRequest("GET", url).prepare())


def test_a_head_has_no_body_to_wait_for() -> None:
    server = Server([b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\n", WHOLE])
    assert URLLib3Session().send(AWSRequest("HEAD", server.url).prepare()).content == b""
    assert not vars(quick_calls._connections)  # the server said that it hangs up


@pytest.mark.parametrize("url", ["https://127.0.0.1/x", "http://dynamodb.example.com/x"])
def test_what_is_elsewhere_goes_the_usual_way(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setattr(quick_calls, "_botocore_send", lambda session, request: "the usual way")
    assert quick_calls._send(URLLib3Session(), AWSRequest("GET", url, data=b"").prepare()) == "the usual way"
