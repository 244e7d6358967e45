"""`make redrive QUEUE=triage`: brings back what ended in a dead-letter queue, once its cause is mended."""

import os
import sys
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

QUEUES = ("triage", "letters")


def redrive(sqs: Any, dead_url: str, url: str) -> int:
    """Move every message back to its queue; tells how many. A crash on the way repeats one, and loses none."""
    moved = 0
    while messages := sqs.receive_message(QueueUrl=dead_url, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages"):
        for message in messages:
            sqs.send_message(QueueUrl=url, MessageBody=message["Body"])
            sqs.delete_message(QueueUrl=dead_url, ReceiptHandle=message["ReceiptHandle"])
            moved += 1
    return moved


def main(arguments: list[str]) -> str:
    """Do what the command line asks, and say what was done; SystemExit with one line when it cannot be done."""
    if len(arguments) != 1 or arguments[0] not in QUEUES:
        raise SystemExit(f"Say which queue: {' or '.join(QUEUES)} (make redrive QUEUE=triage)")
    name = f"crime-reports-{os.environ.get('STAGE', 'local')}-{arguments[0]}"
    try:
        sqs = boto3.client("sqs")
        moved = redrive(sqs, _url(sqs, f"{name}-dead"), _url(sqs, name))
    except (BotoCoreError, ClientError) as error:
        raise SystemExit(f"Cannot reach the queue {name}: {error}") from None
    return f"{moved} message{'' if moved == 1 else 's'} moved from {name}-dead to {name}"


def _url(sqs: Any, name: str) -> str:
    return str(sqs.get_queue_url(QueueName=name)["QueueUrl"])


if __name__ == "__main__":
    print(main(sys.argv[1:]))
