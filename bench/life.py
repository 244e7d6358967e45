"""The life of a report, from its first page until it is erased, through the service's own doors in this process: its
HTTP handlers and its functions, over a table of DynamoDB Local. What is not DynamoDB is a stand-in (`scene.py`).
"""

import io
import json
import logging
import os
import re
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext, redirect_stdout
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit

import yaml
from chalice.test import TestEventsClient

from bench.capacity import Meter, Spent, client, size
from bench.scene import Answer, Browser, Bucket, Clock, Sender, Sqs
from chalicelib import wiring
from chalicelib.config import Settings
from chalicelib.evidence_files import EvidenceFiles
from chalicelib.forms import EXAMPLES
from chalicelib.identity import Verifier
from chalicelib.queues import Queue
from chalicelib.sign_in import SignIn
from chalicelib.table import Table
from chalicelib.times import stamp
from infra.local.functions import Functions
from infra.local.issuer import AUDIENCE, Issuer
from infra.local.stack import REGION, TEMPLATE, create_table
from infra.replay.people import People, body

OTHERS = 55  # open reports beside the one: more than a page of the queue
ISSUER = "https://issuer.example.com"
_TABLE = yaml.safe_load(TEMPLATE.read_text())["Resources"]["ReportsTable"]["Properties"]
_INDEXES = _TABLE["GlobalSecondaryIndexes"]
INDEXES = ("by_urgency", "by_deadline", "by_changed")
FORM = "application/x-www-form-urlencoded"
EACH_MINUTE = "Each minute: what is due, and what waits"
HOURLY = "Each hour: housekeeping with nothing to do"
NIGHTLY = "Each night: counting with nothing there"
PHOTO = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01" + bytes(400)
TOLD = EXAMPLES["burglary"]
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


