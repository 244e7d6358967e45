"""Reconciles all that there is, every night: a round through the table that ends in a proof (`proof.py`).

In the table (`pk` / `sk`): `RECONCILIATION` / `PROOF`, what the last round came to; `rounds.py` says how far this one
is. See `docs/adr/0023-reconciliation.md`: why it reads the whole table.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chalicelib.crime_numbers import DEAD_AFTER, CrimeNumbers
from chalicelib.errors import described
from chalicelib.figures import LETTER_STATES, Figure, became
from chalicelib.ledger import SETTLED_AFTER, Ledger, told_by
from chalicelib.ledger import Difference as WrongFigure
from chalicelib.proof import (
    ANSWERED_WITHIN,
    LONG_OWED,
    NEWS_FOR,
    OWED,
    YOUNG,
    Account,
    Difference,
    Year,
    shown,
)
from chalicelib.report_items import letter_key, reference_of
from chalicelib.rounds import Rounds
from chalicelib.table import ConditionFailed, Item, Page, Table, unmarshal
from chalicelib.times import stamp
from chalicelib.verification import examine, letter_fault

STRETCH = 60.0  # seconds after which it is written down how far we are: what has been found may be megabytes
ENOUGH_TIME = 30.0  # seconds that a page of the table and writing it down may need
_PROOF = "RECONCILIATION", "PROOF"

Tell = Callable[[Difference], None]


@dataclass(frozen=True)
class Proof:
    """What a round came to: its text, and how many differences it found."""

    text: str
    at: str
    differences: int


@dataclass(frozen=True)
class Run:
    """How many histories this run has gone through, and how many differences it has told. `proof` if it has come to the
    end of the round.
    """

    histories: int
    differences: int
    proof: Proof | None


class Reconciliation:
    """Goes round the whole table, again and again. Where a run stops, the next one goes on."""

    def __init__(self, table: Table, numbers: CrimeNumbers, ledger: Ledger, clock: Callable[[], datetime]) -> None:
        self._table, self._numbers, self._ledger, self._clock = table, numbers, ledger, clock
        self._rounds = Rounds(table, clock)

    def go_on(self, time_left: Callable[[], float], tell: Tell) -> Run:
        """Go on from where the last run stopped to the proof, or until time is up. `time_left` gives seconds. What is
        found is told before it is written down that we are past it: cut off, it is told again.
        """
        round, found = self._rounds.take_over()
        account = found or self._begin(self._settled())
        work, pages = _Work(account, self._clock, tell), self._pages(round)
        while not round.get("scanned"):
            last = work.read(_stretch(pages, time_left))
            following = self._rounds.write_down(round, self._reached(round, last), account)
            if not following or time_left() < ENOUGH_TIME:
                return work.run(None)
            round = following
        return work.run(self._end(round, work))

    def prove(self, as_of: str) -> Proof:
        """The whole table at once, wherever the runs are. `as_of` is a moment before which all is written; nothing is
        written by this.
        """
        work = _Work(self._begin(as_of), self._clock, lambda difference: None)
        work.read(self._pages({}))
        return self._conclude(work)[0]

    def last(self) -> Proof | None:
        """What the last round came to."""
        item = self._table.get(*_PROOF)
        return Proof(item["text"], item["at"], item["differences"]) if item else None

    def _settled(self) -> str:
        self._ledger.move_on()
        return stamp(self._clock() - SETTLED_AFTER)

    def _begin(self, as_of: str) -> Account:
        register = {year: Year(taken, [loan.sequence(one) for loan in loans for one in loan.references])
                    for year, (taken, loans) in self._numbers.register().items()}  # fmt: skip
        return Account(as_of, register)

    def _pages(self, round: Item) -> Iterator[Page]:
        after = (round["after_pk"], round["after_sk"]) if "after_pk" in round else None
        only, given = "#sk = :report OR begins_with(#sk, :letter)", {"report": "REPORT", "letter": "LETTER#"}
        return self._table.scan(only=only, given=given, after=after)

    def _reached(self, round: Item, last: tuple[str, str] | None) -> Item:
        """How far the round is once all up to the key `last` is read; None is the end of the table."""
        pk, sk = last or (None, None)
        return {"after_pk": pk, "after_sk": sk, "scanned": None if last else 1,
                "began_at": round.get("began_at") or stamp(self._clock()), "ended_at": None}  # fmt: skip

    def _end(self, round: Item, work: "_Work") -> Proof | None:
        """The proof of a round that has seen all; None if another run is ahead of us. The ledger is mended last: cut
        off, the round that comes after this one finds it wrong again.
        """
        proof, wrong = self._conclude(work)
        with suppress(ConditionFailed):  # a later round has written its own
            self._table.update(*_PROOF, values={**vars(proof), "turn": round["turn"]},
                               condition="attribute_not_exists(pk) OR #turn <= :turn",
                               given={"turn": round["turn"]})  # fmt: skip
        over: Item = dict.fromkeys(("after_pk", "after_sk", "scanned", "began_at"))
        if not self._rounds.write_down(round, over | {"ended_at": proof.at}, None):
            return None
        if not work.account.counts["untold"]:  # else the figures kept may be the better ones
            with suppress(ConditionFailed):  # it is being moved on: the next round mends it
                self._ledger.mend(wrong)
        return proof

    def _conclude(self, work: "_Work") -> tuple[Proof, list[WrongFigure]]:
        account, now = work.account, self._clock()
        wrong = self._ledger.differences(account.sums, account.as_of)
        for difference in (*self._of_numbers(account, now), *account.at_last(), *map(_of_figure, wrong)):
            work.tell(difference)
        return Proof(account.text(len(wrong)), stamp(now), account.counts["differences"]), wrong

    def _of_numbers(self, account: Account, now: datetime) -> Iterator[Difference]:
        register = self._numbers.register()
        for number in account.twice:
            bearers = {reference_of(item) for item in self._table.query(
                index="by_crime_number", where="#crime_number = :number", given={"number": number})}  # fmt: skip
            yield Difference(number, f"It is on more than one report: {', '.join(map(shown, sorted(bearers)))}.")
        for year in sorted({*register, *account.given}):
            taken, void = self._numbers.taken_and_void(year)
            for sequence, what in account.numbers_that_differ(year, Year(taken, void=[*void])):
                yield Difference(self._numbers.number(year, sequence), what)
        for loan in (loan for _, loans in register.values() for loan in loans if loan.at < now - 2 * DEAD_AFTER):
            for reference, number in loan.numbers.items():
                yield Difference(number, f"It was taken for {shown(reference)}, and nobody has said what became of it.")


class _Work:
    """What one run does to the account."""

    def __init__(self, account: Account, clock: Callable[[], datetime], tell: Tell) -> None:
        self.account, self._clock, self._tell, self._before = account, clock, tell, account.histories
        self._told = 0

    def read(self, pages: Iterable[Page]) -> tuple[str, str] | None:
        """Count what is on them, and tell what is wrong with it. Gives the key up to which they go; None is the end of
        the table.
        """
        last = None
        for page in pages:
            last, now = page.last, self._clock()
            for stored in page.items:
                for difference in _found_in(stored, self.account, now):
                    self.tell(difference)
        return last

    def tell(self, difference: Difference) -> None:
        """Tell it, and keep it for the proof."""
        self._tell(difference)
        self.account.keep(difference)
        self._told += 1

    def run(self, proof: Proof | None) -> Run:
        """What this run has done."""
        return Run(self.account.histories - self._before, self._told, proof)


def _stretch(pages: Iterator[Page], time_left: Callable[[], float]) -> Iterator[Page]:
    """The pages of a stretch, at least one; `time_left` gives seconds."""
    until = max(time_left() - STRETCH, ENOUGH_TIME)
    for page in pages:
        yield page
        if time_left() <= until:
            return


def _found_in(stored: Mapping[str, Any], account: Account, now: datetime) -> Iterator[Difference]:
    if stored["sk"] == {"S": "REPORT"}:
        yield from _in_report(stored, account, now)
    else:
        yield from _in_letter(stored, account)


def _in_report(stored: Mapping[str, Any], account: Account, now: datetime) -> Iterator[Difference]:
    """What is broken still has a number and an acknowledgement, as far as that can be read."""
    it = examine(stored)
    reference = reference_of({"pk": stored["pk"]["S"]})
    yield from account.history(reference, it.fault, told=not it.broken)
    if number := _text(stored, "crime_number"):
        yield from account.number(reference, number)
    if "synthetic" in stored:
        yield from account.pair(reference, YOUNG)  # its letter is there, and nothing is owed
        return
    with suppress(Exception):  # what cannot be read
        account.sums.update(_figures(unmarshal(stored), account.as_of))
    yield from account.pair(reference, _owed(_came_at(stored), now))
    if it.report and not it.broken:
        yield from account.deadline(it.report, now)


def _in_letter(stored: Mapping[str, Any], account: Account) -> Iterator[Difference]:
    reference = reference_of({"pk": stored["pk"]["S"]})
    try:
        item = unmarshal(stored)
        figures, fault = _figures(item, account.as_of), letter_fault(item)
        state = became(str(item["state"]))
    except Exception as error:
        yield Difference(shown(reference), f"A letter of it cannot be read: {described(error)}.")
        return
    account.sums.update(figures)
    if fault:
        yield Difference(shown(reference), f"A letter of it is not as it was written. {fault}")
    if (item["pk"], item["sk"]) == letter_key(reference, 1):
        yield from account.pair(reference, state if state in LETTER_STATES else "sending")


def _came_at(stored: Mapping[str, Any]) -> str:
    """When a report was made, which may be later than when it was told in the live chat."""
    try:
        return str(json.loads(stored["history"]["L"][0]["S"])["at"])
    except (LookupError, TypeError, ValueError):  # it is broken, which is told elsewhere
        return _text(stored, "received_at")


def _owed(came_at: str, now: datetime) -> str:
    """Whether a report of that time is owed an acknowledgement."""
    if came_at < stamp(now - NEWS_FOR):
        return LONG_OWED
    return OWED if came_at < stamp(now - ANSWERED_WITHIN) else YOUNG


def _of_figure(wrong: WrongFigure) -> Difference:
    month, category, name = wrong.figure
    return Difference(f"{month}, {category}, {name}", f"{wrong.kept:,} kept, {wrong.recounted:,} recounted.")


def _figures(item: Item, as_of: str) -> list[Figure]:
    """As the ledger counts it, so that both are of one mind about what cannot be read."""
    tell = told_by(item)
    return tell(as_of) if tell else []


def _text(stored: Mapping[str, Any], name: str) -> str:
    return str(stored.get(name, {}).get("S", ""))
