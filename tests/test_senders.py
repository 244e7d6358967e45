"""The ways letters go out: what is sent, which refusals are for good, and what is said of them."""

import json
import logging
import threading
import traceback
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import jwt
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from chalicelib import wiring
from chalicelib.config import Settings
from chalicelib.errors import OutsideError, described
from chalicelib.handlers import background
from chalicelib.letters import Undeliverable, write
from chalicelib.senders import Notify, Outbox, Ses
from tests.fakes import NOW, FakeTable, Parts
from tests.test_letters import called, received

LETTER = write(received(), 1, "Example Police")


# The outbox


def test_outbox_keeps_a_letter_once_and_lists_them_as_they_went() -> None:
    outbox = Outbox(FakeTable())  # type: ignore[arg-type]
    early = replace(write(called(received(), "requested"), 2, "Example Police"), id="0")
    outbox.send(LETTER, NOW)
    outbox.send(early, NOW.replace(hour=8))
    outbox.send(LETTER, NOW.replace(hour=23))
    names = ["id", "to", "template", "reference", "subject", "body", "html", "sent_at"]
    assert [list(letter) for letter in outbox.letters()] == [names, names]
    assert [letter["template"] for letter in outbox.letters()] == ["call_back_needed", "acknowledgement"]
    assert [letter["sent_at"] for letter in outbox.letters()] == ["2026-11-23T08:00:00Z", "2026-11-23T09:00:00Z"]


# Amazon SES


class FakeSes:
    def __init__(self, failure: Exception | None = None) -> None:
        self.sent: list[dict[str, Any]] = []
        self.failure = failure

    def send_email(self, **request: Any) -> None:
        if self.failure:
            raise self.failure
        self.sent.append(request)


def by_ses(failure: Exception | None = None) -> FakeSes:
    ses = FakeSes(failure)
    Ses(lambda: ses, "reports@police.example.com").send(LETTER, NOW)  # type: ignore[arg-type, return-value]
    return ses


def refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "eve@example.com is not verified"}}, "SendEmail")


def test_ses_sends_both_forms_from_the_force_to_the_person() -> None:
    (request,) = by_ses().sent
    assert request["FromEmailAddress"] == "reports@police.example.com"
    assert request["Destination"] == {"ToAddresses": ["eve@example.com"]}
    simple = request["Content"]["Simple"]
    assert simple["Subject"] == {"Data": LETTER.subject, "Charset": "UTF-8"}
    assert simple["Body"]["Text"] == {"Data": LETTER.body, "Charset": "UTF-8"}
    assert simple["Body"]["Html"] == {"Data": LETTER.html, "Charset": "UTF-8"}


def test_ses_refuses_an_address_for_good() -> None:
    with pytest.raises(Undeliverable) as caught:
        by_ses(refused("BadRequestException"))
    assert str(caught.value) == "BadRequestException" and caught.value.__cause__ is None


@pytest.mark.parametrize(
    "code",
    [
        "MessageRejected",
        "AccountSuspendedException",
        "SendingPausedException",
        "MailFromDomainNotVerifiedException",
        "NotFoundException",
        "LimitExceededException",
        "TooManyRequestsException",
        "InternalFailure",
        "AccessDeniedException",
    ],
)
def test_what_is_our_fault_or_passes_is_tried_again_by_ses(code: str) -> None:
    with pytest.raises(OutsideError) as caught:
        by_ses(refused(code))
    assert described(caught.value).startswith(f"OutsideError {code} at senders.py:")
    assert caught.value.__cause__ is None and "eve@example.com" not in str(caught.value)


def test_ses_that_does_not_answer_is_tried_again() -> None:
    with pytest.raises(EndpointConnectionError):
        by_ses(EndpointConnectionError(endpoint_url="https://example.com"))


# GOV.UK Notify

SERVICE, TEMPLATE = "26785a09-ab16-4eb0-8407-a37497a57506", "f33517ff-2a88-4f6e-b855-c550268ce08a"
OLD, NEW = "3d844edf-8d35-48ac-975b-e847b4f122b0", "5d844edf-8d35-48ac-975b-e847b4f122b1"


