"""The OpenAPI 3.1 document: what the routes take and give. The questions come from the forms, and so do their words."""

from typing import Any

from pydantic.json_schema import models_json_schema

from chalicelib.errors import (
    NotAllowed,
    NotFound,
    NotSignedIn,
    NotYourRole,
    Refused,
    Stale,
    TooLarge,
    Unreadable,
    VersionMissing,
    WrongMediaType,
)
from chalicelib.forms import EXAMPLES, TITLES, schema
from chalicelib.handlers.decisions import CallBack, CrimeDecision, DisposalDecision, NotCrimeDecision, Note
from chalicelib.handlers.http import JSON, PROBLEM
from chalicelib.report import Status

_REFERENCE = {"name": "reference", "in": "path", "required": True, "schema": {"type": "string"},
              "description": "Such as 7K3M-9QWP-R2T8"}  # fmt: skip
_IF_MATCH = {"name": "If-Match", "in": "header", "required": True, "description": "The version you read, quoted",
             "schema": {"type": "string", "pattern": '^"[0-9]{1,9}"$'}}  # fmt: skip
_BAD = (Unreadable, TooLarge, WrongMediaType, Refused)
_LOCKED = (NotSignedIn, NotYourRole)
_STATUSES = [str(status) for status in Status]


def document(base: str) -> dict[str, Any]:
    """The document, for the service under the path `base`."""
    report, components = schema()
    decisions = {"claim": None, "release": None, "call-backs": CallBack, "crime": CrimeDecision,
                 "not-crime": NotCrimeDecision, "disposal": DisposalDecision, "notes": Note}  # fmt: skip
    bodies = [(model, "validation") for model in decisions.values() if model]
    refs, made = models_json_schema(bodies, ref_template="#/components/schemas/{model}")  # type: ignore[arg-type]
    components |= made["$defs"] | {"Problem": _PROBLEM}
    paths = _public(report) | _triage_lists()
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


def _public(report: dict[str, Any]) -> dict[str, Any]:
    examples = {category: {"summary": TITLES[category], "value": EXAMPLES[category]} for category in EXAMPLES}
    key = {"name": "Idempotency-Key", "in": "header", "schema": {"type": "string", "pattern": "^[ -~]{1,128}$"},
           "description": "The same key and body again give the same answer and one report"}  # fmt: skip
    created = _json("Stored. Keep the reference.", _object(reference=_TEXT, category=_TEXT, received_at=_TIME,
                                                          deadline=_TIME, status={"const": "received"}))  # fmt: skip
    factor = {"type": "object", "additionalProperties": False, "properties": {"email": _LINE, "phone": _LINE}}
    standing = _object("crime_number", "disposal", "call_back", reference=_TEXT, category=_TEXT, received_at=_TIME,
                       status={"enum": _STATUSES},
                       crime_number=_TEXT, disposal=_TEXT, call_back={"type": "object"})  # fmt: skip
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
                "responses": {"200": _json("Where it stands.", standing)} | _problems(NotFound, *_BAD),
            }
        },
    }


def _triage_lists() -> dict[str, Any]:
    heads = _object("cursor", reports={"type": "array", "items": {"type": "object"}}, cursor=_TEXT)
    one = _json("The whole report.", {"type": "object"})
    query = [_query(name) for name in ("status", "category", "priority", "limit", "cursor")]
    return {
        "/triage": {"get": _locked("Open reports, most urgent first", {"200": _json("A page of them.", heads)}, query)},
        "/triage/next": {"post": _locked("Claim the most urgent report that nobody holds",
                                         {"200": one, "204": {"description": "There is none."}}, [])},
        "/triage/{reference}": {"get": _locked("A whole report", {"200": one}, [_REFERENCE], NotFound)},
        "/statistics": {"get": _locked("The monthly figures", {"200": _json("By month.", {"type": "object"})},
                                       [_query("from"), _query("to")])},
    }  # fmt: skip


def _change(name: str, body: Any) -> dict[str, Any]:
    operation = _locked(f"Change: {name}", {"200": _json("The report's head.", {"type": "object"})},
                        [_REFERENCE, _IF_MATCH], NotFound, NotAllowed, Stale, VersionMissing, *_BAD)  # fmt: skip
    return operation | ({"requestBody": {"required": True, "content": {JSON: {"schema": body}}}} if body else {})


def _locked(summary: str, answers: dict[str, Any], parameters: list[Any], *refusals: type[Refused]) -> dict[str, Any]:
    return {"summary": summary, "parameters": parameters, "security": [{"token": []}],
            "responses": answers | _problems(*_LOCKED, Unreadable, Refused, *refusals)}  # fmt: skip


def _problems(*refusals: type[Refused]) -> dict[str, Any]:
    content = {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {str(refusal.status): {"description": refusal.title, "content": content} for refusal in refusals}


def _json(description: str, body: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {JSON: {"schema": body}}}


def _object(*optional: str, **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "required": [name for name in properties if name not in optional],
        "properties": properties,
    }


def _query(name: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": {"type": "string"}}


_TEXT = {"type": "string"}
_LINE = {"type": "string", "maxLength": 200}
_TIME = {"type": "string", "format": "date-time"}
_PROBLEM = _object("detail", "errors", type=_TEXT, title=_TEXT, status={"type": "integer"}, detail=_TEXT, errors={
    "type": "array", "items": _object(field=_TEXT, message=_TEXT)})  # fmt: skip
