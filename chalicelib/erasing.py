"""Sees to what is left of reports that were erased: look-ups, files, letters, and why letters did not go out.

The erasure itself is one write (`Store.erase`): from then on nothing that people said is in the report, and it is in
the list ERASING. A schedule cleans what is beside it, again and again until everything that was on its way then has
arrived: a file that was invited, a letter that was being written. See `docs/adr/0024-retention.md`.
"""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from chalicelib.drafts import LAST_REQUEST, Drafts
from chalicelib.errors import described
from chalicelib.finder import Finder
from chalicelib.reference import show
from chalicelib.retention import ERASING
from chalicelib.store import Store
from chalicelib.wanted import BEFORE_ALL, BEHIND_ALL

AT_A_TIME = 50

log = logging.getLogger("crime-reports")


class Letters(Protocol):
    """Where letters may have been kept: the outbox."""

    def forget(self, about: str) -> None: ...


class Erasing:
    """The housekeeping of erasures. `erase_files` removes the files of a folder, `tell_conversation` is told of which
    conversation of the live chat a report was made; `clock` gives aware UTC datetimes.
    """

    def __init__(
        self,
        store: Store,
        finder: Finder,
        drafts: Drafts,
        letters: Letters,
        erase_files: Callable[[str], None],
        tell_conversation: Callable[[str], None],
        clock: Callable[[], datetime],
    ) -> None:
        self._store, self._finder, self._drafts, self._letters = store, finder, drafts, letters
        self._erase_files, self._tell_conversation, self._clock = erase_files, tell_conversation, clock

    def finish(self, seconds_left: Callable[[], float]) -> tuple[int, int]:
        """Clean what was erased, oldest first, until it is done or the time is up; gives how many reports were cleaned,
        and how many could not be. One that cannot holds up no other, and is tried again in the next run.
        """
        cleaned = failed = 0
        for _, head in self._store.lists.retained(ERASING, BEFORE_ALL, BEHIND_ALL, AT_A_TIME):
            if seconds_left() < 10:
                break
            try:
                self._clean(head.reference)
                cleaned += 1
            except Exception as error:
                told = {"reference": show(head.reference), "error": described(error)}
                log.error("what is left of an erased report cannot be removed", extra=told)
                failed += 1
        return cleaned, failed

    def _clean(self, reference: str) -> None:
        report, look_ups = self._store.to_be_cleaned(reference)
        if not report.erased_at:  # an index may lag, but never so
            raise ValueError("it was not erased")
        now = self._clock()
        self._finder.forget(report.received_at, reference, look_ups)
        self._letters.forget(reference)
        self._store.forget_why(reference)
        if report.folder:
            self._forget_draft(report.folder, reference)
        if report.conversation:
            self._tell_conversation(report.conversation)
        self._erase_files(report.files_in)  # last: while S3 is down, nothing else waits for it
        if now - report.erased_at > LAST_REQUEST:
            self._store.cleaned(reference)

    def _forget_draft(self, draft_id: str, reference: str) -> None:
        """It forgot its answers when it was sent, unless whoever sent it died; and a link to it may have been sent."""
        self._letters.forget(draft_id)
        draft = self._drafts.find(draft_id)
        if draft and not draft.sent:
            self._drafts.close(draft, reference)
