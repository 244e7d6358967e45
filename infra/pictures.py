"""Makes the README's pictures while `make run` runs: `make pictures`.

A burglary is reported on a telephone, page by page, and the main pages are photographed.
"""

import base64
import shutil
import sys
import time
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

PICTURES = Path(__file__).parents[1] / "docs" / "images"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]  # fmt: skip
PHONE = {"width": 390, "height": 780}
SAID = {
    "building": {"about.kind": "home"},
    "happened": {"what_happened": "I came home and the back door was broken. A laptop is gone.",
                 "where.address": "14 Example Road", "where.postcode": "B1 1AA"},
    "you": {"contact.full_name": "Sam Carter", "contact.email": "sam@example.com", "contact.phone": "07700 900123"},
}  # fmt: skip


def main(url: str) -> None:
    """Report something, photograph the way there and what comes after, and put the photographs beside each other."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        phone = browser.new_page(viewport=PHONE, base_url=url)  # type: ignore[arg-type]
        _put_up(browser, "journey.png", _report(phone))
        _put_up(browser, "status.png", _come_back(phone))
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


def _put_up(browser: Browser, name: str, photographs: list[bytes]) -> None:
    framed = "".join(_framed(photograph) for photograph in photographs)
    wall = browser.new_page(viewport={"width": 430 * len(photographs) + 10, "height": 820})
    wall.set_content(f"<body style='margin:20px;display:flex;gap:40px;background:#fff'>{framed}</body>")
    wall.screenshot(path=PICTURES / name)


def _framed(photograph: bytes) -> str:
    data = base64.b64encode(photograph).decode()
    return f"<img style='border:1px solid #ccc;border-radius:12px' src='data:image/png;base64,{data}'>"


if __name__ == "__main__":
    main(sys.argv[1])
