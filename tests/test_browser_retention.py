"""A supervisor reviews, holds, erases and hands over in Chromium, years later: with JavaScript and axe, and without."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from chromium import complaints_of_axe, expect_accessible, expect_narrow, follow
from conftest import Runner
from playwright.sync_api import Page
from test_browser_desk import press, press_last, sit_down
from test_desk_pages import SUNIL
from users import Officer, Public, example
from visitors import Visitors

from tests.fakes import ANN

YEAR = 365 * 24 * 60 * 60


@pytest.fixture(scope="module")
def stack() -> Iterator[Runner]:
    """A service of its own: its clock is moved by years."""
    runner = Runner()
    yield runner
    runner.stop()


@pytest.fixture(scope="module")
def due(stack: Runner) -> list[str]:
    """Reports whose period is over."""
    references = [Public(stack).report(example()) for _ in range(4)]
    stack.idle()
    officer = Officer(stack)
    for reference in references:
        officer.done(reference, "not-crime", reason="no_offence", rationale="The bicycle was lent.")
    for _ in range(3):
        stack.advance(YEAR)
    stack.idle()
    return references


def test_with_javascript(desktop: Page, axe: str, due: list[str], tmp_path: Path) -> None:
    review_and_hand_over(desktop, axe, due[:3], tmp_path)


def test_a_conversation_is_held_and_erased(desktop: Page, axe: str, stack: Runner, due: list[str]) -> None:
    visitors = Visitors(stack)
    chat = visitors.begins()
    visitors.chats.take(ANN, chat)
    visitors.chats.conclude(ANN, chat, "advice")
    sit_down(desktop, SUNIL)
    desktop.goto(f"/desk/chats/{chat}")
    follow(desktop.get_by_role("link", name="how long it is kept"))
    for button, reason in (("Put under legal hold", ""), ("Put under legal hold", "A court asked")):
        expect_narrow(desktop)
        expect_accessible(desktop, axe)
        desktop.get_by_label("Why").fill(reason)
        press(desktop, button)
    assert "because the law requires it" in desktop.locator("main").inner_text()
    follow(desktop.get_by_role("link", name="Retention: live chat"))
    expect_narrow(desktop)
    expect_accessible(desktop, axe)
    follow(desktop.get_by_role("table", name="Under legal hold").get_by_role("link"))
    for button in ("Lift the legal hold", "Erase, as the person asked"):
        desktop.get_by_label("Why").fill("Request 7")
        press(desktop, button)
    assert desktop.get_by_role("table").count() == 0


def test_without(plain: Page, due: list[str], tmp_path: Path) -> None:
    sit_down(plain, SUNIL)
    plain.goto("/desk/retention")
    erase(plain, due[3], lambda: expect_narrow(plain))
    hand_over(plain, "", due[0], tmp_path)


def review_and_hand_over(page: Page, axe: str, due: list[str], folder: Path) -> None:
    def look() -> None:
        expect_narrow(page)
        if axe:
            expect_accessible(page, axe)

    kept, held, erased = due
    sit_down(page, SUNIL)
    follow(page.get_by_role("link", name="Retention", exact=True))
    look()
    do(page, kept, "Keep for another period", "Keep it")
    do(page, held, "Put under legal hold", "Hold it")
    erase(page, erased, look)
    follow(page.get_by_role("link", name="Under legal hold"))
    look()
    follow(page.get_by_role("link", name=held))
    assert "Under legal hold" in page.locator(".alert").inner_text()
    look()
    page.goto(f"/desk/reports/{erased}")
    assert "What people said is gone" in page.locator(".alert").inner_text()
    look()
    page.goto(f"/desk/reports/{kept}/erase")
    look()
    hand_over(page, axe, kept, folder)


def do(page: Page, reference: str, button: str, title: str, look: Callable[[], None] = lambda: None) -> None:
    page.get_by_label(f"Choose {reference}").check()
    press(page, button)
    look()
    press(page, title)
    assert "Enter why" in page.locator(".govuk-error-summary").inner_text()
    look()
    page.get_by_label("Why?").fill("Review of November")
    press(page, title)
    assert "1 of 1 done" in page.locator("main").inner_text()
    look()
    follow(page.get_by_role("link", name="Back to retention"))
    assert page.get_by_label(f"Choose {reference}").count() == 0


def erase(page: Page, reference: str, look: Callable[[], None]) -> None:
    do(page, reference, "Erase", "Erase it for good", look)


def hand_over(page: Page, axe: str, reference: str, folder: Path) -> None:
    page.goto("/desk/export")
    press_last(page)
    assert "Enter the email address" in page.locator(".govuk-error-summary").inner_text()
    expect_narrow(page)
    if axe:
        expect_accessible(page, axe)
    page.get_by_label("Email address, telephone number or reference").fill(reference)
    press_last(page)
    expect_narrow(page)
    if axe:
        expect_accessible(page, axe)
    page.locator(f"[name=chosen][value='{reference}']").check()
    with page.expect_download() as handed_over:
        page.get_by_role("button", name="Make the file").click()
    handed_over.value.save_as(folder / "file.html")
    page.goto(f"file://{folder}/file.html")
    assert reference in page.locator("h2").inner_text()
    expect_narrow(page)
    if axe:
        assert complaints_of_axe(page, axe) == []
