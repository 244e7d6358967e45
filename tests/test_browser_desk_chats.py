"""Advisors of the live chat in Chromium: without JavaScript, over polling, over the socket, and two of them at once."""

from collections.abc import Iterator

import pytest
from chromium import expect_accessible, expect_narrow, follow
from conftest import Runner, opened
from playwright.sync_api import Browser, Locator, Page, expect
from test_browser_desk import press_last, sit_down
from test_desk_pages import OLIVE, OSCAR, SUNIL
from visitors import Visitors


@pytest.fixture(scope="module")
def stack() -> Iterator[Runner]:
    """A service of its own: whoever waits in another test must not be taken here."""
    runner = Runner()
    yield runner
    runner.stop()


@pytest.fixture
def another(browser: Browser, stack: Runner) -> Iterator[Page]:
    yield from opened(browser, stack, viewport={"width": 1280, "height": 900})


@pytest.fixture
def visitors(stack: Runner) -> Visitors:
    return Visitors(stack)


def chats(page: Page, person: str) -> None:
    """Sit down, and go to the chats."""
    sit_down(page, person)
    page.goto("/desk/chats")


def take_next(page: Page) -> None:
    follow(page.locator("#next"))


def talk(page: Page, id: str) -> Locator:
    return page.locator(f"#chat-{id}")


def press(page: Page, id: str, do: str) -> None:
    """A button of a conversation that leads to another page; what hides it is opened."""
    button = page.locator(f"button[value='{do}.{id}']")
    if not button.is_visible():
        page.locator("details", has=button).locator("summary").click()
    follow(button)


def leave(page: Page, visitors: Visitors) -> None:
    """Nobody is left waiting, or held, for the next test."""
    for one in page.locator("[data-chat]").all():
        id = one.get_attribute("data-chat") or ""
        visitors.chats.visitor_ends(id)
    page.goto("/desk/chats")
    while page.locator("[data-chat]").count():
        id = page.locator("[data-chat]").first.get_attribute("data-chat") or ""
        talk(page, id).locator("select[name^='how.']").select_option("left")
        press(page, id, "conclude")


def test_from_taking_to_a_crime_number_without_javascript(plain: Page, stack: Runner, visitors: Visitors) -> None:
    eve = visitors.begins("My bicycle was taken from outside the library")
    fay = visitors.begins("Hello", name="Fay")
    chats(plain, OLIVE)
    take_next(plain)
    take_next(plain)
    talk(plain, fay).get_by_label("Your answer to").fill("Half a sentence")
    talk(plain, eve).get_by_label("Reply that is ready").select_option("where")
    press(plain, eve, "say")
    expect(talk(plain, eve).get_by_role("log")).to_contain_text("Where did it happen?")
    expect(talk(plain, fay).get_by_label("Your answer to")).to_have_value("Half a sentence")
    visitors.says(eve, "In Mill Lane")
    follow(plain.get_by_role("button", name="Show new messages"))
    expect(talk(plain, eve).get_by_role("log")).to_contain_text("In Mill Lane")
    expect(talk(plain, fay).get_by_label("Your answer to")).to_have_value("Half a sentence")
    expect_narrow(plain)

    plain.goto(talk(plain, eve).get_by_role("link", name="Theft").get_attribute("href") or "")
    expect(plain.get_by_label("What happened", exact=False).first).to_have_value(
        "My bicycle was taken from outside the library\n\nIn Mill Lane"
    )
    press_last(plain)
    assert plain.locator(".govuk-error-summary a").count() >= 2 and plain.title().startswith("Error: ")
    expect_narrow(plain)
    plain.locator("[name=emergency][value=no]").check()
    plain.locator("[name=reporter][value=victim]").check()
    plain.locator("[name='about.kind'][value=pedal_cycle]").check()
    plain.locator("[name=declaration]").check()
    press_last(plain)
    expect(plain.get_by_role("status")).to_contain_text("The report is made")
    expect(plain.locator("main")).to_contain_text("Told in live chat")
    follow(plain.get_by_role("link", name="Crime it", exact=True))
    plain.get_by_label("Further investigation", exact=True).check()
    press_last(plain)
    follow(plain.get_by_role("button", name="Record the crime"))
    expect(plain.locator(".decision")).to_contain_text("Crime 20/")
    follow(plain.get_by_role("link", name="the conversation"))
    expect(plain.locator(".decision")).to_contain_text("made by Olive Officer")
    expect_narrow(plain)
    plain.goto("/desk/chats")
    press(plain, eve, "end")
    assert talk(plain, eve).count() == 0, "with a report made of it, its end concludes it"
    leave(plain, visitors)


def test_new_messages_come_by_themselves_over_polling(desktop: Page, visitors: Visitors, axe: str) -> None:
    desktop.add_init_script("delete window.WebSocket")
    eve, fay = visitors.begins(), visitors.begins("Hello", name="Fay")
    chats(desktop, OLIVE)
    take_next(desktop)
    take_next(desktop)
    write_and_hear(desktop, visitors, eve, fay)
    expect_accessible(desktop, axe, (1440, 390))
    expect_narrow(desktop)
    leave(desktop, visitors)


