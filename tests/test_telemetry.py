"""What the service says about its own work: one log line for each thing it does, and every change counted once."""

import base64
import io
import json
import logging
import subprocess
import sys
import threading
import uuid
from collections.abc import Sequence
from contextlib import redirect_stdout
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from chalice.local import LambdaContext

from chalicelib import report as life
from chalicelib import telemetry, wiring
from chalicelib.config import Settings
from chalicelib.forms import EXAMPLES
from chalicelib.handlers import background
from chalicelib.letters import Letter, Undeliverable
from chalicelib.queues import Change
from chalicelib.reference import show
from chalicelib.report import RULE, Crime, Report
from chalicelib.rule import BLOCK
from chalicelib.table import marshal
from chalicelib.wiring import Service
from tests.fakes import ANN, NOW, Clock, FakeTable, answers

ROOT = Path(__file__).parents[1]
SERVICE = "crime-reports-test"
ENVIRONMENT = {
    "POWERTOOLS_SERVICE_NAME": SERVICE, "REPORTS_STREAM_ARN": "arn:aws:dynamodb:eu-west-2:123456789012:table/reports",
    **dict.fromkeys(("REPORTS_TABLE", "TRIAGE_QUEUE_URL", "LETTERS_QUEUE_URL", "EVIDENCE_BUCKET", "OIDC_ISSUER",
                     "OIDC_AUDIENCE",
                     "FORCE_NAME"), "x"),
    "FORCE_CODE": "20",
}  # fmt: skip
EVERY_LINE = {"level", "location", "message", "timestamp", "service", "function_request_id", "cold_start"}


class FakeQueue:
    """Takes changes, or breaks."""

    def __init__(self) -> None:
        self.taken: list[Change] = []
        self.broken = False

    def send(self, changes: Sequence[Change]) -> None:
        if self.broken:
            raise ConnectionError("Eve Example")
        self.taken += changes


class Functions:
    """The deployed functions over tables and queues in memory; each call gives what it printed, line by line."""

    def __init__(self, app: Any) -> None:
        self._app, self.clock, self.table = app, Clock(), FakeTable()
        self.service = Service(Settings.from_environ(ENVIRONMENT), self.clock, lambda: None)
        self.queue: Any = FakeQueue()
        vars(self.service).update(table=self.table, triage_queue=self.queue, letters_queue=self.queue)
        self.failure: Exception | None = None

    def submit(self, **sections: Any) -> str:
        return self.service.casework.submit(answers(**sections), None).reference

    def image(self, reference: str, **changed: Any) -> Any:
        """The report as the stream shows it."""
        item = marshal({**self.table.items[f"REPORT#{reference}", "REPORT"], **changed})
        return json.loads(json.dumps(item, default=lambda binary: base64.b64encode(binary).decode()))

    def change(self, *images: Any) -> list[Any]:
        about = {"awsRegion": "x", "eventID": "1", "eventName": "MODIFY", "eventSourceARN": "x"}
        said = {"ApproximateCreationDateTime": 0, "SequenceNumber": "1", "SizeBytes": 1, "StreamViewType": "NEW_IMAGE"}
        records = [{"dynamodb": said | {"NewImage": image}, **about} for image in images]
        return self.call("on_report_change", {"Records": records})

    def message(self, function: str, reference: str, version: int = 1, receives: int = 1) -> list[Any]:
        told = json.dumps({"reference": reference, "version": version, "what": "received"})
        record = {"body": told, "receiptHandle": "x", "attributes": {"ApproximateReceiveCount": str(receives)}}
        return self.call(function, {"Records": [record]})

    def minute(self) -> list[Any]:
        names = ("version", "account", "region", "detail", "detail-type", "source", "time", "id", "resources")
        return self.call("crime_due_reports", dict.fromkeys(names, "x"))

    def request(self, method: str, route: str, sent: Any = None, **path: str) -> list[Any]:
        context = {"resourcePath": route, "httpMethod": method, "path": route.format(**path), "stage": "x"}
        event = {"requestContext": context, "pathParameters": path or None, "multiValueQueryStringParameters": None,
                 "headers": {"Content-Type": "application/json", "Accept": "application/json"},
                 "body": json.dumps(sent), "stageVariables": None}  # fmt: skip
        return self.call("app", event)

    def call(self, name: str, event: Any) -> list[Any]:
        """What is raised is kept in `failure`."""
        self.failure, self.context = None, LambdaContext(name, 512, 60_000)
        printed, handler = io.StringIO(), logging.getLogger(telemetry.LOGGER).handlers[0]
        assert isinstance(handler, logging.StreamHandler)
        usual = handler.setStream(printed)
        try:
            with redirect_stdout(printed):
                getattr(self._app, name)(event, self.context)
        except background.Failed as failure:
            self.failure = failure
        finally:
            handler.setStream(usual)
        return [json.loads(line) for line in printed.getvalue().splitlines()]


