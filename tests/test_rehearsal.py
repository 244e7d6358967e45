"""The rehearsal: the real commands deploy a copy of the project to an AWS on this machine, and what they deployed runs.

The tests tell one story, from an empty account to the service's end; each builds on those before it.
"""

import contextlib
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

import pytest
import requests
from conftest import ROOT
from deployed import REGION, EventSources, FunctionFailed, Functions, Gateway, environment
from deployed_sockets import Sockets
from users import Officer, Public, aws_client, example, filled_form
from visitor import Visitor
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from chalicelib.chat_hours import ALWAYS
from chalicelib.config import Settings
from chalicelib.handlers.http import ONLY_OVER_TLS, SAFE_HEADERS
from chalicelib.reference import parse
from chalicelib.report import Actor
from chalicelib.sessions import Sessions
from chalicelib.table import Table
from chalicelib.wiring import mint
from infra.local.children import end_with_parent
from infra.local.issuer import AUDIENCE, Issuer
from infra.local.stack import create_table

NAME = "crime-reports-dev"
FUNCTIONS = {"api_handler": NAME, "on_report_change": f"{NAME}-on_report_change", "on_triage": f"{NAME}-on_triage",
             "on_letter": f"{NAME}-on_letter", "crime_due_reports": f"{NAME}-crime_due_reports",
             "keep_house": f"{NAME}-keep_house",
             "reconcile": f"{NAME}-reconcile", "websocket_connect": f"{NAME}-websocket_connect",
             "websocket_message": f"{NAME}-websocket_message",
             "websocket_disconnect": f"{NAME}-websocket_disconnect"}  # fmt: skip
ARCHITECTURE = {"x86_64": "x86_64", "AMD64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}[platform.machine()]


class SignIn(ThreadingHTTPServer):
    """The force's directory on a loopback port: publishes its keys, gives tokens to the test."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Documents)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.issuer = Issuer(self.url, lambda: datetime.now(UTC))
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()


class _Documents(BaseHTTPRequestHandler):
    server: SignIn

    def do_GET(self) -> None:
        issuer = self.server.issuer
        document = issuer.keys() if self.path.endswith("jwks.json") else issuer.configuration()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(document).encode())

    def log_message(self, *_: Any) -> None:
        """Nobody reads it."""


class Rehearsal:
    """An AWS, a copy of the project to deploy there, and what runs of it."""

    def __init__(self, folder: Path, stop: contextlib.ExitStack) -> None:
        self.project = folder / "project"
        self.endpoint = _aws(stop)
        self.sign_in = SignIn()
        self.functions = Functions(self.project, self.endpoint, folder / "lambda")
        stop.callback(self.functions.close)
        self.sources = EventSources(self.functions, self.endpoint)
        gateway = Gateway(self.functions, self.sources, self.endpoint)
        self.url = gateway.address("dev")
        self.sockets = Sockets(self.functions, self.endpoint)
        _copy_project(self.project)
        self.configure(self._set_up)

    def configure(self, change: Callable[[dict[str, Any]], Any]) -> None:
        """Edit the copy's `.chalice/config.json`."""
        path = self.project / ".chalice" / "config.json"
        config = json.loads(path.read_text())
        change(config)
        path.write_text(json.dumps(config))

    def configuration(self) -> str:
        """The copy's `.chalice/config.json` as it is."""
        return (self.project / ".chalice" / "config.json").read_text()

    def run(self, module: str, *arguments: str, said: str = "", **environ: str) -> subprocess.CompletedProcess[str]:
        """A command of ours in the copy, to its end."""
        return self._run([sys.executable, "-m", module, *arguments], said, environ)

    def chalice(self, command: str) -> subprocess.CompletedProcess[str]:
        """Chalice's own command, without our wrapper."""
        return self._run([Path(sys.executable).with_name("chalice"), command, "--stage", "dev"], "", {})

    def deploy(self) -> str:
        """Deploy; it must succeed. Gives what was printed."""
        done = self.run("infra.deploy", "dev")
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def environ(self, **more: str) -> dict[str, str]:
        """The environment of a command: that of the tests, with the rehearsal's AWS for the caller's."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        nobody = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
                  "AWS_EC2_METADATA_DISABLED": "true"}  # fmt: skip
        given = {**inherited, **nobody, **environment(self.endpoint), **more}
        return {name: value for name, value in given.items() if value}

    def aws(self, service: str) -> Any:
        """A client of the rehearsal's AWS."""
        return aws_client(service, self.endpoint)

    def tell(self, what: str, **words: str) -> None:
        """Have something go wrong there: see `rehearsal_aws.Control`."""
        requests.post(f"{self.endpoint}/rehearsal/{what}", json=words, timeout=30).raise_for_status()

    def token(self, role: str, name: str = "") -> str:
        """A token of the force's directory."""
        return self.sign_in.issuer.token(role, name or role)

    def settle(self) -> None:
        """Have everything in the stream and the queues handled; whatever cannot be fails the test."""
        self.sources.deliver()
        assert not any(self.waiting().values())

    def waiting(self) -> dict[str, int]:
        """How many messages are in each queue, handed out or not."""
        sqs, found = self.aws("sqs"), {}
        for url in sqs.list_queues()["QueueUrls"]:
            held = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
            names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
            found[url.rsplit("/", 1)[-1]] = sum(int(held[name]) for name in names)
        return found

    def items(self, start: str = "") -> list[dict[str, Any]]:
        """The items of the table whose partition key starts so."""
        pages = self.aws("dynamodb").get_paginator("scan").paginate(TableName=NAME)
        return [item for page in pages for item in page["Items"] if item["pk"]["S"].startswith(start)]

    def state(self) -> dict[str, dict[str, Any]]:
        """What Chalice wrote down."""
        written = json.loads((self.project / ".chalice" / "deployed" / "dev.json").read_text())
        return {resource["name"]: resource for resource in written["resources"]}

    def resources(self) -> dict[str, Any]:
        """Everything that deployments make in the account, by what tells it from its like."""
        functions, mappings = self.aws("lambda").list_functions()["Functions"], self.mappings()
        apis, events = self.aws("apigateway").get_rest_apis()["items"], self.aws("events")
        return {
            "functions": {one["FunctionName"]: (one["CodeSha256"], one["Handler"]) for one in functions},
            "mappings": {one["EventSourceArn"]: (one["UUID"], one["FunctionArn"]) for one in mappings},
            "mappings in all": len(mappings),
            "apis": [api["id"] for api in apis],
            "socket apis": self.socket_stages(),
            "rules": sorted(rule["Name"] for rule in events.list_rules()["Rules"]),
            "roles": sorted(role["RoleName"] for role in self.aws("iam").list_roles()["Roles"]),
            "stacks": sorted(one["StackName"] for one in self.aws("cloudformation").describe_stacks()["Stacks"]),
            "tables": self.aws("dynamodb").list_tables()["TableNames"],
        }

    def socket_stages(self) -> dict[str, dict[str, Any]]:
        """Each WebSocket API with its stages, and their settings."""
        client, settings = self.aws("apigatewayv2"), ("DeploymentId", "DefaultRouteSettings", "AccessLogSettings")
        return {
            api["ApiId"]: {
                stage["StageName"]: {name: stage.get(name) for name in settings}
                for stage in client.get_stages(ApiId=api["ApiId"])["Items"]
            }
            for api in client.get_apis()["Items"]
        }

    def mappings(self) -> list[dict[str, Any]]:
        """The event source mappings, without the time when each was last touched."""
        found = self.aws("lambda").list_event_source_mappings()["EventSourceMappings"]
        return [{name: value for name, value in mapping.items() if name != "LastModified"} for mapping in found]

    def _set_up(self, config: dict[str, Any]) -> None:
        """What differs here from AWS: the processor, and where officers and we find the service."""
        stage = config["stages"]["dev"]
        stage["lambda_architecture"] = ARCHITECTURE
        stage["lambda_functions"]["crime_due_reports"]["reserved_concurrency"] = 1
        stage.setdefault("deployment", {}).update(
            oidc_issuer=self.sign_in.url, oidc_audience=AUDIENCE, address=self.url, chat_hours=ALWAYS
        )

    def _run(self, command: list[Any], said: str, environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, cwd=self.project, env=self.environ(**environ), input=said, capture_output=True,
                              text=True, timeout=180)  # fmt: skip


def _aws(stop: contextlib.ExitStack) -> str:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.rehearsal_aws"],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=end_with_parent(),
    )
    stop.callback(process.kill)
    assert process.stdout
    port = process.stdout.readline().strip()
    assert port, "the rehearsal's AWS did not start"
    return f"http://127.0.0.1:{port}"