class Stub(BaseHTTPRequestHandler):
    """Notify, as far as a letter goes: keeps what it took, and answers as it is told to."""

    took: ClassVar[list[dict[str, Any]]] = []
    keys: ClassVar[list[str]] = []
    answer: ClassVar[tuple[int, Any]] = (201, {"id": "1"})
    secret: ClassVar[str] = OLD

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        status, said = Stub.answer
        try:
            jwt.decode(self.headers["Authorization"].removeprefix("Bearer "), Stub.secret, ["HS256"])
        except jwt.InvalidSignatureError:
            status, said = 403, errors("AuthError", "Invalid token: API key not found")
        if (self.path, status) == ("/v2/notifications/email", 201):
            Stub.took.append(body)
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(said).encode() if isinstance(said, dict) else said)

    def log_message(self, *_: Any) -> None:
        """Quiet."""


def errors(error: str, message: str) -> Any:
    return {"status_code": 0, "errors": [{"error": error, "message": message}]}


class Store:
    """The parameter store. Counts how often it is asked."""

    def __init__(self, secret: str = OLD) -> None:
        self.secret, self.asked = secret, 0

    def get_parameter(self, Name: str, WithDecryption: bool) -> Any:
        self.asked += 1
        if not self.secret:
            raise ClientError({"Error": {"Code": "ParameterNotFound", "Message": Name}}, "GetParameter")
        assert (Name, WithDecryption) == ("/crime-reports-dev/notify-api-key", True)
        return {"Parameter": {"Value": f"letters-{SERVICE}-{self.secret}\n"}}


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(Stub, "took", [])
    monkeypatch.setattr(Stub, "answer", (201, {"id": "1"}))
    monkeypatch.setattr(Stub, "secret", OLD)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Stub)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def notify(address: str, store: Store) -> Notify:
    return Notify(lambda: store, "/crime-reports-dev/notify-api-key", TEMPLATE, address)  # type: ignore[arg-type, return-value]


def test_notify_gets_the_letter_under_its_id(notify: Notify) -> None:
    notify.send(LETTER, NOW)
    (taken,) = Stub.took
    assert taken == {
        "email_address": "eve@example.com",
        "template_id": TEMPLATE,
        "personalisation": {"subject": LETTER.subject, "body": LETTER.markdown},
        "reference": LETTER.id,
    }


def test_a_letter_tried_twice_can_be_told(notify: Notify, store: Store) -> None:
    notify.send(LETTER, NOW)
    notify.send(LETTER, NOW)
    assert [taken["reference"] for taken in Stub.took] == [LETTER.id, LETTER.id]
    assert store.asked == 1


@pytest.mark.parametrize(
    "message", ["email_address Not a valid email address", "email_address is not a valid email address"]
)
def test_notify_refuses_an_address_for_good(notify: Notify, message: str) -> None:
    Stub.answer = 400, errors("ValidationError", message)
    with pytest.raises(Undeliverable, match="400 ValidationError"):
        notify.send(LETTER, NOW)


@pytest.mark.parametrize(
    ("status", "error", "message", "code"),
    [
        (400, "BadRequestError", "Template not found", "400 BadRequestError"),
        (400, "BadRequestError", "Missing personalisation: body", "400 BadRequestError"),
        (400, "BadRequestError", "Can’t send to this recipient when service is in trial mode", "400 BadRequestError"),
        (400, "BadRequestError", "Can’t send to this recipient using a team-only API key", "400 BadRequestError"),
        (400, "ValidationError", "template_id is not a valid UUID", "400 ValidationError"),
        (400, "eve@example.com", "eve@example.com", "400"),
        (403, "AuthError", "Error: Your system clock must be accurate to within 30 seconds", "403 AuthError"),
        (429, "RateLimitError", "Exceeded rate limit for key type LIVE", "429 RateLimitError"),
        (429, "TooManyRequestsError", "Exceeded send limits (250,000) for today", "429 TooManyRequestsError"),
        (500, "Exception", "Internal server error", "500"),
        (503, "Exception", "email_address", "503"),
    ],
)
def test_what_is_our_fault_or_passes_is_tried_again(
    notify: Notify, status: int, error: str, message: str, code: str
) -> None:
    Stub.answer = status, errors(error, message)
    with pytest.raises(OutsideError) as caught:
        notify.send(LETTER, NOW)
    assert described(caught.value).startswith(f"OutsideError {code} at senders.py:")
    Stub.answer = 201, {"id": "1"}
    notify.send(LETTER, NOW)
    assert len(Stub.took) == 1


