"""What is measured, as Lambda has it: unpacked packages, a new process of one, and a table for it to write to."""

import json
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple
from zipfile import ZipFile

from infra import artifact

ROOT = Path(__file__).parents[1]
WORKER = Path(__file__).with_name("worker.py")
STAGE = "bench"
PACKAGED = ("app.py", "chalicelib", "requirements.txt", ".chalice/config.json")
LOOK = ("__main__.look", None)
SETTINGS = {
    "REPORTS_TABLE": "crime-reports-bench",
    "REPORTS_STREAM_ARN": "arn:aws:dynamodb:eu-west-2:123456789012:table/crime-reports-bench/stream/1",
    "TRIAGE_QUEUE_URL": "https://sqs.example.com/123456789012/triage",
    "LETTERS_QUEUE_URL": "https://sqs.example.com/123456789012/letters",
    "EVIDENCE_BUCKET": "evidence",
    "OIDC_ISSUER": "https://issuer.example.com",
    "OIDC_AUDIENCE": "crime-reports-bench",
    "FORCE_NAME": "Example Police",
    "FORCE_CODE": "20",
    "POWERTOOLS_SERVICE_NAME": "crime-reports-bench",
    "AWS_REGION": "eu-west-2",
    "AWS_DEFAULT_REGION": "eu-west-2",
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
    "PYTHONHASHSEED": "0",
}
SECRETS = {"Item": {"secrets": {"L": [{"S": "a-secret-of-the-bench 2026-01-01T00:00:00Z"}]}}}


class Size(NamedTuple):
    """Bytes of a package."""

    zipped: int
    unpacked: int


class Ours(NamedTuple):
    """Our artifact and Chalice's own package of the same code, unpacked, and their sizes."""

    built: Path
    plain: Path
    built_size: Size
    plain_size: Size


def packages(scratch: Path) -> Ours:
    """Both packages of this checkout. Needs the registry, for the dependencies."""
    project, plain = copy_for_this_machine(scratch / "project"), scratch / "plain.zip"
    built = artifact.build(project, STAGE)
    artifact.plain_package(project, STAGE, plain)
    unpacked = unzipped(built.path, scratch / "built"), unzipped(plain, scratch / "plain")
    return Ours(*unpacked, _size(built.path), _size(plain))


def copy_for_this_machine(project: Path) -> Path:
    """This checkout as another, with one stage `bench` for the processor that we run on."""
    for name in PACKAGED:
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, project / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(ROOT / name, project / name)
    config = json.loads((project / ".chalice" / "config.json").read_text())
    architecture = {"aarch64": "arm64"}.get(platform.machine(), platform.machine())
    stages = {STAGE: {"lambda_architecture": architecture}}
    (project / ".chalice" / "config.json").write_text(json.dumps(config | {"stages": stages}))
    return project


def unzipped(package: Path, folder: Path) -> Path:
    """The package as Lambda lays it out."""
    with ZipFile(package) as archive:
        archive.extractall(folder)
    return folder


def run(
    package: Path, calls: list[tuple[str, Any]], environ: Mapping[str, str], under: tuple[str, ...] = ()
) -> subprocess.CompletedProcess[str]:
    """A new process that answers `calls`. It writes no bytecode, as on Lambda, where it cannot. Raises if it fails."""
    program = [*under, sys.executable, "-P", "-S", "-s", "-B", str(WORKER), str(package)]
    done = subprocess.run(
        program, input=json.dumps(calls), env=SETTINGS | dict(environ), cwd=package, capture_output=True, text=True
    )
    if done.returncode:
        raise RuntimeError(f"the functions failed:\n{done.stderr}")
    return done


def request(method: str, path: str, body: str | None = None, **headers: str) -> dict[str, Any]:
    """The event that API Gateway makes of a request to a resource without parameters; `Content_Type` is a header."""
    return {
        "httpMethod": method,
        "requestContext": {"resourcePath": path, "httpMethod": method, "path": f"/{STAGE}{path}", "stage": STAGE,
                           "requestId": "bench", "identity": {"sourceIp": "192.0.2.1"}},
        "resource": path,
        "path": path,
        "pathParameters": None,
        "stageVariables": None,
        "multiValueQueryStringParameters": None,
        "headers": {name.replace("_", "-"): value for name, value in headers.items()},
        "body": body,
        "isBase64Encoded": False,
    }  # fmt: skip


def table() -> AbstractContextManager[str]:
    """A DynamoDB that keeps connections and nothing else: it knows the token secrets, and accepts every write."""
    return served(_Table)


@contextmanager
def served(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """Answers HTTP on a port of its own for as long as the context lasts; gives its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


class Service(BaseHTTPRequestHandler):
    """An AWS service that keeps connections; `answer` says what it does."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # an answer goes out in one piece, and so is read in one

    def do_POST(self) -> None:
        body = json.dumps(self.answer(self.rfile.read(int(self.headers["Content-Length"])))).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nobody reads it."""

    def answer(self, body: bytes) -> Any:
        """What it says to a request."""
        raise NotImplementedError


class _Table(Service):
    def answer(self, body: bytes) -> Any:
        return SECRETS if self.headers["X-Amz-Target"].endswith(".GetItem") else {}


def _size(package: Path) -> Size:
    with ZipFile(package) as archive:
        return Size(package.stat().st_size, sum(entry.file_size for entry in archive.infolist()))
