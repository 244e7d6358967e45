"""The door of the officers' desk: signing in and out, and what every page of the desk asks first.

A session is in the table; its cookie opens nothing without it. Every form carries a token of the session. See
`docs/adr/0017-sign-in-at-the-desk.md`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial, wraps
from urllib.parse import quote, unquote

from chalice.app import Blueprint, Request, Response

from chalicelib.desk import Officer
from chalicelib.errors import NotSignedIn, NotYourRole, Refused
from chalicelib.handlers.http import (
    FORM,
    JSON,
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
LONGEST_CODE, LONGEST_WAY = 4_000, 500
LISTED = "listed"  # the cookie with the query of the list that was open last: where "Queue" leads back to
_SEAT = "desk"  # the cookie of a session
_BEGUN = "signing-in-"  # with the state after it: one for each tab that is between going to the issuer and coming back
_QUIET = {"token", "version", "confirmed", "do", "id", "to", "how", "reply"}  # fields that nobody typed

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
            seat = seat_of(request)
            if _is_script(request):
                return _for_a_script(request, seat, roles, partial(view, **path))
            if not seat:
                return leads_to_sign_in(request)
            if not seat.session.roles & set(roles):
                return page(pages.problem(place_of(request, seat), NotYourRole.title), NotYourRole.status)
            if request.method != "GET" and not _is_ours(request, seat.session):
                return _turned_away(request, "old", 403, seat)
            try:
                return view(request, seat, **path)
            except Refused as refusal:
                answer = page(pages.problem(place_of(request, seat), refusal.title, refusal.detail), refusal.status)
                answer.headers |= refusal.headers
                return answer

        locked = answering(blueprint)(unlock)
        locked.roles = roles  # type: ignore[attr-defined]
        return locked

    return lock


def seat_of(request: Request) -> Seat | None:
    """Who sits at the desk in this browser; None without a session."""
    session = _session(request)
    return _seat(session) if session else None


def leads_to_sign_in(request: Request) -> Response:
    """For whoever has no session: a page leads to the sign-in and back; what was sent, or asked for by a script, is
    turned away.
    """
    leads_on = request.method == "GET" and _is_somebody(request)
    return _to_sign_in(request) if leads_on else _turned_away(request, "over", 401)


def at_the_door(view: View) -> View:
    """A view for anybody; whoever cannot come in is told how to try again."""

    @wraps(view)
    def answer(request: Request) -> Response:
        try:
            return view(request)
        except Refused as refusal:
            return page(pages.try_again(Place(site_of(request)), refusal.title, refusal.detail), refusal.status)

    return answering(sign_in)(answer)


def place_of(request: Request, seat: Seat) -> Place:
    """Where a page of the desk is, and who sits there."""
    who, listed = seat.officer, unquote(cookie_of(request, LISTED))
    return Place(
        site_of(request),
        who.actor.name,
        who.is_supervisor,
        seat.form_token,
        handles_reports=_handle_reports(seat.session.roles),
        listed=listed if re.fullmatch("[A-Za-z0-9_=&-]{1,300}", listed) else "",
    )


@sign_in.route("/desk/sign-in", methods=["GET"])
@at_the_door
def begin(request: Request) -> Response:
    """On to the issuer."""
    url, begun = service().sign_in.start(_come_back_to(request))
    kept = service().passes.give("sign-in", "\n".join((*begun, _inside(query_of(request).get("to", "")))))
    answer = see_other(url)
    answer.headers["Set-Cookie"] = _cookie(request, _BEGUN + begun.state, quote(kept), ON_THE_WAY)
    return answer


@sign_in.route("/desk/signed-in", methods=["GET"])
@at_the_door
def finish(request: Request) -> Response:
    """Back from the issuer: a new session, if all is as it was begun."""
    state = query_of(request).get("state", "")
    kept = service().passes.read("sign-in", unquote(_cookie_of(request, _BEGUN + state)), ON_THE_WAY)
    if kept and kept.startswith(f"{state}\n"):
        return _finish(request, kept)
    if _session(request):  # "Back" after signing in
        return see_other(f"{base(request)}/desk")
    raise NotSignedIn("This sign-in was begun in another browser, or more than ten minutes ago. Sign in again.")


@sign_in.route("/desk/sign-out", methods=["POST"], content_types=[FORM])
@at_desk(sign_in, "officer", "supervisor", "analyst")
def sign_out(request: Request, seat: Seat) -> Response:
    """End this session, or all of this officer's; then the one at the issuer, or the next person here would be let in
    without being asked. To there by a page, not by a redirect: a form may lead to our own addresses only.
    """
    if dict(pairs_of(request)).get("everywhere") == "yes":
        service().sessions.end_all(seat.session.actor.id)
    service().sessions.end(seat.session)
    goodbye = _goodbye(f"{our_address(request)}/desk/signed-out")
    signed_out = f"{base(request)}/desk/signed-out"
    answer = page(pages.signed_out(Place(site_of(request)), goodbye)) if goodbye else see_other(signed_out)
    answer.headers["Set-Cookie"] = [
        _cookie(request, _SEAT, "", timedelta(0)),
        cookie(request, LISTED, "", "/desk", timedelta(0)),
    ]
    return answer


@sign_in.route("/desk/signed-out", methods=["GET"])
@at_the_door
def signed_out(request: Request) -> Response:
    """Nobody sits here."""
    return page(pages.signed_out(Place(site_of(request))))


def _finish(request: Request, kept: str) -> Response:
    state, nonce, verifier, to = kept.split("\n")
    code = query_of(request).get("code", "")
    if not code:
        raise NotSignedIn("The sign-in was broken off. Sign in again.")
    identity = service().sign_in.finish(code[:LONGEST_CODE], Begun(state, nonce, verifier), _come_back_to(request))
    if not identity.roles:
        raise NotYourRole("You have no role here. Ask whoever looks after your force’s directory, then sign in again.")
    if before := _session(request):  # whoever sat here is gone
        service().sessions.end(before)
    key = service().sessions.begin(identity.actor, identity.roles)
    home = "/desk" if _handle_reports(identity.roles) else "/statistics"
    answer = see_other(f"{base(request)}{home if to in ('', '/desk') else to}")
    done = _cookie(request, _BEGUN + state, "", timedelta(0))
    answer.headers["Set-Cookie"] = [_cookie(request, _SEAT, key, SHIFT), done]
    return answer


def _goodbye(signed_out: str) -> str | None:
    """Where the issuer ends its own session. Ours is ended already, whether the issuer answers or not."""
    try:
        return service().sign_in.goodbye(signed_out)
    except Refused:
        return None


def _session(request: Request) -> Session | None:
    return service().sessions.find(_cookie_of(request, _SEAT), is_use=_is_somebody(request))


def _is_somebody(request: Request) -> bool:
    """Whether a person opens a page or sends a form, and no script of a page renews it: a desk that is left alone in
    view goes idle like any other, and its script begins no sign-in. A browser that does not say so is somebody.
    """
    return bool(request.headers.get("sec-fetch-mode", "navigate") == "navigate")


def _is_script(request: Request) -> bool:
    """Whether a script of a page asks for data, which a browser that opens a page does not."""
    return str(request.headers.get("accept", "")).startswith(JSON)


def _for_a_script(request: Request, seat: Seat | None, roles: tuple[str, ...], view: View) -> Response:
    """The same door; whoever is turned away is told so as a problem document."""
    if not seat:
        raise NotSignedIn("Your session is over. Sign in again.")
    if not seat.session.roles & set(roles):
        raise NotYourRole()
    if request.method != "GET" and not _is_ours(request, seat.session):
        raise NotYourRole("This page is of an earlier session. Reload it.")
    return view(request, seat)


def _seat(session: Session) -> Seat:
    officer = Officer(session.actor, "supervisor" in session.roles)
    return Seat(officer, session, service().passes.give("desk", session.id))


def _handle_reports(roles: frozenset[str]) -> bool:
    return bool(roles & {"officer", "supervisor"})


def _is_ours(request: Request, session: Session) -> bool:
    """Whether a form came from a page of this session, and of no other website."""
    given = dict(pairs_of(request)).get("token", "")
    return service().passes.read("desk", given, SHIFT) == session.id


def _turned_away(request: Request, why: str, status: int, seat: Seat | None = None) -> Response:
    """What was typed is shown again, to whoever has just typed it."""
    typed = [value for name, value in pairs_of(request) if name.partition(".")[0] not in _QUIET and value.strip()]
    place = place_of(request, seat) if seat else Place(site_of(request))
    return page(pages.turned_away(place, why, typed), status)


def _to_sign_in(request: Request) -> Response:
    path = request.context.get("path", "/desk").removeprefix(base(request))
    query = "&".join(f"{quote(name)}={quote(value)}" for name, value in query_of(request).items())
    to = quote(f"{path}?{query}" if query else path, safe="")
    return see_other(f"{base(request)}/desk/sign-in?to={to}")


def _inside(to: str) -> str:
    """Where to go on to once signed in: a page of the desk or of the figures, and nowhere else."""
    is_inside = re.match("/(desk|statistics)([?/]|$)", to) and not to.startswith("/desk/sign")
    is_plain = to.isascii() and to.isprintable() and not set(to) & set("\\ \"'<>") and ".." not in unquote(to)
    return to if is_inside and is_plain and len(to) < LONGEST_WAY else ""


def _come_back_to(request: Request) -> str:
    return f"{our_address(request)}/desk/signed-in"


def _is_over_tls(request: Request) -> bool:
    return request.headers.get("x-forwarded-proto") == "https"


def _cookie_of(request: Request, name: str) -> str:
    return cookie_of(request, f"__Host-{name}" if _is_over_tls(request) else name)


def _cookie(request: Request, name: str, value: str, lasting: timedelta) -> str:
    """Over TLS the name itself forbids other hosts and plain HTTP to set it, and a path other than the whole host's."""
    before, after = ("__Host-", "; Secure") if _is_over_tls(request) else ("", "")
    seconds = int(lasting.total_seconds())
    return f"{before}{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{after}"
