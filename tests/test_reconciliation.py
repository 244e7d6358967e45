"""The reconciliation: whatever does not add up is found and named, and nothing else is; a round that is cut off, or
that others work beside, comes to the same proof.
"""

import logging
from collections import Counter
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from door import Door
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib import reconciliation, telemetry, wiring
from chalicelib.figures import of_report
from chalicelib.handlers import background
from chalicelib.ledger import Difference as WrongFigure
from chalicelib.ledger import Ledger
from chalicelib.proof import MOST_NAMED, Account, Difference, Year, unpacked
from chalicelib.reconciliation import ENOUGH_TIME, Reconciliation
from chalicelib.reference import parse, show, smoke_token
from chalicelib.report_items import key, letter_key
from chalicelib.table import Item, Table
from chalicelib.times import stamp
from infra import reconcile
from infra.local import stack as local
from tests.fakes import ANN, BROKEN, SUE, Died, FakeTable, Parts, Wire, break_item, dies, meanwhile, repeats
from tests.test_ledger import STARTS, STEPS, Force

ROUND, PROOF = ("RECONCILIATION", "ROUND"), ("RECONCILIATION", "PROOF")
PLENTY = lambda: 900.0  # noqa: E731


@pytest.fixture(autouse=True)
def _a_page_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconciliation, "STRETCH", 0.0)


class Told(list[Difference]):
    """What was complained of."""

    __call__ = list.append

    @property
    def abouts(self) -> list[str]:
        return sorted({about for about, _ in self})


def settled(count: int = 6, parts: Parts | None = None) -> tuple[Parts, list[str]]:
    """Reports of each end, all of them in the ledger: crimed, by the rule, cancelled, closed, open. One number is void,
    and there is one of the smoke test's.
    """
    parts = parts or Parts(FakeTable())
    references = [parts.submit(f"token {number}").reference for number in range(count)]
    parts.submit(smoke_token(b"a secret of the tests"))
    crimed, cancelled, closed, *_ = references
    parts.crime(crimed)
    parts.crime(cancelled)
    parts.desk.cancel(SUE, cancelled, parts.now(cancelled).version, "C2", "It was found", {})
    parts.desk.not_crime(ANN, closed, 1, "no_offence", "It was lent", {})
    parts.numbers.close(parts.numbers.borrow([closed], parts.clock.now), {closed: "not used"})
    parts.clock.advance(hours=23, minutes=59)
    parts.sweep()
    references.append(parts.submit("open").reference)
    for reference in references:
        parts.deliver_letters(reference)
    parts.clock.advance(hours=2)
    parts.ledger.move_on()
    return parts, references


def proved(parts: Parts) -> tuple[str, Told]:
    """The proof of a round, and what was told on the way."""
    told = Told()
    run = parts.reconciliation.go_on(PLENTY, told)
    assert run.proof and run.differences == len(told) == run.proof.differences
    return run.proof.text, told


# What adds up


def test_the_proof_reads_aloud() -> None:
    parts, _ = settled()
    text, told = proved(parts)
    assert not told
    assert text.splitlines() == [
        "Reconciliation as of 10:49am on Tuesday 24 November 2026",
        "7 received = 4 crimed + 1 cancelled + 1 not crimed + 1 open",
        "6 crime numbers taken = 5 on a report each + 1 void + 0 on their way",
        "6 decided in time + 1 open and not yet due + 0 late",
        "7 of 7 reports older than an hour have their acknowledgement (7 sent, 0 withheld, 0 failed)",
        "8 histories are whole",
        "The figures of 1 month equal this recount",
        "Everything adds up.",
    ]
    last = parts.reconciliation.last()
    assert last and (last.text, last.differences) == (text, 0)


def test_one_crime_number_is_told_in_the_singular(parts: Parts) -> None:
    parts.crime(parts.submit("one").reference)
    assert "\n1 crime number taken = 1 on a report each" in proved(parts)[0]


