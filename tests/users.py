"""The service's users as tests play them: the public and officers over HTTP, and somebody who looks into the table."""

import copy
import json
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from html.parser import HTMLParser
from typing import Any

import requests
from conftest import Runner

from chalicelib.forms import EXAMPLES
from infra.local.stack import client

JSON, FORM = "application/json", "application/x-www-form-urlencoded"
Pairs = list[tuple[str, str]]


def example(category: str = "theft", **changes: Any) -> dict[str, Any]:
    """The published example of a category; `contact__email="x"` changes `contact.email`, None takes it out."""
    answers = copy.deepcopy(EXAMPLES[category])
    for name, value in changes.items():
        *sections, last = name.split("__")
        inside = answers
        for section in sections:
            inside = inside.setdefault(section, {})
        inside[last] = value
        if value is None:
            del inside[last]
    return answers


def at_once(count: int, act: Callable[[int], Any]) -> list[Any]:
    """What `act(0)`, `act(1)`, … give, each in a thread of its own."""
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(act, range(count)))


@cache  # making one takes long
def aws_client(name: str, endpoint: str) -> Any:
    """A client of the AWS on this machine."""
    return client(name, endpoint)


class Public:
    """Somebody with a report to make."""

    def __init__(self, runner: Runner) -> None:
        self.url = runner.url

    def send(self, answers: Any, **headers: str) -> requests.Response:
        """Send a report as JSON; `Idempotency_Key` and the like become headers."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return requests.post(f"{self.url}/reports", json=answers, headers=named, timeout=30)

    def report(self, answers: Any) -> str:
        """Make a report; gives its reference."""
        answer = self.send(answers)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["reference"])

    def status(self, reference: str, **factor: str) -> requests.Response:
        """Ask where a report stands."""
        return requests.post(f"{self.url}/reports/{reference}/status", json=factor, timeout=30)

    def get(self, path: str, **headers: str) -> requests.Response:
        """Open a page."""
        return requests.get(self.url + path, headers=headers, timeout=30, allow_redirects=False)

    def post(self, path: str, pairs: Pairs) -> requests.Response:
        """Send a form, as a browser does."""
        browser = {"Accept": "text/html"}
        return requests.post(self.url + path, data=pairs, headers=browser, timeout=30, allow_redirects=False)


class Officer:
    """Somebody who signed in, in one of the roles."""

    def __init__(self, runner: Runner, role: str = "officer", name: str = "", token: str | None = None) -> None:
        self.url = runner.url
        self.headers = {"Authorization": f"Bearer {token or runner.token(role, name)}"}

    def get(self, path: str, **query: Any) -> requests.Response:
        """Read something."""
        return requests.get(self.url + path, params=query, headers=self.headers, timeout=30)

    def post(self, path: str, body: Any = None, **headers: str) -> requests.Response:
        """Send something as JSON; `If_Match` becomes a header."""
        named = {name.replace("_", "-"): value for name, value in headers.items()} | {"Content-Type": JSON}
        sent = b"" if body is None else json.dumps(body).encode()
        return requests.post(self.url + path, data=sent, headers=self.headers | named, timeout=30)

    def read(self, reference: str) -> dict[str, Any]:
        """A whole report."""
        answer = self.get(f"/triage/{reference}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def change(self, reference: str, move: str, version: int | None = None, **body: Any) -> requests.Response:
        """Make a move, on the version that is there unless another is named."""
        seen = self.read(reference)["version"] if version is None else version
        answer = self.post(f"/triage/{reference}/{move}", body or None, If_Match=f'"{seen}"')
        if version is None and answer.status_code == 412 and answer.json()["changed_by"] == "Triage":
            return self.change(reference, move, **body)  # it came between reading and changing
        return answer

    def done(self, reference: str, move: str, **body: Any) -> dict[str, Any]:
        """Make a move that must succeed; gives the new head."""
        answer = self.change(reference, move, **body)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())


class Records:
    """The table behind a runner, and its queues, as somebody with access to AWS sees them."""

    def __init__(self, runner: Runner) -> None:
        self._endpoint = runner.aws_endpoint

    def items(self) -> list[dict[str, Any]]:
        """Everything in the table."""
        pages = self.client("dynamodb").get_paginator("scan").paginate(TableName="crime-reports-local")
        return [item for page in pages for item in page["Items"]]

    def keys(self, start: str) -> list[tuple[str, str]]:
        """The keys of the items whose partition key starts so."""
        found = [(item["pk"]["S"], item["sk"]["S"]) for item in self.items()]
        return [key for key in found if key[0].startswith(start)]

    def reports(self) -> int:
        """How many reports are stored."""
        return sum(sk == "REPORT" for _, sk in self.keys("REPORT#"))

    def client(self, name: str) -> Any:
        """An AWS client."""
        return aws_client(name, self._endpoint)


class FormPage(HTMLParser):
    """The form of a page: what a browser without JavaScript would send when somebody fills it in."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.action = ""
        self.typed: dict[str, str] = {}  # text and hidden controls with what is in them
        self.options: dict[str, list[str]] = {}  # radios and checkboxes
        self.chosen: Pairs = []
        self.buttons: dict[str, str] = {}  # "name=value" -> where it sends the form
        self._writing_in = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        control = {name: value or "" for name, value in attrs}
        name, value = control.get("name", ""), control.get("value", "")
        if tag == "form":
            assert control["method"] == "post"
            self.action = control["action"]
        elif tag == "input" and control.get("type") in ("radio", "checkbox"):
            self.options.setdefault(name, []).append(value)
            self.chosen += [(name, value)] if "checked" in control else []
        elif tag == "input":
            self.typed[name] = value
        elif tag == "textarea":
            self.typed[name], self._writing_in = "", name
        elif tag == "button" and name:
            self.buttons[f"{name}={value}"] = control.get("formaction", self.action).partition("#")[0]

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self.typed[self._writing_in] = self.typed[self._writing_in].removeprefix("\n")
            self._writing_in = ""

    def handle_data(self, data: str) -> None:
        if self._writing_in:
            self.typed[self._writing_in] += data

    @property
    def pairs(self) -> Pairs:
        """What is sent as the form stands."""
        return [*self.typed.items(), *self.chosen]

    def fill(self, answers: Mapping[str, Any]) -> None:
        """Type and choose `answers`; every one must have a control, and every choice must be offered."""
        for name, value in self._flat(answers, ""):
            if name in self.options:
                assert value in self.options[name], f"{name} does not offer {value}"
                self.chosen.append((name, value))
            else:
                assert name in self.typed, f"nowhere to type {name}"
                self.typed[name] = value

    def _flat(self, answers: Any, name: str) -> Iterator[tuple[str, str]]:
        if isinstance(answers, Mapping):
            for inner, value in answers.items():
                yield from self._flat(value, f"{name}.{inner}" if name else inner)
        elif isinstance(answers, list):
            for number, value in enumerate(answers):
                yield from self._flat(value, f"{name}.{number}" if isinstance(value, Mapping) else name)
        elif f"{name}.day" in self.typed:
            yield from zip((f"{name}.year", f"{name}.month", f"{name}.day"), answers.split("-"), strict=True)
        else:
            yield name, str(answers)


def filled_form(public: Public, category: str, answers: Mapping[str, Any]) -> FormPage:
    """The whole form of a category, as a website of the force may have it (ours comes when an empty one is sent), when
    somebody has filled in all of `answers`, with as many items as needed.
    """
    form = FormPage(public.post("/reports", [("category", category)]).text)
    for _ in answers.get("items", [])[1:]:
        more = public.post(form.buttons["action=add-item"], [*form.pairs, ("action", "add-item")])
        assert more.status_code == 200
        form = FormPage(more.text)
    form.fill({name: value for name, value in answers.items() if name != "category"})
    return form
