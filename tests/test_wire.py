"""The wire to DynamoDB: signed as botocore signs, answered, refused and tried again as botocore's client is."""

import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st
from urllib3.exceptions import HTTPError, SSLError

from chalicelib import wire as dynamodb
from chalicelib import wiring
from chalicelib.table import ConditionFailed, Table
from chalicelib.wire import Signer, Wire
from infra.local.stack import REGION, create_table

ROOT = Path(__file__).parents[1]
SOMEBODY = {"AWS_DEFAULT_REGION": REGION, "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}
LAMBDA = SOMEBODY | {"AWS_LAMBDA_FUNCTION_NAME": "crime-reports-dev"}
DYNAMODB = "dynamodb.eu-west-2.amazonaws.com"
words = st.text("abcXYZ019/+=", min_size=1, max_size=40)


@settings(deadline=None)
@given(
    body=st.binary(max_size=300),
    names=st.tuples(words, words, st.just("") | words),
    at=st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31), timezones=st.just(UTC)),
    operation=st.sampled_from(["PutItem", "Query"]),
)
def test_a_request_is_signed_as_botocore_signs_it(
    body: bytes, names: tuple[str, str, str], at: datetime, operation: str
) -> None:
    said = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": f"DynamoDB_20120810.{operation}"}
    request = AWSRequest("POST", f"https://{DYNAMODB}/", said, body)
    with patch("botocore.auth.get_current_datetime", lambda: at):
        SigV4Auth(Credentials(names[0], names[1], names[2] or None), "dynamodb", "eu-west-2").add_auth(request)
    ours = Signer("dynamodb", "eu-west-2", *names).signed({**said, "Host": DYNAMODB}, body, at)
    assert ours.pop("Host") == DYNAMODB
    assert ours == dict(request.headers.items())


def test_a_new_day_has_a_new_key() -> None:
    signer, at = Signer("dynamodb", "eu-west-2", "key", "secret", ""), datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC)
    both = [signer.signed({"Host": DYNAMODB}, b"", at + timedelta(seconds=seconds)) for seconds in (0, 1)]
    fresh = Signer("dynamodb", "eu-west-2", "key", "secret", "")
    assert both[1] == fresh.signed({"Host": DYNAMODB}, b"", at + timedelta(seconds=1)) != both[0]


# Where it is used


@pytest.mark.parametrize(
    "lacking",
    [{"AWS_DEFAULT_REGION": ""}, {"AWS_ACCESS_KEY_ID": ""}, {"AWS_SECRET_ACCESS_KEY": ""},
     {"AWS_DEFAULT_REGION": "cn-north-1"}, {"AWS_DEFAULT_REGION": "us-iso-east-1"}, {"https_proxy": "http://proxy"},
     {"AWS_USE_FIPS_ENDPOINT": "true"}, {"AWS_CA_BUNDLE": "/bundle"}, {"AWS_ENDPOINT_URL": "https://example.com/a/path"}],
)  # fmt: skip
def test_what_only_botocore_knows_is_left_to_it(lacking: dict[str, str]) -> None:
    assert Wire.from_environ(LAMBDA)
    assert Wire.from_environ(LAMBDA | lacking) is None


def test_who_only_pretends_to_be_botocore_is_not_passed_by() -> None:
    assert Wire.from_environ(SOMEBODY) is None  # as under moto: it gives keys, and hears what botocore says
    near = {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "https_proxy": "http://proxy"}
    assert Wire.from_environ(SOMEBODY | near)


