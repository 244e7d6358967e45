"""Makes the README's picture while `make run` runs: `python -m infra.pictures http://127.0.0.1:8000`."""

import base64
import shutil
import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

PAGES = ("/", "/report/burglary", "/reports/7K3M-9QWP-R2T8")
PICTURE = Path(__file__).parents[1] / "docs" / "images" / "journey.png"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]  # fmt: skip
PHONE = {"width": 390, "height": 780}


def main(url: str) -> None:
    """Photograph the pages on a phone and put the photographs beside each other."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        phone = browser.new_page(viewport=PHONE)  # type: ignore[arg-type]
        photographs = "".join(_photograph(phone, url + path) for path in PAGES)
        wall = browser.new_page(viewport={"width": 1290, "height": 820})
        wall.set_content(f"<body style='margin:20px;display:flex;gap:40px;background:#fff'>{photographs}</body>")
        wall.screenshot(path=PICTURE)
        browser.close()


def _photograph(phone: Page, url: str) -> str:
    phone.goto(url)
    data = base64.b64encode(phone.screenshot()).decode()
    return f"<img style='border:1px solid #ccc;border-radius:12px' src='data:image/png;base64,{data}'>"


if __name__ == "__main__":
    main(sys.argv[1])
