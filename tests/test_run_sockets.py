"""The runner's WebSocket and its connection-management API: as API Gateway has them, for an app of our own."""

import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.client import HTTPConnection
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
import requests
from chalice.app import Chalice, WebsocketEvent
from chalice.config import Config
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from infra.local import sockets as module
from infra.local.clock import DevClock
from infra.local.functions import Functions
from infra.local.gateway import Server
from infra.local.sockets import AT_ONCE_OF_ONE, LARGEST_FRAME, LARGEST_MESSAGE, MANAGEMENT, Sockets

HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


class World:
    """An app behind the runner's HTTP and WebSocket. What a frame says is what its handler does."""

    def __init__(self, **limits: float) -> None:
        self.events: list[dict[str, Any]] = []
        self.gate, self.running, self.most = threading.Event(), 0, 0
        self.says: Any = None
        self.on_connect: Callable[[str], Any] = lambda connection: None
        self._lock = threading.Lock()
        app = Chalice(app_name="test")
        app.route("/who")(lambda: app.current_request.context["identity"]["sourceIp"])
        app.on_ws_connect(name="in")(self._connect)
        app.on_ws_message(name="say")(self._message)
        app.on_ws_disconnect(name="out")(self._disconnect)
        self.clock, self.wrote = DevClock(datetime(2019, 3, 1, tzinfo=UTC)), 0
        self.functions = Functions(app, self.clock.without_jumps)
        self.sockets, self.http = Sockets(**limits), Server(0)
        config = Config("local", user_provided_params={"chalice_app": app}, config_from_disk={})
        serve = (app, config, self.sockets.manage, self.clock.without_jumps, lambda: None)
        threading.Thread(target=self.http.serve, args=serve, daemon=True).start()
        self.sockets.start(app, self.functions, self._hear)
        self.management = boto3.client(
            "apigatewaymanagementapi", endpoint_url=f"{self.http.url}{MANAGEMENT}", region_name="eu-west-2",
            aws_access_key_id="local", aws_secret_access_key="local",
        )  # fmt: skip

    def stop(self) -> None:
        self.gate.set()
        self.sockets.stop()
        self.http.shutdown()
        self.http.server_close()

    def kinds(self) -> list[str]:
        return [event["requestContext"]["eventType"] for event in self.events]

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["requestContext"]["eventType"] == kind]

    def _hear(self) -> None:
        self.wrote += 1

    def _connect(self, event: WebsocketEvent) -> Any:
        self.events.append(event.to_dict())
        return self.on_connect(event.connection_id)

    def _message(self, event: WebsocketEvent) -> None:
        self.events.append(event.to_dict())
        if event.body == "raise":
            raise ValueError("about Ann")
        if event.body == "wait":
            with self._lock:
                self.running += 1
                self.most = max(self.most, self.running)
            assert self.gate.wait(20)
            with self._lock:
                self.running -= 1
        self.management.post_to_connection(ConnectionId=event.connection_id, Data=f"heard {event.body[:9]}".encode())

    def _disconnect(self, event: WebsocketEvent) -> None:
        self.events.append(event.to_dict())


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setenv("AWS_REGION", "eu-west-2")
    made = World()
    yield made
    made.stop()


def until(true: Callable[[], object]) -> None:
    """Wait for what another thread is about to do."""
    end = time.monotonic() + 20
    while not true():
        assert time.monotonic() < end
        time.sleep(0.005)


def end_of(line: ClientConnection) -> int:
    """The code with which the other side ends a connection."""
    with pytest.raises(ConnectionClosed) as closed:
        line.recv(timeout=20)
    assert closed.value.rcvd
    return int(closed.value.rcvd.code)


# ---- what the app is told


def test_a_connection_wakes_the_three_handlers_with_the_events_of_api_gateway(world: World) -> None:
    with connect(world.sockets.url, additional_headers={"X-Two": "é"}) as line:
        line.send("hello é")
        assert line.recv(timeout=20) == "heard hello é"
    until(lambda: len(world.events) == 3)
    came, said, went = world.events
    assert world.kinds() == ["CONNECT", "MESSAGE", "DISCONNECT"]
    assert [event["requestContext"]["routeKey"] for event in world.events] == ["$connect", "$default", "$disconnect"]
    assert len({event["requestContext"]["connectionId"] for event in world.events}) == 1
    assert len({event["requestContext"]["requestId"] for event in world.events}) == 3
    context = said["requestContext"]
    assert len(context["connectionId"]) == 16 and context["connectionId"].endswith("=")
    assert context["identity"] == {"sourceIp": "127.0.0.1"} and context["stage"] == "local"
    assert f"ws://{context['domainName']}" == world.sockets.url
    assert (said["body"], said["isBase64Encoded"]) == ("hello é", False)
    assert came["headers"]["Upgrade"] == "websocket" and came["multiValueHeaders"]["Upgrade"] == ["websocket"]
    assert "body" not in came and "body" not in went
    assert went["requestContext"]["disconnectStatusCode"] == 1000
    until(lambda: world.wrote == 2)  # what the message and the end may have written


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere this machine has one loopback address only")
def test_the_app_is_told_where_somebody_comes_from(world: World) -> None:
    with connect(world.sockets.url, source_address=("127.0.0.7", 0)):
        assert world.of("CONNECT")[0]["requestContext"]["identity"]["sourceIp"] == "127.0.0.7"
    asked = HTTPConnection("127.0.0.1", world.http.server_port, source_address=("127.0.0.8", 0), timeout=20)
    asked.request("GET", "/who")
    assert asked.getresponse().read() == b"127.0.0.8"
    asked.close()


