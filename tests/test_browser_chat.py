"""The visitor's chat in Chromium: without JavaScript, by polling, over WebSocket, and where the network breaks off."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from chromium import expect_accessible, expect_narrow, follow
from conftest import Runner
from playwright.sync_api import Browser, BrowserContext, Page, WebSocketRoute, expect
from users import aws_client
from visitors import Visitors

from chalicelib.sockets import Management, Sockets
from chalicelib.table import Table
from chalicelib.wiring import mint, utc_now
from infra.local.sockets import MANAGEMENT
from tests.fakes import ANN

TABLE = "crime-reports-local"
ANSWER = "What does it look like?"
LINE = (Path(__file__).parents[1] / "chalicelib" / "pages" / "static" / "chat_line.js").read_text()


class Advisor:
    """Somebody who answers, by the verbs of the desk; whoever is connected is told."""

    def __init__(self, stack: Runner) -> None:
        self.chats, self.table = Visitors(stack).chats, Table(aws_client("dynamodb", stack.aws_endpoint), TABLE)
        line = Management(lambda: aws_client("apigatewaymanagementapi", f"{stack.url}{MANAGEMENT}"))
        self.sockets = Sockets(self.table, line, lambda *_: True, utc_now)

    def find(self, text: str) -> str:
        """The conversation that began with these words."""
        (found,) = [one.id for one in self.chats.waiting(ANN) if self.chats.find(one.id).entries[0].text == text]
        return found

    def answer(self, chat: str, text: str = ANSWER) -> None:
        self.chats.take(ANN, chat)
        self.chats.advisor_says(ANN, chat, text, mint())

    def said(self, chat: str) -> list[str]:
        return [entry.text for entry in self.chats.find(chat).entries if entry.what == "said"]

    def hang_up(self, chat: str) -> None:
        """End the visitor's connections, as API Gateway does after two hours."""
        for item in self.table.query(where="#pk = :pk", given={"pk": f"CHAT_SOCKETS#{chat}"}):
            self.sockets.hang_up(item["connection"])


@pytest.fixture
def advisor(stack: Runner) -> Advisor:
    return Advisor(stack)


@pytest.fixture
def context(browser: Browser, stack: Runner) -> Iterator[BrowserContext]:
    """A browser whose console may complain: of a network that is not there."""
    made = browser.new_context(base_url=stack.url, viewport={"width": 1280, "height": 900})
    yield made
    made.close()


def begin(page: Page, stack: Runner, text: str = "") -> str:
    """Begin a conversation; gives its first words, which no other has."""
    text = text or f"My bicycle has gone. It is number {mint()[:6]}."
    page.goto("/chat")
    page.locator("[name=emergency][value=no]").check()
    page.locator("[name=name]").fill("Sam")
    page.locator("[name=text]").fill(text)
    stack.advance(2)  # nobody is as quick as this
    follow(page.get_by_role("button", name="Start the chat"))
    expect(page.locator("h1")).to_contain_text("Your chat with")
    return text


def say(page: Page, text: str) -> None:
    page.locator("#text").fill(text)
    page.get_by_role("button", name="Send").click()


def said(page: Page) -> list[str]:
    return page.locator("#entries [data-text]").all_inner_texts()


def expect_said(page: Page, *texts: str) -> None:
    expect(page.locator("#entries [data-text]")).to_have_text(list(texts), timeout=15_000)
    expect(page.locator("#unsent li")).to_have_count(0)


def wait_for_socket(page: Page, advisor: Advisor, chat: str) -> None:
    while not advisor.sockets.visitor_is_here(chat):
        page.wait_for_timeout(20)


def ask_only_when_asked_to(page: Page) -> None:
    """No poll by the clock: what comes now comes over the socket, or because of it."""
    assert LINE.count("POLL = 3000;") == LINE.count("POLL_BESIDE_SOCKET = 30000;") == 1
    never = LINE.replace("POLL = 3000;", "POLL = 1e8;").replace(
        "POLL_BESIDE_SOCKET = 30000;", "POLL_BESIDE_SOCKET = 1e8;"
    )
    page.route("**/chat_line.*.js", lambda route: route.fulfill(body=never, content_type="text/javascript"))