def test_an_empty_table_adds_up(parts: Parts) -> None:
    text, told = proved(parts)
    assert not told and "0 received = 0 crimed" in text and text.endswith("Everything adds up.")


@given(st.sampled_from(STARTS), STEPS, STEPS)
@settings(max_examples=100, deadline=None)
def test_whatever_happens_before_and_meanwhile_nothing_is_told_that_is_not_so(
    start: datetime, before: list[tuple[str, int, int]], meanwhile: list[tuple[str, int, int]]
) -> None:
    """Each run has time for one page; between two of them, and so for days, the force works on."""
    force, told = Force(start), Told()
    for step in before:
        force.do(step)
    for reference in force.references:
        force.parts.deliver_letters(reference)
    known, parts = set(force.references), force.parts
    while not (run := parts.reconciliation.go_on(lambda: 0.0, told)).proof:
        for step in meanwhile[:7]:
            force.do(step)
        del meanwhile[:7]
    for about, what in told:
        reference = parse(about)
        assert reference, (about, what)
        if "acknowledgement" in what:  # nobody delivers those of the second half
            assert reference not in known
        else:
            assert parts.now(reference).is_late(parts.clock.now) and ("late" in what or "due" in what)
    assert "equal this recount" in run.proof.text


# What does not


def falsify(parts: Parts, name: str, by: int, month: str = "2026-11") -> str:
    """Change one of the figures that are kept; gives its name."""
    figure = month, "theft", name
    kept = parts.ledger.sums([month])[figure]
    parts.ledger.mend([WrongFigure(figure, kept, kept + by)])
    return ", ".join(figure)


