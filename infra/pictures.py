"""Makes the README's pictures while `make run` runs: `make pictures`.

A burglary is reported on a telephone, page by page, and the main pages are photographed; then what officers see of it
and of a dozen others, three conversations of the live chat, and the statistics of the force's answer.
"""

import base64
import copy
import json
import shutil
import sys
import time
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from playwright.sync_api import Browser, Page, sync_playwright

from chalicelib.forms import EXAMPLES

PICTURES = Path(__file__).parents[1] / "docs" / "images"
TABLES = Path(__file__).parent / "west_midlands_2018_2019.csv"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]  # fmt: skip
DESK = {"width": 1180, "height": 860}
PHONE = {"width": 390, "height": 780}
SAID = {
    "building": {"about.kind": "home"},
    "happened": {"what_happened": "I came home and the back door was broken. A laptop is gone.",
                 "where.address": "14 Example Road", "where.postcode": "B1 1AA"},
    "you": {"contact.full_name": "Sam Carter", "contact.email": "sam@example.com", "contact.phone": "07700 900123"},
}  # fmt: skip

CHATS = {
    "Mo": "Somebody scratched my car last night, along the whole side.",
    "Kim": "I keep getting calls from a shop that I never bought anything from. Is that for you?",
    "Sam": "Somebody broke into our shed and took my bicycle.",
}


