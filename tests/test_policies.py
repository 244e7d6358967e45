"""Each function may do what its code does, and nothing else.

A story wakes every function in every way, and notes what each asks AWS for. The policies have to allow that, and every
word in them has to be needed for it.
"""

import ast
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import cache
from itertools import permutations, product
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit

import boto3
import pytest
from botocore import xform_name
from botocore.config import Config as ClientConfig
from botocore.exceptions import ClientError
from botocore.session import get_session
from chalice.config import Config
from chalice.local import LocalGateway, RouteMatcher
from moto import mock_aws

from chalicelib import wiring
from chalicelib.chat_hours import ALWAYS
from chalicelib.config import Settings
from chalicelib.desk import Desk, Officer
from chalicelib.handlers.background import TRANSCRIPT, Failed
from chalicelib.identity import Verifier
from chalicelib.pages import static_name
from chalicelib.reference import parse
from chalicelib.report import Actor
from chalicelib.sign_in import SignIn
from chalicelib.table import Table
from chalicelib.token_secrets import NOTICE, TokenSecrets
from chalicelib.wanted import MINE, Wanted
from infra.local import functions as local
from infra.local.issuer import AUDIENCE, Issuer
from tests.fakes import ANN, Clock, Died, answers, break_item

ROOT = Path(__file__).parents[1]
POLICIES = ROOT / ".chalice" / "policies"
NAME = "crime-reports-dev"
REGION, ACCOUNT = "eu-west-2", "123456789012"
HTTP, STREAM, TRIAGE, LETTER, RULE, ERASER, RECONCILER, CONNECT, FRAME, DISCONNECT = FUNCTIONS = (
    "api_handler", "on_report_change", "on_triage", "on_letter", "crime_due_reports", "keep_house",
    "reconcile", "websocket_connect", "websocket_message", "websocket_disconnect",
)  # fmt: skip
SOCKETS = "abcde12345.execute-api.eu-west-2.amazonaws.com/dev"


class Call(NamedTuple):
    """What IAM decides about. `keys` are the partition keys asked for; of a query of an index, the index's own."""

    action: str
    resource: str
    keys: frozenset[str] = frozenset()


# IAM, as far as our policies use it


def allows(policy: Any, call: Call) -> bool:
    """Whether any statement covers the call. Nothing is denied by a statement of ours."""
    return any(covers(statement, call) for statement in policy["Statement"])


def covers(statement: Any, call: Call) -> bool:
    """Whether one statement does. A condition on keys holds for a call without any, as it does in AWS."""
    return (
        fits(call.action, statement["Action"])
        and fits(call.resource, statement["Resource"])
        and all(fits(key, leading_keys(statement)) for key in call.keys)
    )


def fits(text: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(text, pattern) for pattern in patterns)


def leading_keys(statement: Any) -> list[str]:
    return list(statement.get("Condition", {}).get("ForAllValues:StringLike", {}).get("dynamodb:LeadingKeys", ["*"]))


@cache
def policy(function: str, stage: str = "dev") -> Any:
    return json.loads((POLICIES / stage / f"{function}.json").read_text())


def statements() -> Iterator[tuple[str, Any]]:
    return ((function, statement) for function in FUNCTIONS for statement in policy(function)["Statement"])


# What a request of botocore's is to IAM


def as_call(service: str, operation: str, request: Any) -> Call:
    match service:
        case "dynamodb":
            table = request.get("TableName") or next(iter(request["RequestItems"]))
            index = f"/index/{request['IndexName']}" if "IndexName" in request else ""
            return Call(f"dynamodb:{operation}", arn("dynamodb", f"table/{table}{index}"), keys_of(operation, request))
        case "sqs":
            queue = request["QueueUrl"].rsplit("/", 1)[1]
            return Call(f"sqs:{operation.removesuffix('Batch')}", arn("sqs", queue))
        case "ssm":
            return Call(f"ssm:{operation}", arn("ssm", f"parameter{request['Name']}"))
        case "s3":
            return s3_call(operation, request)
        case "ses":
            return Call(f"ses:{operation}", arn("ses", f"identity/{request['FromEmailAddress']}"))
        case "execute-api":
            method = {"PostToConnection": "POST", "DeleteConnection": "DELETE"}[operation]
            api = SOCKETS.replace(".execute-api.eu-west-2.amazonaws.com", "")
            return Call(
                "execute-api:ManageConnections",
                arn("execute-api", f"{api}/{method}/@connections/{request['ConnectionId']}"),
            )
    raise AssertionError(f"a new service: {service}")


def s3_call(operation: str, request: Any) -> Call:
    bucket = f"arn:aws:s3:::{request['Bucket']}"
    version = "Version" if "VersionId" in request else ""
    match operation:
        case "ListObjectVersions":
            return Call("s3:ListBucketVersions", bucket)
        case "DeleteObjects":
            assert all(one["VersionId"] for one in request["Delete"]["Objects"])
            return Call("s3:DeleteObjectVersion", f"{bucket}/a-file")
        case "CreateBucket":  # how botocore asks where the form of an invitation goes
            return Call("s3:PutObject", f"{bucket}/a-file")
        case "GetObject":
            return Call(f"s3:GetObject{version}", f"{bucket}/a-file")
        case "GetObjectTagging":
            return Call(f"s3:GetObject{version}Tagging", f"{bucket}/a-file")
    raise AssertionError(f"a new call of S3: {operation}")


def keys_of(operation: str, request: Any) -> frozenset[str]:
    match operation:
        case "BatchGetItem":
            (asked,) = request["RequestItems"].values()
            return frozenset(key["pk"]["S"] for key in asked["Keys"])
        case "PutItem":
            return frozenset({request["Item"]["pk"]["S"]})
        case "Scan":
            return frozenset()  # a condition on keys does not bind it
        case "Query":
            value = re.match(r"#\w+ = (:\w+)", request["KeyConditionExpression"])
            assert value
            return frozenset({request["ExpressionAttributeValues"][value[1]]["S"]})
    return frozenset({request["Key"]["pk"]["S"]})


def arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


# The service, watched


