"""The officers' triage endpoint."""

import base64
from typing import Any

from chalice.app import Blueprint, Request, Response

from chalicelib.desk import Officer
from chalicelib.errors import FieldError, InvalidAnswers, NotFound
from chalicelib.evidence import File
from chalicelib.forms import CATEGORIES
from chalicelib.handlers.decisions import CallBack, CrimeDecision, DisposalDecision, NotCrimeDecision, Note
from chalicelib.handlers.http import JSON, data, kept_files, model_of, query_of, signed_in, version_of
from chalicelib.identity import Identity
from chalicelib.life_cycle import OPEN
from chalicelib.offences import suggest
from chalicelib.reference import parse, show
from chalicelib.report import Head, Report
from chalicelib.times import stamp
from chalicelib.triage import PRIORITIES, UNASSESSED, assess
from chalicelib.wanted import OPEN_LIST, Wanted
from chalicelib.wiring import service

officers = Blueprint(__name__)

AWAITING_DISPOSAL = "awaiting_disposal"
NEW_INFORMATION = "new_information"
USUAL_LIMIT, LARGEST_LIMIT = 50, 200
_HANDLE_REPORTS = ("officer", "supervisor")
_CHANGE = {"methods": ["POST"], "content_types": [JSON]}


@officers.route("/triage", methods=["GET"])
@signed_in(officers, *_HANDLE_REPORTS)
def list_reports(request: Request, identity: Identity) -> Response:
    """Open reports; with `status=awaiting_disposal` those crimed automatically, with `status=new_information` decided
    ones whose person has told us more since. Most urgent first.
    """
    query = query_of(request)
    page = service().desk.queue(_officer(identity), _wanted(query), place_in(query.get("cursor", "")), _limit(query))
    more = {"cursor": cursor_of(page.heads[-1][0])} if page.more else {}
    return data({"reports": [_head(head) for _, head in page.heads]} | more)


@officers.route("/triage/next", **_CHANGE)
@signed_in(officers, *_HANDLE_REPORTS)
def take_next(request: Request, identity: Identity) -> Response:
    """Claim the most urgent report that nobody holds."""
    report = service().desk.take_next(_officer(identity))
    return _whole(report) if report else Response(body="", status_code=204, headers={"Cache-Control": "no-store"})


@officers.route("/triage/{reference}", methods=["GET"])
@signed_in(officers, *_HANDLE_REPORTS)
def read(request: Request, identity: Identity, reference: str) -> Response:
    """The whole report."""
    return _whole(service().desk.read(_officer(identity), plain_reference(reference)))


@officers.route("/triage/{reference}/claim", **_CHANGE)
@signed_in(officers, *_HANDLE_REPORTS)
def claim(request: Request, identity: Identity, reference: str) -> Response:
    """Hold it for half an hour."""
    return _changed(service().desk.claim(*_change(request, identity, reference)))


@officers.route("/triage/{reference}/release", **_CHANGE)
@signed_in(officers, *_HANDLE_REPORTS)
def release(request: Request, identity: Identity, reference: str) -> Response:
    """Let go of it."""
    return _changed(service().desk.release(*_change(request, identity, reference)))


@officers.route("/triage/{reference}/call-backs", **_CHANGE)
@signed_in(officers, *_HANDLE_REPORTS)
def call_back(request: Request, identity: Identity, reference: str) -> Response:
    """A call-back is needed, or was tried."""
    change, body = _change(request, identity, reference), model_of(request, CallBack)
    return _changed(service().desk.call_back(*change, body.result, body.note))


@officers.route("/triage/{reference}/crime", **_CHANGE)
@signed_in(officers, *_HANDLE_REPORTS)
def crime(request: Request, identity: Identity, reference: str) -> Response:
    """Record it as a crime."""
    change, body = _change(request, identity, reference), model_of(request, CrimeDecision)
    offence = body.offence.upper()
    return _changed(service().desk.crime(*change, offence, body.disposal, body.outcome, body.note))


@officers.route("/triage/{reference}/not-crime", **_CHANGE)
@signed_in(officers, *_HANDLE_REPORTS)
def not_crime(request: Request, identity: Identity, reference: str) -> Response:
    """Close it without a crime."""
    change, body = _change(request, identity, reference), model_of(request, NotCrimeDecision)
    more = {"force": body.force} if body.reason == "another_force" and body.force else {}
    if body.reason == "duplicate":
        more["duplicate_of"] = parse(body.duplicate_of or "") or ""
    return _changed(service().desk.not_crime(*change, body.reason, body.rationale, more))


@officers.route("/triage/{reference}/disposal", **_CHANGE)
@signed_in(officers, *_HANDLE_REPORTS)
def dispose(request: Request, identity: Identity, reference: str) -> Response:
    """Say what follows from a crime."""
    change, body = _change(request, identity, reference), model_of(request, DisposalDecision)
    return _changed(service().desk.dispose(*change, body.disposal, body.outcome, body.note))


@officers.route("/triage/{reference}/notes", **_CHANGE)
@signed_in(officers, *_HANDLE_REPORTS)
def note(request: Request, identity: Identity, reference: str) -> Response:
    """Keep a note."""
    change, body = _change(request, identity, reference), model_of(request, Note)
    return _changed(service().desk.note(*change, body.text))


