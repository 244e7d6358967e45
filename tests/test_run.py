"""The one-machine runner: what `/dev` offers, what it makes of bad HTTP, how it tries again, and how it ends."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import boto3
import pytest
import requests
from conftest import ROOT, Runner
from joserfc import jwt
from joserfc.jwk import KeySet
from users import aws_client
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from chalicelib.forms import EXAMPLES
from chalicelib.reference import parse
from chalicelib.report_items import letter_key
from chalicelib.table import Table
from chalicelib.times import stamp
from chalicelib.wiring import utc_now
from infra.local import dynamodb_local as database
from infra.local.stack import STAGE

GET_HEALTH = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture(scope="module")
def second() -> Iterator[Runner]:
    """A runner of our own, beside the shared one, to hurt."""
    runner = Runner(CLOCK="2019-03-01T00:00:00Z")
    try:
        yield runner
    finally:
        runner.process.kill()


def exchange(runner: Runner, sent: bytes, seconds: float = 10) -> bytes:
    """All that the runner answers on one connection until it hangs up, or falls silent after an answer."""
    with socket.create_connection(("127.0.0.1", urlsplit(runner.url).port or 0), timeout=seconds) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
        return answer


def refused(endpoint: str) -> bool:
    """True when nobody listens there any more."""
    try:
        socket.create_connection(("127.0.0.1", urlsplit(endpoint).port or 0), timeout=1).close()
    except OSError:
        return True
    return False


def eventually(true: object, seconds: float) -> bool:
    """Wait for `true()` to become so."""
    end = time.monotonic() + seconds
    while not true():  # type: ignore[operator]
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


def run(module: str, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """A command of ours, run to its end."""
    command = [sys.executable, "-m", module, *arguments]
    environment = {**os.environ, **settings}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)


def aws(runner: Runner) -> dict[str, str]:
    """The settings that lead an AWS client to a runner's AWS."""
    return {
        "AWS_ENDPOINT_URL": runner.aws_endpoint,
        "AWS_DEFAULT_REGION": "eu-west-2",
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
    }


class Queues:
    """A runner's queues, as somebody outside sees them."""

    def __init__(self, runner: Runner) -> None:
        self._sqs = boto3.client(
            "sqs",
            endpoint_url=runner.aws_endpoint,
            region_name="eu-west-2",
            aws_access_key_id="local",
            aws_secret_access_key="local",
        )

    def send(self, name: str, body: str) -> None:
        self._sqs.send_message(QueueUrl=self._url(name), MessageBody=body)

    def waiting(self, name: str) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self._sqs.get_queue_attributes(QueueUrl=self._url(name), AttributeNames=names)["Attributes"]  # type: ignore[arg-type]
        return sum(int(count) for count in found.values())

    def _url(self, name: str) -> str:
        return self._sqs.get_queue_url(QueueName=f"crime-reports-local-{name}")["QueueUrl"]


# ---- what /dev offers


def test_page_for_people_shows_what_runs(stack: Runner) -> None:
    page = requests.get(f"{stack.url}/dev", timeout=30)
    assert page.status_code == 200
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    for part in (
        stack.aws_endpoint,
        stack.socket_url,
        "Olive Officer",
        "crime-reports-local-triage-dead",
        'value="86400"',
    ):
        assert part in page.text
    for path in ("/report/theft", "/statistics", "/desk", "/desk/proof", "/chat", "/desk/chats"):
        assert f'<a href="{path}">' in page.text


def test_token_is_signed_by_the_issuer_it_names(stack: Runner) -> None:
    issuer = f"{stack.url}/dev/issuer"
    configuration = requests.get(f"{issuer}/.well-known/openid-configuration", timeout=30).json()
    keys = requests.get(configuration["jwks_uri"], timeout=30).json()
    assert not any("d" in key for key in keys["keys"])
    token = jwt.decode(stack.token("supervisor", "Ngozi Eze"), KeySet.import_key_set(keys), algorithms=["RS256"])
    assert token.claims["iss"] == configuration["issuer"] == issuer
    assert (token.claims["sub"], token.claims["name"]) == ("Ngozi Eze", "Ngozi Eze")
    assert token.claims["cognito:groups"] == ["supervisor"]
    assert token.claims["exp"] - token.claims["iat"] > 10 * 365 * 86400


@pytest.mark.parametrize("query", ["", "role=chief", "role=officer&name=" + "x" * 101, "role=officer&name=%00"])
def test_no_token_for_an_unknown_role_or_an_absurd_name(stack: Runner, query: str) -> None:
    answer = requests.get(f"{stack.url}/dev/token?{query}", timeout=30)
    assert (answer.status_code, answer.headers["Content-Type"]) == (422, "application/problem+json")


