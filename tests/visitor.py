"""Somebody with a browser without JavaScript: keeps cookies, reads the form of a page, fills it in, sends it."""

import re
from html import unescape
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests

BROWSER = "text/html,application/xhtml+xml,*/*;q=0.8"
# What a person who says little answers on each page.
LITTLE = {
    "before": {"emergency": "no", "reporter": "victim"},
    "building": {"about.kind": "home"},
    "taken": {"about.kind": "pedal_cycle"},
    "damaged": {"about.kind": "vehicle"},
    "you": {"contact.full_name": "Sam Carter", "contact.email": "sam@example.com"},
    "check": {"declaration": "yes"},
}


class Visitor:
    """One browser. `stack` is whatever serves it at its `url`; `page` is the last answer."""

    def __init__(self, stack: Any) -> None:
        self.stack, self.session = stack, requests.Session()
        self.session.headers["Accept"] = BROWSER
        self.page = requests.Response()

    def open(self, path: str) -> requests.Response:
        """Go to an address: a whole one, or a path of the service as it is or as it stands in a link."""
        base = urlsplit(self.stack.url).path
        path = path if path.startswith(("http:", f"{base}/")) else base + path
        self.page = self.session.get(urljoin(self.stack.url, path), timeout=30)
        return self.page

    def send(self, *, to: str = "", **answers: Any) -> requests.Response:
        """Fill in the last form of the page, or the one whose address ends with `to`, and send it."""
        action, hidden = self.form(to)
        as_browsers = {"Content-Type": "application/x-www-form-urlencoded"}  # also of a form without fields
        sent = {**hidden, **answers}
        self.page = self.session.post(urljoin(self.page.url, action), data=sent, headers=as_browsers, timeout=30)
        return self.page

    def form(self, to: str = "") -> tuple[str, dict[str, str]]:
        """The address and the hidden fields of a form of the page."""
        forms = re.findall(r'<form [^>]*?action="([^"]+)"[^>]*>(.*?)</form>', self.page.text, re.DOTALL)
        action, inside = next(form for form in reversed(forms) if form[0].endswith(to))
        return unescape(action), dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', inside))

    @property
    def step(self) -> str:
        """The last part of the address of the page; `before` on the first."""
        path = urlsplit(self.page.url).path
        return "before" if "/report/" in path else path.rsplit("/", 1)[1]

    @property
    def draft(self) -> str:
        """The id of the draft."""
        return self.form()[0].partition("/drafts/")[2].partition("/")[0]

    @property
    def words(self) -> str:
        """What the page says, in one line."""
        return " ".join(unescape(re.sub(r"<[^>]+>", " ", self.page.text)).split())

    @property
    def links(self) -> list[str]:
        """Where the page leads."""
        return [unescape(link) for link in re.findall(r'<a [^>]*href="([^"]+)"', self.page.text)]

    def begin(self, category: str = "theft", **answers: Any) -> "Visitor":
        """Answer the first page."""
        self.open(f"/report/{category.replace('_', '-')}")
        self.send(**{**LITTLE["before"], **answers})
        return self

    def go_on(self, until: str, **answers: dict[str, Any]) -> "Visitor":
        """Continue, page by page, until that one; say little, and `answers` on the pages they are for."""
        seen = []
        while self.step != until:
            seen.append(self.step)
            assert len(seen) < 30, seen
            here = answers.get(self.step.replace("-", "_"), LITTLE.get(self.step, {}))
            assert self.send(**here).status_code == 200, (seen, self.words)
        return self

    def report(self, category: str = "theft", **answers: dict[str, Any]) -> str:
        """Report something from the first page to the last; gives the reference."""
        self.begin(category).go_on("check", **answers)
        self.stack.advance(2)  # nobody is as quick as this
        self.send(**LITTLE["check"])
        assert "/reports/" in self.page.url, self.words
        return self.step


def signed_in_visitor(stack: Any, name: str = "Olive Officer", role: str = "officer") -> Visitor:
    """Somebody at the desk, who has come in by the sign-in page of this machine."""
    visitor = Visitor(stack)
    visitor.open("/desk")
    sign_in(visitor, name, role)
    return visitor


def sign_in(visitor: Visitor, name: str = "Olive Officer", role: str = "officer") -> requests.Response:
    """Say at the sign-in page who you are."""
    assert "/dev/issuer/authorize" in visitor.page.url, visitor.words
    return visitor.send(to="/authorize", person=name, role=role)
