"""The service under replay or load: the one-machine runner as a child, and requests to it."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from rich.console import Console

from chalicelib.table import Table
from chalicelib.times import read_stamp, stamp
from infra.local.children import end_with_parent
from infra.local.stack import STAGE, client

PATIENCE_SECONDS = 300


class Failed(Exception):
    """The replay cannot go on; says why in one line."""


class Service:
    """Requests to the service at `url`, from any thread; a cookie is of the thread that got it. `database` is the
    endpoint of its DynamoDB, `process` the id of the runner.
    """

    def __init__(self, url: str, database: str, process: int) -> None:
        self.url, self.process = url, process
        self._database = database
        self._threads = threading.local()

    def ask(self, method: str, path: str, *allowed: int, token: str = "", **request: Any) -> requests.Response:
        """The answer, which has one of the `allowed` statuses (200 if none are named)."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        headers |= request.pop("headers", {})
        answer = self._session().request(method, self.url + path, headers=headers, timeout=PATIENCE_SECONDS, **request)
        if answer.status_code not in (allowed or (200,)):
            raise Failed(f"{method} {path} was answered with {answer.status_code}")
        return answer

    def come_from(self, address: str) -> None:
        """From now on this thread's requests come from that address of this machine."""
        self._session().mount("http://", _From(address))

    def get(self, path: str, *, token: str = "", **query: str) -> Any:
        """The document at `path`."""
        return self.ask("GET", path, token=token, params=query).json()

    def token(self, role: str, name: str) -> str:
        """A token for an invented person in that role."""
        return str(self.get("/dev/token", role=role, name=name)["token"])

    def forward_to(self, moment: datetime) -> None:
        """Move the service's clock on, unless it is there already. What fell due has run when this returns. What is
        under way ends first: no letter shall have taken hours because the clock was moved.
        """
        seconds = (moment - read_stamp(self.get("/dev/clock")["now"])).total_seconds()
        if seconds > 0:
            self.rest()
            self.ask("POST", "/dev/clock", json={"advance_seconds": seconds})

    def rest(self) -> None:
        """Wait until the stream and the queues are drained."""
        end = time.monotonic() + PATIENCE_SECONDS
        while self.ask("GET", "/dev/idle", 200, 503).status_code == 503:
            if time.monotonic() > end:
                raise Failed("The stream and the queues are never drained")
            time.sleep(0.02)

    def table(self) -> Table:
        """The table itself, not what the service says of it."""
        return Table(client("dynamodb", self._database), f"crime-reports-{STAGE}")

    def _session(self) -> requests.Session:
        if not hasattr(self._threads, "session"):
            self._threads.session = requests.Session()
            self._threads.session.trust_env = False  # a proxy has no business between two processes of one machine
        session: requests.Session = self._threads.session
        return session


class _From(HTTPAdapter):
    """Connects from an address."""

    def __init__(self, address: str) -> None:
        self._address = address
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs, source_address=(self._address, 0))


@contextmanager
def running(port: int, clock: datetime, **settings: str) -> Iterator[Service]:
    """Run the whole service, with its clock set, for as long as the context lasts; `settings` as for `make run`.

    Without the nightly reconciliation: it reads the whole table, and each night would cost more than its day.
    """
    child = subprocess.Popen(
        [sys.executable, "-m", "infra.local"],
        env=os.environ | {"PORT": str(port), "CLOCK": stamp(clock), "SCHEDULES_OFF": "reconcile"} | settings,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=end_with_parent(),  # a Ctrl-C is ours; we end it in good order
    )
    try:
        said = _said(child)
        yield Service(said["Ready"], said["Database"], child.pid)
    finally:
        _end(child)


def _said(child: subprocess.Popen[str]) -> dict[str, str]:
    """What it tells people as it starts: what is where."""
    assert child.stdout
    said: dict[str, str] = {}
    for line in child.stdout:
        name, _, where = line.strip().partition(": ")
        said[name] = where
        if name == "Ready":
            return said
    raise Failed("The service did not start")


def _end(child: subprocess.Popen[str]) -> None:
    child.terminate()
    try:
        child.wait(10)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def stay(service: Service, page: str, console: Console) -> None:
    """Leave the service running until Ctrl-C."""
    console.print(f"The service goes on at {service.url}{page} until you press Ctrl-C.")
    try:
        signal.pause()
    except KeyboardInterrupt:
        return