class Watch:
    """Sees what each function asks AWS for, and which lines of the service ask the table."""

    def __init__(self) -> None:
        self.calls: dict[str, set[Call]] = {function: set() for function in FUNCTIONS}
        self.methods: set[str] = set()  # of clients
        self.lines: set[tuple[str, int]] = set()  # module and number
        self.running: list[str] = []
        self._meanwhile: tuple[str, Callable[[], Any]] | None = None

    def client(self, name: str, address: str | None = None) -> Any:
        """Instead of `wiring.client`."""
        once = ClientConfig(retries={"total_max_attempts": 1})
        made = get_session().create_client(name, config=once, endpoint_url=address)
        made.meta.events.register("provide-client-params", self._note)
        made.meta.events.register("after-call.dynamodb.PutItem", _leave_out_the_item)
        return made

    def table(self, table: Table) -> None:
        """Note from where its methods are called."""
        for verb in VERBS:
            setattr(table, verb, self._noting(getattr(table, verb)))

    def just_before(self, start: str, do: Callable[[], Any]) -> None:
        """Do something, once, before the next call that starts so: action, space, key (or what else it is about)."""
        assert not self._meanwhile, "the last has not happened"
        self._meanwhile = start, do

    def _note(self, params: Any, model: Any, **_: Any) -> None:
        call = as_call(model.service_model.signing_name, model.name, params)
        self.calls[self.running[-1]].add(call)
        self.methods.add(xform_name(model.name))
        start, do = self._meanwhile or ("", None)
        if do and any(f"{call.action} {key}".startswith(start) for key in call.keys or {call.resource.rsplit("/")[-1]}):
            self._meanwhile = None
            do()

    def _noting(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any, **named: Any) -> Any:
            caller = sys._getframe(1)
            self.lines.add((Path(caller.f_code.co_filename).stem, caller.f_lineno))
            return method(*given, **named)

        return call


VERBS = ("get", "get_many", "put_new", "update", "remove", "query", "scan")


def _leave_out_the_item(parsed: Any, **_: Any) -> None:
    """DynamoDB sends the item that is in the way; whoever goes without asks for it."""
    parsed.pop("Item", None)


class Service(local.Functions):
    """The service in an AWS of its own. Each function has its own parts, as it has its own process."""

    def __init__(self, app: Any, settings: Settings, watch: Watch) -> None:
        super().__init__(app, nullcontext)
        self.app, self.watch, self.clock = app, watch, Clock()
        self.routes: set[tuple[str, str]] = set()  # that were asked
        self._gateway, self._matcher = LocalGateway(app, Config()), RouteMatcher(list(app.routes))
        self.issuer = Issuer("https://issuer.example.com", self.clock)
        self._parts: dict[str, wiring.Service] = {}
        for function in FUNCTIONS:
            self.start(function, settings)

    def start(self, function: str, settings: Settings) -> None:
        """Start a function anew."""
        parts = self._parts[function] = wiring.build(settings, self.clock, settle=lambda: None)
        self.watch.table(parts.table)
        parts.verifier = Verifier("https://issuer.example.com", AUDIENCE, self.clock, self._published)
        parts.sign_in = SignIn(parts.verifier, AUDIENCE, wiring.mint, lambda _, form: self.issuer.exchange(form))

    def invoke(self, name: str, event: dict[str, Any]) -> None:
        with self.running(name):
            super().invoke(name, event)

    def pass_on(self, reference: str) -> None:
        """What the stream and the queues bring of a report as it is now."""
        key = {"pk": {"S": f"REPORT#{reference}"}, "sk": {"S": "REPORT"}}
        image = aws("dynamodb").get_item(TableName=NAME, Key=key)["Item"]
        change = {"NewImage": image, "ApproximateCreationDateTime": 0, **dict.fromkeys(CHANGE, "")}
        self.invoke(STREAM, {"Records": [{"dynamodb": change, **dict.fromkeys(RECORD, "")}]})
        self.tell(TRIAGE, reference, 1)
        self.tell(LETTER, reference, int(image["version"]["N"]))

    def tell(self, name: str, reference: str, version: int) -> None:
        """A message of the queue that wakes the function. Raises what the function does."""
        body = json.dumps({"reference": reference, "version": version, "what": ""})
        attributes = {"ApproximateReceiveCount": "1"}
        self.invoke(name, {"Records": [{"body": body, "receiptHandle": "", "attributes": attributes}]})

    def socket(self, name: str, connection: str, **frame: Any) -> None:
        """What API Gateway brings of a connection."""
        context = {"connectionId": connection, "apiId": "x", "stage": "dev", "domainName": "x"}
        self.invoke(name, {"requestContext": context, "body": json.dumps(frame)})

    def sweep(self) -> None:
        self.invoke(RULE, dict.fromkeys(SCHEDULED, ""))

    def http(self, request: str, body: Any = None, role: str = "", **headers: str) -> Any:
        """Send `POST /reports` and the like, a form if `body` is a list of pairs; gives the status and what came."""
        method, _, path = request.partition(" ")
        sent = {name.replace("_", "-").lower(): value for name, value in headers.items()}
        sent |= {"authorization": f"Bearer {self.issuer.token(role, 'Olive')}"} if role else {}
        sent["content-type"] = FORM if isinstance(body, list) else "application/json"
        written = urlencode(body) if isinstance(body, list) else json.dumps(body)
        self.routes.add((method, self._matcher.match_route(path).route))
        with self.running(HTTP):
            answer = self._gateway.handle_request(method, path, sent, None if body is None else written.encode())
        text, self.answered = answer["body"], answer
        return answer["statusCode"], json.loads(text) if text and text[0] == "{" else text

    def report(self, key: str, expected: int = 201, **more: Any) -> str:
        """Make a report under an idempotency key; gives its plain reference."""
        status, document = self.http("POST /reports", answers(**{"reporter": "victim"} | more), Idempotency_Key=key)
        assert status == expected, document
        return parse(document.get("reference", "")) or ""

    def officer(self, request: str, body: Any = None, **headers: str) -> Any:
        """Somebody who signed in asks for something."""
        return self.http(request, body, "officer", **headers)

    def change(self, reference: str, move: str, body: Any, expected: int = 200) -> None:
        """An officer makes a move on the version that is there."""
        _, report = self.officer(f"GET /triage/{reference}")
        status, document = self.officer(f"POST /triage/{reference}/{move}", body, If_Match=f'"{report["version"]}"')
        assert status == expected, document

    def at_the_desk(self, do: Callable[[Desk], Any]) -> Any:
        """What a page of the desk does."""
        with self.running(HTTP):
            return do(wiring.service().desk)

    @contextmanager
    def running(self, function: str) -> Iterator[wiring.Service]:
        """As that function, with its parts."""
        self.watch.running.append(function)
        wiring.install(self._parts[function])
        try:
            yield self._parts[function]
        finally:
            self.watch.running.pop()
            for before in self.watch.running[-1:]:
                wiring.install(self._parts[before])

    def _published(self, url: str) -> Any:
        return self.issuer.keys() if url.endswith("jwks.json") else self.issuer.configuration()


