"""Hands the records of the table's stream to a handler, in order, as an event source mapping does that retries, bisects
and puts aside what cannot be handled. Works on moto's stream and on DynamoDB Local's."""

import json
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from chalice.app import DynamoDBEventConfig

from infra.local.clock import rfc3339
from infra.local.functions import Functions, tell_failure
from infra.local.stack import REGION

TRIES = 5
FIRST_PAUSE_SECONDS = 0.1


class StreamReader:
    """Reads all shards of one stream, a parent before its children."""

    def __init__(
        self, config: DynamoDBEventConfig, functions: Functions, streams: Any, put_aside: Callable[[str], Any]
    ) -> None:
        self.name = config.name
        self._arn = config.stream_arn
        self._batch_size = config.batch_size
        self._functions = functions
        self._streams = streams
        self._put_aside = put_aside
        self._shards: dict[str, str | None] = {}  # shard -> parent
        self._handled: dict[str, str] = {}  # shard -> last sequence number that needs no more work
        self._finished: set[str] = set()  # closed shards, read to their end

    def poll(self) -> bool:
        """Hand over one batch from each shard that may be read now; tells whether there may be more at once."""
        return any([self._poll_shard(shard) for shard in self._open_shards()])

    def drained(self) -> bool:
        """True when every record has been handled or put aside."""
        return not any(self._read(shard, limit=1)["Records"] for shard in self._open_shards())

    def _open_shards(self) -> list[str]:
        if self._shards.keys() <= self._finished:  # at first, and when a shard was closed: it has children
            self._shards = {shard["ShardId"]: shard.get("ParentShardId") for shard in self._list_shards()}
        unread = self._shards.keys() - self._finished
        return [shard for shard, parent in self._shards.items() if shard in unread and parent not in unread]

    def _list_shards(self) -> list[Any]:
        shards: list[Any] = []
        after: dict[str, str] = {}
        while True:
            page = self._streams.describe_stream(StreamArn=self._arn, **after)["StreamDescription"]
            shards += page["Shards"]
            if not page.get("LastEvaluatedShardId"):
                return shards
            after = {"ExclusiveStartShardId": page["LastEvaluatedShardId"]}

    def _poll_shard(self, shard: str) -> bool:
        answer = self._read(shard, self._batch_size)
        if answer["Records"]:
            self._deliver(shard, answer["Records"])
        if not answer.get("NextShardIterator"):
            self._finished.add(shard)
            return True  # its children may be read now
        return len(answer["Records"]) == self._batch_size

    def _read(self, shard: str, limit: int) -> Any:
        # A fresh iterator each time: one that moto gave before a rolled-back transaction is stuck.
        position = {"ShardIteratorType": "TRIM_HORIZON"}
        if shard in self._handled:
            position = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": self._handled[shard]}
        iterator = self._streams.get_shard_iterator(StreamArn=self._arn, ShardId=shard, **position)["ShardIterator"]
        return self._streams.get_records(ShardIterator=iterator, Limit=limit)

    def _deliver(self, shard: str, records: list[Any]) -> None:
        if not self._try(records, TRIES):
            self._bisect(shard, records)
        self._handled[shard] = records[-1]["dynamodb"]["SequenceNumber"]

    def _bisect(self, shard: str, records: list[Any]) -> None:
        if len(records) == 1:
            self._put_aside(self._report_of(shard, records[0]))
            return
        middle = len(records) // 2
        for half in (records[:middle], records[middle:]):
            if not self._try(half, TRIES if len(half) == 1 else 1):
                self._bisect(shard, half)
            self._handled[shard] = half[-1]["dynamodb"]["SequenceNumber"]

    def _try(self, records: list[Any], tries: int) -> bool:
        event = {"Records": [self._record(record) for record in records]}
        for attempt in range(tries):
            try:
                self._functions.invoke(self.name, event)
                return True
            except Exception as error:
                tell_failure(self.name, error)
                if attempt < tries - 1:
                    time.sleep(FIRST_PAUSE_SECONDS * 2**attempt)
        return False

    def _record(self, record: Any) -> dict[str, Any]:
        created = record["dynamodb"]["ApproximateCreationDateTime"]
        return {
            "eventID": record["eventID"],
            "eventName": record["eventName"],
            "eventVersion": record["eventVersion"],
            "eventSource": "aws:dynamodb",
            "awsRegion": REGION,
            "dynamodb": record["dynamodb"] | {"ApproximateCreationDateTime": created.timestamp()},
            "eventSourceARN": self._arn,
        }

    def _report_of(self, shard: str, record: Any) -> str:
        sequence = record["dynamodb"]["SequenceNumber"]
        arrived = rfc3339(record["dynamodb"]["ApproximateCreationDateTime"])
        batch = {
            "shardId": shard,
            "startSequenceNumber": sequence,
            "endSequenceNumber": sequence,
            "approximateArrivalOfFirstRecord": arrived,
            "approximateArrivalOfLastRecord": arrived,
            "batchSize": 1,
            "streamArn": self._arn,
        }
        request = {"requestId": str(uuid.uuid4()), "functionArn": self.name, "condition": "RetryAttemptsExhausted"}
        message = {
            "requestContext": request | {"approximateInvokeCount": TRIES},
            "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
            "version": "1.0",
            "timestamp": rfc3339(datetime.now(UTC)),
            "DDBStreamBatchInfo": batch,
        }
        return json.dumps(message)
