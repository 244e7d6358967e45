"""Signing in and out at the desk on a running service: without JavaScript, and in Chromium from another site."""

from collections.abc import Iterator

import pytest
from chromium import expect_accessible, expect_narrow
from conftest import Runner
from playwright.sync_api import Browser, Page
from users import Officer, Public, example
from visitor import Visitor, sign_in, signed_in_visitor

SESSION_SECONDS = 60 * 60


def at_sign_in(visitor: Visitor, path: str = "/desk") -> bool:
    """Whether the desk asks who is there."""
    return "/dev/issuer/authorize" in visitor.open(path).url


def test_somebody_signs_in_and_out(stack: Runner) -> None:
    visitor = Visitor(stack)
    assert at_sign_in(visitor, "/desk?list=mine")
    sign_in(visitor, "Ida Example")
    assert visitor.page.status_code == 200 and visitor.page.url == f"{stack.url}/desk?list=mine"
    assert "Ida Example" in visitor.words and {cookie.name for cookie in visitor.session.cookies} == {"desk", "listed"}
    visitor.send(to="/sign-out")
    assert "You are signed out" in visitor.words and not visitor.session.cookies
    (goodbye,) = [link for link in visitor.links if "/dev/issuer/end" in link]
    assert visitor.open(goodbye).url == f"{stack.url}/desk/signed-out"
    assert at_sign_in(visitor)


def test_the_desk_and_the_api_know_the_same_person(stack: Runner) -> None:
    reference = Public(stack).report(example())
    stack.idle()
    Officer(stack, "officer", "Ina Example").done(reference, "claim")
    visitor = signed_in_visitor(stack, "Ina Example")
    visitor.open("/desk?list=mine")
    assert reference in visitor.words


def test_signing_out_everywhere_reaches_another_browser_and_nobody_else(stack: Runner) -> None:
    here, there = (signed_in_visitor(stack, "Ivo Example") for _ in range(2))
    other = signed_in_visitor(stack, "Ian Example")
    here.open("/desk")
    here.send(to="/sign-out", everywhere="yes")
    assert at_sign_in(here) and at_sign_in(there) and not at_sign_in(other)


def test_a_supervisor_ends_the_sessions_of_a_leaver(stack: Runner) -> None:
    leaver, supervisor = signed_in_visitor(stack, "Leo Leaver"), signed_in_visitor(stack, "Sue Example", "supervisor")
    assert supervisor.open("/desk/officers/Leo%20Leaver").status_code == 200, supervisor.words
    supervisor.send(to="/end-sessions")
    assert supervisor.page.status_code == 200, supervisor.words
    assert at_sign_in(leaver) and not at_sign_in(supervisor)


def test_a_session_goes_idle_and_what_is_sent_then_is_not_lost(stack: Runner) -> None:
    visitor = signed_in_visitor(stack)
    stack.advance(SESSION_SECONDS - 60)
    visitor.open("/desk")
    stack.advance(SESSION_SECONDS - 60)
    assert visitor.open("/desk").url == f"{stack.url}/desk"
    stack.advance(SESSION_SECONDS + 1)
    visitor.send(to="/search", search="Zebulon Example")
    assert visitor.page.status_code == 401
    assert "Your session is over" in visitor.words and "Zebulon Example" in visitor.words
    assert "/desk/sign-in" in visitor.links


def test_a_form_of_another_website_is_refused(stack: Runner) -> None:
    visitor = signed_in_visitor(stack)
    action, fields = visitor.form("/sign-out")
    assert fields["token"]
    for token in ("", "x", fields["token"][:-1]):
        visitor.page = visitor.session.post(stack.url + action, data={"token": token}, timeout=30)
        assert visitor.page.status_code == 403
    assert not at_sign_in(visitor)


def test_somebody_without_a_role_stays_outside(stack: Runner) -> None:
    visitor = Visitor(stack)
    visitor.open("/desk")
    action, asked = visitor.form("/authorize")
    visitor.page = visitor.session.post(stack.url + action, data={**asked, "person": "Nora Nobody"}, timeout=30)
    assert visitor.page.status_code == 403 and "You have no role here" in visitor.words
    assert at_sign_in(visitor)