def _copy_project(target: Path) -> None:
    """The files as they are, committed or not."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True)
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)


@pytest.fixture(scope="module")
def rehearsal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsal]:
    """One account for the whole story."""
    with contextlib.ExitStack() as stop:
        yield Rehearsal(tmp_path_factory.mktemp("rehearsal"), stop)


@pytest.fixture(scope="module")
def deployed(rehearsal: Rehearsal) -> Rehearsal:
    """The same, with the service deployed."""
    rehearsal.deploy()
    return rehearsal


@pytest.fixture(scope="module")
def routes(app_module: Any) -> dict[str, set[str]]:
    """What the app answers, by the code: path -> methods."""
    return {path: set(methods) for path, methods in app_module.app.routes.items()}


def fails_in_one_line(done: subprocess.CompletedProcess[str], *words: str) -> None:
    """A command stopped as it should: one line for a person, with `words` in it, and no trace."""
    assert done.returncode == 1, done.stdout + done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert all(word in done.stderr for word in words), done.stderr


def flows(rehearsal: Rehearsal, name: str = "Sam Carter") -> str:
    """A report goes all the way to its crime number, with both letters; gives its reference."""
    reference = Public(rehearsal).report(example("theft", contact__full_name=name))
    rehearsal.settle()
    officer = Officer(rehearsal, name="Olive")
    seen = officer.read(reference)
    assert (seen["status"], [letter["state"] for letter in seen["letters"]]) == ("queued", ["sent"])
    decided = officer.done(reference, "crime", offence="45", disposal="further_investigation")
    assert decided["crime_number"]
    rehearsal.settle()
    templates = [letter["template"] for letter in officer.read(reference)["letters"]]
    assert templates == ["acknowledgement", "crimed"]
    return reference


# An empty account


def test_what_would_be_done_is_said_and_nothing_is_done(rehearsal: Rehearsal) -> None:
    config, before = rehearsal.configuration(), rehearsal.resources()
    said = rehearsal.run("infra.deploy", "dev", "--dry-run")
    assert (said.returncode, said.stderr) == (0, "")
    for words in (
        "create stack crime-reports-dev-data",
        "chalice deploy --stage dev",
        "Smoke test",
        "Nothing was changed",
    ):
        assert words in said.stdout
    assert (rehearsal.configuration(), rehearsal.resources()) == (config, before)
    assert not any(before.values())


NO_CREDENTIALS = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}


@pytest.mark.parametrize(
    ("arguments", "environ", "words"),
    [
        ([], {}, "Say which stage"),
        (["nonsense"], {}, "There is no stage “nonsense”"),
        (["Dev"], {}, "There is no stage “Dev”"),
        (["../dev"], {}, "There is no stage"),
        (["local"], {}, "There is no stage “local”"),
        (["prod"], {}, "FORCE_NAME has to be"),
        (["dev"], NO_CREDENTIALS, "There are no AWS credentials"),
        (["dev"], {"AWS_REGION": "", "AWS_DEFAULT_REGION": ""}, "No AWS region"),
        (["dev"], {"AWS_PROFILE": "nobody"}, "nobody"),
        (["dev"], {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "cannot be reached"),
    ],
)
def test_what_cannot_be_deployed_is_told_in_one_line(
    rehearsal: Rehearsal, arguments: list[str], environ: dict[str, str], words: str
) -> None:
    config = rehearsal.configuration()
    fails_in_one_line(rehearsal.run("infra.deploy", *arguments, **environ), words)
    assert rehearsal.configuration() == config
    assert not any(rehearsal.resources().values())


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("ExpiredToken", "have expired"),
        ("InvalidClientTokenId", "does not know these credentials"),
        ("AccessDenied", "You may not"),
    ],
)
def test_credentials_that_aws_does_not_take_are_told_in_one_line(rehearsal: Rehearsal, code: str, words: str) -> None:
    rehearsal.tell("refuse", operation="*", code=code)
    refused = rehearsal.run("infra.deploy", "dev")
    rehearsal.tell("refuse")
    fails_in_one_line(refused, words)
    assert not any(rehearsal.resources().values())


@pytest.mark.parametrize(
    "broken",
    [
        "{",
        "[]",
        "{}",
        '{"stages": []}',
        '{"stages": {"dev": null}}',
        '{"app_name": "crime-reports", "stages": {"dev": {}}}',
    ],
)
def test_a_broken_configuration_is_told_in_one_line(rehearsal: Rehearsal, broken: str) -> None:
    path = rehearsal.project / ".chalice" / "config.json"
    whole = path.read_text()
    path.write_text(broken)
    failed = rehearsal.run("infra.deploy", "dev")
    unchanged = path.read_text() == broken
    path.write_text(whole)
    fails_in_one_line(failed)
    assert unchanged and not any(rehearsal.resources().values())


# What is deployed


def test_the_smoke_test_leaves_nothing_behind(deployed: Rehearsal) -> None:
    assert deployed.items("REPORT#") == deployed.items("OUTBOX") == []
    assert len(deployed.items("TOKEN_SECRETS")) == 1  # it was here
    assert not any(deployed.waiting().values())


def chosen(deployed: Rehearsal, function: str, setting: str) -> Any:
    """A setting of a function in the configuration: the nearest counts."""
    config = json.loads(deployed.configuration())
    stage = config["stages"]["dev"]
    for place in (stage["lambda_functions"][function], stage, config["lambda_functions"].get(function, {}), config):
        if setting in place:
            return place[setting]
    return None


@pytest.mark.parametrize("function", FUNCTIONS)
def test_each_function_is_as_configured(deployed: Rehearsal, function: str) -> None:
    client, name = deployed.aws("lambda"), FUNCTIONS[function]
    found = client.get_function_configuration(FunctionName=name)
    assert found["MemorySize"] == chosen(deployed, function, "lambda_memory_size") >= 256
    assert found["Timeout"] == chosen(deployed, function, "lambda_timeout") >= 29
    assert found["Architectures"] == [ARCHITECTURE]
    assert found["Runtime"] == f"python{sys.version_info.major}.{sys.version_info.minor}"
    assert found["TracingConfig"] == {"Mode": "Active"}
    reserved = client.get_function_concurrency(FunctionName=name).get("ReservedConcurrentExecutions")
    assert reserved == chosen(deployed, function, "reserved_concurrency")


def test_there_are_these_functions_and_no_others_and_each_loads(deployed: Rehearsal) -> None:
    assert set(deployed.resources()["functions"]) == set(FUNCTIONS.values())
    for name in FUNCTIONS.values():
        deployed.functions.worker(name)  # imports the handler from the zip, or raises


def test_functions_are_told_no_secret(deployed: Rehearsal) -> None:
    (item,) = deployed.items("TOKEN_SECRETS")
    secrets = [line["S"].split()[0] for line in item["secrets"]["L"]]
    known = {"REPORTS_STREAM_ARN", "POWERTOOLS_SERVICE_NAME", "REPORTS_TABLE"} | {
        name.upper() for name in Settings.__dataclass_fields__
    }
    for name in FUNCTIONS.values():
        told = deployed.aws("lambda").get_function_configuration(FunctionName=name)["Environment"]["Variables"]
        assert set(told) <= known
        assert not [secret for secret in secrets if secret in json.dumps(told)]


def test_each_function_has_a_role_of_its_own_with_its_policy_file(deployed: Rehearsal) -> None:
    iam, roles = deployed.aws("iam"), {}
    for function, name in FUNCTIONS.items():
        arn = deployed.aws("lambda").get_function_configuration(FunctionName=name)["Role"]
        roles[function] = role = arn.rsplit("/", 1)[-1]
        policies = [iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
                    for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]]  # fmt: skip
        file = deployed.project / ".chalice" / "policies" / "dev" / f"{function}.json"
        assert policies == [json.loads(file.read_text())]
        assert not iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    assert len(set(roles.values())) == len(FUNCTIONS)


def test_the_stream_has_the_options_that_chalice_cannot_set(deployed: Rehearsal) -> None:
    (mapping,) = [one for one in deployed.mappings() if ":dynamodb:" in one["EventSourceArn"]]
    table = deployed.aws("dynamodb").describe_table(TableName=NAME)["Table"]
    assert mapping["EventSourceArn"] == table["LatestStreamArn"]
    assert mapping["FunctionArn"].endswith(f":{FUNCTIONS['on_report_change']}")
    assert (mapping["StartingPosition"], mapping["BatchSize"]) == ("TRIM_HORIZON", 100)
    assert mapping["BisectBatchOnFunctionError"] is True
    assert mapping["MaximumRetryAttempts"] == -1  # an outage is waited for, however often that is
    assert 3600 <= mapping["MaximumRecordAgeInSeconds"] < 24 * 3600  # put aside before the stream forgets it
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["DestinationConfig"]["OnFailure"]["Destination"].endswith(f":{NAME}-stream-dead")
    assert mapping["FilterCriteria"]["Filters"]


@pytest.mark.parametrize(("queue", "function"), [("triage", "on_triage"), ("letters", "on_letter")])
def test_each_queue_wakes_its_function_for_one_message_at_a_time(
    deployed: Rehearsal, queue: str, function: str
) -> None:
    (mapping,) = [one for one in deployed.mappings() if one["EventSourceArn"].endswith(f":{NAME}-{queue}")]
    assert mapping["FunctionArn"].endswith(f":{FUNCTIONS[function]}")
    assert (mapping["BatchSize"], mapping["ScalingConfig"]) == (1, {"MaximumConcurrency": 5})


def allowed(deployed: Rehearsal, function: str) -> list[dict[str, Any]]:
    """Who may call a function, by its own policy."""
    policy = deployed.aws("lambda").get_policy(FunctionName=FUNCTIONS[function])["Policy"]
    return list(json.loads(policy)["Statement"])


@pytest.mark.parametrize(
    ("function", "rate"),
    [
        ("crime_due_reports", "rate(1 minute)"),
        ("keep_house", "rate(1 hour)"),
        ("reconcile", "cron(0 2 * * ? *)"),
    ],
)
def test_schedules(deployed: Rehearsal, function: str, rate: str) -> None:
    events = deployed.aws("events")
    (rule,) = (rule for rule in events.list_rules()["Rules"] if function in rule["Name"])
    assert (rule["ScheduleExpression"], rule["State"]) == (rate, "ENABLED")
    (target,) = events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
    assert target["Arn"].endswith(f":{FUNCTIONS[function]}")
    (statement,) = allowed(deployed, function)
    assert statement["Principal"] == {"Service": "events.amazonaws.com"}
    assert statement["Condition"]["ArnLike"]["AWS:SourceArn"] == rule["Arn"]


def api_of(deployed: Rehearsal) -> str:
    (api,) = deployed.resources()["apis"]
    return str(api)


def test_the_api_has_every_route_of_the_app_and_may_call_it(deployed: Rehearsal, routes: dict[str, set[str]]) -> None:
    gateway = Gateway(deployed.functions, deployed.sources, deployed.endpoint)
    found = {path: methods for path, methods in gateway.resources(api_of(deployed)) if methods}
    assert {path: set(methods) for path, methods in found.items()} == routes
    for methods in found.values():
        for method in methods.values():
            assert f":function:{NAME}/" in method["methodIntegration"]["uri"]
    assert [one["Principal"]["Service"] for one in allowed(deployed, "api_handler")] == ["apigateway.amazonaws.com"]


def test_there_is_no_authorizer_and_every_officers_route_is_locked_all_the_same(
    deployed: Rehearsal, routes: dict[str, set[str]]
) -> None:
    """The function verifies tokens itself, here by the keys that the directory publishes: docs/adr/0006-sign-in.md."""
    assert not deployed.aws("apigateway").get_authorizers(restApiId=api_of(deployed))["items"]
    locked = [(method, path.replace("{reference}", "7K3M-9QWP-R2T8")) for path, methods in routes.items()
              for method in methods if path.startswith("/triage") or path == "/statistics"]  # fmt: skip
    assert len(locked) >= 11
    forged = Issuer(deployed.sign_in.url, lambda: datetime.now(UTC)).token("officer", "Mallory")
    headers = {"Content-Type": "application/json", "If-Match": '"1"'}
    for method, path in locked:
        for token, status in ((None, 401), (forged, 401), (deployed.token("visitor"), 403)):
            sent = headers | ({"Authorization": f"Bearer {token}"} if token else {})
            answer = requests.request(method, deployed.url + path, headers=sent, timeout=30)
            assert answer.status_code == status, (method, path)
            assert answer.headers["Content-Type"] == "application/problem+json"
    refused = Officer(deployed, "analyst").get("/triage")
    assert refused.status_code == 403


def test_the_api_defends_itself_and_its_log_names_nobody(deployed: Rehearsal) -> None:
    stage = deployed.aws("apigateway").get_stage(restApiId=api_of(deployed), stageName="dev")
    limits, log = stage["methodSettings"]["*/*"], stage["accessLogSettings"]
    assert 1 <= limits["throttlingRateLimit"] <= limits["throttlingBurstLimit"] < 1000
    assert log["destinationArn"].endswith(f":log-group:/aws/apigateway/{NAME}")
    assert not [part for part in ("$context.identity", "$context.path", "$input", "header") if part in log["format"]]
    json.loads(log["format"])
    assert not stage.get("tracingEnabled")  # a trace has addresses, and with them references and the keys of drafts
    arn = f"arn:aws:apigateway:{REGION}::/restapis/{api_of(deployed)}/stages/dev"
    assert deployed.aws("wafv2").get_web_acl_for_resource(ResourceArn=arn)["WebACL"]["Name"] == NAME


def test_an_address_that_is_not_there_gets_a_problem_document(deployed: Rehearsal) -> None:
    for method, path in (("GET", "/no-such-page"), ("DELETE", "/healthz")):
        answer = requests.request(method, deployed.url + path, timeout=30)
        assert (answer.status_code, answer.headers["Content-Type"]) == (404, "application/problem+json")
        assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
        assert (answer.headers["X-Content-Type-Options"], answer.headers["Cache-Control"]) == ("nosniff", "no-store")
        assert answer.json()["title"] == "Not found"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Security-Policy"].startswith("default-src;")


def test_what_api_gateway_refuses_by_itself_is_as_safe_as_what_we_do(deployed: Rehearsal) -> None:
    refusals = deployed.aws("apigateway").get_gateway_responses(restApiId=api_of(deployed))["items"]
    assert {"DEFAULT_4XX", "DEFAULT_5XX"} < {one["responseType"] for one in refusals}
    for one in refusals:
        said = {
            name.removeprefix("gatewayresponse.header."): value for name, value in one["responseParameters"].items()
        }
        assert {*SAFE_HEADERS, *ONLY_OVER_TLS, "Cache-Control"} < set(said)
        assert all(value[0] == value[-1] == "'" and "'" not in value[1:-1] for value in said.values())
        document = json.loads(one["responseTemplates"]["application/json"])
        assert str(document.get("status", "")) == one.get("statusCode", "")  # the rest keep a status of their own


# The chat's way in


def socket_api(deployed: Rehearsal) -> str:
    (api,) = deployed.resources()["socket apis"]
    return str(api)


def told(deployed: Rehearsal, function: str) -> dict[str, str]:
    """The environment of a function."""
    found = deployed.aws("lambda").get_function_configuration(FunctionName=FUNCTIONS[function])
    return dict(found["Environment"]["Variables"])


def test_functions_are_told_where_the_chat_is(deployed: Rehearsal) -> None:
    """After one deployment: the address was known before the functions were made."""
    place = f"{socket_api(deployed)}.execute-api.{REGION}.amazonaws.com/dev"
    wanted = {"CHAT_SOCKET": f"wss://{place}", "CHAT_MANAGEMENT": f"https://{place}", "CHAT_HOURS": ALWAYS}
    assert all(wanted.items() <= told(deployed, function).items() for function in FUNCTIONS)


def test_the_websocket_api_leads_to_its_functions(deployed: Rehearsal) -> None:
    """As it is in effect, and as Chalice has left it for the next time; and API Gateway may call them."""
    client, api = deployed.aws("apigatewayv2"), socket_api(deployed)
    wanted = {f"${way}": FUNCTIONS[f"websocket_{name}"] for way, name in
              (("connect", "connect"), ("default", "message"), ("disconnect", "disconnect"))}  # fmt: skip
    in_effect = client.get_stage(ApiId=api, StageName="dev")["StageVariables"]
    written = {route["RouteKey"]: client.get_integration(ApiId=api, IntegrationId=route["Target"].split("/")[1])
               for route in client.get_routes(ApiId=api)["Items"]}  # fmt: skip
    assert {route: uri.split(":function:")[1].split("/")[0] for route, uri in in_effect.items()} == wanted
    assert {route: one["IntegrationUri"] for route, one in written.items()} == in_effect
    for name in ("websocket_connect", "websocket_message", "websocket_disconnect"):
        (statement,) = allowed(deployed, name)
        assert statement["Principal"] == {"Service": "apigateway.amazonaws.com"}
        assert f":{api}/" in json.dumps(statement["Condition"])


def test_the_websocket_api_defends_itself_and_its_log_names_nobody(deployed: Rehearsal) -> None:
    stage = deployed.resources()["socket apis"][socket_api(deployed)]["dev"]
    limits, log = stage["DefaultRouteSettings"], stage["AccessLogSettings"]
    assert 100 <= limits["ThrottlingBurstLimit"] <= limits["ThrottlingRateLimit"] < 1000
    assert (limits["LoggingLevel"], limits["DataTraceEnabled"]) == ("OFF", False)  # what people say is in no log
    assert log["DestinationArn"].endswith(f":log-group:/aws/apigateway/{NAME}-chat")
    assert not [part for part in ("identity", "connectionId", "$input", "error.message") if part in log["Format"]]
    json.loads(log["Format"])


def test_a_frame_is_answered(deployed: Rehearsal) -> None:
    """Here with a refusal, by way of the connection-management API; then the connection is ended."""
    with connect(deployed.sockets.here(told(deployed, "api_handler")["CHAT_SOCKET"])) as socket:
        socket.send("{")
        assert json.loads(socket.recv(timeout=30)) == {"refused": "We could not read that. Reload the page."}
        with pytest.raises(ConnectionClosed):
            socket.recv(timeout=30)


def test_a_stage_that_is_not_there_is_not_connected(deployed: Rehearsal) -> None:
    address = deployed.sockets.here(told(deployed, "api_handler")["CHAT_SOCKET"]).replace("/dev", "/prod")
    with pytest.raises(InvalidStatus, match="403"), connect(address):
        pass


# A report's way through what is deployed


def test_a_report_sent_as_json_goes_all_the_way_and_sent_again_is_the_same(deployed: Rehearsal) -> None:
    public, answers = Public(deployed), example("burglary")
    first, again = (public.send(answers, Idempotency_Key="a key of the website's") for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    reference = first.json()["reference"]
    assert first.headers["Location"] == f"/dev/reports/{reference}"  # the stage is part of API Gateway's addresses
    deployed.settle()
    seen = Officer(deployed).read(reference)
    assert (seen["status"], seen["answers"]["category"]) == ("queued", "burglary")
    assert public.get(f"/reports/{reference}", Accept="text/html").status_code == 200
    assert len(deployed.items("REPORT#" + parse(reference))) == 3  # itself, its letter, and who saw it


def test_a_report_sent_as_a_form_makes_one_report(deployed: Rehearsal) -> None:
    public, before = Public(deployed), reports(deployed)
    answers = example("criminal_damage")
    form = filled_form(_Site(deployed), "criminal_damage", answers)
    sent = [requests.post(urljoin(deployed.url, form.action), data=form.pairs, headers={"Accept": "text/html"},
                          allow_redirects=False, timeout=30) for _ in range(2)]  # fmt: skip
    assert [answer.status_code for answer in sent] == [303, 303]
    assert sent[0].headers["Location"] == sent[1].headers["Location"]
    page = requests.get(urljoin(deployed.url, sent[0].headers["Location"]), timeout=30)
    reference = sent[0].headers["Location"].rsplit("/", 1)[-1]
    assert reference in page.text
    assert reports(deployed) == before + 1
    factor = {"email": answers["contact"]["email"]}
    assert public.status(reference, **factor).json()["status"] == "queued"


class _Site(Public):
    """Somebody at the site whose pages have the stage in their addresses already."""

    def post(self, path: str, pairs: Any) -> requests.Response:
        return super().post(path.removeprefix("/dev"), pairs)


def reports(deployed: Rehearsal) -> int:
    return sum(item["sk"]["S"] == "REPORT" for item in deployed.items("REPORT#"))


def test_an_officer_crimes_a_report_and_the_letters_go_out(deployed: Rehearsal) -> None:
    reference = flows(deployed, "Ngozi Eze")
    letters = [item for item in deployed.items("OUTBOX") if item["reference"]["S"] == reference]
    assert sorted(letter["template"]["S"] for letter in letters) == ["acknowledgement", "crimed"]
    number = Officer(deployed).read(reference)["crime_number"]
    assert any(number in letter["body"]["S"] for letter in letters)
    standing = Public(deployed).status(reference, email=example("theft")["contact"]["email"]).json()
    assert (standing["status"], standing["crime_number"]) == ("crimed", number)


def test_what_nobody_decides_is_crimed_by_the_rule(deployed: Rehearsal) -> None:
    """The report is made 25 hours old in the table: the clock of what is deployed is the real one."""
    reference, fresh = (Public(deployed).report(example("theft")) for _ in range(2))
    deployed.settle()
    received = datetime.now(UTC) - timedelta(hours=25)
    times = {":received": received, ":deadline": received + timedelta(hours=24)}
    deployed.aws("dynamodb").update_item(
        TableName=NAME,
        Key={"pk": {"S": f"REPORT#{parse(reference)}"}, "sk": {"S": "REPORT"}},
        UpdateExpression="SET received_at = :received, deadline = :deadline",
        ExpressionAttributeValues={name: {"S": f"{time:%Y-%m-%dT%H:%M:%SZ}"} for name, time in times.items()},
    )
    scheduled = ("crime_due_reports", "keep_house", "reconcile")
    assert sorted(deployed.sources.run_schedules()) == [FUNCTIONS[name] for name in scheduled]
    deployed.settle()
    officer = Officer(deployed)
    assert officer.read(fresh)["status"] == "queued"
    crimed = officer.read(reference)
    assert (crimed["status"], crimed["crimed_by"]) == ("crimed", "24-hour rule")
    assert [letter["template"] for letter in crimed["letters"]] == ["acknowledgement", "crimed"]


def test_a_report_page_by_page(deployed: Rehearsal) -> None:
    """Through the stage's own address, which stands before every link, form and cookie."""
    visitor = Visitor(deployed)
    visitor.begin("burglary").go_on("check")
    time.sleep(2)  # the clock of what is deployed is the real one
    visitor.send(declaration="yes")
    assert "Report sent" in visitor.words
    assert Officer(deployed).read(visitor.step)["answers"]["about"] == {"kind": "home"}


