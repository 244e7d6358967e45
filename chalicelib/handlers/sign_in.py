"""The door of the officers' desk: signing in and out, and what every page of the desk asks first.

A session is in the table; its cookie opens nothing without it. Every form carries a token of the session. See
`docs/adr/0017-sign-in-at-the-desk.md`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import wraps
from urllib.parse import quote, unquote

from chalice.app import Blueprint, Request, Response

from chalicelib.desk import Officer
from chalicelib.errors import NotSignedIn, NotYourRole, Refused
from chalicelib.handlers.http import (
    FORM,
    answering,
    base,
    cookie,
    cookie_of,
    page,
    pairs_of,
    query_of,
    see_other,
    site_of,
)
from chalicelib.handlers.opening import our_address
from chalicelib.pages import sign_in as pages
from chalicelib.pages.desk_place import Place
from chalicelib.sessions import SHIFT, Session
from chalicelib.sign_in import Begun
from chalicelib.wiring import service

sign_in = Blueprint(__name__)

ON_THE_WAY = timedelta(minutes=10)
_BEGUN = "signing-in"  # the cookie between going to the issuer and coming back
_QUIET = {"token", "version", "confirmed"}  # fields that nobody typed

View = Callable[..., Response]


@dataclass(frozen=True)
class Seat:
    """An officer at the desk, and the token that the forms of the session carry."""

    officer: Officer
    session: Session
    form_token: str


def at_desk(blueprint: Blueprint, *roles: str) -> Callable[[View], View]:
    """A view for people with a session and one of `roles`; it gets the seat after the request. A change needs the token
    of the session. Whoever is turned away finds what they had typed.
    """

    def lock(view: View) -> View:
        @wraps(view)
        def unlock(request: Request, **path: str) -> Response:
            session = service().sessions.find(cookie_of(request, _name(request)))
            if not session:
                return _to_sign_in(request) if request.method == "GET" else _turned_away(request, "over", 401)
            seat = _seat(session)
            if not session.roles & set(roles):
                return page(pages.problem(_place(request, seat), 403, "Your role does not allow this"), 403)
            if request.method != "GET" and not _is_ours(request, session):
                return _turned_away(request, "old", 403, seat)
            try:
                return view(request, seat, **path)
            except Refused as refusal:
                html = pages.problem(_place(request, seat), refusal.status, refusal.title, refusal.detail)
                return page(html, refusal.status)

        locked = answering(blueprint)(unlock)
        locked.roles = roles  # type: ignore[attr-defined]
        return locked

    return lock


@sign_in.route("/desk/sign-in", methods=["GET"])
@answering(sign_in)
def begin(request: Request) -> Response:
    """On to the issuer."""
    url, begun = service().sign_in.start(_come_back_to(request))
    kept = service().passes.give("sign-in", "\n".join((*begun, _inside(query_of(request).get("to", "")))))
    answer = see_other(url)
    answer.headers["Set-Cookie"] = cookie(request, _BEGUN, quote(kept), "/desk/signed-in", ON_THE_WAY)
    return answer


@sign_in.route("/desk/signed-in", methods=["GET"])
@answering(sign_in)
def finish(request: Request) -> Response:
    """Back from the issuer: a new session, if all is as it was begun."""
    try:
        return _finish(request)
    except (NotSignedIn, NotYourRole) as refusal:
        place = Place(site_of(request))
        return page(pages.try_again(place, refusal.title, refusal.detail), refusal.status)


@sign_in.route("/desk/sign-out", methods=["POST"], content_types=[FORM])
@at_desk(sign_in, "officer", "supervisor", "analyst")
def sign_out(request: Request, seat: Seat) -> Response:
    """End this session, or all of this officer's, and the one at the issuer."""
    if dict(pairs_of(request)).get("everywhere") == "yes":
        service().sessions.end_all(seat.session.actor.id)
    service().sessions.end(seat.session)
    signed_out = f"{our_address(request)}/desk/signed-out"
    answer = see_other(service().sign_in.goodbye(signed_out) or signed_out)
    answer.headers["Set-Cookie"] = _session_cookie(request, "", timedelta(0))
    return answer


@sign_in.route("/desk/signed-out", methods=["GET"])
@answering(sign_in)
def signed_out(request: Request) -> Response:
    """Nobody sits here."""
    return page(pages.signed_out(Place(site_of(request))))


def _finish(request: Request) -> Response:
    query = query_of(request)
    kept = service().passes.read("sign-in", unquote(cookie_of(request, _BEGUN)), ON_THE_WAY)
    state, nonce, verifier, to = kept.split("\n") if kept else ("", "", "", "")
    if not kept or query.get("state") != state:
        raise NotSignedIn("This sign-in was begun elsewhere, or too long ago. Sign in again.")
    if "code" not in query:
        raise NotSignedIn("The sign-in was broken off. Sign in again.")
    identity = service().sign_in.finish(query["code"][:2_000], Begun(state, nonce, verifier), _come_back_to(request))
    if not identity.roles:
        raise NotYourRole("You have no role in this service. Ask a supervisor to give you one, then sign in again.")
    answer = see_other(f"{base(request)}{to or '/desk'}")
    key = service().sessions.begin(identity.actor, identity.roles)
    answer.headers["Set-Cookie"] = [
        _session_cookie(request, key, SHIFT),
        cookie(request, _BEGUN, "", "/desk/signed-in", timedelta(0)),
    ]
    return answer


def _seat(session: Session) -> Seat:
    officer = Officer(session.actor, "supervisor" in session.roles)
    return Seat(officer, session, service().passes.give("desk", session.id))


def _is_ours(request: Request, session: Session) -> bool:
    """Whether a form came from a page of this session, and of no other website."""
    given = dict(pairs_of(request)).get("token", "")
    return service().passes.read("desk", given, SHIFT) == session.id


def _place(request: Request, seat: Seat) -> Place:
    return Place(site_of(request), seat.officer.actor.name, seat.officer.is_supervisor, seat.form_token)


def _turned_away(request: Request, why: str, status: int, seat: Seat | None = None) -> Response:
    """What was typed is shown again, to whoever has just typed it."""
    typed = [value for name, value in pairs_of(request) if name not in _QUIET and value.strip()]
    place = _place(request, seat) if seat else Place(site_of(request))
    return page(pages.turned_away(place, why, typed), status)


def _to_sign_in(request: Request) -> Response:
    path = request.context.get("path", "/desk").removeprefix(base(request))
    query = "&".join(f"{quote(name)}={quote(value)}" for name, value in query_of(request).items())
    to = quote(f"{path}?{query}" if query else path, safe="")
    return see_other(f"{base(request)}/desk/sign-in?to={to}")


def _inside(to: str) -> str:
    """Where to go on to once signed in: a page of the desk, and nowhere else."""
    is_inside = to == "/desk" or to.startswith(("/desk?", "/desk/"))
    is_plain = to.isascii() and to.isprintable() and not set(to) & set("\\ \"'<>") and ".." not in to
    return to if is_inside and is_plain and len(to) < 500 else ""


def _come_back_to(request: Request) -> str:
    return f"{our_address(request)}/desk/signed-in"


def _name(request: Request) -> str:
    """Over TLS the name itself forbids other hosts and plain HTTP to set it."""
    return "__Host-desk" if request.headers.get("x-forwarded-proto") == "https" else "desk"


def _session_cookie(request: Request, value: str, lasting: timedelta) -> str:
    safely = "; Secure" if _name(request).startswith("__Host-") else ""
    seconds = int(lasting.total_seconds())
    return f"{_name(request)}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{safely}"