FORM = "application/x-www-form-urlencoded"
CHANGE = ("SequenceNumber", "SizeBytes", "StreamViewType")
RECORD = ("awsRegion", "eventID", "eventName", "eventSource", "eventSourceARN", "eventVersion")
SCHEDULED = ("version", "account", "region", "detail", "detail-type", "source", "time", "id", "resources")


# The story


@pytest.fixture(scope="module")
def service(app_module: Any) -> Iterator[Service]:
    """The service once everything has happened to it."""
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        outputs, watch = apply_template(), Watch()
        patch.setenv("AWS_DEFAULT_REGION", REGION)
        patch.setenv("AWS_REGION", REGION)
        patch.setattr(wiring, "client", watch.client)
        patch.setattr(wiring, "_installed", None)
        settings = Settings.from_environ({
            "REPORTS_TABLE": outputs["TableName"], "TRIAGE_QUEUE_URL": outputs["TriageQueueUrl"],
            "LETTERS_QUEUE_URL": outputs["LettersQueueUrl"], "EVIDENCE_BUCKET": outputs["EvidenceBucketName"],
            "OIDC_ISSUER": "https://issuer.example.com",
            "OIDC_AUDIENCE": AUDIENCE, "FORCE_NAME": "Midshire Police", "FORCE_CODE": "20",
            "CHAT_HOURS": ALWAYS, "CHAT_SOCKET": f"wss://{SOCKETS}", "CHAT_MANAGEMENT": f"https://{SOCKETS}",
        })  # fmt: skip
        service = Service(app_module.app, settings, watch)
        the_public_reports(service)
        officers_decide(service)
        officers_search(service)
        officers_sit_at_the_desk(service)
        people_chat(service)
        the_secret_changes(service)
        somebody_writes(service)
        a_file_is_opened(service)
        supervisors_keep_and_erase(service)
        letters_fail(service, settings)
        all_is_reconciled(service)
        the_rule_runs(service)
        drafts_end(service)
        yield service


def aws(name: str) -> Any:
    """A client of somebody who is none of the functions."""
    return boto3.client(name, region_name=REGION)  # type: ignore[call-overload]


