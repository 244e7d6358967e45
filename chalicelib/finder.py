"""Finds reports by their clues without a word of them in a key: the keys are digests under the token secrets.

In the table: `FIND#<digest of a clue>` / `<when received>#<reference>`, and nothing else; conversations of the live
chat, `<when it began>#<id>`, under digests of their own. Noted by triage (those as they begin) under the secret in
force, looked for under all of them. A digest is also what an address may carry. See `docs/adr/0018-finding-reports.md`.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from chalicelib.chat import Conversation
from chalicelib.clues import Clue, clues_of, clues_of_chat
from chalicelib.errors import NotFound
from chalicelib.report import Report
from chalicelib.table import ConditionFailed, Table
from chalicelib.times import stamp

PAGE = 500  # entries read at once, of some 60 bytes each
MOST_READ = 5_000  # entries for one clue, the newest: of a name that many have
MOST_DIGESTS = 200  # in one key: six words of a name under thirty secrets

Digests = tuple[tuple[str, ...], ...]
"""What to look for: a report is found that is under all the digests of one group."""


@dataclass(frozen=True)
class References:
    """What was found, newest first; `more` if there may be others."""

    references: tuple[str, ...]
    more: bool


class Finder:
    """Notes and finds references. `secrets` has the one in force first, then all others."""

    def __init__(self, table: Table, secrets: Callable[[], Sequence[bytes]]) -> None:
        self._table, self._secrets = table, secrets

    def note(self, report: Report) -> None:
        """Let a report be found by its clues. Once more does no harm; the smoke test's report is never found."""
        if not report.synthetic:
            self._note(clues_of(report.answers), _place(report.received_at, report.reference))

    def note_chat(self, chat: Conversation) -> None:
        """Let a conversation be found by the address and the number given in it, by whoever looks for conversations."""
        self._note(clues_of_chat(chat), _place(chat.began_at, chat.id))

    def look_ups(self, report: Report) -> tuple[str, ...]:
        """Where it may have been noted, whatever the secret was then: digests, which say nothing about a person."""
        return self._look_ups(clues_of(report.answers))

    def look_ups_of_chat(self, chat: Conversation) -> tuple[str, ...]:
        """The same of a conversation."""
        return self._look_ups(clues_of_chat(chat))

    def forget(self, at: datetime, name: str, look_ups: Iterable[str]) -> None:
        """Let a report that was received `at` that time, or a conversation that began then, no longer be found by its
        clues. Once more does no harm.
        """
        for digest in look_ups:
            with suppress(ConditionFailed):  # it was not noted there, or has been forgotten
                self._table.remove(f"FIND#{digest}", _place(at, name), condition="attribute_exists(pk)", given={})

    def digests(self, meanings: Iterable[Iterable[Clue]]) -> Digests:
        """Where a report is that has all the clues of one of `meanings`, whatever the secret was when it came."""
        secrets = self._secrets()
        return tuple(tuple(sorted(_digest(secret, clue) for clue in clues)) for clues in meanings for secret in secrets)

    def find(self, digests: Digests, most: int) -> References:
        """The newest `most` references under `digests`; the number of requests is bounded, whatever there is."""
        groups = [[self._row(digest, PAGE if group[1:] else min(PAGE, most + 1)) for digest in group]
                  for group in digests]  # fmt: skip
        found = sorted({entry for rows in groups for entry in islice(_in_all(rows), most + 1)}, reverse=True)
        more = len(found) > most or any(row.cut for rows in groups for row in rows)
        return References(tuple(entry.partition("#")[2] for entry in found[:most]), more)

    def _note(self, clues: Iterable[Clue], place: str) -> None:
        secret, *_ = self._secrets()
        for clue in sorted(clues):
            with suppress(ConditionFailed):  # noted before
                self._table.put_new({"pk": f"FIND#{_digest(secret, clue)}", "sk": place})

    def _look_ups(self, clues: Iterable[Clue]) -> tuple[str, ...]:
        secrets = self._secrets()
        return tuple(_digest(secret, clue) for clue in sorted(clues) for secret in secrets)

    def _row(self, digest: str, page: int) -> "_Row":
        where, given = "#pk = :pk", {"pk": f"FIND#{digest}"}
        return _Row(item["sk"] for item in self._table.query(where=where, given=given, limit=page, backwards=True))


def _place(at: datetime, name: str) -> str:
    return f"{stamp(at)}#{name}"


class _Row:
    """The entries under one digest, newest first; `cut` if there are more than we want to read."""

    def __init__(self, entries: Iterator[str]) -> None:
        self._entries, self._left, self.cut = entries, MOST_READ, False

    def next(self) -> str:
        """The next entry, an empty text after the last."""
        self.cut = not self._left
        self._left -= not self.cut
        return "" if self.cut else next(self._entries, "")


def _in_all(rows: Sequence[_Row]) -> Iterator[str]:
    """The entries that all of `rows` have, in their order: whichever is ahead waits for the others."""
    heads = [row.next() for row in rows]
    while all(heads):
        oldest = min(heads)
        if max(heads) == oldest:
            yield oldest
            oldest = ""
        heads = [head if head == oldest else row.next() for head, row in zip(heads, rows, strict=True)]


def key_for(digests: Digests) -> str:
    """`digests` as one part of an address."""
    return "~".join(".".join(group) for group in digests)


def read_key(text: str) -> Digests:
    """The digests of a key. Raises NotFound if it is none of ours."""
    digests = tuple(tuple(group.split(".")) for group in text.split("~"))
    each = [digest for group in digests for digest in group]
    if len(each) > MOST_DIGESTS or not all(re.fullmatch(_DIGEST, one) for one in each):
        raise NotFound("This is not the address of a search. Search again.")
    return digests


_DIGEST = "[A-Za-z0-9_-]{16}"


def _digest(secret: bytes, clue: Clue) -> str:
    """96 bits, in letters that an address may have."""
    digest = hmac.digest(secret, f"clue\n{clue.kind}\n{clue.value}".encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(digest[:12]).decode()