def _officer(identity: Identity) -> Officer:
    return Officer(identity.actor, "supervisor" in identity.roles)


def _change(request: Request, identity: Identity, reference: str) -> tuple[Officer, str, int]:
    return _officer(identity), plain_reference(reference), version_of(request)


def plain_reference(reference: str) -> str:
    """A reference as people write it, in its plain form. Raises NotFound."""
    plain = parse(reference)
    if not plain:
        raise NotFound("There is no report with this reference.")
    return plain


def _whole(report: Report) -> Response:
    if report.erased_at:
        letters = service().desk.letters(report.reference)
        left = {"erased_at": stamp(report.erased_at), "answers": {}, "history": _history(report), "letters": letters}
        return data(_head(report.head) | _decision(report) | left, ETag=f'"{report.version}"')
    assessment = assess(report.category, report.answers)
    suggestion = suggest(report.category, report.answers, service().casework.today().date())
    whole = _head(report.head) | _decision(report) | {
        "answers": report.answers,
        "missing": assessment.missing,
        "attend": assessment.attend,
        "solvability": assessment.solvability,
        "suggested_offence": {"code": suggestion.code, "title": suggestion.title, "because": suggestion.because},
        **({"call_back_wanted": report.call_back_wanted} if report.call_back_wanted else {}),
        **({} if report.wants_letters else {"letters_stopped": True}),
        **_evidence(report),
        "history": _history(report),
        "letters": service().desk.letters(report.reference),
    }  # fmt: skip
    return data(whole, ETag=f'"{report.version}"')


def _changed(report: Report) -> Response:
    return data(_head(report.head) | _decision(report), ETag=f'"{report.version}"')


def _head(head: Head) -> dict[str, Any]:
    holder = head.held_by(service().clock())
    return {
        "reference": show(head.reference),
        "category": head.category,
        "status": str(head.status),
        "priority": head.priority or UNASSESSED,
        "reasons": list(head.reasons),
        "received_at": stamp(head.received_at),
        "deadline": stamp(head.deadline),
        **({"claimed_by": holder.name} if holder else {}),
        "version": head.version,
    }


def _decision(report: Report) -> dict[str, Any]:
    crime = report.crime
    decided = {"not_crimed_reason": report.not_crimed_reason}
    if crime:
        decided |= {"crime_number": crime.number, "crimed_at": stamp(crime.at), "crimed_by": crime.by.name,
                    "offence": crime.offence, "disposal": crime.disposal}  # fmt: skip
    outcome = {"outcome": crime.outcome} if crime and crime.outcome is not None else {}
    return {name: value for name, value in decided.items() if value is not None} | outcome


def _evidence(report: Report) -> dict[str, Any]:
    files = kept_files(report.files_in)
    if files is None:
        return {"evidence_unavailable": True}
    return {"evidence": [_file(report, file) for file in files]}


def _file(report: Report, file: File) -> dict[str, Any]:
    verdict = service().evidence.verdict(report.files_in, file)
    return {"id": file.id, "kind": file.kind, "bytes": file.bytes, "added_at": stamp(file.added_at), "verdict": verdict}


def _history(report: Report) -> list[dict[str, Any]]:
    said = {words.version: words.text for words in report.words}
    entries = []
    for entry in report.entries:
        shown = {name: value for name, value in entry.items() if name not in ("previous", "words", "by_name")}
        shown |= {"by": entry["by_name"], "by_id": entry["by"]} | (
            {"note": said[entry["version"]]} if entry["version"] in said else {}
        )
        entries.append(shown)
    return entries


def _wanted(query: dict[str, str]) -> Wanted:
    allowed = {
        "status": [AWAITING_DISPOSAL, NEW_INFORMATION, *sorted(OPEN)],
        "category": list(CATEGORIES),
        "priority": [*PRIORITIES, UNASSESSED],
    }
    asked = {name: query[name] for name in allowed if query.get(name)}
    errors = [FieldError(name, f"“{name}” must be one of: {', '.join(allowed[name])}")
              for name, value in asked.items() if value not in allowed[name]]  # fmt: skip
    if errors:
        raise InvalidAnswers(errors=errors)
    decided = asked.pop("status") if asked.get("status") in (AWAITING_DISPOSAL, NEW_INFORMATION) else OPEN_LIST
    return Wanted(decided, **asked)


def _limit(query: dict[str, str]) -> int:
    text = query.get("limit", str(USUAL_LIMIT))
    if not (text.isascii() and text.isdigit() and len(text) < 4 and 1 <= int(text) <= LARGEST_LIMIT):
        raise InvalidAnswers(errors=[FieldError("limit", f"“limit” must be a whole number from 1 to {LARGEST_LIMIT}")])
    return int(text)


def cursor_of(place: str) -> str:
    """A place in a list as an address carries it."""
    return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


def place_in(cursor: str) -> str:
    """The place that a cursor names. Raises InvalidAnswers."""
    try:
        place = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode("ascii")
    except ValueError:
        place = "?"
    if place and (not place[0].isdigit() or len(place) > 100):
        raise InvalidAnswers(errors=[FieldError("cursor", "Use the cursor of the page before as it is")])
    return place