def test_a_conversation_by_pages_and_over_sockets(deployed: Rehearsal) -> None:
    """Begun on a page, answered over a socket, and the same for whoever polls. Either side has what opens its own."""
    visitor, advisor = Visitor(deployed), at_the_desk(deployed)
    visitor.open("/chat")
    time.sleep(2)  # the clock of what is deployed is the real one
    visitor.send(to="/chat", emergency="no", name="Ngozi", text="My bicycle has gone.")
    advisor.open("/desk/chats")
    advisor.send(to="/desk/chats", do="next.")
    chat = dict(parse_qsl(urlsplit(advisor.page.url).query))["chat"]
    with opened(deployed, visitor, "/chat") as theirs, opened(deployed, advisor, f"/desk/chats/{chat}") as ours:
        assert said(theirs) == ["My bicycle has gone."]
        assert json.loads(ours.recv(timeout=30)) == {"lists": True}
        ours.send(json.dumps({"do": "say", "id": "one", "text": "Was it locked?", "chat": chat}))
        assert said(theirs) == said(ours) == ["Was it locked?"]
        theirs.send(json.dumps({"do": "say", "id": "two", "text": "It was."}))
        assert said(ours) == said(theirs) == ["It was."]
        visitor.open("/chat")
        visitor.send(to="/chat/messages", text="To a lamp post.")  # by a page, and told over the sockets
        assert said(ours) == said(theirs) == ["To a lamp post."]
    words = ["My bicycle has gone.", "Was it locked?", "It was.", "To a lamp post."]
    assert all(word in one.open(path).text for word in words
               for one, path in ((visitor, "/chat"), (advisor, f"/desk/chats/{chat}")))  # fmt: skip
    end = time.monotonic() + 30
    while any(map(deployed.items, ("SOCKET#", "CHAT_SOCKETS#", "ADVISORS"))):  # who has gone is forgotten, soon
        assert time.monotonic() < end
        time.sleep(0.1)


