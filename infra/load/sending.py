"""Sends reports at a steady rate with `loadtest` from npm: downloaded once, pinned with all that it needs, and never a
part of the service. To this machine only."""

import hashlib
import json
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from infra.local.children import end_with_parent
from infra.local.once import made_once
from infra.replay.service import Failed

HERE = Path(__file__).parent
PINS = ("package.json", "package-lock.json")
MOST_PATIENCE_SECONDS = 120  # after the last one was due; the script gives up on each after 60


class Post(NamedTuple):
    """A report to send: its Idempotency-Key and its body."""

    key: str
    body: str


class Answer(NamedTuple):
    """What came of the post with that `number`: a `status`, or None and the `error`. `ms` is since it was due, of which
    it was sent `late`. `location` is where the report is said to be.
    """

    number: int
    ms: float
    late: float
    status: int | None = None
    location: str = ""
    error: str = ""


def missing() -> str | None:
    """What this machine lacks to send, in words; None when it has all."""
    lacking = [name for name in ("node", "npm") if not shutil.which(name)]
    return f"The load is sent with {' and '.join(lacking)} (Debian: apt install npm)" if lacking else None


def send(url: str, rate: float, posts: Sequence[Post], told: Callable[[Answer], None]) -> None:
    """Send all `posts` to `url`, `rate` a second; `told` hears of each as it is answered or given up."""
    if urlsplit(url).hostname not in ("127.0.0.1", "localhost", "::1"):
        raise Failed("Load goes to this machine only")
    tool = _installed()
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
        file.writelines(json.dumps(post._asdict()) + "\n" for post in posts)
        file.flush()
        _run(["node", str((HERE / "send.mjs").resolve()), url, str(rate), file.name], tool, len(posts) / rate, told)


def _run(command: Sequence[str], folder: Path, seconds: float, told: Callable[[Answer], None]) -> None:
    child = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                             start_new_session=True, preexec_fn=end_with_parent())  # fmt: skip
    too_long = threading.Timer(seconds + MOST_PATIENCE_SECONDS, child.kill)
    too_long.start()
    try:
        assert child.stdout
        for line in child.stdout:
            told(Answer(**json.loads(line)))
    finally:
        too_long.cancel()
        child.kill()
        code = child.wait()
    if code:
        raise Failed(f"What sends the load ended with {code}")


def _installed() -> Path:
    """The folder of the tool; other pins, another folder."""
    pins = hashlib.sha256(b"".join((HERE / name).read_bytes() for name in PINS)).hexdigest()
    return made_once(Path(f".cache/loadtest-{pins[:12]}"), _install)


def _install(scratch: Path) -> Path:
    folder = scratch / "tool"
    folder.mkdir()
    for name in PINS:
        shutil.copy(HERE / name, folder)
    install = ["npm", "ci", "--silent", "--ignore-scripts", "--no-audit", "--no-fund"]
    subprocess.run(install, cwd=folder, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    return folder
