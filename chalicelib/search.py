"""How officers find reports: by whatever they type into one box, and by what a report has in common with others.

Every look at what was found leaves a record, as other lists do. What was typed is kept nowhere.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from chalicelib import clues
from chalicelib.desk import Officer
from chalicelib.errors import FieldError, InvalidAnswers
from chalicelib.finder import Finder, key_for, read_key
from chalicelib.report import Head, Report
from chalicelib.store import Store


@dataclass(frozen=True)
class Found:
    """Where a search leads: to the one report that it found, or to the list that a key opens."""

    reference: str = ""
    key: str = ""


@dataclass(frozen=True)
class Related:
    """Another report that has to do with one: why, in words, and whether it may be about the same thing."""

    head: Head
    because: tuple[str, ...]
    possible_duplicate: bool


MOST_FOUND = 50
MOST_RELATED = 20


class Search:
    """The verbs. Reports are named by their plain reference."""

    def __init__(self, store: Store, finder: Finder, clock: Callable[[], datetime], mint: Callable[[], str]) -> None:
        """`clock` gives aware UTC datetimes, `mint` unguessable texts of letters and digits."""
        self._store, self._finder, self._clock, self._mint = store, finder, clock, mint

    def find(self, officer: Officer, text: str) -> Found:
        """Where what an officer typed leads. That one report has it is seen here, a list by whoever opens its key."""
        asked = clues.asked_for(text)
        number = asked.crime_number and self._store.crimed_as(asked.crime_number)
        for reference in (asked.reference, number):
            if reference and self._store.read(reference):
                return Found(reference)
        digests = self._finder.digests(asked.meanings)
        found = self._finder.find(digests, 1)
        if not found.references:
            message = "No report was found. Check what you typed. A new report is found within a minute"
            raise InvalidAnswers(errors=[FieldError("text", message)])
        if found.more:
            return Found(key=key_for(digests))
        self._seen(officer, found.references)
        return Found(*found.references)

    def found(self, officer: Officer, key: str, limit: int = MOST_FOUND) -> tuple[list[Head], bool]:
        """The newest reports of a search, and whether there may be more of them."""
        found = self._finder.find(read_key(key), limit)
        heads = [report.head for report in self._readable(found.references)]
        self._seen(officer, [head.reference for head in heads])
        return heads, found.more

    def related(self, officer: Officer, report: Report) -> list[Related]:
        """Other reports with the same telephone number, email address, place or numbered property, newest first."""
        digests = self._finder.digests([clue] for clue in clues.relating(report.answers))
        found = self._finder.find(digests, MOST_RELATED + 1).references  # itself is among them
        others = [other for other in self._readable(found) if other.reference != report.reference]
        related = [
            Related(other.head, clues.because(kinds), clues.may_be_duplicate(report, other))
            for other in others[:MOST_RELATED]
            if (kinds := clues.shared(report, other))
        ]
        if related:
            self._seen(officer, [one.head.reference for one in related])
        return related

    def _readable(self, references: Sequence[str]) -> list[Report]:
        """The reports there are, in that order. One that cannot be read is left to whoever opens it."""
        reports = self._store.read_many(references)
        there = (reports.get(reference) for reference in references)
        return [report for report in there if isinstance(report, Report) and not report.synthetic]

    def _seen(self, officer: Officer, references: Sequence[str]) -> None:
        at = self._clock().replace(microsecond=0)
        self._store.log_access(officer.actor, "list", references, at, self._mint())
