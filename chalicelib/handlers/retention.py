"""How long reports are kept, at the supervisors' desk: what is due for review, what is held, and what one person is
given of all that we hold about them.

What is done to the reports that are ticked is in `bulk.py`.
"""

import json
from collections.abc import Iterator, Sequence
from urllib.parse import urlencode

from chalice.app import Blueprint, Request, Response

from chalicelib.errors import FieldError, InvalidAnswers
from chalicelib.evidence import File
from chalicelib.handlers.desk import SCRIPTS
from chalicelib.handlers.http import FORM, PAGE_HEADERS, kept_files, page, pairs_of, query_of
from chalicelib.handlers.officers import cursor_of, place_in
from chalicelib.handlers.sign_in import Seat, at_desk, place_of
from chalicelib.keeping import MOST_COUNTED
from chalicelib.pages import retention as pages
from chalicelib.pages import subject_access as files
from chalicelib.reference import parse
from chalicelib.retention import GROUPS, HELD
from chalicelib.subject_access import Holding
from chalicelib.wiring import service

retention = Blueprint(__name__)

ROWS = 50
LARGEST_FILE = 5_500_000  # characters, as JSON
_DOWNLOAD = 'attachment; filename="what-we-hold.html"'


@retention.route("/desk/retention", methods=["GET"])
@at_desk(retention, "supervisor")
def show_review(request: Request, seat: Seat) -> Response:
    """A page of what is due in one group, or of what is held; and how much there is in each."""
    query = query_of(request)
    name = query["group"] if query.get("group") in (*GROUPS, HELD) else next(iter(GROUPS))
    found = service().desk.review(seat.officer, name, ROWS, _after(query))
    counts = {one: service().desk.count(seat.officer, one) for one in (*GROUPS, HELD)}
    following = urlencode({"group": name, "after": cursor_of(found.heads[-1][0])}) if found.more else ""
    html = pages.review(place_of(request, seat), name, found.heads, counts, MOST_COUNTED, service().desk.periods,
                        following)  # fmt: skip
    return page(html, allowing=SCRIPTS)


@retention.route("/desk/export", methods=["GET"])
@at_desk(retention, "supervisor")
def ask_whom(request: Request, seat: Seat) -> Response:
    """Whose data is asked for."""
    return page(files.ask(place_of(request, seat), "", []))


@retention.route("/desk/export", methods=["POST"], content_types=[FORM])
@at_desk(retention, "supervisor")
def find_reports(request: Request, seat: Seat) -> Response:
    """The reports of whoever has this email address, telephone number or reference. What was typed stays out of the
    address.
    """
    typed = dict(pairs_of(request)).get("text", "")
    try:
        found = service().subject_access.find(seat.officer, typed)
    except InvalidAnswers as refusal:
        return page(files.ask(place_of(request, seat), typed, refusal.errors), 422)
    return page(files.found(place_of(request, seat), found, []))


@retention.route("/desk/export/file", methods=["POST"], content_types=[FORM])
@at_desk(retention, "supervisor")
def hand_over(request: Request, seat: Seat) -> Response:
    """All that is held in the reports and conversations that were ticked, as one file."""
    pairs, place = pairs_of(request), place_of(request, seat)
    try:
        holdings, talks = service().subject_access.hand_over(
            seat.officer, _references(pairs, "chosen"), _chats(pairs, "chosen")
        )
        html = files.file(place.site, [*_with_files(holdings)], talks, service().desk.periods, service().clock())
        _require_small(html)
    except InvalidAnswers as refusal:
        listed = service().subject_access.listed(seat.officer, _references(pairs, "listed"), _chats(pairs, "listed"))
        return page(files.found(place, listed, refusal.errors), 422)
    return Response(body=html, headers={**PAGE_HEADERS, "Content-Disposition": _DOWNLOAD})


def _with_files(holdings: Sequence[Holding]) -> Iterator[tuple[Holding, Sequence[File] | None]]:
    """Each with its files. Once S3 has not answered it is not asked again: fifty times do not fit into 29 seconds."""
    kept: Sequence[File] | None = ()
    for one in holdings:
        kept = None if kept is None else kept_files(one.report.files_in)
        yield one, kept


def _require_small(html: str) -> None:
    """Lambda gives back 6 MB at most, as a text of JSON."""
    if len(json.dumps(html)) > LARGEST_FILE:
        message = "This is too much for one file. Tick fewer reports, and make several files"
        raise InvalidAnswers(errors=[FieldError("chosen", message)])


def _references(pairs: Sequence[tuple[str, str]], name: str) -> list[str]:
    return list(dict.fromkeys(plain for one, value in pairs if one == name and (plain := parse(value))))


def _chats(pairs: Sequence[tuple[str, str]], name: str) -> list[str]:
    """The ids of the conversations among what was ticked."""
    named = (value.partition(":") for one, value in pairs if one == name)
    return list(dict.fromkeys(id for kind, _, id in named if kind == "chat" and id))


def _after(query: dict[str, str]) -> str:
    """The place behind which the page begins; an address that was made up begins at the first."""
    try:
        return place_in(query.get("after", ""))
    except InvalidAnswers:
        return ""
