"""What an erasure leaves: nothing of what anybody said, anywhere, however often the housekeeping was cut off."""

import zlib
from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import boto3
import pytest
from moto import mock_aws
from test_evidence_files import BEGINNINGS, BUCKET

from chalicelib import report as life
from chalicelib import wiring
from chalicelib.drafts import LAST_REQUEST, Drafts
from chalicelib.erasing import Erasing
from chalicelib.errors import NotFound
from chalicelib.evidence_files import EvidenceFiles
from chalicelib.handlers import background
from chalicelib.ledger import BEGINNING
from chalicelib.letters import return_link
from chalicelib.report_items import key
from chalicelib.senders import Outbox
from chalicelib.table import marshal
from chalicelib.times import stamp
from chalicelib.verification import examine
from tests.fakes import ANN, BOB, SUE, Clock, Died, FakeTable, Parts, answers

MARK, PHONE, EMAIL, SERIAL, POSTCODE = "zyzzyva", "07700 900987", "zyzzyva@example.com", "ZYZ-4711-0815", "B13 8AA"
TELL_TALES = (MARK, PHONE.replace(" ", ""), "900987", "47110815", "B138AA", POSTCODE)
DRAFT = "d" * 32
SAID: dict[str, Any] = {
    "contact": {"full_name": f"{MARK} Example", "email": EMAIL, "phone": PHONE, "safe_times": MARK},
    "where": {"address": f"12 {MARK} Lane", "postcode": POSTCODE},
    "what_happened": f"The {MARK} is gone",
    "suspects": {"known": "yes", "who": MARK},
    "items": [{"type": MARK, "serial": SERIAL}],
}


class Deadly(FakeTable):
    """Dies at one of its writes: before it is made, or after."""

    writes, at, after = 0, 0, False

    def _write(self, verb: Callable[..., Any], *given: Any, **named: Any) -> Any:
        self.writes += 1
        dies = self.writes == self.at
        if dies and not self.after:
            raise Died
        done = verb(*given, **named)
        if dies:
            raise Died
        return done

    def put_new(self, *given: Any, **named: Any) -> Any:
        return self._write(super().put_new, *given, **named)

    def update(self, *given: Any, **named: Any) -> Any:
        return self._write(super().update, *given, **named)

    def remove(self, *given: Any, **named: Any) -> Any:
        return self._write(super().remove, *given, **named)


