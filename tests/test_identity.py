"""Tokens: whom the verifier lets in, and how it keeps up with the issuer's keys."""

import base64
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from chalicelib.errors import NotSignedIn
from chalicelib.identity import Identity, IssuerUnavailable, Verifier

ISSUER, AUDIENCE = "https://sign-in.example.com/pool", "crime-reports"
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
KEY = RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256", "kid": "first"})
OTHER_KEY = RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256", "kid": "second"})


class FakeIssuer:
    """Publishes `keys`, unless it is down; counts how often it was asked for them."""

    def __init__(self, *keys: RSAKey) -> None:
        self.keys, self.asked = list(keys), 0
        self.failure: Exception | None = None

    def fetch(self, url: str) -> Any:
        if self.failure:
            raise self.failure
        if url == f"{ISSUER}/.well-known/openid-configuration":
            return {"issuer": ISSUER, "jwks_uri": f"{ISSUER}/keys"}
        assert url == f"{ISSUER}/keys"
        self.asked += 1
        return KeySet(self.keys).as_dict(private=False)  # type: ignore[arg-type]


class Clock:
    """Says what it is set to."""

    now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def issuer() -> FakeIssuer:
    return FakeIssuer(KEY)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def verifier(issuer: FakeIssuer, clock: Clock) -> Verifier:
    return Verifier(ISSUER, AUDIENCE, clock, issuer.fetch)


def claims(**changes: Any) -> dict[str, Any]:
    """The claims of a good token; None takes one out."""
    now = int(NOW.timestamp())
    good = {"iss": ISSUER, "aud": AUDIENCE, "sub": "u-1", "name": "Olive Officer", "groups": ["officer"]}
    said = good | {"iat": now, "exp": now + 3600} | changes
    return {name: value for name, value in said.items() if value is not None}


def bearer(key: RSAKey = KEY, header: dict[str, Any] | None = None, **changes: Any) -> str:
    """An `Authorization` header."""
    return "Bearer " + jwt.encode({"alg": "RS256", "kid": key.kid} | (header or {}), claims(**changes), key)


def part(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


def seconds(offset: int) -> int:
    return int(NOW.timestamp()) + offset


# ---- who comes in


def test_good_token_says_who_calls(verifier: Verifier) -> None:
    identity = verifier.verify(bearer())
    assert (identity.actor.id, identity.actor.name, identity.roles) == ("u-1", "Olive Officer", {"officer"})


@pytest.mark.parametrize(
    ("changes", "roles"),
    [
        ({"groups": ["officer", "supervisor"]}, {"officer", "supervisor"}),
        ({"groups": ["analyst", "cleaner"]}, {"analyst"}),
        ({"groups": None, "cognito:groups": ["supervisor"]}, {"supervisor"}),
        ({"groups": None}, set()),
        ({"groups": []}, set()),
        ({"groups": "supervisor"}, set()),
        ({"groups": {"supervisor": True}}, set()),
        ({"groups": [["supervisor"], 7]}, set()),
        ({"groups": ["Supervisor", "supervisor "]}, set()),
    ],
)
def test_roles_are_the_groups_we_know(verifier: Verifier, changes: dict[str, Any], roles: set[str]) -> None:
    assert verifier.verify(bearer(**changes)).roles == roles


@pytest.mark.parametrize(
    ("changes", "name"),
    [({}, "Olive Officer"), ({"name": None, "username": "olive"}, "olive"), ({"name": None}, "u-1")],
)
def test_name_is_the_best_there_is(verifier: Verifier, changes: dict[str, Any], name: str) -> None:
    assert verifier.verify(bearer(**changes)).actor.name == name


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": [AUDIENCE, "another"]},
        {"aud": None, "token_use": "access", "client_id": AUDIENCE},
        {"exp": 1e300},  # far away, and signed by the issuer
        {"exp": seconds(-20)},  # clocks differ by some seconds
        {"nbf": seconds(20)},
    ],
)
def test_tokens_that_are_good_too(verifier: Verifier, changes: dict[str, Any]) -> None:
    assert verifier.verify(bearer(**changes)).actor.id == "u-1"


@pytest.mark.parametrize("scheme", ["bearer", "BEARER"])
def test_scheme_is_read_in_any_case(verifier: Verifier, scheme: str) -> None:
    assert verifier.verify(bearer().replace("Bearer", scheme)).roles == {"officer"}


# ---- who does not


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": seconds(-3600)},
        {"exp": None},
        {"exp": "tomorrow"},
        {"exp": []},
        {"nbf": seconds(3600)},
        {"iss": "https://sign-in.example.com/another"},
        {"iss": ISSUER + "/"},
        {"iss": [ISSUER]},
        {"iss": None},
        {"sub": None},
        {"sub": "24-hour rule"},
        {"sub": "triage"},
        {"sub": "public"},
        {"aud": "another"},
        {"aud": ["another"]},
        {"aud": []},
        {"aud": {"a": AUDIENCE}},
        {"aud": None},
        {"aud": None, "client_id": AUDIENCE},  # an identity token of Cognito has `aud`
        {"aud": None, "token_use": "id", "client_id": AUDIENCE},
        {"aud": None, "token_use": "access", "client_id": "another"},
    ],
)
def test_token_with_wrong_claims(verifier: Verifier, changes: dict[str, Any]) -> None:
    refuses(verifier, bearer(**changes))


def test_token_expires_by_the_clock_of_the_service(verifier: Verifier, clock: Clock) -> None:
    token = bearer()
    clock.now = NOW + timedelta(minutes=59)
    verifier.verify(token)
    clock.now = NOW + timedelta(minutes=61)
    refuses(verifier, token)


