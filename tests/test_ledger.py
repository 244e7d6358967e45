"""The ledger against a recount that is written out plainly: random lives, redeliveries, late writes, crashes."""

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.errors import AlreadySent, InvalidAnswers, NotAllowed, Stale
from chalicelib.figures import Figure, minutes_between, of_letter, of_report
from chalicelib.ledger import BEGINNING, SETTLED_AFTER, Difference, told_by
from chalicelib.ledger import NOW as EVER
from chalicelib.report import Heard
from chalicelib.statistics import CANCEL_CODES, CATEGORIES, NOT_CRIMED_REASONS, monthly, months_between
from chalicelib.table import ConditionFailed
from chalicelib.times import stamp
from tests.fakes import ANN, SUE, Died, FakeTable, Parts, answers, moto_dynamodb, moto_table

MONTHS = months_between("2026-01", "2027-12")
STARTS = [
    datetime(2026, 3, 28, 20, tzinfo=UTC),  # the clocks go forward at 1:00 on the 29th
    datetime(2026, 10, 24, 20, tzinfo=UTC),  # and back on the 25th
    datetime(2026, 3, 31, 22, 30, tzinfo=UTC),  # half past eleven at night in London
    datetime(2026, 12, 31, 23, 30, tzinfo=UTC),
    datetime(2026, 11, 23, 9, tzinfo=UTC),
]


class Meddled(FakeTable):
    """Something happens before each write; a report's write may be late."""

    def __init__(self) -> None:
        super().__init__()
        self.before_write: Callable[[str], None] = lambda pk: None

    def put_new(self, item: Any) -> None:
        self.before_write(item["pk"])
        super().put_new(item)

    def update(self, pk: str, sk: str, **what: Any) -> Any:
        self.before_write(pk)
        return super().update(pk, sk, **what)


def london_month(at: datetime | str) -> str:
    moment = datetime.fromisoformat(at) if isinstance(at, str) else at
    return moment.astimezone(ZoneInfo("Europe/London")).strftime("%Y-%m")