class Story:
    """A service over one table, and all that one person, and officers about them, have left in it."""

    def __init__(self, bucket: Any = None) -> None:
        self.table, self.objects = Deadly(), dict[str, bytes]()
        self.parts = Parts(self.table)
        self.letters = Outbox(self.table)  # type: ignore[arg-type]
        self.parts.casework._sender = self.letters
        ids = iter(f"{number:032x}" for number in range(100))
        self.files = EvidenceFiles(lambda: bucket, BUCKET, self.table, self.parts.clock, lambda: next(ids))  # type: ignore[arg-type]
        erase_files = self.files.remove_all if bucket else self.forget_objects
        self.drafts = Drafts(self.table, self.parts.casework, erase_files, self.parts.clock)  # type: ignore[arg-type]
        self.erasing = Erasing(self.parts.store, self.parts.finder, self.drafts, self.letters, erase_files,
                               lambda _: None, self.parts.clock)  # fmt: skip
        self.reference = self.reported()

    def forget_objects(self, folder: str) -> None:
        """In place of a bucket; the rows are the table's."""
        self.objects = {name: body for name, body in self.objects.items() if not name.startswith(f"{folder}/")}
        for pk, sk in [name for name in self.table.items if name[0] == f"EVIDENCE#{folder}"]:
            self.table.remove(pk, sk, condition="attribute_exists(pk)", given={})

    def reported(self) -> str:
        """From a draft, of which a link was sent, and which was never closed: whoever sent it died."""
        parts = self.parts
        draft = self.drafts.begin(DRAFT, "theft", answers(**SAID), "before")
        self.drafts.change(DRAFT, lambda now: now.asking_for_a_link({"email": EMAIL, "address": "https://example.com"}))
        self.letters.send(return_link(EMAIL, f"https://example.com/{MARK}", parts.clock.now, "Midshire", "theft",
                                      f"{DRAFT}-1"), parts.clock.now)  # fmt: skip
        reference = parts.casework.submit(answers(**SAID), draft.token, DRAFT).reference
        parts.casework.triage(reference)
        self.objects = {f"{DRAFT}/1": MARK.encode(), f"{reference}/1": b"somebody else's folder"}
        self.worked_on(reference)
        return reference

    def worked_on(self, reference: str) -> None:
        desk, parts = self.parts.desk, self.parts
        verbs: list[Callable[[int], Any]] = [
            lambda version: desk.call_back(ANN, reference, version, "no_answer", f"{MARK} rang"),
            lambda version: desk.assess(ANN, reference, version, {"threat": MARK}, "urgent"),
            lambda version: desk.link(ANN, reference, version, ["2" * 12], f"One {MARK} street"),
            lambda version: parts.casework.add(reference, "an id", f"more {MARK}"),
            lambda version: parts.casework.choose_time(reference, f"after {MARK}"),
            lambda version: desk.crime(BOB, reference, version, "44", "filed", None, f"{MARK} filed"),
            lambda version: parts.casework.want_letters(reference, False),
            lambda version: desk.dispose(ANN, reference, version, "further_investigation", None, f"{MARK} again"),
            lambda version: desk.hold(SUE, reference, version, f"A court about {MARK}"),
            lambda version: desk.lift(SUE, reference, version, f"The court about {MARK} is done"),
            lambda version: desk.cancel(SUE, reference, version, "C2", f"{MARK} found it", {}),
        ]
        for verb in verbs:
            parts.clock.advance(minutes=1)
            verb(parts.now(reference).version)
            parts.casework.send_letter(reference, parts.now(reference).version)
        parts.casework.send_letter(reference, 1)
        desk.read(ANN, reference)

    def erase(self) -> None:
        self.parts.desk.erase(SUE, self.reference, self.parts.now(self.reference).version, "request", "Request 7")

    def finish(self) -> tuple[int, int]:
        return self.erasing.finish(lambda: 60.0)

    def traces(self) -> list[str]:
        """Whatever is left of what was said: in which item, under which attribute."""
        found = [f"{name} {attribute}" for name, item in self.table.items.items() for attribute, value in item.items()
                 if any(tale.casefold() in text for text in texts_in(value) for tale in TELL_TALES)]  # fmt: skip
        kept = [name for name, body in self.objects.items() if MARK.encode() in body]
        return (
            found + kept + [f"{pk} {sk}" for pk, sk in self.table.items if pk[:5] == "FIND#" and self.reference in sk]
        )


def texts_in(value: Any) -> Iterator[str]:
    """A value of the table as texts: whatever is packed is unpacked, too."""
    match value:
        case bytes():
            yield value.decode(errors="replace").casefold()
            if value[:1] == b"x":
                yield from texts_in(zlib.decompress(value).decode())
        case list():
            for one in value:
                yield from texts_in(one)
        case _:
            yield str(value).casefold()
            yield "".join(letter for letter in str(value).casefold() if letter.isalnum())


@pytest.fixture
def story() -> Story:
    return Story()


def test_the_story_has_words_in_every_place_there_is(story: Story) -> None:
    """Or the tests below would find nothing because there was nothing."""
    places = {trace.partition(" ")[0].strip("(',") + trace.rpartition(" ")[2] for trace in story.traces()}
    kinds = {"".join(letter for letter in place if letter.isalpha() or letter in "#_") for place in places}
    assert any(kind.startswith("REPORT#") and kind.endswith("answers") for kind in kinds)
    assert any(kind.startswith("REPORT#") and kind.endswith("words") for kind in kinds)
    assert {"DRAFT#dddddddddddddddddddddddddddddddd" + "said"} <= kinds
    assert {f"OUTBOX{name}" for name in ("to", "body", "html")} <= kinds
    assert any(place.startswith("FIND#") for place in places) and f"{DRAFT}/1" in story.traces()
    states = {letter["state"] for letter in story.parts.store.letters(story.reference)}
    assert states == {"sent", "withheld: the person asked for no letters"}


