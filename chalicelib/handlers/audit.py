"""Who did and saw what: the history of a report with its chain verified, and for supervisors what was looked at, and
the proof that everything adds up.
"""

from urllib.parse import quote, unquote

from chalice.app import Blueprint, Request, Response

from chalicelib.errors import NotFound
from chalicelib.handlers.desk import HANDLE_REPORTS, SCRIPTS
from chalicelib.handlers.http import FORM, base, page, query_of, see_other
from chalicelib.handlers.officers import plain_reference
from chalicelib.handlers.sign_in import Seat, at_desk, place_of
from chalicelib.pages import audit as pages
from chalicelib.sessions import Colleague
from chalicelib.wiring import service

audit = Blueprint(__name__)

MOST_ACCESSES = 1_000


@audit.route("/desk/reports/{reference}/history", methods=["GET"])
@at_desk(audit, *HANDLE_REPORTS)
def show_history(request: Request, seat: Seat, reference: str) -> Response:
    """Every entry with what ties it to the one before; for supervisors, who has seen the report."""
    plain = plain_reference(reference)
    report = service().desk.read(seat.officer, plain)
    seen = service().desk.accesses_of_report(seat.officer, plain) if seat.officer.is_supervisor else None
    return page(pages.history(place_of(request, seat), report, seen))


@audit.route("/desk/officers", methods=["GET"])
@at_desk(audit, "supervisor")
def show_officers(request: Request, seat: Seat) -> Response:
    """Everybody who has signed in of late."""
    return page(pages.officers(place_of(request, seat), service().sessions.colleagues()))


@audit.route("/desk/officers/{officer}", methods=["GET"])
@at_desk(audit, "supervisor")
def show_officer(request: Request, seat: Seat, officer: str) -> Response:
    """What an officer holds, and has looked at."""
    colleague = _colleague(officer)
    held = [head for _, head in service().desk.held_by(seat.officer, colleague.id)]
    seen = service().desk.accesses_of_officer(seat.officer, colleague.id, MOST_ACCESSES)
    ended = query_of(request).get("done") == "ended"
    html = pages.officer(place_of(request, seat), colleague, held, seen, service().clock(), ended)
    return page(html, allowing=SCRIPTS)


@audit.route("/desk/officers/{officer}/end-sessions", methods=["POST"], content_types=[FORM])
@at_desk(audit, "supervisor")
def end_sessions(request: Request, seat: Seat, officer: str) -> Response:
    """Sign an officer out everywhere, a leaver say. Whether they may sign in again is for the directory to say."""
    colleague = _colleague(officer)
    service().sessions.end_all(colleague.id)
    return see_other(f"{base(request)}/desk/officers/{quote(colleague.id, safe='')}?done=ended")


@audit.route("/desk/proof", methods=["GET"])
@at_desk(audit, "supervisor")
def show_proof(request: Request, seat: Seat) -> Response:
    """What the last reconciliation came to."""
    proof = service().reconciliation.last()
    text, at = (proof.text, proof.at) if proof else ("", "")
    return page(pages.proof(place_of(request, seat), text, at))


def _colleague(officer: str) -> Colleague:
    found = service().sessions.colleague(unquote(officer))
    if not found:
        raise NotFound("No such officer has signed in of late.")
    return found