def main(url: str) -> None:
    """Report something, photograph the way there and what comes after, and put the photographs beside each other."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        phone = browser.new_page(viewport=PHONE, base_url=url)  # type: ignore[arg-type]
        _put_up(browser, "journey.png", _report(phone))
        _put_up(browser, "status.png", _come_back(phone))
        _send_others(url)
        desk = browser.new_page(viewport=DESK, base_url=url)  # type: ignore[arg-type]
        _put_up(browser, "desk.png", _at_the_desk(desk), DESK["width"], DESK["height"])
        _put_up(browser, "chat.png", _chat(browser, url, desk), DESK["width"], DESK["height"])
        _import_figures(url)
        _put_up(browser, "statistics.png", _statistics(desk), DESK["width"], DESK["height"])
        browser.close()


def _report(phone: Page) -> list[bytes]:
    phone.goto("/")
    photographs = [phone.screenshot()]
    phone.goto("/report/burglary")
    _answer(phone, {"emergency": "no", "reporter": "victim"})
    while not phone.url.endswith("/check"):
        page = phone.url.rsplit("/", 1)[1]
        _fill(phone, SAID.get(page, {}))
        if page == "happened":
            photographs.append(phone.screenshot())
        _answer(phone, {})
    photographs.append(phone.screenshot())
    time.sleep(2)  # nobody is quicker than this
    _answer(phone, {"declaration": "yes"})
    return [*photographs, phone.screenshot()]


def _come_back(phone: Page) -> list[bytes]:
    reference = phone.url.rsplit("/", 1)[1]
    phone.goto("/status")
    _answer(phone, {"reference": reference, "email": "sam@example.com"})
    photographs = [phone.screenshot()]
    for link in ("Add photos, video or documents", "Choose a time for a call-back", "Stop letters about this report"):
        phone.get_by_role("link", name=link).click()
        photographs.append(phone.screenshot())
        phone.get_by_role("link", name="Back", exact=True).click()
    return photographs


def _send_others(url: str) -> None:
    """A dozen reports, some of them urgent, so that there is a queue; half of them an hour older than the rest."""
    for number in range(12):
        said = copy.deepcopy(EXAMPLES[("theft", "burglary", "criminal_damage")[number % 3]])
        said["contact"]["phone"] = f"07700 900{number:03}"
        said["harm"] = {"injury": "yes"} if number == 7 else {} if number % 2 else said.get("harm", {})
        sent = Request(f"{url}/reports", json.dumps(said).encode(), {"Content-Type": "application/json"})
        urlopen(sent).close()
        if number == 5:
            later = Request(f"{url}/dev/clock", b'{"advance_seconds": 66000}', {"Content-Type": "application/json"})
            urlopen(later).close()
    while not _is_idle(url):
        time.sleep(0.5)


def _is_idle(url: str) -> bool:
    try:
        urlopen(f"{url}/dev/idle").close()
    except HTTPError:  # triage has still to come to some
        return False
    return True


def _at_the_desk(desk: Page) -> list[bytes]:
    desk.goto("/desk")
    desk.get_by_role("button", name="Olive Officer").click()
    desk.wait_for_url("**/desk")
    photographs = [desk.screenshot()]
    desk.get_by_role("button", name="Next report").click()
    desk.wait_for_url("**/desk/reports/*")
    return [*photographs, desk.screenshot()]


def _chat(browser: Browser, url: str, desk: Page) -> list[bytes]:
    """Three people write, an advisor takes them all, and answers the first."""
    phones = []
    for name, text in CHATS.items():
        phone = browser.new_page(viewport=PHONE, base_url=url)  # type: ignore[arg-type]
        phone.goto("/chat")
        time.sleep(2)  # nobody is quicker than this
        _answer(phone, {"emergency": "no", "name": name, "text": text, "phone": "07700 900456"})
        phones.append(phone)
    desk.goto("/desk/chats")
    for _ in phones:
        with desk.expect_navigation():
            desk.get_by_role("button", name="Take the next").click()
    _talk(desk, "Sam", "I am sorry to hear that. When did you see it last?")
    first = phones[-1]
    first.get_by_text("When did you see it last?").wait_for()
    first.fill("#text", "Yesterday at about nine in the evening.")
    first.get_by_role("button", name="Send", exact=True).click()
    desk.get_by_text("nine in the evening").first.wait_for()
    first.locator("h1").evaluate("heading => heading.scrollIntoView()")
    desk.evaluate("window.scrollTo(0, 0)")
    return [first.screenshot(), desk.screenshot()]


def _talk(desk: Page, name: str, words: str) -> None:
    column = desk.get_by_role("article", name=name)
    column.locator("textarea").first.fill(words)
    column.locator("button[value^='say.']").click()


def _import_figures(url: str) -> None:
    urlopen(Request(f"{url}/dev/figures", TABLES.read_bytes(), {"Content-Type": "text/csv"})).close()


def _statistics(desk: Page) -> list[bytes]:
    desk.goto("/statistics?from=2018-01&to=2019-06")
    desk.get_by_role("heading", name="By month").evaluate("heading => heading.scrollIntoView()")
    photographs = [desk.screenshot()]
    desk.goto("/statistics/answer?from=2018-01&to=2019-06")
    desk.get_by_role("heading", name="4)").evaluate("heading => heading.scrollIntoView()")
    return [*photographs, desk.screenshot()]


def _answer(phone: Page, said: dict[str, str]) -> None:
    _fill(phone, said)
    with phone.expect_navigation():
        phone.locator("main form button.govuk-button").last.click()


def _fill(phone: Page, said: dict[str, str]) -> None:
    for name, value in said.items():
        choice = phone.locator(f'[name="{name}"]')
        if choice.first.get_attribute("type") in ("radio", "checkbox"):
            phone.check(f'[name="{name}"][value="{value}"]')
        else:
            choice.fill(value)


def _put_up(browser: Browser, name: str, photographs: list[bytes], width: int = 390, height: int = 780) -> None:
    framed = "".join(_framed(photograph) for photograph in photographs)
    wall = browser.new_page(viewport={"width": (width + 40) * len(photographs) + 10, "height": height + 40})
    wall.set_content(f"<main style='padding:20px;display:inline-flex;gap:40px;background:#fff'>{framed}</main>")
    wall.locator("main").screenshot(path=PICTURES / name)


def _framed(photograph: bytes) -> str:
    data = base64.b64encode(photograph).decode()
    style = "border:1px solid #ccc;border-radius:12px;align-self:flex-start"
    return f"<img style='{style}' src='data:image/png;base64,{data}'>"


if __name__ == "__main__":
    main(sys.argv[1])
