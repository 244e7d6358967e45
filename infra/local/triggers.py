"""What wakes the app besides HTTP: each of its event sources, polled or timed here as AWS does it."""

import re
import threading
import time
import uuid
from collections.abc import Callable, Container
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Protocol

import boto3
from chalice.app import Chalice, DynamoDBEventConfig, ScheduledEventConfig, SQSEventConfig

from infra.local.clock import rfc3339
from infra.local.functions import Functions, tell_failure
from infra.local.stack import REGION
from infra.local.stream import StreamReader

_ACCOUNT = "123456789012"
_MOST_MESSAGES = 10  # that SQS gives or deletes at once
_SHORTEST_SLEEP, _LONGEST_SLEEP = 0.03, 0.5  # seconds from one look to the next
_UNITS = {"minute": 60, "hour": 3600, "day": 86400}


class Source(Protocol):
    """Something that may hold work for a handler."""

    name: str

    def poll(self) -> bool:
        """Hand over what is there; tells whether there may be more at once."""
        ...

    def drained(self) -> bool:
        """True when nothing is there and nothing is being handled."""
        ...


class QueueReader:
    """Hands the messages of one queue to a handler. One is deleted once the handler returns; else it comes again."""

    def __init__(self, config: SQSEventConfig, functions: Functions, sqs: Any) -> None:
        self.name = config.name
        self._functions = functions
        self._batch_size = config.batch_size
        self._several = ThreadPoolExecutor(config.maximum_concurrency or 1, config.name)
        self._sqs = sqs
        self._url = sqs.get_queue_url(QueueName=config.queue)["QueueUrl"]
        self._arn = f"arn:aws:sqs:{REGION}:{_ACCOUNT}:{config.queue}"

    def poll(self) -> bool:
        """Receive, handle, delete."""
        # No long poll: moto would hold up everybody else for as long as it waits.
        answer = self._sqs.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=_MOST_MESSAGES,
            AttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        messages = answer.get("Messages", [])
        batches = [messages[start : start + self._batch_size] for start in range(0, len(messages), self._batch_size)]
        handled = self._several.map(self._handle, batches)
        self._delete([message for batch, done in zip(batches, handled, strict=True) if done for message in batch])
        return len(messages) == _MOST_MESSAGES

    def drained(self) -> bool:
        """Nothing visible, delayed or in flight."""
        return not any(depths(self._sqs, self._url))

    def _handle(self, messages: list[Any]) -> bool:
        try:
            self._functions.invoke(self.name, {"Records": [self._record(message) for message in messages]})
        except Exception as error:
            tell_failure(self.name, error)
            return False
        return True

    def _delete(self, messages: list[Any]) -> None:
        """In one request. Cut off before it, they come again, as they may at any time."""
        entries = [{"Id": str(place), "ReceiptHandle": one["ReceiptHandle"]} for place, one in enumerate(messages)]
        if entries:
            self._sqs.delete_message_batch(QueueUrl=self._url, Entries=entries)

    def _record(self, message: Any) -> dict[str, Any]:
        return {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": message.get("Attributes", {}),
            "messageAttributes": _attributes(message.get("MessageAttributes", {})),
            "md5OfBody": message["MD5OfBody"],
            "eventSource": "aws:sqs",
            "eventSourceARN": self._arn,
            "awsRegion": REGION,
        }


class Schedule:
    """Runs a handler whenever it is due by the service's clock; a long advance makes one run, not many."""

    def __init__(self, config: ScheduledEventConfig, functions: Functions, now: Callable[[], datetime]) -> None:
        self.name = config.name
        self._functions = functions
        self._now = now
        self._after = _schedule(config)
        self._due = self._after(now())
        self._lock = threading.Lock()

    def poll(self) -> bool:
        """Run if due. Whoever asks while it runs waits for the end of that run."""
        with self._lock:
            due = self._now() >= self._due
            if due:
                self._due = self._after(self._now())
                self._run()
        return False  # the next run is some time away: never poll again at once

    def drained(self) -> bool:
        """A schedule holds no work."""
        return True

    def _run(self) -> None:
        event = {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": "Scheduled Event",
            "source": "aws.events",
            "account": _ACCOUNT,
            "time": rfc3339(self._now()),
            "region": REGION,
            "resources": [f"arn:aws:events:{REGION}:{_ACCOUNT}:rule/{self.name}"],
            "detail": {},
        }
        try:
            self._functions.invoke(self.name, event)
        except Exception as error:
            tell_failure(self.name, error)