def nearest_rank(times: list[int], share: float) -> int | None:
    return sorted(times)[-(-int(share * 100) * len(times) // 100) - 1] if times else None


def recount(parts: Parts, references: set[str], month: str, category: str) -> dict[str, Any]:
    """By the reports as they stand, one count at a time: nothing here knows of histories or of the ledger."""
    reports = [one for one in map(parts.now, sorted(references)) if one.category == category]
    received = [one for one in reports if london_month(one.received_at) == month]
    crimes = [(one, one.crime) for one in reports if one.crime and london_month(one.crime.at) == month]
    took = [minutes_between(stamp(one.received_at), stamp(crime.at)) for one, crime in crimes]
    letters = [(letter, parts.now(ref).entries[letter["version"] - 1]["at"]) for ref in references
               for letter in parts.store.letters(ref) if parts.now(ref).category == category]  # fmt: skip
    ended = [(letter, asked_at) for letter, asked_at in letters
             if letter["state"] != "sending" and london_month(letter["at"]) == month]  # fmt: skip
    sent = [minutes_between(asked_at, letter["at"]) for letter, asked_at in ended if letter["state"] == "sent"]
    return {
        "month": month,
        "reports": len(received),
        "crimes": len(crimes),
        "by_category": {category: {"reports": len(received), "crimes": len(crimes)}},
        "by_source": {
            source: {"reports": sum(bool(one.conversation) is chat for one in received),
                     "crimes": sum(bool(one.conversation) is chat for one, _ in crimes)}
            for source, chat in (("online", False), ("live_chat", True))
        },
        "crimed_within_24h": sum(crime.at - one.received_at <= timedelta(hours=24) for one, crime in crimes),
        "crimed_automatically": sum(crime.by.id == "24-hour rule" for _, crime in crimes),
        "cancelled": {code: sum(crime.cancelled == code for _, crime in crimes) for code in CANCEL_CODES},
        "time_to_crime": {"median_minutes": nearest_rank(took, 0.5), "p95_minutes": nearest_rank(took, 0.95)},
        "not_crimed": {why: sum(one.not_crimed_reason == why for one in received) for why in NOT_CRIMED_REASONS},
        "call_backs": sum(one.call_backs > 0 for one in received),
        "open": sum(one.is_open for one in received),
        "letters": {
            **{state: sum(letter["state"].startswith(state) for letter, _ in ended)
               for state in ("sent", "withheld", "failed")},
            "median_minutes": nearest_rank(sent, 0.5),
            "p95_minutes": nearest_rank(sent, 0.95),
        },
    }  # fmt: skip


class Force:
    """A force at work, by random steps."""

    def __init__(self, start: datetime) -> None:
        self.table = Meddled()
        self.parts = Parts(self.table)
        self.parts.clock.now = start
        self.references: list[str] = []

    def do(self, step: tuple[str, int, int]) -> None:
        kind, which, how = step
        if kind in ("submit", "wait", "sweep", "move_on", "cut_off", "two_at_once", "late"):
            getattr(self, kind)(which, how)
        elif self.references:
            reference = self.references[which % len(self.references)]
            with suppress(NotAllowed, Stale, InvalidAnswers):
                self.change(kind, reference, how)

    def submit(self, which: int, how: int) -> None:
        category = CATEGORIES[which % 3]
        contact = {"full_name": "Eve", "email": "eve@example.com"} if how % 2 else {"full_name": "Eve", "phone": "1"}
        told_at = self.parts.clock.now - timedelta(minutes=(0, 9, 1439, 4000)[how % 4])
        heard = None if which % 2 else Heard(told_at, "c1", ANN.actor)
        with suppress(AlreadySent):
            for _ in range(2):  # twice, as a phone does
                sent = self.parts.casework.submit(answers(category, contact=contact), f"token{which}", heard=heard)
                self.references.append(sent.reference)

    def wait(self, which: int, how: int) -> None:
        self.parts.clock.advance(minutes=(1, 9, 11, 61, 300, 1439, 4000, 50_000)[which % 8], seconds=how)

    def sweep(self, which: int, how: int) -> None:
        self.parts.sweep()
        self.parts.sweep()

    def move_on(self, which: int, how: int) -> None:
        self.parts.ledger.move_on()

    def cut_off(self, which: int, how: int) -> None:
        """It dies before one of its writes: it has one for each month that has changed, and one for the ledger."""
        left = [how % 4]

        def die(pk: str) -> None:
            if not left[0]:
                raise Died
            left[0] -= 1

        self.table.before_write = die
        with suppress(Died):
            self.parts.ledger.move_on()
        self.table.before_write = lambda pk: None

    def two_at_once(self, which: int, how: int) -> None:
        """Another one, a minute later, runs through before a write of this one."""
        left = [how % 4]

        def another(pk: str) -> None:
            left[0] -= 1
            if left[0] == -1:
                self.parts.clock.advance(minutes=1)
                self.parts.ledger.move_on()

        self.table.before_write = another
        self.parts.ledger.move_on()
        self.table.before_write = lambda pk: None

    def late(self, which: int, how: int) -> None:
        """A report is stamped, and written only after the ledger has been moved on, just within what it waits for."""

        def moved_on(pk: str) -> None:
            if pk.startswith("REPORT#"):
                self.table.before_write = lambda pk: None
                self.parts.clock.advance(seconds=SETTLED_AFTER.total_seconds() - 1)
                self.parts.ledger.move_on()

        self.table.before_write = moved_on
        if how % 2 and self.references:
            with suppress(NotAllowed, Stale):
                self.change("crime", self.references[which % len(self.references)], how)
        else:
            self.submit(which, how)
        self.table.before_write = lambda pk: None

    def change(self, kind: str, reference: str, how: int) -> None:
        desk, version = self.parts.desk, self.parts.now(reference).version
        match kind:
            case "triage":
                self.parts.casework.triage(reference)
                self.parts.casework.triage(reference)
            case "letters":
                self.parts.deliver_letters(reference)
                self.parts.deliver_letters(reference)
            case "call_back":
                desk.call_back(ANN, reference, version, ("no_answer", "reached")[how % 2], None)
            case "crime":
                desk.crime(ANN, reference, version, "44", ("filed", "further_investigation")[how % 2], None, None)  # type: ignore[arg-type]
            case "not_crime":
                desk.not_crime(ANN, reference, version, NOT_CRIMED_REASONS[how % 4], "why", {"force": "Other"})
            case "cancel":
                desk.cancel(SUE, reference, version, ("C1", "C2", "C4")[how % 3], "why", {})

    def check(self) -> None:
        sums = self.parts.ledger.sums(MONTHS)
        for category in CATEGORIES:
            for row in monthly(MONTHS, sums, {}, category):
                assert row == recount(self.parts, set(self.references), row["month"], category)


KINDS = ["submit", "submit", "wait", "wait", "sweep", "triage", "letters", "call_back", "crime", "crime", "not_crime",
         "cancel", "move_on", "move_on", "cut_off", "two_at_once", "late"]  # fmt: skip
STEPS = st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 9), st.integers(0, 59)), max_size=40)


