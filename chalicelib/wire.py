"""DynamoDB over the wire: as much of its protocol as `table.py` speaks, answering and failing as botocore's client.

botocore's client makes half of what a submission costs, and a fifth of a cold start: it looks up, for any of 400
services, what is always the same here. So this is signed and sent without it, where the environment says all that is
needed, as Lambda's does; `wiring.py` takes botocore's client elsewhere. See `docs/adr/0036-wire.md` for the figures.
"""

import hashlib
import hmac
import json
import random
import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partialmethod
from typing import Any, Self
from urllib.parse import urlsplit

import certifi
from botocore.exceptions import ClientError
from urllib3 import BaseHTTPResponse, Timeout, connection_from_url
from urllib3.exceptions import HTTPError

TRIES = 4
SECONDS = 6  # of silence: all tries are over before API Gateway gives up (29 seconds), and we say what is wrong
THREADS = 16  # connections that are kept; who needs more at once makes them anew
# What botocore's client knows and this does not: regions where DynamoDB has another domain, and these wishes.
ELSEWHERE = ("cn-", "us-iso", "eu-iso", "eusc-")
WISHES = ("AWS_CA_BUNDLE", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "AWS_USE_FIPS_ENDPOINT",
          "AWS_USE_DUALSTACK_ENDPOINT", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")  # fmt: skip
# As botocore's standard mode has it (`botocore/retries/standard.py`), of what DynamoDB says.
TRANSIENT = {500, 502, 503, 504}
THROTTLED = {
    "ThrottlingException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "TransactionInProgressException",
}


class Signer:
    """Signs requests to one service of one region (AWS Signature Version 4)."""

    def __init__(self, service: str, region: str, key: str, secret: str, token: str) -> None:
        """`key`, `secret` and `token` are those of an IAM role; a user's have no token."""
        self._scope, self._key, self._secret, self._token = (region, service, "aws4_request"), key, secret, token
        self._key_of: tuple[str, bytes] = "", b""

    def signed(self, headers: Mapping[str, str], body: bytes, now: datetime) -> dict[str, str]:
        """The headers of a POST to `/`, `Host` among them, with the signature for them and the body."""
        at = f"{now:%Y%m%dT%H%M%SZ}"
        headers = {**headers, "X-Amz-Date": at} | ({"X-Amz-Security-Token": self._token} if self._token else {})
        names, scope = ";".join(sorted(map(str.lower, headers))), "/".join((at[:8], *self._scope))
        lines = sorted(f"{name.lower()}:{value}\n" for name, value in headers.items())
        request = f"POST\n/\n\n{''.join(lines)}\n{names}\n{hashlib.sha256(body).hexdigest()}"
        text = f"AWS4-HMAC-SHA256\n{at}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
        signature = hmac.digest(self._key_for(at[:8]), text.encode(), "sha256").hex()
        says = f"AWS4-HMAC-SHA256 Credential={self._key}/{scope}, SignedHeaders={names}, Signature={signature}"
        return {**headers, "Authorization": says}

    def _key_for(self, day: str) -> bytes:
        known, key = self._key_of
        if known != day:
            key = f"AWS4{self._secret}".encode()
            for part in (day, *self._scope):
                key = hmac.digest(key, part.encode(), "sha256")
            self._key_of = day, key
        return key


class Wire:
    """A client of DynamoDB, for any number of threads."""

    def __init__(self, address: str, signer: Signer, sleep: Callable[[float], None] = time.sleep) -> None:
        """`address` is such as `https://dynamodb.eu-west-2.amazonaws.com`."""
        secure = {"ca_certs": certifi.where(), "cert_reqs": "CERT_REQUIRED"} if address.startswith("https:") else {}
        self._http = connection_from_url(address, maxsize=THREADS, timeout=Timeout(total=SECONDS, connect=3), **secure)
        self._host, self._signer, self._sleep = urlsplit(address).netloc, signer, sleep

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Self | None:
        """None unless this is Lambda, or a machine where a DynamoDB is named, and the environment says all it takes.
        What pretends to be botocore in a test must not be passed by, on the way to the real one.
        """
        said = [environ.get(f"AWS_{name}", "") for name in ("DEFAULT_REGION", "ACCESS_KEY_ID", "SECRET_ACCESS_KEY")]
        named = environ.get("AWS_ENDPOINT_URL_DYNAMODB") or environ.get("AWS_ENDPOINT_URL", "")
        if not all(said) or not (named or environ.get("AWS_LAMBDA_FUNCTION_NAME")) or urlsplit(named).path.strip("/"):
            return None
        region, key, secret = said
        if not named.startswith("http:") and (region.startswith(ELSEWHERE) or any(map(environ.get, WISHES))):
            return None
        signer = Signer("dynamodb", region, key, secret, environ.get("AWS_SESSION_TOKEN", ""))
        return cls((named or f"https://dynamodb.{region}.amazonaws.com").rstrip("/"), signer)

    def _call(self, operation: str, **request: Any) -> Any:
        """What DynamoDB answers. Raises ClientError for what it refuses, HTTPError if it cannot be asked."""
        body = json.dumps(request, separators=(",", ":"), default=_base64).encode()
        for attempt in range(1, TRIES + 1):
            try:
                answer = self._send(operation, body)
            except HTTPError:
                if attempt == TRIES:
                    raise
                self._wait(attempt, 0.025)
                continue
            if answer.status == 200:
                return json.loads(answer.data)
            refusal = _refusal(operation, answer)
            throttled = refusal.response["Error"]["Code"] in THROTTLED
            if attempt == TRIES or not (throttled or answer.status in TRANSIENT):
                raise refusal
            self._wait(attempt, 1 if throttled else 0.025)

    batch_get_item = partialmethod(_call, "BatchGetItem")
    delete_item = partialmethod(_call, "DeleteItem")
    get_item = partialmethod(_call, "GetItem")
    put_item = partialmethod(_call, "PutItem")
    query = partialmethod(_call, "Query")
    scan = partialmethod(_call, "Scan")
    update_item = partialmethod(_call, "UpdateItem")

    def _send(self, operation: str, body: bytes) -> BaseHTTPResponse:
        headers = {"Content-Type": "application/x-amz-json-1.0", "Host": self._host,
                   "X-Amz-Target": f"DynamoDB_20120810.{operation}"}  # fmt: skip
        signed = self._signer.signed(headers, body, datetime.now(UTC))
        return self._http.urlopen("POST", "/", body=body, headers=signed, retries=False, redirect=False)

    def _wait(self, attempt: int, seconds: float) -> None:
        self._sleep(random.random() * seconds * 2 ** (attempt - 1))


def _base64(value: bytes) -> str:
    return b64encode(value).decode()


def _refusal(operation: str, answer: BaseHTTPResponse) -> ClientError:
    try:
        said: Any = dict(json.loads(answer.data))
    except (TypeError, ValueError):  # something on the way answered
        said = {}
    code = str(said.get("__type", answer.status)).rpartition("#")[2]
    error: Any = {"Error": {"Code": code, "Message": said.get("message", said.get("Message", ""))}}
    return ClientError(error | ({"Item": said["Item"]} if "Item" in said else {}), operation)
