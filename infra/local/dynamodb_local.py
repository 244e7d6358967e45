"""DynamoDB Local, the real thing's behaviour on one machine: downloaded once, and gone when its user is. What is in it
is gone then, too, unless it is given a folder to keep it in."""

import os
import shutil
import socket
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.local.children import end_with_parent
from infra.local.once import made_once

# AWS publishes the jar inside this npm package. Its licence lets us use it and not pass it on: it is never committed.
PACKAGE = "amplify-dynamodb-simulator@2.9.30"
HOME = Path(".cache/dynamodb-local")


def missing() -> str | None:
    """What this machine lacks to run DynamoDB Local, in words; None when it has all."""
    if not shutil.which("java"):
        return "DynamoDB Local needs Java (Debian: apt install default-jre-headless)"
    if not _jar().exists() and not shutil.which("npm"):
        return "DynamoDB Local is downloaded with npm, which is not installed (Debian: apt install npm)"
    return None


@contextmanager
def dynamodb_local(folder: Path | None = None) -> Iterator[str]:
    """Run DynamoDB Local for as long as the context lasts; gives its endpoint. It keeps everything in `folder`, or in
    memory.
    """
    made_once(HOME, _download)
    process, port = _start(["-dbPath", str(folder.resolve())] if folder else ["-inMemory"])
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()  # what it has answered is saved, if it is to be
        process.wait()


def in_memory() -> Path:
    """Where files are in memory, if this machine has such a place: on a disk DynamoDB Local waits for it at each write,
    and does not keep up with ten reports a second.
    """
    memory = Path("/dev/shm")
    return memory if memory.is_dir() else Path(tempfile.gettempdir())


def _jar() -> Path:
    return HOME / "DynamoDBLocal.jar"


def _download(folder: Path) -> Path:
    pack = ["npm", "pack", "--silent", "--pack-destination", str(folder), PACKAGE]
    subprocess.run(pack, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    with tarfile.open(next(folder.glob("*.tgz"))) as package:
        package.extractall(folder, filter="data")
    return folder / "package" / "emulator"


def _start(where: list[str]) -> tuple[subprocess.Popen[bytes], int]:
    for _ in range(3):  # somebody else may take the port before Java does
        port = _free_port()
        process = _java(port, where)
        if _answers(process, port):
            return process, port
        process.kill()
        process.wait()
    raise RuntimeError("DynamoDB Local did not start")


def _java(port: int, where: list[str]) -> subprocess.Popen[bytes]:
    # Several threads that collect garbage would take more of the processor than they save, and so does the second
    # compiler in a short run: 15,000 calls cost 13.5 s with these options and 24.3 s without. A table that is kept is
    # for long ones: there the second compiler saves a quarter after some 5,000 calls.
    frugal = ["-XX:+UseSerialGC", *(["-XX:TieredStopAtLevel=1"] if "-inMemory" in where else [])]
    command = ["java", *frugal, "-Djava.library.path=./DynamoDBLocal_lib", "-jar", "DynamoDBLocal.jar"]
    return subprocess.Popen(
        [*command, *where, "-disableTelemetry", "-port", str(port)],
        cwd=HOME,
        env={"PATH": os.environ["PATH"], "DDB_LOCAL_TELEMETRY": "0"},  # it would call home, or the caller's AWS
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is for us; we end it in our own time
        preexec_fn=end_with_parent(),
    )


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _answers(process: subprocess.Popen[bytes], port: int, seconds: float = 30) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return True
        except OSError:
            time.sleep(0.05)
    return False
