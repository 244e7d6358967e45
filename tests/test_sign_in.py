"""Signing in at the desk: who comes in, who does not and is told what to do, and where they are sent."""

import base64
import json
import logging
from collections.abc import Iterator
from datetime import timedelta
from http.client import IncompleteRead
from typing import Any
from urllib.error import URLError
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from door import AUDIENCE, HOST, ISSUER, Directory, Door, refusal, set_cookies
from joserfc.jwk import RSAKey

from chalicelib import wiring
from chalicelib.errors import NotSignedIn
from chalicelib.identity import IssuerUnavailable, Verifier
from chalicelib.sign_in import Begun, SignIn, challenge
from tests.fakes import Clock

BACK = f"http://{HOST}/desk/signed-in"
OTHER_KEY = RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256", "kid": "second"})
BEGUN = Begun("a-state", "a-nonce", "v" * 64)


@pytest.fixture
def directory() -> Directory:
    return Directory(Clock())


@pytest.fixture
def desk(directory: Directory) -> SignIn:
    verifier = Verifier(ISSUER, AUDIENCE, directory.clock, directory.fetch)
    return SignIn(verifier, AUDIENCE, wiring.mint, directory.post)


@pytest.fixture
def door(app_module: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Door]:
    monkeypatch.setattr(wiring, "_installed", None)
    yield Door(app_module.app)


def query(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query, strict_parsing=True).items()}


# The flow itself


def test_the_issuer_is_asked_for_a_code_and_told_how_it_will_be_proved(desk: SignIn) -> None:
    url, begun = desk.start(BACK)
    assert url.startswith(f"{ISSUER}/authorize?")
    assert query(url) == {
        "response_type": "code", "client_id": AUDIENCE, "redirect_uri": BACK, "scope": "openid profile email",
        "state": begun.state, "nonce": begun.nonce, "code_challenge": challenge(begun.verifier),
        "code_challenge_method": "S256",
    }  # fmt: skip
    assert 43 <= len(begun.verifier) <= 128 and begun.verifier not in url


def test_the_challenge_is_the_one_of_the_rfc() -> None:
    assert challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_no_two_sign_ins_have_anything_in_common(desk: SignIn) -> None:
    secrets = [secret for _ in range(20) for secret in desk.start(BACK)[1]]
    assert len(set(secrets)) == 60 and min(map(len, secrets)) >= 32


def test_groups_are_asked_for_where_the_issuer_knows_them(desk: SignIn, directory: Directory) -> None:
    directory.about["scopes_supported"] = ["openid", "groups"]
    assert query(desk.start(BACK)[0])["scope"] == "openid profile email groups"


def test_a_query_of_the_issuers_own_stays(desk: SignIn, directory: Directory) -> None:
    directory.about |= {"authorization_endpoint": f"{ISSUER}/a?policy=1", "end_session_endpoint": f"{ISSUER}/e?p=2"}
    assert query(desk.start(BACK)[0])["policy"] == "1"
    assert query(desk.goodbye("https://x/") or "") == {
        "p": "2", "client_id": AUDIENCE, "post_logout_redirect_uri": "https://x/", "logout_uri": "https://x/"
    }  # fmt: skip


def test_the_code_is_exchanged_with_its_proof_and_without_a_secret(desk: SignIn, directory: Directory) -> None:
    directory.codes["c"] = BEGUN.nonce
    identity = desk.finish("c", BEGUN, BACK)
    assert (identity.actor.id, identity.actor.name, identity.roles) == ("u-1", "Olive Officer", {"officer"})
    assert directory.posted == [{"grant_type": "authorization_code", "code": "c", "redirect_uri": BACK,
                                 "client_id": AUDIENCE, "code_verifier": BEGUN.verifier}]  # fmt: skip


def test_the_issuer_describes_itself_once(desk: SignIn, directory: Directory) -> None:
    for number in range(5):
        desk.start(BACK)
        directory.codes[str(number)] = BEGUN.nonce
        desk.finish(str(number), BEGUN, BACK)
    assert sorted(directory.fetched) == [f"{ISSUER}/.well-known/openid-configuration", f"{ISSUER}/keys"]


