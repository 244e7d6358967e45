"""Queues between the stream and what it sets off. A message has a reference, a version and a kind: no personal data."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

LARGEST_BATCH = 10  # what SQS takes at a time


class Change(NamedTuple):
    """What happened to a report, as a message carries it."""

    reference: str
    version: int
    what: str


class NotSent(Exception):
    """Some messages were not taken; the stream brings the whole batch again, and that does no harm."""


class Queue:
    """One queue."""

    def __init__(self, client: "SQSClient", url: str) -> None:
        self._client, self._url = client, url

    def send(self, changes: Sequence[Change]) -> None:
        """Send all of them, or raise."""
        for start in range(0, len(changes), LARGEST_BATCH):
            batch = changes[start : start + LARGEST_BATCH]
            answer = self._client.send_message_batch(
                QueueUrl=self._url,
                Entries=[
                    {"Id": str(place), "MessageBody": json.dumps(change._asdict())}
                    for place, change in enumerate(batch)
                ],
            )
            if answer.get("Failed"):
                raise NotSent(f"{len(answer['Failed'])} messages were not taken")


def read(body: str) -> Change:
    """The change that a message carries. Raises if it is no message of ours: it then ends in the dead-letter queue."""
    return Change(**json.loads(body))