@pytest.fixture
def functions(app_module: Any, monkeypatch: pytest.MonkeyPatch) -> Functions:
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", SERVICE)
    functions = Functions(app_module)
    monkeypatch.setattr(wiring, "_installed", functions.service)
    return functions


def logged(lines: list[Any]) -> list[Any]:
    return [line for line in lines if "_aws" not in line]


def said(lines: list[Any]) -> list[dict[str, Any]]:
    """Each log line without what every line has, its message included."""
    return [{name: line[name] for name in line if name not in EVERY_LINE - {"message"}} for line in logged(lines)]


def measured(lines: list[Any]) -> dict[str, list[float]]:
    """The values of each metric in the embedded metric format."""
    found: dict[str, list[float]] = {}
    for blob in (line for line in lines if "_aws" in line):
        (directive,) = blob["_aws"]["CloudWatchMetrics"]
        assert (directive["Namespace"], directive["Dimensions"]) == ("CrimeReports", [["service"]])
        assert blob["service"] == SERVICE
        for metric in directive["Metrics"]:
            assert metric["Unit"] == telemetry.METRICS[metric["Name"]]
            found.setdefault(metric["Name"], []).extend(blob[metric["Name"]])
    return found


# Requests


def test_a_request_is_one_line_with_everything_needed_to_follow_it(functions: Functions) -> None:
    (line,) = functions.request("POST", "/reports", EXAMPLES["theft"])
    (reference,) = (pk.removeprefix("REPORT#") for pk, sk in functions.table.items if sk == "REPORT")
    assert line.keys() == EVERY_LINE | {"method", "route", "status", "reference"}
    assert (line["level"], line["message"], line["service"]) == ("INFO", "request", SERVICE)
    assert line["function_request_id"] == functions.context.aws_request_id
    told = {"method": "POST", "route": "/reports", "status": 201, "reference": show(reference)}
    assert told.items() <= line.items()


@pytest.mark.parametrize(
    ("method", "route", "typed", "status", "reference"),
    [
        ("GET", "/reports/{reference}", "7k3m 9qwp-r2t6", 404, None),  # its check symbol is wrong
        ("GET", "/reports/{reference}", "sam@example.com", 404, None),
        ("POST", "/reports/{reference}/status", "222222222222", 422, "2222-2222-2222"),
        ("POST", "/triage/{reference}/claim", "2222-2222-2222", 401, "2222-2222-2222"),
        ("PUT", "/reports", None, 405, None),
    ],
)
def test_an_address_is_never_logged_but_the_route_and_a_true_reference_are(
    functions: Functions, method: str, route: str, typed: str | None, status: int, reference: str | None
) -> None:
    lines = functions.request(method, route, {"email": 1}, **({"reference": typed} if typed else {}))
    told = {"message": "request", "method": method, "route": route, "status": status}
    assert said(lines) == [told | ({"reference": reference} if reference else {})]


def test_an_unforeseen_error_is_told_by_type_and_place(functions: Functions) -> None:
    vars(functions.service)["casework"] = None
    error, request = functions.request("POST", "/reports", EXAMPLES["theft"])
    assert error["error"].startswith("AttributeError at public.py:") and error["level"] == "ERROR"
    assert request["status"] == 500
    assert error["function_request_id"] == request["function_request_id"]


