"""Where a report stands, for the person who made it, and what they can still do about it.

The reference and a second factor give a pass for one report and one hour, in a cookie. Guessing is counted.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import wraps
from typing import Any

from chalice.app import Blueprint, Request, Response

from chalicelib.call_backs import offered
from chalicelib.errors import FieldError, InvalidAnswers, NotAllowed, NotFound
from chalicelib.forms.status import SecondFactor, read_addition
from chalicelib.handlers.http import (
    FORM,
    JSON,
    address_of,
    answering,
    base,
    cookie,
    cookie_of,
    data,
    kept_files,
    model_of,
    page,
    pairs_of,
    query_of,
    see_other,
    site_of,
)
from chalicelib.life_cycle import Status
from chalicelib.pages import status as pages
from chalicelib.pages.evidence import in_words
from chalicelib.reference import parse, show
from chalicelib.report import Report
from chalicelib.throttle import Limit
from chalicelib.times import stamp
from chalicelib.triage import assess
from chalicelib.wiring import mint, service

status = Blueprint(__name__)

OPEN_FOR = timedelta(hours=1)
BY_REFERENCE = Limit("status of a report", 10, timedelta(minutes=15))
BY_ADDRESS = Limit("status for an address", 60, timedelta(minutes=15))  # a phone network has many people behind one
_OLD_PAGE = "This page had been open for too long. Check what is on it and send it again"

Pairs = list[tuple[str, str]]
View = Callable[..., Response]


@status.route("/reports/{reference}/status", methods=["POST"], content_types=[JSON])
@answering(status)
def tell(request: Request, reference: str) -> Response:
    """Where a report stands. A wrong or missing factor and an unknown reference are told alike."""
    factor = model_of(request, SecondFactor)
    return data(_standing(_shown_to(request, reference, factor.email or "", factor.phone or "")))


@status.route("/status", methods=["GET"])
@answering(status)
def ask(request: Request) -> Response:
    """Asks for the reference and a second factor."""
    return page(pages.ask(site_of(request), {}, []))


@status.route("/status", methods=["POST"], content_types=[FORM])
@answering(status)
def open_report(request: Request) -> Response:
    """On to the report, or the questions again. What is wrong is not said: it would help who guesses."""
    typed = {name: value.strip() for name, value in pairs_of(request)}
    if errors := _unanswered(typed):
        return page(pages.ask(site_of(request), typed, errors), 422)
    try:
        report = _shown_to(request, typed["reference"], typed.get("email", ""), typed.get("phone", ""))
    except NotFound as refusal:
        errors = [FieldError("reference", refusal.detail)]
        return page(pages.ask(site_of(request), typed, errors), refusal.status)
    return _with_pass(request, report.reference, _to(request, report.reference))


def note_files(report: Report) -> None:
    """Files that came after the report are additions to it, so that an officer is told. Each is noted once, by the page
    that is next: a browser may never come back from S3 to the one that sent it there.
    """
    noted = {entry.get("id") for entry in report.entries}
    for file in kept_files(report.files_in) or ():
        if file.added_at > report.received_at and file.id not in noted:
            with suppress(NotAllowed):  # there is no room for more words; the file is with the report all the same
                service().casework.add(report.reference, file.id, f"A file was added: {in_words(file)}.")


def with_report(view: View) -> View:
    """A view of a report: it gets the plain reference after the request, if this browser has the pass of that report.
    Whoever's hour is over, or who is refused, finds what they had written on the page that says so.
    """

    @wraps(view)
    def opened(request: Request, reference: str, **path: str) -> Response:
        plain = parse(reference)
        if not plain or service().passes.read("status", cookie_of(request, "report"), OPEN_FOR) != plain:
            if request.method == "GET":
                return see_other(f"{base(request)}/status")
            return page(pages.hour_is_over(site_of(request), _typed(request)), 403)
        try:
            return _with_pass(request, plain, view(request, plain, **path))
        except NotAllowed as refusal:
            return page(pages.refused(place_of(request, plain), refusal.detail, _typed(request)), refusal.status)

    return opened


@status.route("/status/{reference}", methods=["GET"])
@answering(status)
@with_report
def show_report(request: Request, reference: str) -> Response:
    """Where it stands."""
    report, done = service().casework.standing(reference), query_of(request).get("done", "")
    note_files(report)
    place, now = place_of(request, reference), service().clock()
    return page(pages.standing(place, report, now, _may_be_called(report), done))


@status.route("/status/{reference}/{action}", methods=["GET"])
@answering(status)
@with_report
def show_action(request: Request, reference: str, action: str) -> Response:
    """One thing that the person can do."""
    shower = _SHOWN.get(action)
    if not shower:
        raise NotFound()
    return page(shower(place_of(request, reference), service().casework.standing(reference), {}, []))


@status.route("/status/{reference}/{action}", methods=["POST"], content_types=[FORM])
@answering(status)
def act(request: Request, reference: str, action: str) -> Response:
    """Do it."""
    if action == "close":
        return _close(request, reference)
    return _act(request, reference=reference, action=action)


@with_report
def _act(request: Request, reference: str, action: str) -> Response:
    doer, pairs = _DONE.get(action), pairs_of(request)
    if not doer:
        raise NotFound()
    try:
        done = doer(reference, _require_token(reference, pairs), pairs)
    except InvalidAnswers as refusal:
        report = service().casework.standing(reference)
        return page(_SHOWN[action](place_of(request, reference), report, dict(pairs), refusal.errors), 422)
    return see_other(f"{base(request)}/status/{show(reference)}?done={done}")


def _close(request: Request, reference: str) -> Response:
    """Forget the pass in this browser; whoever has none loses nothing by it."""
    answer = see_other(f"{base(request)}/status")
    answer.headers["Set-Cookie"] = cookie(request, "report", "", f"/status/{_shown(reference)}", timedelta(0))
    return answer


# What the person can do: each gives the word for the notification that follows


def _add(reference: str, id: str, pairs: Pairs) -> str:
    """Sent twice it is added once; sent again with other words it is another addition."""
    text = read_addition([(name, value) for name, value in pairs if name == "text"])
    id = hashlib.sha256(f"{id}{text}".encode()).hexdigest()[:32]
    service().casework.add(reference, id, text)
    return "added"


def _choose_time(reference: str, id: str, pairs: Pairs) -> str:
    report = service().casework.standing(reference)
    _require_call_back(report)
    words = offered(service().clock(), report.deadline).get(_one(pairs, "time"))
    if not words:
        raise InvalidAnswers(errors=[FieldError("time", "Select when we may call you")])
    service().casework.choose_time(reference, words)
    return "time"


def _want_letters(reference: str, id: str, pairs: Pairs) -> str:
    wanted = _one(pairs, "wanted") == "yes"
    service().casework.want_letters(reference, wanted)
    return "letters" if wanted else "no-letters"


_DONE: Mapping[str, Callable[[str, str, Pairs], str]] = {
    "add": _add,
    "call-back": _choose_time,
    "letters": _want_letters,
}


def _show_add(place: pages.Place, report: Report, typed: Mapping[str, Any], errors: Sequence[FieldError]) -> str:
    return pages.add(place, typed, errors)


def _show_times(place: pages.Place, report: Report, typed: Mapping[str, Any], errors: Sequence[FieldError]) -> str:
    _require_call_back(report)
    return pages.call_back(place, offered(service().clock(), report.deadline), report, typed, errors)


def _show_letters(place: pages.Place, report: Report, typed: Mapping[str, Any], errors: Sequence[FieldError]) -> str:
    return pages.letters(place, report.wants_letters, errors)


_SHOWN: Mapping[str, Callable[[pages.Place, Report, Mapping[str, Any], Sequence[FieldError]], str]] = {
    "add": _show_add,
    "call-back": _show_times,
    "letters": _show_letters,
}


def _may_be_called(report: Report) -> bool:
    contact = report.answers.get("contact", {})
    return report.is_open and bool(contact.get("phone")) and contact.get("safe_to_call") != "no"


def _require_call_back(report: Report) -> None:
    if not _may_be_called(report):
        raise NotAllowed("There is no call-back to choose a time for. Call 101 with your reference to speak to us.")


# Who asks


def _shown_to(request: Request, reference: str, email: str, phone: str) -> Report:
    """The report, for whoever knows it. Each try is counted before it is made; a good one is given back."""
    plain = parse(reference)
    tries = [(BY_ADDRESS, address_of(request)), (BY_REFERENCE, plain)] if plain else []  # what is none is no guess
    for limit, subject in tries:
        service().throttle.count(limit, subject)
    report = service().casework.status_for(plain or "unknown", email, phone)
    for limit, subject in tries:
        service().throttle.give_back(limit, subject)
    return report


def _with_pass(request: Request, reference: str, answer: Response) -> Response:
    """The answer, with what opens the report in this browser for an hour from now."""
    key = service().passes.give("status", reference)
    answer.headers["Set-Cookie"] = cookie(request, "report", key, f"/status/{show(reference)}", OPEN_FOR)
    return answer


def _require_token(reference: str, pairs: Pairs) -> str:
    """A form that a page of this report brought, and no other website; gives what is unlike any other form's."""
    token = service().passes.read("status-form", _one(pairs, "token"), OPEN_FOR) or ""
    whose, _, id = token.partition(":")
    if whose != reference:
        raise InvalidAnswers(errors=[FieldError("token", _OLD_PAGE)])
    return id


