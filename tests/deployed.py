"""Runs what was deployed to the rehearsal's AWS: the zips in processes of their own, behind a gateway and event sources
that are as the deployment says. Nothing here knows the app, or reads the checkout.
"""

import base64
import hashlib
import json
import os
import subprocess
import sys
import threading
import time
import uuid
import zipfile
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import boto3
from users import aws_client

REGION = "eu-west-2"
LAMBDA_SHIPS = ("boto3", "botocore", "s3transfer", "jmespath", "urllib3", "dateutil", "six.py")


def environment(endpoint: str) -> dict[str, str]:
    """What leads an AWS client to the AWS at `endpoint`, and to no other."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
    }


class FunctionFailed(Exception):
    """A function raised, timed out or could not be loaded; the message says what and ends with its log."""


class Worker:
    """One function as Lambda keeps it warm: a process that sees the package, what Lambda ships and its settings."""

    def __init__(
        self, settings: Mapping[str, Any], told: Mapping[str, str], task: Path, runtime: Path, endpoint: str, log: Path
    ) -> None:
        name, memory = settings["FunctionName"], str(settings["MemorySize"])
        own = {
            "PATH": os.defpath,
            "TZ": ":UTC",
            "_HANDLER": settings["Handler"],
            "LAMBDA_TASK_ROOT": str(task),
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{settings['Runtime']}",
            "AWS_LAMBDA_FUNCTION_NAME": name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": memory,
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{name}",
            "AWS_LAMBDA_LOG_STREAM_NAME": f"{datetime.now(UTC):%Y/%m/%d}/[$LATEST]{uuid.uuid4().hex}",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        }
        seconds, arn = str(settings["Timeout"]), settings["FunctionArn"]
        worker = Path(__file__).with_name("lambda_worker.py")
        self._log = log
        self._lock = threading.Lock()
        with log.open("a") as said:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-B", worker, seconds, arn, task, runtime],
                cwd=task,
                env={**own, **environment(endpoint), **told},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
                text=True,
            )  # it ends when its input does, so with us at the latest
        self._answer()

    def invoke(self, event: Any) -> Any:
        """What the function answers. Raises FunctionFailed."""
        with self._lock:
            assert self._process.stdin
            self._process.stdin.write(json.dumps(event) + "\n")
            self._process.stdin.flush()
            return self._answer()

    def close(self) -> None:
        """As when Lambda takes it away."""
        self._process.kill()
        self._process.wait()

    def _answer(self) -> Any:
        assert self._process.stdout
        line = self._process.stdout.readline()
        answer = json.loads(line) if line else {"error": "it ended, or took too long"}
        if "error" in answer:
            raise FunctionFailed(f"{self._log.stem}: {answer['error']}\n{self._log.read_text()[-3000:]}")
        return answer["answer"]


class Functions:
    """All functions of the account, by name. What is deployed anew starts anew."""

    def __init__(self, project: Path, endpoint: str, folder: Path) -> None:
        self._project, self._endpoint, self._folder = project, endpoint, folder
        self._lambda = aws_client("lambda", endpoint)
        self._warm: dict[str, tuple[str, Worker]] = {}
        self._lock = threading.Lock()
        self.here: Callable[[str], str] = str  # an address of AWS that a function is told, on this machine
        self._runtime = folder / "runtime"
        self._runtime.mkdir(parents=True)
        for name in LAMBDA_SHIPS:
            (self._runtime / name).symlink_to(Path(boto3.__file__).parents[1] / name)

    def invoke(self, name: str, event: Any) -> Any:
        """What the function answers. Raises FunctionFailed."""
        return self.worker(name).invoke(event)

    def worker(self, name: str) -> Worker:
        """The process of one function."""
        settings = self._lambda.get_function_configuration(FunctionName=name)
        wanted = ("CodeSha256", "Handler", "Timeout", "MemorySize", "Environment")
        version = json.dumps([settings.get(part) for part in wanted], sort_keys=True)
        with self._lock:
            if self._warm.get(name, ("",))[0] != version:
                self._warm[name] = version, self._start(settings)
            return self._warm[name][1]

    def log(self, name: str) -> str:
        """All that a function has printed."""
        return self._log(name).read_text()

    def close(self) -> None:
        """End them all."""
        for _, worker in self._warm.values():
            worker.close()

    def _start(self, settings: Mapping[str, Any]) -> Worker:
        name = settings["FunctionName"]
        if name in self._warm:
            self._warm.pop(name)[1].close()
        task = self._unzipped(settings["CodeSha256"])
        variables = settings.get("Environment", {}).get("Variables", {})
        told = {variable: self.here(value) for variable, value in variables.items()}
        return Worker(settings, told, task, self._runtime, self._endpoint, self._log(name))

    def _log(self, name: str) -> Path:
        return self._folder / f"{name}.log"

    def _unzipped(self, sha256: str) -> Path:
        """The package that was uploaded: moto does not hand it out, so it is told by its digest."""
        task = self._folder / "packages" / base64.b64decode(sha256).hex()
        if not task.exists():
            built = (self._project / ".chalice" / "deployments").glob("*.zip")
            (package,) = [path for path in built if hashlib.sha256(path.read_bytes()).hexdigest() == task.name]
            zipfile.ZipFile(package).extractall(task)
        return task


class EventSources:
    """Wakes functions as the deployed mappings and rules say."""

    def __init__(self, functions: Functions, endpoint: str) -> None:
        self._functions = functions
        names = ("lambda", "dynamodbstreams", "sqs", "events")
        self._lambda, self._streams, self._sqs, self._events = (aws_client(name, endpoint) for name in names)
        self._read: dict[tuple[str, str], str] = {}  # mapping and shard -> last sequence number that was handled
        self._lock = threading.Lock()

    def deliver(self) -> None:
        """Hand over everything in the streams and queues, and what comes of it. Raises FunctionFailed."""
        with self._lock:
            while any([self._poll(mapping) for mapping in self._mappings()]):
                pass

    def run_schedules(self) -> list[str]:
        """Run what the rules would run when their time comes; gives the functions."""
        rules = [rule for rule in self._events.list_rules()["Rules"]
                 if rule["State"] == "ENABLED" and "ScheduleExpression" in rule]  # fmt: skip
        targets = [(rule, target["Arn"].split(":")[-1]) for rule in rules
                   for target in self._events.list_targets_by_rule(Rule=rule["Name"])["Targets"]]  # fmt: skip
        for rule, function in targets:
            self._functions.invoke(function, _scheduled(rule["Arn"]))
        return [function for _, function in targets]

    def _mappings(self) -> list[Any]:
        found = self._lambda.list_event_source_mappings()["EventSourceMappings"]
        return [mapping for mapping in found if mapping["State"] == "Enabled"]

    def _poll(self, mapping: Mapping[str, Any]) -> bool:
        return self._poll_queue(mapping) if ":sqs:" in mapping["EventSourceArn"] else self._poll_stream(mapping)

    def _poll_queue(self, mapping: Mapping[str, Any]) -> bool:
        arn = mapping["EventSourceArn"]
        url = self._sqs.get_queue_url(QueueName=arn.split(":")[-1])["QueueUrl"]
        answer = self._sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=min(10, mapping["BatchSize"]), AttributeNames=["All"]
        )
        messages = answer.get("Messages", [])
        if messages:
            self._hand_over(mapping, [_message(message, arn) for message in messages])
        for message in messages:
            self._sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return bool(messages)

    def _poll_stream(self, mapping: Mapping[str, Any]) -> bool:
        arn = mapping["EventSourceArn"]
        shards = self._streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
        return any([self._poll_shard(mapping, arn, shard["ShardId"]) for shard in shards])

    def _poll_shard(self, mapping: Mapping[str, Any], arn: str, shard: str) -> bool:
        place = mapping["UUID"], shard
        position = {"ShardIteratorType": mapping["StartingPosition"]}
        if place in self._read:
            position = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": self._read[place]}
        iterator = self._streams.get_shard_iterator(StreamArn=arn, ShardId=shard, **position)["ShardIterator"]
        records = self._streams.get_records(ShardIterator=iterator, Limit=mapping["BatchSize"])["Records"]
        wanted = [_record(record, arn) for record in records if _passes(mapping, record)]
        if wanted:
            self._hand_over(mapping, wanted)
        if records:
            self._read[place] = records[-1]["dynamodb"]["SequenceNumber"]
        return bool(records)

    def _hand_over(self, mapping: Mapping[str, Any], records: list[Any]) -> None:
        function = mapping["FunctionArn"].split(":")[6]
        answer = self._functions.invoke(function, {"Records": records})
        if "ReportBatchItemFailures" in mapping.get("FunctionResponseTypes", ()):
            assert not (answer or {}).get("batchItemFailures"), f"{function} could not handle {answer}"


class Gateway(ThreadingHTTPServer):
    """API Gateway on a loopback port: `http://127.0.0.1:<port>/<stage>/…`. What a request leads to follows at once."""

    daemon_threads = True

    def __init__(self, functions: Functions, sources: EventSources, endpoint: str) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.functions, self.sources = functions, sources
        self.apis = aws_client("apigateway", endpoint)
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def address(self, stage: str) -> str:
        """Where that stage of the API answers."""
        return f"http://127.0.0.1:{self.server_port}/{stage}"

    def find(self, stage: str) -> str | None:
        """The API that has this stage, if there is one."""
        for api in self.apis.get_rest_apis()["items"]:
            if stage in [one["stageName"] for one in self.apis.get_stages(restApiId=api["id"])["item"]]:
                return str(api["id"])
        return None

    def resources(self, api: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Every path of an API with its methods."""
        for resource in self.apis.get_resources(restApiId=api, limit=500, embed=["methods"])["items"]:
            yield resource["path"], resource.get("resourceMethods", {})


