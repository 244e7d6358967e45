"""The service in this process with its doors: its HTTP handlers and its functions, over a table of DynamoDB Local that
is counted. What is not DynamoDB is a stand-in (`scene.py`).
"""

import io
import logging
import os
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext, redirect_stdout
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from chalice.test import TestEventsClient

from bench.capacity import Meter, Spent
from bench.scene import Browser, Bucket, Clock, Sender, Sqs
from chalicelib import wiring
from chalicelib.config import Settings
from chalicelib.evidence_files import EvidenceFiles
from chalicelib.identity import Verifier
from chalicelib.queues import Queue
from chalicelib.sign_in import SignIn
from chalicelib.table import Table
from infra.local.functions import Functions
from infra.local.issuer import AUDIENCE, Issuer
from infra.local.stack import REGION, client, create_table

ISSUER = "https://issuer.example.com"
INDEXES = ("by_urgency", "by_deadline", "by_changed")
ARN = "arn:aws:dynamodb:eu-west-2:123456789012:table/bench/stream/1"
ENVIRONMENT = {
    "REPORTS_TABLE": "bench",
    "REPORTS_STREAM_ARN": ARN,
    "TRIAGE_QUEUE_URL": "https://sqs.example.com/123456789012/triage",
    "LETTERS_QUEUE_URL": "https://sqs.example.com/123456789012/letters",
    "EVIDENCE_BUCKET": "evidence",
    "OIDC_ISSUER": ISSUER,
    "OIDC_AUDIENCE": AUDIENCE,
    "FORCE_NAME": "Midshire Police",
    "FORCE_CODE": "20",
    "PUBLIC_STATISTICS": "yes",
    "POWERTOOLS_SERVICE_NAME": "crime-reports",
}


def set_environment() -> None:
    """What the app asks for as it is loaded."""
    os.environ |= ENVIRONMENT


class Step(NamedTuple):
    """Something that happens, by its name in `docs/scale.md`. What it takes is shared by `of` reports, without what
    another step, `beside`, takes anyway.
    """

    name: str
    act: Callable[[], Any]
    of: int = 1
    beside: str = ""


class Took(NamedTuple):
    """What a step took: of DynamoDB, and of it by each index in INDEXES; requests to us over HTTP, to the queues and to
    S3; bytes of answers, and of log lines.
    """

    spent: Spent
    urgency: float = 0
    deadline: float = 0
    changed: float = 0
    http: float = 0
    queues: float = 0
    files: float = 0
    answered: float = 0
    logged: float = 0


