"""The directory of one machine: as strict as a real one about codes, and of no use where the service is deployed."""

import json
from base64 import urlsafe_b64decode
from typing import Any

import pytest
from door import Door

from chalicelib import wiring
from chalicelib.errors import NotSignedIn
from chalicelib.identity import Verifier
from chalicelib.sign_in import SignIn
from infra.local.issuer import AUDIENCE, PEOPLE, ROLES, Issuer
from tests.fakes import Clock
from tests.test_sign_in import query

URL = "http://127.0.0.1:8000/dev/issuer"
BACK = "http://127.0.0.1:8000/desk/signed-in"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def issuer(clock: Clock) -> Issuer:
    return Issuer(URL, clock)


def documents(issuer: Issuer, url: str) -> Any:
    return issuer.keys() if url.endswith("jwks.json") else issuer.configuration()


def desk(issuer: Issuer, clock: Clock) -> SignIn:
    verifier = Verifier(URL, AUDIENCE, clock, lambda url: documents(issuer, url))
    return SignIn(verifier, AUDIENCE, wiring.mint, lambda url, form: issuer.exchange(form))


def claims(token: str) -> Any:
    return json.loads(urlsafe_b64decode(token.split(".")[1] + "=="))


@pytest.mark.parametrize(("name", "role"), PEOPLE.items())
def test_each_of_its_people_signs_in_as_themselves(issuer: Issuer, clock: Clock, name: str, role: str) -> None:
    url, begun = desk(issuer, clock).start(BACK)
    code = query(issuer.sign_in(name, role, query(url)))["code"]
    identity = desk(issuer, clock).finish(code, begun, BACK)
    assert (identity.actor.name, identity.roles) == (name, {role} - {""})
    if role:
        assert identity.actor.id == claims(issuer.token(role, name))["sub"]  # at the desk and at the API alike


def test_there_is_somebody_for_every_role_and_two_to_meet_on_one_report() -> None:
    roles = list(PEOPLE.values())
    assert set(roles) == {*ROLES, ""} and roles.count("officer") > 1 and roles.count("supervisor") > 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"client_id": "another"}, {"response_type": "token"}, {"code_challenge_method": "plain"},
        {"code_challenge": ""}, {"state": ""}, {"nonce": ""}, {"redirect_uri": "http://127.0.0.1:8000/status"},
        {"redirect_uri": "javascript:alert(1)//desk/signed-in"}, {"redirect_uri": "http://[/desk/signed-in"},
    ],
    ids=str,
)  # fmt: skip
def test_it_signs_nobody_in_for_something_else(issuer: Issuer, clock: Clock, wrong: dict[str, str]) -> None:
    asked = query(desk(issuer, clock).start(BACK)[0])
    assert issuer.wrong_with(asked) == ""
    assert issuer.wrong_with(asked | wrong) == next(iter(wrong))


def exchanged(issuer: Issuer, clock: Clock, seconds: int = 0, **wrong: str) -> Any:
    url, begun = desk(issuer, clock).start(BACK)
    form = {"grant_type": "authorization_code", "redirect_uri": BACK, "client_id": AUDIENCE,
            "code": query(issuer.sign_in("Olive Officer", "officer", query(url)))["code"],
            "code_verifier": begun.verifier}  # fmt: skip
    clock.advance(seconds=seconds)
    return issuer.exchange(form | wrong), form


def test_a_code_is_good_once_and_for_a_minute(issuer: Issuer, clock: Clock) -> None:
    tokens, form = exchanged(issuer, clock)
    assert tokens and issuer.exchange(form) is None
    assert exchanged(issuer, clock, seconds=60)[0]
    assert exchanged(issuer, clock, seconds=61)[0] is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"code": "x"}, {"code_verifier": "x" * 64}, {"code_verifier": ""}, {"client_id": "x"},
        {"grant_type": "password"},
        {"redirect_uri": "http://localhost:8000/desk/signed-in"},
    ],
    ids=str,
)  # fmt: skip
def test_a_code_is_good_for_whoever_began_it(issuer: Issuer, clock: Clock, wrong: dict[str, str]) -> None:
    tokens, form = exchanged(issuer, clock, **wrong)
    assert tokens is None
    if "code" not in wrong:
        assert issuer.exchange(form) is None  # and it is spent


# Where the service is deployed


def test_no_route_of_the_app_leads_to_it(app_module: Any) -> None:
    assert not [path for path in app_module.app.routes if path.startswith("/dev") or "issuer" in path]


@pytest.mark.parametrize("called", [URL, "https://directory.example.com/pool"])
def test_a_deployed_service_takes_nothing_that_it_signs(
    app_module: Any, monkeypatch: pytest.MonkeyPatch, called: str
) -> None:
    """Neither under its own name nor under that of the force's directory; not as a token, nor at the desk."""
    monkeypatch.setattr(wiring, "_installed", None)
    door = Door(app_module.app)
    forger = Issuer(called, door.clock)
    lies = {"aud": door.directory.token() and "crime-reports", "groups": list(ROLES)}
    token = forger.token("supervisor", "Mallory", **lies)  # type: ignore[arg-type]
    with pytest.raises(NotSignedIn):
        door.service.verifier.verify(f"Bearer {token}")
    begun = door.get("/desk/sign-in")
    nonce = query(begun.location)["nonce"]
    door.directory.token = lambda **_: forger.token("supervisor", "Mallory", nonce=nonce, **lies)  # type: ignore
    answer = door.get("/desk/signed-in", **door.directory.sign_in(begun.location))
    assert (answer.status, door.sessions()) == (401, 0)
