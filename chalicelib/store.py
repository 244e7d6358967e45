"""The only owner of keys, indexes and conditions of reports. See `docs/adr/0003-store.md`.

What is in the table (`pk` / `sk`):
- `REPORT#<reference>` / `REPORT`: a report: head, answers (compressed), history; `look_ups` while it is being erased.
- `REPORT#<reference>` / `ACCESS#<when>#<id>`: somebody saw it. `OFFICER#<id>` / the same: what an officer saw.
- `REPORT#<reference>` / `LETTER#<version>`: the letter that the history entry of that version asked for.
- `CRIME_NUMBERS…`: see `crime_numbers.py`. `TOKEN_SECRETS`: see `token_secrets.py`. `FIND#…`: see `finder.py`.
- `OUTBOX` / `<reference>-<version>`: letters, where the outbox is the sender.

An index is a hint and may lag; what decides is the condition on the report. A report that nobody has touched since it
was received has no place in the work list or among the changed yet (that would cost each submission more writes): it
is found by deadline, in the groups `new-…`. Whoever lists or counts reads those first, so that a report on its way is
missed for a moment at most.
"""

import hashlib
import heapq
import hmac
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import Any

from chalicelib.errors import AlreadySent, NotFound
from chalicelib.reference import candidates, smoke_token
from chalicelib.report import PUBLIC, Actor, Report
from chalicelib.report_items import (
    SHARDS,
    changed_places,
    erased_values,
    head_values,
    key,
    letter_key,
    new_item,
    packed_words,
    places,
    reference_of,
    report_of,
    written,
)
from chalicelib.retention import ERASING
from chalicelib.table import ConditionFailed, Item, Table, Value
from chalicelib.times import stamp
from chalicelib.work_lists import WorkLists

PAGE = 200  # read at a time at first