class Stage:
    """The service, people in front of it, and what each step of theirs takes."""

    def __init__(self, app: Any, endpoint: str) -> None:
        self.clock, self.sqs, self.bucket, self.sender = Clock(), Sqs(), Bucket(), Sender()
        self._raw, self._client = (client("dynamodb", endpoint) for _ in range(2))
        self._table = f"capacity-{uuid.uuid4().hex}"
        create_table(endpoint, self._table)
        self._meter = Meter(self._client)
        self._functions, self._events = Functions(app, nullcontext), TestEventsClient(app)
        self._issuer = Issuer(ISSUER, self.clock)
        self._service = self._made()
        self.public, self.officer, self.anybody = Browser(app), Browser(app), Browser(app)
        self._took = dict[str, list[Took]]()
        self._logs = io.StringIO()

    def play(self, steps: Iterator[Step], tell: Callable[[str], None]) -> dict[str, Took]:
        """Make all `steps`; what each takes, on the average of the times that it is made."""
        wiring.install(self._service)
        with redirect_stdout(self._logs), _logged_to(self._logs):
            for step in steps:
                tell(step.name)
                self._count(step)
        return {name: _mean(several) for name, several in self._took.items()}

    @property
    def times(self) -> dict[str, int]:
        """How often each step was made."""
        return {name: len(several) for name, several in self._took.items()}

    def _count(self, step: Step) -> None:
        self._service.secrets()  # each process reads them every ten minutes
        before = self._beside()
        spent = self._meter.of(step.act)
        took = Took(spent, *(now - then for now, then in zip(self._beside(), before, strict=True)))
        anyway = _mean(self._took[step.beside]) if step.beside else Took(Spent(0, 0, 0))
        self._took.setdefault(step.name, []).append(_each(lambda one, other: (one - other) / step.of, took, anyway))
        self.clock.advance(seconds=30)

    def _beside(self) -> tuple[float, ...]:
        """What is counted beside requests and units, up to now."""
        browsers = (self.public, self.officer, self.anybody)
        indexes = (self._meter.written_to[index] for index in INDEXES)
        requests, answered = (sum(getattr(one, name) for one in browsers) for name in ("requests", "bytes"))
        return *indexes, requests, self.sqs.requests, self.bucket.requests, answered, self._logs.tell()

    def _made(self) -> Any:
        """The service, with stand-ins for what is not the table."""
        made: Any = wiring.build(Settings.from_environ(ENVIRONMENT), self.clock, settle=lambda: None)
        made.table = Table(self._client, self._table)
        made.triage_queue = made.letters_queue = Queue(self.sqs, "queue")  # type: ignore[arg-type]
        made.evidence = EvidenceFiles(lambda: self.bucket, "evidence", made.table, self.clock, wiring.mint)  # type: ignore[arg-type, return-value]
        made.sender = self.sender
        made.verifier = Verifier(ISSUER, AUDIENCE, self.clock, self._document)
        made.sign_in = SignIn(made.verifier, AUDIENCE, wiring.mint, lambda _, form: self._issuer.exchange(form))
        return made

    def _document(self, url: str) -> Any:
        return self._issuer.configuration() if url.endswith("configuration") else self._issuer.keys()

    def _sent(self, name: str, **said: str) -> None:
        """The form of the page that goes to `name`."""
        self.public.submit(name, **said)

    def _post_json(self, told: str, key: str) -> None:
        self.public.ask("POST", "/reports", told, content_type="application/json", idempotency_key=key)

    def _sign_in(self, role: str) -> None:
        self.officer.get("/desk/sign-in")
        self._signed_in(role)

    def _signed_in(self, role: str) -> None:
        """Back from the directory, to which the last answer has led."""
        asked = dict(parse_qsl(urlsplit(self.officer.page.location).query))
        back = urlsplit(self._issuer.sign_in("Olive Officer", role, asked))
        self.officer.get(f"{back.path}?{back.query}")

    def _decided(self, report: str, name: str, **said: str) -> None:
        self.officer.submit(f"{report}/{name}", **said)

    def _wake(self, name: str) -> None:
        self._functions.invoke(name, self._events.generate_cw_event("aws.events", "Scheduled Event", {}, []))

    def _message(self, name: str, told: str) -> None:
        self._functions.invoke(name, self._events.generate_sqs_event([told]))

    def _stream(self, images: Sequence[Mapping[str, Any]]) -> None:
        about = {"awsRegion": REGION, "eventID": "1", "eventName": "MODIFY", "eventSourceARN": ARN}
        kept = {"ApproximateCreationDateTime": 0, "SequenceNumber": "1", "SizeBytes": 1, "StreamViewType": "NEW_IMAGE"}
        records = [about | {"dynamodb": kept | {"NewImage": image}} for image in images]
        self._functions.invoke("on_report_change", {"Records": records})

    def _items(self, kind: str, reference: str = "") -> list[dict[str, Any]]:
        """The items of reports, or of what is kept under them, as they are stored; uncounted."""
        pk = f"REPORT#{reference.replace('-', '')}"
        return [item for item in self._all_items()
                if item["sk"]["S"].startswith(kind) and item["pk"]["S"].startswith(pk)]  # fmt: skip

    def _all_items(self) -> list[dict[str, Any]]:
        pages = self._raw.get_paginator("scan").paginate(TableName=self._table)
        return [item for page in pages for item in page["Items"]]

    def _go_through(self, images: Sequence[Mapping[str, Any]]) -> None:
        """What happens to reports by itself, uncounted."""
        self._stream(images)
        with ThreadPoolExecutor(4) as pool:
            for name in ("on_triage", "on_letter"):
                list(pool.map(partial(self._message, name), set(self.sqs.messages)))
        self.sqs.messages.clear()


def _each(do: Callable[..., float], *several: Took) -> Took:
    """Figure by figure."""
    spent, *rest = zip(*several, strict=True)
    return Took(Spent(*(do(*parts) for parts in zip(*spent, strict=True))), *(do(*parts) for parts in rest))


def _mean(several: Sequence[Took]) -> Took:
    return _each(lambda *parts: sum(parts) / len(parts), *several)


@contextmanager
def _logged_to(text: io.StringIO) -> Iterator[None]:
    """What the service logs meanwhile goes there: its own handler keeps the stream that it began with."""
    (handler,) = logging.getLogger("crime-reports").handlers[:1]
    before = handler.setStream(text)
    try:
        yield
    finally:
        handler.setStream(before)
