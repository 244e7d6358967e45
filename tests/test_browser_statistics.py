"""The statistics in Chromium, without JavaScript: an analyst's way in, with the keyboard, on a telephone, on paper.
`test_browser.py` has axe look at the same pages.
"""

import re
from collections.abc import Iterator

import pytest
from chromium import expect_narrow, follow
from conftest import Runner, opened
from playwright.sync_api import Browser, Page
from users import Officer, Public, example

ANNA = "Anna Analyst"


@pytest.fixture
def page(browser: Browser, stack: Runner) -> Iterator[Page]:
    for page in opened(browser, stack, java_script_enabled=False, accept_downloads=True):
        page.set_default_timeout(8_000)
        yield page


def come_in(page: Page, to: str = "/statistics") -> None:
    page.goto(to)
    with page.expect_navigation(url=re.compile("/statistics")):
        page.get_by_role("button", name=ANNA).click()


def look(page: Page) -> None:
    expect_narrow(page)
    if page.evaluate("document.querySelector('.chart')"):
        assert page.evaluate("parseFloat(getComputedStyle(document.querySelector('.chart text')).fontSize)") >= 12


def test_an_analyst_looks_at_the_figures(page: Page, stack: Runner) -> None:
    reference = Public(stack).report(example("burglary"))
    stack.idle()
    Officer(stack).done(reference, "crime", offence="28E", disposal="further_investigation")
    come_in(page)
    look(page)
    assert page.locator("table").count() == 10 and page.get_by_role("img").count() == 1
    whole = page.get_by_role("row", name="Total").first.inner_text()
    page.get_by_label("Category").focus()
    page.keyboard.press("B")
    page.keyboard.press("Tab")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert "category=burglary" in page.url and page.get_by_label("Category").input_value() == "burglary"
    assert page.locator(".period").inner_text().endswith(": Burglary")
    look(page)
    with page.expect_download() as got:
        page.locator("a[href*='table=crimes&format=csv']").click()
    assert got.value.suggested_filename.startswith("statistics-crimes-")
    page.goto("/statistics")
    assert page.get_by_role("row", name="Total").first.inner_text() == whole
    follow(page.get_by_role("link", name="The same as an answer"))
    look(page)


def test_what_cannot_be_is_said_and_kept(page: Page) -> None:
    come_in(page, "/statistics?from=2019-03&to=2019-02")
    look(page)
    page.get_by_role("link", name="The last month must not be before the first").click()
    assert page.get_by_label("Last month").input_value() == "2019-02"
    assert page.get_by_label("First month").input_value() == "2019-03"
    page.get_by_label("Last month").fill("2019-05")
    follow(page.get_by_role("button", name="Show"))
    assert page.locator(".period").inner_text() == "March 2019 to May 2019"


def test_what_scrolls_is_reached_by_the_keyboard(page: Page) -> None:
    come_in(page, "/statistics?from=2015-01&to=2019-12")
    page.set_viewport_size({"width": 320, "height": 640})
    chart = page.get_by_role("region", name="Chart")
    chart.focus()
    assert chart.evaluate("element => element.scrollWidth > element.clientWidth")
    assert chart.evaluate("element => document.activeElement === element")


def test_on_paper_there_is_nothing_to_press(page: Page) -> None:
    come_in(page, "/statistics/answer")
    page.emulate_media(media="print")
    for name in ("Leave this site", "Back to the statistics", "Your report"):
        assert not page.get_by_text(name).first.is_visible()
    assert page.get_by_role("heading", level=1).is_visible()
    assert page.locator("table").evaluate_all("tables => tables.every(table => table.checkVisibility())")
