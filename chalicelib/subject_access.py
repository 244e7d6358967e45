"""What one person is given of all that we hold about them (right of access: Data Protection Act 2018, section 45).

Their reports are found by what they gave us: an email address, a telephone number, a reference. A supervisor says which
of them are theirs. What was typed is kept nowhere.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chalicelib.clues import LONGEST, Clue, asked_for, clues_of
from chalicelib.desk import Officer
from chalicelib.errors import FieldError, InvalidAnswers
from chalicelib.finder import Finder
from chalicelib.report import Report
from chalicelib.store import Store

MOST_FOUND = 50  # the newest; more of one person is more than one file can have
MOST_LOOKS = 1_000
_THEIRS = ("email", "phone")
_WHAT_TO_ENTER = "Enter the email address or telephone number that they gave, or the reference of a report of theirs"


@dataclass(frozen=True)
class Found:
    """The reports of a person, newest first; `more` if there are others. `unreadable` are references of broken ones."""

    reports: list[Report]
    more: bool = False
    unreadable: tuple[str, ...] = ()


@dataclass(frozen=True)
class Holding:
    """A report with what is beside it: its letters, and who has looked at it."""

    report: Report
    letters: Sequence[dict[str, Any]]
    looks: Sequence[dict[str, Any]]


class SubjectAccess:
    """The verbs. `clock` gives aware UTC datetimes, `mint` unguessable texts of letters and digits."""

    def __init__(self, store: Store, finder: Finder, clock: Callable[[], datetime], mint: Callable[[], str]) -> None:
        self._store, self._finder, self._clock, self._mint = store, finder, clock, mint

    def find(self, officer: Officer, text: str) -> Found:
        """The reports with this email address or telephone number; with a reference, that report and whatever has the
        address or number that is in it. Raises InvalidAnswers, also if there is none.
        """
        named, wanted = self._meant(text)
        found = self._finder.find(self._finder.digests([clue] for clue in sorted(wanted)), MOST_FOUND)
        there = self._read(dict.fromkeys([*named, *found.references]))
        theirs = [one for one in there.reports if one.reference in named or wanted & clues_of(one.answers)]
        if not theirs and not there.unreadable:
            raise InvalidAnswers(errors=[FieldError("text", "No report was found. Check what you typed")])
        self._log_list(officer, theirs)
        return Found(theirs, found.more, there.unreadable)

    def listed(self, officer: Officer, references: Sequence[str]) -> Found:
        """The same reports once more, after one of them was to be handed over and could not."""
        there = self._read(dict.fromkeys(references[:MOST_FOUND]))
        self._log_list(officer, there.reports)
        return there

    def hand_over(self, officer: Officer, references: Sequence[str]) -> list[Holding]:
        """All that is held in these reports, for the person. That each is given out is recorded first (disclosure:
        Data Protection Act 2018, section 62). Raises InvalidAnswers.
        """
        if not 1 <= len(references) <= MOST_FOUND:
            raise InvalidAnswers(errors=[FieldError("chosen", f"Tick from one to {MOST_FOUND} reports")])
        there = self._read(dict.fromkeys(references))
        if len(there.reports) < len(set(references)):
            message = "A report that you ticked is not there any more, or cannot be read. Search again"
            raise InvalidAnswers(errors=[FieldError("chosen", message)])
        at = self._clock().replace(microsecond=0)
        for report in there.reports:
            self._store.log_access(officer.actor, "export", [report.reference], at, self._mint())
        return [self._holding(report) for report in there.reports]

    def _meant(self, text: str) -> tuple[list[str], set[Clue]]:
        """The report that was named, if one was, and the clues to look for."""
        if not text.strip():
            raise InvalidAnswers(errors=[FieldError("text", _WHAT_TO_ENTER)])
        try:
            asked = asked_for(text)
        except InvalidAnswers:
            if len(text) > LONGEST:
                raise
            raise InvalidAnswers(errors=[FieldError("text", _WHAT_TO_ENTER)]) from None
        report = self._store.read(asked.reference) if asked.reference else None
        if report and report.erased_at:
            raise InvalidAnswers(
                errors=[FieldError("text", "That report was erased. Nothing is kept about the person")]
            )
        clues = clues_of(report.answers) if report else {clue for meaning in asked.meanings for clue in meaning}
        wanted = {clue for clue in clues if clue.kind in _THEIRS}
        if not report and not wanted:
            message = "No report was found. Check what you typed" if asked.reference else _WHAT_TO_ENTER
            raise InvalidAnswers(errors=[FieldError("text", message)])
        return [report.reference] if report else [], wanted

    def _read(self, references: Iterable[str]) -> Found:
        """Those that are there and say something about a person, in that order."""
        wanted = list(references)
        read = self._store.read_many(wanted)
        there = [read[reference] for reference in wanted if reference in read]
        reports = [one for one in there if isinstance(one, Report) and not one.synthetic and not one.erased_at]
        broken = [reference for reference in wanted if isinstance(read.get(reference), Exception)]
        return Found(reports, unreadable=tuple(broken))

    def _holding(self, report: Report) -> Holding:
        reference = report.reference
        return Holding(
            report, self._store.letters(reference), self._store.accesses(reference=reference, limit=MOST_LOOKS)
        )

    def _log_list(self, officer: Officer, reports: Sequence[Report]) -> None:
        at = self._clock().replace(microsecond=0)
        self._store.log_access(officer.actor, "list", [one.reference for one in reports], at, self._mint())
