"""What S3 and GuardDuty do with evidence and moto does not: the policy of a posted form, and the scan for malware."""

import base64
import io
import json
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import boto3
from botocore.exceptions import ClientError
from werkzeug.wrappers import Request

EICAR = b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE"  # the harmless text that every scanner takes for malware
SCANNED = "GuardDutyMalwareScanStatus"
LARGEST_POST = 101 * 1024 * 1024  # a file of the largest size, and the fields beside it
UNSIGNED = ("file", "policy", "x-amz-signature")

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def checking_posts(app: Wsgi) -> Wsgi:
    """moto takes any form. S3 takes one that its signed policy allows, and tells a browser why not in XML."""

    def checked(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        request = Request(environ, populate_request=False)
        if request.method != "POST" or request.mimetype != "multipart/form-data":
            return app(environ, start_response)
        request.max_form_memory_size = LARGEST_POST
        body = request.get_data(parse_form_data=False, cache=True)
        file = request.files.get("file")
        fields = {name: value for name, value in request.form.items() if name != "file"}
        size = len(file.read()) if file else len(request.form.get("file", "").encode())
        if wrong := refusal(fields, request.path.strip("/").split("/")[0], size):
            start_response("403 FORBIDDEN" if wrong == "AccessDenied" else "400 BAD REQUEST",
                           [("Content-Type", "application/xml")])  # fmt: skip
            return [error(wrong)]
        environ["wsgi.input"] = io.BytesIO(body)
        return app(environ, start_response)

    return checked


def refusal(fields: Mapping[str, str], bucket: str, size: int) -> str:
    """S3's word for what is wrong with a posted form; no text if its policy allows it."""
    try:
        policy = json.loads(base64.b64decode(fields["policy"]))
        ends, conditions = datetime.fromisoformat(policy["expiration"]), policy["conditions"]
    except (KeyError, ValueError, TypeError):
        return "AccessDenied"
    exact = {name: value for one in conditions if isinstance(one, dict) for name, value in one.items()}
    (_, smallest, largest), *_ = (one for one in conditions if isinstance(one, list))  # content-length-range
    sent = {name: value for name, value in fields.items() if name not in UNSIGNED} | {"bucket": bucket}
    if datetime.now(UTC) > ends or sent != exact:
        return "AccessDenied"
    return "EntityTooSmall" if size < smallest else "EntityTooLarge" if size > largest else ""


def error(code: str) -> bytes:
    """S3's page of code."""
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code></Error>'.encode()


class Scanner:
    """Stands in for GuardDuty: tags each version of each object in the bucket with what it found in it."""

    name = "malware scan"

    def __init__(self, bucket: str) -> None:
        self._s3, self._bucket = boto3.client("s3"), bucket
        self._scanned: set[tuple[str, str]] = set()

    def poll(self) -> bool:
        """Scan what is new."""
        found = self._new()
        for key, version in found:
            self._scan(key, version)
            self._scanned.add((key, version))
        return bool(found)

    def drained(self) -> bool:
        """Nothing is new."""
        return not self._new()

    def _new(self) -> set[tuple[str, str]]:
        versions = self._s3.list_object_versions(Bucket=self._bucket).get("Versions", [])
        return {(one["Key"], one["VersionId"]) for one in versions} - self._scanned

    def _scan(self, key: str, version: str) -> None:
        where: Any = {"Bucket": self._bucket, "Key": key, "VersionId": version}
        try:
            threat = EICAR in self._s3.get_object(**where)["Body"].read()
            tags = [{"Key": SCANNED, "Value": "THREATS_FOUND" if threat else "NO_THREATS_FOUND"}]
            self._s3.put_object_tagging(**where, Tagging={"TagSet": tags})
        except ClientError:
            return  # it was removed meanwhile
