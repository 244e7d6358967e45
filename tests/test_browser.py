"""The pages in Chromium: accessibility (axe-core, WCAG 2.2 AA), a narrow telephone, the keyboard, the CSP."""

import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

import pytest
from chromium import expect_accessible, expect_narrow
from force_figures import ALL_MONTHS, FIRST, LAST, sums, told
from playwright.sync_api import Browser, Page

from chalicelib import pages
from chalicelib.chat_hours import read_hours
from chalicelib.errors import FieldError
from chalicelib.forms import EXAMPLES
from chalicelib.pages import chat, desk_place, statistics, status
from chalicelib.report import receive
from chalicelib.statistics import Imported

CSP = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
SITE = pages.Site(force_name="Exampleshire Police", base="")
ERRORS = [
    FieldError("emergency", "Select yes or no"),
    FieldError("about", "Tell us about the theft"),
    FieldError("when.start_date", "The date it happened must be a real date, like 2019-01-31"),
    FieldError("items.0.value", "Value in pounds must be a whole number"),
    FieldError("harm.hate", "Select from the list"),
    FieldError("contact.full_name", "Enter your full name"),
    FieldError("declaration", "Tick the box to send your report"),
]
OPENED = status.Place(SITE, "7K3M-9QWP-R2T8", "token")
RECEIVED = receive("7K3M9QWPR2T8", "theft", EXAMPLES["theft"], datetime(2026, 11, 23, 9, tzinfo=UTC))
DESK, ASKED = desk_place.Place(SITE, "Anna Analyst"), statistics.Asked(FIRST, LAST, "")
BEFORE = {FIRST: Imported(619, None), LAST: Imported(20, 7)}
WRITES = chat.Place(replace(SITE, has_chat=True), "token", "id")
LATE = RECEIVED.deadline + timedelta(seconds=1)
PAGES = {
    "/": pages.start(replace(SITE, has_chat=True)),
    "/report/burglary": pages.report_form(SITE, "burglary", {}, [], "token"),
    "/report/theft": pages.report_form(SITE, "theft", {}, [], "token"),
    "/report/criminal-damage": pages.report_form(SITE, "criminal_damage", {}, [], "token"),
    "/errors": pages.report_form(SITE, "theft", {"items": [{"make": "Acme"}, {}]}, ERRORS, "token"),
    "/already-sent": pages.already_sent(SITE, "theft", {}, "7K3M-9QWP-R2T8", "token"),
    "/sent": pages.sent(
        SITE, "7K3M-9QWP-R2T8", "7, Kilo, 3, Mike, 9, Quebec, Whiskey, Papa, Romeo, 2, Tango, X-ray", True
    ),
    "/status": status.ask(SITE, {}, [FieldError("reference", "Enter your reference")]),
    "/standing": status.standing(OPENED, RECEIVED, RECEIVED.received_at, may_be_called=True, done="added"),
    "/standing-late": status.standing(OPENED, RECEIVED, LATE, may_be_called=True, done=""),
    "/add": status.add(OPENED, {}, [FieldError("text", "Enter what you want to add")]),
    "/call-back": status.call_back(OPENED, {"soon": "As soon as you can"}, RECEIVED, {}, []),
    "/call-back-error": status.call_back(OPENED, {"soon": "Soon"}, RECEIVED, {}, [FieldError("time", "Select a time")]),
    "/letters": status.letters(OPENED, True, []),
    "/refused": status.refused(OPENED, "Call 101.", "What I had written"),
    "/hour-is-over": status.hour_is_over(SITE, "What I had written"),
    "/chat-begin": chat.begin(WRITES, read_hours("Mon-Fri 08:00-22:00"), {}, [FieldError("website", "Leave it empty")]),
    "/chat-closed": chat.closed(WRITES, read_hours("Mon-Fri 08:00-22:00"), LATE, {}, tried=True),
    "/chat-closed-error": chat.closed(
        WRITES, read_hours("Mon 08:00-09:00"), LATE, {}, [FieldError("what_happened", "Enter what happened")]
    ),
    "/chat-none": chat.none_at_all(SITE),
    "/chat-gone": chat.gone(SITE, "What I had written"),
    "/chat-refused": chat.refused(WRITES, "Call 101.", "What I had written"),
    "/privacy": pages.privacy(replace(SITE, has_chat=True)),
    "/accessibility": pages.accessibility(replace(SITE, has_chat=True)),
    "/problem": pages.problem(SITE, 404, "Page not found"),
    "/emergency": pages.stop(SITE, "emergency"),
    "/robbery": pages.stop(SITE, "robbery"),
    "/fraud": pages.stop(SITE, "fraud"),
    "/lost-property": pages.stop(SITE, "lost_property"),
    "/statistics": statistics.public_figures(SITE, ASKED, told(sums(), ALL_MONTHS, public=True)),
    "/statistics-refused": statistics.refused(SITE, ASKED, [FieldError(name, "No") for name in ("from", "category")]),
    "/statistics-desk": statistics.figures(DESK, ASKED, told(sums(), ALL_MONTHS, imported=BEFORE), "9:05am"),
    "/answer": statistics.answer(SITE, ASKED, told(sums(), ALL_MONTHS), {"online": FIRST}, RECEIVED.received_at),
}