@given(st.sampled_from(STARTS), STEPS)
@settings(max_examples=80, deadline=None)
def test_figures_are_those_of_a_recount_whatever_happened(start: datetime, steps: list[tuple[str, int, int]]) -> None:
    force = Force(start)
    for step in steps:
        force.do(step)
    force.check()
    force.parts.clock.advance(minutes=30)
    force.parts.ledger.move_on()
    force.check()
    assert force.parts.ledger.as_of() == stamp(force.parts.clock.now - SETTLED_AFTER)
    assert not force.parts.ledger.differences(recounted(force), force.parts.ledger.as_of())


def recounted(force: Force) -> Counter[Figure]:
    """All of the table, as the ledger's own rules tell it at the moment it stands at."""
    as_of = force.parts.ledger.as_of()
    told = filter(None, map(told_by, (item for item in force.table.items.values() if item["sk"][:6] != "ACCESS"
                                      and item["pk"].startswith("REPORT#"))))  # fmt: skip
    return Counter(figure for tell in told for figure in tell(as_of))


def at_work() -> Force:
    """Something of each kind, in two months, some of it in the ledger."""
    force = Force(datetime(2026, 3, 30, 20, tzinfo=UTC))
    for step in [("submit", 1, 1), ("submit", 2, 0), ("wait", 3, 0), ("move_on", 0, 0), ("crime", 0, 0),
                 ("letters", 0, 0),
                 ("wait", 6, 0), ("submit", 3, 1), ("submit", 4, 1), ("not_crime", 1, 1), ("cancel", 0, 1),
                 ("crime", 2, 0),
                 ("letters", 2, 0), ("call_back", 3, 0), ("wait", 3, 0)]:  # fmt: skip
        force.do(step)
    return force


@pytest.mark.parametrize("how", range(4))
@pytest.mark.parametrize("kind", ["cut_off", "two_at_once"])
def test_moving_on_that_dies_or_meets_another_counts_nothing_twice(kind: str, how: int) -> None:
    force = at_work()
    force.do((kind, 0, how))
    force.check()
    force.do(("submit", 7, 1))
    force.do(("move_on", 0, 0))
    force.check()
    assert not force.parts.ledger.differences(recounted(force), force.parts.ledger.as_of())


def test_there_are_writes_to_die_at() -> None:
    force, written = at_work(), []
    force.table.before_write = written.append
    force.parts.ledger.move_on()
    assert written == ["FIGURES"] * 3


def test_what_was_written_between_the_reading_and_the_writing_of_a_month_is_not_lost() -> None:
    """Another one has read the same month, and writes it in between."""
    force = at_work()
    seen: list[str] = []

    def another(pk: str) -> None:
        seen.append(pk)
        if len(seen) == 1:
            force.submit(5, 0)
            force.parts.clock.advance(minutes=11)
            force.parts.ledger.move_on()

    force.table.before_write = another
    force.parts.ledger.move_on()
    force.table.before_write = lambda pk: None
    force.check()


