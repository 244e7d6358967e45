"""The smoke test: one report from the form's address to the queue's end, marked so that nobody sees or counts it.

The mark is a token that only who may read the table can know. The report is stored, triaged and would get its letter;
then it is removed. If we die before that, the next run removes it first.
"""

import json
import time
from collections.abc import Callable, Iterator
from functools import partial
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from chalicelib.reference import candidates, show, smoke_token
from chalicelib.table import Table
from chalicelib.token_secrets import TokenSecrets
from chalicelib.wiring import mint
from infra.deployment import Action, Deployment, GiveUp, NotYet

PATIENCE_SECONDS = 120
REPORT = {
    "category": "theft",
    "emergency": "no",
    "reporter": "victim",
    "about": {"kind": "pedal_cycle"},
    "contact": {"full_name": "Smoke Test", "email": "smoke-test@example.com"},
    "declaration": "yes",
}


def actions(deployment: Deployment) -> Iterator[Action]:
    """One report through the whole service, and away with it."""
    if not deployment.address:
        raise NotYet("the API")
    yield Action(f"send a report to {deployment.address}, see it triaged, remove it", partial(run, deployment))


def run(deployment: Deployment, wait: Callable[[float], None] = time.sleep) -> None:
    """Raises GiveUp if the report does not get through."""
    name = deployment.settings["REPORTS_TABLE"]
    client = deployment.client("dynamodb")
    secret = TokenSecrets(Table(client, name), deployment.now, mint)()[0]
    token = smoke_token(secret)
    pk = f"REPORT#{next(candidates(secret, token))[0]}"
    _remove(client, name, pk)
    try:
        _send(f"{deployment.address}/reports", token.removeprefix("key:"), show(pk.removeprefix("REPORT#")))
        _see_through(Table(client, name), pk, wait)
    finally:
        _remove(client, name, pk)


def _send(url: str, key: str, reference: str) -> None:
    headers = {"Content-Type": "application/json", "Idempotency-Key": key, "User-Agent": "crime-reports-smoke-test"}
    request = Request(url, json.dumps(REPORT).encode(), headers)
    try:
        with urlopen(request, timeout=30) as answer:
            status, got = answer.status, json.load(answer)
    except HTTPError as error:
        raise GiveUp(f"The smoke test failed: {url} answered {error.code}. Look at the logs of the function.") from None
    except (URLError, HTTPException, OSError, ValueError) as error:
        raise GiveUp(f"The smoke test, the last step, failed: {url} cannot be used ({error}). Everything else is "
                     "done. A new name may need a few minutes: then run this again.") from None  # fmt: skip
    if status != 201 or got.get("reference") != reference:
        raise GiveUp(f"The smoke test failed: {url} is not this service ({status}). Is its address right?")


def _see_through(table: Table, pk: str, wait: Callable[[float], None]) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while missing := _missing(table, pk):
        if time.monotonic() > end:
            raise GiveUp(f"The smoke test failed: the report was stored, but in {PATIENCE_SECONDS} seconds {missing}. "
                         "Look at the dead-letter queues and docs/runbook.md. Reports are safe meanwhile: the 24-hour "
                         "rule does not need the queues.")  # fmt: skip
        wait(1)


def _missing(table: Table, pk: str) -> str | None:
    report = table.get(pk, "REPORT")
    if not report or report["status"] == "received":
        return "triage had not come to it"
    letter = table.get(pk, "LETTER#000001")
    return None if letter and letter["state"] != "sending" else "its letter had not been seen to"


def _remove(client: Any, table: str, pk: str) -> None:
    found = client.query(
        TableName=table,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": pk}},
        ProjectionExpression="pk, sk",
        ConsistentRead=True,
    )
    for key in found["Items"]:
        client.delete_item(TableName=table, Key=key)
