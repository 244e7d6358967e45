"""Drafts: reports that somebody is still writing. A draft is no report, and starts no clock.

In the table: `DRAFT#<id>` / `DRAFT`. Every change is one conditional update on its version, made again if another tab
was quicker. A draft is found by when it ends in the index by deadline, in the groups `draft-…`; a schedule then erases
it with its files. One that was sent keeps the reference alone. See `docs/adr/0012-drafts.md`.
"""

import json
import logging
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from chalicelib.errors import AlreadySent, FieldError, InvalidAnswers, NotAllowed, NotFound, TooLarge, described
from chalicelib.report import Report
from chalicelib.table import ConditionFailed, Item, Table, Value
from chalicelib.times import read_stamp, stamp

MOST_LINKS = 5  # return links that we send for one draft: nobody is to be pestered through us
KEPT = timedelta(days=7)  # "abandoned drafts go within 7 days"
LARGEST = 256 * 1024  # bytes of answers: as much as a report may have
LAST_REQUEST = timedelta(
    hours=2
)  # a draft found just before its end may become a report; a large file may be on its way
GROUPS = 4
TRIES = 5

log = logging.getLogger("crime-reports")


@dataclass(frozen=True)
class Draft:
    """The answers so far. `items` are under ids of their own, so that "add" twice is one item; `seen` are the pages
    that were continued; `sent` is the reference of the report that it became; `links` counts the return links that were
    asked for, `link_to` has the email address and our own address for the last.
    """

    id: str
    category: str
    begun_at: datetime
    answers: Mapping[str, Any] = field(default_factory=dict, repr=False)
    items: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, repr=False)
    seen: tuple[str, ...] = ()
    sent: str | None = None
    links: int = 0
    link_to: Mapping[str, str] = field(default_factory=dict, repr=False)
    version: int = 1

    @property
    def ends_at(self) -> datetime:
        """When it is erased."""
        return self.begun_at + KEPT

    @property
    def all_answers(self) -> dict[str, Any]:
        """The answers with the items in their place."""
        return {**self.answers, **({"items": list(self.items.values())} if self.items else {})}

    def asking_for_a_link(self, told: Mapping[str, str]) -> "Draft":
        """With one more return link asked for. Raises InvalidAnswers once there were too many."""
        if self.links >= MOST_LINKS:
            said = "We have sent you five links already. Use the last of them, or call 101"
            raise InvalidAnswers(errors=[FieldError("email", said)])
        return replace(self, links=self.links + 1, link_to=told)

    @property
    def token(self) -> str:
        """The submission token of the report that it becomes: sent twice, it is one report."""
        return f"draft:{self.id}"


class Reports(Protocol):
    """What drafts need of casework."""

    def submit(self, answers: Mapping[str, Any], token: str | None, folder: str | None = None) -> Report: ...
    def sent_as(self, token: str) -> str | None: ...


