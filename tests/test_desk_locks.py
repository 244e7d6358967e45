"""Every locked route by every role by every session or token there may be, by the list of the app itself."""

import copy
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import product
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import pytest
from door import Answer, Door
from joserfc.jwk import RSAKey

from chalicelib import wiring
from chalicelib.sessions import IDLE, SHIFT

ROLES = ("officer", "supervisor", "analyst")
OPEN = {"/desk/sign-in", "/desk/signed-in", "/desk/signed-out"}  # how one comes in and goes out
TYPED = "What took half an hour to write <b>"
SHOWN = "What took half an hour to write &lt;b&gt;"
SOMETHING = {
    "chat": "c1",
    "reference": "7K3M-9QWP-R2T8",
    "officer": "olive",
    "move": "note",
    "what": "link",
    "key": "x",
}


class Route(NamedTuple):
    method: str
    path: str
    roles: tuple[str, ...]

    @property
    def address(self) -> str:
        """The route, with something in its gaps."""
        return re.sub(r"\{(\w+)\}", lambda gap: SOMETHING.get(gap[1], "x"), self.path)


@pytest.fixture
def door(app_module: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Door]:
    monkeypatch.setattr(wiring, "_installed", None)
    yield Door(app_module.app)


def routes(app_module: Any, *starts: str) -> list[Route]:
    """The locked routes whose path starts so."""
    found = [Route(method, path, getattr(entry.view_function, "roles", ()))
             for path, methods in app_module.app.routes.items() for method, entry in methods.items()]  # fmt: skip
    locked = [route for route in found if route.path.startswith(starts) and route.path not in OPEN]
    assert all(route.roles for route in locked)
    return locked


@pytest.fixture
def desk(app_module: Any) -> list[Route]:
    found = routes(app_module, "/desk")
    assert {route.method for route in found} == {"GET", "POST"} and len(found) > 8
    return found


# Sessions that are none


def no_session(door: Door) -> None:
    """Nobody has signed in here."""


def forged(door: Door) -> None:
    """The session of somebody, under a secret that is not theirs."""
    door.has_session(*ROLES)
    name, _, secret = door.cookies["__Host-desk"].partition(".")
    door.cookies["__Host-desk"] = f"{name}.{'0' * len(secret)}"


def under_the_name_without_tls(door: Door) -> None:
    """A cookie that another host, or plain HTTP, could have set."""
    door.has_session(*ROLES)
    door.cookies = {"desk": door.cookies["__Host-desk"]}


def idle(door: Door) -> None:
    """Nobody has used it for an hour."""
    door.has_session(*ROLES)
    door.clock.now += IDLE + timedelta(seconds=1)


def after_the_shift(door: Door) -> None:
    """It was used all the time."""
    door.has_session(*ROLES)
    for _ in range(int(SHIFT / IDLE) + 1):
        door.service.sessions.find(door.cookies["__Host-desk"])
        door.clock.now += IDLE


def ended(door: Door) -> None:
    """They signed out, here or elsewhere, or a supervisor has ended it."""
    door.has_session(*ROLES, name="Olive Officer")
    door.service.sessions.end_all("Olive Officer")


NO_SESSIONS = (no_session, forged, under_the_name_without_tls, idle, after_the_shift, ended)


@pytest.mark.parametrize("session", NO_SESSIONS)
def test_without_a_session_every_page_leads_to_the_sign_in_and_back(
    door: Door, desk: list[Route], session: Callable[[Door], None]
) -> None:
    session(door)
    for route in (route for route in desk if route.method == "GET"):
        answer = ask(door, route, "x=1")
        to = urlsplit(answer.location)
        assert (answer.status, to.path) == (303, "/desk/sign-in"), route
        assert parse_qs(to.query) == {"to": [f"{route.address}?x=1"]}
        assert answer.headers["Cache-Control"] == "no-store" and not answer.text


@pytest.mark.parametrize("session", NO_SESSIONS)
def test_without_a_session_nothing_is_changed_and_what_was_typed_is_kept(
    door: Door, desk: list[Route], session: Callable[[Door], None]
) -> None:
    token = door.has_session(*ROLES)
    door.cookies = {}
    session(door)
    for route in (route for route in desk if route.method == "POST"):
        expect_turned_away(door, route, 401, token)


def test_a_script_of_a_page_keeps_no_session_alive_and_begins_no_sign_in(door: Door, desk: list[Route]) -> None:
    door.has_session(*ROLES)
    for _ in range(7):
        door.clock.now += IDLE / 6
        answers = {door.ask("GET", "/desk", **{"sec-fetch-mode": mode}).status for mode in ("cors", "same-origin")}
    assert answers == {401}
    for route in desk:
        answer = door.ask(route.method, route.address, "" if route.method == "POST" else None,
                          **{"sec-fetch-mode": "cors"})  # fmt: skip
        assert answer.status == 401 and not answer.location, route


