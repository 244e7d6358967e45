"""What stands around the service where its capacity is counted: a clock, queues, files, letters, and browsers."""

import gzip
import io
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

from chalice.config import Config
from chalice.local import LocalGateway

from chalicelib.letters import Letter

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> None:
        self.now += timedelta(**by)


class Sqs:
    """Queues that keep their messages. `requests` counts what is asked of them."""

    def __init__(self) -> None:
        self.requests, self.messages = 0, list[str]()

    def send_message_batch(self, QueueUrl: str, Entries: list[dict[str, str]]) -> dict[str, Any]:
        self.requests += 1
        self.messages += [entry["MessageBody"] for entry in Entries]
        return {}

    def take(self) -> str:
        """The newest message."""
        return self.messages.pop()


class Bucket:
    """S3, with what is sent to it. `requests` counts what is asked of it."""

    def __init__(self) -> None:
        self.files, self.invited, self.requests = dict[str, bytes](), "", 0

    def generate_presigned_post(self, bucket: str, key: str, **_: Any) -> dict[str, Any]:
        self.invited = key
        return {"url": "https://evidence.example.com/", "fields": {"key": key}}

    def list_object_versions(self, Bucket: str, Prefix: str, **_: Any) -> dict[str, Any]:
        self.requests += 1
        there = [{"Key": key, "VersionId": "1", "Size": len(text)} for key, text in self.files.items()
                 if key.startswith(Prefix)]  # fmt: skip
        return {"Versions": there, "IsTruncated": False}

    def get_object(self, Key: str, **_: Any) -> dict[str, Any]:
        self.requests += 1
        return {"Body": io.BytesIO(self.files[Key])}

    def get_object_tagging(self, **_: Any) -> dict[str, Any]:
        self.requests += 1
        return {"TagSet": [{"Key": "GuardDutyMalwareScanStatus", "Value": "NO_THREATS_FOUND"}]}

    def delete_objects(self, Delete: Mapping[str, Any], **_: Any) -> dict[str, Any]:
        self.requests += 1
        for one in Delete["Objects"]:
            self.files.pop(one["Key"], None)
        return {}


class Sender:
    """Letters go nowhere."""

    def __init__(self) -> None:
        self.sent = 0

    def send(self, letter: Letter, at: datetime) -> None:
        self.sent += 1


class Answer(NamedTuple):
    """What came of a request."""

    status: int
    headers: Mapping[str, Any]
    text: str

    @property
    def location(self) -> str:
        """Where it leads."""
        return str(self.headers.get("Location", ""))

    @property
    def path(self) -> str:
        """The same, if it leads to us."""
        parts = urlsplit(self.location)
        return f"{parts.path}?{parts.query}" if parts.query else parts.path


class Browser:
    """Somebody's browser, without JavaScript: `page` is what it shows, at `at`. Counts what it asks and what comes."""

    def __init__(self, app: Any) -> None:
        self._gateway, self._cookies = LocalGateway(app, Config()), dict[str, str]()
        self.page, self.at, self.requests, self.bytes = Answer(0, {}, ""), "", 0, 0

    def get(self, path: str) -> Answer:
        """Open an address."""
        self.page, self.at = self.ask("GET", path), path
        return self.page

    def submit(self, to: str, **typed: str) -> Answer:
        """Send the form of the page whose address ends with `to`, with its hidden fields and what is `typed`."""
        forms = re.findall(r'<form [^>]*?action="([^"]*)"[^>]*>(.*?)</form>', self.page.text, re.DOTALL)
        action, inside = next(form for form in forms if form[0].endswith(to))
        hidden = {name: unescape(value) for name, value in
                  re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', inside)}  # fmt: skip
        said = urlencode(hidden | typed)
        self.page = self.ask("POST", action, said, content_type="application/x-www-form-urlencoded")
        return self.page

    def ask(self, method: str, path: str, body: str | None = None, **more: str) -> Answer:
        """Send a request; nothing is followed."""
        headers = {"accept": "text/html", "host": "report.example.com", "x-forwarded-proto": "https"}
        headers |= {name.replace("_", "-"): value for name, value in more.items()}
        headers["cookie"] = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        got = self._gateway.handle_request(method, path, headers, None if body is None else body.encode())
        answer = Answer(got["statusCode"], got.get("headers", {}) | got.get("multiValueHeaders", {}), got["body"])
        assert answer.status < 400, (method, path, answer)
        self._keep_cookies(answer)
        self.requests += 1
        self.bytes += _over_the_wire(answer)
        return answer

    def _keep_cookies(self, answer: Answer) -> None:
        given = answer.headers.get("Set-Cookie", [])
        for cookie in [given] if isinstance(given, str) else given:
            name, _, value = cookie.partition(";")[0].partition("=")
            self._cookies[name] = value


def _over_the_wire(answer: Answer) -> int:
    """Bytes of an answer as API Gateway compresses it (`minimum_compression_size`)."""
    text = answer.text.encode()
    text = gzip.compress(text, mtime=0) if len(text) >= 1024 else text
    return len(text) + sum(len(name) + len(str(value)) + 4 for name, value in answer.headers.items())
