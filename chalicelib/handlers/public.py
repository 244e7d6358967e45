"""What the public uses: the start, a report in one go, the confirmation."""

from collections.abc import Callable
from datetime import date
from functools import wraps
from typing import Any

from chalice.app import Blueprint, Request, Response

from chalicelib.errors import AlreadySent, FieldError, InvalidAnswers, NotFound, SentElsewhere
from chalicelib.forms import CATEGORIES, Submission, canonical, form_values, read_form, read_json
from chalicelib.handlers.http import (
    FORM,
    JSON,
    SENT_IS_KNOWN_FOR,
    Headers,
    answering,
    base,
    body_of,
    cookie_of,
    data,
    page,
    pairs_of,
    sent_as,
    site_of,
)
from chalicelib.life_cycle import Status
from chalicelib.reference import parse, show, spell
from chalicelib.report import Report
from chalicelib.times import stamp
from chalicelib.wiring import mint, service

public = Blueprint(__name__)

Pairs = list[tuple[str, str]]


def _for_our_websites(view: Callable[..., Response]) -> Callable[..., Response]:
    """A view whose answers, refusals too, the force's own websites may read from the browser."""

    @wraps(view)
    def answer(**path: str) -> Response:
        answered = view(**path)
        answered.headers |= _cors(public.current_request)
        return answered

    return answer


@public.route("/healthz", methods=["GET"])
@answering(public)
def healthz(request: Request) -> Response:
    """Ready."""
    return data({"status": "ok"})


@public.route("/openapi.json", methods=["GET"])
@answering(public)
def openapi(request: Request) -> Response:
    """The description of the interface."""
    from chalicelib.handlers.openapi import document

    return data(document(base(request), service().settings.public_statistics))


@public.route("/", methods=["GET"])
@answering(public)
def start(request: Request) -> Response:
    """The start page."""
    from chalicelib import pages

    return page(pages.start(site_of(request)))


@public.route("/report/{category}", methods=["POST"], content_types=[FORM])
@answering(public)
def send_form(request: Request, category: str) -> Response:
    """The form, filled in."""
    return _submit_form(request, _known(category), pairs_of(request))


@public.route("/reports", methods=["POST"], content_types=[JSON, FORM])
@_for_our_websites
@answering(public)
def submit(request: Request) -> Response:
    """A report as JSON, or as a form with its category among the fields."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() == FORM:
        pairs = pairs_of(request)
        return _submit_form(request, _known(dict(pairs).get("category", "")), pairs)
    report = _submit(read_json(body_of(request), _today()), _idempotency_key(request))
    return data(_receipt(report), 201, Location=f"{base(request)}/reports/{show(report.reference)}")


@public.route("/reports", methods=["OPTIONS"])
@_for_our_websites
@answering(public)
def preflight(request: Request) -> Response:
    """What a website of the force may send us from the browser."""
    allowed: Headers = {
        "Access-Control-Allow-Methods": "POST",
        "Access-Control-Allow-Headers": "Content-Type, Idempotency-Key",
        "Access-Control-Max-Age": "600",
    }
    return Response(body="", status_code=204, headers=allowed)


@public.route("/reports/{reference}", methods=["GET"])
@answering(public)
def confirmation(request: Request, reference: str) -> Response:
    """The page to keep. It shows nothing but the reference, so it tells nobody whether there is such a report."""
    from chalicelib import pages

    plain = _plain(reference)
    is_known = service().passes.read("sent", cookie_of(request, "sent"), SENT_IS_KNOWN_FOR) == plain
    return page(pages.sent(site_of(request), show(plain), spell(plain), is_known))


@public.route("/accessibility", methods=["GET"])
@answering(public)
def accessibility(request: Request) -> Response:
    """The accessibility statement."""
    from chalicelib import pages

    return page(pages.accessibility(site_of(request)))


@public.route("/privacy", methods=["GET"])
@answering(public)
def privacy(request: Request) -> Response:
    """The privacy notice, and the cookies."""
    from chalicelib import pages

    return page(pages.privacy(site_of(request)))


@public.route("/static/{name}", methods=["GET"])
@answering(public)
def static(request: Request, name: str) -> Response:
    """A file under its hashed name: what is in it never changes, so browsers keep it."""
    from chalicelib import pages

    found = pages.static_file(name)
    if not found:
        raise NotFound()
    text, content_type = found
    headers: Headers = {"Content-Type": content_type, "Cache-Control": "public, max-age=31536000, immutable"}
    return Response(body=text, headers=headers)


def with_items_changed(values: dict[str, Any], action: str) -> dict[str, Any]:
    """The answers with one more item, or without the one to be removed."""
    items = values.get("items")
    items = items if isinstance(items, list) and items else [{}]
    if action == "add-item":
        items = [*items, {}]
    elif (place := action.removeprefix("remove-item-")).isascii() and place.isdigit():
        items = [item for number, item in enumerate(items) if str(number) != place]
    return values | {"items": items[:50]}


def _submit(submission: Submission, token: str | None) -> Report:
    return service().casework.submit(canonical(submission), token)


def _submit_form(request: Request, category: str, pairs: Pairs) -> Response:
    from chalicelib import pages

    control = {name: value for name, value in pairs if name in ("token", "action")}
    answers = [(name, value) for name, value in pairs if name not in ("token", "action", "category")]
    site, token = site_of(request), control.get("token", "")[:128]
    if action := control.get("action"):
        return page(
            pages.report_form(site, category, with_items_changed(form_values(answers), action), [], token or mint())
        )
    try:
        report = _submit(read_form(category, answers, _today()), f"form:{token}" if token else None)
    except InvalidAnswers as refusal:
        return page(pages.report_form(site, category, form_values(answers), refusal.errors, token or mint()), 422)
    except SentElsewhere as refusal:
        return page(pages.stop(site, refusal.where), refusal.status)
    except AlreadySent as refusal:
        reference = show(refusal.reference)
        return page(pages.already_sent(site, category, form_values(answers), reference, mint()), refusal.status)
    return sent_as(request, report.reference)


def _receipt(report: Report) -> dict[str, str]:
    """The same for the first and every later answer to one submission."""
    return {
        "reference": show(report.reference),
        "category": report.category,
        "received_at": stamp(report.received_at),
        "deadline": stamp(report.deadline),
        "status": str(Status.RECEIVED),
    }


def _idempotency_key(request: Request) -> str | None:
    key = request.headers.get("idempotency-key")
    if key is None:
        return None
    if not (1 <= len(key) <= 128 and key.isascii() and key.isprintable()):
        raise InvalidAnswers(errors=[FieldError("Idempotency-Key", "Send 1 to 128 printable ASCII characters")])
    return f"key:{key}"


def _cors(request: Request) -> Headers:
    origin = request.headers.get("origin", "")
    known = origin in service().settings.website_origins
    allowed: Headers = {"Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": "Location"}
    return {"Vary": "Origin", **(allowed if known else {})}


def _known(category: str) -> str:
    """The category behind a path such as `criminal-damage`."""
    name = category.replace("-", "_")
    if name not in CATEGORIES:
        raise NotFound("You can report burglary, theft or criminal damage here.")
    return name


def _plain(reference: str) -> str:
    plain = parse(reference)
    if not plain:
        raise NotFound("Check the reference: it has twelve letters and digits, such as 7K3M-9QWP-R2T8.")
    return plain


def _today() -> date:
    return service().casework.today().date()