def test_nothing_that_was_said_is_left_anywhere_and_all_that_was_done_is(story: Story) -> None:
    parts, reference = story.parts, story.reference
    other = parts.submit("another", contact={"full_name": "Eve Example", "email": "eve@example.com"}).reference
    parts.casework.triage(other)
    parts.deliver_letters(other)
    others = {name: item for name, item in story.table.items.items() if other in str(name) + str(item)}
    before, figures = deepcopy(parts.now(reference)), parts.statistics("2026-11", "2026-11")
    looks = parts.store.accesses(reference=reference)
    story.erase()
    assert not [trace for trace in story.traces() if trace.startswith("('REPORT#")]  # at once
    assert story.finish() == (1, 0)
    assert story.traces() == []
    after = parts.now(reference)
    assert after.history[:-1] == before.history and life.verify(after) is None
    assert examine(marshal(parts.table.get(*key(reference)) or {})).fault is None
    proof = parts.reconciliation.prove(stamp(parts.clock.now))
    assert not proof.differences, proof.text
    assert [words.text for words in after.words] == ["Request 7"]
    states = [(letter["template"], letter["state"]) for letter in parts.store.letters(reference)]
    assert sorted(states) == [("acknowledgement", "withheld"), ("call_back_needed", "sent"), ("cancelled", "withheld"),
                              ("crimed", "sent"), ("disposed", "withheld")]  # fmt: skip
    assert parts.store.accesses(reference=reference) == looks
    assert parts.statistics("2026-11", "2026-11") == figures
    assert {name: story.table.items[name] for name in others} == others
    assert story.objects == {f"{reference}/1": b"somebody else's folder"}
    draft = story.drafts.find(DRAFT)
    assert draft and (draft.sent, draft.answers, draft.link_to) == (reference, {}, {})


def test_what_was_on_its_way_is_removed_when_it_arrives(story: Story) -> None:
    parts, reference, clock = story.parts, story.reference, story.parts.clock
    before, letters = parts.now(reference), deepcopy({name: item for name, item in story.table.items.items()
                                                      if name[0] == "OUTBOX"})  # fmt: skip
    story.erase()
    assert story.finish() == (1, 0) and story.traces() == []
    parts.finder.note(before)  # triage had read it before
    story.table.items |= letters  # a letter was being written
    story.objects[f"{DRAFT}/2"] = MARK.encode()  # a file was invited
    clock.advance(hours=1)
    assert story.traces() and story.finish() == (1, 0) and story.traces() == []
    item = story.table.items[key(reference)]
    assert item["worklist"] == "erasing" and item["look_ups"]
    clock.now = before.received_at + timedelta(days=1) + LAST_REQUEST
    assert story.finish() == (1, 0)
    item = story.table.items[key(reference)]
    assert not {"worklist", "urgency", "look_ups"} & set(item)
    assert story.finish() == (0, 0)
    assert examine(marshal(item)).fault is None


def test_a_message_that_comes_late_brings_nothing_back(story: Story) -> None:
    parts, reference = story.parts, story.reference
    story.erase()
    story.finish()
    before = parts.now(reference)
    assert parts.casework.submit(answers(**SAID), f"draft:{DRAFT}", DRAFT).reference == reference
    assert not parts.casework.triage(reference)
    for version in range(1, before.version + 1):
        parts.casework.send_letter(reference, version)
    with pytest.raises(NotFound):
        parts.casework.status_for(reference, EMAIL, PHONE)
    story.table.items = {name: item for name, item in story.table.items.items() if "LETTER#" not in name[1]}
    parts.casework.send_letter(reference, 1)  # one that nobody had come to
    assert [letter["state"] for letter in parts.store.letters(reference)] == ["withheld: it was erased"]
    assert parts.now(reference) == before and story.traces() == []


@pytest.mark.parametrize("after", [False, True])
def test_cut_off_at_any_write_the_next_run_leaves_nothing(after: bool) -> None:
    whole = Story()
    began = whole.table.writes
    whole.erase()
    whole.finish()
    steps = whole.table.writes - began
    assert steps > 12
    for step in range(1, steps + 1):
        story = Story()
        story.table.at, story.table.after = story.table.writes + step, after
        with pytest.raises(Died):
            story.erase()
            story.finish()
        if not story.parts.now(story.reference).erased_at:  # nothing of it was done: the officer sees so
            assert step == 1 and not after and len(story.traces()) == len(Story().traces())
            story.erase()
        assert story.finish() == (1, 0)
        assert story.traces() == [], step
        assert life.verify(story.parts.now(story.reference)) is None