class Triggers:
    """All event sources of an app, each polled by a thread of its own."""

    def __init__(
        self,
        app: Chalice,
        functions: Functions,
        now: Callable[[], datetime],
        dead_url: str,
        *others: Source,
        without: Container[str] = (),
    ) -> None:
        """`others` are no sources of the app, and work beside them. Those named in `without` are left out."""
        self._functions = functions
        self._stopping = threading.Event()
        self._readers: list[threading.Event] = []
        wanted = [config for config in app.event_sources if config.name not in without]
        self._of_app = [_source(config, functions, now, dead_url) for config in wanted]
        self.sources = [*self._of_app, *others]

    def start(self) -> None:
        """Begin to poll."""
        for source in self.sources:
            threading.Thread(target=self._run, args=(source,), name=source.name, daemon=True).start()

    def stop(self) -> None:
        """Take no more work; what is being handled is left to its thread."""
        self._stopping.set()
        self._functions.wake()

    def table_written(self) -> None:
        """Say that a request may have changed the table: the stream has it now, and nobody else."""
        for awake in self._readers:
            awake.set()

    def run_due_schedules(self) -> None:
        """Run what fell due on the service's clock, and return when it has run."""
        for source in self.sources:
            if isinstance(source, Schedule):
                source.poll()

    def drained(self) -> bool:
        """True when no work is left anywhere. A record or message on its way from one place to the next would escape
        any order of looking, so nothing may have been started while we looked."""
        before = self._functions.activity()
        quiet = not before.running and all(source.drained() for source in self.sources)
        return quiet and self._functions.activity() == before

    def _run(self, source: Source) -> None:
        awake = threading.Event()
        if source in self._of_app:
            self._functions.on_wake(awake.set)
        if isinstance(source, StreamReader):
            self._readers.append(awake)
        while not self._stopping.is_set():
            awake.clear()  # before looking: what arrives while we look wakes us again
            looked = time.monotonic()
            if not self._poll(source) and awake.wait(_LONGEST_SLEEP):
                # A busy service wakes us all the time: take more at once instead.
                time.sleep(max(0, looked + _SHORTEST_SLEEP - time.monotonic()))

    def _poll(self, source: Source) -> bool:
        try:
            return source.poll()
        except Exception as error:
            if not self._stopping.is_set():
                tell_failure(source.name, error)
            return False


def depths(sqs: Any, url: str) -> tuple[int, int, int]:
    """How many messages a queue holds: visible, in flight, delayed."""
    names = [
        "ApproximateNumberOfMessages",
        "ApproximateNumberOfMessagesNotVisible",
        "ApproximateNumberOfMessagesDelayed",
    ]
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    visible, in_flight, delayed = (int(found[name]) for name in names)
    return visible, in_flight, delayed


def _source(config: Any, functions: Functions, now: Callable[[], datetime], dead_url: str) -> Source:
    sqs = boto3.client("sqs")
    if isinstance(config, DynamoDBEventConfig):
        put_aside = partial(_send, sqs, dead_url)
        return StreamReader(config, functions, boto3.client("dynamodbstreams"), put_aside)
    if isinstance(config, SQSEventConfig):
        return QueueReader(config, functions, sqs)
    if isinstance(config, ScheduledEventConfig):
        return Schedule(config, functions, now)
    raise NotImplementedError(f"the local runner has no {type(config).__name__}")


def _send(sqs: Any, url: str, body: str) -> None:
    sqs.send_message(QueueUrl=url, MessageBody=body)


def _attributes(sent: dict[str, Any]) -> dict[str, Any]:
    return {
        name: {"stringValue": value.get("StringValue"), "stringListValues": [], "dataType": value["DataType"]}
        for name, value in sent.items()
    }


def _schedule(config: ScheduledEventConfig) -> Callable[[datetime], datetime]:
    """When a schedule is due next after some moment: at a rate, or once a day by a clock that shows UTC."""
    expression = config.schedule_expression
    text = expression if isinstance(expression, str) else expression.to_string()
    if rate := re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", text):
        period = timedelta(seconds=int(rate[1]) * _UNITS[rate[2]])
        return lambda moment: moment + period
    if daily := re.fullmatch(r"cron\((\d+) (\d+) \* \* \? \*\)", text):
        return partial(_next_at, int(daily[2]), int(daily[1]))
    raise NotImplementedError(f"the local runner does not know the schedule {text}")


def _next_at(hour: int, minute: int, moment: datetime) -> datetime:
    today = moment.astimezone(UTC).replace(hour=hour, minute=minute, second=0, microsecond=0)
    return today if today > moment else today + timedelta(days=1)
