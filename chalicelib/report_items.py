"""How a report becomes an item of the table, and an item a report. Only `store.py` uses it."""

import json
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib.life_cycle import Status
from chalicelib.reference import ALPHABET
from chalicelib.report import LIVE_CHAT, Actor, Claim, Crime, Head, Report, Words
from chalicelib.retention import retained
from chalicelib.table import Item, Value
from chalicelib.times import read_stamp, stamp
from chalicelib.triage import urgency

SHARDS = 4  # one index key takes 1,000 writes a second; a sweep of 10,000 in ten seconds needs a few


def key(reference: str) -> tuple[str, str]:
    """Where a report is."""
    return f"REPORT#{reference}", "REPORT"


def letter_key(reference: str, version: int) -> tuple[str, str]:
    """Where the letter is that the history entry of `version` asked for."""
    return key(reference)[0], f"LETTER#{version:06}"


def written(answers: Mapping[str, Any]) -> bytes:
    """The JSON text of answers, in the one form that equal answers have: sorted, compact, in UTF-8."""
    return json.dumps(answers, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def new_item(report: Report, body: bytes) -> dict[str, Value]:
    """A report that has just come; `body` are its answers as they are `written`."""
    pk, sk = key(report.reference)
    return {
        "pk": pk,
        "sk": sk,
        "category": report.category,
        "received_at": stamp(report.received_at),
        "answers": zlib.compress(body, 9),
        "history": list(report.history),
        "seal": report.seal,
        "status": str(report.status),
        "version": report.version,
        "due": due_group(report),
        "deadline": stamp(report.deadline),
        "synthetic": int(report.synthetic) or None,
        "folder": report.folder,
        **(_assessed(report) if is_placed(report) else {}),
    }


def _assessed(report: Report) -> dict[str, Value]:
    return {"priority": report.priority, "reasons": list(report.reasons), **places(report)}


def erased_values(report: Report, look_ups: Sequence[str]) -> dict[str, Value]:
    """What is written over all that people said in a report. `look_ups` are where it may still be found: keys that say
    nothing about a person, until they are gone, too.
    """
    return {"answers": _packed(report), "words": packed_words(report.words), "look_ups": list(look_ups) or None}


def packed_words(several: Sequence[Words]) -> list[str]:
    """Words as they are stored."""
    return [json.dumps(vars(words), ensure_ascii=False) for words in several]


def _packed(report: Report) -> bytes:
    return zlib.compress(written(report.answers), 9)


def head_values(report: Report) -> dict[str, Value]:
    """What of a report may change, by attribute."""
    claim, crime = report.claim, report.crime
    return {
        "status": str(report.status),
        "version": report.version,
        "seal": report.seal,
        "priority": report.priority,
        "reasons": list(report.reasons),
        "call_backs": report.call_backs or None,
        "not_crimed_reason": report.not_crimed_reason,
        "claimed_by": claim.by.id if claim else None,
        "claimed_by_name": claim.by.name if claim else None,
        "claimed_until": stamp(claim.until) if claim else None,
        "crime_number": crime.number if crime else None,
        "crimed_at": stamp(crime.at) if crime else None,
        "crimed_by": crime.by.id if crime else None,
        "crimed_by_name": crime.by.name if crime else None,
        "offence": crime.offence if crime else None,
        "disposal": crime.disposal if crime else None,
        "outcome": crime.outcome if crime else None,
        "cancelled": crime.cancelled if crime else None,
        "proposal": report.proposal,
    }


def is_placed(report: Report) -> bool:
    """Whether it is found among what has been touched. What was told in the live chat is, from the beginning: its
    deadline does not say when it was made, and by that alone it would be missed among what has changed.
    """
    return report.version > 1 or report.source == LIVE_CHAT


def places(report: Report) -> dict[str, Value]:
    """Where the indexes find a report that has been touched: by deadline while open, in a list, by its change. Each is
    in one list: of what waits for an officer by urgency, or of what is retained (see `retention.py`) by time.
    """
    if report.synthetic:
        return {}
    waiting = _work_list(report)
    place = urgency(report.priority, stamp(report.deadline), report.reference) if waiting else None
    kept, kept_place = retained(report) if not waiting else (None, None)
    return {
        "due": due_group(report),
        "worklist": waiting or kept,
        "urgency": place or kept_place,
        **changed_places(report.reference, last_change(report.entries)),
    }


def last_change(entries: Sequence[Mapping[str, Any]]) -> str:
    """The latest stamp in a history. Not the last one's: its clock may be a second behind the one before, and what is
    stamped after must be found.
    """
    return str(max(entry["at"] for entry in entries))


def changed_places(reference: str, at: str) -> dict[str, Value]:
    """Where the figures find what has changed since they were added up; `at` is a stamp."""
    return {"changed": f"{_shard(reference)}", "changed_at": at}


def _work_list(report: Report) -> str | None:
    if report.erased_at:
        return None
    if report.is_open:
        return "second_look" if report.proposal else "open"
    if report.awaits_disposal:
        return "awaiting_disposal"
    return "new_information" if report.has_news else None


def due_group(report: Report) -> str | None:
    """Where the 24-hour rule finds it; nowhere once it is decided, and never the smoke test's."""
    if report.synthetic or not report.is_open:
        return None
    touched = "open" if is_placed(report) else "new"
    return f"{touched}-{_shard(report.reference)}"


def _shard(reference: str) -> int:
    return ALPHABET.index(reference[0]) % SHARDS


def reference_of(item: Item) -> str:
    """Whose item it is."""
    return str(item["pk"]).removeprefix("REPORT#")


def report_of(item: Item) -> Report:
    """The whole report."""
    return Report(
        reference=reference_of(item),
        category=item["category"],
        answers=json.loads(zlib.decompress(item["answers"])),
        received_at=read_stamp(item["received_at"]),
        status=Status(item["status"]),
        version=item["version"],
        priority=item.get("priority"),
        reasons=tuple(item.get("reasons", ())),
        claim=_claim(item),
        crime=_crime(item),
        not_crimed_reason=item.get("not_crimed_reason"),
        proposal=item.get("proposal"),
        call_backs=item.get("call_backs", 0),
        history=tuple(item["history"]),
        words=tuple(Words(**json.loads(text)) for text in item.get("words", ())),
        seal=item["seal"],
        synthetic="synthetic" in item,
        folder=item.get("folder"),
    )


def head_of(item: Item) -> Head:
    """What a list shows, from an item of an index."""
    return Head(
        reference=reference_of(item),
        category=item["category"],
        status=Status(item["status"]),
        priority=item.get("priority"),
        reasons=tuple(item.get("reasons", ())),
        received_at=read_stamp(item["received_at"]),
        deadline=read_stamp(item["deadline"]),
        claim=_claim(item),
        version=item["version"],
    )


def _claim(item: Item) -> Claim | None:
    if "claimed_by" not in item:
        return None
    return Claim(Actor(item["claimed_by"], item["claimed_by_name"]), read_stamp(item["claimed_until"]))


def _crime(item: Item) -> Crime | None:
    if "crime_number" not in item:
        return None
    by = Actor(item["crimed_by"], item["crimed_by_name"])
    return Crime(item["crime_number"], read_stamp(item["crimed_at"]), by, item["offence"], item.get("disposal"),
                 item.get("outcome"), item.get("cancelled"))  # fmt: skip
