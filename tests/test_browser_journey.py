"""Whole reports in Chromium: each category on a telephone without JavaScript and on a desktop with it, and by keyboard.

On the desktop every page and every error on the way is asked what `chromium.py` asks of a page.
"""

import re
from typing import Any

import pytest
from chromium import complaints_of_axe, expect_accessible, expect_narrow, follow
from conftest import Runner
from playwright.sync_api import Page

CATEGORIES = {"burglary": "Burglary", "theft": "Theft", "criminal_damage": "Criminal damage"}
Said = dict[str, str]
# What the person says on each page. Pages that are not here are continued without an answer.
SAYS: dict[str, Said] = {
    "before": {"emergency": "no", "reporter": "victim"},
    "building": {"about.kind": "home"},
    "burglary": {"about.entered": "yes", "about.occupied": "no"},
    "way-in": {"about.entry_point": "The kitchen window", "about.keys_taken": "yes"},
    "taken": {"about.kind": "of_vehicle"},
    "theft": {"about.force_used": "no", "about.vehicle_registration": "AB12 CDE"},
    "damaged": {"about.kind": "vehicle"},
    "damage": {"about.item": "A van", "about.cost": "400"},
    "happened": {"what_happened": "I came back in the morning.\nIt was like this.", "where.postcode": "b1 1aa"},
    "when": {"when.precision": "between"},
    "times": {"when.start_date.day": "1", "when.start_date.month": "2", "when.start_date.year": "2026",
              "when.start_time": "21:30",
              "when.end_date.day": "2", "when.end_date.month": "2", "when.end_date.year": "2026"},
    "suspects": {"suspects.known": "yes"},
    "suspect": {"suspects.names": "Alex", "suspects.relationship": "neighbour"},
    "evidence": {"evidence.cctv": "yes", "evidence.witnesses": "yes"},
    "evidence-details": {"evidence.cctv_holder": "The shop", "evidence.cctv_overwritten_on.day": ""},
    "people": {"harm.injury": "yes"},
    "people-details": {"harm.details": "A cut hand."},
    "why": {"harm.hate": "race"},
    "you": {"contact.full_name": "Sam Carter", "contact.email": "sam@example.com", "contact.phone": "07700 900123"},
    "contact": {"contact.safe_to_call": "yes"},
    "check": {"declaration": "yes"},
}  # fmt: skip
# What is wrong on the pages where something can be; an empty page where something must be answered.
WRONG: dict[str, Said] = {
    "before": {},
    "building": {},
    "taken": {},
    "damaged": {},
    "happened": {"where.postcode": "nowhere"},
    "damage": {"about.cost": "much"},
    "times": {"when.start_date.day": "31", "when.start_date.month": "2", "when.start_date.year": "2026",
              "when.start_time": "later"},
    "evidence-details": {"evidence.cctv_overwritten_on.day": "40"},
    "you": {},
    "check": {},
}  # fmt: skip


def step(page: Page) -> str:
    """Which page of the journey this is."""
    path = re.split("[?#]", page.url)[0]
    return "before" if "/report/" in path else path.rsplit("/", 1)[1]


def say(page: Page, said: Said) -> None:
    for name, value in said.items():
        control = page.locator(f'[name="{name}"]')
        if control.first.get_attribute("type") in ("radio", "checkbox"):
            page.locator(f'[name="{name}"][value="{value}"]').check()
        else:
            control.fill(value)


def go_on(page: Page, said: Said) -> None:
    """Answer, and press the button of the page's form."""
    say(page, said)
    follow(page.locator("main form button.govuk-button").last)


def begin(page: Page, category: str) -> None:
    page.goto("/")
    follow(page.get_by_role("link", name=CATEGORIES[category], exact=True))


def go_to(page: Page, until: str) -> None:
    for _ in range(30):
        if step(page) == until:
            return
        go_on(page, SAYS.get(step(page), {}))
    raise AssertionError(f"never came to {until}")


def add_an_item(page: Page) -> None:
    follow(page.get_by_role("link", name="Add an item"))
    go_on(page, {"type": "Laptop", "serial": "X1"})