class Server(BaseHTTPRequestHandler):
    """Serves the pages and their files; a form sent to it comes back with one more item, as the service would do."""

    posted: list[tuple[str, str]]

    def do_GET(self) -> None:
        file = pages.static_file(self.path.removeprefix("/static/"))
        self.answer(*(file or (PAGES.get(self.path, ""), "text/html; charset=utf-8")))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        Server.posted = parse_qsl(body, keep_blank_values=True)
        self.answer(pages.report_form(SITE, "theft", {"items": [{}, {}]}, [], "token"), "text/html; charset=utf-8")

    def answer(self, body: str, content_type: str) -> None:
        self.send_response(200 if body else 404)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Security-Policy", CSP)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: Any) -> None:
        """Quiet: the test says what went wrong."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    page = browser.new_page(base_url=address, viewport={"width": 390, "height": 844})
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    yield page
    page.close()
    assert complaints == []  # what the CSP blocks, and files that are missing, end up here


@pytest.mark.parametrize("path", PAGES)
def test_axe_finds_nothing(page: Page, axe: str, path: str) -> None:
    page.goto(path)
    hidden_by_scrolling = page.locator(".scrolls").count()  # of what is out of sight axe cannot tell the contrast
    expect_accessible(page, axe, widths=(1280,) if hidden_by_scrolling else (390, 1280))


@pytest.mark.parametrize("path", PAGES)
def test_nothing_is_wider_than_a_narrow_telephone(page: Page, path: str) -> None:
    page.goto(path)
    expect_narrow(page)


def test_the_style_of_the_service_is_applied(page: Page) -> None:
    page.goto("/")
    colour = "element => getComputedStyle(element).backgroundColor"
    assert page.locator(".govuk-generic-header").evaluate(colour) == "rgb(11, 79, 108)"


def test_links_of_the_error_summary_move_the_focus_to_their_control(page: Page) -> None:
    page.goto("/errors")
    links = page.locator(".govuk-error-summary a")
    assert links.count() == len(ERRORS)
    for number in range(len(ERRORS)):
        links.nth(number).click()
        focused = page.evaluate("document.activeElement.id")
        assert f"#{focused}" == links.nth(number).get_attribute("href")


def test_enter_in_a_field_sends_the_report_and_adds_no_item(page: Page) -> None:
    page.goto("/errors")
    page.get_by_label("Make").first.fill("Ångström & søn")
    page.get_by_label("Make").first.press("Enter")
    page.wait_for_url(re.compile(r"/report/theft\?send=1$"))
    assert ("items.0.make", "Ångström & søn") in Server.posted
    assert "action" not in dict(Server.posted)


def test_adding_an_item_leads_to_it(page: Page) -> None:
    page.goto("/report/theft")
    page.get_by_role("button", name="Add another item").click()
    page.wait_for_url(re.compile(r"/report/theft\?send=1#items-1$"))
    assert dict(Server.posted)["action"] == "add-item"
    assert page.locator("#items-1").is_visible()
    assert 0 <= page.evaluate("document.getElementById('items-1').getBoundingClientRect().top") < 200


def test_the_first_stop_of_the_keyboard_skips_to_the_content(page: Page) -> None:
    page.goto("/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to main content"