def place_of(request: Request, reference: str) -> pages.Place:
    """The report that a page is about."""
    token = service().passes.give("status-form", f"{reference}:{mint()}")
    return pages.Place(site_of(request), show(reference), token)


def _to(request: Request, reference: str) -> Response:
    return see_other(f"{base(request)}/status/{show(reference)}")


def _shown(reference: str) -> str:
    plain = parse(reference)
    if not plain:
        raise NotFound()
    return show(plain)


def _typed(request: Request) -> str:
    return _one(pairs_of(request), "text") if request.method == "POST" else ""


def _one(pairs: Pairs, name: str) -> str:
    return dict(pairs).get(name, "")


def _unanswered(typed: dict[str, str]) -> list[FieldError]:
    errors = [] if typed.get("reference") else [FieldError("reference", "Enter your reference")]
    if not (typed.get("email") or typed.get("phone")):
        errors.append(FieldError("email", "Enter the email address or the telephone number that you gave"))
    return errors


def _standing(report: Report) -> dict[str, Any]:
    standing: dict[str, Any] = {
        "reference": show(report.reference),
        "category": report.category,
        "received_at": stamp(report.received_at),
        "status": str(report.status),
    }
    if report.crime and not report.crime.cancelled:
        standing |= {"crime_number": report.crime.number}
        standing |= {"disposal": report.crime.disposal} if report.crime.disposal else {}
    if report.status is Status.AWAITING_INFORMATION:
        standing["call_back"] = {"questions": list(assess(report.category, report.answers).missing)}
    return standing