def send(page: Page, stack: Runner) -> str:
    """Send what has been checked; the reference on the confirmation."""
    stack.advance(2)  # nobody is as quick as this
    go_on(page, SAYS["check"])
    assert page.locator("h1").inner_text() == "Report sent"
    return step(page)


@pytest.mark.parametrize("category", CATEGORIES)
def test_a_report_on_a_telephone_without_javascript(phone: Page, stack: Runner, category: str) -> None:
    begin(phone, category)
    seen = []
    while step(phone) != "check":
        seen.append(step(phone))
        assert len(seen) < 30
        expect_narrow(phone)
        if step(phone) == "items":
            add_an_item(phone)
            assert "Laptop" in phone.locator(".listed").inner_text()
        go_on(phone, SAYS.get(step(phone), {}))
    expect_narrow(phone)
    answers = phone.locator("main").inner_text()
    for words in ("B1 1AA", "Laptop", "Alex", "The shop", "1 February 2026", "07700 900123", "A cut hand."):
        assert words in answers
    reference = send(phone, stack)
    assert reference in phone.locator("main").inner_text()
    expect_narrow(phone)


@pytest.mark.parametrize("category", CATEGORIES)
def test_every_page_and_every_error_on_a_desktop(desktop: Page, axe: str, stack: Runner, category: str) -> None:
    begin(desktop, category)
    seen = []
    while not seen or seen[-1] != "check":
        seen.append(step(desktop))
        assert len(seen) < 30
        expect_accessible(desktop, axe)
        if step(desktop) == "items":
            follow(desktop.get_by_role("link", name="Add an item"))
            expect_accessible(desktop, axe)
            go_on(desktop, {"value": "much"})
            expect_error(desktop, axe)
            go_on(desktop, {"type": "Laptop", "value": "850"})
            expect_accessible(desktop, axe)
        if step(desktop) in WRONG:
            go_on(desktop, WRONG[step(desktop)])
            expect_error(desktop, axe)
        if step(desktop) != "check":
            go_on(desktop, SAYS.get(step(desktop), {}))
    assert WRONG.keys() & set(seen) >= {"before", "happened", "times", "you", "check"}
    send(desktop, stack)
    expect_accessible(desktop, axe)


def expect_error(page: Page, axe: str) -> None:
    """A summary whose links lead to the controls, and nothing for axe."""
    expect_accessible(page, axe)
    links = page.locator(".govuk-error-summary a")
    assert links.count() > 0
    for link in links.all():
        href = link.get_attribute("href") or ""
        if href.startswith("#"):
            link.click()
            assert page.evaluate("document.activeElement.id") == href[1:]


@pytest.mark.parametrize(
    ("category", "until", "said"),
    [
        ("theft", "before", {"emergency": "yes", "reporter": "victim"}),
        ("theft", "taken", {"about.kind": "fraud"}),
        ("theft", "taken", {"about.kind": "lost_property"}),
        ("theft", "theft", {"about.force_used": "yes"}),
    ],
)
def test_pages_that_send_elsewhere(desktop: Page, axe: str, category: str, until: str, said: Said) -> None:
    begin(desktop, category)
    go_to(desktop, until)
    go_on(desktop, said)
    expect_accessible(desktop, axe)
    expect_narrow(desktop)


def test_pages_beside_the_way(desktop: Page, axe: str, stack: Runner) -> None:
    begin(desktop, "theft")
    go_to(desktop, "happened")
    follow(desktop.get_by_role("link", name="Stop and come back later"))
    expect_accessible(desktop, axe)
    address, draft = desktop.locator("#email"), desktop.url.rpartition("/")[0]
    address.fill("sam@")
    address.press("Enter")
    expect_error(desktop, axe)
    desktop.locator("#email").fill("sam@example.com")
    follow(desktop.get_by_role("button", name="Send me a link"))
    expect_accessible(desktop, axe)
    follow(desktop.get_by_role("button", name="Erase my answers"))
    expect_accessible(desktop, axe)
    desktop.goto(f"{draft}/happened")
    assert desktop.locator("h1").inner_text() == "We cannot open this report"
    expect_accessible(desktop, axe)


