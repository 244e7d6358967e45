"""The cold start of each of our functions: a new process, and one plain event of its kind, over AWS as moto has it."""

import base64
import json
import re
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any, ClassVar, NamedTuple
from urllib.parse import urlencode

from bench import cold, contest
from bench.gauge import Gauge, Run
from infra.local import stack

SENDER = "letters@example.com"
JSON, FORM = "application/json", "application/x-www-form-urlencoded"
EVERY_MINUTE = {
    "version": "0", "account": "123456789012", "region": stack.REGION, "detail": {}, "detail-type": "Scheduled Event",
    "source": "aws.events", "time": "2026-01-01T00:00:00Z", "id": "1", "resources": [],
}  # fmt: skip
SAID = "My van was broken into last night."
QUICKEST_SECONDS = 2.1  # the chat takes nobody for a person who begins it in less

_numbers = count(1)


class Scene:
    """A table of its own in moto's AWS, what is in it, and the functions of `package` over it."""

    def __init__(self, package: Path, endpoint: str, line: str) -> None:
        """AWS is at `endpoint`; `line` takes what is told over WebSocket."""
        self.package, self._table = package, f"bench-{next(_numbers)}"
        self._dynamodb, sqs = stack.client("dynamodb", endpoint), stack.client("sqs", endpoint)
        stack.create_table(endpoint, self._table)
        stack.client("sesv2", endpoint).create_email_identity(EmailIdentity=SENDER)
        self.environ = {
            "AWS_ENDPOINT_URL": endpoint,
            "REPORTS_TABLE": self._table,
            "TRIAGE_QUEUE_URL": sqs.create_queue(QueueName=f"{self._table}-triage")["QueueUrl"],
            "LETTERS_QUEUE_URL": sqs.create_queue(QueueName=f"{self._table}-letters")["QueueUrl"],
            "LETTER_SENDER": "ses",
            "LETTER_FROM": SENDER,
            "CHAT_HOURS": "Mon-Sun 00:00-24:00",
            "CHAT_SOCKET": "wss://socket.example.com/bench",
            "CHAT_MANAGEMENT": line,
        }

    def ask(self, event: Any, handler: str = "app.app") -> Any:
        """What a function answers, in a process that nobody measures."""
        (answer,) = json.loads(cold.run(self.package, [(handler, event)], self.environ).stdout)
        return answer

    def image(self) -> dict[str, Any]:
        """The report that was sent here, as the stream has it."""
        items = self._dynamodb.scan(TableName=self._table)["Items"]
        (item,) = (item for item in items if item["sk"] == {"S": "REPORT"})
        image: dict[str, Any] = json.loads(json.dumps(item, default=lambda raw: base64.b64encode(raw).decode()))
        return image


class _Line(cold.Service):
    """API Gateway's way to those who are connected: all are there, and listen."""

    told: ClassVar[list[str]] = []

    def answer(self, body: bytes) -> Any:
        self.told.append(body.decode())
        return {}


class Function(NamedTuple):
    """A function by its handler. `event` makes a scene as the event finds it, and gives the event; `says` is what the
    function prints once it has done its work.
    """

    handler: str
    event: Callable[[Scene], Any]
    says: str = ""


def measure(package: Path, gauge: Gauge, tell: Callable[[str], None]) -> Mapping[str, float]:
    """What the cold start of each function takes, by its name, in units of the gauge."""
    with stack.moto() as endpoint, cold.served(_Line) as line, ThreadPoolExecutor(gauge.at_once) as pool:

        def cost(name: str) -> float:
            tell(f"{name}, from cold")
            function = FUNCTIONS[name]

            def run() -> Run:
                scene = Scene(package, endpoint, line)
                event = function.event(scene)
                return Run(package, [(function.handler, event)], scene.environ, function.says)

            return gauge.cost(run)

        costs = dict(zip(FUNCTIONS, pool.map(cost, FUNCTIONS), strict=True))
    told = " ".join(_Line.told)
    assert SAID in told and "refused" not in told, told
    return costs