@pytest.mark.parametrize(
    ("person", "name"),
    [
        ({"name": "Olive", "cognito:username": "o@example.com"}, "Olive"),
        ({"cognito:username": "o@example.com", "username": "x"}, "o@example.com"),
        ({"username": "o@example.com"}, "o@example.com"),
        ({}, "u-1"),
    ],
)
def test_the_name_is_the_best_there_is(desk: SignIn, directory: Directory, person: dict[str, str], name: str) -> None:
    directory.person, directory.codes["c"] = {"sub": "u-1", **person}, BEGUN.nonce
    assert desk.finish("c", BEGUN, BACK).actor.name == name


@pytest.mark.parametrize(
    "good",
    [{"aud": [AUDIENCE]}, {"azp": AUDIENCE}, {"token_use": "id"}, {"groups": None, "cognito:groups": ["officer"]}],
)
def test_tokens_that_are_good_too(desk: SignIn, directory: Directory, good: dict[str, Any]) -> None:
    directory.lies, directory.codes["c"] = good, BEGUN.nonce
    assert desk.finish("c", BEGUN, BACK).roles == {"officer"}


@pytest.mark.parametrize(
    "lies",
    [
        {"nonce": "another"}, {"nonce": None}, {"nonce": ""}, {"nonce": ["a-nonce"]}, {"nonce": "é"},
        {"aud": "another"}, {"aud": None}, {"aud": []}, {"aud": [AUDIENCE, "another"]}, {"aud": {"a": AUDIENCE}},
        {"aud": None, "client_id": AUDIENCE, "token_use": "access"}, {"token_use": "access"},
        {"azp": "another"}, {"azp": None, "aud": [AUDIENCE, AUDIENCE]}, {"azp": [AUDIENCE]},
        {"iss": "https://evil.example.com"}, {"iss": f"{ISSUER}/"}, {"iss": None},
        {"exp": 1}, {"exp": None}, {"exp": "later"}, {"nbf": 99_999_999_999},
        {"sub": None}, {"sub": "24-hour rule"}, {"sub": "triage"}, {"sub": "public"},
    ],
    ids=str,
)  # fmt: skip
def test_a_token_about_something_else_lets_nobody_in(desk: SignIn, directory: Directory, lies: dict[str, Any]) -> None:
    directory.lies, directory.codes["c"] = lies, BEGUN.nonce
    with pytest.raises(NotSignedIn):
        desk.finish("c", BEGUN, BACK)


def part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def test_a_token_that_nobody_signed_lets_nobody_in(directory: Directory) -> None:
    _, claims, signature = directory.token(nonce=BEGUN.nonce).split(".")
    other = Directory(directory.clock)
    other.key = OTHER_KEY
    forged = [f"{part({'alg': alg})}.{claims}.{kept}" for alg in ("none", "None", "HS256") for kept in ("", signature)]
    forged += [other.token(nonce=BEGUN.nonce), "", "x", "x.y.z", "ä.b.c"]
    for token in forged:
        verifier = Verifier(ISSUER, AUDIENCE, directory.clock, directory.fetch)
        desk = SignIn(verifier, AUDIENCE, wiring.mint, lambda url, form, token=token: {"id_token": token})
        with pytest.raises(NotSignedIn):
            desk.finish("c", BEGUN, BACK)


@pytest.mark.parametrize("answer", [{}, {"access_token": "x"}, {"id_token": None}, {"id_token": ["x"]}, [], None, "x"])
def test_an_answer_without_a_token_lets_nobody_in(directory: Directory, answer: Any) -> None:
    verifier = Verifier(ISSUER, AUDIENCE, directory.clock, directory.fetch)
    with pytest.raises(NotSignedIn):
        SignIn(verifier, AUDIENCE, wiring.mint, lambda url, form: answer).finish("c", BEGUN, BACK)


DOWN = [URLError("no route"), TimeoutError(), ConnectionResetError(), IncompleteRead(b""), ValueError("no JSON"),
        refusal(500), refusal(503)]  # fmt: skip