@pytest.mark.parametrize(("answer", "status"), [(lambda _: {"statusCode": 403}, 403), (lambda _: 1 / 0, 502)])
def test_whoever_is_not_let_in_is_refused_by_the_handshake(
    world: World, answer: Callable[[str], Any], status: int
) -> None:
    world.on_connect = answer
    with pytest.raises(InvalidStatus) as refused, connect(world.sockets.url):
        pass
    assert refused.value.response.status_code == status
    world.on_connect = lambda _: None
    with connect(world.sockets.url):
        pass
    until(lambda: world.of("DISCONNECT"))
    assert world.kinds() == ["CONNECT", "CONNECT", "DISCONNECT"]  # who was not let in does not go


def test_what_is_no_handshake_does_not_reach_the_app(world: World) -> None:
    assert requests.get(world.sockets.url.replace("ws", "http"), timeout=20).status_code == 426
    address = ("127.0.0.1", urlsplit(world.sockets.url).port or 0)
    with socket.create_connection(address, timeout=20) as nonsense:
        nonsense.sendall(b"\x00\xff nonsense\r\n\r\n")
        assert not nonsense.recv(100)
    assert not world.events


def test_a_handler_that_raises_is_told_to_the_client_and_the_connection_lives(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    with connect(world.sockets.url) as line:
        line.send("raise")
        told = line.recv(timeout=20)
        context = world.of("MESSAGE")[0]["requestContext"]
        assert told == (f'{{"message": "Internal server error", "connectionId": "{context["connectionId"]}", '
                        f'"requestId": "{context["requestId"]}"}}')  # fmt: skip
        line.send("again")
        assert line.recv(timeout=20) == "heard again"
    said = capsys.readouterr().err
    assert "say failed: ValueError" in said and "Ann" not in said


@pytest.mark.parametrize("when", ["after", "while it connects"])
def test_the_end_is_told_also_if_the_network_is_gone(world: World, when: str) -> None:
    if when == "after":
        with connect(world.sockets.url) as line:
            line.socket.shutdown(socket.SHUT_RDWR)
    else:
        world.on_connect = lambda _: world.gate.wait(20)
        address = ("127.0.0.1", urlsplit(world.sockets.url).port or 0)
        with socket.create_connection(address) as raw:
            raw.sendall(HANDSHAKE)
            until(lambda: world.of("CONNECT"))
        world.gate.set()
    until(lambda: world.of("DISCONNECT"))
    assert world.of("DISCONNECT")[0]["requestContext"]["disconnectStatusCode"] == 1006


# ---- limits


def test_too_much_at_once_ends_the_connection_and_no_other(world: World) -> None:
    with connect(world.sockets.url) as other:
        with connect(world.sockets.url) as line:
            line.send(["x" * LARGEST_FRAME] * (LARGEST_MESSAGE // LARGEST_FRAME))
            assert line.recv(timeout=20) == "heard xxxxxxxxx"
            line.send(["x" * LARGEST_FRAME] * (LARGEST_MESSAGE // LARGEST_FRAME) + ["x"])
            assert end_of(line) == 1009
        for sent, code in (("x" * (LARGEST_FRAME + 1), 1009), ("x" * 1024 * 1024, 1009), (b"binary", 1003)):
            with connect(world.sockets.url) as line:
                line.send(sent)
                assert end_of(line) == code
        other.send("hello")
        assert other.recv(timeout=20) == "heard hello"
    assert len(world.of("MESSAGE")) == 2
    until(lambda: len(world.of("DISCONNECT")) == 5)
    codes = [event["requestContext"]["disconnectStatusCode"] for event in world.of("DISCONNECT")]
    assert sorted(codes) == [1000, 1003, 1009, 1009, 1009]


@pytest.mark.parametrize("limits", [{"idle_seconds": 0.1}, {"longest_seconds": 0.1}])
def test_a_connection_ends_when_it_was_idle_or_there_for_too_long(
    monkeypatch: pytest.MonkeyPatch, limits: dict[str, float]
) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-west-2")
    world = World(**limits)
    with connect(world.sockets.url) as line:
        assert end_of(line) == 1001
    until(lambda: world.of("DISCONNECT"))
    assert not world.of("MESSAGE")
    world.stop()


def test_idle_is_what_neither_hears_nor_is_told_anything_and_nothing_lasts_longer_than_it_may(
    monkeypatch: pytest.MonkeyPatch, world: World
) -> None:
    """By the clock of the machine: the service's may jump."""
    now = 1000.0
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: now))
    with connect(world.sockets.url) as line:
        until(lambda: world.sockets._lines)
        there = next(iter(world.sockets._lines.values()))
        assert world.sockets._seconds_left(there) == 600
        now += 500
        line.send("hello")
        line.recv(timeout=20)
        assert world.sockets._seconds_left(there) == 600
        now += 500
        world.management.post_to_connection(ConnectionId=there.name, Data=b"hello")
        assert world.sockets._seconds_left(there) == 600
        there.used = now = 1000 + 2 * 60 * 60 - 1
        assert world.sockets._seconds_left(there) == 1


def test_frames_are_handled_at_once_and_a_flood_waits_for_itself_only(world: World) -> None:
    with connect(world.sockets.url) as flood, connect(world.sockets.url) as other:
        for _ in range(3 * AT_ONCE_OF_ONE):
            flood.send("wait")
        until(lambda: world.running == AT_ONCE_OF_ONE)
        other.send("hello")
        assert other.recv(timeout=20) == "heard hello"
        assert not world.sockets.drained() and world.functions.activity().running >= AT_ONCE_OF_ONE
        world.gate.set()
        assert [flood.recv(timeout=20) for _ in range(3 * AT_ONCE_OF_ONE)] == ["heard wait"] * 3 * AT_ONCE_OF_ONE
        until(world.sockets.drained)
    assert world.most == AT_ONCE_OF_ONE


def test_the_clock_waits_for_a_frame_and_not_for_a_connection(world: World) -> None:
    with connect(world.sockets.url) as line:
        until(lambda: world.sockets._lines)
        world.clock.advance(3600)
        line.send("wait")
        until(lambda: world.running)
        jump = threading.Thread(target=world.clock.advance, args=(3600,))
        jump.start()
        until(lambda: world.clock._jumping)
        assert world.running and jump.is_alive()
        world.gate.set()
        jump.join(20)
        assert not jump.is_alive()


# ---- the connection-management API


def test_a_connection_can_be_asked_about_told_and_ended(world: World) -> None:
    with connect(world.sockets.url) as line:
        id = world.of("CONNECT")[0]["requestContext"]["connectionId"]
        about = world.management.get_connection(ConnectionId=id)
        assert about["Identity"]["SourceIp"] == "127.0.0.1" and about["ConnectedAt"] <= about["LastActiveAt"]
        world.management.post_to_connection(ConnectionId=id, Data="told é".encode())
        assert line.recv(timeout=20) == "told é"
        with pytest.raises(world.management.exceptions.PayloadTooLargeException):
            world.management.post_to_connection(ConnectionId=id, Data=b"x" * (LARGEST_MESSAGE + 1))
        assert requests.put(f"{world.http.url}{MANAGEMENT}/@connections/{id}", timeout=20).status_code == 405
        world.management.delete_connection(ConnectionId=id)
        assert end_of(line) == 1000
    until(lambda: world.of("DISCONNECT"))
    assert len(world.of("DISCONNECT")) == 1


def test_who_is_gone_or_never_was_or_is_not_yet_there_is_gone(world: World) -> None:
    gone = world.management.exceptions.GoneException
    during: list[str] = []

    def tell_too_early(connection: str) -> None:
        with pytest.raises(gone):
            world.management.post_to_connection(ConnectionId=connection, Data=b"welcome")
        during.append(connection)

    world.on_connect = tell_too_early
    with connect(world.sockets.url) as line:
        line.send("hello")
        assert line.recv(timeout=20) == "heard hello"
    until(lambda: world.of("DISCONNECT"))
    for id in (during[0], "abcdefghijklmno=", "../../etc", "é"):
        for ask in (
            lambda id=id: world.management.get_connection(ConnectionId=id),
            lambda id=id: world.management.delete_connection(ConnectionId=id),
            lambda id=id: world.management.post_to_connection(ConnectionId=id, Data=b"x"),
        ):
            with pytest.raises(gone):
                ask()
    assert requests.get(f"{world.http.url}/dev/other", timeout=20).status_code == 404


# ---- the end


def test_the_end_of_the_runner_ends_all_connections_and_the_app_is_told(world: World) -> None:
    with connect(world.sockets.url) as one, connect(world.sockets.url) as other:
        until(lambda: len(world.sockets._lines) == 2)
        world.sockets.stop()
        assert end_of(one) == end_of(other) == 1001
    assert len(world.of("DISCONNECT")) == 2
    with pytest.raises(OSError), connect(world.sockets.url):
        pass