def test_without_a_wire_the_table_has_botocores_client(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (LAMBDA | {"AWS_USE_DUALSTACK_ENDPOINT": "true"}).items():
        monkeypatch.setenv(name, value)
    assert wiring._dynamodb().meta.service_model.service_name == "dynamodb"


# What DynamoDB says


@pytest.fixture
def both(dynamodb_local: str, request: pytest.FixtureRequest) -> tuple[Wire, Any, str]:
    """The wire and botocore's client, to one table."""
    name = f"wire-{abs(hash(request.node.name))}"
    create_table(dynamodb_local, name)
    wire = Wire.from_environ(SOMEBODY | {"AWS_ENDPOINT_URL_DYNAMODB": dynamodb_local})
    with patch.dict("os.environ", SOMEBODY):
        client = wiring.client("dynamodb", dynamodb_local)
    assert wire
    return wire, client, name


Talks = Callable[[Table], Any]
ITEM = {
    "pk": "one",
    "sk": "a",
    "text": "naïve “quotes” \n",
    "number": -12,
    "bytes": bytes(range(256)),
    "list": ["a", ""],
}


def _refused(talk: Callable[[], Any]) -> Any:
    try:
        return talk()
    except ConditionFailed as refused:
        return "refused", refused.item


@pytest.mark.parametrize(
    "talk",
    [
        lambda table: table.get("one", "a"),
        lambda table: table.get("one", "no"),
        lambda table: sorted(table.get_many([("one", "a"), ("one", "b"), ("two", "no")]), key=lambda item: item["sk"]),
        lambda table: _refused(lambda: table.put_new(ITEM | {"text": "another"})),
        lambda table: _refused(lambda: table.update("one", "a", values={"text": "x"}, condition="#number > :least",
                                                    given={"least": 0})),
        lambda table: list(table.query(where="#pk = :pk", given={"pk": "one"}, limit=1)),
        lambda table: list(table.query(index="by_deadline", where="#due = :due", given={"due": "new-0"})),
        lambda table: [page.last for page in table.scan(only="#pk = :pk", given={"pk": "one"}, after=None)],
        lambda table: _refused(lambda: table.remove("one", "a", condition="#number = :one", given={"one": 1})),
    ],
)  # fmt: skip
def test_what_is_read_and_refused_is_the_same_as_by_botocores_client(both: tuple[Wire, Any, str], talk: Talks) -> None:
    wire, client, name = both
    ours, theirs = Table(wire, name), Table(client, name)  # type: ignore[arg-type]
    ours.put_new(ITEM | {"due": "new-0", "deadline": "2026-11-23T09:00:00Z"})
    theirs.put_new(ITEM | {"sk": "b"})
    assert talk(ours) == talk(theirs)


def test_what_is_written_is_the_same_as_by_botocores_client(both: tuple[Wire, Any, str]) -> None:
    wire, client, name = both
    for table, pk in ((Table(wire, name), "ours"), (Table(client, name), "theirs")):  # type: ignore[arg-type]
        table.put_new(ITEM | {"pk": pk})
        table.update(pk, "a", values={"text": "new", "list": None}, append={"more": ["x"]}, add={"number": 5},
                     copy={"was": "number"}, condition="#number = :number", given={"number": -12})  # fmt: skip
        table.put_new(ITEM | {"pk": pk, "sk": "gone"})
        table.remove(pk, "gone", condition="#number = :number", given={"number": -12})
    ours, theirs = ([*Table(client, name).query(where="#pk = :pk", given={"pk": pk})] for pk in ("ours", "theirs"))
    assert ours == [item | {"pk": "ours"} for item in theirs] and len(ours) == 1


@pytest.mark.parametrize(
    ("operation", "request_"),
    [
        ("get_item", {"TableName": "no-such-table", "Key": {"pk": {"S": "a"}, "sk": {"S": "b"}}}),
        ("put_item", {"Item": {"pk": {"S": "a"}}}),
        ("query", {"KeyConditionExpression": "nonsense ("}),
    ],
)
def test_refusals_have_botocores_type_code_and_words(
    both: tuple[Wire, Any, str], operation: str, request_: dict[str, Any]
) -> None:
    wire, client, name = both
    said = []
    for one in (wire, client):
        with pytest.raises(ClientError) as refused:
            getattr(one, operation)(**{"TableName": name} | request_)
        said.append((refused.value.response["Error"], refused.value.operation_name, str(refused.value)))
    assert said[0] == said[1]


# What goes wrong


class Stand(BaseHTTPRequestHandler):
    """Answers what the script of its server says next: a status and a body, or None to hang up."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        server: Any = self.server
        self.rfile.read(int(self.headers["Content-Length"]))
        server.asked.append(self.client_address)
        with server.lock:
            answer = server.script.pop(0) if server.script else (200, {})
        if answer is None:
            self.close_connection = True
            return
        status, body = answer
        text = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.send_header("Location", "http://example.com/")
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: Any) -> None:
        """Nobody reads it."""


@contextmanager
def stand(*script: Any, tls: ssl.SSLContext | None = None) -> Iterator[SimpleNamespace]:
    """A wire to a DynamoDB that answers by the script, who asked it, and the waits in between."""
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), Stand)
    server.script, server.asked, server.lock, waits = list(script), [], threading.Lock(), []
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"{'https' if tls else 'http'}://localhost:{server.server_port}"
    wire = Wire(address, Signer("dynamodb", REGION, "key", "secret", ""), sleep=waits.append)
    try:
        yield SimpleNamespace(wire=wire, asked=server.asked, waits=waits)
    finally:
        server.shutdown()
        server.server_close()


def error(name: str) -> dict[str, str]:
    return {"__type": f"com.amazonaws.dynamodb.v20120810#{name}", "message": "x"}


TOO_MUCH = (400, error("ProvisionedThroughputExceededException"))


@pytest.mark.parametrize("trouble", [(500, error("InternalServerError")), (503, b"<html>"), TOO_MUCH, None])
def test_what_may_do_better_is_tried_again_after_a_wait(trouble: Any) -> None:
    with stand(trouble, trouble, trouble, (200, {"Item": {}})) as there:
        assert there.wire.get_item(TableName="t") == {"Item": {}}
    assert len(there.asked) == 4
    longest = 1 if trouble is TOO_MUCH else 0.025
    assert len(there.waits) == 3 and all(wait <= longest * 2**number for number, wait in enumerate(there.waits))


@pytest.mark.parametrize("trouble", [(500, error("InternalServerError")), TOO_MUCH])
def test_after_four_tries_it_says_what_dynamodb_said(trouble: Any) -> None:
    with stand(*[trouble] * 5) as there, pytest.raises(ClientError) as refused:
        there.wire.get_item(TableName="t")
    assert len(there.asked) == 4 and refused.value.response["Error"]["Code"] == trouble[1]["__type"].split("#")[1]


@pytest.mark.parametrize("refusal", [(400, error("ValidationException")), (403, b"no JSON"), (307, b""), (404, b"[]")])
def test_what_would_be_refused_again_is_not_tried_again_nor_followed_elsewhere(refusal: Any) -> None:
    with stand(refusal) as there, pytest.raises(ClientError):
        there.wire.get_item(TableName="t")
    assert len(there.asked) == 1 and not there.waits


def test_nobody_there_is_an_error_that_quotes_nothing() -> None:
    wire = Wire("http://127.0.0.1:1", Signer("dynamodb", REGION, "key", "secret", ""), sleep=lambda _: None)
    with pytest.raises(HTTPError) as failed:
        wire.put_item(TableName="t", Item={"words": {"S": "Ann Example"}})
    assert "Ann" not in str(failed.value)


def test_who_says_nothing_is_waited_for_until_we_can_still_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    api = json.loads((ROOT / ".chalice" / "config.json").read_text())["lambda_functions"]["api_handler"]
    assert api["lambda_timeout"] - 3 > dynamodb.TRIES * dynamodb.SECONDS
    monkeypatch.setattr(dynamodb, "SECONDS", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        wire = Wire(f"http://127.0.0.1:{silent.getsockname()[1]}", Signer("dynamodb", REGION, "key", "secret", ""))
        begun = time.monotonic()
        with pytest.raises(HTTPError):
            wire.get_item(TableName="t")
    assert dynamodb.TRIES * 0.1 < time.monotonic() - begun < 2


def test_a_connection_is_kept_and_threads_have_their_own() -> None:
    with stand() as there:
        for _ in range(5):
            there.wire.get_item(TableName="t")
        assert len(set(there.asked)) == 1
        threads = [threading.Thread(target=there.wire.get_item, kwargs={"TableName": "t"}) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(there.asked) == 13


def test_who_cannot_prove_to_be_dynamodb_is_told_nothing(tmp_path: Path) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(_self_signed(tmp_path))
    with stand(tls=tls) as there, pytest.raises(SSLError, match="certificate verify failed"):
        there.wire.get_item(TableName="t")
    assert not there.asked


def _self_signed(folder: Path) -> Path:
    key, name = (
        ec.generate_private_key(ec.SECP256R1()),
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")]),
    )
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, now - timedelta(1), now + timedelta(1))
    made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "pem").write_bytes(pem + made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    return folder / "pem"