@contextlib.contextmanager
def opened(deployed: Rehearsal, visitor: Visitor, page: str) -> Iterator[ClientConnection]:
    """The socket of a page, opened with the pass that the page is given."""
    url = f"{deployed.url}{page}/entries?seen=0"
    found = visitor.session.get(url, headers={"Accept": "application/json"}, timeout=30).json()["socket"]
    with connect(deployed.sockets.here(found["url"])) as socket:
        socket.send(json.dumps({"do": "open", "pass": found["pass"], "seen": 0}))
        yield socket


def said(socket: ClientConnection) -> list[str]:
    """What is said in the next frame that brings words."""
    while True:
        entries = json.loads(socket.recv(timeout=30)).get("entries", [])
        if words := [entry["text"] for entry in entries if entry["what"] == "said"]:
            return words


def at_the_desk(deployed: Rehearsal) -> Visitor:
    """An officer who has signed in."""
    sessions = Sessions(Table(deployed.aws("dynamodb"), NAME), lambda: datetime.now(UTC), mint)
    visitor = Visitor(deployed)
    visitor.session.cookies.set("desk", sessions.begin(Actor("olive", "Olive Officer"), frozenset({"officer"})))
    return visitor


def test_the_desk_under_the_address_of_a_stage(deployed: Rehearsal) -> None:
    door = requests.get(f"{deployed.url}/desk?list=mine", timeout=30, allow_redirects=False)
    assert door.headers["Location"].endswith("/dev/desk/sign-in?to=%2Fdesk%3Flist%3Dmine")
    visitor = at_the_desk(deployed)
    visitor.open("/desk")
    visitor.send(to="/next")
    assert "You hold it until" in visitor.words, visitor.words
    assert all(link.startswith("/dev/") for link in visitor.links if link.startswith("/"))
    visitor.send(to="/release")
    assert "Nobody holds it" in visitor.words