class Store:
    """Reports in one DynamoDB table. `secrets` turn submission tokens into references: the first new ones, all of them
    those that came before. `lists` are what officers work from.
    """

    def __init__(self, table: Table, secrets: Callable[[], Sequence[bytes]]) -> None:
        self._table, self._secrets, self.lists = table, secrets, WorkLists(table)

    # Submission and change

    def submit(self, token: str, answers: Mapping[str, Any], receive: Callable[[str], Report]) -> Report:
        """Store what `receive(reference)` makes of the canonical answers, once for each `token`: one request. It is
        durable when this returns.

        The same token and answers again return the report that is there; the same token with others raises
        AlreadySent. Two tokens that happen to have one reference (about 50 bits) are told apart, the later one moves
        on.
        """
        body = written(answers)
        secret, *others = self._secrets()
        for other in others:
            if before := self._submitted(other, token, body):
                return before
        synthetic = any(hmac.compare_digest(token.encode(), smoke_token(one).encode()) for one in (secret, *others))
        for reference, marks in _candidates(secret, token, body):
            report = replace(receive(reference), synthetic=True) if synthetic else receive(reference)
            try:
                self._table.put_new({**new_item(report, body), **marks})
                return report
            except ConditionFailed as there:
                item = there.item or self._table.get(*key(reference)) or {}
            if _is_of(item, marks):
                return report_of(item)
        raise AssertionError("there is always another reference")

    def made_by(self, token: str) -> str | None:
        """The reference of the report that this submission token made, whatever its answers were."""
        for secret in self._secrets():
            try:
                self._submitted(secret, token, b"")
            except AlreadySent as there:
                return there.reference
        return None

    def _submitted(self, secret: bytes, token: str, body: bytes) -> Report | None:
        """The report that this token and body made under another secret."""
        for reference, marks in _candidates(secret, token, body):
            item = self._table.get(*key(reference))
            if not item:
                return None
            if _is_of(item, marks):
                return report_of(item)
        return None

    def read(self, reference: str) -> Report | None:
        """The report as it is now."""
        item = self._table.get(*key(reference))
        return report_of(item) if item else None

    def find(self, reference: str) -> Report:
        """The same. Raises NotFound if there is none."""
        report = self.read(reference)
        if not report:
            raise NotFound("There is no report with this reference.")
        return report

    def read_many(self, references: Sequence[str]) -> dict[str, Report | Exception]:
        """Up to 100 reports; one that cannot be read comes as the exception, so that it does not hold up the others."""
        found: dict[str, Report | Exception] = {}
        for item in self._table.get_many([key(reference) for reference in references]):
            try:
                found[reference_of(item)] = report_of(item)
            except Exception as error:
                found[reference_of(item)] = error
        return found

    def crimed_as(self, number: str) -> str | None:
        """The reference of the report that has this crime number."""
        found = self._table.query(index="by_crime_number", where="#crime_number = :number", given={"number": number})
        return next(map(reference_of, found), None)

    def save(self, before: Report, after: Report) -> Report:
        """Write the change from `before` to `after`: one conditional update with its own history entry.

        Raises ConditionFailed if the report is no longer what `before` was.
        """
        said = packed_words(after.words[len(before.words) :])
        return self._write(before, after, {}, {"words": said} if said else {})

    def erase(self, before: Report, after: Report, look_ups: Sequence[str]) -> Report:
        """The same, over all that people said. `look_ups` stay with it until `erasing.py` has seen to what is left."""
        return self._write(before, after, erased_values(after, look_ups), {})

    def _write(
        self, before: Report, after: Report, values: Mapping[str, Value], more: Mapping[str, Sequence[str]]
    ) -> Report:
        assert after.version == before.version + 1
        try:
            self._table.update(
                *key(after.reference),
                values={**head_values(after), **places(after), **values},
                append={"history": [after.history[-1]], **more},
                condition="#version = :was",
                given={"was": before.version},
                returning="NONE",
            )
        except ConditionFailed as there:
            if not there.item or after.history[-1] not in there.item["history"]:
                raise
            return report_of(there.item)  # our own write, made again by the SDK because its answer was lost
        return after

    # Counts, and what is due; `lists` has the rest

    def due(self, until: datetime, kinds: Sequence[str] = ("new", "open")) -> Iterator[str]:
        """References of open reports whose deadline is not after `until`, nearest deadline first, each once.

        The groups `new-…` are asked first: a report that triage moves meanwhile is found twice rather than never.
        """
        found = [
            self._table.query(
                index="by_deadline",
                where="#due = :group AND #deadline <= :until",
                given={"group": group, "until": stamp(until)},
                names=("pk", "deadline"),  # thousands of items wait in memory: as little of each as can be
            )
            for group in _groups(kinds)
        ]
        return _unique(map(reference_of, heapq.merge(*found, key=lambda item: item["deadline"])))

    def open_deadlines(self, category: str = "") -> list[str]:
        """The deadline of each open report, of one category only if it is named, in no order."""
        rows = {row["pk"]: row for group in _groups(("new", "open")) for row in self._group_items(group)}
        return [row["deadline"] for row in rows.values() if category in ("", row["category"])]

    def _group_items(self, group: str) -> Iterator[Item]:
        return self._table.query(index="by_deadline", where="#due = :group", given={"group": group}, limit=PAGE)

    # Letters

    def start_letter(self, report: Report, version: int, template: str, at: datetime, retry_before: datetime) -> str:
        """`start` if the caller is to send this letter now, `done` if that has been seen to, `busy` if it was begun
        after `retry_before` and not ended: whoever began it may be sending it, or have died.
        """
        counted = None if report.synthetic else report.category
        asked_at = report.entries[version - 1]["at"]
        try:
            self._table.update(
                *letter_key(report.reference, version),
                values={
                    "template": template,
                    "state": "sending",
                    "at": stamp(at),
                    "category": counted,
                    "asked_at": asked_at,
                },
                condition="attribute_not_exists(pk) OR ( #state = :sending AND #at < :before )",
                given={"sending": "sending", "before": stamp(retry_before)},
            )
        except ConditionFailed as there:
            return "busy" if there.item and there.item["state"] == "sending" else "done"
        return "start"

    def end_letter(self, reference: str, version: int, state: str, at: datetime) -> None:
        """Record what became of a letter that was started: `sent`, `withheld: …` or `failed: …`."""
        self._table.update(
            *letter_key(reference, version),
            values={"state": state, "at": stamp(at), **changed_places(reference, stamp(at))},
            condition="#state = :sending",
            given={"sending": "sending"},
        )

    def free_letter(self, reference: str, version: int, begun: datetime) -> None:
        """Let the next try begin at once: the letter that was started at `begun` could not be sent now."""
        with suppress(ConditionFailed):  # somebody else took it over meanwhile
            self._table.update(
                *letter_key(reference, version),
                values={"at": ""},
                condition="#state = :sending AND #at = :begun",
                given={"sending": "sending", "begun": stamp(begun)},
            )

    def letters(self, reference: str) -> list[Item]:
        """What became of each letter about a report: `version`, `template`, `state`, `at`."""
        rows = self._table.query(
            where="#pk = :report AND begins_with(#sk, :letter)",
            given={"report": key(reference)[0], "letter": "LETTER#"},
        )
        return [
            {"version": int(row["sk"].split("#")[1])} | {name: row[name] for name in ("template", "state", "at")}
            for row in rows
        ]

    # Erasing

    def to_be_cleaned(self, reference: str) -> tuple[Report, list[str]]:
        """A report that was erased, and its look-ups that may still be there."""
        item = self._table.get(*key(reference)) or {}
        return report_of(item), list(item.get("look_ups", []))

    def forget_why(self, reference: str) -> None:
        """Why letters about a report were withheld or failed: that may say something about the person. That they were
        stays: it is proof of what was told, or was not.
        """
        for letter in self.letters(reference):
            state, what = letter["state"], letter["state"].partition(":")[0]
            if state != what:
                with suppress(ConditionFailed):  # another run was quicker
                    self._table.update(*letter_key(reference, letter["version"]), values={"state": what},
                                       condition="#state = :was", given={"was": state})  # fmt: skip

    def cleaned(self, reference: str) -> None:
        """Nothing of an erased report is left to be seen to. No entry: nothing happens to the report by it."""
        with suppress(ConditionFailed):  # another run was quicker
            self._table.update(*key(reference), values={"worklist": None, "urgency": None, "look_ups": None},
                               condition="#worklist = :erasing", given={"erasing": ERASING})  # fmt: skip

    # Seeing

    def log_access(
        self, who: Actor, what: str, references: Sequence[str], at: datetime, id: str, whose: str = ""
    ) -> None:
        """Leave an item that says who saw what and when (Data Protection Act 2018, section 62), under the officer, and
        under the report if it is one: so that either has a log. `what` is `list` for several at once; `whose` is the
        officer whose log was looked at.
        """
        kept_under = [] if what == "list" or whose else [key(references[0])[0]]
        kept_under += [] if who == PUBLIC else [f"OFFICER#{who.id}"]
        for pk in kept_under:
            with suppress(ConditionFailed):  # our own request, made again by the SDK because its answer was lost
                self._table.put_new(
                    {"pk": pk, "sk": f"ACCESS#{stamp(at)}#{id}", "officer": who.id, "officer_name": who.name,
                     "what": what, "references": list(references), "whose": whose or None}
                )  # fmt: skip

    def log_chat_access(self, who: Actor, what: str, chats: Sequence[str], at: datetime, id: str) -> None:
        """The same of conversations of the live chat; `list` for several at once."""
        kept_under = [f"OFFICER#{who.id}"] + ([] if what == "list" else [f"CHAT#{chats[0]}"])
        for pk in kept_under:
            with suppress(ConditionFailed):  # our own request, made again by the SDK because its answer was lost
                self._table.put_new(
                    {"pk": pk, "sk": f"ACCESS#{stamp(at)}#{id}", "officer": who.id, "officer_name": who.name,
                     "what": what, "references": [], "chats": list(chats)}
                )  # fmt: skip

    def accesses(self, *, reference: str = "", chat: str = "", officer: str = "", limit: int = 1_000) -> list[Item]:
        """The last `limit` looks at a report or a conversation, or by an officer at anything, newest first: `at`, who,
        what.
        """
        about = key(reference)[0] if reference else f"CHAT#{chat}" if chat else f"OFFICER#{officer}"
        rows = self._table.query(
            where="#pk = :pk AND begins_with(#sk, :access)",
            given={"pk": about, "access": "ACCESS#"},
            limit=limit,
            backwards=True,
        )
        return [{"at": row["sk"].split("#")[1], **row} for row in islice(rows, limit)]


