"""What officers work from: pages of the queue by every filter, forwards and back, next, leases; and what each costs.

The costs are counted on a real database engine (DynamoDB Local), at 25 and at 2,500 open reports.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import boto3
import pytest
from botocore.config import Config

from chalicelib import report as life
from chalicelib.by_officers import only_held_on
from chalicelib.desk import FREE, Desk, Officer
from chalicelib.errors import NotFound, NotYourRole, Stale
from chalicelib.reference import derive
from chalicelib.report import LEASE, RENEW_AFTER, Actor, Claim, Report, Status
from chalicelib.report_items import head_values, new_item, places, written
from chalicelib.table import Table, marshal
from chalicelib.times import stamp
from chalicelib.triage import UNASSESSED
from chalicelib.wanted import MINE, QueuePage, Wanted
from chalicelib.wiring import mint
from infra.local.stack import create_table
from tests.fakes import ANN, BOB, BROKEN, NOW, SUE, FakeTable, Parts, Wire, answers, break_item, meanwhile

OFFICERS = 16
FEW, MANY = 25, 2_500
CATEGORIES = ("theft", "theft", "theft", "criminal_damage", "burglary")
PRIORITIES = ("standard", "standard", "high", "urgent")
FILTERS = [
    Wanted(),
    *(Wanted(category=category) for category in sorted(set(CATEGORIES))),
    *(Wanted(status=status) for status in ("received", "queued", "awaiting_information")),
    *(Wanted(priority=priority) for priority in (UNASSESSED, "urgent", "high", "standard")),
    Wanted(category="burglary", status="awaiting_information", priority="urgent"),
    Wanted(category="burglary", status="queued"),
    Wanted("awaiting_disposal"),
    Wanted("new_information"),
    Wanted("second_look"),
    Wanted(MINE),
    Wanted(MINE, category="theft", priority="standard"),
]


def made(number: int, untouched: bool = False) -> Report:
    """One of many open reports, some of each kind."""
    category = CATEGORIES[number % len(CATEGORIES)]
    at = NOW - timedelta(minutes=number % 1_400)
    report = life.receive(derive(number.to_bytes(16, "big")), category, answers(category), at)
    if untouched:
        return report
    report = life.triage(replace(report, priority=PRIORITIES[number % 4], reasons=("A reason", "Another")), at)
    status = Status.AWAITING_INFORMATION if number % 7 == 3 else Status.QUEUED
    return replace(report, status=status)


def item_of(report: Report) -> dict[str, Any]:
    """Straight into the table, as it is after its last change."""
    touched = report.version > 1
    return {
        **new_item(report, written(report.answers)),
        **(head_values(report) | places(report) if touched else {}),
        "token": b"t",
        "body": b"b",
    }


def held(report: Report, officer: Officer, now: datetime = NOW) -> Report:
    return replace(report, claim=Claim(officer.actor, now + LEASE))


def officer(number: int) -> Officer:
    return Officer(Actor(f"o-{number}", f"Officer {number}"), is_supervisor=False)


def fits(report: Report, wanted: Wanted, who: Officer = ANN) -> bool:
    said = {"category": report.category, "status": str(report.status), "priority": report.priority or UNASSESSED}
    asked = {name: getattr(wanted, name) for name in said if getattr(wanted, name)}
    there = report.claim is not None and report.claim.by == who.actor if wanted.list == MINE else report.is_open
    return there and wanted.list in ("open", MINE) and asked.items() <= said.items()


def in_order(reports: list[Report]) -> list[str]:
    rank = (None, "urgent", "high", "standard")
    return [report.reference for report in sorted(
        reports, key=lambda report: (rank.index(report.priority), report.deadline, report.reference))]  # fmt: skip


def references(page: QueuePage) -> list[str]:
    return [head.reference for _, head in page.heads]


# What a page shows


@pytest.fixture(scope="module")
def sixty() -> tuple[Parts, list[Report]]:
    """Sixty open reports: a third untouched, many of one second, some held."""
    parts, reports = Parts(FakeTable()), []
    for number in range(60):
        report = made(number, untouched=number % 3 == 0)
        at = report.received_at.replace(second=0, minute=report.received_at.minute // 10 * 10)
        report = replace(report, received_at=at)
        reports.append(held(report, ANN) if number % 6 == 1 else report)
        parts.table.put_new(item_of(reports[-1]))
    return parts, reports


@pytest.mark.parametrize("wanted", FILTERS, ids=str)
@pytest.mark.parametrize("limit", [1, 7, 50])
def test_pages_show_what_fits_in_order_and_each_once(sixty: Any, wanted: Wanted, limit: int) -> None:
    parts, reports = sixty
    expected = in_order([report for report in reports if fits(report, wanted)])
    pages = [parts.desk.queue(ANN, wanted, "", limit)]
    while pages[-1].more:
        pages.append(parts.desk.queue(ANN, wanted, pages[-1].heads[-1][0], limit))
    assert [reference for page in pages for reference in references(page)] == expected
    assert [page.earlier for page in pages] == [False, *[True] * (len(pages) - 1)]
    assert all(len(page.heads) == limit for page in pages[:-1])
    for before, page in pairwise(pages):
        assert parts.desk.queue(ANN, wanted, "", limit, before=page.heads[0][0]) == replace(before, more=True)


def test_there_is_something_in_most_lists(sixty: Any) -> None:
    empty = [wanted for wanted in FILTERS if not any(fits(report, wanted) for report in sixty[1])]
    assert [wanted.list for wanted in empty].count("open") <= 1 and len(empty) <= 4


def test_the_page_before_is_found_when_its_reports_have_gone_and_others_came(parts: Parts) -> None:
    reports = [made(number) for number in range(20)]
    for report in reports:
        parts.table.put_new(item_of(report))
    first = parts.desk.queue(ANN, Wanted(), "", 5)
    second = parts.desk.queue(ANN, Wanted(), first.heads[-1][0], 5)
    for reference in references(first)[:2] + references(second)[:1]:
        parts.crime(reference)
    new = parts.submit("new").reference
    before = parts.desk.queue(ANN, Wanted(), "", 5, before=second.heads[0][0])
    assert references(before)[:4] == [new, *references(first)[2:]]  # and one to fill the page
    assert (len(before.heads), before.earlier) == (5, False)
    assert references(parts.desk.queue(ANN, Wanted(), before.heads[-1][0], 3))[0] == references(second)[2]


@pytest.mark.parametrize("place", ["0", "0#", "0#~~~", "1", "2#x", "9", "9#2026-11-24T09:00:00Z#X"])
def test_a_place_of_nowhere_is_no_error(case: tuple[Parts, Wire], place: str) -> None:
    parts, _ = case
    parts.submit("untouched")
    parts.casework.triage(parts.submit("touched").reference)
    for wanted in FILTERS:
        parts.desk.queue(ANN, wanted, place)
        parts.desk.queue(ANN, wanted, before=place)


@pytest.mark.parametrize("broken", ["status", "received_at"])
def test_one_that_is_broken_keeps_nobody_from_the_rest(
    case: tuple[Parts, Wire], client: Any, broken: str, caplog: Any
) -> None:
    parts, _ = case
    bad, good = (parts.submit(token, harm={"injury": "yes"} if token == "bad" else {}) for token in ("bad", "good"))
    for report in (bad, good):
        parts.casework.triage(report.reference)
    break_item(client, parts.table._name, bad.reference, broken)
    assert references(parts.desk.queue(ANN, Wanted())) == [good.reference]
    taken = parts.desk.take_next(ANN)
    assert taken and taken.reference == good.reference
    assert "report cannot be listed" in caplog.text and str(BROKEN[broken]["S"]) not in caplog.text


def test_next_passes_over_one_that_cannot_be_read(case: tuple[Parts, Wire], client: Any, caplog: Any) -> None:
    parts, _ = case
    for token in ("answers", "history", "good"):
        reference = parts.submit(token).reference
        if token in BROKEN:
            break_item(client, parts.table._name, reference, token)
    taken = parts.desk.take_next(ANN)
    assert taken and taken.reference == reference
    assert parts.desk.take_next(BOB) is None


def test_what_is_mine_is_what_i_hold_now_decided_or_not(parts: Parts) -> None:
    mine, theirs, crimed = (parts.submit(token).reference for token in ("mine", "theirs", "crimed"))
    parts.crime(crimed, BOB)
    for officer, reference in ((ANN, mine), (BOB, theirs), (ANN, crimed)):
        parts.desk.claim(officer, reference, parts.now(reference).version)
    assert sorted(references(parts.desk.queue(ANN, Wanted(MINE)))) == sorted([mine, crimed])
    assert references(parts.desk.queue(ANN, Wanted(MINE, status="crimed"))) == [crimed]
    assert [head.reference for _, head in parts.desk.held_by(SUE, BOB.actor.id)] == [theirs]
    assert parts.store.accesses(officer=SUE.actor.id)[-1]["references"] == [theirs]
    with pytest.raises(NotYourRole):
        parts.desk.held_by(ANN, BOB.actor.id)
    parts.clock.now += LEASE
    assert references(parts.desk.queue(ANN, Wanted(MINE))) == [] == parts.desk.held_by(SUE, BOB.actor.id)


# Next


def test_next_after_a_lost_race_is_one_of_the_same_priority(case: tuple[Parts, Wire]) -> None:
    parts, wire = case
    for number in range(40):
        parts.table.put_new(item_of(replace(made(number), priority=("urgent", "high")[number > 19])))
    page = parts.desk.queue(ANN, Wanted())
    wire.meddle = meanwhile("get_item", 1, lambda: parts.desk.claim(BOB, references(page)[0], 2))
    taken = parts.desk.take_next(ANN)
    assert taken and taken.priority == "urgent" and taken.reference != references(page)[0]
    again = parts.desk.take_next(ANN)  # nobody is in the way
    assert again and again.reference == next(ref for ref in references(page)[1:] if ref != taken.reference)


def test_next_that_meets_nothing_but_others_ends(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(FREE + 5):
        parts.table.put_new(item_of(made(number)))
    tried: list[str] = []

    def gone(reference: str) -> None:
        tried.append(reference)

    monkeypatch.setattr(parts.store, "read", gone)
    assert parts.desk.take_next(ANN) is None
    assert len(tried) == len(set(tried)) == FREE


# Leases


def test_a_lease_is_renewed_by_its_holder_whatever_the_version(parts: Parts) -> None:
    reference = parts.submit("token").reference
    first = parts.desk.claim(ANN, reference, 1)
    assert parts.desk.renew(ANN, reference) == parts.clock.now + LEASE
    assert parts.now(reference) == first  # it is not worth an entry yet
    parts.clock.now += RENEW_AFTER
    parts.casework.add(reference, "an id", "There is a video.")
    assert parts.desk.renew(ANN, reference) == parts.clock.now + LEASE
    assert [entry["what"] for entry in parts.now(reference).entries] == ["received", "claimed", "added", "claimed"]
    assert life.verify(parts.now(reference)) is None


def test_a_lease_is_not_renewed_for_others_nor_once_it_has_ended(parts: Parts) -> None:
    reference = parts.submit("token").reference
    assert parts.desk.renew(ANN, reference) is None
    parts.desk.claim(ANN, reference, 1)
    assert parts.desk.renew(BOB, reference) is None
    parts.clock.now += LEASE
    assert parts.desk.renew(ANN, reference) is None
    parts.desk.claim(ANN, reference, 2)
    parts.desk.claim(SUE, reference, 3)
    assert parts.desk.renew(ANN, reference) is None


@pytest.mark.parametrize("times", [1, 10])
def test_a_lease_survives_what_others_change_meanwhile(case: tuple[Parts, Wire], times: int) -> None:
    parts, wire = case
    reference = parts.submit("token").reference
    until = parts.desk.claim(ANN, reference, 1).claim.until  # type: ignore[union-attr]
    parts.clock.now += RENEW_AFTER
    others = iter(range(times))

    def somebody_adds(number: int, name: str, call: Callable[[], Any]) -> Any:
        if name == "get_item" and (one := next(others, None)) is not None:
            answer = call()
            parts.casework.add(reference, f"id {one}", "More.")
            return answer
        return call()

    wire.meddle = somebody_adds
    assert parts.desk.renew(ANN, reference) in {parts.clock.now + LEASE, until}
    assert parts.now(reference).head.held_by(parts.clock.now) == ANN.actor


def test_a_full_history_ends_the_lease_when_it_ends(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    reference = parts.submit("token").reference
    until = parts.desk.claim(ANN, reference, 1).claim.until  # type: ignore[union-attr]
    parts.clock.now += RENEW_AFTER
    monkeypatch.setattr(life, "LARGEST_HISTORY", 10)
    assert parts.desk.renew(ANN, reference) == until


def test_going_on_is_told_from_what_somebody_else_did(parts: Parts) -> None:
    reference = parts.submit("token").reference
    seen = parts.desk.claim(ANN, reference, 1).version
    parts.clock.now += RENEW_AFTER
    parts.desk.renew(ANN, reference)
    assert only_held_on(parts.now(reference), seen, ANN.actor)
    assert not only_held_on(parts.now(reference), seen, BOB.actor)
    assert not only_held_on(parts.now(reference), seen + 1, ANN.actor)  # nothing has happened
    with pytest.raises(Stale):  # a program is told all the same: it sends the version that it read
        parts.desk.note(ANN, reference, seen, "as of then")
    parts.casework.add(reference, "an id", "There is a video.")
    parts.clock.now += RENEW_AFTER
    parts.desk.renew(ANN, reference)
    assert not only_held_on(parts.now(reference), seen + 1, ANN.actor)


# What it costs


class Counted:
    """A table of DynamoDB Local with a client of its own for each thread, and all requests counted."""

    def __init__(self, endpoint: str, name: str) -> None:
        self._endpoint, self.name = endpoint, name
        self.calls: list[str] = []
        create_table(endpoint, name)

    def client(self) -> Any:
        return boto3.client(
            "dynamodb", endpoint_url=self._endpoint, region_name="eu-west-2", aws_access_key_id="local",
            aws_secret_access_key="local", config=Config(retries={"mode": "standard", "max_attempts": 3}),
        )  # fmt: skip

    def parts(self) -> Parts:
        client = self.client()
        client.meta.events.register("before-call.dynamodb", lambda model, **_: self.calls.append(model.name))
        return Parts(Table(client, self.name))

    def fill(self, reports: list[Report]) -> None:
        client = self.client()
        puts = [{"PutRequest": {"Item": marshal(item_of(report))}} for report in reports]
        for start in range(0, len(puts), 25):
            client.batch_write_item(RequestItems={self.name: puts[start : start + 25]})

    def spent(self) -> Counter[str]:
        spent = Counter(self.calls)
        self.calls.clear()
        return spent


def untouched(number: int) -> bool:
    return number % 50 == 0


@pytest.fixture(scope="module")
def queues(dynamodb_local: str) -> Iterator[dict[int, Counted]]:
    """A queue of 25, and one of 2,500; Ann holds three in each."""
    made_of = {}
    for size in (FEW, MANY):
        made_of[size] = Counted(dynamodb_local, f"lists-{size}")
        reports = [made(number, untouched(number)) for number in range(size)]
        made_of[size].fill([held(report, ANN) if 3 <= n < 6 else report for n, report in enumerate(reports)])
    yield made_of


@pytest.mark.races
@pytest.mark.parametrize("wanted", FILTERS, ids=str)
def test_a_page_costs_the_same_few_requests_at_25_and_at_2500(queues: dict[int, Counted], wanted: Wanted) -> None:
    spent = {}
    for size, queue in queues.items():
        parts = queue.parts()
        queue.spent()
        page = parts.desk.queue(ANN, wanted)
        spent[size] = queue.spent()
        expected = [made(number, untouched(number)) for number in range(size)]
        expected = [held(report, ANN) if 3 <= n < 6 else report for n, report in enumerate(expected)]
        assert references(page) == in_order([report for report in expected if fits(report, wanted)])[:50]
    print(wanted, spent)
    assert spent[MANY]["PutItem"] == spent[FEW]["PutItem"] == 1  # that it was seen
    assert spent[MANY].total() <= 9


class Presses:
    """Sixteen officers press “next” together."""

    def __init__(self, queue: Counted, chance: Callable[[], str] = mint) -> None:
        self.results: list[Any] = [None] * OFFICERS
        several = [queue.parts() for _ in range(OFFICERS)]
        desks = [Desk(parts.store, parts.numbers, parts.finder, parts.clock, chance, {}) for parts in several]
        for parts in several:  # a connection each, as a warm function has
            parts.store.read("2" * 12)
        queue.spent()
        start = threading.Barrier(OFFICERS)

        def press(number: int) -> None:
            start.wait()
            try:
                self.results[number] = desks[number].take_next(officer(number))
            except Exception as error:
                self.results[number] = error

        threads = [threading.Thread(target=press, args=(number,)) for number in range(OFFICERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.spent = queue.spent()


@pytest.mark.races
@pytest.mark.parametrize(
    ("chance", "tries"),
    [
        pytest.param(mint, 5 * OFFICERS, id="each by its own chance"),
        pytest.param(
            lambda: "the same", OFFICERS * (OFFICERS + 1) // 2, id="all in the same order: the worst there is"
        ),
    ],
)
def test_sixteen_who_press_next_together_get_one_each(
    dynamodb_local: str, chance: Callable[[], str], tries: int
) -> None:
    queue = Counted(dynamodb_local, f"next-{mint()}")
    queue.fill([made(number, untouched(number)) for number in range(MANY)])
    pressed = Presses(queue, chance)
    print(pressed.spent)
    assert {type(result) for result in pressed.results} == {Report}
    taken = [result.reference for result in pressed.results]
    assert len(set(taken)) == OFFICERS
    for number, result in enumerate(pressed.results):
        assert result.claim.by == officer(number).actor and result.priority == "standard"  # the untouched, assessed
    # A list for each, a read and perhaps a write for each try, and a record of each that was seen.
    assert pressed.spent["GetItem"] <= tries and pressed.spent["UpdateItem"] <= tries
    assert pressed.spent["Query"] <= 5 * OFFICERS and pressed.spent["PutItem"] == 2 * OFFICERS


@pytest.mark.races
def test_next_ends_when_everything_is_held(dynamodb_local: str) -> None:
    queue = Counted(dynamodb_local, "next-held")
    queue.fill([held(made(number), officer(number)) for number in range(MANY)])
    pressed = Presses(queue)
    print(pressed.spent)
    assert pressed.results == [None] * OFFICERS
    assert pressed.spent == {"Query": pressed.spent["Query"]} and pressed.spent.total() <= OFFICERS * 10


# Who saw what


def test_an_officers_log_has_the_reports_they_opened_and_the_lists_and_a_reports_log_who_opened_it(
    parts: Parts,
) -> None:
    one, other = (parts.submit(token).reference for token in ("one", "other"))
    for look in (
        lambda: parts.desk.read(ANN, one),
        lambda: parts.desk.queue(ANN, Wanted()),
        lambda: parts.desk.read(BOB, other),
        lambda: parts.desk.folder_of(ANN, other),
        lambda: parts.casework.standing(one),
    ):
        look()
        parts.clock.advance(seconds=1)

    def seen(rows: list[dict[str, Any]]) -> list[tuple[str, str, list[str]]]:
        return [(row["officer_name"], row["what"], row["references"]) for row in rows]

    assert seen(parts.desk.accesses_of_officer(SUE, ANN.actor.id, 2)) == [
        ("Ann Officer", "evidence", [other]),
        ("Ann Officer", "list", [head.reference for head in parts.listed()]),
    ]
    assert seen(parts.desk.accesses_of_officer(SUE, ANN.actor.id, 50))[2:] == [("Ann Officer", "read", [one])]
    assert seen(parts.desk.accesses_of_report(SUE, one)) == [
        ("Sue Supervisor", "accesses", [one]),
        ("The person who reported", "status", [one]),
        ("Ann Officer", "read", [one]),
    ]
    assert [row["at"] for row in parts.desk.accesses_of_report(SUE, other)][-1] == stamp(NOW + timedelta(seconds=2))


def test_looking_at_a_log_is_logged_and_for_supervisors_only(parts: Parts) -> None:
    reference = parts.submit("token").reference
    for look in (
        lambda officer: parts.desk.accesses_of_report(officer, reference),
        lambda officer: parts.desk.accesses_of_officer(officer, BOB.actor.id, 50),
    ):
        with pytest.raises(NotYourRole):
            look(ANN)
        look(SUE)
        parts.clock.advance(seconds=1)
    with pytest.raises(NotFound):
        parts.desk.accesses_of_report(SUE, "2" * 12)
    logged = parts.desk.accesses_of_officer(SUE, SUE.actor.id, 50)
    assert [(row["what"], row["references"], row.get("whose")) for row in logged] == [
        ("accesses", [], SUE.actor.id), ("accesses", [], BOB.actor.id), ("accesses", [reference], None)
    ]  # fmt: skip
    assert parts.store.accesses(officer=ANN.actor.id) == []