class Drafts:
    """Keeps drafts. `erase_files` removes the files of a folder; `clock` gives aware UTC datetimes."""

    def __init__(
        self, table: Table, reports: Reports, erase_files: Callable[[str], None], clock: Callable[[], datetime]
    ) -> None:
        self._table, self._reports, self._erase_files, self._clock = table, reports, erase_files, clock

    def begin(self, draft_id: str, category: str, answers: Mapping[str, Any], seen: str) -> Draft:
        """A new draft. Raises NotAllowed if there is one of this id: it may be somebody else's."""
        begun = self._clock().replace(microsecond=0)
        draft = Draft(draft_id, category, begun, answers, seen=(seen,))
        item = {"pk": _pk(draft_id), "sk": "DRAFT", "category": category, **_values(draft)}
        try:
            self._table.put_new(item)
        except ConditionFailed:
            raise NotAllowed("This has been begun already.") from None
        return draft

    def find(self, draft_id: str) -> Draft | None:
        """The draft, unless there is none or its time is over."""
        item = self._table.get(_pk(draft_id), "DRAFT")
        draft = _draft(item) if item else None
        return draft if draft and draft.ends_at > self._clock() else None

    def change(self, draft_id: str, how: Callable[[Draft], Draft]) -> Draft:
        """The draft as `how` makes it. Raises NotFound, AlreadySent, TooLarge, or what `how` raises."""
        for _ in range(TRIES):
            draft = self.find(draft_id)
            if not draft:
                raise NotFound()
            if draft.sent:
                raise AlreadySent(draft.sent)
            with suppress(ConditionFailed):  # another tab was quicker: its change stays, ours is made on top
                return self._save(draft, how(draft))
        raise NotAllowed("Several pages of this report were saved at once. Go back and continue once more.")

    def send(self, draft: Draft, answers: Mapping[str, Any]) -> str:
        """Make it a report, and give the reference. If we die in between, sending again gives the same report.

        Raises AlreadySent if it was sent with other answers.
        """
        try:
            reference = self._reports.submit(answers, draft.token, draft.id).reference
        except AlreadySent as there:
            self.close(draft, there.reference)
            raise
        self.close(draft, reference)
        return reference

    def require_unsent(self, draft: Draft) -> None:
        """Before anything is taken from it for good: we may have died as it became a report. Raises AlreadySent."""
        if reference := self._reports.sent_as(draft.token):
            self.close(draft, reference)
            raise AlreadySent(reference)

    def close(self, draft: Draft, reference: str) -> None:
        """Forget the answers of a draft that is a report now."""
        self._end(draft, lambda now: replace(now, sent=reference))

    def erase(self, draft: Draft) -> None:
        """Forget it now, with its files. It is over, but for what may be on its way: a file that was invited before
        arrives within minutes, so the next run removes files once more, and then the draft.
        """
        over = self._clock().replace(microsecond=0) - KEPT
        if not self._end(draft, lambda now: replace(now, begun_at=over)):
            return
        try:
            self._remove_files(draft)
        except Exception as error:  # nobody can open it any more; the next run tries again
            log.error("the files of a draft cannot be erased", extra={"error": described(error)})

    def _end(self, draft: Draft, how: Callable[[Draft], Draft]) -> bool:
        """Leave nothing of a draft but what `how` notes; False if it has ended already."""
        while True:
            empty = Draft(draft.id, draft.category, draft.begun_at, version=draft.version)
            try:
                self._save(draft, how(empty))
                return True
            except ConditionFailed:  # another tab saved something meanwhile
                found = self.find(draft.id)
                if not found or found.sent:
                    return False
                draft = found

    def _remove_files(self, draft: Draft) -> None:
        """Unless it is a report: then the files are the report's."""
        if not draft.sent and not self._reports.sent_as(draft.token):
            self._erase_files(draft.id)

    def _remove(self, draft: Draft) -> None:
        self._remove_files(draft)
        with suppress(ConditionFailed):  # changed meanwhile: the next run sees to it
            self._table.remove(_pk(draft.id), "DRAFT", condition="#version = :was", given={"was": draft.version})

    def erase_ended(self, seconds_left: Callable[[], float]) -> tuple[int, int]:
        """Remove what nobody sent in seven days, until it is done or the time is up; gives how many were removed, and
        how many could not be. One that cannot holds up no other, and is tried again in the next run.
        """
        erased = failed = 0
        for draft_id in self._ended():
            if seconds_left() < 10:
                break
            try:
                item = self._table.get(_pk(draft_id), "DRAFT")
                if item:
                    self._remove(_draft(item))
                    erased += 1
            except Exception as error:
                log.error("a draft cannot be erased", extra={"error": described(error)})
                failed += 1
        return erased, failed

    def _ended(self) -> Iterator[str]:
        for group in range(GROUPS):
            found = self._table.query(
                index="by_deadline",
                where="#due = :group AND #deadline <= :now",
                given={"group": f"draft-{group}", "now": stamp(self._clock() - LAST_REQUEST)},
            )
            yield from (item["pk"].removeprefix("DRAFT#") for item in found)

    def _save(self, before: Draft, after: Draft) -> Draft:
        after = replace(after, version=before.version + 1)
        try:
            item = self._table.update(
                _pk(after.id),
                "DRAFT",
                values=_values(after),
                condition="#version = :was",
                given={"was": before.version},
            )
        except ConditionFailed as there:
            if not there.item or _draft(there.item) != after:
                raise
            item = there.item  # our own write, made again by the SDK because its answer was lost
        return _draft(item)


def _pk(draft_id: str) -> str:
    return f"DRAFT#{draft_id}"


def _values(draft: Draft) -> dict[str, Value]:
    said = {"answers": draft.answers, "items": draft.items, "link_to": draft.link_to}
    text = json.dumps(said, separators=(",", ":"), ensure_ascii=False).encode()
    if len(text) > LARGEST:
        raise TooLarge("A report may be up to 256 KB. Shorten what you wrote, and tell us the rest when we call.")
    return {
        "said": zlib.compress(text, 9),
        "begun_at": stamp(draft.begun_at),
        "seen": list(draft.seen),
        "sent": draft.sent,
        "links": draft.links,
        "version": draft.version,
        "due": f"draft-{sum(draft.id.encode()) % GROUPS}",
        "deadline": stamp(draft.ends_at),
    }


def _draft(item: Item) -> Draft:
    said = json.loads(zlib.decompress(item["said"]))
    return Draft(
        id=item["pk"].removeprefix("DRAFT#"),
        category=item["category"],
        begun_at=read_stamp(item["begun_at"]),
        answers=said["answers"],
        items=said["items"],
        seen=tuple(item["seen"]),
        sent=item.get("sent"),
        links=item["links"],
        link_to=said["link_to"],
        version=item["version"],
    )
