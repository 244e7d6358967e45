"""Who calls: officers' tokens, really verified, in the same way on one machine and on AWS.

A token is a JWT of the configured OpenID Connect issuer: RS256 by a key the issuer publishes, for our audience, not
expired. Roles are its groups. See `docs/adr/0006-sign-in.md` for why this is not an authorizer of API Gateway.
"""

import hmac
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from http.client import HTTPException
from threading import Lock
from typing import Any
from urllib.request import urlopen

from chalicelib.errors import NotSignedIn, Refused
from chalicelib.report import PUBLIC, RULE, TRIAGE, Actor

log = logging.getLogger("crime-reports")

OURSELVES = {actor.id for actor in (PUBLIC, TRIAGE, RULE)}  # nobody signs in as one of these
ROLES = frozenset({"officer", "supervisor", "analyst"})
ASK_AGAIN_AFTER = timedelta(seconds=10)  # an unknown key makes us ask the issuer, but not for every forged token
KEYS_KEPT = timedelta(minutes=10)  # a withdrawn key is not trusted for longer, unless the issuer is down
LONGEST_TOKEN = 8_192


class IssuerUnavailable(Refused):
    """The issuer's keys cannot be had."""

    status = 503
    title = "Sign-in is not available at the moment"


@dataclass(frozen=True)
class Identity:
    """Somebody who signed in. `roles` are those of ours among the token's groups."""

    actor: Actor
    roles: frozenset[str]


def fetch_json(url: str) -> Any:
    """The document at `url`, which comes from our own configuration or the issuer's."""
    with urlopen(url, timeout=5) as answer:
        return json.loads(answer.read(1_000_000))


class Verifier:
    """Verifies tokens of one issuer for one audience, by the service's clock."""

    def __init__(
        self, issuer: str, audience: str, clock: Callable[[], datetime], fetch: Callable[[str], Any] = fetch_json
    ) -> None:
        self._issuer, self._audience, self._clock, self._fetch = issuer, audience, clock, fetch
        self._keys: Any = None
        self._about: Mapping[str, Any] = {}
        self._asked_at: datetime | None = None
        self._asking = Lock()  # one machine serves several requests at once

    def verify(self, authorization: str | None) -> Identity:
        """Who the `Authorization` header says is calling. Raises NotSignedIn, saying what is wrong with the token."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip() or len(token) > LONGEST_TOKEN:
            raise _not_signed_in("Send your token as “Authorization: Bearer …”.")
        claims = self._claims(token.strip())
        if not self._is_for_us(claims):
            raise _not_signed_in("The token was made for another service. Sign in again.")
        return _identity(claims)

    def verify_sign_in(self, token: str, nonce: str) -> Identity:
        """Who an ID token is about, that was issued for us and for the sign-in with this `nonce`."""
        claims = self._claims(token)
        audience, party = claims.get("aud"), claims.get("azp", self._audience)
        is_ours = audience in (self._audience, [self._audience]) and party == self._audience
        is_this = hmac.compare_digest(str(claims.get("nonce", "")).encode(errors="replace"), nonce.encode())
        if not is_ours or not is_this or claims.get("token_use", "id") != "id":
            raise _not_signed_in("The token was made for another sign-in. Sign in again.")
        return _identity(claims)

    def about_issuer(self) -> Mapping[str, Any]:
        """The issuer's own description, as it was when its keys were last asked for."""
        if not self._about or self._age() > KEYS_KEPT:
            self._ask_for_keys()
        if not self._about:
            raise IssuerUnavailable("Try again in a minute.")
        return self._about

    def _claims(self, token: str) -> Mapping[str, Any]:
        from joserfc import jwt
        from joserfc.errors import JoseError

        rules = jwt.JWTClaimsRegistry(
            now=int(self._clock().timestamp()), leeway=30,
            iss={"essential": True, "value": self._issuer}, exp={"essential": True}, sub={"essential": True},
        )  # fmt: skip
        try:
            claims = self._decode(token)
            rules.validate(claims)
        except (JoseError, ValueError, TypeError):
            raise _not_signed_in("The token is not valid, or it has expired. Sign in again.") from None
        return claims

    def _is_for_us(self, claims: Mapping[str, Any]) -> bool:
        """Cognito names the audience of an access token `client_id`, everybody else `aud`."""
        audience = claims.get("aud")
        if audience is None:
            return claims.get("token_use") == "access" and claims.get("client_id") == self._audience
        return audience == self._audience or (isinstance(audience, list) and self._audience in audience)

    def _decode(self, token: str) -> dict[str, Any]:
        from joserfc import jwt
        from joserfc.errors import JoseError

        if self._keys is None or self._age() > KEYS_KEPT:
            self._ask_for_keys()
        if self._keys is None:
            raise IssuerUnavailable("Try again in a minute.")
        try:
            return jwt.decode(token, self._keys, algorithms=["RS256"]).claims
        except JoseError:
            before = self._keys
            self._ask_for_keys()  # perhaps a new key signed it
            if self._keys is before:
                raise
        return jwt.decode(token, self._keys, algorithms=["RS256"]).claims

    def _age(self) -> timedelta:
        return self._clock() - self._asked_at if self._asked_at else timedelta.max

    def _ask_for_keys(self) -> None:
        """Renew the keys, unless we asked a moment ago. What we have stays if the issuer does not answer."""
        with self._asking:
            if self._age() < ASK_AGAIN_AFTER:
                return
            self._asked_at = self._clock()
            try:
                self._keys = self._published_keys()
            except (OSError, HTTPException, ValueError, KeyError, TypeError) as error:
                log.warning("the issuer's keys cannot be had: %s", type(error).__name__)

    def _published_keys(self) -> Any:
        from joserfc.jwk import KeySet

        about = self._fetch(f"{self._issuer}/.well-known/openid-configuration")
        if about["issuer"] != self._issuer:
            raise ValueError("the document is another issuer's")
        keys = KeySet.import_key_set(self._fetch(about["jwks_uri"]))
        self._about = about
        return keys


def _identity(claims: Mapping[str, Any]) -> Identity:
    groups = claims.get("cognito:groups", claims.get("groups", []))
    roles = ROLES & {group for group in groups if isinstance(group, str)} if isinstance(groups, list) else set()
    name = claims.get("name") or claims.get("cognito:username") or claims.get("username") or claims["sub"]
    if claims["sub"] in OURSELVES:
        raise _not_signed_in("This name is the service's own.")
    return Identity(Actor(str(claims["sub"]), str(name)), frozenset(roles))


def _not_signed_in(detail: str) -> NotSignedIn:
    refusal = NotSignedIn(detail)
    refusal.headers["WWW-Authenticate"] = "Bearer"
    return refusal