def test_the_figures_count_each_report_and_not_the_smoke_test(deployed: Rehearsal) -> None:
    first = datetime.now(UTC) - timedelta(days=3)  # the one that was made older may be of last month
    months = Officer(deployed, "analyst").get("/statistics", **{"from": f"{first:%Y-%m}"}).json()["months"]
    total = {name: sum(month[name] for month in months) for name in ("reports", "crimes", "crimed_automatically")}
    assert total == {"reports": reports(deployed), "crimes": 2, "crimed_automatically": 1}
    assert counted(deployed, "on_report_change", "Received") == reports(deployed)
    assert counted(deployed, "on_report_change", "CrimedByOfficer") == 1
    assert counted(deployed, "on_report_change", "CrimedByRule") == 1
    assert counted(deployed, "on_letter", "LettersSent") == len(deployed.items("OUTBOX"))


def counted(deployed: Rehearsal, function: str, metric: str) -> float:
    """The sum of a metric, as CloudWatch would find it in the log of a function."""
    lines = deployed.functions.log(FUNCTIONS[function]).splitlines()
    blobs = [json.loads(line) for line in lines if '"_aws"' in line]
    assert {blob["service"] for blob in blobs} == {NAME}
    return sum(sum(blob.get(metric, [])) for blob in blobs)