class _Connection(BaseHTTPRequestHandler):
    server: Gateway
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        _, stage, path = [*urlsplit(self.path).path.split("/", 2), ""][:3]
        api = self.server.find(stage)
        if not api:
            return self._send(403, {"message": "Forbidden"})
        found = _match(dict(self.server.resources(api)), f"/{path}")
        resource, values, methods = found or ("", {}, {})
        if self.command not in methods:
            return self._refuse(api)
        uri = methods[self.command]["methodIntegration"]["uri"]
        event = self._event(api, stage, resource, f"/{path}", values, body)
        self._pass_on(uri.split(":function:")[1].split("/")[0], event)
        if self.command != "GET":
            self.server.sources.deliver()

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _serve

    def _event(
        self, api: str, stage: str, resource: str, path: str, values: dict[str, str], body: bytes
    ) -> dict[str, Any]:
        query = parse_qs(urlsplit(self.path).query, keep_blank_values=True)
        headers = {name: self.headers.get_all(name, []) for name in self.headers}
        moment = datetime.now(UTC)
        return {
            "resource": resource,
            "path": path,
            "httpMethod": self.command,
            "headers": {name: several[-1] for name, several in headers.items()},
            "multiValueHeaders": headers,
            "queryStringParameters": {name: several[-1] for name, several in query.items()} or None,
            "multiValueQueryStringParameters": query or None,
            "pathParameters": values or None,
            "stageVariables": None,
            "requestContext": {
                "accountId": "123456789012",
                "apiId": api,
                "domainName": self.headers["Host"],
                "extendedRequestId": uuid.uuid4().hex[:15] + "=",
                "httpMethod": self.command,
                "identity": {"sourceIp": "192.0.2.1", "userAgent": self.headers.get("User-Agent")},
                "path": f"/{stage}{path}",
                "protocol": "HTTP/1.1",
                "requestId": str(uuid.uuid4()),
                "requestTime": f"{moment:%d/%b/%Y:%H:%M:%S +0000}",
                "requestTimeEpoch": int(moment.timestamp() * 1000),
                "resourcePath": resource,
                "stage": stage,
            },
            "body": body.decode(errors="replace") or None,
            "isBase64Encoded": False,
        }

    def _pass_on(self, function: str, event: dict[str, Any]) -> None:
        try:
            answer = self.server.functions.invoke(function, event)
        except FunctionFailed:
            return self._send(502, {"message": "Internal server error"})
        headers = answer.get("headers", {}) | answer.get("multiValueHeaders", {})
        self._send(answer["statusCode"], answer.get("body") or "", headers)

    def _refuse(self, api: str) -> None:
        """What API Gateway says of a path or method that it does not have, in its own words or in those given to it."""
        kind = "MISSING_AUTHENTICATION_TOKEN"
        answers = self.server.apis.get_gateway_responses(restApiId=api).get("items", [])
        for answer in answers:
            if answer["responseType"] == kind:
                headers = {name.removeprefix("gatewayresponse.header."): value.strip("'")
                           for name, value in answer["responseParameters"].items()}  # fmt: skip
                return self._send(int(answer["statusCode"]), answer["responseTemplates"]["application/json"], headers)
        self._send(403, {"message": "Missing Authentication Token"})

    def _send(self, status: int, body: Any, headers: Mapping[str, Any] | None = None) -> None:
        sent = (body if isinstance(body, str) else json.dumps(body)).encode()
        self.send_response(status)
        for name, values in ({"Content-Type": "application/json"} | dict(headers or {})).items():
            for value in values if isinstance(values, list) else [values]:
                self.send_header(name, str(value))
        self.send_header("Content-Length", str(len(sent)))
        self.end_headers()
        self.wfile.write(sent)
        self.wfile.flush()

    def log_message(self, *_: Any) -> None:
        """The tests say what matters."""


