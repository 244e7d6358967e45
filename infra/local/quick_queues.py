"""Makes moto's SQS quick enough for a burst of reports, and keeps it small. For each message that it hands over, moto
counts the whole queue three times and makes three dates for each message it looks at; and it keeps all messages."""

import time
from collections import deque

from moto.sqs import models
from moto.sqs.models import Message, Queue, SQSBackend

MOST_REMEMBERED = 1_000  # handles of messages that were deleted: who deletes one again is not refused
_moto_delete = Queue.delete_message


def install() -> None:
    """From now on no queue of this process does. At 60 reports a second, 24 ms of processor for each became 5, and the
    4 kB that each left behind are gone.
    """
    models.unix_time = time.time  # type: ignore[assignment, attr-defined]
    models.unix_time_millis = lambda: time.time() * 1000  # type: ignore[assignment, attr-defined, misc]
    Message.instances_tracked = deque(maxlen=0)  # type: ignore[attr-defined]
    Queue.delete_message = _delete  # type: ignore[assignment, method-assign]
    SQSBackend.is_message_valid_based_on_retention_period = _is_kept  # type: ignore[assignment, method-assign]


def _is_kept(backend: SQSBackend, queue_name: str, message: Message) -> bool:
    kept_for: float = vars(backend.get_queue(queue_name))["message_retention_period"]
    return kept_for + (message.sent_timestamp or 0) / 1000 > time.time()


def _delete(queue: Queue, receipt_handle: str) -> None:
    if len(queue.deleted_messages) > MOST_REMEMBERED and receipt_handle not in queue.deleted_messages:
        queue.deleted_messages.clear()
    _moto_delete(queue, receipt_handle)