def test_the_whole_way_on_a_telephone_without_javascript(phone: Page, stack: Runner, advisor: Advisor) -> None:
    phone.goto("/")
    follow(phone.get_by_role("link", name="Chat with an advisor"))
    expect_narrow(phone)
    follow(phone.get_by_role("button", name="Start the chat"))
    expect_narrow(phone)
    assert phone.title().startswith("Error: ")
    text = begin(phone, stack)
    chat = advisor.find(text)
    expect_narrow(phone)
    phone.locator("#text").fill("It is red.")
    follow(phone.get_by_role("button", name="Send"))
    advisor.answer(chat)
    phone.locator("#text").fill("And it is o")
    follow(phone.get_by_role("button", name="Check for new messages"))
    assert said(phone) == [text, "It is red.", ANSWER]
    assert phone.locator("#text").input_value() == "And it is o"
    expect_narrow(phone)
    for name in ("Send me a copy", "Back to the chat", "End the chat"):
        follow(phone.get_by_role("link", name=name))
        expect_narrow(phone)
    follow(phone.get_by_role("button", name="End the chat"))
    assert "This chat has ended" in phone.locator("#state").inner_text()
    assert not phone.get_by_role("button", name="Send", exact=True).is_visible()
    expect_narrow(phone)
    follow(phone.get_by_role("button", name="Close this chat on this device"))
    assert phone.goto("/chat") and phone.get_by_role("button", name="Start the chat").is_visible()


def test_every_page_is_for_everybody(desktop: Page, stack: Runner, advisor: Advisor, axe: str) -> None:
    desktop.goto("/chat")
    expect_accessible(desktop, axe)
    follow(desktop.get_by_role("button", name="Start the chat"))
    expect_accessible(desktop, axe)
    chat = advisor.find(begin(desktop, stack))
    expect_accessible(desktop, axe, widths=(390, 1280))
    for number in range(9):
        advisor.answer(chat, f"{ANSWER} ({number})")
    expect(desktop.get_by_text("(8)")).to_be_visible()
    expect_accessible(desktop, axe, widths=(390, 1280))  # it scrolls now
    expect_narrow(desktop)
    desktop.locator("#text").fill("x" * 2_001)
    desktop.evaluate("document.getElementById('write').submit()")
    expect(desktop.locator(".govuk-error-summary")).to_be_visible()
    expect_accessible(desktop, axe)
    desktop.goto("/chat/copy")
    expect_accessible(desktop, axe)
    desktop.locator("[name=email]").fill("sam@")
    follow(desktop.get_by_role("button", name="Send me a copy"))
    expect_accessible(desktop, axe)
    desktop.locator("[name=email]").fill("sam@example.com")
    follow(desktop.get_by_role("button", name="Send me a copy"))
    expect_accessible(desktop, axe)
    desktop.goto("/chat/end")
    expect_accessible(desktop, axe)
    follow(desktop.get_by_role("button", name="End the chat"))
    expect_accessible(desktop, axe)
    follow(desktop.get_by_role("button", name="Start another chat"))
    assert desktop.get_by_role("button", name="Start the chat").is_visible()
    stack.idle()
    assert [letter["to"] for letter in stack.outbox() if letter["id"].startswith(chat)] == ["sam@example.com"]


def test_over_the_socket_it_comes_at_once(desktop: Page, stack: Runner, advisor: Advisor) -> None:
    ask_only_when_asked_to(desktop)
    frames, posts = list[str](), list[str]()
    desktop.on("websocket", lambda socket: socket.on("framesent", lambda frame: frames.append(str(frame))))
    text = begin(desktop, stack)
    chat = advisor.find(text)
    desktop.on("request", lambda request: posts.append(request.url) if request.method == "POST" else None)
    wait_for_socket(desktop, advisor, chat)
    advisor.answer(chat)
    expect_said(desktop, text, ANSWER)
    expect(desktop.locator("#state")).to_have_text("Ann Officer has your chat, and answers you here.")
    expect(desktop.get_by_role("link", name="Send me a copy")).to_be_visible()
    desktop.locator("#text").press_sequentially("It is")
    say(desktop, "It is red.\nWith a bell.")
    expect_said(desktop, text, ANSWER, "It is red.\nWith a bell.")
    assert advisor.said(chat)[-1] == "It is red.\nWith a bell." and not posts
    assert sum('"typing"' in frame for frame in frames) == 1  # however many keys
    advisor.sockets.tell_visitor(chat, {"typing": True})
    expect(desktop.get_by_text("Ann Officer is writing…")).to_be_visible()
    advisor.chats.end(ANN, chat)
    expect(desktop.locator("#state")).to_contain_text("This chat has ended")
    expect(desktop.get_by_role("button", name="Start another chat")).to_be_visible()
    expect(desktop.locator("#text")).to_be_hidden()
    kept = desktop.evaluate("[localStorage.length, sessionStorage.length, document.cookie.length]")
    assert kept == [0, 0, 0]


def test_where_no_socket_opens_it_polls(desktop: Page, stack: Runner, advisor: Advisor) -> None:
    desktop.route_web_socket("**/*", lambda socket: socket.close())
    text = begin(desktop, stack)
    chat = advisor.find(text)
    say(desktop, "It is red.")
    expect_said(desktop, text, "It is red.")
    advisor.answer(chat)
    expect_said(desktop, text, "It is red.", ANSWER)


