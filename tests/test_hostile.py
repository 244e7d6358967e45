"""Hostile words in every field, through the pages and back: none becomes markup, and each is shown as it was typed."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from html.parser import HTMLParser
from typing import Any

import pytest
from chromium import CHROMIUM
from conftest import Runner
from hostile import HOSTILE, MARK
from playwright.sync_api import Browser
from test_status_pages import go, look, reported
from visitor import LITTLE, Visitor

from chalicelib.forms import CATEGORIES, journey
from chalicelib.forms.questions import by_name
from chalicelib.forms.sections import Item
from chalicelib.statistics import NOT_CRIMED_REASONS, monthly, together
from chalicelib.tables import Figures, as_csv, tables

LONG = "what_happened"


class Markup(HTMLParser):
    """The elements of a page with their attributes, and the words between them and in their values."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def handle_comment(self, data: str) -> None:
        assert MARK not in data

    def shown(self) -> str:
        values = [attrs.get("value", "") for _, attrs in self.elements]
        return "\n".join(["".join(self.words), *values])


def expect_harmless(html: str) -> Markup:
    page = Markup(html)
    for tag, attrs in page.elements:
        assert MARK not in tag
        for name, value in attrs.items():
            assert MARK not in name and not name.startswith("on")
            assert MARK not in value or (tag, name) == ("input", "value"), (tag, name)
        if tag == "script":
            assert attrs["src"].startswith("/static/evidence.")
        assert not attrs.get("href", "").startswith("javascript:")
    return page


def lost(typed: Iterable[str], page: Markup) -> list[str]:
    """What is not shown as it was typed, in Unicode's composed form."""
    return [text for text in typed if unicodedata.normalize("NFC", text) not in page.shown()]


def texts(category: str, names: tuple[str, ...]) -> list[str]:
    """The questions of a page that take any text."""
    asked = [(name, journey.question(category, name)) for name in names if name != "items"]
    return [name for name, question in asked if question.kind in ("text", "long_text") and not question.ask.wrong]


@pytest.mark.parametrize("category", CATEGORIES)
def test_in_every_field_page_by_page(stack: Runner, category: str) -> None:
    visitor, number = Visitor(stack), 0
    kinds = {"theft": "of_vehicle", "criminal_damage": "vehicle"}
    visitor.begin(category)
    typed: list[str] = []
    while visitor.step != "check":
        step = journey.find(category, visitor.step)
        assert step
        said: dict[str, Any] = {name: HOSTILE[(number := number + 1) % len(HOSTILE)]
                                for name in texts(category, step.asks)}  # fmt: skip
        said = {name: text[:200] for name, text in said.items()}
        here = (
            LITTLE.get(visitor.step, {})
            if visitor.step != "you"
            else {"contact.email": "eve@example.com", "contact.phone": "07700 900123"}
        )
        if visitor.step in ("taken", "damaged"):
            here = {"about.kind": kinds[category]}
        if visitor.step in ("suspects", "evidence", "people"):
            here = {"suspects.known": "yes", "evidence.cctv": "yes", "evidence.witnesses": "yes",
                    "evidence.forensic": "yes", "harm.injury": "yes"}  # fmt: skip
        name = visitor.step
        assert visitor.send(**{**here, **said}).status_code == 200, (name, visitor.words)
        for text in said.values():
            typed.append(text)
        if said:
            again = visitor.page
            page = expect_harmless(visitor.open(f"/drafts/{visitor.draft}/{name}").text)
            assert not lost(said.values(), page)
            visitor.page = again
    page = expect_harmless(visitor.page.text)
    assert len(typed) > 8
    assert not lost(typed, page)