@pytest.mark.parametrize("said", [b"<html>Bad gateway", b"[]", b'{"errors": ["no"]}', b'{"message": "no"}', b"null"])
def test_an_answer_that_is_none_of_notifys_is_tried_again(notify: Notify, said: bytes) -> None:
    Stub.answer = 502, said
    with pytest.raises(OutsideError, match="502"):
        notify.send(LETTER, NOW)


def test_notify_that_does_not_answer_is_tried_again(store: Store) -> None:
    nowhere = Notify(lambda: store, "/crime-reports-dev/notify-api-key", TEMPLATE, "http://127.0.0.1:1")  # type: ignore[arg-type, return-value]
    with pytest.raises(OutsideError, match="503"):
        nowhere.send(LETTER, NOW)


def test_a_key_that_is_changed_is_looked_up_again(notify: Notify, store: Store) -> None:
    notify.send(LETTER, NOW)
    Stub.secret = store.secret = NEW
    with pytest.raises(OutsideError, match="403 AuthError"):
        notify.send(LETTER, NOW)
    notify.send(LETTER, NOW)
    assert (len(Stub.took), store.asked) == (2, 2)


def test_a_key_that_is_not_there_is_waited_for(notify: Notify, store: Store) -> None:
    store.secret = ""
    with pytest.raises(OutsideError, match="ParameterNotFound"):
        notify.send(LETTER, NOW)
    store.secret = OLD
    notify.send(LETTER, NOW)
    assert len(Stub.took) == 1


@pytest.mark.parametrize("answer", [(400, errors("BadRequestError", "eve@example.com")), (500, b"eve@example.com")])
def test_neither_the_person_nor_the_key_is_told_to_anybody(
    notify: Notify, answer: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    Stub.answer = answer
    with pytest.raises(OutsideError) as caught:
        notify.send(LETTER, NOW)
    told = caplog.text + "".join(traceback.format_exception(caught.value))
    assert caught.value.__context__ is None
    assert not [secret for secret in ("eve@", "Eve Example", OLD, SERVICE) if secret in told]


# What becomes of the letter


@pytest.fixture
def parts(notify: Notify, monkeypatch: pytest.MonkeyPatch) -> Parts:
    parts = Parts(FakeTable())
    parts.casework._sender = notify
    monkeypatch.setattr(wiring, "_installed", parts)
    return parts


def state_after(parts: Parts, status: int, said: Any) -> str:
    """What an officer sees of the letter after a message of the queue."""
    Stub.answer = status, said
    reference = parts.submit("token").reference
    message = json.dumps({"reference": reference, "version": 1, "what": "received"})
    try:
        background.send_letter(message, 1)
    except background.Failed as failed:
        assert str(failed).startswith("OutsideError 403 AuthError at ")
    return str(parts.store.letters(reference)[0]["state"])


def test_a_letter_that_can_never_go_is_failed(parts: Parts) -> None:
    said = errors("ValidationError", "email_address Not a valid email address")
    assert state_after(parts, 400, said) == "failed: 400 ValidationError"


def test_a_letter_that_may_go_later_goes_later(parts: Parts) -> None:
    assert state_after(parts, 403, errors("AuthError", "Invalid token")) == "sending"
    assert state_after(parts, 201, {"id": "1"}) == "sent"
    assert len(Stub.took) == 1


def test_settings_choose_who_sends() -> None:
    environ = dict.fromkeys(("REPORTS_TABLE", "TRIAGE_QUEUE_URL", "LETTERS_QUEUE_URL", "EVIDENCE_BUCKET", "OIDC_ISSUER",
                     "OIDC_AUDIENCE",
                             "FORCE_NAME", "FORCE_CODE"), "x") | {"AWS_DEFAULT_REGION": "eu-west-2"}  # fmt: skip

    def sender(name: str) -> Any:
        return wiring.build(Settings.from_environ(environ | {"LETTER_SENDER": name})).sender

    assert (type(sender("ses")), type(sender("notify"))) == (Ses, Notify)
    with pytest.raises(ValueError, match="none of outbox, ses and notify"):
        sender("smtp")
