"""The public's pages over HTTP: each can be reached, and each comes with the headers that protect whoever reads it."""

from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import pytest
import requests
from conftest import Runner
from users import Public, example

from chalicelib.reference import derive, show

PAGES = ["/", "/report/burglary", "/report/theft", "/report/criminal-damage", "/status", "/privacy", "/accessibility"]
BROWSER = "text/html,application/xhtml+xml,*/*;q=0.8"


@pytest.fixture
def public(stack: Runner) -> Public:
    return Public(stack)


class Links(HTMLParser):
    """Where a page leads, and what it is made of."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.tags: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.found |= {value or "" for name, value in attrs if name in ("href", "src")}


def expect_page(answer: requests.Response, status: int = 200) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    empty_form = "/report/" in answer.url and status == 200  # "Back" shows it with its token
    assert answer.headers["Cache-Control"] == ("private, no-cache" if empty_form else "no-store")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "script" not in Links(answer.text).tags
    assert '<html lang="en-GB"' in answer.text


@pytest.mark.parametrize("path", PAGES)
def test_page(public: Public, path: str) -> None:
    page = public.get(path, Accept=BROWSER)
    expect_page(page)
    assert "Leave this site" in page.text or "Exit this page" in page.text
    assert page.text.count("<h1") == 1


@pytest.mark.parametrize("path", [*PAGES, "/healthz", "/openapi.json"])
def test_head_is_like_get_without_a_body(public: Public, path: str) -> None:
    head, got = requests.head(public.url + path, timeout=30), public.get(path)
    assert (head.status_code, head.content) == (got.status_code, b"") == (200, b"")
    assert head.headers["Content-Type"] == got.headers["Content-Type"]


def test_every_link_leads_somewhere(public: Public) -> None:
    waiting, seen = {f"{public.url}/", f"{public.url}/reports/{show(derive(bytes(16)))}"}, set()
    while waiting:
        address = waiting.pop()
        seen.add(address)
        answer = requests.get(address, headers={"Accept": BROWSER}, timeout=30)
        assert answer.status_code == 200, address
        if answer.headers["Content-Type"].startswith("text/html"):
            links = {urljoin(address, link).partition("#")[0] for link in Links(answer.text).found}
            waiting |= {link for link in links if urlsplit(link).netloc == urlsplit(public.url).netloc} - seen
    assert {urlsplit(address).path for address in seen} >= set(PAGES)


def test_confirmation_tells_nobody_whether_there_is_such_a_report(public: Public) -> None:
    there, not_there = public.report(example()), show(derive(bytes(16)))
    pages = {reference: public.get(f"/reports/{reference}", Accept=BROWSER) for reference in (there, not_there)}
    for page in pages.values():
        expect_page(page)
    spelled = [page.text.partition("say: ")[2].partition("<")[0] for page in pages.values()]
    plain = [
        page.text.replace(reference, "").replace(words, "")
        for (reference, page), words in zip(pages.items(), spelled, strict=True)
    ]
    assert plain[0] == plain[1]


@pytest.mark.parametrize(
    "path", ["/report/arson", "/report/criminal_damage_", "/reports/7K3M-9QWP-R2TX", "/reports/%00", "/reports/x%2Fy"]
)
def test_page_that_is_not_there_is_said_to_be_missing_on_a_page(public: Public, path: str) -> None:
    expect_page(public.get(path, Accept=BROWSER), 404)
    problem = public.get(path, Accept="application/json")
    assert (problem.status_code, problem.headers["Content-Type"]) == (404, "application/problem+json")


@pytest.mark.parametrize("name", ["..%2F..%2Fconfig.py", "base.html", "", "service.css%00", "SERVICE.CSS"])
def test_no_other_file_is_served(public: Public, name: str) -> None:
    assert public.get(f"/static/{name}").status_code == 404


def test_each_form_has_a_token_of_its_own(public: Public) -> None:
    pages = [public.get("/report/theft").text for _ in range(3)]
    tokens = {page.partition('name="token" value="')[2].partition('"')[0] for page in pages}
    assert len(tokens) == 3
    assert all(len(token) >= 32 for token in tokens)


def test_officers_addresses_never_answer_with_a_page(public: Public) -> None:
    refused = public.get("/triage", Accept=BROWSER)
    assert (refused.status_code, refused.headers["Content-Type"]) == (401, "application/problem+json")