class Damage:
    """Does something to the table; every method gives what must be told then, and nothing else may be."""

    def __init__(self, parts: Parts, references: list[str], reference: str) -> None:
        self.parts, self.items = parts, parts.table.items
        self.other = next(one for one in references if one != reference and parts.now(one).crime)
        self.reference, self.report = reference, parts.now(reference)
        self.number = self.report.crime.number if self.report.crime else None

    @property
    def item(self) -> Item:
        return self.items[key(self.reference)]  # type: ignore[no-any-return]

    def a_report_is_gone(self) -> set[str]:
        """Its letter is still there, its number is nowhere, and the figures were more."""
        gone = self.items.pop(key(self.reference))
        return {show(gone["pk"][7:]), *self._its_number(), *self._its_figures()}

    def a_report_is_gone_with_all_it_had(self) -> set[str]:
        for pk, sk in [place for place in self.items if place[0] == self.item["pk"] and place[1] != "REPORT"]:
            del self.items[pk, sk]
        del self.items[key(self.reference)]
        return {*self._its_number(), *self._its_figures(), *LETTERS}

    def a_number_is_on_two(self) -> set[str]:
        theirs = self.parts.now(self.other).crime
        assert theirs
        self.item["crime_number"] = theirs.number
        return {show(self.reference), theirs.number, *self._its_number()}

    def a_number_was_never_taken(self) -> set[str]:
        self.item["crime_number"] = "20/7/26"
        return {show(self.reference), "20/7/26", *self._its_number()}

    def a_number_is_beyond_all(self) -> set[str]:
        self.item["crime_number"] = "20/999999999/26"
        return {show(self.reference), "20/999999999/26", *self._its_number()}

    def a_number_is_none(self) -> set[str]:
        self.item["crime_number"] = "Eve"
        return {show(self.reference), *self._its_number()}

    def a_void_number_is_no_longer(self) -> set[str]:
        (place,) = [place for place in self.items if place[0] == "CRIME_NUMBERS#2026"]
        del self.items[place]
        return {"20/3/26"}

    def a_number_becomes_void(self) -> set[str]:
        number = self.number or "20/1/26"
        sequence = f"{int(number.split('/')[1]):09}"
        self.items["CRIME_NUMBERS#2026", sequence] = {"pk": "CRIME_NUMBERS#2026", "sk": sequence, "void": "so"}
        return {number}

    def a_loan_is_never_closed(self) -> set[str]:
        loan = self.parts.numbers.borrow([self.reference], self.parts.clock.now - timedelta(hours=2, seconds=1))
        return set(loan.numbers.values())

    def the_register_is_set_back(self) -> set[str]:
        self.items["CRIME_NUMBERS", "2026"]["taken"] = 5
        return {"20/6/26"}

    def the_acknowledgement_is_gone(self) -> set[str]:
        del self.items[letter_key(self.reference, 1)]
        return {show(self.reference), *LETTERS}

    def the_acknowledgement_never_ended(self) -> set[str]:
        letter = self.items[letter_key(self.reference, 1)]
        letter["state"] = "sending"
        for name in ("changed", "changed_at"):
            del letter[name]
        return {show(self.reference), *LETTERS}

    def a_letter_has_left_the_index(self) -> set[str]:
        del self.items[letter_key(self.reference, 1)]["changed"]
        return {show(self.reference)}

    def a_letter_cannot_be_read(self) -> set[str]:
        self.items[letter_key(self.reference, 1)]["asked_at"] = "yesterday"
        return {show(self.reference), *LETTERS}

    def a_report_has_left_the_index(self) -> set[str]:
        self.item.pop("changed_at", None) or self.item.pop("due")
        return {show(self.reference)}

    def a_head_is_changed(self) -> set[str]:
        self.item["status"] = "queued"
        return {show(self.reference)}

    def a_history_is_changed(self) -> set[str]:
        self.item["history"][-1] += " "
        return {show(self.reference)}

    def a_category_is_changed(self) -> set[str]:
        self.item["category"] = "burglary"
        theirs = self._its_figures()
        return theirs | {figure.replace("theft", "burglary") for figure in theirs}

    def a_month_is_falsified(self) -> set[str]:
        return {falsify(self.parts, "within_24h", -1)}

    def a_month_is_gone(self) -> set[str]:
        kept = self.parts.ledger.sums(["2026-11"])
        del self.items["FIGURES", "2026-11"]
        return {", ".join(figure) for figure, count in kept.items() if count}

    def an_invented_figure(self) -> set[str]:
        return {falsify(self.parts, "crimes", 3, "2019-01")}

    def _its_number(self) -> set[str]:
        return {self.number} if self.number else set()

    def _its_figures(self) -> set[str]:
        return {", ".join(figure) for figure in of_report("theft", self.report.entries, "9999")}


LETTERS = {"2026-11, theft, letters.sent", "2026-11, theft, letter_took.1439", "2026-11, theft, letter_took.0"}
DAMAGES = [name for name in vars(Damage) if name.startswith(("a_", "an_", "the_"))]


@pytest.mark.parametrize("which", range(7), ids=["crimed", "cancelled", "closed", *["by the rule"] * 3, "open"])
@pytest.mark.parametrize("name", DAMAGES)
def test_each_damage_is_found_and_named_and_nothing_else_is(name: str, which: int) -> None:
    parts, references = settled()
    expected = getattr(Damage(parts, references, references[which]), name)()
    text, told = proved(parts)
    assert {about for about, _ in told} - LETTERS == expected - LETTERS
    assert bool(LETTERS & set(told.abouts)) is bool(LETTERS & expected)
    assert all(f"{about}: {what}" in text for about, what in told)
    assert "Everything adds up" not in text and not [word for word in ("Eve", "yesterday") if word in text]


def test_the_figures_are_mended_unless_a_history_is_broken() -> None:
    for broken in (False, True):
        parts, references = settled()
        right = parts.ledger.sums(["2026-11"])
        damage = Damage(parts, references, references[0])
        damage.a_month_is_falsified()
        if broken:
            damage.a_history_is_changed()
        assert "The figures of 1 month differ from this recount in 1 place" in proved(parts)[0]
        assert (parts.ledger.sums(["2026-11"]) == right) is not broken
        assert bool(proved(parts)[1]) is broken