# Work


def test_triage_is_one_line_and_told_twice_still_one(functions: Functions) -> None:
    reference = functions.submit()
    assert said(functions.message("on_triage", reference)) == [{"message": "triaged", "reference": show(reference)}]
    assert functions.message("on_triage", reference) == []


class Refusing:
    def send(self, letter: Letter, at: Any) -> None:
        raise Undeliverable("Eve Example")


def test_a_letter_is_one_line_and_counted_where_it_is_sent_not_where_it_was(functions: Functions) -> None:
    reference = functions.submit()
    told = {"message": "letter sent", "template": "acknowledgement", "reference": show(reference)}
    lines = functions.message("on_letter", reference)
    assert (said(lines), measured(lines)) == ([told], {"LettersSent": [1]})
    assert functions.message("on_letter", reference) == []


def test_a_letter_that_is_refused_for_good_counts_as_failed(functions: Functions) -> None:
    functions.service.casework._sender = Refusing()
    lines = functions.message("on_letter", functions.submit())
    assert said(lines)[0]["message"] == "letter failed" and measured(lines) == {"LettersFailed": [1]}
    assert "Eve" not in str(lines)


def test_why_a_letter_is_withheld_stays_with_the_report(functions: Functions) -> None:
    contact = answers()["contact"] | {"safe_to_write": "no"}
    (line,) = functions.message("on_letter", functions.submit(contact=contact))
    assert line["message"] == "letter withheld" and "safe" not in str(line)


@pytest.mark.parametrize("receives", [1, 4, 5, 6])
def test_a_message_that_fails_for_the_last_time_is_a_dead_letter(functions: Functions, receives: int) -> None:
    reference = functions.submit()
    functions.table.items[f"REPORT#{reference}", "REPORT"]["answers"] = b"Eve Example"
    lines = functions.message("on_triage", reference, receives=receives)
    (line,) = logged(lines)
    assert (line["message"], line["level"], line["reference"]) == ("triage failed", "ERROR", show(reference))
    assert line["receives"] == receives and line["error"].startswith("error at report_items.py:")
    assert str(functions.failure) == line["error"]
    assert measured(lines) == ({"DeadLetters": [1]} if receives >= 5 else {})


def test_a_message_that_is_none_of_ours_is_not_quoted(functions: Functions) -> None:
    assert functions.message("on_triage", "Eve Example") == []  # well formed, and about no report
    record = {"body": '{"name": "Eve"}', "receiptHandle": "x", "attributes": {"ApproximateReceiveCount": "1"}}
    (line,) = functions.call("on_letter", {"Records": [record]})
    assert line["message"] == "send_letter failed" and "Eve" not in str(line)


def test_the_last_receive_is_the_one_after_which_the_queues_set_aside() -> None:
    resources = yaml.safe_load((ROOT / "infra" / "data.yaml").read_text())["Resources"].values()
    policies = [resource["Properties"]["RedrivePolicy"] for resource in resources
                if "RedrivePolicy" in resource["Properties"]]  # fmt: skip
    assert [policy["maxReceiveCount"] for policy in policies] == [background.LAST_RECEIVE] * 2


# Changes