def test_one_that_cannot_be_cleaned_holds_up_no_other(story: Story, caplog: pytest.LogCaptureFixture) -> None:
    parts = story.parts
    other = parts.submit("another").reference
    parts.crime(other)
    story.erase()
    parts.clock.advance(minutes=1)
    parts.desk.erase(SUE, other, parts.now(other).version, "request", "Request 8")
    forget = story.erasing._erase_files

    def broken(folder: str) -> None:
        if folder == DRAFT:
            raise OSError(MARK)
        forget(folder)

    story.erasing._erase_files = broken
    assert story.finish() == (1, 1)
    assert MARK not in caplog.text and not [pk for pk, _ in story.table.items if pk[:5] == "FIND#"]
    story.erasing._erase_files = forget
    assert story.finish() == (2, 0) and story.traces() == []


def test_while_files_cannot_be_removed_all_the_rest_is(story: Story) -> None:
    def down(folder: str) -> None:
        raise OSError("down")

    story.erase()
    forget, story.erasing._erase_files = story.erasing._erase_files, down
    assert story.finish() == (0, 1)
    assert story.traces() == [f"{DRAFT}/1"]
    assert not [one for one in story.parts.store.letters(story.reference) if ":" in one["state"]]
    story.erasing._erase_files = forget
    assert story.finish() == (1, 0) and story.traces() == []


def test_it_stops_in_time(story: Story) -> None:
    story.erase()
    assert story.erasing.finish(lambda: 9.0) == (0, 0)
    assert story.finish() == (1, 0)


def test_files_go_with_all_their_versions_and_rows() -> None:
    """Over S3: a file that was looked at, with a version over it, one that nobody has looked at, and one of another."""
    with patch.dict("os.environ", {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}), mock_aws():
        s3: Any = boto3.client("s3", region_name="eu-west-2")
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-2"})
        s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        story = Story(s3)
        for folder, id in ((DRAFT, "1"), (DRAFT, "1"), ("e" * 32, "3")):
            s3.put_object(Bucket=BUCKET, Key=f"{folder}/{id}", Body=BEGINNINGS["image/jpeg"] + MARK.encode())
        assert len(story.files.kept(DRAFT)) == 1
        s3.put_object(Bucket=BUCKET, Key=f"{DRAFT}/2", Body=BEGINNINGS["image/jpeg"] + MARK.encode())
        s3.delete_object(Bucket=BUCKET, Key=f"{DRAFT}/2")
        story.objects = {}
        story.erase()
        assert story.finish() == (1, 0)
        found = s3.list_object_versions(Bucket=BUCKET)
        there = [one["Key"] for one in (*found.get("Versions", []), *found.get("DeleteMarkers", []))]
        assert there == [f"{'e' * 32}/3"] and story.traces() == []
        assert not [pk for pk, _ in story.table.items if pk.startswith("EVIDENCE#")]


# The housekeeping


class House:
    """The parts that the housekeeping asks for."""

    def __init__(self, drafts: Any, erasing: Any, conversations: Any) -> None:
        self.drafts, self.erasing, self.clock = drafts, erasing, Clock()
        self.chat_keeping = conversations
        self.ledger = Parts(FakeTable()).ledger


class Duty:
    """Notes how much time it was given, and does what a test says."""

    def __init__(self, does: Callable[[], tuple[int, int]] = lambda: (1, 0)) -> None:
        self.does, self.given = does, list[float]()

    def erase_ended(self, seconds_left: Callable[[], float]) -> tuple[int, int]:
        self.given.append(seconds_left())
        return self.does()

    finish = erase_ended


def fails() -> tuple[int, int]:
    raise OSError(MARK)


@pytest.mark.parametrize("does", [fails, lambda: (3, 1)])
def test_each_duty_is_done_whatever_becomes_of_the_others(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, does: Callable[[], tuple[int, int]]
) -> None:
    for duties in ((Duty(does), Duty(), Duty()), (Duty(), Duty(does), Duty()), (Duty(), Duty(), Duty(does))):
        monkeypatch.setattr(wiring, "_installed", House(*duties))
        with pytest.raises(background.Failed):
            background.keep_house(lambda: 300_000.0)
        assert all(duty.given for duty in duties)
        assert wiring.service().ledger.as_of() > BEGINNING, "the figures are added up all the same"
    assert MARK not in caplog.text


def test_no_duty_takes_the_time_of_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    drafts, erasures, conversations = Duty(), Duty(), Duty()
    monkeypatch.setattr(wiring, "_installed", House(drafts, erasures, conversations))
    background.keep_house(lambda: 400_000.0)
    assert [duty.given[0] for duty in (drafts, erasures, conversations)] == pytest.approx([100, 200, 300])
