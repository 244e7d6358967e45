"""The door of the desk in this process: the app over a table in memory, a clock to set, a directory that can lie."""

from email.message import Message
from typing import Any, NamedTuple
from urllib.error import HTTPError
from urllib.parse import parse_qs, urlencode, urlsplit

from chalice.config import Config
from chalice.local import LocalGateway
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from chalicelib import wiring
from chalicelib.config import Settings
from chalicelib.identity import Verifier
from chalicelib.report import Actor
from chalicelib.sign_in import SignIn
from tests.fakes import Clock, FakeTable

ISSUER, AUDIENCE = "https://directory.example.com/pool", "crime-reports"
KEY = RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256", "kid": "first"})
FORM = "application/x-www-form-urlencoded"
HOST = "report.example.com"


class Directory:
    """The force's directory. Who signs in is `person`; `lies` are claims that it should not make."""

    def __init__(self, clock: Clock) -> None:
        self.clock, self.key, self.failure = clock, KEY, None
        self.person: dict[str, Any] = {"sub": "u-1", "name": "Olive Officer", "groups": ["officer"]}
        self.lies: dict[str, Any] = {}
        self.about = {"issuer": ISSUER, "jwks_uri": f"{ISSUER}/keys", "authorization_endpoint": f"{ISSUER}/authorize",
                      "token_endpoint": f"{ISSUER}/token", "end_session_endpoint": f"{ISSUER}/end"}  # fmt: skip
        self.fetched: list[str] = []
        self.posted: list[dict[str, str]] = []
        self.codes: dict[str, str] = {}  # with their nonces
        self.failure: Exception | None

    def fetch(self, url: str) -> Any:
        """Its documents."""
        if self.failure:
            raise self.failure
        self.fetched.append(url)
        published = KeySet([self.key]).as_dict(private=False)
        return {f"{ISSUER}/keys": published, f"{ISSUER}/.well-known/openid-configuration": self.about}[url]

    def sign_in(self, url: str) -> dict[str, str]:
        """Somebody types their password: with what they are sent back."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        code = f"code-{len(self.codes)}"
        self.codes[code] = asked["nonce"]
        return {"code": code, "state": asked["state"]}

    def post(self, url: str, form: Any) -> Any:
        """The tokens for a code, which is good once."""
        assert url == f"{ISSUER}/token"
        if self.failure:
            raise self.failure
        self.posted.append(dict(form))
        nonce = self.codes.pop(form["code"], None)
        if nonce is None:
            raise refusal(400)
        return {"token_type": "Bearer", "access_token": "x", "id_token": self.token(nonce=nonce)}

    def token(self, **more: Any) -> str:
        """An identity token; None takes a claim out."""
        now = int(self.clock.now.timestamp())
        claims = {"iss": ISSUER, "aud": AUDIENCE, "iat": now, "exp": now + 900, **self.person, **more, **self.lies}
        said = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode({"alg": "RS256", "kid": KEY.kid}, said, self.key)


def refusal(status: int) -> HTTPError:
    """What urllib raises when the issuer refuses."""
    return HTTPError(f"{ISSUER}/token", status, "refused", Message(), None)


class Answer(NamedTuple):
    """What came of a request."""

    status: int
    headers: dict[str, Any]
    text: str

    @property
    def location(self) -> str:
        return str(self.headers.get("Location", ""))


class Door:
    """The app as it is deployed, over TLS, and one browser with its `cookies`."""

    def __init__(self, app: Any) -> None:
        self.clock, self.table, self.cookies = Clock(), FakeTable(), dict[str, str]()
        self.directory = Directory(self.clock)
        self.service = wiring.build(_SETTINGS, self.clock, settle=lambda: None)
        self.service.table = self.table  # type: ignore[misc, assignment]
        self.service.verifier = Verifier(ISSUER, AUDIENCE, self.clock, self.directory.fetch)  # type: ignore[misc]
        self.service.sign_in = SignIn(self.service.verifier, AUDIENCE, wiring.mint, self.directory.post)  # type: ignore[misc]
        self._gateway = LocalGateway(app, Config())
        wiring.install(self.service)

    def get(self, path: str, **query: str) -> Answer:
        """Open a page; nothing is followed."""
        return self.ask("GET", f"{path}?{urlencode(query)}" if query else path)

    def post(self, path: str, **fields: str) -> Answer:
        """Send a form."""
        return self.ask("POST", path, urlencode(fields))

    def sign_in(self, to: str = "") -> Answer:
        """From the sign-in page through the directory and back."""
        return self.get("/desk/signed-in", **self.directory.sign_in(self.get("/desk/sign-in", to=to).location))

    def has_session(self, *roles: str, name: str = "Olive Officer") -> str:
        """Give this browser a session; gives the form token."""
        cookie = self.service.sessions.begin(Actor(name, name), frozenset(roles))
        self.cookies = {"__Host-desk": cookie}
        return self.token

    @property
    def token(self) -> str:
        """The form token of the session."""
        session = self.service.sessions.find(self.cookies.get("__Host-desk", ""))
        return self.service.passes.give("desk", session.id) if session else ""

    def sessions(self) -> int:
        """How many there are in the table."""
        return sum(pk.startswith("DESK#") for pk, _ in self.table.items)

    def ask(self, method: str, path: str, body: str | None = None, **more: str) -> Answer:
        """Send a request."""
        headers = {"accept": "text/html", "host": HOST, "x-forwarded-proto": "https"}
        headers |= ({} if body is None else {"content-type": FORM}) | more
        headers["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        got = self._gateway.handle_request(method, path, headers, None if body is None else body.encode())
        headers = got.get("headers", {}) | got.get("multiValueHeaders", {})
        answer = Answer(got["statusCode"], headers, got["body"])
        for cookie in set_cookies(answer):
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
            if "Max-Age=0" in cookie:
                del self.cookies[name]
        return answer


def set_cookies(answer: Answer) -> list[str]:
    """The cookies that came."""
    found = answer.headers.get("Set-Cookie", [])
    return [found] if isinstance(found, str) else list(found)


_SETTINGS = Settings.from_environ({
    "REPORTS_TABLE": "x", "TRIAGE_QUEUE_URL": "x", "LETTERS_QUEUE_URL": "x", "EVIDENCE_BUCKET": "x",
    "OIDC_ISSUER": ISSUER, "OIDC_AUDIENCE": AUDIENCE, "FORCE_NAME": "Midshire Police", "FORCE_CODE": "20",
})  # fmt: skip