@pytest.mark.parametrize("failure", DOWN, ids=repr)
def test_an_issuer_that_is_down_is_said_to_be_and_no_code_is_in_the_log(
    desk: SignIn, directory: Directory, failure: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    desk.start(BACK)
    directory.failure = failure
    with caplog.at_level(logging.DEBUG), pytest.raises(IssuerUnavailable) as refused:
        desk.finish("the-code", BEGUN, BACK)
    assert refused.value.status == 503 and refused.value.__cause__ is None
    assert len(caplog.records) == 1 and "no token" in caplog.text
    assert not [word for word in ("the-code", *BEGUN) if word in caplog.text or word in str(refused.value.args)]


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_code_that_the_issuer_refuses_lets_nobody_in(desk: SignIn, directory: Directory, status: int) -> None:
    desk.start(BACK)
    directory.failure = refusal(status)
    with pytest.raises(NotSignedIn):
        desk.finish("c", BEGUN, BACK)


@pytest.mark.parametrize(
    "about",
    [{"issuer": "https://evil.example.com"}, {"issuer": None}, {"authorization_endpoint": None}, {"jwks_uri": None}],
    ids=str,
)
def test_a_description_that_is_not_the_issuers_own_is_not_followed(directory: Directory, about: dict[str, Any]) -> None:
    directory.about |= about
    verifier = Verifier(ISSUER, AUDIENCE, directory.clock, directory.fetch)
    with pytest.raises(IssuerUnavailable):
        SignIn(verifier, AUDIENCE, wiring.mint, directory.post).start(BACK)


# Through the app, over TLS


def test_somebody_signs_in_and_goes_on_to_where_they_wanted(door: Door) -> None:
    asked = door.get("/desk/reports/7K3M-9QWP-R2T8", done="note")
    assert asked.status == 303
    to = query(asked.location)["to"]
    begun = door.get("/desk/sign-in", to=to)
    assert query(begun.location)["redirect_uri"].endswith("/desk/signed-in")
    answer = door.get("/desk/signed-in", **door.directory.sign_in(begun.location))
    assert (answer.status, answer.location) == (303, "/desk/reports/7K3M-9QWP-R2T8?done=note")
    assert list(door.cookies) == ["__Host-desk"]
    assert "Olive Officer" in door.get("/desk").text


def test_the_cookies_are_for_this_host_alone(door: Door) -> None:
    begun = door.get("/desk/sign-in")
    (before,) = set_cookies(begun)
    after, gone = set_cookies(door.get("/desk/signed-in", **door.directory.sign_in(begun.location)))
    for cookie, name, seconds in ((before, "__Host-signing-in-", 600), (after, "__Host-desk=", 36_000)):
        said = cookie.split("; ")
        assert said[0].startswith(name)
        assert sorted(said[1:]) == ["HttpOnly", f"Max-Age={seconds}", "Path=/", "SameSite=Lax", "Secure"]
    assert gone.partition("=")[0] == before.partition("=")[0] and "Max-Age=0" in gone


def test_what_the_browser_keeps_meanwhile_is_no_use_elsewhere(door: Door) -> None:
    """The state in the address and the cookie belong together: neither opens anything alone, or with another."""
    first, second = door.get("/desk/sign-in"), door.get("/desk/sign-in")
    back = door.directory.sign_in(first.location)
    kept = dict(door.cookies)
    mine, other = (f"__Host-signing-in-{query(answer.location)['state']}" for answer in (first, second))
    for cookies in ({}, {other: kept[other]}, {mine: kept[other]}, {mine: kept[mine][:-1]}, {mine: "x"}, {mine: ""}):
        door.cookies = dict(cookies)
        expect_turned_away(door, **back)
    door.cookies = kept
    for state in ("", "x", query(second.location)["state"][:-1], "é", "\n"):
        expect_turned_away(door, code=back["code"], state=state)
    assert not door.directory.posted
    assert door.get("/desk/signed-in", **back).status == 303


def expect_turned_away(door: Door, status: int = 401, **query: str) -> None:
    """A page with a way in, and no session."""
    answer = door.get("/desk/signed-in", **query)
    assert answer.status == status and 'href="/desk/sign-in"' in answer.text and "Sign in" in answer.text
    assert door.sessions() == 0 and "__Host-desk" not in door.cookies


def test_a_sign_in_that_takes_too_long_is_begun_again(door: Door) -> None:
    back = door.directory.sign_in(door.get("/desk/sign-in").location)
    door.clock.now += timedelta(minutes=10, seconds=1)
    expect_turned_away(door, **back)


def test_two_tabs_sign_in_beside_each_other(door: Door) -> None:
    first, second = door.get("/desk/sign-in", to="/desk?list=mine"), door.get("/desk/sign-in", to="/desk/officers")
    for begun, to in ((second, "/desk/officers"), (first, "/desk?list=mine")):
        assert door.get("/desk/signed-in", **door.directory.sign_in(begun.location)).location == to


def test_a_code_is_good_once(door: Door) -> None:
    begun = door.get("/desk/sign-in")
    back, kept = door.directory.sign_in(begun.location), dict(door.cookies)
    assert door.get("/desk/signed-in", **back).status == 303
    assert door.get("/desk/signed-in", **back).location == "/desk"  # "Back", with a session
    assert (len(door.directory.posted), door.sessions()) == (1, 1)
    door.cookies = kept  # somebody who copied everything the browser had
    answer = door.get("/desk/signed-in", **back)
    assert answer.status == 401 and door.sessions() == 1 and "__Host-desk" not in door.cookies


@pytest.mark.parametrize("error", ["access_denied", "server_error", "<script>", ""])
def test_a_sign_in_that_the_issuer_breaks_off_can_be_begun_again(door: Door, error: str) -> None:
    state = query(door.get("/desk/sign-in").location)["state"]
    expect_turned_away(door, state=state, error=error, error_description="<b>no</b>")
    expect_turned_away(door, error=error)
    assert "<script>" not in door.get("/desk/signed-in", state=state, error=error).text


@pytest.mark.parametrize(
    "lies", [{"nonce": "x"}, {"aud": "x"}, {"exp": 1}, {"iss": "https://evil.example.com"}], ids=str
)
def test_a_lying_directory_lets_nobody_in(door: Door, lies: dict[str, Any]) -> None:
    begun = door.get("/desk/sign-in")
    door.directory.lies = lies
    expect_turned_away(door, **door.directory.sign_in(begun.location))


@pytest.mark.parametrize("groups", [None, [], ["cleaner"], "officer"])
def test_somebody_without_a_role_is_told_so_and_gets_no_session(door: Door, groups: Any) -> None:
    door.directory.person["groups"] = groups
    begun = door.get("/desk/sign-in")
    expect_turned_away(door, 403, **door.directory.sign_in(begun.location))
    assert not [pk for pk, _ in door.table.items if pk == "OFFICERS"]


@pytest.mark.parametrize("failure", DOWN, ids=repr)
def test_an_issuer_that_is_down_is_a_page_that_says_so(door: Door, failure: Exception) -> None:
    door.directory.failure = failure
    answer = door.get("/desk/sign-in")
    assert answer.status == 503 and "Sign-in is not available at the moment" in answer.text
    door.directory.failure = None
    door.clock.advance(minutes=1)
    back = door.directory.sign_in(door.get("/desk/sign-in").location)
    door.directory.failure = failure
    expect_turned_away(door, 503, **back)
    door.directory.failure = None
    assert door.get("/desk/signed-in", **back).status == 303  # nothing was lost


def test_who_is_signed_in_stays_so_while_the_issuer_is_down(door: Door) -> None:
    door.sign_in()
    door.directory.failure = URLError("no route")
    door.clock.advance(minutes=59)
    assert door.get("/desk").status == 200


ELSEWHERE = [
    "//evil.example.com", "/\\evil.example.com", "\\\\evil.example.com", "https://evil.example.com/desk", "///evil",
    "https:evil.example.com", "javascript:alert(1)", "/", "/status", "/deskevil", "/desk.evil.example.com", "desk",
    "/desk/../status", "/desk/%2e%2e/status", "/desk/%2E./status", "/desk/..%2fstatus", "/desk\\..\\status",
    "/desk\n", "/desk\r\nSet-Cookie: x=y", "/desk/\t", "/desk/ x", "/desk/é", '/desk/"><b>', "/desk@evil.example.com",
    "/desk/sign-in", "/desk/sign-in?to=/desk", "/desk/signed-in?code=x", "/desk/signed-out", "/desk?" + "x" * 500,
    " /desk", "/Desk", "",
]  # fmt: skip


@pytest.mark.parametrize("to", ELSEWHERE)
def test_signing_in_leads_nowhere_but_into_the_desk(door: Door, to: str) -> None:
    assert door.sign_in(to).location == "/desk"


@pytest.mark.parametrize(
    "to", ["/desk", "/desk?list=mine&after=1%23x", "/desk/reports/7K3M-9QWP-R2T8", "/desk/found/a_b-c"]
)
def test_signing_in_leads_to_any_page_of_the_desk(door: Door, to: str) -> None:
    assert door.sign_in(to).location == to


def test_nobody_can_fix_a_session_before_somebody_signs_in(door: Door) -> None:
    door.sign_in()
    planted = door.cookies["__Host-desk"]
    door.directory.person = {"sub": "u-2", "name": "Oscar Officer", "groups": ["officer"]}
    door.sign_in()
    assert door.cookies["__Host-desk"] != planted
    door.cookies["__Host-desk"] = planted
    assert "/desk/sign-in" in door.get("/desk").location  # it ended when somebody signed in over it


def test_signing_in_anew_ends_the_session_before(door: Door) -> None:
    door.sign_in()
    door.sign_in()
    assert door.sessions() == 1
    assert door.get("/desk").status == 200


def test_roles_are_those_of_the_sign_in(door: Door) -> None:
    door.directory.person["groups"] = ["supervisor", "cleaner"]
    door.sign_in()
    assert door.get("/desk/officers").status == 200
    door.directory.person["groups"] = ["officer"]
    door.sign_in()
    assert door.get("/desk/officers").status == 403


# Signing out


def test_signing_out_ends_the_session_here_and_at_the_issuer(door: Door) -> None:
    door.sign_in()
    kept = dict(door.cookies)
    answer = door.post("/desk/sign-out", token=door.token)
    signed_out = f"http://{HOST}/desk/signed-out"
    goodbye = f"{ISSUER}/end?client_id={AUDIENCE}&amp;post_logout_redirect_uri={quote(signed_out, safe='')}"
    assert answer.status == 200 and f'<meta http-equiv="refresh" content="0; url={goodbye}' in answer.text
    assert f'href="{goodbye}' in answer.text
    assert door.cookies == {} and door.sessions() == 0
    door.cookies = kept
    assert door.get("/desk").location.startswith("/desk/sign-in")


@pytest.mark.parametrize("down", [True, False])
def test_signing_out_needs_no_issuer(door: Door, down: bool) -> None:
    token = door.has_session("officer")
    if down:
        door.directory.failure = URLError("no route")
    else:
        del door.directory.about["end_session_endpoint"]
    answer = door.post("/desk/sign-out", token=token)
    assert (answer.status, answer.location, door.sessions()) == (303, "/desk/signed-out", 0)
    page = door.get(answer.location)
    assert page.status == 200 and "You are signed out" in page.text and "http-equiv" not in page.text


@pytest.mark.parametrize(("everywhere", "left"), [({}, 2), ({"everywhere": "no"}, 2), ({"everywhere": "yes"}, 1)])
def test_signing_out_everywhere_ends_every_session_of_this_officer(
    door: Door, everywhere: dict[str, str], left: int
) -> None:
    for name in ("Oscar Officer", "Olive Officer", "Olive Officer"):
        door.has_session("officer", name=name)
    door.post("/desk/sign-out", token=door.token, **everywhere)
    assert door.sessions() == left