def test_each_kind_of_change_counts_once_in_its_metric(functions: Functions) -> None:
    officers, store = functions.service.desk, functions.service.store
    by_officer, by_rule, closed = (functions.submit() for _ in range(3))
    assert measured(functions.change(functions.image(by_officer))) == {"Received": [1]}

    functions.message("on_triage", by_officer)
    assert measured(functions.change(functions.image(by_officer))) == {}
    for version, counted in ((2, {"CallBacks": [1]}), (3, {})):  # the report is counted, as in the monthly figures
        officers.call_back(ANN, by_officer, version, "no_answer", None)
        assert measured(functions.change(functions.image(by_officer))) == counted

    functions.clock.advance(minutes=90)
    officers.crime(ANN, by_officer, 4, "44", "filed", None, None)
    assert measured(functions.change(functions.image(by_officer))) == {"CrimedByOfficer": [1], "SecondsToCrime": [5400]}
    officers.dispose(ANN, by_officer, 5, "further_investigation", None, None)
    officers.not_crime(ANN, closed, 1, "no_offence", "why", {})
    counted = measured(functions.change(functions.image(by_officer), functions.image(closed)))
    assert counted == {"NotCrimed": [1]}

    functions.clock.advance(hours=22, minutes=29)
    functions.minute()
    seconds = timedelta(hours=23, minutes=59).total_seconds()
    assert measured(functions.change(functions.image(by_rule))) == {"CrimedByRule": [1], "SecondsToCrime": [seconds]}
    assert store.read(by_rule).crime.by == RULE  # type: ignore[union-attr]


def test_a_batch_is_forwarded_in_one_line_and_counted_in_one(functions: Functions) -> None:
    first, second = functions.submit(), functions.submit()
    letter = {"pk": {"S": f"REPORT#{first}"}, "sk": {"S": "LETTER#000001"}, "state": {"S": "sent"}}
    log_line, metrics_line = functions.change(functions.image(first), letter, None, functions.image(second))
    assert said([log_line]) == [{"message": "forwarded", "changes": 2}]
    assert measured([metrics_line]) == {"Received": [1, 1]}
    assert functions.change(letter, None) == []


def test_nothing_is_counted_before_the_queues_took_it_and_once_when_they_did(functions: Functions) -> None:
    image = functions.image(functions.submit())
    functions.queue.broken = True
    lines = functions.change(image)
    assert functions.failure and measured(lines) == {}
    assert said(lines)[0]["message"] == "forward_changes failed" and "Eve" not in str(lines)
    functions.queue.broken = False
    assert measured(functions.change(image)) == {"Received": [1]}


def test_the_smoke_test_is_forwarded_and_not_counted(functions: Functions) -> None:
    image = functions.image(functions.submit(), synthetic=1)
    lines = functions.change(image)
    assert len(functions.queue.taken) == 2 and measured(lines) == {}


def crimed(reference: str) -> Report:
    report = life.receive(reference, "theft", answers(), NOW)
    return life.crime(report, Crime("20/1/26", NOW + timedelta(seconds=7), RULE, "44"))


def test_a_full_batch_loses_no_value(functions: Functions) -> None:
    """The library prints a line of its own accord at a hundred values."""
    reference = functions.submit()
    functions.service.store.save(functions.service.store.read(reference), crimed(reference))  # type: ignore[arg-type]
    lines = functions.change(*[functions.image(reference)] * 100)
    assert measured(lines) == {"CrimedByRule": [1] * 100, "SecondsToCrime": [7] * 100}


def test_what_cannot_be_counted_holds_up_nobody(functions: Functions) -> None:
    reference, other = functions.submit(), functions.submit()
    functions.service.store.save(functions.service.store.read(reference), crimed(reference))  # type: ignore[arg-type]
    lines = functions.change(functions.image(reference, received_at="Eve Example"), functions.image(other))
    assert functions.failure is None and measured(lines) == {"CrimedByRule": [1], "Received": [1]}
    assert "a change cannot be counted" in [line["message"] for line in logged(lines)] and "Eve" not in str(lines)


# The rule

NO_CHATS = {"ChatsWaiting": [0], "ChatsOverdue": [0]}