def test_a_number_on_its_way_is_no_difference_and_one_that_was_used_meanwhile_is_none_either() -> None:
    parts, references = settled()
    loan = parts.numbers.borrow([references[-1]], parts.clock.now)
    text, told = proved(parts)
    assert not told and "7 crime numbers taken = 5 on a report each + 1 void + 1 on their way" in text
    assert not parts.reconciliation.go_on(lambda: 0.0, told).proof
    parts.numbers.close(loan, {references[-1]: "not used"})
    parts.crime(references[-1])
    assert parts.reconciliation.go_on(PLENTY, told).proof and not told


def test_lateness_stays_named_and_is_a_difference_for_a_week() -> None:
    parts = Parts(FakeTable())
    reference = parts.submit("late").reference
    parts.deliver_letters(reference)
    parts.clock.advance(hours=24)
    assert not proved(parts)[1]
    parts.clock.advance(seconds=1)
    (open_yet,) = proved(parts)[1]
    assert open_yet == (show(reference), "It is open, and was due at 9:00am on Tuesday 24 November 2026.")
    parts.sweep()
    parts.clock.advance(days=7, seconds=-2)
    (late,) = proved(parts)[1]
    assert late == (show(reference), "It was decided late: it was due at 9:00am on Tuesday 24 November 2026.")
    parts.clock.advance(seconds=1)
    text, told = proved(parts)
    assert not told and f"0 decided in time + 0 open and not yet due + 1 late: {show(reference)}" in text


def test_an_acknowledgement_is_owed_after_an_hour() -> None:
    parts = Parts(FakeTable())
    reference = parts.submit("late").reference
    parts.clock.advance(hours=1)
    assert not proved(parts)[1]
    parts.clock.advance(seconds=1)
    text, told = proved(parts)
    assert told == [(show(reference), "It has no acknowledgement.")]
    assert "0 of 1 reports older than an hour have their acknowledgement" in text


@pytest.mark.parametrize("state", ["", "sending"])
def test_an_acknowledgement_that_went_missing_stays_named_and_is_a_difference_for_a_week(state: str) -> None:
    parts, (reference, *_, open_one) = settled()
    parts.crime(open_one)
    letter = parts.table.items.pop(letter_key(reference, 1))
    if state:
        never_ended = {name: value for name, value in letter.items() if name not in ("changed", "changed_at")}
        parts.table.items[letter_key(reference, 1)] = never_ended | {"state": state}
    parts.clock.now = parts.now(reference).received_at + timedelta(days=7)
    assert show(reference) in proved(parts)[1].abouts
    parts.clock.advance(seconds=1)
    text, told = proved(parts)
    assert not told
    assert "6 of 7 reports older than an hour have their acknowledgement (6 sent, 0 withheld, 0 failed), not " in text
    assert f"failed), not {show(reference)}\n" in text


def test_letters_of_before_they_said_what_they_count_as_are_found(parts: Parts) -> None:
    """Of a report, and of the smoke test's, which is owed none; the kept figures had counted the former."""
    parts, (reference, *_) = settled()
    smoke = parts.submit(smoke_token(b"a secret of the tests")).reference
    parts.deliver_letters(smoke)
    for one in (reference, smoke):
        for name in ("category", "asked_at", "changed", "changed_at"):
            parts.table.items[letter_key(one, 1)].pop(name, None)
    assert {"theft" in about for about in proved(parts)[1].abouts} == {True}
    text, told = proved(parts)
    assert not told and "7 of 7 reports older than an hour have their acknowledgement" in text


