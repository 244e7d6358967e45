"""The addresses under `/dev`: what people and tests need to see and do on one machine. Never deployed."""

import json
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import parse_qs

import jinja2

from chalicelib.errors import Refused
from chalicelib.imported import read
from chalicelib.imported_months import ImportedMonths
from chalicelib.times import month
from infra.local.clock import DevClock, rfc3339
from infra.local.gateway import Answer, Request, not_found, problem
from infra.local.issuer import PEOPLE, ROLES, Issuer
from infra.local.triggers import Triggers, depths

PAGES = (
    "/",
    "/report/burglary",
    "/report/theft",
    "/report/criminal-damage",
    "/status",
    "/chat",
    "/desk",
    "/desk/chats",
    "/desk/proof",
    "/statistics",
)
_FIRST = {role: next(name for name, theirs in PEOPLE.items() if theirs == role) for role in ROLES}
LONGEST_ADVANCE_SECONDS = 366 * 24 * 60 * 60
LONGEST_NAME = 100
MOST_LETTERS = 50  # on one page
# A letter holds what people typed. It is shown as a mail program shows it: nothing runs, nothing is fetched.
LETTER_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"


class Machine(NamedTuple):
    """What runs here, for `/dev` to show and steer."""

    url: str
    socket_url: str
    aws_endpoint: str
    database_endpoint: str
    queue_urls: dict[str, str]
    clock: DevClock
    issuer: Issuer
    triggers: Triggers
    outbox: Callable[[], list[dict[str, Any]]]
    prove: Callable[[str], Any]
    imported: ImportedMonths
    sqs: Any