class Life:
    """The report, who made it, who decides it, and what else is in the table."""

    def __init__(self, app: Any, endpoint: str) -> None:
        self.clock, self.sqs, self.bucket, self.sender = Clock(), Sqs(), Bucket(), Sender()
        self._raw, self._client, self._table = client(endpoint), client(endpoint), f"capacity-{uuid.uuid4().hex}"
        create_table(endpoint, self._table)
        self._meter = Meter(self._client)
        self._functions, self._events = Functions(app, nullcontext), TestEventsClient(app)
        self._issuer = Issuer(ISSUER, self.clock)
        self._service, self._people = self._made(), People("capacity")
        self.public, self.officer, self.anybody = Browser(app), Browser(app), Browser(app)
        self.reference, self._added_up_to = "", ""
        self.stored = 0  # bytes that the report leaves behind, in the table and its indexes
        self._took = dict[str, list[Took]]()
        self._logs = io.StringIO()

    def live(self, tell: Callable[[str], None]) -> dict[str, Took]:
        """All of it once; what each step takes, on the average of the times that it happens."""
        wiring.install(self._service)
        with redirect_stdout(self._logs), _logged_to(self._logs):
            for step in self.steps():
                tell(step.name)
                self._count(step)
        return {name: _mean(several) for name, several in self._took.items()}

    def steps(self) -> Iterator[Step]:
        """What happens, in its order."""
        yield from self._with_nothing_to_do()
        self._others_report()
        yield from self._reporting_at_once()
        yield from self._reporting_page_by_page()
        yield from self._behind_the_stream()
        yield from self._at_the_desk()
        yield from self._asking_where_it_stands()
        yield from self._when_the_day_is_over()
        yield from self._when_the_years_are_over()

    def _with_nothing_to_do(self) -> Iterator[Step]:
        self._wake("keep_house")
        self.clock.advance(hours=1)
        yield Step(HOURLY, lambda: self._wake("keep_house"))
        yield Step(NIGHTLY, lambda: self._wake("reconcile"))

    def _others_report(self) -> None:
        for number in range(OTHERS):
            told = body(self._people.report(self.clock.now, "", scant=False), self.clock.now).decode()
            self._post_json(told, f"other-{number}")
        self._stream(self._items("REPORT"))
        with ThreadPoolExecutor(4) as pool:
            for name in ("on_triage", "on_letter"):
                list(pool.map(partial(self._message, name), set(self.sqs.messages)))
        self.sqs.messages.clear()

    # The public

    def _reporting_at_once(self) -> Iterator[Step]:
        sent = json.dumps(EXAMPLES["theft"])
        yield Step("A report is sent", lambda: self._post_json(sent, "the-one"))
        yield Step("The same is sent again", lambda: self._post_json(sent, "the-one"))
        form = urlencode([*_flat(EXAMPLES["criminal_damage"]), ("token", "of-the-form")])
        yield Step("A report is sent, all on one page",
                   lambda: self.public.ask("POST", "/reports", form, content_type=FORM))  # fmt: skip

    def _reporting_page_by_page(self) -> Iterator[Step]:
        yield self._opened("/report/burglary")
        for linked in re.findall(r'(?:href|src)="(/static/[^"]+)"', self._last.text):
            yield Step("A style sheet or picture is opened", lambda linked=linked: self.anybody.get(linked))
        while not self.public.at.endswith("/check"):
            self.clock.advance(seconds=30)
            yield from self._page(self.public.at)
        yield Step("A draft is sent as a report", lambda: self._sent("check", declaration="yes"))
        yield Step("The page with its reference", lambda: self.public.get(self.public.page.path))
        self.reference = self.public.at.rpartition("/")[2]

    def _page(self, here: str) -> Iterator[Step]:
        """One page answered, and the next one opened."""
        match here.rpartition("/")[2]:
            case "items":
                yield from self._items_told(here)
            case "files":
                yield from self._file_added(here)
            case "you":  # they stop for today, and come back by a link
                yield from self._break(here)
        name = here.rpartition("/")[2] if "/drafts/" in here else "before"
        yield Step("A page of questions is answered", lambda: self._sent(name, **self._answers(TOLD)))
        yield self._opened(self.public.page.path)

    def _items_told(self, here: str) -> Iterator[Step]:
        for item in TOLD["items"]:
            (add,) = re.findall(r'href="([^"]+/items/[0-9a-f]{32})">Add', self._last.text)
            yield self._opened(add)
            said = self._answers(item)
            yield Step("A page of questions is answered", lambda add=add, said=said: self._sent(add, **said))
            yield self._opened(here)

    def _file_added(self, here: str) -> Iterator[Step]:
        self.bucket.files[self.bucket.invited] = PHOTO
        added = self.bucket.invited.partition("/")[2]
        yield Step("A file has been added", lambda: self.public.get(f"{here}?added={added}"))

    def _break(self, here: str) -> Iterator[Step]:
        save = here.replace("/you", "/save")
        yield self._opened(save)
        yield Step("A return link is asked for", lambda: self._sent("save", email="sam@example.com"))
        yield Step("The return link is sent", lambda: self._message("on_letter", self.sqs.messages.pop()))
        self.public.get(here)

    def _asking_where_it_stands(self) -> Iterator[Step]:
        path, asked = f"/status/{self.reference}", {"reference": self.reference, **{"email": TOLD["contact"]["email"]}}
        self.public.get("/status")
        yield Step("Somebody says which report is theirs", lambda: self.public.submit("/status", **asked))
        yield Step("The page where it stands", lambda: self.public.get(path))
        self.public.get(f"{path}/add")
        yield Step("Something is added to it", lambda: self._sent("add", text="The neighbour saw a white van."))

    # Behind the stream

    def _behind_the_stream(self) -> Iterator[Step]:
        images = (self._items("REPORT") * 2)[:100]
        yield Step("The stream hands over 100 changes", lambda: self._stream(images))
        image = self._items("REPORT", self.reference)
        yield Step("The stream hands over a change", lambda: self._stream(image))
        told = self.sqs.messages.pop()
        yield Step("Triage assesses a report", lambda: self._message("on_triage", told))
        yield Step("A letter is sent", lambda: self._message("on_letter", told))

    # The desk

    def _at_the_desk(self) -> Iterator[Step]:
        yield Step("An officer signs in", lambda: self._sign_in("officer"))
        yield Step("A page of the queue is opened", lambda: self.officer.get("/desk"))
        yield Step("The next report is taken", lambda: self.officer.submit("/next"))
        taken = f"/desk/reports/{self.reference}"
        self.officer.get(taken)
        self._decided(taken, "claim")
        yield self._read(taken)
        self.clock.advance(minutes=5)
        yield Step("A report is held on to", lambda: self._held_on_to(taken))
        self.officer.get("/desk")
        yield Step("A report is searched for", lambda: self.officer.submit("/search", search="Fairweather"))
        yield from self._decision(taken, "call-back", "A call-back is noted", result="reached", note="They were in.")
        crimed = {"offence": "28E", "follows": "further_investigation", "note": "An officer attends."}
        yield from self._decision(taken, "crime", "A report is crimed", **crimed)
        told = self._asked_for(taken)
        yield Step("A letter is sent", lambda: self._message("on_letter", told))
        why = {"reason": "no_offence", "rationale": "The owner has found it again."}
        yield from self._decision(self._next(), "not-crime", "A report is closed without a crime", **why)

    def _decision(self, report: str, name: str, words: str, **said: str) -> Iterator[Step]:
        """Its form, the letter if one follows, and the decision itself, which leads back to the report."""
        opened = "The form of a decision is opened"
        if name == "call-back":
            self._settle_figures(report)
            opened = "The form of a call-back is opened"
        yield Step(opened, lambda: self.officer.get(f"{report}/{name}"))
        if name not in ("call-back", "erase"):
            yield Step("A letter is shown before it goes", lambda: self._decided(report, name, **said))
            said["confirmed"] = "yes"
        yield Step(words, lambda: self._decided(report, name, **said))
        yield self._read(report)

    # By the clock

    def _when_the_day_is_over(self) -> Iterator[Step]:
        yield Step(EACH_MINUTE, lambda: self._wake("crime_due_reports"))
        self.clock.advance(days=1)
        due = sum("due" in item for item in self._items("REPORT"))
        yield Step("The 24-hour rule crimes a report", lambda: self._wake("crime_due_reports"), due, EACH_MINUTE)
        self._sign_in("supervisor")
        listed = self.officer.get("/desk?list=awaiting_disposal")
        automatic = re.findall(r'href="(/desk/reports/[^"?]+)"', listed.text)[0]
        self.officer.get(automatic)
        said = {"follows": "further_investigation", "note": "To be looked into."}
        yield from self._decision(automatic, "disposal", "A crime is disposed of", **said)
        yield from self._figures()

    def _figures(self) -> Iterator[Step]:
        self.stored = sum(map(stored, self._about()))
        self.clock.advance(minutes=20)
        changed = sum(item["changed_at"]["S"] > self._added_up_to for item in self._items("") if "changed" in item)
        yield Step("The figures are moved on, for each change", lambda: self._wake("keep_house"), changed, HOURLY)
        yield Step("The statistics of a year are opened", lambda: self.officer.get("/statistics"))
        yield Step("Everybody's statistics are opened", lambda: self.anybody.get("/statistics"))
        yield Step("The same within a minute", lambda: self.anybody.get("/statistics"))
        all_reports = len(self._items("REPORT"))
        yield Step(
            "Everything is counted again, for each report", lambda: self._wake("reconcile"), all_reports, NIGHTLY
        )

    def _when_the_years_are_over(self) -> Iterator[Step]:
        self._sign_in("supervisor")
        report = f"/desk/reports/{self.reference}"
        self.officer.get(report)
        yield from self._decision(report, "erase", "A report is erased", text="The person asked for it.")
        for _ in range(3):  # what was on its way then has arrived two hours later
            self.clock.advance(hours=1)
            yield Step("What is left of it is looked for", lambda: self._wake("keep_house"), beside=HOURLY)
        self.clock.advance(days=7)
        yield Step("A draft is forgotten", lambda: self._wake("keep_house"), beside=HOURLY)

    # How the steps are made

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

    @property
    def _last(self) -> Answer:
        return self.public.page

    def _opened(self, path: str) -> Step:
        return Step("A page of questions is opened", lambda: self.public.get(path))

    def _read(self, report: str) -> Step:
        return Step("A report is opened", lambda: self.officer.get(report))

    def _sent(self, name: str, **said: str) -> None:
        """The form of the page that goes to `name`."""
        self.public.submit(name, **said)

    def _post_json(self, told: str, key: str) -> None:
        self.public.ask("POST", "/reports", told, content_type="application/json", idempotency_key=key)

    def _answers(self, told: Mapping[str, Any]) -> dict[str, str]:
        """Those of `told` that the page asks for."""
        asked = set(re.findall(r'name="([^"]+)"', self._last.text))
        return {name: value for name, value in _flat(told) if name in asked}

    def _sign_in(self, role: str) -> None:
        asked = dict(parse_qsl(urlsplit(self.officer.get("/desk/sign-in").location).query))
        back = urlsplit(self._issuer.sign_in("Olive Officer", role, asked))
        self.officer.get(f"{back.path}?{back.query}")

    def _next(self) -> str:
        self.officer.get("/desk")
        path = self.officer.submit("/next").path.partition("?")[0]
        self.officer.get(path)
        return path

    def _settle_figures(self, report: str) -> None:
        """What has changed is older than ten minutes, and added up; and the session is in use."""
        self.clock.advance(minutes=15)
        self._added_up_to = stamp(self.clock.now)
        self._wake("keep_house")
        self.officer.get(report)

    def _decided(self, report: str, name: str, **said: str) -> None:
        self.officer.submit(f"{report}/{name}", **said)

    def _held_on_to(self, report: str) -> None:
        """As the script of its page does."""
        token = re.findall(r'name="token" value="([^"]+)"', self.officer.page.text)[0]
        self.officer.ask("POST", f"{report}/renew", urlencode({"token": token}), content_type=FORM)

    def _asked_for(self, report: str) -> str:
        """The message that the last change of a report leads to."""
        self._stream(self._items("REPORT", report.rpartition("/")[2]))
        return self.sqs.messages.pop()

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

    def _about(self) -> list[dict[str, Any]]:
        """All that is kept of the one report, and what officers have seen of it."""
        plain = self.reference.replace("-", "")
        return [item for item in self._all_items() if plain in json.dumps(item, default=str)]

    def _all_items(self) -> list[dict[str, Any]]:
        pages = self._raw.get_paginator("scan").paginate(TableName=self._table)
        return [item for page in pages for item in page["Items"]]


