"""Where officers work: the lists, the next report, what they read, and all that `changes.py` and `keeping.py` let
them do.

Every look at a person's data leaves a record of its own.
"""

import logging
import zlib
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from random import Random
from typing import Any

from chalicelib import report as life
from chalicelib.changes import Officer, require_supervisor
from chalicelib.errors import NotFound, described
from chalicelib.keeping import Keeping
from chalicelib.reference import show
from chalicelib.report import Head, Report, assessed
from chalicelib.table import ConditionFailed
from chalicelib.triage import PRIORITIES
from chalicelib.wanted import Placed, QueuePage, Wanted

__all__ = ["Desk", "Officer"]

log = logging.getLogger("crime-reports")

FREE = 32  # reports that one press of “next” tries at most: as many officers may press at once, and each gets one
TRIES = 5
MOST_ACCESSES = 1_000


class Desk(Keeping):
    """The officers' verbs. Reports are named by their plain reference."""

    def queue(self, officer: Officer, wanted: Wanted, after: str = "", limit: int = 50, before: str = "") -> QueuePage:
        """A page of a list, most urgent first, then nearest deadline, each report with its place in that order: what
        comes after the place `after`, or before the place `before`.
        """
        page = self._store.lists.page(wanted, officer.actor.id, self._now(), limit, after, before)
        self._log_list(officer, page.heads)
        return page

    def held_by(self, officer: Officer, holder: str) -> list[Placed]:
        """What another officer holds, for a supervisor who gives it to others."""
        require_supervisor(officer)
        heads = self._store.lists.held_by(holder, self._now())
        self._log_list(officer, heads)
        return heads

    def read(self, officer: Officer, reference: str) -> Report:
        """A whole report; that it was seen is recorded first."""
        report = self._store.find(reference)
        self._store.log_access(officer.actor, "read", [reference], self._now(), self._mint())
        return assessed(report)

    def folder_of(self, officer: Officer, reference: str) -> str:
        """Where the files of a report are, for an officer who opens one; that it was opened is recorded first."""
        report = self._store.find(reference)
        if report.erased_at:
            raise NotFound("The report was erased, with its files.")
        self._store.log_access(officer.actor, "evidence", [reference], self._now(), self._mint())
        return report.files_in

    def take_next(self, officer: Officer) -> Report | None:
        """Claim the most urgent report that nobody holds; None if there is none. Never the same for two officers.

        Whoever loses it to another takes any of the next of its priority: all who press at once would meet again at
        the second, and at the third. Each is tried once, so this ends.
        """
        now = self._now()
        for head in _in_turn(self._store.lists.free(now, FREE), Random(self._mint())):
            if taken := self._take(officer, head.reference, now):
                self._store.log_access(officer.actor, "next", [taken.reference], now, self._mint())
                return taken
        return None

    def _take(self, officer: Officer, reference: str, now: datetime) -> Report | None:
        """Claim it if it is still free; None if it is not, or is broken: that must not keep everybody from the rest."""
        try:
            report = self._store.read(reference)
            if not report or not report.is_open or report.head.held_by(now) or not life.has_room(report):
                return None
            return self._store.save(report, life.claim(assessed(report), officer.actor, now))
        except ConditionFailed:
            return None  # another officer was quicker
        except (ValueError, LookupError, TypeError, AttributeError, zlib.error) as error:
            log.error("report cannot be read", extra={"reference": show(reference), "error": described(error)})
            return None

    def renew(self, officer: Officer, reference: str) -> datetime | None:
        """Go on holding it while working on it; until when, None if the officer does not hold it any more. What others
        change meanwhile is no reason to lose it, nor is a history that is full: then the lease ends when it ends.
        """
        now, until = self._now(), None
        for _ in range(TRIES):
            report = self._store.find(reference)
            if not report.claim or report.head.held_by(now) != officer.actor:
                return None
            until = report.claim.until
            renewed = life.claim(assessed(report), officer.actor, now) if life.has_room(report) else report
            if renewed.version == report.version:
                break
            with suppress(ConditionFailed):
                self._store.save(report, renewed)
                return now + life.LEASE
        return until

    def accesses_of_report(self, officer: Officer, reference: str) -> list[dict[str, Any]]:
        """Who saw it of late, newest first: MOST_ACCESSES looks. That a supervisor looks there is logged first."""
        require_supervisor(officer)
        self._store.find(reference)
        self._store.log_access(officer.actor, "accesses", [reference], self._now(), self._mint())
        return self._store.accesses(reference=reference, limit=MOST_ACCESSES)

    def accesses_of_officer(self, officer: Officer, whose: str, limit: int) -> list[dict[str, Any]]:
        """What an officer saw of late, reports and lists, newest first. That a supervisor looks there is logged first,
        under the supervisor.
        """
        require_supervisor(officer)
        self._store.log_access(officer.actor, "accesses", [], self._now(), self._mint(), whose)
        return self._store.accesses(officer=whose, limit=min(limit, MOST_ACCESSES))

    def letters(self, reference: str) -> list[dict[str, Any]]:
        """What became of the letters about a report."""
        return self._store.letters(reference)

    def _log_list(self, officer: Officer, heads: Sequence[Placed]) -> None:
        self._store.log_access(officer.actor, "list", [head.reference for _, head in heads], self._now(), self._mint())


def _in_turn(heads: Sequence[Head], random: Random) -> list[Head]:
    """The first, then the others by priority, and within one at random."""
    ranks = (None, *PRIORITIES)
    return [*heads[:1], *sorted(heads[1:], key=lambda head: (ranks.index(head.priority), random.random()))]