def test_the_smoke_tests_letter_is_nobodys_difference(parts: Parts) -> None:
    smoke = parts.submit(smoke_token(b"a secret of the tests")).reference
    parts.deliver_letters(smoke)
    parts.clock.advance(hours=2)
    text, told = proved(parts)
    assert not told and "0 of 0 reports" in text
    assert not {"category"} & parts.table.items[letter_key(smoke, 1)].keys()


@given(st.permutations([("a", "owed"), ("b", "owed"), ("c", "young"), ("a", "sent"), ("b", "sending"), ("d", "failed"),
                        ("e", "owed"), ("f", "long owed"), ("g", "long owed"), ("g", "sending")]))  # fmt: skip
def test_reports_and_acknowledgements_find_each_other_in_any_order(order: list[tuple[str, str]]) -> None:
    account = Account("2026-11-26T02:00:00Z")
    found = [one.what for reference, standing in order for one in account.pair(reference, standing)]
    found += [one.what for one in account.at_last()]
    assert sorted(found) == ["It has no acknowledgement.", "Its acknowledgement is still being sent.",
                             "Its acknowledgement is there, and the report is not."]  # fmt: skip
    assert (account.counts["owed"], account.counts["sent"]) == (5, 1)
    assert sorted(account.unanswered) == ["A report whose key is no reference"] * 4


def test_sums_that_do_not_add_up_are_told() -> None:
    account = Account("2026-11-26T02:00:00Z")
    account.sums.update({("2026-11", "theft", "reports"): 3, ("2026-11", "theft", "crimed"): 1,
                         ("2026-11", "theft", "not_crimed.no_offence"): 1, ("2026-11", "burglary", "reports"): 1,
                         ("2026-11", "burglary", "open"): 1, ("2026-11", "theft", "crimes"): 5})  # fmt: skip
    assert [one.about for one in account.at_last()] == ["2026-11 theft"]


# A round is remembered

COUNTS = st.dictionaries(st.sampled_from(["reports", "open", "not_crimed.no_offence", "crimes_cancelled.C1",
                                          *(f"{kind}.{time}" for kind in ("took", "letter_took")
                                            for time in (0, 1, 59, 1440, 86_400))]), st.integers(1, 9))  # fmt: skip


@given(
    st.dictionaries(st.tuples(st.sampled_from(["2026-11", "2026-12"]), st.sampled_from(["theft", "burglary"])), COUNTS)
)
def test_what_is_remembered_is_what_was_counted(by_month: dict[tuple[str, str], dict[str, int]]) -> None:
    account = Account("2026-11-26T02:00:00Z", {2026: Year(3, [2], [])})
    account.sums.update({(*place, name): count for place, counts in by_month.items() for name, count in counts.items()})
    for reference, number in (("A", "20/1/26"), ("B", "20/1/26"), ("C", "20/99/25")):
        assert not [*account.number(reference, number)]
    assert not [*account.pair("A", "owed")]
    account.keep(Difference("A", "so"))
    account.late.append("A")
    assert unpacked(account.packed()) == account


def test_what_a_round_remembers_of_a_force_has_an_end() -> None:
    """Ten years of 2,500 reports a month, a third of them decided by officers at every minute of the day; and as many
    names as there may be.
    """
    account = Account("2026-11-26T02:00:00Z", {2000 + year: Year(30_000) for year in range(10)})
    for month in range(120):
        for category in ("burglary", "theft", "criminal_damage"):
            place = f"{2000 + month // 12}-{month % 12 + 1:02}", category
            account.sums.update({(*place, f"took.{number * 7919 % 1440}"): 1 + number % 3 for number in range(280)})
            account.sums.update({(*place, f"letter_took.{time}"): 50 + time * month for time in range(6)})
    for number in range(1, 30_000):
        for year in range(10):
            account.given[2000 + year] = account.given.get(2000 + year, 0) | 1 << number
    for number in range(9_999):
        list(account.pair(f"{number * 7919:012}", "owed"))
        account.keep(Difference(f"{number:012}", "It has no acknowledgement."))
    assert (len(account.found), account.counts["differences"]) == (MOST_NAMED, 9_999)
    assert len(account.packed()) < 300_000
    assert "9,899 more are in the log." in account.text(0)


