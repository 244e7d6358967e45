"""The OpenAPI 3.1 document: what the routes take and give. The questions come from the forms, and so do their words."""

from typing import Any

from pydantic.json_schema import models_json_schema

from chalicelib.disposals import DISPOSALS
from chalicelib.errors import (
    NotAllowed,
    NotFound,
    NotSignedIn,
    NotYourRole,
    Refused,
    Stale,
    TooLarge,
    TooManyTries,
    Unreadable,
    VersionMissing,
    WrongMediaType,
)
from chalicelib.figures import LETTER_STATES
from chalicelib.forms import CATEGORIES, EXAMPLES, TITLES, schema
from chalicelib.forms.schema import QuestionsSchema
from chalicelib.forms.status import SecondFactor
from chalicelib.handlers.decisions import CallBack, CrimeDecision, DisposalDecision, NotCrimeDecision, Note
from chalicelib.handlers.http import JSON, PROBLEM
from chalicelib.handlers.officers import AWAITING_DISPOSAL, LARGEST_LIMIT, NEW_INFORMATION
from chalicelib.handlers.statistics import FORMATS
from chalicelib.identity import IssuerUnavailable
from chalicelib.life_cycle import OPEN, Status
from chalicelib.report import SOURCES
from chalicelib.statistics import AGES, CANCEL_CODES, NOT_CRIMED_REASONS
from chalicelib.tables import NAMES
from chalicelib.triage import PRIORITIES, UNASSESSED

_REFERENCE = {"name": "reference", "in": "path", "required": True, "schema": {"type": "string"},
              "description": "Such as 7K3M-9QWP-R2T8"}  # fmt: skip
_IF_MATCH = {"name": "If-Match", "in": "header", "required": True, "description": "The version you read, quoted",
             "schema": {"type": "string", "pattern": '^"[0-9]{1,9}"$'}}  # fmt: skip
_BAD = (Unreadable, TooLarge, WrongMediaType, Refused)
_LOCKED = (NotSignedIn, NotYourRole, IssuerUnavailable)


def document(base: str, public_statistics: bool = False) -> dict[str, Any]:
    """The document, for the service under the path `base`; everybody may see the statistics if they are public."""
    report, components = schema()
    decisions = {"claim": None, "release": None, "call-backs": CallBack, "crime": CrimeDecision,
                 "not-crime": NotCrimeDecision, "disposal": DisposalDecision, "notes": Note}  # fmt: skip
    bodies = [(model, "validation") for model in (SecondFactor, *filter(None, decisions.values()))]
    refs, made = models_json_schema(
        bodies,  # type: ignore[arg-type]
        ref_template="#/components/schemas/{model}",
        schema_generator=QuestionsSchema,
    )
    components |= made["$defs"] | _COMPONENTS
    paths = _public(report, refs[SecondFactor, "validation"]) | _triage_lists() | _statistics(public_statistics)
    for name, model in decisions.items():
        paths[f"/triage/{{reference}}/{name}"] = {"post": _change(name, refs[model, "validation"] if model else None)}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Online crime reporting", "version": "1.0.0"},
        "servers": [{"url": base or "/"}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
    }


def _public(report: dict[str, Any], factor: dict[str, Any]) -> dict[str, Any]:
    examples = {category: {"summary": TITLES[category], "value": EXAMPLES[category]} for category in EXAMPLES}
    key = {"name": "Idempotency-Key", "in": "header", "schema": {"type": "string", "pattern": "^[ -~]{1,128}$"},
           "description": "The same key and body again give the same answer and one report"}  # fmt: skip
    created = _json("Stored. Keep the reference.", _ref("Receipt"), Location=_TEXT)
    return {
        "/healthz": {
            "get": {"summary": "Ready?", "responses": {"200": _json("Ready.", _object(status={"const": "ok"}))}}
        },
        "/reports": {
            "post": {
                "summary": "Report a burglary, a theft or criminal damage",
                "description": "Stored before it is answered. In an emergency call 999.",
                "parameters": [key],
                "requestBody": {"required": True, "content": {JSON: {"schema": report, "examples": examples}}},
                "responses": {"201": created} | _problems(*_BAD),
            }
        },
        "/reports/{reference}/status": {
            "post": {
                "summary": "Where a report stands, for who made it",
                "parameters": [_REFERENCE],
                "requestBody": {"required": True, "content": {JSON: {"schema": factor}}},
                "responses": {"200": _json("Where it stands.", _ref("Standing"))}
                | _problems(NotFound, TooManyTries, *_BAD),
            }
        },
    }