def test_clock_starts_where_it_is_told_and_moves_forward(second: Runner) -> None:
    assert requests.get(f"{second.url}/dev/clock", timeout=30).json()["now"].startswith("2019-03-01T00:0")
    assert second.advance(23 * 3600).startswith("2019-03-01T23:0")
    form = requests.post(f"{second.url}/dev/clock", data={"advance_seconds": "3600"}, allow_redirects=False, timeout=30)
    assert (form.status_code, form.headers["Location"]) == (303, "/dev")
    assert second.advance(0).startswith("2019-03-02T00:0")
    assert not any("failed" in line for line in second.said)  # what fell due has run, before any other request


def test_everything_adds_up_or_is_named(second: Runner) -> None:
    reference = requests.post(f"{second.url}/reports", json=EXAMPLES["theft"], timeout=30).json()["reference"]
    second.idle()
    second.advance(24 * 60 * 60 - 60)
    second.idle()
    proved = requests.get(f"{second.url}/dev/reconcile", timeout=60)
    assert (proved.status_code, proved.headers["Content-Type"]) == (200, "text/plain; charset=utf-8")
    assert proved.text.splitlines()[-1] == "Everything adds up." and "1 decided in time" in proved.text
    key = {"pk": {"S": "REPORT#" + reference.replace("-", "")}, "sk": {"S": "LETTER#000001"}}
    table = boto3.client("dynamodb", endpoint_url=second.aws_endpoint, region_name="eu-west-2",
                         aws_access_key_id="local", aws_secret_access_key="local")  # fmt: skip
    table.delete_item(TableName="crime-reports-local", Key=key)
    refused = requests.get(f"{second.url}/dev/reconcile", timeout=60)
    assert refused.status_code == 409 and f"\n{reference}: It has no acknowledgement." in refused.text


@pytest.mark.parametrize(
    "body",
    [
        '{"advance_seconds": -1}',
        '{"advance_seconds": 1e12}',
        '{"advance_seconds": NaN}',
        '{"advance_seconds": true}',
        '{"advance_seconds": "60"}',
        "{}",
        "[]",
        "not JSON",
        "[" * 100_000,
    ],
)
def test_clock_takes_nothing_but_a_sensible_number(stack: Runner, body: str) -> None:
    answer = requests.post(f"{stack.url}/dev/clock", data=body.encode(), timeout=30)
    assert (answer.status_code, answer.headers["Content-Type"]) == (422, "application/problem+json")


def test_letters_are_read_as_their_readers_see_them(stack: Runner) -> None:
    hostile = "<script>alert(1)</script>"
    report = EXAMPLES["theft"] | {"contact": {"full_name": hostile, "email": "eve@example.com"}}
    sent = requests.post(f"{stack.url}/reports", json=report, timeout=30)
    reference = sent.json()["reference"]
    stack.idle()
    letter = next(letter for letter in stack.outbox() if letter["reference"] == reference)
    page = requests.get(f"{stack.url}/dev/letters", timeout=30)
    first, _, _ = page.text.partition("</article>")
    assert "We have your report" in first and f"/dev/letters/{letter['id']}" in page.text
    assert f'<iframe sandbox loading="lazy" title="{letter["subject"]}" src="/dev/letters/' in page.text
    assert "Dear &lt;script&gt;" in page.text and hostile not in page.text
    alone = requests.get(f"{stack.url}/dev/letters/{letter['id']}", timeout=30)
    assert alone.text == letter["html"] and hostile not in alone.text
    assert alone.headers["Content-Security-Policy"] == "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    assert requests.get(f"{stack.url}/dev/letters/nothing", timeout=30).status_code == 404
    assert f'<a href="{stack.url}/status">' in letter["html"]
    assert '<a href="/dev/letters">' in requests.get(f"{stack.url}/dev", timeout=30).text


def test_unknown_dev_address_and_method(stack: Runner) -> None:
    assert requests.get(f"{stack.url}/dev/nothing", timeout=30).status_code == 404
    wrong = requests.delete(f"{stack.url}/dev/clock", timeout=30)
    assert (wrong.status_code, wrong.headers["Allow"]) == (405, "GET, POST")


def test_the_app_answers_over_websocket(stack: Runner) -> None:
    with connect(stack.socket_url) as line:
        line.send('{"do": "open", "pass": "of nobody"}')
        assert line.recv(timeout=20) == '{"refused": "This page had been open for too long. Reload it."}'
        with pytest.raises(ConnectionClosed):  # whoever is not known is not listened to any longer
            line.recv(timeout=20)


# ---- HTTP as it should not be