def test_what_the_functions_log_names_nobody(deployed: Rehearsal) -> None:
    for name in FUNCTIONS.values():
        log = deployed.functions.log(name)
        assert log or name == FUNCTIONS["keep_house"] or "websocket" in name  # they had nothing to say
        assert all(json.loads(line) for line in log.splitlines())  # nothing but what can be searched
        assert not [words for words in ("Carter", "Ngozi", "Olive", "example.com", "07700") if words in log]


def test_a_handler_that_is_not_in_the_zip_does_not_load(deployed: Rehearsal) -> None:
    change = deployed.aws("lambda").update_function_configuration
    change(FunctionName=FUNCTIONS["on_triage"], Handler="app.elsewhere")
    with pytest.raises(FunctionFailed, match="AttributeError"):
        deployed.functions.worker(FUNCTIONS["on_triage"])
    change(FunctionName=FUNCTIONS["on_triage"], Handler="app.on_triage")
    deployed.functions.worker(FUNCTIONS["on_triage"])


# Deployed again, and what may have happened meanwhile


def test_deployed_again_nothing_changes(deployed: Rehearsal) -> None:
    before = deployed.resources(), deployed.state(), deployed.configuration(), deployed.mappings()
    stage = deployed.aws("apigateway").get_stage(restApiId=api_of(deployed), stageName="dev")
    said = deployed.deploy()
    assert (deployed.resources(), deployed.state(), deployed.configuration(), deployed.mappings()) == before
    again = deployed.aws("apigateway").get_stage(restApiId=api_of(deployed), stageName="dev")
    settings = ("methodSettings", "accessLogSettings", "webAclArn")
    assert [again[name] for name in settings] == [stage[name] for name in settings]
    assert "create" not in said.lower()