def stored(item: Mapping[str, Any]) -> int:
    """Bytes that DynamoDB bills for keeping an item with its index entries: 100 more for each."""
    indexes = [index for index in _INDEXES if all(one["AttributeName"] in item for one in index["KeySchema"])]
    entries = [{name: value for name, value in item.items() if name in _projected(index)} for index in indexes]
    return sum(size(one) + 100 for one in (item, *entries))


def _projected(index: Mapping[str, Any]) -> set[str]:
    keys = {one["AttributeName"] for one in index["KeySchema"]}
    return keys | {"pk", "sk", *index["Projection"].get("NonKeyAttributes", ())}


def _each(do: Callable[..., float], *several: Took) -> Took:
    """Figure by figure."""
    spent, *rest = zip(*several, strict=True)
    return Took(Spent(*(do(*parts) for parts in zip(*spent, strict=True))), *(do(*parts) for parts in rest))


def _mean(several: Sequence[Took]) -> Took:
    return _each(lambda *parts: sum(parts) / len(parts), *several)


def _flat(answers: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """The pairs that a browser would send for `answers`."""
    if isinstance(answers, Mapping):
        for key, value in answers.items():
            yield from _flat(value, f"{name}.{key}" if name else key)
    elif isinstance(answers, list):
        for index, value in enumerate(answers):
            yield from _flat(value, f"{name}.{index}" if isinstance(value, Mapping) else name)
    elif name.rpartition("_")[2] in ("date", "on"):
        yield from zip((f"{name}.year", f"{name}.month", f"{name}.day"), answers.split("-"), strict=True)
    else:
        yield name, str(answers)


@contextmanager
def _logged_to(text: io.StringIO) -> Iterator[None]:
    """What the service logs meanwhile goes there: its own handler keeps the stream that it began with."""
    (handler,) = logging.getLogger("crime-reports").handlers[:1]
    before = handler.setStream(text)
    try:
        yield
    finally:
        handler.setStream(before)
