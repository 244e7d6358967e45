"""A cold start: what a new process executes until its first report is stored, in instructions, which do not vary."""

import json
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any, NamedTuple
from zipfile import ZipFile

from chalicelib.forms import EXAMPLES
from infra import artifact

ROOT = Path(__file__).parents[1]
WORKER = Path(__file__).with_name("worker.py")
STAGE = "bench"
PACKAGED = ("app.py", "chalicelib", "requirements.txt", ".chalice/config.json")
COUNT = ("valgrind", "--tool=cachegrind", "--cache-sim=no", f"--cachegrind-out-file={os.devnull}")
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


class Cold(NamedTuple):
    """Instructions of one cold start each."""

    built: int
    plain: int

    @property
    def ratio(self) -> float:
        """Of the artifact to Chalice's own package."""
        return self.built / self.plain


def measure() -> Cold:
    """Build both packages of this checkout, and count. Needs valgrind, and the registry for the dependencies."""
    with TemporaryDirectory() as scratch, table() as endpoint:
        project, plain = copy_for_this_machine(Path(scratch, "project")), Path(scratch, "plain.zip")
        built = artifact.build(project, STAGE)
        artifact.plain_package(project, STAGE, plain)
        packages = [unzipped(path, Path(scratch, path.stem)) for path in (built.path, plain)]
        return Cold(*(_instructions(package, endpoint) for package in packages))


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


@contextmanager
def table() -> Iterator[str]:
    """A DynamoDB that keeps connections and nothing else: it knows the token secrets, and accepts every write."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Table)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


class _Table(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        reads = self.headers["X-Amz-Target"].endswith(".GetItem")
        body = json.dumps(SECRETS if reads else {}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nobody reads it."""


def _instructions(package: Path, endpoint: str) -> int:
    report = request("POST", "/reports", json.dumps(EXAMPLES["theft"]), Content_Type="application/json")
    done = run(package, [("app.app", report)], {"AWS_ENDPOINT_URL": endpoint}, under=COUNT)
    (answer,) = json.loads(done.stdout)
    assert answer["statusCode"] == 201, answer
    counted = re.search(r"I\s+refs:\s+([\d,]+)", done.stderr)
    assert counted, done.stderr
    return int(counted[1].replace(",", ""))