@pytest.mark.parametrize("text", HOSTILE)
def test_in_every_field_of_an_item_and_where_a_person_writes_later(stack: Runner, text: str) -> None:
    visitor = Visitor(stack)
    visitor.begin("burglary").go_on("items")
    visitor.open(next(link for link in visitor.links if "/items/" in link))
    text = text[:200]
    fields = [name for name, question in by_name(Item).items() if question.kind == "text"]
    visitor.send(**{**dict.fromkeys(fields, text), "value": text})  # wrong, so that it is shown again
    assert text in expect_harmless(visitor.page.text).shown()
    visitor.send(**dict.fromkeys(fields, text))
    expect_harmless(visitor.page.text)
    visitor.open(f"/drafts/{visitor.draft}/save")
    visitor.send(to="/save", email=text)
    assert text in expect_harmless(visitor.page.text).shown()
    visitor.open("/status")
    visitor.send(reference=text, email=text)
    assert text in expect_harmless(visitor.page.text).shown()


@pytest.mark.parametrize(
    "text", [f"{MARK}\0<b>", f"\u202e{MARK}<b>", f"{MARK}\r\nSet-Cookie: a=b", f"\x1b[2J{MARK}<b>"]
)
def test_characters_that_no_answer_may_have_are_refused_and_shown_again(stack: Runner, text: str) -> None:
    visitor = Visitor(stack)
    visitor.begin("burglary").go_on("items")
    visitor.open(next(link for link in visitor.links if "/items/" in link))
    assert visitor.send(type="Ring", make=text).status_code == 422
    assert text.partition("<")[0].strip("\0") in expect_harmless(visitor.page.text).shown()
    assert "Set-Cookie" not in visitor.page.headers
    visitor.open(f"/drafts/{visitor.draft}/save")
    assert visitor.send(to="/save", email=text).status_code == 422
    expect_harmless(visitor.page.text)


def test_in_what_is_added_to_a_report(stack: Runner) -> None:
    visitor, reference = Visitor(stack), reported(stack, contact={"full_name": HOSTILE[0], "email": "sam@example.com"})
    for text in HOSTILE[:8]:
        go(look(visitor, reference), "add").send(text=text)
        expect_harmless(visitor.page.text)
    go(visitor, "add")
    stack.advance(3601)
    visitor.send(text="\n".join(HOSTILE))
    assert HOSTILE[2] in expect_harmless(visitor.page.text).shown()


def test_figures_have_no_cell_that_a_person_wrote() -> None:
    """So no spreadsheet runs what somebody typed: every cell is a number, a month or a name of ours."""
    sums = Counter({("2026-11", HOSTILE[17], f"not_crimed.{HOSTILE[18]}"): 1})
    months = ["2026-11"]
    made = tables(Figures(monthly(months, sums, {}), together(months, sums, {}))).values()
    text = "\n".join(map(as_csv, made))
    assert all(reason in text for reason in NOT_CRIMED_REASONS)
    assert MARK not in text and not re.search(r"(^|,)[=+\-@\t]", text, re.MULTILINE)


@pytest.mark.skipif(not CHROMIUM.exists(), reason=f"{CHROMIUM} is missing: apt install chromium")
def test_a_browser_runs_none_of_it(browser: Browser, stack: Runner) -> None:
    context = browser.new_context(base_url=stack.url)
    page = context.new_page()
    told: list[str] = []
    page.on("dialog", lambda dialog: told.append(dialog.message))
    page.on("console", lambda message: told.append(message.text))
    page.on("pageerror", lambda error: told.append(str(error)))
    page.goto("/report/theft")
    for choice in ('[name="emergency"][value="no"]', '[name="reporter"][value="victim"]'):
        page.check(choice)
    page.click("main form button.govuk-button >> nth=-1")
    page.check('[value="other"]')
    page.click("main form button.govuk-button >> nth=-1")
    page.fill(f'[name="{LONG}"]', "\n".join(HOSTILE))
    page.fill('[name="where.address"]', HOSTILE[3])
    page.click("main form button.govuk-button >> nth=-1")
    page.go_back()
    page.wait_for_selector(f'[name="{LONG}"]')
    assert MARK in page.input_value(f'[name="{LONG}"]')
    context.close()
    assert told == []
