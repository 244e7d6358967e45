"""Reports' whole lives at random, against a simple model: public, triage, officers, sweep, letters, clock."""

from collections import Counter
from datetime import timedelta
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule

from chalicelib import by_public
from chalicelib import report as life
from chalicelib.desk import Officer
from chalicelib.errors import AlreadySent, NotAllowed, Stale
from chalicelib.report_items import key
from chalicelib.table import marshal
from chalicelib.times import month
from chalicelib.verification import examine
from tests.fakes import ANN, BOB, SUE, FakeTable, Parts

OFFICERS = st.sampled_from([ANN, BOB, SUE])
SAID: list[dict[str, Any]] = [
    {"category": "theft"},
    {"category": "burglary", "harm": {"injury": "yes"}},
    {"category": "criminal_damage", "contact": {"full_name": "Eve", "phone": "07700 900123"}},
]
OPEN = ("received", "queued", "awaiting_information")
LEADS_TO = {
    "note": None,
    "claim": None,
    "release": None,
    "no_answer": "awaiting_information",
    "reached": "queued",
    "crime": "crimed",
    "not_crime": "not_crimed",
    "dispose": None,
}
ALLOWED = {
    **dict.fromkeys(OPEN, set(LEADS_TO) - {"dispose"}),
    "crimed": {"note", "claim", "release", "dispose"},
    "not_crimed": {"note", "crime"},
}


class Known:
    """What the model knows of one report."""

    def __init__(self, token: str, said: int, now: Any) -> None:
        self.token, self.said, self.received_at = token, said, now
        self.status, self.version = "received", 1
        self.holder: Officer | None = None
        self.until = now
        self.disposal: str | None = None
        self.crimed_at: Any = None
        self.crimed_by: str | None = None
        self.call_backs = 0
        self.news = False

    def held_from(self, officer: Officer, now: Any) -> bool:
        return self.holder is not None and self.until > now and officer not in (self.holder, SUE)


