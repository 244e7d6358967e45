"""What is deployed: made the same way every time, nothing idle in it, found by Chalice, and it works from there."""

import ast
import importlib.util
import io
import json
import os
import platform
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from chalice.deploy.packager import DependencyBuilder, LambdaDeploymentPackager
from chalice.utils import UI, OSUtils

from bench import cold
from chalicelib.wiring import utc_now
from infra import artifact
from infra.local import stack
from infra.local.issuer import AUDIENCE, Issuer
from tests.reports import LEAST

PYTHON = f"python{sys.version_info[0]}.{sys.version_info[1]}"
HOST = {"aarch64": "arm64"}.get(platform.machine(), platform.machine())
OTHER = "x86_64" if HOST == "arm64" else "arm64"
TEMPLATES_ONLY = ("govuk-frontend-jinja", "jinja2", "markupsafe")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return cold.copy_for_this_machine(tmp_path_factory.mktemp("artifact") / "project")


@pytest.fixture(scope="module")
def built(project: Path) -> artifact.Built:
    return artifact.build(project, cold.STAGE)


@pytest.fixture(scope="module")
def package(built: artifact.Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The artifact as Lambda unpacks it."""
    return cold.unzipped(built.path, tmp_path_factory.mktemp("task"))


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A project that is quickly packaged: it would not run, its only dependencies are those of the templates."""
    project = cold.copy_for_this_machine(tmp_path / "small")
    pins = (project / "requirements.txt").read_text().splitlines()
    asks_for(project, *(pin for pin in pins if pin.startswith(TEMPLATES_ONLY)))
    return project


def asks_for(project: Path, *requirements: str, architecture: str = HOST) -> None:
    (project / "requirements.txt").write_text("\n".join(requirements))
    config = {"stages": {cold.STAGE: {"lambda_architecture": architecture}}}
    (project / ".chalice" / "config.json").write_text(json.dumps(config))


def packages(project: Path) -> list[Path]:
    """What `chalice deploy` could take for a package of this project."""
    return list((project / ".chalice" / "deployments").glob("*.zip"))


# What is in it


def test_it_holds_bytecode_that_is_never_checked_and_no_source(package: Path) -> None:
    compiled = list(package.rglob("*.pyc"))
    assert {"app.pyc", "store.pyc", "environment.pyc"} <= {path.name for path in compiled}
    for path in compiled:
        assert path.read_bytes()[:8] == importlib.util.MAGIC_NUMBER + b"\x01\0\0\0", path
    assert not list(package.rglob("*.py")) and not list(package.rglob("__pycache__"))


def test_nothing_idle_is_in_it(package: Path) -> None:
    found = [path.relative_to(package) for path in package.rglob("*")]
    names = {path.name for path in found}
    assert not {"tests", "py.typed", "govuk_frontend_jinja", "templates"} & names
    assert not [path for path in found if path.suffix in (".pyi", ".dist-info", ".data", ".h")]
    assert not {"boto3", "moto", "pytest", "rich", "infra", "bench"} & {path.parts[0] for path in found}


def test_nothing_of_one_machine_is_in_it(package: Path) -> None:
    """Its sign-in page asks for no password: neither the page is deployed, nor a word that leads to it."""
    of_one_machine = (b"/dev/", b"on this machine only", b"Olive Officer")
    here = b"".join(path.read_bytes() for path in (Path(__file__).parents[1] / "infra" / "local").rglob("*.*"))
    assert all(word in here for word in of_one_machine)
    ours = [package / "app.pyc", *(path for path in (package / "chalicelib").rglob("*") if path.is_file())]
    assert len(ours) > 80
    assert not [path for path in ours for word in of_one_machine if word in path.read_bytes()]


def services_asked_for() -> Iterator[str]:
    """What `chalicelib.wiring.client` is called with."""
    for path in (Path(__file__).parents[1] / "chalicelib").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Call(func=ast.Name(id="client"), args=[name, *_]):
                    yield ast.literal_eval(name)


def test_botocore_describes_the_services_that_the_code_asks_for(package: Path) -> None:
    kept = [path for path in (package / "botocore" / "data").iterdir() if path.is_dir()]
    assert {path.name for path in kept} == set(services_asked_for()) == set(artifact.SERVICES)


def test_what_the_code_reads_at_run_time_is_in_it(package: Path) -> None:
    root = Path(__file__).parents[1]
    for path in (root / "chalicelib" / "pages" / "static").iterdir():
        assert (package / "chalicelib" / "pages" / "static" / path.name).read_bytes() == path.read_bytes()
    assert (package / "tzdata" / "zoneinfo" / "Europe" / "London").is_file()


def test_it_is_small_and_names_no_machine(project: Path, built: artifact.Built, package: Path) -> None:
    assert built.size_bytes == built.path.stat().st_size < artifact.LARGEST_BYTES
    here = str(project.parent).encode()
    assert not [path for path in package.rglob("*") if path.is_file() and here in path.read_bytes()]


def test_another_checkout_gives_the_same_bytes(built: artifact.Built, tmp_path: Path) -> None:
    elsewhere = cold.copy_for_this_machine(tmp_path / "another" / "place")
    done = command(elsewhere, cold.STAGE, PYTHONHASHSEED="4")
    assert f" built: {built.size_bytes / 1e6:.1f} MB, SHA-256 {built.sha256}" in done.stdout, done.stderr


def command(project: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """`python -m infra.artifact`, run in a project."""
    program = [sys.executable, "-m", "infra.artifact", *arguments]
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), **environ}
    return subprocess.run(program, cwd=project, env=environ, capture_output=True, text=True)


