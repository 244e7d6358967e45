"""What every answer has, good or refused, page or data: nothing is sniffed, framed, kept or referred."""

import hashlib
import re
from typing import Any

import pytest
import requests
from conftest import Runner
from test_status_pages import EMAIL, look, reported
from users import Officer
from visitor import BROWSER, Visitor

ASKED = [
    ("GET", "/"), ("GET", "/report/theft"), ("GET", "/report/arson"), ("POST", "/report/theft"), ("GET", "/status"),
    ("POST", "/status"), ("GET", "/privacy"), ("GET", "/accessibility"), ("GET", "/healthz"), ("GET", "/openapi.json"),
    ("POST", "/reports"), ("OPTIONS", "/reports"), ("GET", "/reports/7K3M-9QWP-R2TX"), ("GET", "/drafts/x"),
    ("POST", "/drafts/x/before"), ("GET", "/drafts/x/files"), ("GET", "/status/x"), ("POST", "/status/x/add"),
    ("POST", "/reports/x/status"), ("GET", "/static/x.css"), ("GET", "/triage"), ("GET", "/statistics"),
    ("POST", "/triage/x/crime"),
]  # fmt: skip


def expect_safe(answer: requests.Response) -> None:
    said = answer.headers
    assert said["X-Content-Type-Options"] == "nosniff"
    assert said["Referrer-Policy"] == "no-referrer"
    assert said["Cross-Origin-Opener-Policy"] == said["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "camera=()" in said["Permissions-Policy"]
    policy = dict(part.strip().split(" ", 1) for part in said["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert "unsafe" not in said["Content-Security-Policy"]


def ask(stack: Runner, method: str, path: str, accept: str, **headers: str) -> requests.Response:
    sent = {"Accept": accept, "Content-Type": "application/x-www-form-urlencoded", **headers}
    answer = requests.request(method, stack.url + path, headers=sent, data="x=y" if method == "POST" else None,
                              allow_redirects=False, timeout=30)  # fmt: skip
    assert answer.status_code < 500
    return answer


def expect_safe_both_ways(stack: Runner, method: str, path: str, accept: str) -> None:
    answer = ask(stack, method, path, accept)
    expect_safe(answer)
    assert "Strict-Transport-Security" not in answer.headers
    over_tls = ask(stack, method, path, accept, **{"X-Forwarded-Proto": "https"})
    assert over_tls.headers["Strict-Transport-Security"] == "max-age=31536000"


@pytest.mark.parametrize("accept", [BROWSER, "application/json"])
@pytest.mark.parametrize(("method", "path"), ASKED)
def test_every_answer_is_safe(stack: Runner, method: str, path: str, accept: str) -> None:
    expect_safe_both_ways(stack, method, path, accept)


@pytest.mark.parametrize("accept", [BROWSER, "application/json"])
def test_no_route_answers_without_them(stack: Runner, app_module: Any, accept: str) -> None:
    """By the app's own list, so that a route that is added is asked too; nobody named `x` is there."""
    routes = [(method, path) for path, methods in app_module.app.routes.items() for method in methods]
    assert len(routes) > 30
    for method, path in routes:
        expect_safe_both_ways(stack, method, re.sub(r"\{[^}]+\}", "x", path), accept)


def test_pages_about_somebody_are_kept_by_nobody(stack: Runner) -> None:
    visitor = Visitor(stack)
    visitor.begin().go_on("check")
    for page in ("", "/taken", "/items", "/files", "/check", "/save"):
        assert visitor.open(f"/drafts/{visitor.draft}{page}").headers["Cache-Control"] == "no-store"
    reference = reported(stack)
    look(visitor, reference)
    for page in ("", "/add", "/call-back", "/letters", "/files"):
        answer = visitor.open(f"/status/{reference}{page}")
        assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
        expect_safe(answer)
    officer = Officer(stack)
    assert officer.get(f"/triage/{reference}").headers["Cache-Control"] == "no-store"


def test_nothing_about_a_person_is_in_an_address(stack: Runner) -> None:
    visitor, seen = Visitor(stack), []
    visitor.session.hooks["response"].append(lambda answer, **_: seen.append(answer.url))
    visitor.begin().go_on("check", happened={"what_happened": "Marked words"})
    stack.advance(2)
    visitor.send(declaration="yes")
    look(visitor, visitor.step)
    assert len(seen) > 10
    for words in (EMAIL, "Sam", "Carter", "Marked", "07700"):
        assert not [address for address in seen if words in address]


def test_files_are_kept_for_a_year_under_a_name_that_changes_with_them(stack: Runner) -> None:
    page = requests.get(f"{stack.url}/", timeout=30).text
    files = re.findall(r'(?:href|src)="(/static/[^"]+)"', page)
    assert len(files) == 4
    for file in files:
        answer = requests.get(stack.url + file, timeout=30)
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert re.fullmatch(r"/static/[a-z0-9-]+\.[0-9a-f]{12}\.(css|svg)", file)
        assert hashlib.sha256(answer.content).hexdigest().startswith(file.split(".")[1])
        expect_safe(answer)
        other = re.sub(r"\.[0-9a-f]{2}", ".00", file)
        assert requests.get(stack.url + other, timeout=30).status_code == 404
