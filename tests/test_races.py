"""Races on a real database engine (DynamoDB Local): whoever comes at the same time, each thing happens once.

Officers, sweeps and submitters are threads with a store of their own each, as they have on Lambda.
"""

import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import boto3
import pytest
from botocore.config import Config

from chalicelib.casework import Casework
from chalicelib.chats import Chats
from chalicelib.crime_numbers import CrimeNumbers
from chalicelib.desk import Desk, Officer
from chalicelib.errors import AlreadySent, NotAllowed, Stale
from chalicelib.finder import Finder
from chalicelib.forms import EXAMPLES
from chalicelib.ledger import SETTLED_AFTER, Ledger
from chalicelib.life_cycle import Status
from chalicelib.report import Actor, Report, verify
from chalicelib.rule import BLOCK, Swept, TwentyFourHourRule
from chalicelib.senders import Outbox
from chalicelib.statistics import together
from chalicelib.store import Store
from chalicelib.table import Table
from chalicelib.times import month, stamp
from chalicelib.wiring import mint
from infra.local.stack import create_table

pytestmark = pytest.mark.races

RECEIVED = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
DUE = RECEIVED + timedelta(hours=24)
SECRET = b"a secret for tests"
YEAR = 2026
OFFICERS = 16
ROUNDS = 5