# Where Chalice finds it


class NoDependencies(DependencyBuilder):
    """Fails the test that makes Chalice build a package of its own."""

    def build_site_packages(self, *_: Any) -> None:
        raise AssertionError("Chalice does not take ours")


def test_chalice_takes_it_as_it_is(project: Path, built: artifact.Built) -> None:
    said = io.StringIO()
    chalice = LambdaDeploymentPackager(OSUtils(), NoDependencies(OSUtils()), UI(out=said), HOST)
    assert chalice.create_deployment_package(str(project), PYTHON) == str(built.path)
    assert "Reusing existing deployment package" in said.getvalue()
    assert artifact.build(project, cold.STAGE) == built._replace(reused=True)


def test_what_python_cached_beside_the_code_does_not_hide_it(project: Path, built: artifact.Built) -> None:
    cache = project / "chalicelib" / "__pycache__"
    cache.mkdir()
    (cache / f"times.{sys.implementation.cache_tag}.pyc").write_bytes(b"of another Python")
    assert artifact.build(project, cold.STAGE) == built._replace(reused=True)
    assert not cache.exists()


def test_what_is_not_ours_is_made_anew(small: Path) -> None:
    path = Path(LambdaDeploymentPackager(OSUtils(), None, UI(), HOST).deployment_package_filename(str(small), PYTHON))
    path.parent.mkdir()
    artifact.plain_package(small, cold.STAGE, path)
    ours = artifact.build(small, cold.STAGE)
    assert ours.path == path and not ours.reused
    path.write_bytes(path.read_bytes()[:-100])
    assert artifact.build(small, cold.STAGE) == ours


KILLED = """
import os, signal, sys
from pathlib import Path
from infra import artifact
os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
artifact.build(Path.cwd(), "bench")
"""


def test_a_build_killed_at_the_end_leaves_nothing_that_chalice_would_take(small: Path) -> None:
    environ = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    killed = subprocess.run([sys.executable, "-c", KILLED], cwd=small, env=environ)
    assert killed.returncode == -9
    assert packages(small) == []
    assert not artifact.build(small, cold.STAGE).reused
    assert len(packages(small)) == 1


# When it cannot be made: one line, and nothing that Chalice would take


