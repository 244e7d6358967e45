"""What many tests share: the running service, DynamoDB Local, and the rule that CI skips nothing."""

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import requests
from chromium import axe_script, chromium
from playwright.sync_api import Browser, Page

from infra.local import dynamodb_local as database
from tests.fakes import FakeTable, Parts, Wire, moto_dynamodb, new_case

ROOT = Path(__file__).parents[1]


class Runner:
    """A service started by `python -m infra.local`, as `make run` does, and what `/dev` lets a test do with it."""

    def __init__(self, **settings: str) -> None:
        self.said: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "infra.local"],
            cwd=ROOT,
            env=_environment({"PORT": "0", **settings}),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._ready = threading.Event()
        threading.Thread(target=self._listen, daemon=True).start()
        if not self._ready.wait(60) or self.process.poll() is not None:
            self.process.kill()
            raise AssertionError("the runner did not start:\n" + "\n".join(self.said))
        self.url = self._said_after("Ready: ")
        self.aws_endpoint = self._said_after("AWS (moto): ")
        self.socket_url = self._said_after("WebSocket: ")

    def token(self, role: str, name: str = "") -> str:
        """A token for an invented person in that role."""
        return str(self._get("/dev/token", role=role, name=name)["token"])

    def idle(self, seconds: float = 60) -> None:
        """Wait until the stream and the queues are drained."""
        end = time.monotonic() + seconds
        while requests.get(f"{self.url}/dev/idle", timeout=30).status_code != 200:
            assert time.monotonic() < end, "the service did not come to rest:\n" + "\n".join(self.said[-20:])
            time.sleep(0.05)

    def advance(self, seconds: float) -> str:
        """Move the service's clock forward; what fell due has run when this returns. Gives the new time."""
        answer = requests.post(f"{self.url}/dev/clock", json={"advance_seconds": seconds}, timeout=120)
        answer.raise_for_status()
        return str(answer.json()["now"])

    def outbox(self) -> list[dict[str, Any]]:
        """The letters sent so far."""
        return list(self._get("/dev/outbox")["letters"])

    def stop(self, with_signal: int = signal.SIGTERM) -> int:
        """Ask the runner to end; gives its exit code."""
        self.process.send_signal(with_signal)
        return self.process.wait(10)

    def _get(self, path: str, **query: str) -> Any:
        answer = requests.get(self.url + path, params=query, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def _listen(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.said.append(line.rstrip("\n"))
            if line.startswith("Ready: "):
                self._ready.set()
        self._ready.set()

    def _said_after(self, start: str) -> str:
        return next(line.removeprefix(start) for line in self.said if line.startswith(start))


def _environment(settings: Mapping[str, str]) -> dict[str, str]:
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name not in ("PORT", "CLOCK", "DATABASE", "DATABASE_DIR", "LOG_LEVEL", "CHAT_HOURS")
    }
    return {**inherited, **settings}


@pytest.fixture(autouse=True)
def _logs_reach_caplog(monkeypatch: pytest.MonkeyPatch) -> None:
    """The app keeps its logger to itself as soon as a test imports `app`."""
    monkeypatch.setattr(logging.getLogger("crime-reports"), "propagate", True)


@pytest.fixture(scope="session")
def app_module() -> Any:
    """The module `app`, loaded once: Chalice cannot register the same routes again."""
    names = ("REPORTS_STREAM_ARN", "TRIAGE_QUEUE_URL", "LETTERS_QUEUE_URL")
    with pytest.MonkeyPatch.context() as patch:
        for name in names:
            patch.setenv(name, f"arn:aws:dynamodb:eu-west-2:123456789012:table/{name}")
        patch.setenv("POWERTOOLS_SERVICE_NAME", "crime-reports-test")
        patch.delenv("LOG_LEVEL", raising=False)
        return import_module("app")


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    """A DynamoDB client of moto's."""
    with moto_dynamodb() as made:
        yield made


@pytest.fixture
def case(client: Any) -> tuple[Parts, Wire]:
    """Casework over a new table of moto's, and the wire to it."""
    return new_case(client)


@pytest.fixture
def parts() -> Parts:
    """Where DynamoDB itself is not in question; `test_fakes.py` keeps the table in memory honest."""
    return Parts(FakeTable())


@pytest.fixture(scope="session")
def stack() -> Iterator[Runner]:
    """The whole service, over moto, on a port of its own; shared by all tests."""
    runner = Runner()
    try:
        yield runner
    finally:
        runner.stop()


@pytest.fixture(scope="session")
def dynamodb_local() -> Iterator[str]:
    """The endpoint of a DynamoDB Local; `infra.local.stack.create_table(endpoint, name)` makes a table there."""
    lacking = database.missing()
    if lacking:
        pytest.skip(lacking)
    with database.dynamodb_local() as endpoint:
        yield endpoint


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium. For a module only: Playwright's loop must not run beside tests that have one of their own."""
    yield from chromium()


@pytest.fixture(scope="module")
def axe() -> str:
    """The text of axe-core."""
    return axe_script()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI everything is installed, so a test that was skipped was not run by mistake."""
    reporter: Any = session.config.pluginmanager.get_plugin("terminalreporter")
    if not reporter:  # a worker of several: the one who reports knows what all have skipped
        return
    skipped = reporter.stats.get("skipped", [])
    if os.environ.get("CI") == "true" and skipped and session.exitstatus == pytest.ExitCode.OK:
        reporter.write_line(f"\nCI: {len(skipped)} skipped, which counts as failed", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


# Pages of the service that the module's `stack` runs


def opened(browser: Browser, stack: Runner, **how: Any) -> Iterator[Page]:
    """A page of the service; its console must have nothing to complain of."""
    context = browser.new_context(base_url=stack.url, **how)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    yield page
    context.close()
    refusals = "Failed to load resource: the server responded with a status of 4"  # our own pages with errors
    assert [complaint for complaint in complaints if not complaint.startswith(refusals)] == []


@pytest.fixture
def desktop(browser: Browser, stack: Runner) -> Iterator[Page]:
    yield from opened(browser, stack, viewport={"width": 1280, "height": 900})


@pytest.fixture
def phone(browser: Browser, stack: Runner) -> Iterator[Page]:
    yield from opened(browser, stack, viewport={"width": 390, "height": 844}, java_script_enabled=False)


@pytest.fixture
def plain(browser: Browser, stack: Runner) -> Iterator[Page]:
    yield from opened(browser, stack, viewport={"width": 1280, "height": 900}, java_script_enabled=False)