def test_a_request_reads_what_has_changed_and_no_more() -> None:
    """Figures of the past cost the same, however many reports it has."""
    with moto_dynamodb() as dynamodb:
        table, wire = moto_table(dynamodb)
        parts = Parts(table)
        costs = []
        for size in (3, 12):
            for number in range(size):
                reference = parts.submit(f"{size}-{number}").reference
                parts.crime(reference)
            parts.clock.advance(minutes=30)
            parts.ledger.move_on()
            wire.calls.clear()
            (row,) = parts.statistics("2026-11", "2026-11")
            costs.append(Counter(wire.calls))
        assert row["reports"] == row["crimes"] == 15
        assert costs[0] == costs[1] == {"get_item": 1, "query": 9}


def test_what_was_added_up_costs_two_reads_and_says_as_of_when() -> None:
    with moto_dynamodb() as dynamodb:
        table, wire = moto_table(dynamodb)
        parts = Parts(table)
        assert parts.ledger.added_up("2026-11") == (Counter(), BEGINNING)
        parts.crime(parts.submit("one").reference)
        parts.clock.advance(minutes=30)
        parts.ledger.move_on()
        parts.submit("two")
        before, as_of = stamp(parts.clock.now - SETTLED_AFTER), parts.ledger.added_up("2026-11")[1]
        wire.calls.clear()
        (row,) = monthly(["2026-11"], parts.ledger.added_up("2026-11")[0], {})
        assert (row["reports"], row["crimes"], as_of) == (1, 1, before)
        assert wire.calls == ["get_item", "get_item"]
        parts.clock.advance(days=1)
        assert parts.ledger.added_up("2026-11")[1] == before
        parts.ledger.move_on()
        parts.clock.advance(days=1)
        parts.ledger.move_on()
        sums, as_of = parts.ledger.added_up("2026-11")  # nothing of the month has changed on the last day
        assert (sums["2026-11", "theft", "reports"], as_of) == (2, stamp(parts.clock.now - SETTLED_AFTER))


def test_a_falsified_ledger_is_told_by_the_recount_and_mended() -> None:
    force = at_work()
    force.parts.ledger.move_on()
    as_of, right = force.parts.ledger.as_of(), recounted(force)
    figure = ("2026-03", "theft", "reports")
    force.parts.ledger.mend([Difference(figure, right[figure], right[figure] + 5)])  # that is no recount
    force.submit(6, 1)
    force.parts.clock.advance(minutes=40)
    force.parts.ledger.move_on()
    found = force.parts.ledger.differences(right, as_of)
    assert found == [Difference(figure, right[figure] + 5, right[figure])]
    force.parts.ledger.mend(found)
    assert not force.parts.ledger.differences(right, as_of)
    force.check()


def test_mending_gives_way_to_a_ledger_that_has_moved_on() -> None:
    force = at_work()
    force.parts.ledger.move_on()
    found = [Difference(("2026-03", "theft", "reports"), 1, 2)]

    def moved_on(pk: str) -> None:
        force.table.before_write = lambda pk: None
        item = force.table.items["FIGURES", "2026-03"]
        force.table.items["FIGURES", "2026-03"] = item | {"turn": item["turn"] + 1}

    force.table.before_write = moved_on
    with pytest.raises(ConditionFailed):
        force.parts.ledger.mend(found)
    force.check()


# Clocks that differ, and indexes that lag


def test_an_entry_that_is_stamped_before_the_one_before_it_is_not_passed_by() -> None:
    """The clock of the function that triages is a second behind, and the ledger stops between the two."""
    force = Force(STARTS[-1])
    force.do(("submit", 1, 1))
    received_at = force.parts.clock.now
    force.parts.clock.advance(seconds=-1)
    force.do(("triage", 0, 0))
    force.parts.clock.now = received_at + SETTLED_AFTER - timedelta(seconds=1)
    assert force.parts.ledger.move_on() == stamp(received_at - timedelta(seconds=1))
    force.check()
    force.do(("wait", 4, 0))
    force.do(("crime", 0, 0))
    force.check()


CLOCKS = st.tuples(st.integers(0, 2), st.integers(-2, 2))