def test_and_over_the_socket(desktop: Page, visitors: Visitors, axe: str) -> None:
    heard, frames = list[str](), list[str]()
    desktop.on("websocket", lambda socket: socket.on("framereceived", lambda frame: heard.append(str(frame))))
    desktop.on("websocket", lambda socket: socket.on("framesent", lambda frame: frames.append(str(frame))))
    eve, fay = visitors.begins(), visitors.begins("Hello", name="Fay")
    chats(desktop, OLIVE)
    take_next(desktop)
    take_next(desktop)
    heard.clear()
    while not heard:
        desktop.wait_for_timeout(20)
    desktop.evaluate("ChatLine.POLL = ChatLine.POLL_BESIDE_SOCKET = 1e9")  # from now on nothing but the socket tells
    write_and_hear(desktop, visitors, eve, fay)
    assert any('"say"' in frame for frame in frames) and any('"typing"' in frame for frame in frames)
    visitors.types(eve)
    expect(talk(desktop, eve).locator("[data-typing]")).to_contain_text("Eve Example is typing")
    gus = visitors.begins("I am new here", name="Gus")
    expect(desktop.locator("#lists")).to_contain_text("Waiting: 1")
    assert desktop.title().startswith("(")
    visitors.chats.visitor_ends(gus)
    expect(desktop.locator("#lists")).to_contain_text("has left")
    expect_accessible(desktop, axe)
    follow(desktop.locator(f"button[value='take.{gus}']"))
    leave(desktop, visitors)


def write_and_hear(page: Page, visitors: Visitors, eve: str, fay: str) -> None:
    """What is typed for one is never lost while another is answered, and the focus stays where it is."""
    box, other = talk(page, eve).get_by_label("Your answer to"), talk(page, fay).get_by_label("Your answer to")
    other.press_sequentially("Half a ")
    visitors.says(fay, "Somebody is still here, he is still outside")  # words that worry: her whole column is new
    expect(talk(page, fay)).to_contain_text("Look out:")
    expect(other).to_be_focused()
    other.press_sequentially("sentence")
    expect(other).to_have_value("Half a sentence")
    talk(page, fay).locator("summary", has_text="Hand over").focus()
    visitors.says(fay, "I want to kill myself")
    expect(talk(page, fay).locator(".talk__reasons")).to_contain_text("suicide")
    expect(talk(page, fay).locator("summary", has_text="Hand over")).to_be_focused()
    box.fill("Where was it?")
    talk(page, eve).get_by_role("button", name="Send").click()
    expect(box).to_have_value("")
    expect(talk(page, eve).locator(".line--advisor:not(.line--pending) .line__text")).to_have_text(["Where was it?"])
    other.focus()
    visitors.says(eve, "In Mill Lane")
    expect(talk(page, eve).get_by_role("log")).to_contain_text("In Mill Lane")
    expect(talk(page, eve).locator(".tag--new")).to_be_visible()
    expect(other).to_be_focused()
    box.focus()
    expect(talk(page, eve).locator(".tag--new")).to_have_count(0)
    talk(page, eve).get_by_label("Reply that is ready").select_option("when")
    talk(page, eve).get_by_label("Reply that is ready").select_option("goodbye")
    assert box.input_value().startswith("Thank you for telling us"), "the second takes the place of the first"
    box.press("Control+Enter")
    expect(talk(page, eve).locator(".line--advisor:not(.line--pending)")).to_have_count(2)
    expect(other).to_have_value("Half a sentence")
    other.fill("")


def test_two_officers_hand_over_and_a_supervisor_takes_over(
    desktop: Page, another: Page, browser: Browser, stack: Runner, visitors: Visitors
) -> None:
    eve = visitors.begins()
    chats(another, OSCAR)
    chats(desktop, OLIVE)
    take_next(desktop)
    talk(desktop, eve).locator("summary", has_text="Hand over").click()
    talk(desktop, eve).get_by_label("Who goes on with").select_option(label=OSCAR)
    press(desktop, eve, "hand-over")
    expect(desktop.get_by_role("status").first).to_contain_text("handed over")
    expect(talk(another, eve)).to_contain_text("My bicycle is gone", timeout=15_000)
    box = talk(another, eve).get_by_label("Your answer to")
    box.fill("I go on with this")
    talk(another, eve).get_by_role("button", name="Send").click()
    expect(talk(another, eve).get_by_role("log")).to_contain_text("I go on with this")
    box.fill("Half a sentence")
    for page in opened(browser, stack):
        chats(page, SUNIL)
        page.goto(f"/desk/chats/{eve}")
        follow(page.get_by_role("button", name="Take it over"))
        expect(talk(another, eve)).to_contain_text("You do not have this conversation any more", timeout=15_000)
        expect(box).to_have_value("Half a sentence")
        talk(another, eve).get_by_role("button", name="Send").click()
        expect(box).to_have_value("Half a sentence")
        expect(talk(another, eve).get_by_role("alert")).to_contain_text("You do not have this conversation any more.")
        box.fill("")
        leave(page, visitors)


def test_supervisors_pages(desktop: Page, another: Page, visitors: Visitors, axe: str) -> None:
    eve = visitors.begins()
    chats(another, OLIVE)
    take_next(another)
    chats(desktop, SUNIL)
    expect(desktop.locator("#lists")).to_contain_text("With colleagues")
    for path in ("/desk/chats", f"/desk/chats/{eve}", f"/desk/chats/{eve}/seen",
                 f"/desk/chats/{eve}/report?category=burglary"):  # fmt: skip
        desktop.goto(path)
        expect_accessible(desktop, axe)
        expect_narrow(desktop)
    leave(another, visitors)