# A round through the table


def pile(parts: Parts, count: int) -> list[str]:
    """References of reports with their letters, seen by officers."""
    references = [parts.submit(f"token {number}").reference for number in range(count)]
    for reference in references:
        parts.casework.triage(reference)
        parts.casework.send_letter(reference, 1)
        parts.desk.read(ANN, reference)
    parts.clock.advance(minutes=20)
    return references


def broken_in(parts: Parts, client: Any, references: list[str]) -> list[str]:
    """What is told of references that were broken, each in another way."""
    for reference, attribute in zip(references, BROKEN, strict=False):
        break_item(client, parts.table._name, reference, attribute)
    return sorted(map(show, references[: len(BROKEN)]))


def named(told: Told) -> list[str]:
    """The references that were told."""
    return sorted({about for about, _ in told if parse(about)})


def kept_round(parts: Parts) -> Item:
    item: Item = parts.table.get(*ROUND)
    return item


def test_one_run_proves_it_and_what_cannot_be_read_stops_nothing(case: tuple[Parts, Wire], client: Any) -> None:
    parts, wire = case
    references, told = pile(parts, 20), Told()
    broken = broken_in(parts, client, references)
    wire.page_size = 7
    run = parts.reconciliation.go_on(PLENTY, told)
    assert run.histories == 20 and run.proof
    assert named(told) == broken
    assert not [word for word in ("Eve", "example.com", "07700", "yesterday") if word in run.proof.text]
    assert "found" not in kept_round(parts) and "after_pk" not in kept_round(parts)


def test_a_run_that_has_no_more_time_is_gone_on_with_by_the_next(case: tuple[Parts, Wire], client: Any) -> None:
    parts, wire = case
    broken, told = broken_in(parts, client, pile(parts, 20)), Told()
    wire.page_size = 5
    runs = []
    while not runs or not runs[-1].proof:
        left = iter([900.0, 900.0, ENOUGH_TIME - 1])
        runs.append(parts.reconciliation.go_on(lambda left=left: next(left), told))  # type: ignore[misc]
    assert len(runs) > 2 and sum(run.histories for run in runs) == 20
    assert named(told) == broken
    again = parts.reconciliation.go_on(PLENTY, Told())  # the next round begins at the beginning
    assert again.histories == 20 and again.proof