def test_a_token_of_the_api_is_no_session(door: Door, desk: list[Route]) -> None:
    bearer = f"Bearer {door.directory.token(groups=list(ROLES))}"
    assert door.service.verifier.verify(bearer).roles == set(ROLES)
    for route in desk:
        assert door.ask(route.method, route.address, "" if route.method == "POST" else None,
                        authorization=bearer).status in (303, 401), route  # fmt: skip


# Sessions of the wrong role


@pytest.mark.parametrize("role", ROLES)
def test_a_session_opens_what_its_role_may_and_nothing_else(door: Door, desk: list[Route], role: str) -> None:
    for route in desk:
        token = door.has_session(role)
        if role in route.roles:
            answer = ask(door, route, token=token)
            assert answer.status in (200, 303, 404, 409, 422), (route, answer.status)
            assert not answer.location.startswith("/desk/sign-in"), route
        else:
            before = copy.deepcopy(door.table.items)
            answer = ask(door, route, token=token)
            assert answer.status == 403 and "Your role does not allow this" in answer.text, route
            assert door.table.items == before, route


def test_the_analyst_is_kept_from_every_report(desk: list[Route]) -> None:
    assert [route.path for route in desk if "analyst" in route.roles] == ["/desk/sign-out"]


# Forms that are not ours


def no_token(door: Door) -> str:
    return ""


def of_another_session(door: Door) -> str:
    mine = dict(door.cookies)
    other = door.has_session(*ROLES, name="Mallory Officer")
    door.cookies = mine
    return other


def of_an_earlier_session_of_mine(door: Door) -> str:
    earlier = door.token
    door.has_session(*ROLES)
    return earlier


def for_something_else(door: Door) -> str:
    session = door.service.sessions.find(door.cookies["__Host-desk"])
    assert session
    return door.service.passes.give("form", session.id)


def unsigned(door: Door) -> str:
    return door.token.rpartition(".")[0]


def the_id_of_the_session(door: Door) -> str:
    return door.token.partition(".")[0]


@pytest.mark.parametrize(
    "token",
    [no_token, of_another_session, of_an_earlier_session_of_mine, for_something_else, unsigned, the_id_of_the_session],
)
def test_a_form_of_another_website_changes_nothing(door: Door, desk: list[Route], token: Callable[[Door], str]) -> None:
    for route in (route for route in desk if route.method == "POST"):
        door.has_session(*ROLES)
        expect_turned_away(door, route, 403, token(door))


def expect_turned_away(door: Door, route: Route, status: int, token: str) -> None:
    """A page with what was typed, without the token; the table is as it was."""
    before = copy.deepcopy(door.table.items)
    answer = ask(door, route, token=token, text=TYPED)
    assert answer.status == status and SHOWN in answer.text, route
    assert not token or f">{token}<" not in answer.text, route
    assert "Nothing has been saved" in answer.text and door.table.items == before, route


# The API


def test_the_api_takes_no_session_and_no_token_but_a_good_one_of_the_right_role(door: Door, app_module: Any) -> None:
    """`Authorization` only: a browser would bring the cookie along for any website."""
    api, directory = routes(app_module, "/triage"), door.directory
    assert len(api) > 10
    other, now = (
        RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256", "kid": "first"}),
        int(door.clock.now.timestamp()),
    )
    mine, everything = directory.key, {"groups": list(ROLES)}
    directory.key = other
    bad = [directory.token(**everything)]
    directory.key = mine
    bad += [directory.token(**everything, **wrong) for wrong in ({"exp": now - 60}, {"aud": "another"}, {"iss": "x"})]
    door.has_session(*ROLES)
    for route, token in product(api, ["", *bad, door.cookies["__Host-desk"]]):
        headers = {"authorization": f"Bearer {token}"} if token else {}
        assert send(door, route, **headers).status == 401, route
    for route, role in product(api, ROLES):
        answer = send(door, route, authorization=f"Bearer {directory.token(groups=[role])}")
        assert (answer.status == 403) is (role not in route.roles), (route, role)
        assert answer.status not in (401, 500), (route, role)


def send(door: Door, route: Route, **headers: str) -> Answer:
    headers |= {"accept": "application/json", "content-type": "application/json", "if-match": '"1"'}
    return door.ask(route.method, route.address, "{}" if route.method == "POST" else None, **headers)


def ask(door: Door, route: Route, query: str = "", **fields: str) -> Answer:
    if route.method == "POST":
        return door.post(route.address, **fields)
    return door.get(route.address + (f"?{query}" if query else ""))
