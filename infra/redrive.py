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
    try:
        sqs = boto3.client("sqs")
        moved = redrive(sqs, _url(sqs, f"{queue}-dead"), _again(sqs, queue))
    except (BotoCoreError, ClientError) as error:
        raise SystemExit(f"Cannot bring back what is in {_name(queue)}-dead: {error}") from None
    return f"{moved} message{'' if moved == 1 else 's'} of {_name(queue)}-dead brought back"


def _again(sqs: Any, queue: str) -> Callable[[str], None]:
    if queue == "stream":
        triage, letters = (Queue(sqs, _url(sqs, name)) for name in ("triage", "letters"))
        return lambda body: forward(_images(json.loads(body)["DDBStreamBatchInfo"]), triage, letters)
    url = _url(sqs, queue)
    return lambda body: sqs.send_message(QueueUrl=url, MessageBody=body)


def _images(batch: Any) -> list[Any]:
    """The images of the records that were set aside: the message says where they are. A stream keeps them a day."""
    streams = boto3.client("dynamodbstreams")
    start = {"ShardIteratorType": "AT_SEQUENCE_NUMBER", "SequenceNumber": batch["startSequenceNumber"]}
    iterator = streams.get_shard_iterator(StreamArn=batch["streamArn"], ShardId=batch["shardId"], **start)
    answer = streams.get_records(ShardIterator=iterator["ShardIterator"], Limit=batch["batchSize"])
    return [record["dynamodb"].get("NewImage") for record in answer["Records"]]


def _name(queue: str) -> str:
    return f"crime-reports-{os.environ.get('STAGE', 'local')}-{queue}"


def _url(sqs: Any, queue: str) -> str:
    return str(sqs.get_queue_url(QueueName=_name(queue))["QueueUrl"])


if __name__ == "__main__":
    print(main(sys.argv[1:]))