def _report(_: Scene) -> dict[str, Any]:
    return cold.request("POST", "/reports", contest.body(), Content_Type=JSON)


def _page(path: str) -> dict[str, Any]:
    return cold.request("GET", path, Accept="text/html")


def _changed(scene: Scene) -> dict[str, Any]:
    """What the stream brings of a report that was sent."""
    scene.ask(_report(scene))
    change = {"Keys": {}, "NewImage": scene.image(), "SequenceNumber": "1", "StreamViewType": "NEW_IMAGE",
              "SizeBytes": 2_000, "ApproximateCreationDateTime": 1_767_225_600}  # fmt: skip
    stream = {"awsRegion": stack.REGION, "eventSourceARN": cold.SETTINGS["REPORTS_STREAM_ARN"]}
    return {"Records": [{"eventID": "1", "eventName": "INSERT", "dynamodb": change, **stream}]}


def _told(scene: Scene) -> dict[str, Any]:
    """What a queue brings of it."""
    sent = json.loads(scene.ask(_report(scene))["body"])
    body = json.dumps({"reference": sent["reference"].replace("-", ""), "version": 1, "what": "received"})
    record = {"messageId": "1", "receiptHandle": "1", "body": body, "attributes": {"ApproximateReceiveCount": "1"}}
    return {"Records": [record]}


def _frame(kind: str, body: str | None = None) -> dict[str, Any]:
    context = {"connectionId": "c1", "eventType": kind, "routeKey": "$default", "stage": cold.STAGE}
    return {"requestContext": {**context, "apiId": "a1", "domainName": "socket.example.com"}, "body": body}


def _said(scene: Scene) -> dict[str, Any]:
    """A frame in which a visitor of the chat writes."""
    _visitor(scene)
    return _frame("MESSAGE", json.dumps({"do": "say", "text": SAID, "id": "m1"}))


def _gone(scene: Scene) -> dict[str, Any]:
    _visitor(scene)
    return _frame("DISCONNECT")


def _visitor(scene: Scene) -> None:
    """Somebody begins a conversation in the live chat, whose page opens a socket."""
    begins = scene.ask(_page("/chat"))
    (token,) = re.findall(r'name="token" value="([^"]+)"', begins["body"])
    time.sleep(QUICKEST_SECONDS)
    said = urlencode({"name": "Ann Example", "text": "Is this the right place?", "token": token, "emergency": "no"})
    browser = _cookie(begins)
    sent = scene.ask(cold.request("POST", "/chat", said, Content_Type=FORM, Cookie=browser))
    found = scene.ask(cold.request("GET", "/chat/entries", Cookie=f"{browser}; {_cookie(sent)}"))
    opens = json.dumps({"do": "open", "pass": json.loads(found["body"])["socket"]["pass"]})
    scene.ask(_frame("MESSAGE", opens), "app.websocket_message")


def _cookie(answer: Any) -> str:
    return str(answer["headers"]["Set-Cookie"]).partition(";")[0]


FUNCTIONS = {
    "HTTP: a report": Function("app.app", _report),
    "HTTP: the start page": Function("app.app", lambda _: _page("/")),
    "HTTP: the desk, signed out": Function("app.app", lambda _: _page("/desk")),
    "on_report_change": Function("app.on_report_change", _changed, says="forwarded"),
    "on_triage": Function("app.on_triage", _told, says="triaged"),
    "on_letter": Function("app.on_letter", _told, says="letter sent"),
    "crime_due_reports": Function("app.crime_due_reports", lambda _: EVERY_MINUTE, says="Untriaged"),
    "keep_house": Function("app.keep_house", lambda _: EVERY_MINUTE),
    "reconcile": Function("app.reconcile", lambda _: EVERY_MINUTE, says="reconciled"),
    "websocket_connect": Function("app.websocket_connect", lambda _: _frame("CONNECT")),
    "websocket_message": Function("app.websocket_message", _said),
    "websocket_disconnect": Function("app.websocket_disconnect", _gone),
}
"""Every function of ours, by what is shown of it; the one of HTTP by what it is asked."""