def test_the_rule_names_what_it_crimes_and_says_how_many_are_overdue(functions: Functions) -> None:
    references = [functions.submit() for _ in range(2)]
    lines = functions.minute()
    assert (logged(lines), measured(lines)) == ([], {"Overdue": [0], "Untriaged": [0], **NO_CHATS})
    functions.clock.advance(hours=24)
    functions.table.items[f"REPORT#{references[0]}", "REPORT"]["answers"] = b"Eve Example"
    lines = functions.minute()
    cannot, does, run = said(lines)
    error = cannot.pop("error")
    assert cannot == {"message": "report is due and cannot be crimed", "reference": show(references[0])}
    assert error.startswith("error at report_items.py:")
    number = {"crime_number": "20/1/26", "reference": show(references[1])}
    assert does == {"message": "crimed by the 24-hour rule", **number}
    assert run == {"message": "24-hour rule", "crimed": 1, "failed": 1, "unfinished": False}
    assert measured(lines) == {"Overdue": [0], "Untriaged": [1], **NO_CHATS}  # at its deadline a report is not past it
    functions.clock.advance(seconds=1)
    assert measured(functions.minute()) == {"Overdue": [1], "Untriaged": [1], **NO_CHATS}


def test_what_the_threads_of_the_rule_log_names_the_invocation_too(functions: Functions) -> None:
    for _ in range(2 * BLOCK):
        functions.submit()
    functions.clock.advance(hours=24)
    lines = logged(functions.minute())
    assert len(lines) == 2 * BLOCK + 1
    assert {line["function_request_id"] for line in lines} == {functions.context.aws_request_id}
    assert all(set(line) >= EVERY_LINE for line in lines)


def test_conversations_that_wait_too_long_are_counted(functions: Functions) -> None:
    functions.service.chats.begin("c1", {"name": "Eve Example"}, "My bicycle is gone")
    assert measured(functions.minute())["ChatsWaiting"] == [0]
    functions.clock.advance(minutes=3)
    lines = functions.minute()
    assert measured(lines)["ChatsWaiting"] == [1] and measured(lines)["ChatsOverdue"] == [0] and "Eve" not in str(lines)
    functions.clock.advance(hours=18)
    assert measured(functions.minute())["ChatsOverdue"] == [1]


