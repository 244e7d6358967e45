"""A visitor and an advisor, a browser each: they talk, each loses the network midway, and both have read the same."""

from collections.abc import Iterator
from contextlib import suppress

import pytest
from chromium import follow
from conftest import Runner
from playwright.sync_api import Browser, Locator, Page, TimeoutError, expect
from test_browser_chat import begin
from test_browser_desk_chats import chats, press, take_next
from test_desk_pages import OLIVE

PATIENCE = 20_000  # milliseconds: a page that could reach nobody tries again later and later


@pytest.fixture(scope="module")
def stack() -> Iterator[Runner]:
    """A service of its own: nobody else waits there."""
    runner = Runner()
    yield runner
    runner.stop()


@pytest.fixture
def visitor(browser: Browser, stack: Runner) -> Iterator[Page]:
    yield from somebody(browser, stack)


@pytest.fixture
def advisor(browser: Browser, stack: Runner) -> Iterator[Page]:
    yield from somebody(browser, stack)


def somebody(browser: Browser, stack: Runner) -> Iterator[Page]:
    """A browser whose console may complain: of a network that is not there."""
    context = browser.new_context(base_url=stack.url, viewport={"width": 1280, "height": 900})
    yield context.new_page()
    context.close()


class Talk:
    """What stands on both pages, and how each side writes."""

    def __init__(self, visitor: Page, advisor: Page) -> None:
        self.visitor, self.advisor = visitor, advisor
        self.column = advisor.locator("[data-chat]")

    @property
    def id(self) -> str:
        return self.column.get_attribute("data-chat") or ""

    def visitor_says(self, text: str) -> None:
        self.visitor.locator("#text").fill(text)
        self.visitor.get_by_role("button", name="Send", exact=True).click()

    def advisor_says(self, text: str) -> None:
        self.column.locator("[data-say]").fill(text)
        self.column.locator("button[value^='say.']").click()

    def both_read(self, *texts: str) -> None:
        """These and no others, in this order, on either page."""
        expect(self.visitor.locator("#entries [data-text]")).to_have_text([*texts], timeout=PATIENCE)
        expect(self._at_the_desk).to_have_text([*texts], timeout=PATIENCE)
        expect(self.visitor.locator("[data-unsent]")).to_have_count(0, timeout=PATIENCE)

    @property
    def _at_the_desk(self) -> Locator:
        return self.column.locator(".line--visitor .line__text, .line--advisor .line__text")


def test_both_lose_the_network_and_nothing_is_lost(visitor: Page, advisor: Page, stack: Runner) -> None:
    talk = Talk(visitor, advisor)
    first = begin(visitor, stack)
    chats(advisor, OLIVE)
    take_next(advisor)
    talk.advisor_says("Where did you leave it?")
    talk.visitor_says("Outside the library")
    said = [first, "Where did you leave it?", "Outside the library"]
    talk.both_read(*said)

    visitor.context.set_offline(True)
    talk.advisor_says("Was it locked?")
    talk.advisor_says("And what colour is it?")
    expect(talk.column.locator(".line--pending")).to_have_count(0, timeout=PATIENCE)
    talk.visitor_says("I have the frame number, too")
    expect(visitor.locator("[data-unsent]")).to_have_count(1)
    visitor.context.set_offline(False)
    said += ["Was it locked?", "And what colour is it?", "I have the frame number, too"]
    talk.both_read(*said)

    advisor.context.set_offline(True)
    talk.visitor_says("It is red")
    expect(visitor.locator("#entries")).to_contain_text("It is red", timeout=PATIENCE)
    talk.advisor_says("Please give me the number")
    advisor.context.set_offline(False)
    said += ["It is red", "Please give me the number"]
    talk.both_read(*said)

    visitor.reload()
    advisor.reload()
    talk.both_read(*said)


def types_until(box: Locator, sign: Locator) -> None:
    """Nothing is told of it before the sockets are open, and then every three seconds at most."""
    for _ in range(10):
        box.press_sequentially("a")
        with suppress(TimeoutError):
            sign.wait_for(timeout=3_100)
            return
    raise AssertionError("the other side is not told")


def test_each_sees_that_the_other_types_and_that_it_ends(visitor: Page, advisor: Page, stack: Runner) -> None:
    begin(visitor, stack)
    chats(advisor, OLIVE)
    take_next(advisor)
    talk = Talk(visitor, advisor)
    talk.column = advisor.locator("[data-chat]").last
    talk.advisor_says("Hello")
    expect(visitor.locator("#entries")).to_contain_text("Hello", timeout=PATIENCE)
    types_until(talk.column.locator("[data-say]"), visitor.locator("#typing", has_text="Olive"))
    types_until(visitor.locator("#text"), talk.column.locator("[data-typing]", has_text="typing"))
    id = talk.id
    follow(visitor.get_by_role("link", name="End the chat"))
    follow(visitor.get_by_role("button", name="End the chat"))
    expect(advisor.locator(f"#chat-{id}")).to_contain_text("It has ended. Say what came of it", timeout=PATIENCE)
    expect(advisor.locator(f"#text-{id}")).to_have_count(0)
    advisor.locator(f"#chat-{id} select[name^='how.']").select_option("advice")
    press(advisor, id, "conclude")
    expect(advisor.locator(f"#chat-{id}")).to_have_count(0)