def report_change(image: Mapping[str, Any]) -> tuple[str, int, str] | None:
    """From a stream record's new image: the reference, version and kind of the last change; None if it is no report."""
    if image.get("sk") != {"S": "REPORT"}:
        return None
    entry = json.loads(image["history"]["L"][-1]["S"])
    return image["pk"]["S"].removeprefix("REPORT#"), entry["version"], entry["what"]


def _candidates(secret: bytes, token: str, body: bytes) -> Iterator[tuple[str, dict[str, bytes]]]:
    """The references that a token may come under, each with the marks that tell its report from others'."""
    for reference, digest in candidates(secret, token):
        yield reference, {"token": digest[16:], "body": hmac.digest(digest, body, hashlib.sha256)[:16]}


def _is_of(item: Item, marks: Mapping[str, bytes]) -> bool:
    """Whether an item was made by the submission with these marks. Raises AlreadySent if only the token is the same."""
    if item["token"] == marks["token"] and item["body"] != marks["body"]:
        raise AlreadySent(reference_of(item))
    return bool(item["token"] == marks["token"])


def _groups(kinds: Sequence[str]) -> list[str]:
    """Where open reports of these kinds are in the index by deadline, in that order."""
    return [f"{kind}-{shard}" for kind in kinds for shard in range(SHARDS)]


def _unique(names: Iterable[str]) -> Iterator[str]:
    """Each of `names` once, as it first comes."""
    seen: set[str] = set()
    for name in names:
        if name not in seen:
            seen.add(name)
            yield name