class Force:
    """Everybody who works on one table. The clock stands still unless it is set."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint, self._name = endpoint, f"races-{uuid.uuid4().hex}"
        create_table(endpoint, self._name)
        self.now = RECEIVED
        self.clock: Callable[[], datetime] = lambda: self.now
        self.store, self.numbers = self._store(), CrimeNumbers(self._table(), "20", mint)

    def casework(self) -> Casework:
        table = self._table()
        numbers = CrimeNumbers(table, "20", mint)
        return Casework(
            Store(table, lambda: (SECRET,)), numbers, Finder(table, lambda: (SECRET,)), Outbox(table),
            lambda: self.clock(), mint, "Exampleshire Police",
        )  # fmt: skip

    def desk(self) -> Desk:
        table = self._table()
        store = Store(table, lambda: (SECRET,))
        finder = Finder(table, lambda: (SECRET,))
        return Desk(store, CrimeNumbers(table, "20", mint), finder, lambda: self.clock(), mint, {})

    def sweep(self) -> Swept:
        table = self._table()
        rule = TwentyFourHourRule(Store(table, lambda: (SECRET,)), CrimeNumbers(table, "20", mint), lambda: self.now)
        return rule.crime_due_reports(lambda: 60.0)

    def reports(self, count: int) -> list[str]:
        """References of new reports."""
        casework, answers = self.casework(), EXAMPLES["theft"]
        return [casework.submit(answers, f"{self._name}-{number}").reference for number in range(count)]

    def read(self, reference: str) -> Report:
        report = self.store.read(reference)
        assert report
        assert verify(report) is None
        return report

    def account_for_every_number(self, references: list[str]) -> list[int]:
        """Check that each number taken is on one report or void; gives those on reports."""
        crimes = [report.crime for report in map(self.read, references) if report.crime]
        used = [int(crime.number.split("/")[1]) for crime in crimes]
        taken, void = self.numbers.taken_and_void(YEAR)
        assert sorted([*used, *void]) == list(range(1, taken + 1))
        assert self.numbers.abandoned(self.now + timedelta(days=1)) == []
        return sorted(used)

    def _store(self) -> Store:
        return Store(self._table(), lambda: (SECRET,))

    def _table(self) -> Table:
        client = boto3.client(
            "dynamodb",
            endpoint_url=self._endpoint,
            region_name="eu-west-2",
            aws_access_key_id="local",
            aws_secret_access_key="local",
            config=Config(retries={"mode": "standard", "max_attempts": 3}),
        )
        return Table(client, self._name)


@pytest.fixture
def force(dynamodb_local: str) -> Force:
    return Force(dynamodb_local)


def officer(number: int) -> Officer:
    return Officer(Actor(f"o-{number}", f"Officer {number}"), is_supervisor=False)


def attempt(act: Callable[[], Any]) -> Any:
    """What `act` gives or raises."""
    try:
        return act()
    except Exception as error:
        return error


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """What each of `acts` gives or raises; all begin together."""
    start, results = threading.Barrier(len(acts)), [None] * len(acts)

    def run(place: int, act: Callable[[], Any]) -> None:
        start.wait()
        results[place] = attempt(act)

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.mark.parametrize("round", range(3))
def test_officers_and_the_sweep_on_the_same_reports(force: Force, round: int) -> None:
    references = force.reports(6)
    force.now = DUE
    desks = [force.desk() for _ in range(OFFICERS)]

    def crimes_all(number: int) -> list[Report | Exception]:
        return [
            attempt(
                lambda reference=reference: desks[number].crime(
                    officer(number), reference, 1, "45", "further_investigation", None, None
                )
            )
            for reference in references[number % 6 :] + references[: number % 6]
        ]

    *told, swept = at_once(*(lambda number=number: crimes_all(number) for number in range(OFFICERS)), force.sweep)

    outcomes = Counter(type(result) for results in told for result in results)
    by_rule = sum(report.crime.by.id == "24-hour rule" for report in map(force.read, references) if report.crime)
    assert swept == Swept(crimed=by_rule, failed=0, unfinished=False)
    assert outcomes[Report] == len(references) - by_rule
    assert outcomes.keys() <= {Report, Stale, NotAllowed}  # every loser is told, nobody sees an error
    assert outcomes.total() == OFFICERS * len(references)
    assert len(force.account_for_every_number(references)) == len(references)
    for results in told:
        for result in results:
            if isinstance(result, Report):
                assert force.read(result.reference).crime == result.crime


@pytest.mark.parametrize("round", range(3))
def test_officer_who_does_not_crime_and_the_sweep(force: Force, round: int) -> None:
    references = force.reports(8)
    force.now = DUE
    desk = force.desk()

    def close_all() -> list[Any]:
        return [
            attempt(lambda one=one: desk.not_crime(officer(1), one, 1, "no_offence", "It was lent", {}))
            for one in reversed(references)
        ]

    closed, *swept = at_once(close_all, force.sweep, force.sweep)
    assert [(type(sweep), sweep.failed) for sweep in swept] == [(Swept, 0)] * 2
    for reference, result in zip(reversed(references), closed, strict=True):
        crimed = force.read(reference).status is Status.CRIMED
        assert crimed == isinstance(result, Stale | NotAllowed)
    force.account_for_every_number(references)


@pytest.mark.parametrize("round", range(3))
def test_notes_and_claims_while_the_sweep_runs(force: Force, round: int) -> None:
    references = force.reports(5)
    force.now = DUE
    desk = force.desk()

    def bother() -> list[Any]:
        noted = []
        for number, reference in enumerate(references * 3):
            version, text = force.read(reference).version, f"note {number}"
            noted.append(attempt(lambda one=reference, now=version, said=text: desk.note(officer(1), one, now, said)))
            attempt(lambda one=reference, now=version + 1: desk.claim(officer(1), one, now))
        return noted

    noted, swept = at_once(bother, force.sweep)
    assert {type(result) for result in noted} <= {Report, Stale, NotAllowed}
    assert any(isinstance(result, Report) for result in noted)
    force.sweep()  # the next minute takes what was changed too often
    assert swept.crimed + swept.failed == len(references)
    assert len(force.account_for_every_number(references)) == len(references)
    assert {report.crime.by.id for report in map(force.read, references) if report.crime} == {"24-hour rule"}


@pytest.mark.parametrize("round", range(3))
def test_the_person_adds_twice_while_an_officer_and_the_rule_decide(force: Force, round: int) -> None:
    (reference,) = force.reports(1)
    force.now = DUE
    people = [force.casework() for _ in range(4)]
    decide = lambda: force.desk().crime(officer(1), reference, 1, "45", "filed", None, None)  # noqa: E731
    *told, _, _ = at_once(
        *(lambda one=one: one.add(reference, "an id", "There is a video.") for one in people), decide, force.sweep
    )
    assert {type(result) for result in told} <= {Report, NotAllowed}
    assert any(isinstance(result, Report) for result in told)
    force.sweep()
    what = [entry["what"] for entry in force.read(reference).entries]
    assert sorted(what) == ["added", "crimed", "received"]
    assert len(force.account_for_every_number([reference])) == 1


@pytest.mark.parametrize("round", range(3))
def test_two_sweeps_at_once(force: Force, round: int) -> None:
    references = force.reports(60)
    force.now = DUE
    first, second = at_once(force.sweep, force.sweep)
    assert first.crimed + second.crimed == len(references)
    assert (first.failed, second.failed) == (0, 0)
    assert len(force.account_for_every_number(references)) == len(references)
    assert force.sweep() == Swept(0, 0, unfinished=False)


def test_two_sweeps_at_once_over_hundreds_while_officers_decide_some(force: Force) -> None:
    """Each sweep has threads of its own, and a block for most of them."""
    references = force.reports(6 * BLOCK)
    force.now = DUE

    def decides(number: int) -> list[Any]:
        mine, desk = sorted(references[number::16]), force.desk()
        crime = partial(desk.crime, officer(number), offence="45", disposal="further_investigation", outcome=None)
        close = partial(desk.not_crime, officer(number), reason="no_offence", rationale="It was lent", more={})
        acts = [partial(crime, text=None) if place % 2 else close for place in range(len(mine))]
        return [attempt(partial(act, reference=one, version=1)) for act, one in zip(acts, mine, strict=True)]

    *told, first, second = at_once(*(partial(decides, number) for number in range(4)), force.sweep, force.sweep)

    results = [result for one in told for result in one]
    assert {type(result) for result in results} <= {Report, Stale, NotAllowed}
    assert [(type(swept), swept.failed, swept.unfinished) for swept in (first, second)] == [(Swept, 0, False)] * 2
    reports = list(map(force.read, references))
    decisions = [[entry["by"] for entry in one.entries if entry["what"] in ("crimed", "not_crimed")] for one in reports]
    assert {len(deciders) for deciders in decisions} == {1}, "each is decided once"
    by_rule = sum(deciders == ["24-hour rule"] for deciders in decisions)
    assert first.crimed + second.crimed == by_rule < len(references)
    assert sum(isinstance(result, Report) for result in results) == len(references) - by_rule
    assert len(force.account_for_every_number(references)) == sum(one.crime is not None for one in reports)
    assert force.numbers.register()[YEAR][1] == [], "every loan is closed"
    assert force.sweep() == Swept(0, 0, unfinished=False)


@pytest.mark.parametrize("round", range(3))
def test_same_submission_from_many_sides_is_one_report(force: Force, round: int) -> None:
    caseworks, answers = [force.casework() for _ in range(OFFICERS)], EXAMPLES["burglary"]
    results = at_once(*(lambda casework=casework: casework.submit(answers, "one token") for casework in caseworks))
    assert len({result.reference for result in results}) == 1
    assert {result.version for result in results} == {1}
    assert list(force.store.due(DUE)) == [results[0].reference]


def test_one_token_with_different_answers_keeps_the_first(force: Force) -> None:
    def sends(number: int) -> Callable[[], Report]:
        answers = {**EXAMPLES["burglary"], "what_happened": f"Version {number}"}
        casework = force.casework()
        return lambda: casework.submit(answers, "one token")

    results = at_once(*map(sends, range(OFFICERS)))
    (kept,) = (result for result in results if isinstance(result, Report))
    assert sum(isinstance(result, AlreadySent) for result in results) == OFFICERS - 1
    assert force.read(kept.reference).answers == kept.answers


def test_next_gives_each_report_to_one_officer(force: Force) -> None:
    references, triage = force.reports(40), force.casework()
    for reference in references[::2]:  # some are triaged, some are not
        triage.triage(reference)

    def takes_all(number: int) -> Callable[[], list[str]]:
        desk = force.desk()

        def take() -> list[str]:
            taken = []
            while report := desk.take_next(officer(number)):
                taken.append(report.reference)
            return taken

        return take

    results = at_once(*map(takes_all, range(OFFICERS)))
    assert sorted(reference for taken in results for reference in taken) == sorted(references)
    for number, taken in enumerate(results):
        assert {force.read(reference).claim.by.id for reference in taken} <= {f"o-{number}"}  # type: ignore[union-attr]


@pytest.mark.parametrize("round", range(2))
def test_triage_twice_at_once_and_an_officer_in_between(force: Force, round: int) -> None:
    (reference,) = force.reports(1)
    one, two, desk = force.casework(), force.casework(), force.desk()
    results = at_once(
        lambda: one.triage(reference), lambda: two.triage(reference), lambda: desk.claim(officer(1), reference, 1)
    )
    assert {type(result) for result in results[:2]} == {bool}  # neither failed; both may have written the same entry
    report = force.read(reference)
    assert Counter(entry["what"] for entry in report.entries)["triaged"] == 1
    assert report.status is Status.QUEUED
    assert bool(report.claim) == isinstance(results[2], Report)


def test_letter_is_sent_once_by_many_consumers(force: Force) -> None:
    (reference,) = force.reports(1)
    senders = [force.casework() for _ in range(8)]
    at_once(*(lambda sender=sender: sender.send_letter(reference, 1) for sender in senders))
    assert [letter["state"] for letter in force.store.letters(reference)] == ["sent"]
    letters = Outbox(force._table()).letters()
    assert [letter["template"] for letter in letters] == ["acknowledgement"]


# The figures


def test_figures_are_exact_while_everybody_works_and_the_ledger_is_moved_on(force: Force) -> None:
    """By the real clock. The ledger waits for two seconds instead of ten minutes: long enough for a write here."""
    force.clock = lambda: datetime.now(UTC)
    waits = SETTLED_AFTER - timedelta(seconds=2)
    ledgers = [Ledger(force._table(), lambda: datetime.now(UTC) + waits, lambda: None) for _ in range(3)]
    end, lock, done = time.monotonic() + 5, threading.Lock(), Counter[str]()

    def work(who: Officer) -> None:
        casework, desk, number = force.casework(), force.desk(), 0
        while time.monotonic() < end:
            report = casework.submit(EXAMPLES["theft"], f"{who.actor.id}-{number}")
            if number % 3:
                desk.crime(who, report.reference, 1, "44", "further_investigation", None, None)
            casework.send_letter(report.reference, 1)
            number += 1
            with lock:
                done.update(["reports", "letters", *(["crimes"] if number % 3 != 1 else [])])

    def told(ledger: Ledger) -> dict[str, int]:
        months = sorted({month(datetime.now(UTC) - timedelta(hours=1)), month(datetime.now(UTC))})
        row = together(months, ledger.sums(months), {})
        return {"reports": row["reports"], "crimes": row["crimes"], "letters": row["letters"]["sent"]}

    def look_and_move_on(ledger: Ledger) -> int:
        looks = 0
        while time.monotonic() < end:
            with lock:
                before = done.copy()
            found = told(ledger)
            assert all(before[name] <= found[name] for name in before)
            ledger.move_on()
            looks += 1
        return looks

    acts = [partial(work, officer(number)) for number in range(4)] + [partial(look_and_move_on, one) for one in ledgers]
    *worked, first, second, third = at_once(*acts)
    assert worked == [None] * 4 and min(first, second, third) > 1
    assert told(ledgers[0]) == done and done["crimes"] > 10
    assert ledgers[0].as_of() > stamp(datetime.now(UTC) - timedelta(seconds=30)), "it was moved on meanwhile"


class Nobody:
    """Nobody is connected."""

    def tell_visitor(self, chat: str, message: Any) -> None: ...
    def tell_advisor(self, officer: str, message: Any) -> None: ...
    def tell_advisors(self, message: Any) -> None: ...


def chats_of(force: Force) -> Chats:
    finder = Finder(force._table(), lambda: (SECRET,))
    return Chats(force._table(), force.store, finder, Nobody(), lambda: force.now, mint)


def test_many_advisors_take_what_waits_and_each_conversation_has_one(force: Force) -> None:
    begun = [chats_of(force).begin(mint(), {"name": "Eve"}, f"It is number {number}").id for number in range(8)]
    taken = at_once(*(partial(chats_of(force).take_next, officer(number)) for number in range(OFFICERS)))
    assert sorted(one.id for one in taken if one) == sorted(begun), taken
    for one in filter(None, taken):
        assert chats_of(force).find(one.id).advisor == one.advisor


def test_both_sides_write_at_once_and_send_everything_twice(force: Force) -> None:
    chats, said = chats_of(force), 12
    id = chats.begin(mint(), {"name": "Eve"}, "My bicycle is gone").id
    chats.take(officer(1), id)

    def writes(say: Callable[[str, str], Any], who: str) -> list[Any]:
        return [attempt(partial(say, f"{who} {number}", f"{who}-{number}")) for number in range(said)]

    results = at_once(*(
        partial(writes, say, who)
        for _ in range(2)
        for who, say in (("visitor", partial(chats_of(force).visitor_says, id)),
                         ("advisor", partial(chats_of(force).advisor_says, officer(1), id)))
    ))  # fmt: skip
    assert not [one for result in results for one in result if isinstance(one, Exception)]
    entries = [entry for entry in chats.find(id).entries if entry.what == "said"]
    for who in ("visitor", "advisor"):
        order = [entry.text for entry in entries if entry.text.startswith(who)]
        assert order == [f"{who} {number}" for number in range(said)]
    assert [entry.number for entry in chats.find(id).entries] == list(range(1, 2 * said + 3))


def test_an_end_and_a_last_word(force: Force) -> None:
    for _ in range(ROUNDS):
        id = chats_of(force).begin(mint(), {"name": "Eve"}, "My bicycle is gone").id
        chats_of(force).take(officer(1), id)
        said, ended, _ = at_once(
            partial(chats_of(force).visitor_says, id, "One more thing", "m2"),
            partial(chats_of(force).end, officer(1), id),
            partial(chats_of(force).hand_over, officer(1), id, officer(2).actor),
        )
        whats = [entry.what for entry in chats_of(force).find(id).entries]
        assert ("m2" in [entry.id for entry in chats_of(force).find(id).entries]) != isinstance(said, NotAllowed)
        assert ("ended" in whats) != isinstance(ended, NotAllowed)
        if "ended" in whats:
            assert "said" not in whats[whats.index("ended") :]