class Dev:
    """Answers the requests under `/dev`."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        loader = jinja2.PackageLoader("infra.local", ".")
        self._pages = jinja2.Environment(loader=loader, autoescape=True)
        self._routes: dict[tuple[str, str], Callable[[Request], Answer]] = {
            ("GET", "/dev"): self._show,
            ("GET", "/dev/token"): self._token,
            ("GET", "/dev/outbox"): self._outbox,
            ("GET", "/dev/letters"): self._letters,
            ("GET", "/dev/clock"): self._tell_time,
            ("POST", "/dev/clock"): self._advance,
            ("GET", "/dev/idle"): self._idle,
            ("GET", "/dev/reconcile"): self._reconcile,
            ("POST", "/dev/figures"): self._import,
            ("GET", "/dev/issuer/.well-known/openid-configuration"): lambda _: _json(machine.issuer.configuration()),
            ("GET", "/dev/issuer/.well-known/jwks.json"): lambda _: _json(machine.issuer.keys()),
            ("GET", "/dev/issuer/authorize"): self._ask_who,
            ("POST", "/dev/issuer/authorize"): self._sign_in,
            ("POST", "/dev/issuer/token"): self._exchange,
            ("GET", "/dev/issuer/end"): self._end,
        }

    def answer(self, request: Request) -> Answer | None:
        """The answer to a request under `/dev`; None for every other address."""
        path = request.path.rstrip("/")
        if path != "/dev" and not path.startswith("/dev/"):
            return None
        route = self._routes.get((request.method, path))
        if route:
            return route(request)
        if path.startswith("/dev/letters/") and request.method == "GET":
            return self._letter(path.removeprefix("/dev/letters/")) or not_found(request.headers.get("Accept", ""))
        methods = [method for method, known in self._routes if known == path]
        if methods:
            return problem(405, "This address does not take that method", Allow=", ".join(methods))
        return not_found(request.headers.get("Accept", ""))

    def _token(self, request: Request) -> Answer:
        role = request.query.get("role", "")
        name = request.query.get("name") or _FIRST.get(role, "")
        return _nobody(role, name) or _json({"token": self._machine.issuer.token(role, name)})

    def _ask_who(self, request: Request) -> Answer:
        wrong = self._machine.issuer.wrong_with(request.query)
        page = self._pages.get_template("sign_in.html")
        html = page.render(people=PEOPLE, roles=ROLES, asked=request.query, wrong=wrong)
        return _html(html)._replace(status=400 if wrong else 200)

    def _sign_in(self, request: Request) -> Answer:
        form, issuer = _form(request.body), self._machine.issuer
        name, role = form.pop("person", ""), form.pop("role", None)
        wrong = issuer.wrong_with(form)
        if wrong:
            return problem(400, f"This cannot be a sign-in: look at {wrong}")
        if role is None and name in PEOPLE:
            return Answer(303, {"Location": issuer.sign_in(name, PEOPLE[name], form)})
        return _nobody(role or "", name) or Answer(303, {"Location": issuer.sign_in(name, role or "", form)})

    def _exchange(self, request: Request) -> Answer:
        tokens = self._machine.issuer.exchange(_form(request.body))
        refusal = Answer(400, {"Content-Type": "application/json"}, b'{"error":"invalid_grant"}')
        return _json(tokens) if tokens else refusal

    def _end(self, request: Request) -> Answer:
        back = request.query.get("post_logout_redirect_uri", "")
        return Answer(303, {"Location": back if self._machine.issuer.may_go_to(back) else "/dev"})

    def _outbox(self, _: Request) -> Answer:
        return _json({"letters": self._machine.outbox()})

    def _letters(self, _: Request) -> Answer:
        letters = self._machine.outbox()
        newest = letters[: -MOST_LETTERS - 1 : -1]
        page = self._pages.get_template("letters.html")
        return _html(page.render(letters=newest, more=len(letters) - len(newest)))

    def _letter(self, id: str) -> Answer | None:
        found = next((letter for letter in self._machine.outbox() if letter["id"] == id), None)
        return _html(found["html"], {"Content-Security-Policy": LETTER_POLICY}) if found else None

    def _tell_time(self, _: Request) -> Answer:
        return _json({"now": rfc3339(self._machine.clock.now())})

    def _advance(self, request: Request) -> Answer:
        form = request.headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded")
        seconds = _form_seconds(request.body) if form else _json_seconds(request.body)
        if seconds is None:
            title = f"advance_seconds must be a number from 0 to {LONGEST_ADVANCE_SECONDS}"
            return problem(422, title)
        self._machine.clock.advance(seconds)
        self._machine.triggers.run_due_schedules()
        return Answer(303, {"Location": "/dev"}) if form else self._tell_time(request)

    def _idle(self, _: Request) -> Answer:
        if self._machine.triggers.drained():
            return _json({"status": "idle"})
        return problem(503, "The stream or a queue still has work")

    def _reconcile(self, _: Request) -> Answer:
        """As of now: what is done here is written a moment later, and nobody but us does anything."""
        proof = self._machine.prove(rfc3339(self._machine.clock.now()))
        headers = {"Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store"}
        return Answer(409 if proof.differences else 200, headers, f"{proof.text}\n".encode())

    def _import(self, request: Request) -> Answer:
        if not request.headers.get("Content-Type", "").startswith("text/csv"):
            return problem(415, "Send the file as text/csv")
        try:
            months = read(request.body, month(self._machine.clock.now()))
        except Refused as refused:
            errors = [{"field": field, "message": message} for field, message in refused.errors]
            said = {"type": "about:blank", "title": refused.title, "status": refused.status, "errors": errors}
            said |= {"detail": refused.detail} if refused.detail else {}
            return Answer(refused.status, {"Content-Type": "application/problem+json"}, json.dumps(said).encode())
        replaced = self._machine.imported.replace(months)
        return _json({"months": len(months), "replaced": len(replaced)})

    def _show(self, _: Request) -> Answer:
        machine = self._machine
        page = self._pages.get_template("dev.html").render(
            machine=machine,
            now=rfc3339(machine.clock.now()),
            pages=PAGES,
            tokens={(role, name): machine.issuer.token(role, name) for role, name in _FIRST.items()},
            letters=machine.outbox(),
            queues={url.rsplit("/", 1)[1]: depths(machine.sqs, url) for url in machine.queue_urls.values()},
            idle=machine.triggers.drained(),
        )
        return _html(page)


def _html(page: str, more: dict[str, str] | None = None) -> Answer:
    headers = {"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store"}
    return Answer(200, headers | (more or {}), page.encode())


def _json(document: Any) -> Answer:
    headers = {"Content-Type": "application/json", "Cache-Control": "no-store"}
    return Answer(200, headers, json.dumps(document).encode())


def _nobody(role: str, name: str) -> Answer | None:
    """What is wrong with an invented person; None if nothing is."""
    if role not in ROLES:
        return problem(422, f"Say which role: {', '.join(ROLES)}")
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        return problem(422, f"A name has at most {LONGEST_NAME} characters, all of them printable")
    return None


def _json_seconds(body: bytes) -> float | None:
    try:
        sent = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return _sensible(sent.get("advance_seconds") if isinstance(sent, dict) else None)


def _form(body: bytes) -> dict[str, str]:
    sent = parse_qs(body.decode(errors="replace"), keep_blank_values=True)
    return {name: values[-1] for name, values in sent.items()}


def _form_seconds(body: bytes) -> float | None:
    sent = _form(body).get("advance_seconds", "")
    return _sensible(int(sent) if sent.isascii() and sent.isdigit() and len(sent) < 10 else None)


def _sensible(seconds: Any) -> float | None:
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        return None
    return seconds if 0 <= seconds <= LONGEST_ADVANCE_SECONDS else None