def _match(resources: Mapping[str, Any], path: str) -> tuple[str, dict[str, str], dict[str, Any]] | None:
    """The resource for a path, its path parameters and its methods: a fixed part goes before a parameter."""
    found = []
    for resource, methods in resources.items():
        pairs = list(zip(parts := resource.split("/"), path.split("/"), strict=False))
        names = {part[1:-1]: unquote(value) for part, value in pairs if part.startswith("{")}
        if len(parts) == path.count("/") + 1 and all(part == value or part[:1] == "{" for part, value in pairs):
            found.append((len(names), resource, names, methods))
    return min(found, key=lambda one: one[0])[1:] if found else None


def _passes(mapping: Mapping[str, Any], record: Any) -> bool:
    filters = mapping.get("FilterCriteria", {}).get("Filters", [])
    return not filters or any(_fits(json.loads(one["Pattern"]), record) for one in filters)


def _fits(pattern: Any, found: Any) -> bool:
    """Whether a record has what a pattern asks for. Lists name the values allowed; we use no other kind of rule."""
    if isinstance(pattern, dict):
        return isinstance(found, dict) and all(_fits(part, found.get(name)) for name, part in pattern.items())
    assert all(isinstance(value, str) for value in pattern), f"the rehearsal does not know the rule {pattern}"
    return found in pattern


def _record(record: Any, arn: str) -> dict[str, Any]:
    data = record["dynamodb"] | {"ApproximateCreationDateTime": time.time()}
    sent = {name: record[name] for name in ("eventID", "eventName", "eventVersion")}
    source = {"eventSource": "aws:dynamodb", "awsRegion": REGION, "eventSourceARN": arn}
    return dict(json.loads(json.dumps(sent | source | {"dynamodb": data}, default=_base64)))


def _base64(binary: bytes) -> str:
    return base64.b64encode(binary).decode()


def _message(message: Any, arn: str) -> dict[str, Any]:
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message["Attributes"],
        "messageAttributes": {},
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": arn,
        "awsRegion": REGION,
    }


def _scheduled(arn: str) -> dict[str, Any]:
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "123456789012",
        "time": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "region": REGION,
        "resources": [arn],
        "detail": {},
    }