@given(st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 4), st.integers(0, 59), CLOCKS), max_size=40))
@settings(max_examples=40, deadline=None)
def test_whoever_acts_has_a_clock_of_their_own(steps: list[tuple[str, int, int, tuple[int, int]]]) -> None:
    """Two seconds off at most, while the ledger is moved on second by second."""
    force = Force(datetime(2026, 3, 31, 22, 50, 5, tzinfo=UTC))
    for kind, which, how, (passed, off) in steps:
        force.parts.clock.advance(seconds=passed + off)
        force.do((kind, which, how))
        force.parts.clock.advance(seconds=-off)
    force.parts.clock.advance(seconds=SETTLED_AFTER.total_seconds() - 60)
    for _ in range(90):
        force.parts.clock.advance(seconds=1)
        force.parts.ledger.move_on()
    force.check()


class Lagging(Meddled):
    """What `by_changed` shows is what it showed when it was held."""

    held: Any = None

    def query(self, *, index: str | None = None, **what: Any) -> Any:
        if index != "by_changed" or self.held is None:
            return super().query(index=index, **what)
        items, self.items = self.items, self.held
        found = list(super().query(index=index, **what))
        self.items = items
        return iter(found)


@pytest.mark.parametrize("half", ["not there yet", "gone from its old place"])
def test_what_is_on_its_way_in_the_indexes_is_found_by_looking_twice(half: str) -> None:
    table = Lagging()
    parts = Parts(table)
    reference = parts.submit("a").reference
    if half != "not there yet":
        parts.casework.triage(reference)
    parts.clock.advance(minutes=40)
    held = {key: item for key, item in table.items.items() if half == "not there yet" or key[1] != "REPORT"}
    parts.desk.claim(ANN, reference, parts.now(reference).version)
    table.held = held
    parts.settle = lambda: setattr(table, "held", None)
    parts.ledger.move_on()
    (row,) = parts.statistics("2026-11", "2026-11")
    assert (row["reports"], row["open"]) == (1, 1)


def test_a_ledger_in_the_future_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """The clock of one run was a month ahead; that of all others is right."""
    force = Force(STARTS[-1])
    force.parts.clock.advance(days=30)
    force.parts.ledger.move_on()
    force.parts.clock.advance(days=-30)
    force.parts.ledger.move_on()
    assert [record.message for record in caplog.records] == ["the ledger is ahead of the clock"]


# The pure part


def test_nothing_is_counted_of_a_report_before_it_was_received() -> None:
    """Triage's clock may be a second behind the one that stamped the report."""
    entries = [{"at": "2026-11-23T09:00:01Z", "what": "received"}, {"at": "2026-11-23T09:00:00Z", "what": "triaged"}]
    assert of_report("theft", entries, "2026-11-23T09:00:00Z") == []
    assert of_report("theft", [], EVER) == []
    assert of_report("theft", entries, EVER) == [("2026-11", "theft", "reports"), ("2026-11", "theft", "open")]


def test_a_letter_counts_once_it_is_certain_what_became_of_it() -> None:
    times = "2026-11-30T23:00:00Z", "2026-12-01T01:10:00Z"
    assert of_letter("theft", "sending", *times, EVER) == []
    assert of_letter("theft", "sent", *times, times[0]) == []
    assert of_letter("theft", "sent", *times, times[1]) == [
        ("2026-12", "theft", "letters.sent"), ("2026-12", "theft", "letter_took.130")]  # fmt: skip
    assert of_letter("theft", "withheld: it is not safe", *times, EVER) == [("2026-12", "theft", "letters.withheld")]


@pytest.mark.parametrize(
    ("hours", "minutes"),
    [(0, 0), (0.99, 59), (24, 1440), (47.99, 2879), (48.5, 48 * 60), (1439, 1439 * 60), (1445, 60 * 1440), (-1, 0)],
)
def test_times_are_exact_to_the_minute_for_two_days_then_rounded_down(hours: float, minutes: int) -> None:
    first = datetime(2026, 3, 28, 12, tzinfo=UTC)
    assert minutes_between(stamp(first), stamp(first + timedelta(hours=hours))) == minutes
