"""How the runner wakes the app: stream records in order, tried again, bisected, put aside; schedules by the clock."""

import json
import threading
import time
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from chalice.app import Chalice, DynamoDBEvent

from infra.local import stream
from infra.local.clock import DevClock
from infra.local.functions import Functions
from infra.local.stream import StreamReader
from infra.local.triggers import Schedule

START = datetime(2019, 3, 1, tzinfo=UTC)


class FakeStream:
    """DynamoDB Streams with shards that are given; those in `closed` have an end."""

    def __init__(self, shards: dict[str, list[str]], parents: dict[str, str], closed: set[str]) -> None:
        numbers = count(1)
        self._parents, self._closed = parents, closed
        self.shards = {shard: [record(key, next(numbers)) for key in keys] for shard, keys in shards.items()}

    def describe_stream(self, StreamArn: str, ExclusiveStartShardId: str | None = None) -> Any:
        # One shard a page: the reader has to ask on.
        names = list(self.shards)
        at = names.index(ExclusiveStartShardId) + 1 if ExclusiveStartShardId else 0
        parent = {"ParentShardId": self._parents[names[at]]} if names[at] in self._parents else {}
        more = {"LastEvaluatedShardId": names[at]} if at + 1 < len(names) else {}
        return {"StreamDescription": {"Shards": [{"ShardId": names[at], **parent}], **more}}

    def get_shard_iterator(
        self, StreamArn: str, ShardId: str, ShardIteratorType: str, SequenceNumber: str = "0"
    ) -> dict[str, str]:
        assert ShardIteratorType == ("AFTER_SEQUENCE_NUMBER" if SequenceNumber != "0" else "TRIM_HORIZON")
        return {"ShardIterator": f"{ShardId}|{SequenceNumber}"}

    def get_records(self, ShardIterator: str, Limit: int) -> Any:
        shard, _, after = ShardIterator.partition("|")
        left = [one for one in self.shards[shard] if int(one["dynamodb"]["SequenceNumber"]) > int(after)]
        ended = shard in self._closed and len(left) <= Limit
        return {"Records": left[:Limit]} | ({} if ended else {"NextShardIterator": "more"})


def record(key: str, number: int) -> dict[str, Any]:
    """A stream record as botocore gives it."""
    return {
        "eventID": str(number),
        "eventName": "INSERT",
        "eventVersion": "1.1",
        "dynamodb": {
            "ApproximateCreationDateTime": START,
            "SequenceNumber": str(number),
            "StreamViewType": "NEW_IMAGE",
            "SizeBytes": 1,
            "Keys": {"pk": {"S": key}},
            "NewImage": {"pk": {"S": key}, "answers": {"B": b"\x00\xff"}},
        },
    }