def test_what_would_be_done_to_a_deployed_service_is_said_and_not_done(deployed: Rehearsal) -> None:
    before = deployed.resources(), deployed.state(), deployed.configuration()
    said = deployed.run("infra.deploy", "dev", "--dry-run")
    assert (said.returncode, said.stderr) == (0, "")
    assert "Nothing was changed" in said.stdout and "create" not in said.stdout
    assert (deployed.resources(), deployed.state(), deployed.configuration()) == before


def test_chalice_deploy_alone_on_top_keeps_it_working(deployed: Rehearsal) -> None:
    mappings, before = deployed.mappings(), deployed.resources()
    done = deployed.chalice("deploy")
    assert done.returncode == 0, done.stdout + done.stderr
    after = deployed.resources()
    assert deployed.mappings() == mappings and after["apis"] == before["apis"]
    flows(deployed)


def test_a_table_made_anew_is_read_from_its_new_stream(deployed: Rehearsal) -> None:
    dynamodb, old = deployed.aws("dynamodb"), deployed.resources()["mappings"]
    dynamodb.update_table(TableName=NAME, DeletionProtectionEnabled=False)
    dynamodb.delete_table(TableName=NAME)
    stream = create_table(deployed.endpoint, NAME)
    assert stream not in old
    deployed.deploy()
    new = deployed.resources()
    (gone,) = old.keys() - new["mappings"].keys()
    assert ":dynamodb:" in gone and set(new["mappings"]) - set(old) == {stream}
    assert new["mappings in all"] == len(old)
    (mapping,) = [one for one in deployed.mappings() if one["EventSourceArn"] == stream]
    assert mapping["BisectBatchOnFunctionError"] is True
    flows(deployed)


def test_a_handler_that_moved_is_found(deployed: Rehearsal) -> None:
    app = deployed.project / "app.py"
    app.write_text(app.read_text().replace("def on_triage(", "def assess_report("))
    deployed.deploy()
    assert deployed.resources()["functions"][FUNCTIONS["on_triage"]][1] == "app.assess_report"
    flows(deployed)


def test_a_lost_record_of_the_deployment_is_found_again(deployed: Rehearsal) -> None:
    before, state = deployed.resources(), deployed.state()
    (deployed.project / ".chalice" / "deployed" / "dev.json").unlink()
    deployed.deploy()
    assert (deployed.resources(), deployed.state()) == (before, state)
    flows(deployed)


def test_a_function_that_was_switched_off_is_woken_again(deployed: Rehearsal) -> None:
    (mapping,) = [one for one in deployed.mappings() if one["EventSourceArn"].endswith(f":{NAME}-triage")]
    deployed.aws("lambda").update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    reference = Public(deployed).report(example("theft"))
    assert Officer(deployed).read(reference)["status"] == "received"
    deployed.deploy()
    deployed.settle()
    assert Officer(deployed).read(reference)["status"] == "queued"


