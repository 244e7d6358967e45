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

from chalicelib.forms import EXAMPLES
from chalicelib.life_cycle import Status
from chalicelib.reference import candidates, show, smoke_token
from chalicelib.store import Store
from chalicelib.table import Table
from chalicelib.token_secrets import TokenSecrets
from chalicelib.wiring import mint
from infra.deployment import Action, Deployment, GiveUp, NotYet

PATIENCE_SECONDS = 120


def actions(deployment: Deployment) -> Iterator[Action]:
    """One report through the whole service, and away with it."""
    if not deployment.address:
        raise NotYet("the API")
    yield Action(f"send a report to {deployment.address}, see it triaged, remove it", partial(run, deployment))


def run(deployment: Deployment, wait: Callable[[float], None] = time.sleep) -> None:
    """Raises GiveUp if the report does not get through."""
    client, name = deployment.client("dynamodb"), deployment.settings["REPORTS_TABLE"]
    table = Table(client, name)
    secrets = TokenSecrets(table, deployment.now, mint)
    token = smoke_token(secrets()[0])
    reference, _ = next(candidates(secrets()[0], token))
    _remove(client, name, reference)
    try:
        _send(f"{deployment.address}/reports", token.removeprefix("key:"), show(reference))
        _see_through(Store(table, secrets), reference, wait)
    finally:
        _remove(client, name, reference)


def _send(url: str, key: str, reference: str) -> None:
    headers = {"Content-Type": "application/json", "Idempotency-Key": key, "User-Agent": "crime-reports-smoke-test"}
    request = Request(url, json.dumps(EXAMPLES["theft"]).encode(), headers)
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


def _see_through(store: Store, reference: str, wait: Callable[[float], None]) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while missing := _missing(store, reference):
        if time.monotonic() > end:
            raise GiveUp(f"The smoke test failed: the report was stored, but in {PATIENCE_SECONDS} seconds {missing}. "
                         "Look at the dead-letter queues and docs/runbook.md. Reports are safe meanwhile: the 24-hour "
                         "rule does not need the queues.")  # fmt: skip
        wait(1)


def _missing(store: Store, reference: str) -> str | None:
    report = store.read(reference)
    if not report or report.status is Status.RECEIVED:
        return "triage had not come to it"
    seen_to = [letter for letter in store.letters(reference) if letter["state"] != "sending"]
    return None if seen_to else "its letter had not been seen to"


def _remove(client: Any, table: str, reference: str) -> None:
    """All that has to do with the report. The service itself never deletes, so `table.py` cannot."""
    found = client.query(
        TableName=table,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": f"REPORT#{reference}"}},
        ProjectionExpression="pk, sk",
        ConsistentRead=True,
    )
    for key in found["Items"]:
        client.delete_item(TableName=table, Key=key)