@pytest.mark.parametrize(
    "authorization", [None, "", " ", "Bearer", "Bearer ", "Basic b2xpdmU6b2xpdmU=", "x.y.z", "Bearer " + "x" * 9_000]
)
def test_no_token(verifier: Verifier, issuer: FakeIssuer, authorization: str | None) -> None:
    refuses(verifier, authorization)
    assert issuer.asked == 0


def test_unsigned_token(verifier: Verifier) -> None:
    body = part(json.dumps(claims()).encode())
    for algorithm in ("none", "None", "NONE"):
        refuses(verifier, f"Bearer {part(json.dumps({'alg': algorithm}).encode())}.{body}.")


def test_token_signed_with_the_public_key_as_if_it_were_a_secret(verifier: Verifier) -> None:
    for public in (KEY.as_pem(private=False), json.dumps(KEY.as_dict(private=False)).encode()):
        header = {"alg": "HS256", "kid": KEY.kid}
        unsigned = f"{part(json.dumps(header).encode())}.{part(json.dumps(claims()).encode())}"
        refuses(verifier, f"Bearer {unsigned}.{part(hmac.digest(public, unsigned.encode(), 'sha256'))}")


def test_token_of_somebody_elses_key(verifier: Verifier) -> None:
    refuses(verifier, bearer(OTHER_KEY))
    refuses(verifier, bearer(OTHER_KEY, {"kid": KEY.kid}))


def test_token_that_brings_its_own_key(verifier: Verifier) -> None:
    own = OTHER_KEY.as_dict(private=False)
    refuses(verifier, bearer(OTHER_KEY, {"jwk": own}))
    refuses(verifier, bearer(OTHER_KEY, {"jku": "https://example.org/keys", "kid": "second"}))


def test_token_changed_after_signing(verifier: Verifier) -> None:
    head, _, signature = bearer().split(".")
    refuses(verifier, f"{head}.{part(json.dumps(claims(groups=['supervisor'])).encode())}.{signature}")


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["alg", "kid", "crit", "b64"]), inner),
    max_leaves=6,
).map(lambda value: part(json.dumps(value).encode()))
ANY_PART = ANY_JSON | st.binary(max_size=30).map(part) | st.text(max_size=10)


@given(st.lists(ANY_PART, max_size=6).map(".".join))
def test_whatever_comes_as_a_token_is_refused_and_nothing_else_is_raised(token: str) -> None:
    refuses(Verifier(ISSUER, AUDIENCE, Clock(), FakeIssuer(KEY).fetch), f"Bearer {token}")


def refuses(verifier: Verifier, authorization: str | None) -> None:
    with pytest.raises(NotSignedIn) as refusal:
        verifier.verify(authorization)
    assert refusal.value.headers == {"WWW-Authenticate": "Bearer"}
    assert authorization is None or len(authorization) < 10 or authorization[7:] not in refusal.value.detail


# ---- the issuer's keys


def test_keys_are_fetched_once(verifier: Verifier, issuer: FakeIssuer) -> None:
    assert {verifier.verify(bearer()) for _ in range(20)} == {verifier.verify(bearer())}
    assert issuer.asked == 1


def test_new_key_is_fetched_when_a_token_names_it(verifier: Verifier, issuer: FakeIssuer, clock: Clock) -> None:
    verifier.verify(bearer())
    issuer.keys = [KEY, OTHER_KEY]
    clock.now = NOW + timedelta(seconds=61)
    assert isinstance(verifier.verify(bearer(OTHER_KEY)), Identity)
    assert isinstance(verifier.verify(bearer(KEY)), Identity)
    assert issuer.asked == 2


def test_withdrawn_key_is_forgotten_once_others_are_fetched(
    verifier: Verifier, issuer: FakeIssuer, clock: Clock
) -> None:
    verifier.verify(bearer())
    issuer.keys = [OTHER_KEY]
    clock.now = NOW + timedelta(seconds=61)
    verifier.verify(bearer(OTHER_KEY))
    refuses(verifier, bearer(KEY))


def test_forged_tokens_make_us_ask_now_and_then_at_most(verifier: Verifier, issuer: FakeIssuer, clock: Clock) -> None:
    for second in range(0, 30, 2):
        clock.now = NOW + timedelta(seconds=second)
        refuses(verifier, bearer(OTHER_KEY))
    assert issuer.asked == 3


@pytest.mark.parametrize("failure", [OSError("no route"), ValueError("not JSON"), KeyError("jwks_uri")])
def test_issuer_that_is_down_is_said_to_be_and_tried_again_later(
    verifier: Verifier, issuer: FakeIssuer, clock: Clock, failure: Exception
) -> None:
    issuer.failure = failure
    with pytest.raises(IssuerUnavailable) as refusal:
        verifier.verify(bearer())
    assert refusal.value.status == 503
    issuer.failure = None
    with pytest.raises(IssuerUnavailable):
        verifier.verify(bearer())
    clock.now = NOW + timedelta(minutes=1)
    assert verifier.verify(bearer()).actor.id == "u-1"


def test_withdrawn_key_is_not_trusted_for_long(verifier: Verifier, issuer: FakeIssuer, clock: Clock) -> None:
    verifier.verify(bearer())
    issuer.keys = [OTHER_KEY]
    clock.now = NOW + timedelta(minutes=11)
    refuses(verifier, bearer())


def test_issuer_that_goes_down_later_does_not_shut_anybody_out(
    verifier: Verifier, issuer: FakeIssuer, clock: Clock
) -> None:
    verifier.verify(bearer())
    issuer.failure = OSError("no route")
    clock.now = NOW + timedelta(minutes=5)
    assert verifier.verify(bearer()).actor.id == "u-1"
    refuses(verifier, bearer(OTHER_KEY))
