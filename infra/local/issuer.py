"""Signs people in on one machine: an OpenID Connect issuer with a key of its own, made anew on each start."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

ROLES = ("officer", "supervisor", "analyst")
AUDIENCE = "crime-reports-local"
_TEN_YEARS = 10 * 366 * 24 * 60 * 60


class Issuer:
    """Gives tokens like the force's own directory would; `url` is where the service finds its documents."""

    def __init__(self, url: str, now: Callable[[], datetime]) -> None:
        self._url = url
        self._now = now
        self._key = RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256"}, auto_kid=True)

    def token(self, role: str, name: str) -> str:
        """A token for an invented person; good for ten years, so that it outlives every advance of the clock."""
        issued = int(self._now().timestamp())
        claims = {
            "iss": self._url,
            "aud": AUDIENCE,
            "sub": name,
            "name": name,
            "cognito:groups": [role],
            "iat": issued,
            "exp": issued + _TEN_YEARS,
        }
        return jwt.encode({"alg": "RS256", "kid": self._key.kid}, claims, self._key)

    def configuration(self) -> dict[str, Any]:
        """The document at `/.well-known/openid-configuration`."""
        return {
            "issuer": self._url,
            "jwks_uri": f"{self._url}/.well-known/jwks.json",
            "id_token_signing_alg_values_supported": ["RS256"],
            "subject_types_supported": ["public"],
            "response_types_supported": ["id_token"],
        }

    def keys(self) -> dict[str, Any]:
        """The document at `jwks_uri`: public keys only."""
        return dict(KeySet([self._key]).as_dict(private=False))
