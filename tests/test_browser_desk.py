"""An officer's hour at the desk in Chromium, with JavaScript and without; every page asked what `chromium.py` asks."""

from collections.abc import Iterator

import pytest
from chromium import expect_accessible, expect_narrow, follow
from conftest import Runner, opened
from playwright.sync_api import Browser, Page, expect
from test_desk_pages import OLIVE, OSCAR, SUNIL, reported
from users import Officer


@pytest.fixture(scope="module")
def stack() -> Iterator[Runner]:
    """A service of its own: what is sought in a list must not be behind what other tests have left there."""
    runner = Runner()
    yield runner
    runner.stop()


@pytest.fixture
def another(browser: Browser, stack: Runner) -> Iterator[Page]:
    yield from opened(browser, stack, viewport={"width": 1280, "height": 900})


def sit_down(page: Page, person: str) -> None:
    page.goto("/desk")
    with page.expect_navigation(url="**/desk*"):
        page.get_by_role("button", name=person).click()


def press(page: Page, button: str) -> None:
    follow(page.get_by_role("button", name=button, exact=True).first)


def take(page: Page, stack: Runner, **changes: str) -> str:
    """A report of one's own, found and held."""
    reference = reported(stack, **changes)
    page.goto(f"/desk/reports/{reference}")
    press(page, "Claim it")
    return reference


def test_an_hour_with_javascript(desktop: Page, axe: str, stack: Runner) -> None:
    hour(desktop, axe, stack)


def test_an_hour_without(plain: Page, stack: Runner) -> None:
    hour(plain, "", stack)


def hour(page: Page, axe: str, stack: Runner) -> None:
    """From signing in to a decision: take one up, call back, assess, note, crime, dispose anew, sign out."""

    def look() -> None:
        expect_narrow(page)
        if axe:
            expect_accessible(page, axe)

    sit_down(page, OLIVE)
    reference = take(page, stack, suspects=None)
    look()
    page.goto("/desk")
    look()
    page.goto("/desk?list=mine")
    follow(page.locator(f"#open-{reference}"))
    for link, wrong, fill in (
        ("Call-back", True, lambda: page.get_by_label("No answer").check()),
        ("Assess", True, lambda: page.get_by_label("Threat").fill("None that is known")),
        ("Note", True, lambda: page.get_by_label("Note for colleagues").fill("Rang out")),
    ):
        follow(page.get_by_role("link", name=link, exact=True))
        look()
        if wrong:
            press_last(page)
            assert page.locator(".govuk-error-summary").count() == 1
            look()
        fill()
        press_last(page)
        assert page.locator("[role=status]").count() == 1
        look()
    follow(page.get_by_role("link", name="Crime it", exact=True))
    press_last(page)
    assert "Select what follows" in page.locator(".govuk-error-summary").inner_text()
    look()
    page.get_by_label("Filed and closed. 18").check()
    press_last(page)
    look()
    assert "You can have free" in page.locator(".letter").inner_text() or page.locator(".letter").count() == 1
    press(page, "Record the crime")
    assert "Filed and closed, outcome 18" in page.locator(".decision").inner_text()
    look()
    follow(page.get_by_role("link", name="Its history, verified"))
    look()
    press(page, "Sign out")


def press_last(page: Page) -> None:
    follow(page.locator("main form button.govuk-button").last)


def test_a_supervisors_pages(desktop: Page, axe: str, stack: Runner) -> None:
    sit_down(desktop, SUNIL)
    one, two = reported(stack), reported(stack)
    for path in (
        f"/desk/reports/{one}",
        f"/desk/reports/{one}/history",
        f"/desk/reports/{one}/assign",
        f"/desk/reports/{one}/not-crime",
        "/desk/officers",
        "/desk/proof",
        "/desk/officers/Sunil%20Supervisor",
        "/desk?list=second_look",
        "/desk/reports/2222-2222-2222",
    ):
        desktop.goto(path)
        expect_accessible(desktop, axe)
        expect_narrow(desktop)
    desktop.goto("/desk")
    for reference in (one, two):
        desktop.get_by_label(f"Choose {reference}").check()
    press(desktop, "Link")
    expect_accessible(desktop, axe)
    desktop.get_by_label("What links them?").fill("One street, one night")
    press(desktop, "Link them")
    assert "2 of 2 done" in desktop.locator("main").inner_text()
    expect_accessible(desktop, axe)


