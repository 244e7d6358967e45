"""AWS on one machine: moto as a server on a loopback port, with the project's CloudFormation template applied."""

import io
import logging
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import yaml
from moto.dynamodbstreams.models import DynamoDBStreamsBackend, dynamodbstreams_backends
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

from infra.local import quick_queries

TEMPLATE = Path(__file__).parents[1] / "data.yaml"
STAGE = "local"
REGION = "eu-west-2"
VISIBILITY_SECONDS = 2  # a failed message is tried again soon: people are watching

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class _QuietHandler(MotoRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else every answer waits 40 ms for an acknowledgement

    def run_wsgi(self) -> None:
        """Answer, and keep the connection: werkzeug would make a new one and a new thread for every request."""
        environ, said = self.make_environ(), []
        environ["wsgi.input"] = io.BytesIO(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        app: Wsgi = self.server.app
        body = b"".join(app(environ, lambda *status_and_headers: said.append(status_and_headers)))
        status, headers = said[0][:2]
        self.send_response(int(status.split()[0]))
        for name, value in headers:
            if name.lower() not in ("content-length", "connection"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log(self, type: str, message: str, *args: Any) -> None:
        """Requests are not logged: they carry reports."""


def use_only(aws_endpoint: str) -> None:
    """Forget the caller's AWS and make the local one the only one that any client of this process can reach."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ |= {
        "AWS_ENDPOINT_URL": aws_endpoint,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
    }


@contextmanager
def moto() -> Iterator[str]:
    """Run moto for as long as the context lasts; gives its endpoint."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    quick_queries.install()
    app = _one_at_a_time(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_QuietHandler)
    threading.Thread(target=server.serve_forever, name="moto", daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def _one_at_a_time(app: Wsgi) -> Wsgi:
    """moto's DynamoDB is not safe under threads, and it keeps every stream iterator for ever."""
    lock = threading.Lock()

    def serialised(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        with lock:
            answer = list(app(environ, start_response))
            for account in dynamodbstreams_backends.values():
                for backend in account.values():
                    _forget_old_iterators(backend)
            return answer

    return serialised


def _forget_old_iterators(backend: DynamoDBStreamsBackend, keep: int = 100) -> None:
    iterators = backend.shard_iterators
    for key in list(iterators)[:-keep]:
        del iterators[key]


def apply_template(visibility_seconds: int = VISIBILITY_SECONDS) -> dict[str, str]:
    """Create what `infra/data.yaml` describes; gives the outputs of the stack."""
    parameters = {"Stage": STAGE, "VisibilityTimeout": str(visibility_seconds)}
    cloudformation = boto3.client("cloudformation")
    cloudformation.create_stack(
        StackName=f"crime-reports-{STAGE}-data",
        TemplateBody=TEMPLATE.read_text(),
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()],
    )
    stack = cloudformation.describe_stacks(StackName=f"crime-reports-{STAGE}-data")["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def create_table(endpoint: str, name: str) -> str:
    """Create the template's table under `name` in a DynamoDB that has no CloudFormation; gives its stream's ARN."""
    properties = yaml.safe_load(TEMPLATE.read_text())["Resources"]["ReportsTable"]["Properties"]
    wanted = ("BillingMode", "KeySchema", "AttributeDefinitions", "GlobalSecondaryIndexes")
    client = boto3.client(
        "dynamodb",
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )
    table = client.create_table(
        TableName=name,
        StreamSpecification=properties["StreamSpecification"] | {"StreamEnabled": True},
        **{key: properties[key] for key in wanted},
    )
    return str(table["TableDescription"]["LatestStreamArn"])