def test_a_frame_that_cannot_be_handled_is_counted_and_one_that_is_refused_is_not(
    functions: Functions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection hears of it and Lambda does not: its count of errors would be 0."""
    monkeypatch.setenv("AWS_REGION", "eu-west-2")  # Chalice asks for it
    context = {"connectionId": "c1", "apiId": "x", "stage": "x", "domainName": "x"}
    refused = functions.call("websocket_message", {"requestContext": context, "body": "Eve Example"})
    assert measured(refused) == {}
    monkeypatch.setattr(functions.table, "get", FakeQueue.send)
    lines = functions.call("websocket_message", {"requestContext": context, "body": '{"do": "typing"}'})
    assert (measured(lines), functions.failure) == ({"FramesFailed": [1]}, None)
    assert said(lines)[0]["message"] == "a frame cannot be handled"


def test_a_rule_that_fails_still_says_how_many_are_overdue(functions: Functions) -> None:
    for _ in range(BLOCK + 1):
        functions.submit()
    functions.clock.advance(hours=25)
    vars(functions.service.rule)["_numbers"] = None
    lines = functions.minute()
    assert functions.failure and said(lines)[0]["message"] == "crime_due_reports failed"
    assert measured(lines) == {"Overdue": [BLOCK + 1], "Untriaged": [BLOCK + 1], **NO_CHATS}


def test_a_count_that_fails_does_not_stop_the_rule(functions: Functions, monkeypatch: pytest.MonkeyPatch) -> None:
    reference = functions.submit()
    functions.clock.advance(hours=24)
    monkeypatch.setattr(functions.service.rule, "overdue", FakeQueue.send)
    lines = functions.minute()
    assert functions.failure is None and functions.service.store.read(reference).crime  # type: ignore[union-attr]
    assert said(lines)[-1]["message"] == "waiting reports cannot be counted" and measured(lines) == NO_CHATS


# One invocation after another, and beside another


def test_nothing_of_an_invocation_is_left_for_the_next(functions: Functions) -> None:
    reference = functions.submit()
    functions.table.items[f"REPORT#{reference}", "REPORT"]["answers"] = b"Eve Example"
    failed = functions.message("on_triage", reference, receives=5)
    first = functions.context.aws_request_id
    lines = functions.minute() + functions.request("GET", "/healthz")
    assert measured(failed) == {"DeadLetters": [1]} and measured(lines)["Untriaged"] == [0]
    (line,) = logged(lines)
    assert line["function_request_id"] != first and "reference" not in line and "receives" not in line
    record = logging.makeLogRecord({"msg": "afterwards"})
    formatter = logging.getLogger(telemetry.LOGGER).handlers[0].formatter
    assert formatter and "function_request_id" not in json.loads(formatter.format(record))


class Event:
    """What Chalice hands to middleware."""

    def __init__(self, value: int) -> None:
        self.context, self.value = LambdaContext("x", 512, 60_000), value
        self.context.aws_request_id = str(uuid.uuid4())


def test_side_by_side_nobody_takes_the_others_name_or_figures(functions: Functions) -> None:
    both, seen = threading.Barrier(2), dict[str, Any]()
    formatter = logging.getLogger(telemetry.LOGGER).handlers[0].formatter
    assert formatter

    def work(event: Event) -> None:
        both.wait(10)
        telemetry.measure("Overdue", event.value)
        both.wait(10)
        seen[event.context.aws_request_id] = json.loads(formatter.format(logging.makeLogRecord({"msg": "x"})))
        both.wait(10)

    def invoke(event: Event) -> None:
        telemetry.naming_the_invocation(event, lambda event: telemetry.publishing_metrics(event, work))

    threads = [threading.Thread(target=invoke, args=(Event(value),)) for value in (3, 4)]
    with redirect_stdout(io.StringIO()) as printed:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
    assert len(seen) == 2 and all(line["function_request_id"] == name for name, line in seen.items())
    blobs = [json.loads(line) for line in printed.getvalue().splitlines()]
    assert sorted(measured([blob])["Overdue"] for blob in blobs) == [[3], [4]]


def test_metrics_that_are_switched_off_are_off_for_a_full_batch_too(
    functions: Functions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POWERTOOLS_METRICS_DISABLED", "true")
    image = functions.image(functions.submit())
    assert measured(functions.change(*[image] * 100)) == {}


# As Lambda runs it

AS_LAMBDA = """
import json, logging, os, sys
logging.getLogger().addHandler(logging.StreamHandler(sys.stdout))  # Lambda's own
import app
from chalice.local import LambdaContext
from chalicelib import wiring

class Broken:
    @property
    def settings(self):
        raise ValueError("Eve Example")
    casework = rule = settings

wiring.install(Broken())
def event(method, route):
    return {"requestContext": {"resourcePath": route, "httpMethod": method, "path": route}, "pathParameters": None,
            "multiValueQueryStringParameters": None, "headers": {"Content-Type": "application/json"},
            "body": '{"email": "eve@example.com"}', "stageVariables": None}
for one in (event("GET", "/healthz"), event("POST", "/reports"), event("GET", "/triage")):
    app.app(one, LambdaContext("x", 512, 1000))
names = ("version", "account", "region", "detail", "detail-type", "source", "time", "id", "resources")
try:
    app.crime_due_reports(dict.fromkeys(names, "Eve"), LambdaContext("x", 512, 1000))
except Exception as error:
    print(json.dumps({"message": "raised", "error": str(error)}))
"""


def test_on_lambda_each_line_comes_out_once_as_json_and_quotes_nobody() -> None:
    environment = {"PATH": "", **ENVIRONMENT, "POWERTOOLS_LOGGER_LOG_EVENT": "true"}
    done = subprocess.run(
        [sys.executable, "-c", AS_LAMBDA], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    assert "Eve" not in done.stdout and "example.com" not in done.stdout
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["message"] for line in lines] == [
        "request",
        "request failed", "Caught exception for path /reports", "request",  # the second is Chalice's own
        "request failed", "request",
        "waiting reports cannot be counted", "waiting conversations cannot be counted", "crime_due_reports failed",
        "raised",
    ]  # fmt: skip
    assert lines[2]["error"].startswith("ValueError at ") and "exception" not in lines[2]
    assert [line["cold_start"] for line in lines[:-1]] == [True, *[False] * 8]
