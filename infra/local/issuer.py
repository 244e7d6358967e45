"""Signs people in on one machine: an OpenID Connect issuer with a key of its own, made anew on each start.

It asks for no password: whoever runs the service here may be anybody. It is no part of what is deployed.
"""

import hashlib
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

ROLES = ("officer", "supervisor", "analyst")
AUDIENCE = "crime-reports-local"
PEOPLE = {
    "Olive Officer": "officer",
    "Oscar Officer": "officer",
    "Sunil Supervisor": "supervisor",
    "Sara Supervisor": "supervisor",
    "Anna Analyst": "analyst",
    "Nora Nobody": "",
}
"""Invented people and their roles; the last has none, to see what that looks like."""
CODE_LASTS = timedelta(seconds=60)
_TEN_YEARS = 10 * 366 * 24 * 60 * 60


class _Code(NamedTuple):
    """What a code was given for."""

    name: str
    role: str
    asked: Mapping[str, str]
    at: datetime


class Issuer:
    """Gives tokens like the force's own directory would; `url` is where the service finds its documents."""

    def __init__(self, url: str, now: Callable[[], datetime]) -> None:
        self._url = url
        self._now = now
        self._key = RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256"}, auto_kid=True)
        self._codes: dict[str, _Code] = {}

    def token(self, role: str, name: str, **more: str) -> str:
        """A token for an invented person; good for ten years, so that it outlives every advance of the clock."""
        issued = int(self._now().timestamp())
        claims = {
            "iss": self._url,
            "aud": AUDIENCE,
            "sub": name,
            "name": name,
            "cognito:groups": [role] if role else [],
            "iat": issued,
            "exp": issued + _TEN_YEARS,
            **more,
        }
        return jwt.encode({"alg": "RS256", "kid": self._key.kid}, claims, self._key)

    def wrong_with(self, asked: Mapping[str, str]) -> str:
        """What is wrong with a request to sign somebody in; no text if nothing is."""
        expected = {"response_type": "code", "client_id": AUDIENCE, "code_challenge_method": "S256"}
        wrong = [name for name, value in expected.items() if asked.get(name) != value]
        wrong += [name for name in ("state", "nonce", "code_challenge") if not asked.get(name)]
        wrong += [] if self.may_go_to(asked.get("redirect_uri", "")) else ["redirect_uri"]
        return ", ".join(wrong)

    def sign_in(self, name: str, role: str, asked: Mapping[str, str]) -> str:
        """Where to send somebody who has signed in as `name`: back, with a code that is good once."""
        code = secrets.token_hex(16)
        self._codes[code] = _Code(name, role, dict(asked), self._now())
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def exchange(self, form: Mapping[str, str]) -> dict[str, Any] | None:
        """The tokens for a code; None if it is not good for whoever brings it."""
        code = self._codes.pop(form.get("code", ""), None)
        if not code or self._now() - code.at > CODE_LASTS or form.get("grant_type") != "authorization_code":
            return None
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        proved = urlsafe_b64encode(digest).decode().rstrip("=")
        if proved != code.asked["code_challenge"] or form.get("client_id") != AUDIENCE:
            return None
        if form.get("redirect_uri") != code.asked["redirect_uri"]:
            return None
        id_token = self.token(code.role, code.name, nonce=code.asked["nonce"])
        return {"token_type": "Bearer", "access_token": self.token(code.role, code.name), "id_token": id_token}

    def configuration(self) -> dict[str, Any]:
        """The document at `/.well-known/openid-configuration`."""
        return {
            "issuer": self._url,
            "authorization_endpoint": f"{self._url}/authorize",
            "token_endpoint": f"{self._url}/token",
            "end_session_endpoint": f"{self._url}/end",
            "jwks_uri": f"{self._url}/.well-known/jwks.json",
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["S256"],
            "subject_types_supported": ["public"],
            "response_types_supported": ["code"],
        }

    def keys(self) -> dict[str, Any]:
        """The document at `jwks_uri`: public keys only."""
        return dict(KeySet([self._key]).as_dict(private=False))

    def may_go_to(self, address: str) -> bool:
        """Whether an address is the desk's: back to this machine, whatever name the browser has for it."""
        try:
            parts = urlsplit(address)
        except ValueError:
            return False
        return parts.scheme == "http" and parts.path.endswith(("/desk/signed-in", "/desk/signed-out"))
