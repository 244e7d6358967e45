"""What a round of the reconciliation remembers: in as many items as it needs, and whole whoever dies or intervenes."""

import random
import threading
import zlib
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from copy import deepcopy
from datetime import timedelta
from functools import cache
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from chalicelib import reconciliation, rounds
from chalicelib.crime_numbers import CrimeNumbers
from chalicelib.ledger import Ledger
from chalicelib.proof import Account, Year, unpacked
from chalicelib.reconciliation import Reconciliation
from chalicelib.table import Item
from tests.fakes import Died, FakeTable, Parts
from tests.test_reconciliation import PLENTY, ROUND, Told, kept_round, on_a_real_engine, pile, proved


@pytest.fixture(autouse=True)
def _a_page_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconciliation, "STRETCH", 0.0)


class Begun(Reconciliation):
    """A round that has found so much already when it begins."""

    def __init__(self, parts: Parts, account: Account) -> None:
        super().__init__(parts.table, parts.numbers, parts.ledger, parts.clock)
        self._found = account

    def _begin(self, as_of: str) -> Account:
        return self._found


def halfway_round(months: int, reports: int) -> Account:
    """What is found of so many months of so many reports: as much as it gets, with a decision as likely in every minute
    of the day.
    """
    chance, account, crimes = random.Random(7), Account("2026-11-26T02:00:00Z"), round(reports * 2_076 / 3_098)
    for month in range(months):
        for category in ("burglary", "theft", "criminal_damage"):
            place, each = (f"{2020 + month // 12}-{month % 12 + 1:02}", category), crimes / 3 / 1440
            took = {f"took.{time}": round(chance.gauss(each, each**0.5)) for time in range(1440)}
            account.sums.update({(*place, name): count for name, count in took.items() if count > 0})
    for year in range(months // 12):
        account.numbers[2020 + year] = Year(12 * crimes, [], [])
        account.given[2020 + year] = chance.getrandbits(12 * crimes) << 1
    return account


def test_two_years_of_the_country_are_remembered_though_no_item_holds_them(dynamodb_local: str) -> None:
    parts, wire = on_a_real_engine(dynamodb_local, "remembered")
    pile(parts, 3)
    of_old = {"turn": 7, "after_pk": "a", "after_sk": "b", "found": Account("2026-11-22T02:00:00Z").packed()}
    parts.table.put_new({"pk": ROUND[0], "sk": ROUND[1], **of_old})  # as another release wrote it, into one item
    account = halfway_round(24, 175_450)
    assert len(account.packed()) > 409_600, "what an item holds"
    wire.page_size = 5
    assert not Begun(parts, account).go_on(lambda: 0.0, Told()).proof
    assert kept_round(parts)["found"] == ["FOUND#0#0", "FOUND#0#1"] and remembered(parts) == account
    run = parts.reconciliation.go_on(lambda: 0.0, Told())
    assert kept_round(parts)["found"] == ["FOUND#1#0", "FOUND#1#1"]
    assert remembered(parts).histories == account.histories + run.histories


def remembered(parts: Parts) -> Account:
    """What the round has found, as it is kept."""
    return unpacked(b"".join(parts.table.get("RECONCILIATION", name)["packed"] for name in kept_round(parts)["found"]))


def test_a_round_that_another_release_has_begun_begins_anew(parts: Parts) -> None:
    """Or it would fail every night, and the alarm would be silent about what is wrong."""
    for number in range(6):
        parts.deliver_letters(parts.submit(f"token {number}").reference)
    parts.clock.advance(minutes=20)
    assert not parts.reconciliation.go_on(lambda: 0.0, Told()).proof
    before = Account("2026-11-22T02:00:00Z", counts=Counter(whole=9)).packed()  # as it was in one item
    for found in (before, ["FOUND#0#0", "FOUND#0#1"], ["FOUND#1#7"], []):
        parts.table.items[ROUND]["found"] = found
        run = parts.reconciliation.go_on(lambda: 0.0, Told())
        assert run.histories and not run.proof
    for packed in (b"not packed", zlib.compress(b"{}"), zlib.compress(b"[]")):
        parts.table.items["RECONCILIATION", kept_round(parts)["found"][0]]["packed"] = packed
        run = parts.reconciliation.go_on(lambda: 0.0, Told())
        assert run.histories and not run.proof
    parts.table.items[ROUND]["found"] = before
    text, told = proved(parts)
    assert not told and "6 received" in text and "6 histories are whole" in text


def test_a_round_that_somebody_has_removed_begins_anew(parts: Parts) -> None:
    """Its turns begin anew as well, and must not be behind what it had written for ever."""
    for number in range(12):
        parts.deliver_letters(parts.submit(f"token {number}").reference)
    parts.clock.advance(minutes=20)
    for _ in range(4):
        parts.reconciliation.go_on(lambda: 0.0, Told())
    del parts.table.items[ROUND]
    parts.clock.advance(days=1)
    assert "\n12 histories are whole\n" in proved(parts)[0]


# Two runs at once


class Taken(FakeTable):
    """Each write waits until it is let through."""

    def __init__(self, items: dict[tuple[str, str], Item], wait: Callable[[], None]) -> None:
        super().__init__()
        self.items, self._wait = items, wait

    def update(self, *key: str, **how: Any) -> Item:
        self._wait()
        return super().update(*key, **how)


class Hand:
    """A run of its own, which makes one write each time that it is let. What it has left to do when it `dies` is never
    done.
    """

    def __init__(self, parts: Parts, later: int) -> None:
        """Its clock is that many seconds ahead."""
        self._mine, self._theirs = threading.Semaphore(0), threading.Semaphore(0)
        self._dead = self._over = False
        table = Taken(parts.table.items, self._wait)
        clock = lambda: parts.clock.now + timedelta(seconds=later)  # noqa: E731
        numbers, ledger = CrimeNumbers(table, "20", str), Ledger(table, clock, lambda: None)  # type: ignore[arg-type]
        self._runs = Reconciliation(table, numbers, ledger, clock)  # type: ignore[arg-type]
        threading.Thread(target=self._run, daemon=True).start()
        self._theirs.acquire()

    def goes_on(self) -> None:
        """It makes its next write, and all that it does until the one after that."""
        if not self._over:
            self._mine.release()
            self._theirs.acquire()

    def dies(self) -> None:
        """Before its next write."""
        self._dead = True
        self.goes_on()

    def _run(self) -> None:
        try:
            with suppress(Died):
                self._runs.go_on(PLENTY, Told())
        finally:  # also where a test is wrong: nobody waits for ever
            self._over = True
            self._theirs.release()

    def _wait(self) -> None:
        self._theirs.release()
        self._mine.acquire()
        if self._dead:
            raise Died


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 20)), max_size=8))
@example([(False, 2), (True, 8), (False, 1)])  # one writes a part where the other has named its own meanwhile
@example([(True, 1), (False, 5), (True, 1)])  # and so does one that took the round over earlier and has a later clock
@settings(max_examples=50, deadline=None)
def test_however_two_runs_get_in_each_others_way_what_is_found_is_what_is_behind_us(
    turns: list[tuple[bool, int]],
) -> None:
    """Write by write, in any order, until both die. What is remembered is in several parts."""
    parts = Parts(FakeTable())
    parts.clock.advance(minutes=20)
    parts.table.items |= deepcopy(two_dozen_reports())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rounds, "PART", 60)
        hands = Hand(parts, 0), Hand(parts, 1)
        for first, writes in turns:
            for _ in range(writes):
                hands[first].goes_on()
            assert_is_of_one_piece(parts)
        for hand in hands:
            hand.dies()
        text, told = proved(parts)
    assert not told and "24 received" in text and "\n24 histories are whole\n" in text


@cache
def two_dozen_reports() -> dict[tuple[str, str], Item]:
    parts = Parts(FakeTable())
    for reference in [parts.submit(f"token {number}").reference for number in range(24)]:
        parts.deliver_letters(reference)
    parts.clock.advance(minutes=20)
    parts.ledger.move_on()
    return dict(parts.table.items)


def assert_is_of_one_piece(parts: Parts) -> None:
    """What the round has found is what is up to the place that it has reached."""
    round = kept_round(parts) or {}
    if "found" in round:
        reached = (round["after_pk"], round["after_sk"]) if "after_pk" in round else ("~", "")
        behind = [place for place in parts.table.items if place <= reached and place[1] == "REPORT"]
        assert remembered(parts).histories == len(behind)
