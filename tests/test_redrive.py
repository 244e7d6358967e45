"""Bringing back what the stream set aside: the message names the records, and they go to the queues again."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from chalicelib.forms import EXAMPLES
from chalicelib.report import receive
from chalicelib.store import Store
from chalicelib.table import Table
from infra import redrive
from infra.local import stack
from tests.fakes import NOW

THEFT = EXAMPLES["theft"]


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """The template's resources; gives its outputs."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "local")
    monkeypatch.setenv("AWS_DEFAULT_REGION", stack.REGION)
    with stack.moto() as endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        yield stack.apply_template()


def test_records_of_the_stream_come_back_to_both_queues(aws: dict[str, str]) -> None:
    store = Store(Table(boto3.client("dynamodb"), aws["TableName"]), lambda: (b"secret",))
    for token in ("handled", "set aside", "later"):
        report = store.submit(token, THEFT, lambda reference: receive(reference, "theft", THEFT, NOW))
        if token == "set aside":
            wanted = report.reference
    sqs = boto3.client("sqs")
    sqs.send_message(QueueUrl=aws["StreamDeadQueueUrl"], MessageBody=json.dumps(set_aside(aws["StreamArn"], place=1)))

    assert redrive.main(["stream"]) == "1 message of crime-reports-local-stream-dead brought back"

    for queue in ("TriageQueueUrl", "LettersQueueUrl"):
        (message,) = sqs.receive_message(QueueUrl=aws[queue], MaxNumberOfMessages=10)["Messages"]
        assert json.loads(message["Body"]) == {"reference": wanted, "version": 1, "what": "received"}
    assert "Messages" not in sqs.receive_message(QueueUrl=aws["StreamDeadQueueUrl"])


class Streams:
    """A stream whose answers are short: one record at a time, none at first, and perhaps an end too early."""

    def __init__(self, kinds: list[str], ends_at: int = 99) -> None:
        self.kinds, self.ends_at = kinds, ends_at

    def get_shard_iterator(self, **_: Any) -> Any:
        return {"ShardIterator": "-1"}

    def get_records(self, ShardIterator: str) -> Any:
        place = int(ShardIterator)
        image = {"sk": {"S": self.kinds[place]}} if place >= 0 else {}
        records = [{"dynamodb": {"SequenceNumber": str(place), "NewImage": image}}] if place >= 0 else []
        return {"Records": records} | ({"NextShardIterator": str(place + 1)} if place < self.ends_at else {})


def test_all_records_from_the_first_to_the_last_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two that were set aside are others, which the filter leaves out and the batch does not count."""
    kinds = ["REPORT", "LETTER#1", "REPORT", "REPORT"]
    batch = {"startSequenceNumber": "0", "endSequenceNumber": "2", "batchSize": 2, "streamArn": "", "shardId": ""}
    monkeypatch.setattr(redrive.boto3, "client", lambda name: Streams(kinds))
    assert [image["sk"]["S"] for image in redrive._images(batch)] == kinds[:3]
    monkeypatch.setattr(redrive.boto3, "client", lambda name: Streams(kinds, ends_at=1))
    with pytest.raises(SystemExit, match="The message stays"):
        redrive._images(batch)


def set_aside(stream: str, place: int) -> dict[str, Any]:
    """What AWS sends to the on-failure queue for the record at `place`: where it is, not what it is."""
    streams = boto3.client("dynamodbstreams")
    (shard,) = streams.describe_stream(StreamArn=stream)["StreamDescription"]["Shards"]
    start = streams.get_shard_iterator(StreamArn=stream, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON")
    record = streams.get_records(ShardIterator=start["ShardIterator"])["Records"][place]
    number = record["dynamodb"]["SequenceNumber"]
    batch = {"shardId": shard["ShardId"], "startSequenceNumber": number, "endSequenceNumber": number,
             "batchSize": 1, "streamArn": stream}  # fmt: skip
    return {"DDBStreamBatchInfo": batch}