def apply_template() -> dict[str, str]:
    client, template = aws("cloudformation"), (ROOT / "infra" / "data.yaml").read_text()
    stage = [{"ParameterKey": "Stage", "ParameterValue": "dev"}]
    client.create_stack(StackName="data", TemplateBody=template, Parameters=stage)
    (stack,) = client.describe_stacks(StackName="data")["Stacks"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    aws("s3").put_bucket_versioning(  # the template says so, and moto does not hear it
        Bucket=outputs["EvidenceBucketName"], VersioningConfiguration={"Status": "Enabled"}
    )
    return outputs


CRIME, NOTE = {"offence": "45", "disposal": "further_investigation"}, {"text": "I was quicker"}


def the_public_reports(service: Service) -> None:
    pages = ("/", "/healthz", "/openapi.json", "/report/theft", "/status", "/privacy", "/accessibility",
             f"/static/{static_name('service.css')}")  # fmt: skip
    assert {service.http(f"GET {page}")[0] for page in pages} == {200}
    assert service.http("OPTIONS /reports")[0] == 204
    assert service.http("POST /report/theft", [("token", "a form's"), ("emergency", "no")])[0] == 422
    reference = service.report("sent twice")
    assert service.report("sent twice") == reference
    service.report("sent twice", 422, reporter="witness")
    factor = {"email": "eve@example.com"}
    assert service.http(f"GET /reports/{reference}")[0] == 200
    assert service.http(f"POST /reports/{reference}/status", factor)[0] == 200
    assert service.http("POST /status", [("reference", reference), *factor.items()])[0] == 303
    the_public_comes_back(service, reference, service.answered["headers"]["Set-Cookie"].partition(";")[0])


def the_public_comes_back(service: Service, reference: str, cookie: str) -> None:
    def token(action: str) -> str:
        status, text = service.http(f"GET /status/{reference}{action}", cookie=cookie)
        assert status == 200
        return str(text.partition('name="token" value="')[2].partition('"')[0])

    token("")
    more = {"add": ("text", "There is a video"), "call-back": ("time", "soon"), "letters": ("wanted", "no")}
    for action, said in more.items():
        assert service.http(f"POST /status/{reference}/{action}", [("token", token(f"/{action}")), said],
                            cookie=cookie)[0] in (303, 409)  # fmt: skip
    assert service.http(f"POST /status/{reference}/close", [])[0] == 303
    service.officer("GET /triage?status=new_information")


def officers_decide(service: Service) -> None:
    first, second, third, fourth, *_ = (service.report(f"for officers {number}") for number in range(6))
    assert len(service.officer("GET /triage?limit=3")[1]["reports"]) == 3  # nobody has touched them yet
    service.watch.just_before("dynamodb:UpdateItem REPORT#", lambda: service.change(first, "notes", NOTE))
    service.pass_on(first)
    service.pass_on(second)
    assert service.officer("POST /triage/next")[0] == 200
    for move, body in (("claim", {}), ("release", {}), ("call-backs", {"result": "requested"})):
        service.change(first, move, body)
    service.change(first, "crime", CRIME)
    service.watch.just_before("dynamodb:UpdateItem REPORT#", lambda: service.change(second, "notes", NOTE))
    service.change(second, "crime", CRIME, 412)  # its number is void
    service.change(third, "not-crime", {"reason": "duplicate", "rationale": "The same", "duplicate_of": first})
    service.change(fourth, "crime", CRIME)
    service.change(fourth, "disposal", {"disposal": "filed", "outcome": 18})
    assert service.officer("GET /triage?status=awaiting_disposal")[0] == 200
    service.at_the_desk(lambda desk: desk.queue(ANN, Wanted(MINE)))
    assert service.officer("GET /statistics")[1]["months"][-1]["crimes"]
    assert service.officer("GET /statistics/answer")[0] == 200
    service.pass_on(fourth)


def officers_search(service: Service) -> None:
    """By a crime number, and by what two reports have in common."""
    references = [service.report(f"to be found {number}") for number in range(2)]
    for reference in references:
        service.pass_on(reference)
    service.change(references[0], "crime", CRIME)
    _, report = service.officer(f"GET /triage/{references[0]}")
    with service.running(HTTP) as parts:
        asks = Officer(Actor("olive", "Olive"), is_supervisor=False)
        assert parts.search.find(asks, report["crime_number"]).reference == references[0]
        heads, _ = parts.search.found(asks, parts.search.find(asks, "eve@example.com").key)
        assert {head.reference for head in heads} >= set(references)
        assert parts.search.related(asks, parts.desk.read(asks, references[0]))


class Seat:
    """Somebody who has signed in at the desk, and keeps the cookie and the token of the last page."""

    def __init__(self, service: Service, name: str) -> None:
        self.service, self.cookie, self.token = service, "", ""
        assert service.http("GET /desk/sign-in")[0] == 303
        asked = dict(parse_qsl(urlsplit(service.answered["headers"]["Location"]).query))
        self.cookie = service.answered["headers"]["Set-Cookie"].partition(";")[0]
        back = service.issuer.sign_in(name, "supervisor", asked)
        self.get(f"/desk/signed-in?{urlsplit(back).query}", 303)
        self.cookie = service.answered["multiValueHeaders"]["Set-Cookie"][0].partition(";")[0]
        self.get("/desk")

    def get(self, address: str, expected: int = 200) -> None:
        status, text = self.service.http(f"GET {address}", cookie=self.cookie)
        assert status == expected, (address, status, text)
        self.token = str(text).partition('name="token" value="')[2].partition('"')[0] or self.token

    def post(self, address: str, expected: int = 303, **said: str) -> None:
        pairs = [("token", self.token), *said.items()]
        status, text = self.service.http(f"POST {address}", pairs, cookie=self.cookie)
        assert status == expected, (address, status, text)


def officers_sit_at_the_desk(service: Service) -> None:
    """Sign in, look, take, decide, and sign out."""
    reference = service.report("for the desk")
    service.pass_on(reference)
    olive, oscar = Seat(service, "Olive"), Seat(service, "Oscar")
    for page in ("?list=mine", "?list=awaiting_disposal", f"/reports/{reference}", f"/reports/{reference}/history",
                 f"/reports/{reference}/assign", f"/reports/{reference}/call-back", "/officers", "/proof",
                 "/officers/Oscar"):  # fmt: skip
        olive.get(f"/desk{page}")
    olive.post("/desk/next")
    olive.post("/desk/search", search="eve@example.com")
    olive.get(service.answered["headers"]["Location"])
    _, report = service.officer(f"GET /triage/{reference}")
    olive.post(f"/desk/reports/{reference}/note", version=str(report["version"]), text="Seen")
    olive.post("/desk/bulk", 200, what="assign", chosen=f"{reference}:{report['version'] + 1}")
    olive.post("/desk/bulk/assign", 200, chosen=f"{reference}:{report['version'] + 1}", to="Oscar")
    service.clock.advance(minutes=10)  # it is renewed
    olive.post("/desk/officers/Oscar/end-sessions")
    oscar.get("/desk", 303)
    olive.post("/desk/sign-out", 200, everywhere="yes")
    olive.get("/desk/signed-out")


class Writer:
    """Somebody who writes a report, page by page, and keeps the cookie and the token of the last page."""

    def __init__(self, service: Service) -> None:
        self.service, self.cookie, self.token = service, "", ""
        self.draft = self.get("/report/theft").partition("/drafts/")[2][:32]
        self.post("before", emergency="no", reporter="victim")
        self.cookie = service.answered["headers"]["Set-Cookie"].partition(";")[0]
        self.get(f"/drafts/{self.draft}/taken")

    def get(self, address: str) -> str:
        status, text = self.service.http(f"GET {address}", cookie=self.cookie)
        assert status in (200, 303), text
        self.token = text.partition('name="token" value="')[2].partition('"')[0] or self.token
        return str(text)

    def post(self, page: str, expected: int = 303, **said: str) -> None:
        pairs = [("token", self.token), *((name.replace("__", "."), value) for name, value in said.items())]
        status, text = self.service.http(f"POST /drafts/{self.draft}/{page}", pairs, cookie=self.cookie)
        assert status == expected, text

    def report(self) -> None:
        self.post("taken", about__kind="pedal_cycle")
        self.post("you", contact__full_name="Eve Example", contact__email="eve@example.com")
        self.service.clock.advance(seconds=10)
        self.post("check", declaration="yes")


def somebody_writes(service: Service) -> None:
    writer, item = Writer(service), f"items/{'0' * 32}"
    for page in ("", "/taken", "/items", f"/{item}", "/save", "/return/forged"):
        service.http(f"GET /drafts/{writer.draft}{page}", cookie=writer.cookie)
    writer.post(item, type="Bicycle")
    writer.post(f"{item}/remove")
    writer.post("save", email="eve@example.com")
    service.watch.just_before("dynamodb:UpdateItem DRAFT#", lambda: writer.post(item, type="from another tab"))
    writer.post("items")
    files_are_added(service, writer)
    service.invoke(LETTER, {"Records": [{"receiptHandle": "", "attributes": {"ApproximateReceiveCount": "1"},
        "body": json.dumps({"reference": writer.draft, "version": 1, "what": "return_link"})}]})  # fmt: skip
    writer.report()
    other = Writer(service)
    other.post("erase", 200)


def files_are_added(service: Service, writer: Writer) -> None:
    """As S3 has them once a browser has sent them: one of a kind we take, and one that lies."""
    for file, body in (("0" * 32, b"%PDF-1.7"), ("1" * 32, b"MZ")):
        put_file(writer.draft, file, body)
    writer.get(f"/drafts/{writer.draft}/files")
    writer.post(f"files/{'0' * 32}/remove")
    writer.post("files")
    put_file(writer.draft, "2" * 32, b"%PDF-1.7")
    writer.get(f"/drafts/{writer.draft}/check")


def put_file(folder: str, file: str, body: bytes) -> None:
    (bucket,) = aws("s3").list_buckets()["Buckets"]
    aws("s3").put_object(Bucket=bucket["Name"], Key=f"{folder}/{file}", Body=body)


def a_file_is_opened(service: Service) -> None:
    """By an officer, of the report that was written page by page."""
    reference = service.report("with a file")
    put_file(reference.replace("-", ""), "3" * 32, b"%PDF-1.7")
    assert service.officer(f"GET /triage/{reference}")[1]["evidence"][0]["verdict"] == "waiting"
    assert service.officer(f"GET /triage/{reference}/evidence/{'3' * 32}")[0] == 409
    (bucket,) = aws("s3").list_buckets()["Buckets"]
    clean = {"TagSet": [{"Key": "GuardDutyMalwareScanStatus", "Value": "NO_THREATS_FOUND"}]}
    aws("s3").put_object_tagging(Bucket=bucket["Name"], Key=f"{reference.replace('-', '')}/{'3' * 32}", Tagging=clean)
    assert service.officer(f"GET /triage/{reference}/evidence/{'3' * 32}")[0] == 303
    Seat(service, "Olive").get(f"/desk/reports/{reference}/evidence/{'3' * 32}", 303)
    status, _ = service.http("POST /status", [("reference", reference), ("email", "eve@example.com")])
    assert status == 303
    cookie = service.answered["headers"]["Set-Cookie"].partition(";")[0]
    service.http(f"GET /status/{reference}/files", cookie=cookie)


def drafts_end(service: Service) -> None:
    sent, _, with_files = Writer(service), Writer(service), Writer(service)
    put_file(with_files.draft, "4" * 32, b"%PDF-1.7")
    with_files.post("taken", about__kind="pedal_cycle")
    with_files.get(f"/drafts/{with_files.draft}/files")
    sent.report()
    service.clock.advance(days=8)
    service.invoke(ERASER, dict.fromkeys(SCHEDULED, ""))


def people_chat(service: Service) -> None:
    """By pages and over sockets. Whichever way something is said, somebody who is to be told has gone."""
    visitor, sara = Chatter(service), Seat(service, "Sara")
    sara.get("/desk/chats")
    sara.get("/desk/chats/lists")
    chat = next_chat(sara)
    desk = f"/desk/chats/{chat}"
    for page in ("", "/seen", "/entries?seen=0", "/report?category=theft"):
        sara.get(desk + page)
    sara.get(f"/desk/chats?chat={chat}")
    pages = (("visitor", "/chat", visitor.cookie), ("advisor", desk, sara.cookie))
    passes = {who: service.http(f"GET {page}/entries", cookie=cookie)[1]["socket"]["pass"]
              for who, page, cookie in pages}  # fmt: skip
    they_talk(service, passes, chat, lambda: visitor.send("/messages", 200, text="It is red"),
              lambda: sara.post(f"{desk}/messages", 200, id="1" * 32, text="Is it locked?"))  # fmt: skip
    sara.post("/desk/chats", do=f"note.{chat}", **{f"note.{chat}": "Called before", f"id.{chat}": "2" * 32})
    answers = {"emergency": "no", "reporter": "victim", "about.kind": "pedal_cycle", "declaration": "yes"}
    answers |= {"contact.full_name": "Eve Example", "contact.email": "eve@example.com"}
    sara.post(f"{desk}/report?category=theft", nth="1", number="1", **answers)
    for page in ("/end", "/copy"):
        visitor.open(page)
        visitor.send(page, email="eve@example.com", id="3" * 32)
    told = json.dumps({"reference": chat, "version": 1, "what": TRANSCRIPT})
    attributes = {"ApproximateReceiveCount": "1"}
    service.invoke(LETTER, {"Records": [{"body": told, "receiptHandle": "", "attributes": attributes}]})
    sara.post(f"{desk}/keeping", what="hold", why="A court asked")
    for page in (f"{desk}/keeping", "/desk/retention/chats"):
        sara.get(page)
    visitor.send("/close")
    visitor.send("/leave", 422)


def next_chat(seat: Seat) -> str:
    """Take the conversation that is next; gives its id."""
    seat.post("/desk/chats", do="next.", id=wiring.mint())
    return dict(parse_qsl(urlsplit(seat.service.answered["headers"]["Location"]).query))["chat"]


def they_talk(
    service: Service, passes: Mapping[str, str], chat: str, visitor_says: Callable[[], Any],
    advisor_says: Callable[[], Any],
) -> None:  # fmt: skip
    for who, number in product(passes, range(5)):
        service.socket(CONNECT, f"{who}{number}")
        service.socket(FRAME, f"{who}{number}", do="open", **{"pass": passes[who]})
    for gone, say in (("visitor0", advisor_says), ("advisor0", visitor_says)):
        service.watch.just_before(f"{TELL} {gone}", lambda: throw(error_of("GoneException")))
        say()
    service.clock.advance(minutes=6)  # the session is renewed
    for who, other in permutations(passes):
        service.watch.just_before(f"{TELL} {other}1", lambda: throw(error_of("GoneException")))
        service.socket(FRAME, f"{who}2", do="say", chat=chat, text="It is red", id=f"by-{who}")
        service.socket(FRAME, f"{who}2", do="typing", chat=chat)
    service.socket(FRAME, "visitor3", do="nonsense")
    for who in passes:
        service.socket(DISCONNECT, f"{who}4")


class Chatter:
    """A visitor of the chat, who keeps the cookies and what the forms of the last page carry."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.cookies: dict[str, str] = {}
        self.open("")
        service.clock.advance(seconds=10)
        self.send("", emergency="no", name="Eve Example", email="eve@example.com", text="My bicycle is gone")
        self.open("")

    @property
    def cookie(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    def open(self, page: str) -> None:
        status, text = self._ask(f"GET /chat{page}")
        assert status == 200, text
        self.hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', text))

    def send(self, page: str, expected: int = 303, **said: str) -> None:
        status, text = self._ask(f"POST /chat{page}", [*({**self.hidden, **said}).items()])
        assert status == expected, text

    def _ask(self, *request: Any) -> tuple[int, Any]:
        status, text = self.service.http(*request, cookie=self.cookie)
        answered = self.service.answered
        set_cookies = answered.get("multiValueHeaders", {}).get("Set-Cookie", [])
        for one in [*set_cookies, *filter(None, [answered["headers"].get("Set-Cookie")])]:
            name, _, value = one.partition(";")[0].partition("=")
            self.cookies[name] = value
        return status, text


TELL = "execute-api:ManageConnections"


def supervisors_keep_and_erase(service: Service) -> None:
    """One that began as a draft, which was never closed, and has a file; its letters are withheld. Others' are in the
    outbox.
    """
    writer = Writer(service)
    writer.post("taken", about__kind="pedal_cycle")
    writer.post("you", contact__full_name="Eve Example", contact__phone="07700 900123")
    service.clock.advance(seconds=10)
    service.watch.just_before("dynamodb:UpdateItem DRAFT#", lambda: throw(Died()))
    with pytest.raises(Died):
        writer.post("check", declaration="yes")
    with service.running(HTTP) as parts:
        with_files = parts.casework.sent_as(f"draft:{writer.draft}") or ""
    put_file(writer.draft, "5" * 32, b"%PDF-1.7")
    due, kept = service.report("to be erased"), service.report("to be kept")
    sara = Seat(service, "Sara")
    for reference in (with_files, due, kept):
        service.pass_on(reference)
        service.tell(LETTER, reference, 1)
        service.change(reference, "not-crime", {"reason": "no_offence", "rationale": "It was lent"})
    service.officer(f"GET /triage/{with_files}")  # its file is looked at
    for move in ("hold", "lift", "erase"):
        _, report = service.officer(f"GET /triage/{with_files}")
        sara.post(f"/desk/reports/{with_files}/{move}", version=str(report["version"]), text="Request 7")
    sara.get("/desk/export")
    sara.post("/desk/export", 200, text="eve@example.com")
    sara.post("/desk/export/file", 200, chosen=kept)
    service.invoke(ERASER, dict.fromkeys(SCHEDULED, ""))
    conversations_are_kept_and_erased(service)
    service.clock.advance(days=800)
    sara = Seat(service, "Sara")
    sara.get("/desk/retention")
    _, report = service.officer(f"GET /triage/{due}")
    sara.post("/desk/bulk/erase", 200, chosen=f"{due}:{report['version']}", text="Review of November")
    assert not service.officer(f"GET /triage/{due}")[1]["answers"]
    service.invoke(ERASER, dict.fromkeys(SCHEDULED, ""))
    service.clock.advance(hours=3)
    service.invoke(ERASER, dict.fromkeys(SCHEDULED, ""))


def conversations_are_kept_and_erased(service: Service) -> None:
    """One by a supervisor; the other is left to the housekeeping."""
    sara = Seat(service, "Sara")
    for _ in range(2):
        Chatter(service)
        chat = next_chat(sara)
        sara.post("/desk/chats", do=f"end.{chat}")
        sara.post("/desk/chats", do=f"conclude.{chat}", **{f"how.{chat}": "advice"})
    sara.get("/desk/retention/chats")
    sara.get(f"/desk/chats/{chat}/keeping")
    sara.post("/desk/export/file", 200, chosen=f"chat:{chat}")
    for what in ("hold", "lift", "erase"):
        sara.post(f"/desk/chats/{chat}/keeping", what=what, why="Request 7")


def the_secret_changes(service: Service) -> None:
    before, table = service.report("before"), Table(aws("dynamodb"), NAME)
    TokenSecrets(table, service.clock, lambda: "another").rotate()
    service.clock.now += NOTICE
    assert service.report("before") == before
    assert service.report("after") != before


def letters_fail(service: Service, settings: Settings) -> None:
    service.start(LETTER, replace(settings, letter_sender="ses", letter_from="letters@example.com"))
    aws("sesv2").create_email_identity(EmailIdentity="letters@example.com")
    service.tell(LETTER, service.report("a letter that is sent"), 1)
    cut_off, delayed, refused = (
        service.report(f"a letter that is {what}") for what in ("cut off", "delayed", "refused")
    )
    service.watch.just_before("ses:SendEmail", lambda: throw(Died()))
    with pytest.raises(Died):
        service.tell(LETTER, cut_off, 1)
    with pytest.raises(Failed, match="TryAgain"):
        service.tell(LETTER, cut_off, 1)
    service.watch.just_before("ses:SendEmail", lambda: throw(error_of("TooManyRequestsException")))
    with pytest.raises(Failed, match="OutsideError TooManyRequestsException"):
        service.tell(LETTER, delayed, 1)
    service.watch.just_before("ses:SendEmail", lambda: throw(error_of("BadRequestException")))
    service.tell(LETTER, refused, 1)
    by_notify = replace(settings, letter_sender="notify", notify_key_parameter=f"/{NAME}/notify-api-key",
                        notify_template_id="x", notify_url="http://127.0.0.1:1")  # fmt: skip
    service.start(LETTER, by_notify)
    key = f"key-{'0' * 8}-0000-0000-0000-{'0' * 12}-{'0' * 8}-0000-0000-0000-{'0' * 12}"
    aws("ssm").put_parameter(Name=f"/{NAME}/notify-api-key", Value=key, Type="SecureString")
    with pytest.raises(Failed, match="OutsideError 503"):  # nobody is there
        service.tell(LETTER, service.report("a letter by Notify"), 1)


def the_rule_runs(service: Service) -> None:
    break_item(aws("dynamodb"), NAME, service.report("unreadable"), "answers")
    service.clock.advance(days=1)
    service.sweep()
    contested, withdrawn = service.report("contested"), service.report("withdrawn")
    service.change(withdrawn, "not-crime", {"reason": "no_offence", "rationale": "It was lent"})
    service.clock.advance(days=1)
    service.watch.just_before("dynamodb:UpdateItem REPORT#", lambda: service.change(contested, "crime", CRIME))
    service.sweep()  # its number is void
    service.report("taken by somebody who dies")
    service.clock.advance(days=1)
    service.watch.just_before("dynamodb:UpdateItem REPORT#", lambda: throw(Died()))
    with pytest.raises(Died):
        service.sweep()
    service.clock.advance(hours=2)
    service.sweep()
    assert len(service.officer("GET /triage?status=awaiting_disposal")[1]["reports"]) > 5


def all_is_reconciled(service: Service) -> None:
    """Once as it is, once cut off with figures that are gone and gone on with, twice with a number on two reports."""
    one, other = service.report("reconciled"), service.report("reconciled, too")
    service.change(one, "crime", CRIME)
    service.clock.advance(minutes=11)
    service.invoke(RECONCILER, dict.fromkeys(SCHEDULED, ""))
    month = {"pk": {"S": "FIGURES"}, "sk": {"S": f"{service.clock.now:%Y-%m}"}}
    aws("dynamodb").delete_item(TableName=NAME, Key=month)
    service.watch.just_before("dynamodb:Query FIGURES", lambda: throw(Died()))
    with pytest.raises(Died):
        service.invoke(RECONCILER, dict.fromkeys(SCHEDULED, ""))
    service.invoke(RECONCILER, dict.fromkeys(SCHEDULED, ""))
    _, report = service.officer(f"GET /triage/{one}")
    Table(aws("dynamodb"), NAME).update(f"REPORT#{other}", "REPORT", values={"crime_number": report["crime_number"]},
                                        condition="attribute_exists(pk)")  # fmt: skip
    for _ in range(2):
        service.report(f"reconciled at {service.clock.now}")
        service.clock.advance(minutes=11)
        service.invoke(RECONCILER, dict.fromkeys(SCHEDULED, ""))


def throw(error: BaseException) -> None:
    raise error


def error_of(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code}}, "SendEmail")


# Is the story complete?


def test_every_function_and_route_is_in_the_story(service: Service) -> None:
    sources = [*service.app.event_sources, *service.app.websocket_handlers.values()]
    assert {source.name for source in sources} | {HTTP} == set(FUNCTIONS)
    assert not service.app.pure_lambda_functions
    assert service.routes == {(method, path) for path, methods in service.app.routes.items() for method in methods}


def test_every_method_of_a_client_is_in_the_story(service: Service) -> None:
    used = {
        node.attr
        for _, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) in ("self._client", "self._client()")
    }
    assert len(used) > 5
    signs = {"generate_presigned_post", "generate_presigned_url"}  # what a browser then does as the function
    assert used - signs == service.watch.methods - {"create_bucket"}


BY_PEOPLE = {
    "imported_months.replace.get", "imported_months._write.update",
    "senders.letters.query", "token_secrets.rotate.update",
}  # fmt: skip
"""What no function does: it is for commands, the one-machine runner and tests."""


def test_every_use_of_the_table_is_in_the_story(service: Service) -> None:
    uses = list(uses_of_the_table())
    seen = {name for name, module, lines in uses if service.watch.lines & {(module, line) for line in lines}}
    assert len(uses) > 20
    assert {name for name, _, _ in uses} - seen == BY_PEOPLE


def uses_of_the_table() -> Iterator[tuple[str, str, range]]:
    """Each call of a method of the table: its name for people, its module and lines."""
    for module, tree in modules():
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef):
                for node in ast.walk(function):
                    if isinstance(node, ast.Call) and ast.unparse(node.func) in {
                        f"self._table.{verb}" for verb in VERBS
                    }:
                        name = f"{module}.{function.name}.{ast.unparse(node.func).removeprefix('self._table.')}"
                        yield name, module, range(node.lineno, (node.end_lineno or 0) + 1)


def modules() -> Iterator[tuple[str, ast.Module]]:
    return ((path.stem, ast.parse(path.read_text())) for path in (ROOT / "chalicelib").rglob("*.py"))


# What each function needs


@pytest.fixture(scope="module")
def needs(service: Service) -> dict[str, set[Call]]:
    """By function: what it asked for, and what AWS itself does as it."""
    return {name: calls | for_aws(name) for name, calls in service.watch.calls.items()}


def for_aws(function: str) -> set[Call]:
    """Lambda logs, traces, reads streams and queues, and puts aside what fails, all as the function."""
    own = NAME if function == HTTP else f"{NAME}-{function}"
    stream = arn("logs", f"log-group:/aws/lambda/{own}:log-stream:2026/11/23/[$LATEST]1")
    logs = {Call(f"logs:{action}", stream) for action in ("CreateLogStream", "PutLogEvents")}  # the group is infra's
    traces = {Call(f"xray:{action}", "*") for action in ("PutTraceSegments", "PutTelemetryRecords")}
    return logs | traces | _POLLS.get(function, set())


_POLLS = {
    STREAM: {
        Call(f"dynamodb:{action}", arn("dynamodb", f"table/{NAME}/stream/2026-11-23T09:00:00.000"))
        for action in ("DescribeStream", "GetRecords", "GetShardIterator", "ListStreams")
    }
    | {Call("sqs:SendMessage", arn("sqs", f"{NAME}-stream-dead"))},
    **{
        function: {
            Call(f"sqs:{action}", arn("sqs", f"{NAME}-{queue}"))
            for action in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
        }
        for function, queue in ((TRIAGE, "triage"), (LETTER, "letters"))
    },
}
# An address may have a configuration set that all its letters go by; SES then asks for leave to use that, too.
_POLLS[LETTER].add(Call("ses:SendEmail", arn("ses", "configuration-set/default")))
# S3 says that a file is gone only to who may list the bucket; others it refuses.
_POLLS[HTTP] = {Call("s3:ListBucket", f"arn:aws:s3:::{NAME}-evidence-123456789012")}


# What each function may


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_may_do_what_it_has_to(needs: dict[str, set[Call]], function: str) -> None:
    assert len(needs[function]) > 3
    assert {call for call in needs[function] if not allows(policy(function), call)} == set()


@pytest.mark.parametrize("function", FUNCTIONS)
def test_nothing_in_a_policy_is_superfluous(needs: dict[str, set[Call]], function: str) -> None:
    """Every action of a statement is needed on every resource, and for every pattern of keys."""
    for statement in policy(function)["Statement"]:
        for action, resource, key in product(statement["Action"], statement["Resource"], leading_keys(statement)):
            condition = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": [key]}}
            part = {"Action": [action], "Resource": [resource], "Condition": condition}
            assert any(covers(part, call) for call in needs[function]), (statement["Sid"], action, resource, key)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_may_do_nothing_else(needs: dict[str, set[Call]], function: str) -> None:
    """Whatever AWS can do, on whatever any function touches."""
    places = {(call.resource, kind_of(call)) for calls in needs.values() for call in calls}
    possible = {Call(action, resource, kind) for resource, kind in places for action in actions_of(resource)
                if not resource.endswith(f":table/{NAME}") or bool(kind) is not action.endswith(":Scan")}  # fmt: skip
    needed = {Call(call.action, call.resource, kind_of(call)) for call in needs[function]}
    assert len(possible) > 1_500
    assert {call for call in possible if allows(policy(function), call)} == needed & possible


def kind_of(call: Call) -> frozenset[str]:
    """`REPORT#…` for every report; the keys of an index are all one kind, as no policy tells them apart."""
    return frozenset("of an index" if "/index/" in call.resource else re.sub("#.*", "#…", key) for key in call.keys)


@cache
def actions_of(resource: str) -> list[str]:
    """Every action there is of the service that a resource belongs to."""
    service = "xray" if resource == "*" else resource.split(":")[2]
    if service == "execute-api":  # botocore knows what it calls, not what IAM calls it
        return [f"execute-api:{name}" for name in ("Invoke", "InvalidateCache", "ManageConnections")]
    models = {"dynamodb": ("dynamodb", "dynamodbstreams"), "ses": ("ses", "sesv2")}.get(service, (service,))
    known = {name for model in models for name in get_session().get_service_model(model).operation_names}
    return sorted(f"{service}:{name}" for name in known)


@pytest.mark.parametrize(("ours", "theirs"), [*permutations(("dev", "dev2", "dev-x", "de", "dev-triage", "prod"), 2)])
def test_no_stage_reaches_into_another(needs: dict[str, set[Call]], ours: str, theirs: str) -> None:
    text = renamed(json.dumps([policy(function)["Statement"] for function in FUNCTIONS]), ours)
    all_of_ours = {"Statement": [statement for several in json.loads(text) for statement in several]}
    called = {call for calls in needs.values() for call in calls if call.resource != renamed(call.resource, "another")}
    others = {call._replace(resource=renamed(call.resource, theirs)) for call in called}
    assert TELL in {call.action for call in others}
    assert len(others) > 30
    assert {call for call in others if allows(all_of_ours, call)} == set()


def renamed(text: str, stage: str) -> str:
    """As it would be of another stage: connections are under the stage of API Gateway, all else has its name."""
    return text.replace(NAME, f"crime-reports-{stage}").replace("/dev/", f"/{stage}/")


# The policies as they are written


def test_the_rules_that_no_story_may_bend() -> None:
    for function, statement in statements():
        assert not any("*" in action or "?" in action for action in statement["Action"]), "an action has its name"
        assert not re.search(r"Delete(?!Message)|Scan|PartiQL|BatchWrite", str(statement["Action"])) or (
            statement["Action"] == ["s3:DeleteObjectVersion"]
            or (statement["Action"] == ["dynamodb:Scan"] and function == RECONCILER)
            or (
                statement["Action"] == ["dynamodb:DeleteItem"]
                and {"DESK#*", "DRAFT#*", "EVIDENCE#*", "ADVISORS", "CHAT_SOCKETS#*", "SOCKET#*"}
                | ({"FIND#*", "OUTBOX"} if function == ERASER else set())
                >= set(leading_keys(statement))
            )
        )
        assert "CRIME_NUMBERS" not in str(statement) or function in (HTTP, RULE, RECONCILER)
        assert "TOKEN_SECRETS" not in str(statement) or function in (HTTP, TRIAGE, LETTER, ERASER, FRAME)
        assert statement["Resource"] != ["*"] or all(action.startswith("xray:") for action in statement["Action"])


def test_policies_use_no_more_of_iam_than_we_understand() -> None:
    for _, statement in statements():
        assert statement["Effect"] == "Allow"
        assert set(statement) - {"Condition"} == {"Sid", "Effect", "Action", "Resource"}
        assert isinstance(statement["Action"], list) and isinstance(statement["Resource"], list)
        keys = leading_keys(statement)
        assert not any(set("[$") & set(text) for text in (*statement["Action"], *statement["Resource"], *keys))
        assert statement.get("Condition", {}) in ({}, {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": keys}})


def test_whoever_reads_or_writes_items_is_held_to_their_keys() -> None:
    """A condition on keys that is forgotten would let a function at every item there is. A scan is not bound by one:
    it is one function's, which nobody outside can reach.
    """
    tables = [(statement, resource) for _, statement in statements() for resource in statement["Resource"]
              if ":table/" in resource and not re.search("/(index|stream)/", resource)
              and statement["Action"] != ["dynamodb:Scan"]]  # fmt: skip
    assert len(tables) > 8
    assert all("*" not in leading_keys(statement) for statement, _ in tables)


STAGES = [path.name for path in POLICIES.iterdir()]


@pytest.mark.parametrize("stage", STAGES)
def test_the_policies_of_every_stage_are_those_of_dev(stage: str) -> None:
    files = {path.stem: path.read_text() for path in (POLICIES / stage).iterdir()}
    assert set(files) == set(FUNCTIONS)
    for function, text in files.items():
        assert text == renamed((POLICIES / "dev" / f"{function}.json").read_text(), stage)


def test_every_stage_that_is_deployed_names_a_policy_for_each_function() -> None:
    config = json.loads((ROOT / ".chalice" / "config.json").read_text())
    assert config["autogen_policy"] is False
    deployed = {name: stage for name, stage in config["stages"].items() if stage}
    assert set(deployed) == set(STAGES) >= {"dev", "prod"}
    for name, stage in deployed.items():
        named = {function: own["iam_policy_file"] for function, own in stage["lambda_functions"].items()}
        assert named == {function: f"policies/{name}/{function}.json" for function in FUNCTIONS}
