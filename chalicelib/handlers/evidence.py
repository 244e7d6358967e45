"""Files: the page that sends them straight to S3, of a draft and of a report, and how an officer opens one."""

from urllib.parse import urlencode, urlsplit

from chalice.app import Blueprint, Request, Response

from chalicelib.desk import Officer
from chalicelib.drafts import Draft
from chalicelib.errors import NotFound
from chalicelib.evidence import MOST_FILES, Invitation
from chalicelib.forms.journey import FILES
from chalicelib.handlers import journey as way
from chalicelib.handlers.http import FORM, answering, base, page, pairs_of, query_of, see_other, signed_in
from chalicelib.handlers.opening import (
    asked_to_change,
    changing,
    item_id,
    our_address,
    require_token,
    with_draft,
)
from chalicelib.handlers.sign_in import Seat, at_desk
from chalicelib.handlers.status import note_files, place_of, with_report
from chalicelib.identity import Identity
from chalicelib.pages import evidence as pages
from chalicelib.reference import parse
from chalicelib.wiring import service

evidence = Blueprint(__name__)


# API Gateway finds `files` where `files/{id}` is below it, and looks no further for `{step}`.


@evidence.route("/drafts/{draft}/files", methods=["GET"])
@answering(evidence)
@with_draft
def show_files(request: Request, draft: Draft) -> Response:
    """The files of a draft. A browser that comes back from S3 brings the id of the file it has sent."""
    if elsewhere := way.astray(request, draft, FILES):
        return elsewhere
    change = asked_to_change(request)
    place = way.place_of(request, draft, way.before(draft, FILES, change), change)
    return _files_page(request, place, draft.id, place.back, is_draft=True)


@evidence.route("/drafts/{draft}/files", methods=["POST"], content_types=[FORM])
@answering(evidence)
@with_draft
def keep_files(request: Request, draft: Draft) -> Response:
    """On from the files, which are kept already."""
    return way.go_past(request, draft, FILES)


@evidence.route("/drafts/{draft}/files/{file}/remove", methods=["POST"], content_types=[FORM])
@answering(evidence)
@with_draft
def remove_file(request: Request, draft: Draft, file: str) -> Response:
    """Take a file away. Twice does no harm."""
    pairs = pairs_of(request)
    require_token(draft, pairs)
    service().drafts.require_unsent(draft)
    service().evidence.remove(draft.id, item_id(file))
    return see_other(_address(way.place_of(request, draft, "", changing(pairs))))


@evidence.route("/status/{reference}/files", methods=["GET"])
@answering(evidence)
@with_report
def show_files_of_report(request: Request, reference: str) -> Response:
    """The files of a report, to which more may be added."""
    report = service().casework.standing(reference)
    place = place_of(request, reference)
    answer = _files_page(request, place, report.files_in, place.address, is_draft=False)
    note_files(report)
    return answer


@evidence.route("/triage/{reference}/evidence/{file}", methods=["GET"])
@signed_in(evidence, "officer", "supervisor")
def open_file(request: Request, identity: Identity, reference: str, file: str) -> Response:
    """On to a file, once it has been checked for malware; that it was opened is recorded first."""
    return _to_file(Officer(identity.actor, "supervisor" in identity.roles), reference, file)


@evidence.route("/desk/reports/{reference}/evidence/{file}", methods=["GET"])
@at_desk(evidence, "officer", "supervisor")
def open_file_at_desk(request: Request, seat: Seat, reference: str, file: str) -> Response:
    """The same from the report page."""
    return _to_file(seat.officer, reference, file)


def _to_file(officer: Officer, reference: str, file: str) -> Response:
    plain = parse(reference)
    if not plain:
        raise NotFound("There is no report with this reference.")
    folder = service().desk.folder_of(officer, plain)
    return see_other(service().evidence.show(folder, item_id(file)))


def _files_page(request: Request, place: pages.Place, folder: str, back: str, is_draft: bool) -> Response:
    query = query_of(request)
    if "key" in query:  # from S3, which says more than belongs into an address
        return see_other(_address(place, added=query.get("added", "")))
    there = service().evidence.look(folder)
    has_room = sum(not file.refused for file in there) < MOST_FILES
    return_to = f"{our_address(request)}{_address(place).removeprefix(base(request))}"
    invitation = service().evidence.invite(folder, return_to) if has_room else None
    html = pages.files(place, back, there, query.get("added", ""), invitation, is_draft)
    return page(html, allowing=_allowed(invitation) if invitation else None)


def _address(place: pages.Place, **query: str) -> str:
    asked = urlencode(({"change": "1"} if place.change else {}) | query)
    return f"{place.address}/files{'?' if asked else ''}{asked}"


def _allowed(invitation: Invitation) -> dict[str, str]:
    """The page may send its form to the bucket, and run the one script that we have."""
    return {"form-action": "{0.scheme}://{0.netloc}".format(urlsplit(invitation.url)), "script-src": "'self'"}
