"""Requests in, answers and errors out: the only place that knows what HTTP looks like to Chalice.

Every refusal becomes a problem document (RFC 9457), or a page where a browser asked. Nothing about the person reaches
a log: an unforeseen error is logged by its type and place, never by its message.
"""

import json
import logging
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import wraps
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from chalice.app import Blueprint, Request, Response
from pydantic import BaseModel, ValidationError

from chalicelib.chat_hours import read_hours
from chalicelib.errors import (
    InvalidAnswers,
    NotYourRole,
    Refused,
    SentElsewhere,
    TooLarge,
    Unreadable,
    VersionMissing,
    WrongMediaType,
    described,
)
from chalicelib.evidence import File
from chalicelib.forms.messages import field_errors
from chalicelib.language import said
from chalicelib.reference import show
from chalicelib.telemetry import about
from chalicelib.wiring import service

log = logging.getLogger("crime-reports")

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
PROBLEM = "application/problem+json"
LARGEST_BODY = 256 * 1024
MOST_FIELDS = 2_000
SENT_IS_KNOWN_FOR = timedelta(days=1)

Headers = dict[str, str | list[str]]

# The pages have no script, no picture from elsewhere, and are nobody's frame.
POLICY = {
    "default-src": "'none'",
    "style-src": "'self'",
    "img-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}
PAGE_HEADERS: Headers = {"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store"}
DATA_HEADERS: Headers = {"Content-Type": JSON, "Cache-Control": "no-store"}
# What every answer has, whoever made it.
SAFE_HEADERS = {
    "Content-Security-Policy": "; ".join(f"{name} {sources}" for name, sources in POLICY.items()),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
ONLY_OVER_TLS = {"Strict-Transport-Security": "max-age=31536000"}  # said over TLS; a browser on one machine has none

View = Callable[..., Response]
Body = TypeVar("Body", bound=BaseModel)


def answering(blueprint: Blueprint) -> Callable[[View], View]:
    """A view whose refusals are answered as they should be. Its first argument is the request."""

    def decorate(view: View) -> View:
        @wraps(view)
        def answer(**path: str) -> Response:
            request = blueprint.current_request
            try:
                return view(request, **path)
            except Refused as refusal:
                return refused(request, refusal)
            except Exception as error:
                log.error("request failed", extra={"error": described(error)})
                return refused(request, _Unforeseen("Try again in a minute. If it is urgent, call 101."))

        return answer

    return decorate


def signed_in(blueprint: Blueprint, *roles: str) -> Callable[[View], View]:
    """A view for people who signed in with one of `roles`; it gets the identity after the request."""

    def lock(view: View) -> View:
        @wraps(view)
        def unlock(request: Request, **path: str) -> Response:
            identity = service().verifier.verify(request.headers.get("authorization"))
            if not identity.roles & set(roles):
                raise NotYourRole(f"This needs one of the roles: {', '.join(roles)}.")
            return view(request, identity, **path)

        locked = answering(blueprint)(unlock)
        locked.roles = roles  # type: ignore[attr-defined]
        return locked

    return lock


def data(body: Any, status: int = 200, **headers: str) -> Response:
    """A JSON answer."""
    return Response(
        body=json.dumps(body, ensure_ascii=False), status_code=status, headers={**DATA_HEADERS, **_named(headers)}
    )


def page(html: str, status: int = 200, allowing: Mapping[str, str] | None = None) -> Response:
    """A page; `allowing` are sources by directive that it may use on top of what every page may."""
    answer = Response(body=html, status_code=status, headers=dict(PAGE_HEADERS))
    if allowing:
        policy = {name: f"{POLICY.get(name, '')} {allowing.get(name, '')}".strip() for name in POLICY | dict(allowing)}
        answer.headers["Content-Security-Policy"] = "; ".join(f"{name} {sources}" for name, sources in policy.items())
    return answer


def fresh_page(html: str) -> Response:
    """A page about nobody: asked for anew each time, but "Back" may show it as it was, with its token."""
    return Response(body=html, headers={**PAGE_HEADERS, "Cache-Control": "private, no-cache"})


def see_other(location: str) -> Response:
    """On to another page, by GET."""
    return Response(body="", status_code=303, headers={**PAGE_HEADERS, "Location": location})


def base(request: Request) -> str:
    """What stands before our paths: the stage under API Gateway's own address, nothing elsewhere."""
    context = request.context
    stage = f"/{context.get('stage', '')}"
    return stage if f"{context.get('path', '')}/".startswith(f"{stage}/") and stage != "/" else ""


def address_of(request: Request) -> str:
    """Where on the internet the request comes from, as API Gateway saw it."""
    return str((request.context.get("identity") or {}).get("sourceIp", ""))


def site_of(request: Request) -> Any:
    """Whose pages these are, and under which path."""
    from chalicelib import pages

    settings = service().settings
    has_chat = read_hours(settings.chat_hours).is_offered
    return pages.Site(settings.force_name, base(request), settings.force_colour, settings.public_statistics, has_chat)


def kept_files(folder: str) -> list[File] | None:
    """The files of a draft or a report; None while S3 does not answer: that must keep nobody from sending a report, and
    no officer from deciding one.
    """
    try:
        return service().evidence.kept(folder)
    except Exception as error:
        log.error("files cannot be looked at", extra={"error": described(error)})
        return None


def cookie_of(request: Request, name: str) -> str:
    """The value of a cookie; no text if it did not come."""
    for pair in request.headers.get("cookie", "").split(";"):
        found, _, value = pair.strip().partition("=")
        if found == name:
            return str(value)
    return ""


def cookie(request: Request, name: str, value: str, path: str, lasting: timedelta) -> str:
    """A `Set-Cookie` that only we read, under `path` of ours. It is needed for what the person asked for, and for
    nothing else, so it needs no consent (PECR, regulation 6(4)). With no time to last it is forgotten at once.
    """
    safely = "; Secure" if request.headers.get("x-forwarded-proto") == "https" else ""
    seconds = int(lasting.total_seconds())
    return f"{name}={value}; Path={base(request)}{path}; Max-Age={seconds}; HttpOnly; SameSite=Lax{safely}"


def sent_as(request: Request, reference: str) -> Response:
    """On to the confirmation of a report, which this browser may be told has arrived. `reference` is the plain one."""
    answer = see_other(f"{base(request)}/reports/{show(reference)}")
    key = service().passes.give("sent", reference)
    answer.headers["Set-Cookie"] = cookie(request, "sent", key, f"/reports/{show(reference)}", SENT_IS_KNOWN_FOR)
    return answer


def body_of(request: Request) -> bytes:
    """The body, if it is not too large."""
    body = request.raw_body or b""
    body = body.encode() if isinstance(body, str) else body
    if len(body) > LARGEST_BODY:
        raise TooLarge("A report may be up to 256 KB. Shorten what you wrote, and tell us the rest when we call.")
    return body


def pairs_of(request: Request) -> list[tuple[str, str]]:
    """The fields of a form as they came."""
    text = body_of(request).decode("utf-8", errors="replace")
    try:
        return parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="replace")
    except ValueError:
        raise Unreadable("The form has too many fields.") from None


def model_of(request: Request, model: type[Body]) -> Body:
    """The JSON body as `model`. Raises Unreadable or InvalidAnswers."""
    try:
        return model.model_validate_json(body_of(request))
    except ValidationError as error:
        if any(not details["loc"] for details in error.errors(include_url=False)):  # no JSON, or no object
            raise Unreadable("Send a JSON object.") from None
        raise InvalidAnswers(errors=field_errors(model, error)) from None  # type: ignore[arg-type]


def query_of(request: Request) -> dict[str, str]:
    """The query parameters, the last of each name."""
    return dict(request.query_params or {})


def number_in(text: str) -> int:
    """A number that a page of ours has sent; 0 for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 0


def version_of(request: Request) -> int:
    """The version in `If-Match: "3"`. Raises VersionMissing if there is none."""
    tag = request.headers.get("if-match", "")
    if not tag:
        raise VersionMissing('Send the version you read as If-Match, for example: If-Match: "3".')
    number = tag.strip().removeprefix("W/").strip('"')
    if not (number.isascii() and number.isdigit() and len(number) < 10):
        raise Unreadable('If-Match must be the version in quotation marks, for example: If-Match: "3".')
    return int(number)


def wants_page(request: Request) -> bool:
    """Whether a browser asked."""
    return "text/html" in request.headers.get("accept", "")


def refused(request: Request, refusal: Refused) -> Response:
    """The answer to a refusal."""
    if wants_page(request) and not request.path.startswith("/triage"):
        return _refusal_page(request, refusal)
    document: dict[str, Any] = {"type": "about:blank", "title": said(refusal.title), "status": refusal.status}
    document |= {"detail": said(refusal.detail)} if refusal.detail else {}
    errors = [{"field": error.field, "message": said(error.message)} for error in refusal.errors]
    document |= {"errors": errors} if errors else {}
    answer = data(document | refusal.more, refusal.status)
    answer.headers |= {"Content-Type": PROBLEM, **refusal.headers}
    return answer


def safe_headers(request: Request, get_response: Callable[[Request], Response]) -> Response:
    """Middleware: what every answer has, unless it has it otherwise."""
    answer, over_tls = get_response(request), request.headers.get("x-forwarded-proto") == "https"
    answer.headers = {**SAFE_HEADERS, **(ONLY_OVER_TLS if over_tls else {}), **answer.headers}
    return answer


def one_line_a_request(request: Request, get_response: Callable[[Request], Response]) -> Response:
    """Middleware: logs each request by its route, never by its address: people type anything into that."""
    answer = get_response(request)
    told = {"method": request.method, "route": request.path, "status": answer.status_code}
    log.info("request", extra=told | _report_of(request, answer))
    return answer


def problems_everywhere(request: Request, get_response: Callable[[Request], Response]) -> Response:
    """Middleware: what Chalice itself refuses (a wrong method or type of content) becomes a problem document too."""
    answer = get_response(request)
    body = answer.body
    if isinstance(body, dict) and set(body) == {"Code", "Message"}:
        refusal = Refused()
        refusal.status, refusal.title = answer.status_code, _TITLES.get(answer.status_code, "We could not do that")
        refusal.headers = {name: str(value) for name, value in answer.headers.items() if name.lower() == "allow"}
        return refused(request, refusal)
    return answer


_TITLES = {405: "This address does not take that method", WrongMediaType.status: WrongMediaType.title}


class _Unforeseen(Refused):
    status = 500
    title = "Something went wrong on our side"


def _report_of(request: Request, answer: Response) -> dict[str, str]:
    """The report that a request asked for, or made."""
    location = str(answer.headers.get("Location", ""))
    return about((request.uri_params or {}).get("reference", "")) or about(location.rpartition("/")[2])


def _refusal_page(request: Request, refusal: Refused) -> Response:
    from chalicelib import pages

    site = site_of(request)
    if isinstance(refusal, SentElsewhere):
        return page(pages.stop(site, refusal.where), refusal.status)
    answer = page(pages.problem(site, refusal.status, said(refusal.title), said(refusal.detail)), refusal.status)
    answer.headers |= refusal.headers
    return answer


def _named(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}