def refusal(project: Path, stage: str = cold.STAGE) -> str:
    with pytest.raises(SystemExit) as refused:
        artifact.build(project, stage)
    assert packages(project) == []
    said = str(refused.value.code)
    assert said and "\n" not in said and str(project) not in said
    return said


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A registry without network: it has `homemade` 1.0, compiled on a machine like this one."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    tag = f"cp{sys.version_info[0]}{sys.version_info[1]}"
    tag = f"{tag}-{tag}-linux_{platform.machine()}"
    with ZipFile(folder / f"homemade-1.0-{tag}.whl", "w") as wheel:
        wheel.writestr("homemade.py", "")
        wheel.writestr("homemade-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: homemade\nVersion: 1.0\n")
        wheel.writestr("homemade-1.0.dist-info/WHEEL", f"Wheel-Version: 1.0\nTag: {tag}\n")
        wheel.writestr("homemade-1.0.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.mark.usefixtures("registry")
def test_a_dependency_without_a_wheel_for_lambda(small: Path) -> None:
    asks_for(small, "homemade==1.0", architecture=OTHER)
    assert "There is no wheel for Lambda" in (said := refusal(small)) and "homemade==1.0" in said


@pytest.mark.usefixtures("registry")
def test_a_dependency_that_was_compiled_here(small: Path) -> None:
    asks_for(small, "homemade==1.0")
    assert refusal(small).startswith("homemade-1.0 has no wheel for Lambda and was compiled on this machine.")


@pytest.mark.usefixtures("registry")
def test_a_dependency_that_cannot_be_had(small: Path) -> None:
    asks_for(small, "jinja2==3.1.6")
    assert refusal(small).startswith("pip cannot download what requirements.txt asks for.")


def test_templates_are_compiled_by_the_jinja_that_runs_them(small: Path) -> None:
    pins = (small / "requirements.txt").read_text()
    (small / "requirements.txt").write_text(pins.replace("jinja2==3.1.6", "jinja2==3.1.5"))
    assert "jinja2 3.1.5" in refusal(small)


def test_code_that_does_not_compile(small: Path) -> None:
    (small / "app.py").write_text("def broken(:\n")
    assert refusal(small).startswith("The code cannot be compiled: ")


def test_too_large(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artifact, "LARGEST_BYTES", 1_000)
    assert "is too much" in refusal(small)


def test_unknown_stage_or_processor(small: Path) -> None:
    assert "no stage" in refusal(small, "nowhere")
    asks_for(small, architecture="arm")
    assert "arm64, x86_64" in refusal(small)


def test_the_command_says_what_is_wrong_in_one_line(small: Path) -> None:
    for arguments in ([], ["nowhere"]):
        done = command(small, *arguments)
        assert done.returncode == 1 and done.stdout == "" and done.stderr.count("\n") == 1, done.stderr


# It works from there

EVERY_PAGE = """
import json, sys
from datetime import UTC, datetime
from chalicelib import letters, pages
from chalicelib.errors import FieldError
from chalicelib.pages import status
from chalicelib.forms import CATEGORIES, EXAMPLES
from chalicelib.report import receive

site = pages.Site("Example Police", "/dev")
made = [pages.start(site), pages.sent(site, "7K3M-9QWP-R2T8", "7 K 3 M", True)]
made += [pages.problem(site, 404, "Not here", "<b>")]
made += [pages.privacy(site), pages.accessibility(site)]
made += [pages.stop(site, where) for where in ("emergency", "robbery", "fraud", "lost_property")]
made.append(status.ask(site, {}, [FieldError("email", "Enter <an> email")]))
for name in CATEGORIES:
    answers = EXAMPLES[name]
    made.append(pages.report_form(site, name, {}, [FieldError("contact.email", "Enter an email")], "token"))
    made.append(pages.already_sent(site, name, answers, "7K3M-9QWP-R2T8", "token"))
    report = receive("7K3M9QWPR2T8", name, answers, datetime(2026, 1, 2, tzinfo=UTC))
    place = status.Place(site, "7K3M-9QWP-R2T8", "token")
    made.append(status.standing(place, report, report.received_at, True, "added"))
    made.append(status.refused(place, "Call <101>", "What <I> wrote"))
    letter = letters.write(report, 1, "Example Police", "https://report.example.com")
    made += [letter.html, letter.body + "</html>", letter.markdown + "</html>"]
files = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
print(json.dumps([made, [file for file in files if file], [name for name in sys.modules if "govuk" in name]]))
"""


def pages_of(*path: Path, first: str = "") -> tuple[list[str], list[str], list[str]]:
    """Every page, the files of the modules that made them, and which of those were the components' package."""
    program = f"import sys; sys.path[:0] = {[str(folder) for folder in path]}\n{first}{EVERY_PAGE}"
    python = [sys.executable, "-P", "-S", "-s", "-B", "-c", program]
    done = subprocess.run(python, env={}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    made, files, components = json.loads(done.stdout)
    return made, files, components


NOTHING_TO_COMPILE = """
import jinja2
def refuse(*_, **__):
    raise AssertionError("a template was compiled")
jinja2.Environment.compile = refuse
"""


def test_pages_are_the_same_to_the_byte_and_were_compiled_before(package: Path) -> None:
    checkout, *_ = pages_of(Path(__file__).parents[1], Path(pytest.__file__).parents[1])
    deployed, files, components = pages_of(package, first=NOTHING_TO_COMPILE)
    assert len(checkout) > 15 and all("</html>" in page for page in checkout)
    assert deployed == checkout
    ours = {Path(file).suffix for file in files if file.startswith(str(package))}
    assert ours == {".pyc", ".so"} and components == []


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """The environment of functions whose table and queues are moto's."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "local")
    monkeypatch.setenv("AWS_DEFAULT_REGION", stack.REGION)
    with stack.moto() as endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        outputs = stack.apply_template()
        yield {
            "AWS_ENDPOINT_URL": endpoint,
            "REPORTS_TABLE": outputs["TableName"],
            "TRIAGE_QUEUE_URL": outputs["TriageQueueUrl"],
            "LETTERS_QUEUE_URL": outputs["LettersQueueUrl"],
            "EVIDENCE_BUCKET": outputs["EvidenceBucketName"],
        }


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    """Somebody who signs officers in, on a port of its own."""

    class Documents(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            keys = self.path.endswith("jwks.json")
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(signs.keys() if keys else signs.configuration()).encode())

        def log_message(self, *_: Any) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Documents)
    signs = Issuer(f"http://127.0.0.1:{server.server_port}", utc_now)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield signs
    server.shutdown()
    server.server_close()


def test_a_report_is_sent_triaged_and_given_to_an_officer(
    package: Path, settings: dict[str, str], issuer: Issuer
) -> None:
    environ = settings | {"OIDC_ISSUER": issuer.configuration()["issuer"], "OIDC_AUDIENCE": AUDIENCE}

    def answers(*calls: tuple[str, Any]) -> list[Any]:
        return list(json.loads(cold.run(package, list(calls), environ).stdout))

    opened, sent = answers(
        ("app.app", cold.request("GET", "/", Accept="text/html")),
        ("app.app", cold.request("POST", "/reports", json.dumps(LEAST), Content_Type="application/json")),
    )
    assert (opened["statusCode"], sent["statusCode"]) == (200, 201) and "</html>" in opened["body"]
    reference = json.loads(sent["body"])["reference"].replace("-", "")
    token = f"Bearer {issuer.token('officer', 'Olive')}"
    *_, given = answers(
        ("app.on_triage", told(reference)),
        ("app.on_letter", told(reference)),
        ("app.crime_due_reports", EVERY_MINUTE),
        ("app.app", cold.request("POST", "/triage/next", None, Authorization=token)),
    )
    assert given["statusCode"] == 200, given
    assert json.loads(given["body"])["priority"] and "Ann Example" in given["body"]


def in_a_process(path: Path, program: str, environ: dict[str, str]) -> Any:
    """What a program prints, as JSON, that sees nothing but `path`."""
    python = [sys.executable, "-P", "-S", "-s", "-B", "-c", f"import sys; sys.path[:0] = [{str(path)!r}]\n{program}"]
    done = subprocess.run(python, env=cold.SETTINGS | environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


EVERY_CLIENT = """
import json, os
from datetime import UTC, datetime
from chalicelib.letters import Letter
from chalicelib.senders import Notify, Ses
from chalicelib.queues import Change, Queue
from chalicelib.sockets import Management
from chalicelib.table import Table
from chalicelib.wiring import client

table, mail = Table(client("dynamodb"), os.environ["REPORTS_TABLE"]), client("sesv2")
table.put_new({"pk": "a", "sk": "b", "text": "kept"})
queue = client("sqs")
Queue(queue, os.environ["TRIAGE_QUEUE_URL"]).send([Change("7K3M9QWPR2T8", 1, "received")])
[message] = queue.receive_message(QueueUrl=os.environ["TRIAGE_QUEUE_URL"])["Messages"]
mail.create_email_identity(EmailIdentity="letters@example.com")
letter = Letter("1", "ann@example.com", "x", "7K3M9QWPR2T8", subject="x", body="x", html="x", markdown="x")
Ses(lambda: mail, "letters@example.com").send(letter, datetime(2026, 1, 1, tzinfo=UTC))
store = client("ssm")
key = "key-" + "-".join(["00000000-0000-0000-0000-000000000000"] * 2)
store.put_parameter(Name="/key", Type="SecureString", Value=key)
try:
    Notify(lambda: store, "/key", "x", os.environ["AWS_ENDPOINT_URL"]).send(letter, datetime(2026, 1, 1, tzinfo=UTC))
except Exception as error:  # moto is no Notify, but the way there was whole
    assert type(error).__name__ == "OutsideError", repr(error)
try:
    Management(lambda: client("apigatewaymanagementapi", "http://127.0.0.1:1/dev")).post("c1", "{}")
except Exception as error:  # nobody is there
    assert type(error).__name__ == "EndpointConnectionError" and "/dev/@connections/c1" in str(error), repr(error)
print(json.dumps([table.get("a", "b")["text"], json.loads(message["Body"])["reference"]]))
"""


def test_every_client_can_be_made_and_called(package: Path, settings: dict[str, str]) -> None:
    assert in_a_process(package, EVERY_CLIENT, settings) == ["kept", "7K3M9QWPR2T8"]


ENDPOINTS = """
import json
from botocore.session import get_session

session, found = get_session(), []
for name in SERVICES:
    found.append([session.get_available_regions(name, partition) for partition in session.get_available_partitions()])
    for region in ("eu-west-2", "us-gov-west-1", "cn-north-1"):
        client = session.create_client(name, region_name=region)
        found.append([client.meta.endpoint_url, client.meta.config.signature_version])
print(json.dumps(found))
"""


def test_services_are_where_botocore_knows_them(package: Path) -> None:
    program = f"SERVICES = {artifact.SERVICES}\n{ENDPOINTS}"
    whole = in_a_process(Path(pytest.__file__).parents[1], program, {})
    assert in_a_process(package, program, {}) == whole
    assert "https://email.us-gov-west-1.amazonaws.com" in str(whole) and "eu-west-2" in str(whole)


COLLECTIONS = """
import gc, json, typing
done = lambda: sum(generation["collections"] for generation in gc.get_stats())
before = done()
import app
print(json.dumps([done() - before, gc.isenabled(), gc.get_freeze_count() > 0]))
"""


def test_loading_collects_no_garbage_and_what_is_loaded_is_never_looked_through(package: Path) -> None:
    assert in_a_process(package, COLLECTIONS, {}) == [0, True, True]


EVERY_MINUTE = {
    "version": "0", "account": "123456789012", "region": stack.REGION, "detail": {}, "detail-type": "Scheduled Event",
    "source": "aws.events", "time": "2026-01-01T00:00:00Z", "id": "1", "resources": [],
}  # fmt: skip


def told(reference: str) -> dict[str, Any]:
    """What a queue brings about a report that was received."""
    body = json.dumps({"reference": reference, "version": 1, "what": "received"})
    record = {"messageId": "1", "receiptHandle": "1", "body": body, "attributes": {"ApproximateReceiveCount": "1"}}
    return {"Records": [record]}