@pytest.mark.parametrize(
    ("status", "sent"),
    [
        (411, b"POST /reports HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"),
        (400, b"POST /reports HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n"),
        (400, b"POST /reports HTTP/1.1\r\nHost: x\r\nContent-Length: five\r\n\r\n"),
        (400, b"POST /reports HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}"),
        (400, b"POST /reports HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{}"),
        (413, b"POST /reports HTTP/1.1\r\nHost: x\r\nContent-Length: 10485761\r\n\r\n"),
        (413, b"POST /reports HTTP/1.1\r\nHost: x\r\nContent-Length: 11000000\r\n\r\n" + b"x" * 11_000_000),
        (413, b"POST /reports HTTP/1.1\r\nHost: x\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n"),
        (400, b"complete nonsense here\r\n\r\n"),
        (400, b"GET / HTTP/7.5\r\n\r\n"),
        (400, b"GET http://[ HTTP/1.1\r\nHost: x\r\n\r\n"),
        (405, b"TRACE /healthz HTTP/1.1\r\nHost: x\r\n\r\n"),
        (405, b"DELETE /healthz HTTP/1.1\r\nHost: x\r\n\r\n"),
        (414, b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n"),
        (431, b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 200 + b"\r\n"),
        (404, b"GET /no-such-page HTTP/1.1\r\nHost: x\r\nAuthorization: \xc3\xa9\r\n\r\n"),
    ],
)
def test_unreadable_requests_get_a_problem_document(stack: Runner, status: int, sent: bytes) -> None:
    head, _, body = exchange(stack, sent).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status)
    assert b"application/problem+json" in head
    assert b'"status": %d' % status in body


def test_connection_stays_usable_after_a_refusal(stack: Runner) -> None:
    answers = exchange(stack, b"GET /no-such-page HTTP/1.1\r\nHost: x\r\n\r\n" + GET_HEALTH)
    assert answers.startswith(b"HTTP/1.1 404 ")
    assert b"HTTP/1.1 200 OK" in answers


def test_head_answers_like_get_without_the_body(stack: Runner) -> None:
    answers = exchange(stack, GET_HEALTH.replace(b"GET", b"HEAD") + GET_HEALTH)
    head, _, rest = answers.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert b"Content-Length: 0" not in head
    assert rest.startswith(b"HTTP/1.1 200 ")


def test_body_that_is_not_utf8_is_the_clients_mistake(stack: Runner) -> None:
    headers = {"Content-Type": "application/json"}
    answer = requests.post(f"{stack.url}/reports", data=b'{"category": "\xff\xfe"}', headers=headers, timeout=30)
    assert 400 <= answer.status_code < 500


def test_unknown_page_is_a_page_for_a_browser(stack: Runner) -> None:
    answer = requests.get(f"{stack.url}/no-such-page", headers={"Accept": "text/html"}, timeout=30)
    assert answer.status_code == 404
    assert "<h1>Page not found</h1>" in answer.text


# ---- what cannot be processed


def test_poison_message_ends_in_its_dead_queue_and_redrive_brings_it_back(second: Runner) -> None:
    queues = Queues(second)
    queues.send("triage", "not a message of ours")
    assert eventually(lambda: requests.get(f"{second.url}/dev/idle", timeout=30).status_code == 503, 5)
    second.idle()
    assert (queues.waiting("triage"), queues.waiting("triage-dead")) == (0, 1)
    redriven = run("infra.redrive", "triage", **aws(second))
    assert redriven.stdout == "1 message of crime-reports-local-triage-dead brought back\n"
    assert (queues.waiting("triage"), queues.waiting("triage-dead")) == (1, 0)
    assert not any("not a message of ours" in line for line in second.said)


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["triage", "letters"]])
def test_redrive_of_an_unknown_queue_says_which_there_are(arguments: list[str]) -> None:
    failed = run("infra.redrive", *arguments)
    assert (failed.returncode, failed.stderr.count("\n")) == (1, 1)
    assert "triage, letters, stream" in failed.stderr


def test_redrive_without_aws_is_one_line(second: Runner) -> None:
    failed = run("infra.redrive", "triage", **{**aws(second), "AWS_ENDPOINT_URL": "http://127.0.0.1:9"})
    assert (failed.returncode, failed.stderr.count("\n")) == (1, 1)


# ---- beginning and end


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"PORT": "many"}, "is not a port"),
        ({"PORT": "0", "CLOCK": "yesterday"}, "is not a time"),
        ({"PORT": "0", "DATABASE": "mysql"}, "use moto or dynamodb-local"),
        ({"PORT": "0", "DATABASE_DIR": "somewhere"}, "DATABASE_DIR is for DATABASE=dynamodb-local"),
        ({"PORT": "0", "LOG_LEVEL": "loud"}, "use DEBUG, INFO, WARNING or ERROR"),
        ({"PORT": "0", "RETENTION": "filed=never"}, "wrong, or there twice: filed=never"),
        (
            {"PORT": "0", "CHAT_HOURS": "Mon-Fri"},
            "CHAT_HOURS=Mon-Fri cannot be used: “Mon-Fri” is not like Mon-Fri 08:00",
        ),
    ],
)
def test_wrong_settings_are_told_in_one_line(settings: dict[str, str], words: str) -> None:
    failed = run("infra.local", **settings)
    assert (failed.returncode, failed.stderr.count("\n")) == (1, 1)
    assert words in failed.stderr


