"""On Lambda a function loads what it needs and no more; what it can do in the end is the same."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench import cold
from chalicelib.handlers.loading import FOR_OFFICERS, FOR_PUBLIC

ROOT = Path(__file__).parents[1]
HANDLERS = ROOT / "chalicelib" / "handlers"
# What each function has loaded of ours before its first event that others do without, and what it must not have.
LOADS = {
    "app.app": ({"handlers.public", "forms", "wire"}, {"handlers.desk", "handlers.background", "pages", "chats"}),
    "app.on_report_change": ({"handlers.background"}, {"forms", "handlers.http", "casework", "rule", "pages", "desk"}),
    "app.on_triage": ({"handlers.background"}, {"forms", "handlers.http", "pages", "desk"}),
    "app.crime_due_reports": ({"handlers.background"}, {"forms", "handlers.http", "pages", "desk"}),
    "app.websocket_message": ({"handlers.sockets"}, {"handlers.public", "handlers.background"}),
}


ASKED = """
import json, sys
from types import SimpleNamespace
from chalicelib.handlers.loading import Service

service, found = Service("crime-reports"), []
for event in json.load(sys.stdin):
    answer = service(event, SimpleNamespace(aws_request_id="x"))
    views = [one.view_function.__module__ for methods in service.routes.values() for one in methods.values()]
    routes = {path: sorted(methods) for path, methods in service.routes.items()}
    found.append([answer["statusCode"], sorted({view.rpartition(".")[2] for view in views}), routes])
print(json.dumps(found))
"""


def asked(*requests: tuple[str, str]) -> list[Any]:
    """What becomes of requests to a service that has loaded nothing yet: status, whose routes it knows, its routes."""
    events = json.dumps([cold.request(method, path) for method, path in requests])
    return list(ran(ASKED, cold.SETTINGS | {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, events))


def ran(program: str, environ: dict[str, str], given: str = "") -> Any:
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environ, input=given, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture
def whole(app_module: Any) -> dict[str, list[str]]:
    """Every route there is, by path, with its methods."""
    return {path: sorted(methods) for path, methods in app_module.app.routes.items()}


def test_every_blueprint_is_in_one_of_the_lists() -> None:
    there = {path.stem for path in HANDLERS.glob("*.py") if f"\n{path.stem} = Blueprint(" in path.read_text()}
    assert sorted((*FOR_PUBLIC, *FOR_OFFICERS)) == sorted(there)


def test_each_route_is_there_when_it_is_asked_for(whole: dict[str, list[str]]) -> None:
    plain = [(method, path) for path, methods in reversed(whole.items()) for method in methods if "{" not in path]
    found = asked(*plain)
    for (method, path), (status, _, routes) in zip(plain, found, strict=True):
        assert method in routes[path] and status not in (404, 405), (method, path, status)


@pytest.mark.parametrize(
    ("method", "path", "needs"),
    [
        ("POST", "/reports", {"public"}),
        ("GET", "/", {"public"}),
        ("GET", "/statistics", {"public", "journey", "status", "evidence", "chat", "statistics"}),
        ("GET", "/desk/sign-in", {"sign_in"}),
        ("POST", "/triage/next", {"sign_in", "officers"}),
        ("GET", "/desk", {"sign_in", "officers", "desk"}),
    ],
)
def test_a_request_loads_what_it_needs(method: str, path: str, needs: set[str]) -> None:
    ((_, loaded, _),) = asked((method, path))
    assert set(loaded) == needs


def test_a_method_that_there_is_not_is_refused_when_all_that_there_are_are_known(whole: dict[str, list[str]]) -> None:
    ((status, _, routes),) = asked(("DELETE", "/report/{category}"))
    assert status == 405 and routes == whole


LOADED = """
import json, sys
import app
print(json.dumps(sorted(sys.modules)))
"""


@pytest.mark.parametrize("function", LOADS)
def test_a_function_begins_with_its_own_and_no_more(function: str) -> None:
    loaded = set(ran(LOADED, cold.SETTINGS | {"_HANDLER": function, "AWS_LAMBDA_FUNCTION_NAME": function}))
    has, lacks = ({f"chalicelib.{name}" for name in names} for names in LOADS[function])
    assert has <= loaded and not lacks & loaded
    assert "chalicelib.wire" in loaded and not {"botocore.client", "boto3"} & loaded