def _triage_lists() -> dict[str, Any]:
    page = _json("A page of them.", _ref("WorkList"))
    one = _json("The whole report.", _ref("WholeReport"), ETag=_TEXT)
    return {
        "/triage": {"get": _locked("Open reports, most urgent first", {"200": page}, _FILTERS)},
        "/triage/next": {"post": _locked("Claim the most urgent report that nobody holds",
                                         {"200": one, "204": {"description": "There is none."}}, [], WrongMediaType)},
        "/triage/{reference}": {"get": _locked("A whole report", {"200": one}, [_REFERENCE], NotFound)},
    }  # fmt: skip


def _statistics(public: bool) -> dict[str, Any]:
    """Who is not signed in gets months that are over, without small numbers, if the force wants that."""
    shapes = ["Figures", "TableOfFigures", *(["PublicFigures"] if public else [])]
    answer = _json("By month, or one of the tables.", {"anyOf": [_ref(shape) for shape in shapes]})
    answer["content"]["text/csv"] = {"schema": _TEXT}
    operation = _locked("The monthly figures: of the last twelve months if none are named", {"200": answer},
                        [_query("from", _MONTH_OR_BLANK), _query("to", _MONTH_OR_BLANK), *_OF_STATISTICS])  # fmt: skip
    return {"/statistics": {"get": operation | ({"security": [{"token": []}, {}]} if public else {})}}


def _change(name: str, body: Any) -> dict[str, Any]:
    operation = _locked(f"Change: {name}", {"200": _json("The report's head.", _ref("Decided"), ETag=_TEXT)},
                        [_REFERENCE, _IF_MATCH], NotFound, NotAllowed, Stale, VersionMissing, *_BAD)  # fmt: skip
    return operation | ({"requestBody": {"required": True, "content": {JSON: {"schema": body}}}} if body else {})


def _locked(summary: str, answers: dict[str, Any], parameters: list[Any], *refusals: type[Refused]) -> dict[str, Any]:
    return {"summary": summary, "parameters": parameters, "security": [{"token": []}],
            "responses": answers | _problems(*_LOCKED, Unreadable, Refused, *refusals)}  # fmt: skip


def _problems(*refusals: type[Refused]) -> dict[str, Any]:
    content = {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {str(refusal.status): {"description": refusal.title, "content": content} for refusal in refusals}


def _json(description: str, body: dict[str, Any], **headers: Any) -> dict[str, Any]:
    sent = {name: {"required": True, "schema": value} for name, value in headers.items()}
    return {"description": description, "content": {JSON: {"schema": body}}} | ({"headers": sent} if sent else {})


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def _object(*optional: str, **properties: Any) -> dict[str, Any]:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "required": required, "properties": properties}


