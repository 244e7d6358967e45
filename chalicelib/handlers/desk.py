"""The officers' desk: the queue, the next report, the search, and a report as an officer reads it.

What officers do to a report is in `deciding.py`, what they do to several at once in `bulk.py`.
"""

from urllib.parse import quote, urlencode

from chalice.app import Blueprint, Request, Response

from chalicelib.errors import InvalidAnswers
from chalicelib.evidence import File
from chalicelib.handlers.http import FORM, base, cookie, kept_files, page, pairs_of, query_of, see_other
from chalicelib.handlers.officers import cursor_of, place_in, plain_reference
from chalicelib.handlers.sign_in import LISTED, Seat, at_desk, place_of
from chalicelib.pages import desk as pages
from chalicelib.pages import retention
from chalicelib.reference import show
from chalicelib.report import Report
from chalicelib.sessions import SHIFT
from chalicelib.wanted import LISTS, OPEN_LIST, Wanted
from chalicelib.wiring import service

desk = Blueprint(__name__)

HANDLE_REPORTS = ("officer", "supervisor")
ROWS = 50
SCRIPTS = {"script-src": "'self'", "connect-src": "'self'"}
_TITLES = {
    "open": "Open reports",
    "mine": "Reports you hold",
    "awaiting_disposal": "Crimed automatically, waiting for a disposal",
    "new_information": "Decided, with new information",
    "second_look": "Waiting for a second look",
}
_DONE = {
    "claim": "You hold it now.",
    "release": "It is free for others.",
    "crime": "It is recorded as a crime.",
    "not-crime": "It is closed without a crime.",
    "proposed": "It waits for a second look by a supervisor.",
    "confirm": "It is closed as proposed.",
    "decline": "The proposal is declined. It is open to everybody.",
    "disposal": "It is disposed of.",
    "cancel": "The crime is cancelled.",
    "call-back": "The call-back is noted.",
    "assess": "Your assessment is kept.",
    "assign": "It is assigned.",
    "note": "Your note is kept.",
    "hold": "It is under legal hold.",
    "lift": "The legal hold is lifted.",
    "erase": "It is erased. Files, letters and look-ups are gone within the hour.",
    "from-chat": "The report is made. Tell the visitor its reference before you end the conversation.",
    "next": "This is the most urgent report that nobody held. You hold it now.",
}


@desk.route("/desk", methods=["GET"])
@at_desk(desk, *HANDLE_REPORTS)
def show_queue(request: Request, seat: Seat) -> Response:
    """A page of one of the lists."""
    return _queue(request, seat)


@desk.route("/desk/next", methods=["POST"], content_types=[FORM])
@at_desk(desk, *HANDLE_REPORTS)
def take_next(request: Request, seat: Seat) -> Response:
    """Take the most urgent report that nobody holds."""
    taken = service().desk.take_next(seat.officer)
    if not taken:
        return _queue(request, seat, "There is no report that nobody holds.")
    return to_report(request, taken.reference, "next")


@desk.route("/desk/search", methods=["POST"], content_types=[FORM])
@at_desk(desk, *HANDLE_REPORTS)
def search(request: Request, seat: Seat) -> Response:
    """On to what was found. What was typed stays out of the address."""
    typed = dict(pairs_of(request)).get("search", "")
    try:
        found = service().search.find(seat.officer, typed)
    except InvalidAnswers as refusal:
        return _queue(request, seat, refusal.errors[0].message, typed, 422)
    if found.reference:
        return to_report(request, found.reference, "")
    return see_other(f"{base(request)}/desk/found/{found.key}")


@desk.route("/desk/found/{key}", methods=["GET"])
@at_desk(desk, *HANDLE_REPORTS)
def show_found(request: Request, seat: Seat, key: str) -> Response:
    """The reports that a search found."""
    heads, more = service().search.found(seat.officer, key)
    html = pages.found(place_of(request, seat), heads, more, service().clock(), seat.officer.actor.id)
    return page(html, allowing=SCRIPTS)


@desk.route("/desk/reports/{reference}", methods=["GET"])
@at_desk(desk, *HANDLE_REPORTS)
def show_report(request: Request, seat: Seat, reference: str) -> Response:
    """A whole report."""
    report = service().desk.read(seat.officer, plain_reference(reference))
    done = _DONE.get(query_of(request).get("done", ""), "")
    if report.erased_at:
        letters = service().desk.letters(report.reference)
        return page(retention.erased(place_of(request, seat), report, letters, done))
    around = pages.Around(_files(report), service().search.related(seat.officer, report),
                          service().desk.letters(report.reference))  # fmt: skip
    html = pages.report(place_of(request, seat), report, around, service().clock(), seat.officer.actor.id, done)
    return page(html, allowing=SCRIPTS)


def to_report(request: Request, reference: str, done: str) -> Response:
    """On to a report; `done` says what has just been done to it."""
    asked = f"?{urlencode({'done': done})}" if done else ""
    return see_other(f"{base(request)}/desk/reports/{show(reference)}{asked}")


def _queue(request: Request, seat: Seat, problem: str = "", searched: str = "", status: int = 200) -> Response:
    query = query_of(request) if request.method == "GET" else {}
    wanted, after, before = _wanted(query), _place(query, "after"), _place(query, "before")
    found = service().desk.queue(seat.officer, wanted, after, ROWS, before)
    asked = {name: value for name, value in vars(wanted).items() if value}

    def to(**place: str) -> str:
        return f"{base(request)}/desk?{urlencode(asked | place)}"

    first, last = (found.heads[0][0], found.heads[-1][0]) if found.heads else ("", "")
    shown = pages.Queue(
        title=_TITLES[wanted.list],
        heads=[head for _, head in found.heads],
        query=asked,
        address=to(**{name: query[name] for name, place in (("after", after), ("before", before)) if place}),
        before=to(before=cursor_of(first)) if found.earlier and first else to() if after and not first else "",
        after=to(after=cursor_of(last)) if found.more and last else "",
    )
    html = pages.queue(place_of(request, seat), shown, service().clock(), seat.officer.actor.id, problem, searched)
    answer = page(html, status, allowing=SCRIPTS)
    if request.method == "GET":
        listed = quote(shown.address.partition("?")[2])
        answer.headers["Set-Cookie"] = cookie(request, LISTED, listed, "/desk", SHIFT)
    return answer


def _wanted(query: dict[str, str]) -> Wanted:
    """What the address asks for; whatever is not known there is passed over, as a page is not for programs."""
    known = {"category": pages.NAMES, "status": pages.STATUSES, "priority": pages.RANKS}
    asked = {name: query[name] for name, values in known.items() if query.get(name) in values}
    return Wanted(query["list"] if query.get("list") in LISTS else OPEN_LIST, **asked)


def _place(query: dict[str, str], name: str) -> str:
    try:
        return place_in(query.get(name, ""))
    except InvalidAnswers:
        return ""


def _files(report: Report) -> list[tuple[File, str]] | None:
    files = kept_files(report.files_in)
    verdict = service().evidence.verdict
    return None if files is None else [(file, verdict(report.files_in, file)) for file in files]
