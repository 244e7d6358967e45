"""moto's queues as the one-machine runner has them: the same as moto's, without looking at all for each."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.sqs import models

from infra.local import quick_queues

WAITING = 60
CHANGED = [
    (models, "unix_time"),
    (models, "unix_time_millis"),
    (models.Message, "instances_tracked"),
    (models.Queue, "delete_message"),
    (models.SQSBackend, "is_message_valid_based_on_retention_period"),
]


@pytest.fixture
def sqs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for what, name in CHANGED:
        monkeypatch.setattr(what, name, getattr(what, name))  # so that they are put back
    quick_queues.install()
    with mock_aws():
        yield boto3.client("sqs", "eu-west-2")


def receive(sqs: Any, url: str) -> list[str]:
    answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["All"])
    return [message["Body"] for message in answer.get("Messages", [])]


def test_ten_messages_are_handed_over_without_counting_the_queue_for_each(
    sqs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = sqs.create_queue(QueueName="long")["QueueUrl"]
    for number in range(WAITING):
        sqs.send_message(QueueUrl=url, MessageBody=f"{number}")
    looked, visible = list[object](), models.Message.visible.fget  # type: ignore[attr-defined]
    monkeypatch.setattr(models.Message, "visible", property(lambda message: looked.append(message) or visible(message)))
    assert receive(sqs, url) == [f"{number}" for number in range(10)]
    assert WAITING <= len(looked) <= 3 * WAITING
    assert receive(sqs, url)[0] == "10", "what was handed over stays hidden"


def test_a_message_is_kept_as_long_as_its_queue_says_and_comes_again_in_time(sqs: Any) -> None:
    settings = {"MessageRetentionPeriod": "60", "VisibilityTimeout": "2"}
    url = sqs.create_queue(QueueName="short", Attributes=settings)["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="kept")
    (message,) = models.sqs_backends["123456789012"]["eu-west-2"].queues["short"]._messages
    assert receive(sqs, url) == ["kept"] and receive(sqs, url) == []
    message.visible_at -= 2_000
    assert receive(sqs, url) == ["kept"]
    message.visible_at -= 2_000
    message.sent_timestamp -= 61_000  # type: ignore[operator]
    assert receive(sqs, url) == []


def test_messages_that_were_deleted_are_forgotten(sqs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quick_queues, "MOST_REMEMBERED", 5)
    url = sqs.create_queue(QueueName="busy")["QueueUrl"]
    for _ in range(20):
        sqs.send_message(QueueUrl=url, MessageBody="x")
        (message,) = sqs.receive_message(QueueUrl=url)["Messages"]
        for _ in range(2):  # again does no harm
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    queue = models.sqs_backends["123456789012"]["eu-west-2"].queues["busy"]
    assert len(queue.deleted_messages) <= 6 and not queue._messages
    assert not models.Message.instances_tracked  # type: ignore[attr-defined]
