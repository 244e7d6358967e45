"""`make redrive QUEUE=triage`: brings back what ended in a dead-letter queue, once its cause is mended."""

import json
import os
import sys
from collections.abc import Callable
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.handlers.background import forward
from chalicelib.queues import Queue
from infra.deployment import heed_aws_region

QUEUES = ("triage", "letters", "stream")


def redrive(sqs: Any, dead_url: str, again: Callable[[str], None]) -> int:
    """Hand each message to `again`, then delete it; tells how many. A crash on the way repeats one, and loses none."""
    moved = 0
    while messages := sqs.receive_message(QueueUrl=dead_url, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages"):
        for message in messages:
            again(message["Body"])
            sqs.delete_message(QueueUrl=dead_url, ReceiptHandle=message["ReceiptHandle"])
            moved += 1
    return moved


def main(arguments: list[str]) -> str:
    """Do what the command line asks, and say what was done; SystemExit with one line when it cannot be done."""
    if len(arguments) != 1 or arguments[0] not in QUEUES:
        raise SystemExit(f"Say which queue: {', '.join(QUEUES)} (make redrive QUEUE=triage)")
    (queue,) = arguments
    heed_aws_region()
    try:
        sqs = boto3.client("sqs")
        moved = redrive(sqs, _url(sqs, f"{queue}-dead"), _again(sqs, queue))
    except (BotoCoreError, ClientError) as error:
        raise SystemExit(_plain(queue, error)) from None
    return f"{moved} message{'' if moved == 1 else 's'} of {_name(queue)}-dead brought back"


def _plain(queue: str, error: Exception) -> str:
    if "NonExistentQueue" in str(error) or "QueueDoesNotExist" in str(error):
        return (f"There is no queue {_name(queue)}-dead in this account and region. Say which stage: "
                f"make redrive STAGE=prod QUEUE={queue}")  # fmt: skip
    return f"Cannot bring back what is in {_name(queue)}-dead: {error}"


def _again(sqs: Any, queue: str) -> Callable[[str], None]:
    if queue == "stream":
        triage, letters = (Queue(sqs, _url(sqs, name)) for name in ("triage", "letters"))
        return lambda body: forward(_images(json.loads(body)["DDBStreamBatchInfo"]), triage, letters)
    url = _url(sqs, queue)
    return lambda body: sqs.send_message(QueueUrl=url, MessageBody=body)


def _images(batch: Any) -> list[Any]:
    """The images of the records that were set aside: the message says from where to where. A stream keeps them a day.

    Between them are records that the mapping's filter left out. An answer may have few records or none, and go on.
    """
    streams, last, images = boto3.client("dynamodbstreams"), int(batch["endSequenceNumber"]), []
    start = {"ShardIteratorType": "AT_SEQUENCE_NUMBER", "SequenceNumber": batch["startSequenceNumber"]}
    iterator = streams.get_shard_iterator(StreamArn=batch["streamArn"], ShardId=batch["shardId"], **start)
    while iterator.get("ShardIterator"):
        answer = streams.get_records(ShardIterator=iterator["ShardIterator"])
        for record in answer["Records"]:
            images += [record["dynamodb"].get("NewImage")] if int(record["dynamodb"]["SequenceNumber"]) <= last else []
            if int(record["dynamodb"]["SequenceNumber"]) >= last:
                return images
        iterator = {"ShardIterator": answer.get("NextShardIterator")}
    raise SystemExit("The stream ends before the records that were set aside do. The message stays where it is.")


def _name(queue: str) -> str:
    return f"crime-reports-{os.environ.get('STAGE', 'local')}-{queue}"


def _url(sqs: Any, queue: str) -> str:
    return str(sqs.get_queue_url(QueueName=_name(queue))["QueueUrl"])


if __name__ == "__main__":
    print(main(sys.argv[1:]))