@pytest.mark.parametrize(
    ("status", "words"),
    [("UPDATE_IN_PROGRESS", "Wait until that is done"), ("UPDATE_ROLLBACK_FAILED", "Continue update rollback")],
)
def test_a_stack_that_cannot_be_changed_now_is_told_in_one_line(deployed: Rehearsal, status: str, words: str) -> None:
    before = deployed.resources()
    deployed.tell("stack", name=f"{NAME}-data", status=status)
    refused = deployed.run("infra.deploy", "dev")
    deployed.tell("stack", name=f"{NAME}-data", status="UPDATE_COMPLETE")
    fails_in_one_line(refused, f"{NAME}-data", status, words)
    assert deployed.resources() == before


def test_a_stack_that_never_came_up_is_made_anew(deployed: Rehearsal) -> None:
    deployed.tell("stack", name=f"{NAME}-observability", status="ROLLBACK_COMPLETE")
    said = deployed.deploy()
    assert f"delete stack {NAME}-observability" in said
    assert f"create stack {NAME}-observability" in said


# Its end, and how it comes back


def test_the_service_goes_only_if_its_name_is_typed(deployed: Rehearsal) -> None:
    before = deployed.resources()
    for typed in ("", "prod\n", "yes\n"):
        refused = deployed.run("infra.destroy", "dev", said=typed)
        assert refused.returncode == 1 and "Nothing was changed" in refused.stderr
    assert deployed.resources() == before


def kept(deployed: Rehearsal) -> Any:
    """What nobody may lose."""
    aliases = deployed.aws("kms").list_aliases()["Aliases"]
    return [
        sorted((item["pk"]["S"], item["sk"]["S"]) for item in deployed.items()),
        deployed.resources()["tables"],
        deployed.waiting(),
        [one["AliasName"] for one in aliases if NAME in one["AliasName"]],
        [bucket["Name"] for bucket in deployed.aws("s3").list_buckets()["Buckets"]],
    ]


def test_the_service_goes_and_the_reports_stay(deployed: Rehearsal) -> None:
    before = kept(deployed)
    assert before[0]
    done = deployed.run("infra.destroy", "dev", said="dev\n")
    assert done.returncode == 0, done.stdout + done.stderr
    left = deployed.resources()
    assert not any(left[kind] for kind in ("functions", "mappings", "apis", "socket apis", "rules"))
    assert not [role for role in left["roles"] if role.startswith(NAME) and "function" in role.lower()]
    assert f"{NAME}-observability" not in left["stacks"] and f"{NAME}-data" in left["stacks"]
    assert kept(deployed) == before


def test_what_would_bring_it_back_is_said(deployed: Rehearsal) -> None:
    before = deployed.resources()
    said = deployed.run("infra.deploy", "dev", "--dry-run")
    assert (said.returncode, said.stderr) == (0, "")
    assert f"create stack {NAME}-observability" in said.stdout and f"create stack {NAME}-data" not in said.stdout
    assert deployed.resources() == before


def test_chalice_deploy_alone_makes_a_working_service(deployed: Rehearsal) -> None:
    """Without our command: no options, no defences, and every report goes its way."""
    done = deployed.chalice("deploy")
    assert done.returncode == 0, done.stdout + done.stderr
    flows(deployed)
    assert requests.get(f"{deployed.url}/no-such-page", timeout=30).status_code == 403  # nothing of ours is there
    assert deployed.chalice("delete").returncode == 0


BREAKS = ["CreateApi", "PutRolePolicy", "CreateEventSourceMapping", "PutTargets", "ImportRestApi", "CreateDeployment",
          "CreateRoute", "CreateStage", "PutGatewayResponse", "AssociateWebACL"]  # fmt: skip


@pytest.mark.parametrize("operation", BREAKS)
def test_a_deployment_that_breaks_says_why_in_one_line(deployed: Rehearsal, operation: str) -> None:
    """Each goes on where the one before broke, and comes further."""
    deployed.tell("refuse", operation=operation, code="AccessDeniedException")
    broken = deployed.run("infra.deploy", "dev")
    deployed.tell("refuse")
    fails_in_one_line(broken, operation)
    nothing_twice(deployed)


def nothing_twice(deployed: Rehearsal) -> None:
    found = deployed.resources()
    assert found["mappings in all"] == len(found["mappings"])
    assert len(found["apis"]) <= 1 and len(found["socket apis"]) <= 1 and len(found["rules"]) <= 3


def test_a_deployment_that_is_killed_is_taken_up_where_it_was(deployed: Rehearsal) -> None:
    """Killed with everything that it started, in the middle of Chalice's own work."""
    assert deployed.chalice("delete").returncode == 0
    process = subprocess.Popen([sys.executable, "-m", "infra.deploy", "dev"], cwd=deployed.project,
                               env=deployed.environ(), stdout=subprocess.DEVNULL, start_new_session=True)  # fmt: skip
    end = time.monotonic() + 60
    while len(deployed.mappings()) < 2:
        assert process.poll() is None and time.monotonic() < end
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert len(deployed.resources()["functions"]) < len(FUNCTIONS)
    deployed.deploy()
    nothing_twice(deployed)


def test_all_is_as_if_nothing_had_gone_wrong(deployed: Rehearsal, routes: dict[str, set[str]]) -> None:
    found = deployed.resources()
    assert set(found["functions"]) == set(FUNCTIONS.values())
    assert (found["mappings in all"], len(found["apis"]), len(found["rules"])) == (3, 1, 3)
    test_the_stream_has_the_options_that_chalice_cannot_set(deployed)
    test_schedules(deployed, "crime_due_reports", "rate(1 minute)")
    test_the_api_has_every_route_of_the_app_and_may_call_it(deployed, routes)
    test_the_api_defends_itself_and_its_log_names_nobody(deployed)
    test_the_websocket_api_leads_to_its_functions(deployed)
    test_the_websocket_api_defends_itself_and_its_log_names_nobody(deployed)
    test_functions_are_told_where_the_chat_is(deployed)
    test_a_frame_is_answered(deployed)
    flows(deployed)
    said = deployed.run("infra.deploy", "dev", "--dry-run").stdout
    assert not [words for words in ("create", "delete", "take over", "let the stream", "put the web") if words in said]