def test_back_to_an_old_page_after_sending(desktop: Page, axe: str, stack: Runner) -> None:
    begin(desktop, "theft")
    go_to(desktop, "happened")
    old = desktop.context.new_page()
    old.goto(desktop.url)
    go_to(desktop, "check")
    reference = send(desktop, stack)
    desktop.go_back()
    assert step(desktop) == reference  # the confirmation, not the answers
    go_on(old, {"what_happened": "More."})
    assert "has been sent already" in old.locator("h1").inner_text()
    assert reference in old.locator("main").inner_text()
    expect_accessible(old, axe)


def test_browser_back_and_forward_lose_nothing(phone: Page) -> None:
    begin(phone, "burglary")
    go_to(phone, "evidence")
    for _ in range(4):
        phone.go_back()
    phone.reload()
    go_to(phone, "check")
    assert "The kitchen window" in phone.locator("main").inner_text()


def test_a_report_by_keyboard_alone(desktop: Page, stack: Runner) -> None:
    desktop.goto("/")
    enter(desktop, desktop.get_by_role("link", name="Burglary", exact=True))
    for _ in range(30):
        if step(desktop) == "check":
            break
        for name, value in SAYS.get(step(desktop), {}).items():
            answer_by_keyboard(desktop, name, value)
        enter(desktop, desktop.locator("main form button.govuk-button").last)
    answer_by_keyboard(desktop, "declaration", "yes")
    stack.advance(2)
    enter(desktop, desktop.get_by_role("button", name="Send report"))
    assert desktop.locator("h1").inner_text() == "Report sent"


def answer_by_keyboard(page: Page, name: str, value: str) -> None:
    control = page.locator(f'[name="{name}"]').first
    match control.get_attribute("type"):
        case "checkbox":
            press(page, page.locator(f'[name="{name}"][value="{value}"]'), "Space")
        case "radio":
            press(page, control, "Space")
            while not page.locator(f'[name="{name}"][value="{value}"]').is_checked():
                page.keyboard.press("ArrowDown")
        case _:
            tab_to(page, control)
            page.keyboard.type(value.replace("\n", " "))


def enter(page: Page, target: Any) -> None:
    """Press a link or a button by the keyboard, and wait for the page it leads to."""
    tab_to(page, target)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def press(page: Page, target: Any, key: str) -> None:
    tab_to(page, target)
    page.keyboard.press(key)


def tab_to(page: Page, target: Any) -> None:
    """Tab until the target has the focus, which can be seen."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if target.evaluate("element => element === document.activeElement"):
            assert focus_is_seen(page), target
            return
    raise AssertionError(f"the keyboard does not reach {target}")


def focus_is_seen(page: Page) -> bool:
    """Whether what has the focus is drawn otherwise than without it."""
    return bool(
        page.evaluate("""() => {
      const at = document.activeElement, label = document.querySelector(`label[for="${at.id}"]`);
      const drawn = () => [at, label].filter(Boolean).flatMap(element => [null, "::before"].map(part => {
        const style = getComputedStyle(element, part);
        return [style.outline, style.boxShadow, style.backgroundColor, style.borderColor, style.borderWidth].join();
      })).join();
      const focused = drawn();
      at.blur();
      const plain = drawn();
      at.focus();
      return focused !== plain;
    }""")
    )


@pytest.mark.parametrize(
    ("sabotage", "rule"),
    [
        ("document.querySelector('label').remove()", "label"),
        ("document.querySelector('h1').style.color = '#999'", "color-contrast"),
        ("document.documentElement.removeAttribute('lang')", "html-has-lang"),
        ("document.title = ''", "document-title"),
        ("document.querySelector('input').outerHTML += '<img src=\"/static/icon.svg\">'", "image-alt"),
        ("document.querySelector('.govuk-radios__input').setAttribute('aria-checkd', 'x')", "aria-valid-attr"),
    ],
)
def test_a_sabotaged_page_is_caught(desktop: Page, axe: str, sabotage: str, rule: str) -> None:
    begin(desktop, "theft")
    desktop.evaluate(f"() => {{ {sabotage} }}")
    assert rule in [found for found, _ in complaints_of_axe(desktop, axe)]