def test_it_is_written_down_once_a_minute_and_before_time_is_up(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page takes 11 seconds here."""
    monkeypatch.setattr(reconciliation, "STRETCH", 60.0)
    for number in range(80):
        parts.deliver_letters(parts.submit(f"token {number}").reference)
    parts.clock.advance(minutes=20)
    left, written = [120.0], list[float]()

    def time_left() -> float:
        if (turn := (kept_round(parts) or {}).get("turn")) and turn > len(written):
            written.append(left[0])
        return left[0]

    scan = parts.table.scan

    def scanned(**how: Any) -> Any:
        for page in scan(**how):
            left[0] -= 11
            yield page

    parts.table.scan = scanned
    assert not parts.reconciliation.go_on(time_left, Told()).proof
    assert written == [120, 54, 21]


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", range(1, 60, 4))
def test_a_run_that_dies_anywhere_leaves_nothing_out(
    case: tuple[Parts, Wire], client: Any, at: int, after: bool
) -> None:
    parts, wire = case
    broken, told = broken_in(parts, client, pile(parts, 8)), Told()
    wire.page_size = 9
    wire.calls.clear()
    wire.meddle = dies(at, after)
    with pytest.raises(Died):
        parts.reconciliation.go_on(PLENTY, told)
        parts.reconciliation.go_on(PLENTY, told)
    wire.meddle = lambda number, name, call: call()
    while not (run := parts.reconciliation.go_on(PLENTY, told)).proof:
        pass
    assert named(told) == broken
    assert all(f"\n{reference}: " in run.proof.text for reference in broken)
    assert "3 histories are whole, 5 broken" in run.proof.text


def test_a_write_made_twice_by_the_sdk_does_not_end_the_run(case: tuple[Parts, Wire]) -> None:
    parts, wire = case
    pile(parts, 10)
    wire.page_size, wire.meddle = 4, repeats
    run = parts.reconciliation.go_on(PLENTY, Told())
    assert run.histories == 10 and run.proof and not run.differences


WRITES = ["taking it over", "first part", "first page", "a part", "a page", "last page", "proof", "end", "mending"]


@pytest.mark.parametrize("at", WRITES)
def test_of_two_runs_at_once_one_stops(case: tuple[Parts, Wire], client: Any, at: str) -> None:
    """The other one does all that is left, while this one is about to write. Nothing is mended twice."""
    parts, wire = case
    pile(parts, 12)
    wire.page_size = 20
    proved(parts)  # what a round writes is in the table then, and makes no further page
    falsify(parts, "reports", 5)
    wire.calls.clear()
    parts.reconciliation.prove(stamp(parts.clock.now))
    pages, table = wire.calls.count("scan"), Table(client, parts.table._name)
    rival = Reconciliation(table, parts.numbers, Ledger(table, parts.clock, lambda: None), parts.clock)
    last = 1 + 2 * pages
    nth = dict(zip(WRITES, (1, 2, 3, 4, 5, last, last + 1, last + 2, last + 3), strict=True))[at]

    def do() -> None:
        parts.clock.advance(seconds=1)
        assert rival.go_on(PLENTY, Told()).proof

    wire.meddle = meanwhile("update_item", nth, do)
    proves = bool(parts.reconciliation.go_on(PLENTY, Told()).proof)
    assert pages > 3 and proves is (at in ("taking it over", "mending"))
    assert "12 received" in parts.reconciliation.last().text  # type: ignore[union-attr]
    assert not proved(parts)[1]


def on_a_real_engine(endpoint: str, name: str) -> tuple[Parts, Wire]:
    """Casework over a new table of DynamoDB Local's, and the wire to it."""
    local.create_table(endpoint, name)
    wire = Wire(boto3.client("dynamodb", endpoint_url=endpoint, region_name="eu-west-2", aws_access_key_id="local",
                             aws_secret_access_key="local"))  # fmt: skip
    return Parts(Table(wire, name)), wire  # type: ignore[arg-type]


def test_it_holds_on_a_real_engine_where_partitions_come_in_no_order(dynamodb_local: str) -> None:
    parts, wire = on_a_real_engine(dynamodb_local, "reconciled")
    parts, references = settled(12, parts)
    wire.page_size = 5
    told, runs = Told(), 1
    while not (run := parts.reconciliation.go_on(lambda: 0.0, told)).proof:
        parts.desk.note(ANN, references[-1], parts.now(references[-1]).version, "meanwhile")
        runs += 1
    assert runs > 5 and not told and run.proof.text.endswith("Everything adds up.")
    pk, sk = key(references[0])
    wire.delete_item(TableName="reconciled", Key={"pk": {"S": pk}, "sk": {"S": sk}})
    _, told = proved(parts)
    assert {show(references[0]), "20/1/26", "2026-11, theft, reports"} <= {about for about, _ in told}
    assert not proved(parts)[1].abouts[2:]  # its number, and its letter; the figures were mended


# At night, by hand, and at the desk


def test_the_night_counts_and_names_what_is_wrong_and_says_nothing_of_what_is_in_it(
    parts: Parts, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    whole, broken = parts.submit("whole").reference, parts.submit("broken").reference
    parts.table.items[key(broken)]["status"] = "Eve Example"
    measured = Counter[str]()
    monkeypatch.setattr(background, "measure", lambda name, value=1: measured.update({name: value}))
    monkeypatch.setattr(wiring, "_installed", parts)
    background.reconcile(lambda: 900_000.0)
    assert measured == {"Reconciled": 2, "Differences": 1} and measured.keys() <= telemetry.METRICS.keys()
    complaint, summary = caplog.records
    assert vars(complaint)["about"] == show(broken) and "ValueError" in vars(complaint)["what"]
    assert vars(summary)["proof"][-2:] == ["1 difference:", f"{show(broken)}: {vars(complaint)['what']}"]
    assert "Eve" not in str([vars(record) for record in caplog.records]) and show(whole) not in caplog.text


def test_a_night_without_a_difference_says_so(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    measured: list[Any] = []
    monkeypatch.setattr(background, "measure", lambda *given: measured.append(given))
    monkeypatch.setattr(wiring, "_installed", parts)
    background.reconcile(lambda: 900_000.0)
    assert measured == [("Differences", 0), ("Reconciled", 0)]


def test_what_was_told_before_a_run_failed_is_counted(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was written down that we are past it, so no other run tells it again."""
    references = [parts.submit(f"token {number}").reference for number in range(3)]
    parts.table.items[key(references[0])]["status"] = "nonsense"
    measured = Counter[str]()
    monkeypatch.setattr(background, "measure", lambda name, value=1: measured.update({name: value}))
    monkeypatch.setattr(wiring, "_installed", parts)
    with monkeypatch.context() as down:
        down.setattr(Ledger, "differences", lambda *_: 1 / 0)
        with pytest.raises(background.Failed):
            background.reconcile(lambda: 900_000.0)
    background.reconcile(lambda: 900_000.0)
    assert measured["Differences"] == 1


def test_by_hand_all_is_proved_at_once_and_nothing_is_written(
    case: tuple[Parts, Wire], client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts, wire = case
    references = pile(parts, 6)
    said = {"REPORTS_TABLE": parts.table._name, "FORCE_CODE": "20"}
    deployment = SimpleNamespace(stage="dev", settings=said, client=lambda name: wire, now=parts.clock)
    monkeypatch.setattr(reconcile, "load", lambda root, stage: deployment)
    monkeypatch.setattr(reconcile.settings, "check_account", lambda deployment: None)
    wire.calls.clear()
    assert reconcile.main("dev").endswith("Everything adds up.")
    break_item(client, parts.table._name, references[0], "answers")
    with pytest.raises(SystemExit) as refused:
        reconcile.main("dev")
    assert f"\n{show(references[0])}: It cannot be read" in str(refused.value)
    assert str(refused.value).endswith("docs/runbook.md, “Something does not add up”")
    assert set(wire.calls) == {"scan", "query", "get_item", "batch_get_item"}


def test_a_stage_that_is_not_deployed_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconcile, "load", lambda root, stage: SimpleNamespace(stage="dev", settings={}))
    monkeypatch.setattr(reconcile.settings, "check_account", lambda deployment: None)
    with pytest.raises(SystemExit, match="make deploy STAGE=dev"):
        reconcile.main("dev")


def test_supervisors_read_the_last_proof(app_module: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wiring, "_installed", None)
    door = Door(app_module.app)
    door.has_session("supervisor")
    assert "That has not happened yet" in door.get("/desk/proof").text
    door.service.casework.submit({"category": "theft", "contact": {}}, "token")
    door.clock.advance(minutes=20)
    door.service.reconciliation.go_on(PLENTY, Told())
    page = door.get("/desk/proof")
    assert page.status == 200 and "at 9:20am on Monday 23 November 2026" in page.text
    assert "1 received = 0 crimed + 0 cancelled + 0 not crimed + 1 open" in page.text
    door.has_session("officer")
    assert door.get("/desk/proof").status == 403 and "/desk/proof" not in door.get("/desk").text