def test_what_is_written_while_the_network_is_lost_arrives_once(
    context: BrowserContext, stack: Runner, advisor: Advisor
) -> None:
    page = context.new_page()
    text = begin(page, stack)
    chat = advisor.find(text)
    context.set_offline(True)
    for words in ("One", "Two"):
        say(page, words)
    expect(page.get_by_text("Not sent yet. We keep trying").last).to_be_visible()
    expect(page.get_by_text("We cannot reach the service")).to_be_visible()
    advisor.answer(chat)
    context.set_offline(False)
    expect_said(page, text, ANSWER, "One", "Two")
    expect(page.get_by_text("We cannot reach the service")).to_be_hidden()
    assert advisor.said(chat) == [text, ANSWER, "One", "Two"]


def test_a_socket_that_has_died_unnoticed_loses_and_doubles_nothing(
    desktop: Page, stack: Runner, advisor: Advisor
) -> None:
    """It takes what we send, and stores it, but its answers are lost."""

    def deaf(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()
        heard: list[Any] = []
        server.on_message(lambda frame: heard.append(frame) or (socket.send(frame) if len(heard) == 1 else None))

    desktop.route_web_socket("**/*", deaf)
    text = begin(desktop, stack)
    chat = advisor.find(text)
    desktop.evaluate("ChatLine.CONFIRMED_WITHIN = 500")
    for words in ("One", "Two", "Three"):
        say(desktop, words)
    expect_said(desktop, text, "One", "Two", "Three")
    assert advisor.said(chat) == [text, "One", "Two", "Three"]


def test_what_a_push_lacks_is_asked_for(desktop: Page, stack: Runner, advisor: Advisor) -> None:
    def lossy(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()
        server.on_message(lambda frame: None if "lost on the way" in str(frame) else socket.send(frame))

    ask_only_when_asked_to(desktop)
    desktop.route_web_socket("**/*", lossy)
    text = begin(desktop, stack)
    chat = advisor.find(text)
    wait_for_socket(desktop, advisor, chat)
    advisor.answer(chat)
    expect_said(desktop, text, ANSWER)
    advisor.answer(chat, "This is lost on the way")
    advisor.answer(chat, "This is not")
    expect_said(desktop, text, ANSWER, "This is lost on the way", "This is not")


def test_after_a_connection_has_ended_another_is_opened(desktop: Page, stack: Runner, advisor: Advisor) -> None:
    sockets = list[Any]()
    desktop.on("websocket", lambda socket: sockets.append(socket))
    text = begin(desktop, stack)
    chat = advisor.find(text)
    wait_for_socket(desktop, advisor, chat)
    stack.advance(600)  # the first pass is no good any more
    advisor.hang_up(chat)
    while len(sockets) < 2:
        desktop.wait_for_timeout(50)
    wait_for_socket(desktop, advisor, chat)
    advisor.answer(chat)
    expect_said(desktop, text, ANSWER)
    say(desktop, "Still here")
    expect_said(desktop, text, ANSWER, "Still here")


def test_a_message_that_is_refused_comes_back_with_a_reason(context: BrowserContext, stack: Runner) -> None:
    page = context.new_page()
    text = begin(page, stack)
    say(page, "x" * 2_001)
    expect(page.get_by_text("Not sent. Your message must be 2,000 characters or fewer")).to_be_visible()
    assert page.locator("#text").input_value() == "x" * 2_001
    say(page, "Shorter")
    expect_said(page, text, "Shorter")


def test_closed_in_another_tab_it_says_so(context: BrowserContext, stack: Runner) -> None:
    page, other = context.new_page(), context.new_page()
    begin(page, stack)
    page.locator("#text").fill("Is anybody there?")
    other.goto("/chat")
    follow(other.get_by_role("button", name="Close this chat on this device"))
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.get_by_text("This chat is closed on this device")).to_be_visible()
    assert page.locator("#text").input_value() == "Is anybody there?"
    expect(page.get_by_role("button", name="Send")).to_be_hidden()
    expect(page.locator("#state")).to_be_hidden()


def test_what_is_written_after_that_is_refused_and_the_page_says_so_at_once(
    context: BrowserContext, stack: Runner
) -> None:
    page, other = context.new_page(), context.new_page()
    page.add_init_script("delete window.WebSocket")
    page.clock.install()
    begin(page, stack)
    page.clock.pause_at(datetime.now() + timedelta(hours=1))  # it asks for nothing by itself
    other.goto("/chat")
    follow(other.get_by_role("button", name="Close this chat on this device"))
    say(page, "Is anybody there?")
    expect(page.get_by_text("This chat is closed on this device")).to_be_visible()
    expect(page.locator("#state")).to_be_hidden()
    assert page.locator("#text").input_value() == "Is anybody there?"