def test_port_in_use_is_told_in_one_line(stack: Runner) -> None:
    failed = run("infra.local", PORT=str(urlsplit(stack.url).port))
    assert (failed.returncode, failed.stderr.count("\n")) == (1, 1)
    assert "in use" in failed.stderr


def test_requests_and_figures_are_logged_only_where_asked_for(second: Runner) -> None:
    loud = Runner(LOG_LEVEL="INFO")
    try:
        for runner in (second, loud):
            requests.get(f"{runner.url}/healthz", timeout=30)
            runner.advance(60)
            runner.idle()
    finally:
        loud.stop()
    for words in ('"route":"/healthz"', '"Overdue"'):
        assert sum(words in line for line in loud.said) == 1
        assert not any(words in line for line in second.said)


def test_two_runners_side_by_side_and_one_ends_on_ctrl_c(stack: Runner, second: Runner) -> None:
    assert second.url != stack.url
    with connect(second.socket_url) as talking:
        second.process.send_signal(signal.SIGINT)
        assert second.stop(signal.SIGTERM) == 0  # a second signal changes nothing
        with pytest.raises(ConnectionClosed):
            talking.recv()
    assert refused(second.url)
    assert refused(second.socket_url)
    assert refused(second.aws_endpoint)
    assert requests.get(f"{stack.url}/healthz", timeout=30).json() == {"status": "ok"}


def test_dynamodb_local_ends_with_its_runner() -> None:
    if lacking := database.missing():
        pytest.skip(lacking)
    runner = Runner(DATABASE="dynamodb-local")
    endpoint = database_of(runner)
    assert endpoint != runner.aws_endpoint
    runner.idle()
    assert runner.stop() == 0
    assert eventually(lambda: refused(endpoint), 5)


def test_a_table_that_is_kept_goes_on_although_the_runner_was_killed_at_work(tmp_path: Path) -> None:
    if lacking := database.missing():
        pytest.skip(lacking)
    settings = {"DATABASE": "dynamodb-local", "DATABASE_DIR": str(tmp_path / "new" / "folder")}
    runner = Runner(**settings)
    with ThreadPoolExecutor(2) as pool:
        senders = [pool.submit(sent_until_it_ends, runner) for _ in range(2)]
        assert eventually(lambda: runner.outbox() != [], 30)
        endpoint = database_of(runner)
        being_sent(endpoint, runner.outbox()[0]["reference"])  # for one of them it is killed just then
        runner.stop(signal.SIGKILL)  # whatever has been made of the others so far, the queues are gone
        sent = [reference for sender in senders for reference in sender.result()]
    assert eventually(lambda: refused(endpoint), 5)

    runner = Runner(**settings)
    try:
        runner.idle()
        told = [letter["reference"] for letter in runner.outbox()]
        unheard = set(told) - set(sent)
        assert len(unheard) <= 2, "each sender may have lost an answer"
        assert sorted(told) == sorted([*sent, *unheard])
        queues = Queues(runner)
        assert queues.waiting("letters-dead") == queues.waiting("triage-dead") == 0
        listed = requests.get(
            f"{runner.url}/triage", headers={"Authorization": f"Bearer {runner.token('officer')}"}, timeout=30
        )
        assert {report["status"] for report in listed.json()["reports"]} == {"queued"}
    finally:
        runner.stop()


def sent_until_it_ends(runner: Runner) -> list[str]:
    """References of reports that were answered before the runner ended."""
    sent: list[str] = []
    with suppress(requests.RequestException):
        while True:
            answer = requests.post(f"{runner.url}/reports", json=EXAMPLES["theft"], timeout=30)
            assert answer.status_code == 201
            sent.append(answer.json()["reference"])
    return sent


def being_sent(endpoint: str, reference: str) -> None:
    """The acknowledgement of a report went out, and that is not yet recorded."""
    table = Table(aws_client("dynamodb", endpoint), f"crime-reports-{STAGE}")
    values = {"state": "sending", "at": stamp(utc_now())}
    table.update(*letter_key(parse(reference) or "", 1), values=values, condition="attribute_exists(pk)")


def database_of(runner: Runner) -> str:
    return next(line.removeprefix("Database: ") for line in runner.said if line.startswith("Database: "))