@pytest.mark.parametrize(
    "person",
    [
        {},
        {"person": "Mallory"},
        {"person": "", "role": "officer"},
        {"person": "Ida", "role": "chief"},
        {"person": "x" * 101, "role": "officer"},
    ],
)
def test_the_sign_in_page_knows_who_is_who(stack: Runner, person: dict[str, str]) -> None:
    visitor = Visitor(stack)
    visitor.open("/desk")
    action, asked = visitor.form("/authorize")
    assert visitor.session.post(stack.url + action, data={**asked, **person}, timeout=30).status_code == 422


def test_the_sign_in_page_says_what_is_wrong(stack: Runner) -> None:
    visitor = Visitor(stack)
    assert visitor.open("/dev/issuer/authorize?client_id=x").status_code == 400
    assert "This cannot be a sign-in: look at" in visitor.words and "client_id" in visitor.words


def test_the_page_for_people_leads_to_the_desk(stack: Runner) -> None:
    visitor = Visitor(stack)
    visitor.open("/dev")
    assert "/desk" in visitor.links


# In Chromium. At `localhost` the desk is another site than the issuer at 127.0.0.1, as it is where it is deployed:
# cookies come back across sites or not, and a form may not lead there, not even by a redirect.


@pytest.fixture(params=[True, False], ids=["with scripts", "without scripts"])
def desktop(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    context = browser.new_context(java_script_enabled=request.param, viewport={"width": 1280, "height": 900})
    context.set_default_timeout(20_000)
    page = context.new_page()
    wrong: list[str] = []
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    yield page
    context.close()
    assert not [text for text in wrong if "Content Security Policy" in text]


def test_in_and_out_in_a_browser_from_another_site(stack: Runner, desktop: Page) -> None:
    elsewhere = stack.url.replace("127.0.0.1", "localhost")
    desktop.goto(f"{elsewhere}/desk?list=mine")
    assert desktop.url.startswith(f"{stack.url}/dev/issuer/authorize")
    desktop.get_by_role("button", name="Oscar Officer").click()
    desktop.wait_for_url(f"{elsewhere}/desk?list=mine")
    (cookie,) = [one for one in desktop.context.cookies() if one["name"] != "listed"]
    assert (cookie["name"], cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == ("desk", True, "Lax", "/")
    desktop.get_by_role("button", name="Sign out", exact=True).click()
    desktop.wait_for_url(f"{elsewhere}/desk/signed-out")
    assert desktop.get_by_role("heading", level=1).inner_text() == "You are signed out"
    assert desktop.context.cookies() == []
    desktop.get_by_role("link", name="Sign in").click()
    desktop.wait_for_url(f"{stack.url}/dev/issuer/authorize?**")


def test_a_desk_left_alone_says_that_the_session_is_over(stack: Runner, browser: Browser) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{stack.url}/desk")
    page.get_by_role("button", name="Olive Officer").click()
    page.wait_for_url(f"{stack.url}/desk")
    for _ in range(2):  # it renews itself meanwhile
        stack.advance(SESSION_SECONDS / 2 - 60)
        with page.expect_response(f"{stack.url}/desk?list=open") as renewed:
            page.keyboard.press("r")
        assert renewed.value.status == 200
    stack.advance(180)
    page.keyboard.press("r")
    page.wait_for_url(f"{stack.url}/dev/issuer/authorize?**")
    context.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    yield context.new_page()
    context.close()


def test_everybody_can_use_the_pages_at_the_door(stack: Runner, page: Page, axe: str) -> None:
    page.goto(f"{stack.url}/desk")
    assert "on this machine only" in page.locator("main").inner_text()
    for address in ("", "/desk/signed-out", "/desk/signed-in"):
        if address:
            page.goto(stack.url + address)
        expect_accessible(page, axe)
        expect_narrow(page)
    page.goto(f"{stack.url}/desk")
    page.get_by_role("button", name="Nora Nobody").click()
    page.get_by_role("heading", name="Your role does not allow this").wait_for()
    expect_accessible(page, axe)
    page.goto(f"{stack.url}/desk")
    page.get_by_role("button", name="Anna Analyst").click()
    page.get_by_role("heading", name="Statistics").wait_for()
    page.goto(f"{stack.url}/desk")
    page.get_by_role("heading", name="Your role does not allow this").wait_for()
    expect_accessible(page, axe)
    page.locator("[name=token]").first.evaluate("field => field.form.querySelectorAll('[name=token]')[0].value = 'x'")
    page.locator(".desk-header__out [name=token]").evaluate("field => { field.value = 'x'; }")
    page.get_by_role("button", name="Sign out", exact=True).click()
    page.get_by_role("heading", name="Nothing has been saved").wait_for()
    expect_accessible(page, axe)