def _query(name: str, values: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": values}


_TEXT = {"type": "string"}
_TEXTS = {"type": "array", "items": _TEXT}
_COUNT = {"type": "integer", "minimum": 0}
_COUNT_OR_NULL = {"type": ["integer", "null"], "minimum": 0}
_TIME = {"type": "string", "format": "date-time"}
_MONTH = {"type": "string", "pattern": "^[0-9]{4}-(0[1-9]|1[0-2])$"}
_MONTH_OR_BLANK = {"type": "string", "pattern": "^([0-9]{4}-(0[1-9]|1[0-2]))?$"}
_CATEGORY = {"enum": list(CATEGORIES)}
_STATUS = {"enum": [str(status) for status in Status]}
_PRIORITY = {"enum": [*PRIORITIES, UNASSESSED]}
_DISPOSAL = {"enum": list(DISPOSALS)}
# A filter that is left blank does not filter.
_FILTERS = [
    _query("status", {"enum": [AWAITING_DISPOSAL, NEW_INFORMATION, *sorted(OPEN), ""]}),
    _query("category", {"enum": [*CATEGORIES, ""]}),
    _query("priority", {"enum": [*PRIORITIES, UNASSESSED, ""]}),
    _query("limit", {"type": "integer", "minimum": 1, "maximum": LARGEST_LIMIT}),
    _query("cursor", {"type": "string", "pattern": "^[A-Za-z0-9_-]*$"}),
]
_OF_STATISTICS = [
    _query("category", {"enum": [*CATEGORIES, ""]}),
    _query("table", {"enum": [*NAMES, ""]}),
    _query("format", {"enum": [*FORMATS, ""]}),
]
_HEAD = {"reference": _TEXT, "category": _CATEGORY, "status": _STATUS, "priority": _PRIORITY, "reasons": _TEXTS,
         "received_at": _TIME, "deadline": _TIME, "claimed_by": _TEXT, "version": _COUNT}  # fmt: skip
_DECISION = {"not_crimed_reason": {"enum": list(NOT_CRIMED_REASONS)}, "crime_number": _TEXT, "crimed_at": _TIME,
             "crimed_by": _TEXT, "offence": _TEXT, "disposal": _DISPOSAL, "outcome": _COUNT}  # fmt: skip
_ENTRY = _object(version=_COUNT, at=_TIME, by=_TEXT, what=_TEXT)
_LETTER = _object(version=_COUNT, template=_TEXT, state=_TEXT, at=_TIME)
_MINUTES = {"type": ["integer", "null"], "minimum": 0}
_TIMES = {"median_minutes": _MINUTES, "p95_minutes": _MINUTES}
_IN_ALL = {
    "reports": _COUNT, "crimes": _COUNT,
    "by_category": _object(*CATEGORIES, **dict.fromkeys(CATEGORIES, _object(reports=_COUNT, crimes=_COUNT))),
    "by_source": _object(**dict.fromkeys(SOURCES, _object(reports=_COUNT, crimes=_COUNT))),
    "crimed_within_24h": _COUNT, "crimed_automatically": _COUNT, "call_backs": _COUNT, "open": _COUNT,
    "cancelled": _object(**dict.fromkeys(CANCEL_CODES, _COUNT)), "time_to_crime": _object(**_TIMES),
    "not_crimed": _object(**dict.fromkeys(NOT_CRIMED_REASONS, _COUNT)),
    "letters": _object(**dict.fromkeys(LETTER_STATES, _COUNT), **_TIMES),
    "imported": _object(reports=_COUNT, crimes=_COUNT_OR_NULL),
}  # fmt: skip
_BOTH = {"reports": _COUNT_OR_NULL, "crimes": _COUNT_OR_NULL}
_SHARE = {"anyOf": [_object(least=_COUNT, most=_COUNT, of=_COUNT), {"type": "null"}]}
_SHARES = ("crimed_within_24h", "crimed_automatically", "call_backs")
_SHOWN_TO_ALL = {
    **_BOTH, "by_category": _object(*CATEGORIES, **dict.fromkeys(CATEGORIES, _object(**_BOTH))),
    "by_source": _object(**dict.fromkeys(SOURCES, _object(**_BOTH))),
    "shares": _object(**dict.fromkeys(_SHARES, _SHARE)), "time_to_crime": _object(**_TIMES),
    "imported": _object(**_BOTH),
    "at_least": {"type": "object"},
}  # fmt: skip
_NOT_ALWAYS = ("imported", "by_source", "shares", "time_to_crime", "at_least")
_COMPONENTS = {
    "Problem": _object(
        "detail", "errors", type=_TEXT, title=_TEXT, status={"type": "integer"}, detail=_TEXT,
        errors={"type": "array", "items": _object(field=_TEXT, message=_TEXT)},
    ),
    "Receipt": _object(
        reference=_TEXT, category=_CATEGORY, received_at=_TIME, deadline=_TIME, status={"const": "received"}
    ),
    "Standing": _object(
        "crime_number", "disposal", "call_back", reference=_TEXT, category=_CATEGORY, received_at=_TIME,
        status=_STATUS, crime_number=_TEXT, disposal=_DISPOSAL, call_back=_object(questions=_TEXTS),
    ),
    "WorkList": _object(
        "cursor", reports={"type": "array", "items": _object("claimed_by", **_HEAD)}, cursor=_TEXT
    ),
    "Decided": _object("claimed_by", *_DECISION, **_HEAD, **_DECISION),
    "WholeReport": _object(
        "claimed_by", *_DECISION, **_HEAD, **_DECISION, answers={"type": "object"}, missing=_TEXTS, solvability=_TEXTS,
        attend={"type": "boolean"}, suggested_offence=_object(code=_TEXT, title=_TEXT, because=_TEXT),
        history={"type": "array", "items": _ENTRY}, letters={"type": "array", "items": _LETTER},
    ),
    "Figures": _object(
        months={"type": "array", "items": _object("imported", month=_MONTH, **_IN_ALL)},
        total=_object("imported", **_IN_ALL), open_now=_object(**dict.fromkeys(AGES, _COUNT)),
    ),
    "PublicFigures": _object(
        months={"type": "array", "items": _object(*_NOT_ALWAYS, month=_MONTH, **_SHOWN_TO_ALL)},
        total=_object(*_NOT_ALWAYS, **_SHOWN_TO_ALL),
    ),
    "TableOfFigures": _object("total", table={"enum": list(NAMES)}, caption=_TEXT,
                              rows={"type": "array", "items": {"type": "object"}}, total={"type": "object"}),
}  # fmt: skip