def test_two_officers_on_one_report(desktop: Page, another: Page, axe: str, stack: Runner) -> None:
    sit_down(desktop, OLIVE)
    sit_down(another, OSCAR)
    reference = reported(stack)
    for page in (desktop, another):
        page.goto(f"/desk/reports/{reference}/note")
    desktop.get_by_label("Note for colleagues").fill("I spoke to the neighbour.")
    press_last(desktop)
    another.get_by_label("Note for colleagues").fill("A long note that must not be lost.")
    press_last(another)
    said = another.locator(".govuk-error-summary").inner_text()
    assert "Olive Officer" in said and "I spoke to the neighbour." in said
    expect_accessible(another, axe)
    assert another.get_by_label("Note for colleagues").input_value() == "A long note that must not be lost."
    press_last(another)
    notes = [entry.get("note") for entry in Officer(stack).read(reference)["history"] if entry["what"] == "noted"]
    assert notes == ["I spoke to the neighbour.", "A long note that must not be lost."]


def test_the_queue_renews_itself_and_nothing_is_lost(desktop: Page, stack: Runner) -> None:
    sit_down(desktop, OLIVE)
    one = reported(stack, harm={"injury": "yes"})
    desktop.goto("/desk?priority=urgent&category=theft")
    desktop.get_by_label(f"Choose {one}").check()
    desktop.locator(f"#open-{one}").focus()
    two = reported(stack, harm={"injury": "yes"})
    assert desktop.locator(f"#open-{two}").count() == 0
    desktop.keyboard.press("r")
    expect(desktop.locator(f"#open-{two}")).to_have_count(1)
    assert desktop.get_by_label(f"Choose {one}").is_checked()
    assert desktop.evaluate("document.activeElement.id") == f"open-{one}"


def test_keys(desktop: Page, stack: Runner) -> None:
    sit_down(desktop, OLIVE)
    reported(stack)
    reported(stack)
    desktop.goto("/desk")
    ids = desktop.locator(".reports__link").evaluate_all("links => links.map(link => link.id)")
    at = lambda: desktop.evaluate("document.activeElement.id")  # noqa: E731
    for key, expected in (("j", ids[0]), ("j", ids[1]), ("k", ids[0])):
        desktop.keyboard.press(key)
        assert at() == expected
    desktop.keyboard.press("x")
    assert desktop.locator(".choose").first.is_checked()
    desktop.keyboard.press("/")
    assert at() == "search"
    desktop.keyboard.type("jx/")  # what is typed is typed
    assert desktop.locator("#search").input_value() == "jx/"
    desktop.locator("summary", has_text="Keys").click()
    desktop.get_by_role("button", name="switched off").click()
    desktop.locator(f"#{ids[0]}").focus()
    desktop.keyboard.press("j")
    assert at() == ids[0]
    desktop.get_by_role("button", name="switched on").click()
    desktop.locator(f"#{ids[0]}").focus()
    with desktop.expect_navigation(url="**/desk/reports/**"):
        desktop.keyboard.press("Enter")


def test_a_report_that_is_open_stays_held(desktop: Page, stack: Runner) -> None:
    sit_down(desktop, OLIVE)
    reference = take(desktop, stack)
    until = desktop.locator("[data-lease]").inner_text()
    stack.advance(20 * 60)
    with desktop.expect_response(f"**/desk/reports/{reference}/renew"):
        desktop.reload()
    expect(desktop.locator("[data-lease]")).not_to_have_text(until)
    assert Officer(stack).read(reference)["claimed_by"] == OLIVE


def test_the_clock_warns_by_itself(desktop: Page, stack: Runner) -> None:
    sit_down(desktop, OLIVE)
    reference = reported(stack)
    desktop.clock.install()
    desktop.goto(f"/desk/reports/{reference}")
    clock = desktop.locator(".clock").first
    assert "left" in clock.inner_text() and "clock--calm" in str(clock.get_attribute("class"))
    desktop.clock.fast_forward("19:00:00")
    assert "clock--near" in str(clock.get_attribute("class"))
    desktop.clock.fast_forward("06:00:00")
    assert "late" in clock.inner_text() and "clock--late" in str(clock.get_attribute("class"))


def test_a_double_click_is_sent_once(desktop: Page) -> None:
    sit_down(desktop, OSCAR)
    sent = desktop.evaluate("""() => {
        let sent = 0;
        document.addEventListener("submit", event => {
            if (!event.defaultPrevented) sent++;
            event.preventDefault();  // the page stays, as it does while the answer is on its way
        });
        for (const _ of [1, 2]) document.getElementById("next").click();
        return sent;
    }""")
    assert sent == 1


def test_a_tick_stays_with_the_version_that_was_seen(desktop: Page, stack: Runner) -> None:
    reference = reported(stack, harm__injury="yes")
    sit_down(desktop, OLIVE)
    desktop.goto("/desk?priority=urgent&category=theft")
    box = desktop.locator(f"#choose-{reference}")
    box.check()
    seen = box.get_attribute("value")
    officer = Officer(stack)
    assert officer.change(reference, "notes", text="Meanwhile").status_code == 200
    with desktop.expect_response("**/desk?*"):
        desktop.keyboard.press("r")
    expect(box).to_be_checked()
    assert box.get_attribute("value") == seen