class World:
    """An app that remembers the keys it was given, and cannot bear those that start with `poison`."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.aside: list[Any] = []
        self.outage = 0
        self.runs = 0
        self.nights: list[str] = []
        self.app = Chalice(app_name="test")
        self.app.on_dynamodb_record(stream_arn="arn:aws:dynamodb:x", name="changes", batch_size=100)(self._changes)
        self.app.schedule("rate(1 minute)", name="tick")(self._tick)
        self.app.schedule("cron(30 2 * * ? *)", name="night")(self._night)
        self.functions = Functions(self.app, nullcontext)

    def reader(self, shards: dict[str, list[str]], parents: dict[str, str] | None = None) -> StreamReader:
        """A reader of a fake stream; parents are closed shards."""
        parents = parents or {}
        fake = FakeStream(shards, parents, set(parents.values()))
        config: Any = next(config for config in self.app.event_sources if config.name == "changes")
        return StreamReader(config, self.functions, fake, lambda message: self.aside.append(json.loads(message)))

    def schedule(self, clock: DevClock, name: str = "tick") -> Schedule:
        config: Any = next(config for config in self.app.event_sources if config.name == name)
        return Schedule(config, self.functions, clock.now)

    def _changes(self, event: DynamoDBEvent) -> None:
        keys = [record.new_image["pk"]["S"] for record in event]
        assert all(record.new_image["answers"] == {"B": "AP8="} for record in event)  # base64, as Lambda gets it
        if self.outage:
            self.outage -= 1
            raise ConnectionError
        if any(key.startswith("poison") for key in keys):
            raise ValueError(keys)
        self.seen += keys

    def _night(self, event: Any) -> None:
        self.nights.append(event.to_dict()["time"])

    def _tick(self, event: Any) -> None:
        self.runs += 1
        if self.runs == 2:
            raise ValueError


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(stream, "FIRST_PAUSE_SECONDS", 0.001)
    return World()


def drain(reader: StreamReader) -> None:
    """Poll until nothing is left."""
    for _ in range(20):
        if not reader.poll():
            break
    assert reader.drained()


def test_records_are_handed_over_once_and_in_order(world: World) -> None:
    keys = [str(number) for number in range(250)]
    reader = world.reader({"one": keys})
    assert not reader.drained()
    drain(reader)
    assert world.seen == keys


def test_children_of_a_shard_wait_for_their_parent(world: World) -> None:
    shards = {"child": ["3", "4"], "parent": ["1", "2"]}
    drain(world.reader(shards, parents={"child": "parent"}))
    assert world.seen == ["1", "2", "3", "4"]


def test_passing_failure_loses_and_repeats_nothing(world: World) -> None:
    world.outage = 4
    drain(world.reader({"one": ["1", "2", "3"]}))
    assert (world.seen, world.aside) == (["1", "2", "3"], [])


def test_poison_record_is_put_aside_alone_and_named_by_its_number_only(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    keys = ["1", "2", "poison of Ann", "4", "5", "6"]
    drain(world.reader({"one": keys}))
    assert world.seen == ["1", "2", "4", "5", "6"]
    [message] = world.aside
    assert message["DDBStreamBatchInfo"]["startSequenceNumber"] == "3"
    assert message["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert "Ann" not in json.dumps(message)
    said = capsys.readouterr().err
    assert "changes failed: ValueError" in said
    assert "Ann" not in said


def test_schedule_runs_once_after_a_long_advance_and_survives_a_failure(world: World) -> None:
    clock = DevClock(START)
    schedule = world.schedule(clock)
    schedule.poll()
    assert world.runs == 0
    clock.advance(timedelta(days=1).total_seconds())
    for expected in (1, 1):
        schedule.poll()
        assert world.runs == expected
    for expected in (2, 3):  # the second run raises
        clock.advance(60)
        schedule.poll()
        assert world.runs == expected


def test_a_schedule_by_the_clock_runs_once_a_night_and_once_after_many(world: World) -> None:
    clock = DevClock(START)
    schedule = world.schedule(clock, "night")
    for advance, expected in ((0, 0), (9_000 - 60, 0), (120, 1), (60, 1), (86_400, 2), (10 * 86_400, 3), (3_600, 3)):
        clock.advance(advance)
        schedule.poll()
        assert len(world.nights) == expected
    assert world.nights[0] == "2019-03-01T02:31:00Z"


def test_the_clock_jumps_between_two_pieces_of_work_and_never_within_one() -> None:
    clock, began, go_on, read = DevClock(START), threading.Event(), threading.Event(), []

    def work() -> None:
        with clock.without_jumps():
            read.append(clock.now())
            began.set()
            assert go_on.wait(10)
            read.append(clock.now())

    first = threading.Thread(target=work)
    first.start()
    assert began.wait(10)
    jump = threading.Thread(target=clock.advance, args=(3_600,))
    jump.start()
    while not clock._jumping:
        time.sleep(0.01)
    late = threading.Thread(target=work)  # it comes while somebody wants to advance the clock: it waits for that
    late.start()
    assert len(read) == 1
    go_on.set()
    for thread in (first, jump, late):
        thread.join(10)

    before, end_of_first, after, _ = read
    assert end_of_first - before < timedelta(minutes=1)
    assert after - end_of_first > timedelta(minutes=59)


def test_work_that_fails_does_not_stop_the_clock_for_ever() -> None:
    clock = DevClock(START)
    with pytest.raises(ValueError, match="work"), clock.without_jumps():
        raise ValueError("work")
    assert clock.advance(60) > START


def test_clock_never_goes_back() -> None:
    clock = DevClock(START)
    before = clock.now()
    assert before >= START
    with pytest.raises(ValueError, match="never goes back"):
        clock.advance(-1)
    assert clock.now() >= before