class Lives(RuleBasedStateMachine):
    """Everything that may happen to reports, in any order."""

    references = Bundle("references")

    def __init__(self) -> None:
        super().__init__()
        self.parts = Parts(FakeTable())
        self.known: dict[str, Known] = {}

    # The public

    @rule(target=references, token=st.sampled_from("abcde"), said=st.integers(0, 2))
    def submit(self, token: str, said: int) -> Any:
        there = next((ref for ref, known in self.known.items() if known.token == token), None)
        try:
            report = self.parts.submit(token, **SAID[said])
        except AlreadySent as refused:
            assert there == refused.reference and self.known[there].said != said
            return multiple()
        if there:
            assert report.reference == there and self.known[there].said == said
            return multiple()
        self.known[report.reference] = Known(token, said, self.parts.clock.now)
        return report.reference

    @rule(reference=references, id=st.sampled_from("ab"), wanted=st.booleans())
    def tell_more(self, reference: str, id: str, wanted: bool) -> None:
        """From outside the life cycle moves on by an entry, or not at all."""
        known = self.known[reference]
        before = self.parts.now(reference)
        try:
            after = self.parts.casework.add(reference, id, f"more {id}")
            after = self.parts.casework.want_letters(reference, wanted)
            after = self.parts.casework.choose_time(reference, f"time {id}")
        except NotAllowed:
            assert known.status not in OPEN or before.version > by_public.MOST_ENTRIES
            after = self.parts.now(reference)
        assert (after.status, after.claim) == (before.status, before.claim)
        known.version, known.news = after.version, after.has_news

    # Messages, which come late, twice and in any order

    @rule(reference=references)
    def triage(self, reference: str) -> None:
        self.parts.casework.triage(reference)
        known = self.known[reference]
        if known.status == "received":
            known.status, known.version = "queued", known.version + 1

    @rule(reference=references, back=st.integers(0, 5), down=st.booleans())
    def letter(self, reference: str, back: int, down: bool) -> None:
        self.parts.sender.failure = ConnectionError() if down else None
        try:
            self.parts.casework.send_letter(reference, max(1, self.known[reference].version - back))
        except ConnectionError:
            assert down

    # Officers

    decision: ClassVar[dict[str, Any]] = {
        "reference": references,
        "verb": st.sampled_from(list(LEADS_TO)),
        "stale": st.sampled_from([0, 0, 0, 0, 1]),
        "filed": st.booleans(),
    }

    @rule(**decision)
    def ann_decides(self, **what: Any) -> None:
        self.decide(officer=ANN, **what)

    @rule(**decision)
    def bob_decides(self, **what: Any) -> None:
        self.decide(officer=BOB, **what)

    @rule(**decision)
    def sue_decides(self, **what: Any) -> None:
        self.decide(officer=SUE, **what)

    def decide(self, reference: str, officer: Officer, verb: str, stale: int, filed: bool) -> None:
        known, now = self.known[reference], self.parts.clock.now
        disposal = "filed" if filed else "further_investigation"
        try:
            report = self._do(verb, officer, reference, known.version - stale, disposal)
        except Stale as refused:
            assert stale and refused.more["version"] == known.version
            return
        except NotAllowed as refused:
            same = verb == "dispose" and known.disposal == disposal
            if "holder" in refused.more:
                assert known.held_from(officer, now)
            else:
                assert verb not in ALLOWED[known.status] or same
            return
        assert not stale
        assert not known.held_from(officer, now) and verb in ALLOWED[known.status]
        if report.version == known.version:
            assert self.changes_nothing(known, officer, verb)
            return
        known.version += 1
        known.status = LEADS_TO[verb] or known.status
        if verb == "claim":
            known.holder, known.until = officer, now + life.LEASE
        if verb in ("release", "crime", "not_crime", "dispose"):
            known.holder = None
        if verb in ("crime", "dispose"):
            known.disposal = disposal
        if verb == "crime":
            known.crimed_at, known.crimed_by = now, officer.actor.id
        known.call_backs += verb in ("no_answer", "reached")
        known.news = known.news and verb in ("claim", "release")
        assert report == self.parts.now(reference)

    def changes_nothing(self, known: Known, officer: Officer, verb: str) -> bool:
        left = known.until - self.parts.clock.now if known.holder else timedelta(0)
        fresh = known.holder == officer and left > life.LEASE - life.RENEW_AFTER
        return (verb == "release" and left <= timedelta(0)) or (verb == "claim" and fresh)

    def _do(self, verb: str, officer: Officer, reference: str, version: int, disposal: Any) -> Any:
        desk = self.parts.desk
        match verb:
            case "no_answer" | "reached":
                return desk.call_back(officer, reference, version, verb, "rang")
            case "note":
                return desk.note(officer, reference, version, "a note")
            case "crime":
                return desk.crime(officer, reference, version, "44", disposal, None, None)
            case "not_crime":
                return desk.not_crime(officer, reference, version, "no_offence", "why", {})
            case "dispose":
                return desk.dispose(officer, reference, version, disposal, None, None)
        return getattr(desk, verb)(officer, reference, version)

    @rule(officer=OFFICERS)
    def take_next(self, officer: Officer) -> None:
        now = self.parts.clock.now
        free = {ref for ref, known in self.known.items()
                if known.status in OPEN and not (known.holder and known.until > now)}  # fmt: skip
        taken = self.parts.desk.take_next(officer)
        assert (taken.reference in free) if taken else not free
        if taken:
            known = self.known[taken.reference]
            known.version, known.holder, known.until = known.version + 1, officer, now + life.LEASE

    @rule(reference=references, officer=OFFICERS)
    def renew(self, reference: str, officer: Officer) -> None:
        known, now = self.known[reference], self.parts.clock.now
        until = self.parts.desk.renew(officer, reference)
        mine = known.holder == officer and known.until > now
        assert (until is not None) == mine
        if until and until != known.until:
            assert known.until - now <= life.LEASE - life.RENEW_AFTER
            known.version, known.until = known.version + 1, now + life.LEASE
        assert until in (None, known.until)

    # The clock and the sweep

    @rule(minutes=st.sampled_from([1, 1, 5, 10, 31, 600, 1438, 50_000]))
    def wait(self, minutes: int) -> None:
        self.parts.clock.advance(minutes=minutes)

    @rule()
    def sweep(self) -> None:
        now = self.parts.clock.now
        due = {ref for ref, known in self.known.items() if known.status in OPEN
               and (known.received_at - now).total_seconds() + 24 * 3600 <= 120}  # fmt: skip
        swept = self.parts.sweep()
        assert (swept.crimed, swept.failed, swept.unfinished) == (len(due), 0, False)
        for reference in due:
            known = self.known[reference]
            known.status, known.version, known.holder = "crimed", known.version + 1, None
            known.crimed_at, known.crimed_by = now, "24-hour rule"
        assert not [ref for ref in self.known if self.parts.now(ref).is_open and self.parts.now(ref).deadline <= now]

    # What always holds

    @invariant()
    def reports_are_as_modelled(self) -> None:
        for reference, known in self.known.items():
            report = self.parts.now(reference)
            assert (report.status, report.version) == (known.status, known.version)
            assert report.received_at == known.received_at and report.call_backs == known.call_backs
            assert (report.crime and report.crime.disposal) == known.disposal
            assert (report.crime and report.crime.by.id) == known.crimed_by
            holder = known.holder.actor if known.holder and known.until > self.parts.clock.now else None
            assert report.head.held_by(self.parts.clock.now) == holder
            assert life.verify(report) is None
            assert examine(marshal(self.parts.table.get(*key(reference)) or {})).fault is None

    @invariant()
    def every_number_is_accounted_for(self) -> None:
        for year in range(2026, self.parts.clock.now.year + 1):
            self.parts.check_numbers(list(self.known), year)

    @invariant()
    def no_letter_goes_out_twice(self) -> None:
        assert max(Counter(letter.id for letter in self.parts.sender.sent).values(), default=1) == 1

    @invariant()
    def lists_show_what_is_open_and_what_awaits_a_disposal(self) -> None:
        opened = [head.reference for head in self.parts.listed()]
        waiting = [head.reference for head in self.parts.listed("awaiting_disposal")]
        assert sorted(opened) == sorted(ref for ref, known in self.known.items() if known.status in OPEN)
        assert sorted(waiting) == sorted(
            ref for ref, known in self.known.items() if known.status == "crimed" and not known.disposal
        )
        news = [head.reference for head in self.parts.listed("new_information")]
        assert sorted(news) == sorted(ref for ref, known in self.known.items() if known.news and ref not in waiting)

    @invariant()
    def statistics_equal_a_recount(self) -> None:
        now = self.parts.clock.now
        first = f"{now.year - 1}-{now.month:02}" if now.year > 2026 else "2026-11"
        for row in self.parts.statistics(first, f"{now:%Y-%m}"):
            received = [known for known in self.known.values() if month(known.received_at) == row["month"]]
            crimed = [known for known in self.known.values() if known.crimed_at and
                      month(known.crimed_at) == row["month"]]  # fmt: skip
            assert (row["reports"], row["crimes"]) == (len(received), len(crimed))
            assert row["open"] == sum(known.status in OPEN for known in received)
            assert row["not_crimed"]["no_offence"] == sum(known.status == "not_crimed" for known in received)
            assert row["crimed_automatically"] == sum(known.crimed_by == "24-hour rule" for known in crimed)
            assert row["call_backs"] == sum(known.call_backs > 0 for known in received)


TestLives = Lives.TestCase
TestLives.settings = settings(
    max_examples=100, stateful_step_count=50, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


def test_the_model_would_notice() -> None:
    lives = Lives()
    reference = lives.submit("a", 0)
    lives.decide(reference, ANN, "crime", stale=0, filed=True)
    lives.reports_are_as_modelled()
    lives.known[reference].crimed_by = BOB.actor.id
    with pytest.raises(AssertionError):
        lives.reports_are_as_modelled()
