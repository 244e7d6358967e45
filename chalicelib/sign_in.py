"""Signing in at the desk: OpenID Connect's code flow with PKCE, at whatever issuer is configured.

We are a public client: nothing has to be kept secret, and what proves that a code is ours is made anew for each
sign-in. Source: OpenID Connect Core 1.0, section 3.1; RFC 7636 (PKCE); RFC 9700 (best practice).
"""

import hashlib
import json
import logging
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from http.client import HTTPException
from typing import Any, NamedTuple
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from chalicelib.errors import NotSignedIn
from chalicelib.identity import Identity, IssuerUnavailable, Verifier

log = logging.getLogger("crime-reports")

Post = Callable[[str, Mapping[str, str]], Any]


class Begun(NamedTuple):
    """What a browser keeps between going to the issuer and coming back."""

    state: str
    nonce: str
    verifier: str


def post_form(url: str, form: Mapping[str, str]) -> Any:
    """The JSON answer to a form; the address comes from the issuer's own description."""
    request = Request(url, urlencode(form).encode(), {"Accept": "application/json"})
    with urlopen(request, timeout=5) as answer:
        return json.loads(answer.read(100_000))


class SignIn:
    """Sends people to the issuer and learns who comes back. `audience` is what the issuer calls us."""

    def __init__(self, verifier: Verifier, audience: str, mint: Callable[[], str], post: Post = post_form) -> None:
        self._verifier, self._audience, self._mint, self._post = verifier, audience, mint, post

    def start(self, come_back_to: str) -> tuple[str, Begun]:
        """Where to send somebody, and what their browser has to keep meanwhile. Raises IssuerUnavailable."""
        begun = Begun(self._mint(), self._mint(), self._mint() + self._mint())
        asked = {
            "response_type": "code",
            "client_id": self._audience,
            "redirect_uri": come_back_to,
            "scope": self._scope(),
            "state": begun.state,
            "nonce": begun.nonce,
            "code_challenge": challenge(begun.verifier),
            "code_challenge_method": "S256",
        }
        return _asking(self._about("authorization_endpoint"), asked), begun

    def finish(self, code: str, begun: Begun, come_back_to: str) -> Identity:
        """Who has come back with a code. Raises NotSignedIn if the issuer does not know it, or IssuerUnavailable."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": come_back_to,
            "client_id": self._audience,
            "code_verifier": begun.verifier,
        }
        token = self._token(self._about("token_endpoint"), form)
        return self._verifier.verify_sign_in(token, begun.nonce)

    def goodbye(self, come_back_to: str) -> str | None:
        """Where to end the session at the issuer itself, if it says where. Cognito names the way back its own way."""
        end = self._verifier.about_issuer().get("end_session_endpoint")
        back = {"client_id": self._audience, "post_logout_redirect_uri": come_back_to, "logout_uri": come_back_to}
        return _asking(end, back) if end else None

    def _scope(self) -> str:
        """Some directories name groups only to whoever asks for them, others refuse to be asked."""
        known = self._verifier.about_issuer().get("scopes_supported") or []
        return f"openid profile email{' groups' if 'groups' in known else ''}"

    def _token(self, url: str, form: Mapping[str, str]) -> str:
        try:
            answer = self._post(url, form)
        except (OSError, HTTPException, ValueError) as error:
            status = getattr(error, "code", 0)
            log.warning("the issuer gives no token: %s %s", type(error).__name__, status)
            if 400 <= status < 500:
                raise NotSignedIn("Your sign-in has expired or was used before. Sign in again.") from None
            raise IssuerUnavailable("Try again in a minute.") from None
        token = answer.get("id_token") if isinstance(answer, dict) else None
        if not isinstance(token, str):
            raise NotSignedIn("The issuer did not say who you are. Sign in again.")
        return token

    def _about(self, name: str) -> str:
        endpoint = self._verifier.about_issuer().get(name)
        if not isinstance(endpoint, str):
            raise IssuerUnavailable("Try again in a minute.")
        return endpoint


def _asking(endpoint: str, query: Mapping[str, str]) -> str:
    """An endpoint may have a query of its own, which stays (RFC 6749, section 3.1)."""
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"


def challenge(verifier: str) -> str:
    """What proves later that whoever brings the code is who asked for it (RFC 7636, S256)."""
    return urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
