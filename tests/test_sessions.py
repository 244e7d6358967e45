"""Officers' sessions: begun at a sign-in, ended by time, by their officer or by a supervisor, and never revived."""

import hashlib
import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.report import Actor
from chalicelib.sessions import IDLE, OF_LATE, RENEWED_AFTER, SHIFT, Sessions
from chalicelib.table import Table
from tests.fakes import Clock, FakeTable, meanwhile, moto_table, repeats

OLIVE, SUNIL = Actor("olive", "Olive Officer"), Actor("sunil", "Sunil Supervisor")
OFFICER, SUPERVISOR = frozenset({"officer"}), frozenset({"officer", "supervisor"})


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def table() -> FakeTable:
    return FakeTable()


@pytest.fixture
def sessions(table: FakeTable, clock: Clock) -> Sessions:
    return made(table, clock)


def made(table: Any, clock: Clock) -> Sessions:
    count = iter(range(1_000_000))
    return Sessions(table, clock, lambda: f"{next(count):032x}")


def of(sessions: Sessions, cookie: str) -> str | None:
    found = sessions.find(cookie)
    return found.actor.id if found else None


def test_a_session_is_who_signed_in_with_the_roles_of_then(sessions: Sessions, clock: Clock) -> None:
    cookie = sessions.begin(SUNIL, SUPERVISOR)
    found = sessions.find(cookie)
    assert found and (found.actor, found.roles) == (SUNIL, SUPERVISOR)
    assert (found.began, found.seen) == (clock.now, clock.now)


def test_every_sign_in_has_a_cookie_of_its_own(sessions: Sessions) -> None:
    first, second = sessions.begin(OLIVE, OFFICER), sessions.begin(OLIVE, OFFICER)
    assert first != second and of(sessions, first) == of(sessions, second) == "olive"


def test_whoever_reads_the_table_cannot_sign_in_with_it(sessions: Sessions, table: FakeTable) -> None:
    cookie = sessions.begin(OLIVE, OFFICER)
    officer, _, secret = cookie.partition(".")
    assert len(secret) == 64 and secret not in json.dumps(list(table.items.values()))
    (session,) = [sk for pk, sk in table.items if pk == "DESK#olive"]
    assert session == f"SESSION#{hashlib.sha256(secret.encode()).hexdigest()}"
    assert not sessions.find(f"{officer}.{session.removeprefix('SESSION#')}")


@pytest.mark.parametrize("forge", [
    lambda officer, secret: "",
    lambda officer, secret: officer,
    lambda officer, secret: f"{officer}.",
    lambda officer, secret: f".{secret}",
    lambda officer, secret: f"{officer}.{secret[:-1]}",
    lambda officer, secret: f"{officer}.{secret}0",
    lambda officer, secret: f"{officer}.{secret.upper()}X",
    lambda officer, secret: f"{urlsafe_b64encode(b'sunil').decode()}.{secret}",
    lambda officer, secret: f"{officer}.{secret}" * 20,
    lambda officer, secret: f"é.{secret}",
    lambda officer, secret: f"_w.{secret}",  # no UTF-8
    lambda officer, secret: f"A.{secret}",  # no base64
])  # fmt: skip
def test_a_forged_cookie_is_nobody(sessions: Sessions, forge: Callable[[str, str], str]) -> None:
    sessions.begin(SUNIL, SUPERVISOR)
    officer, _, secret = sessions.begin(OLIVE, OFFICER).partition(".")
    assert sessions.find(f"{officer}.{secret}")
    assert sessions.find(forge(officer, secret)) is None


@given(st.text(max_size=80) | st.tuples(st.text(max_size=20), st.text(max_size=20)).map(".".join))
def test_whatever_comes_as_a_cookie_is_nobody(cookie: str) -> None:
    sessions = made(FakeTable(), Clock())
    sessions.begin(OLIVE, OFFICER)
    assert sessions.find(cookie) is None


# Time


def test_it_goes_idle(sessions: Sessions, clock: Clock) -> None:
    cookie = sessions.begin(OLIVE, OFFICER)
    clock.now += IDLE
    assert sessions.find(cookie)
    clock.now += IDLE + timedelta(seconds=1)
    assert not sessions.find(cookie)


def test_it_lasts_while_it_is_used_but_no_longer_than_a_shift(sessions: Sessions, clock: Clock) -> None:
    cookie, began = sessions.begin(OLIVE, OFFICER), clock.now
    while clock.now - began <= SHIFT:
        assert sessions.find(cookie), clock.now - began
        clock.advance(minutes=50)
    assert not sessions.find(cookie)


def test_a_page_that_renews_itself_keeps_no_session_alive(sessions: Sessions, clock: Clock) -> None:
    cookie = sessions.begin(OLIVE, OFFICER)
    for _ in range(6):
        clock.advance(minutes=10)
        assert sessions.find(cookie, is_use=False)
    clock.advance(minutes=1)
    assert not sessions.find(cookie, is_use=False) and not sessions.find(cookie)


def test_what_is_over_stays_over(sessions: Sessions, clock: Clock) -> None:
    cookie = sessions.begin(OLIVE, OFFICER)
    clock.now += IDLE + timedelta(seconds=1)
    assert not sessions.find(cookie) and not sessions.find(cookie)


def test_a_page_is_rarely_a_write(client: Any, clock: Clock) -> None:
    table, wire = moto_table(client)
    sessions = made(table, clock)
    cookie = sessions.begin(OLIVE, OFFICER)
    wire.calls.clear()
    for _ in range(60):
        sessions.find(cookie)
        clock.advance(minutes=1)
    assert wire.calls.count("get_item") == 60 and len(wire.calls) <= 60 + timedelta(hours=1) / RENEWED_AFTER


def test_the_table_forgets_a_session_after_its_shift_and_not_before(
    sessions: Sessions, table: FakeTable, clock: Clock
) -> None:
    sessions.begin(OLIVE, OFFICER)
    (session,) = [item for (pk, _), item in table.items.items() if pk == "DESK#olive"]
    after = session["expires"] - int((clock.now + SHIFT).timestamp())
    assert 0 < after <= 24 * 60 * 60


# Ending


def test_signing_out_ends_this_session_and_no_other(sessions: Sessions) -> None:
    here, there = sessions.begin(OLIVE, OFFICER), sessions.begin(OLIVE, OFFICER)
    session = sessions.find(here)
    assert session
    sessions.end(session)
    assert (of(sessions, here), of(sessions, there)) == (None, "olive")
    sessions.end(session)  # twice is nothing


def test_signing_out_everywhere_ends_all_of_an_officer_and_of_nobody_else(sessions: Sessions) -> None:
    cookies = [sessions.begin(OLIVE, OFFICER) for _ in range(3)]
    others = [sessions.begin(SUNIL, SUPERVISOR), sessions.begin(Actor("olive2", "Olive Two"), OFFICER)]
    sessions.end_all("olive")
    assert [of(sessions, cookie) for cookie in (*cookies, *others)] == [None, None, None, "sunil", "olive2"]
    sessions.end_all("olive")


def test_an_ended_session_is_not_revived_by_a_page_that_was_on_its_way(client: Any, clock: Clock) -> None:
    """The page has read the session, it is ended, and only then the page notes that it was used."""
    table, wire = moto_table(client)
    sessions = made(table, clock)
    cookie = sessions.begin(OLIVE, OFFICER)
    clock.advance(minutes=30)
    wire.meddle = meanwhile("update_item", 1, lambda: sessions.end_all("olive"))
    assert sessions.find(cookie)
    wire.meddle = lambda number, name, call: call()
    assert not sessions.find(cookie)
    assert not list(table.query(where="#pk = :pk", given={"pk": "DESK#olive"}))


def test_two_pages_at_once_renew_it_once(client: Any, clock: Clock) -> None:
    table, wire = moto_table(client)
    sessions, other = made(table, clock), made(Table(client, table._name), clock)
    cookie = sessions.begin(OLIVE, OFFICER)
    clock.advance(minutes=30)
    wire.meddle = meanwhile("update_item", 1, lambda: other.find(cookie))
    assert sessions.find(cookie) and other.find(cookie)


def test_an_answer_that_is_lost_begins_no_second_session(client: Any, clock: Clock) -> None:
    table, wire = moto_table(client)
    sessions = made(table, clock)
    wire.meddle = repeats
    assert of(sessions, sessions.begin(OLIVE, OFFICER)) == "olive"
    assert len(list(table.query(where="#pk = :pk", given={"pk": "DESK#olive"}))) == 1


# Colleagues


def test_colleagues_are_those_who_signed_in_of_late_by_name(sessions: Sessions, clock: Clock) -> None:
    sessions.begin(Actor("zoe", "Zoe Officer"), OFFICER)
    clock.now += OF_LATE - timedelta(days=1)
    sessions.begin(SUNIL, SUPERVISOR)
    sessions.begin(OLIVE, OFFICER)
    assert [one.name for one in sessions.colleagues()] == ["Olive Officer", "Sunil Supervisor", "Zoe Officer"]
    clock.advance(days=2)
    assert [one.name for one in sessions.colleagues()] == ["Olive Officer", "Sunil Supervisor"]
    assert not sessions.colleague("zoe") and not sessions.colleague("nobody")


def test_a_colleague_is_as_they_last_signed_in(sessions: Sessions, table: FakeTable, clock: Clock) -> None:
    sessions.begin(OLIVE, OFFICER)
    clock.advance(days=1)
    sessions.begin(Actor("olive", "Olive Married"), SUPERVISOR)
    found = sessions.colleague("olive")
    assert found and (found.name, found.roles, found.last_signed_in) == ("Olive Married", SUPERVISOR, clock.now)
    assert table.items["OFFICERS", "olive"]["expires"] == int((clock.now + OF_LATE).timestamp())


def test_ending_the_sessions_of_a_leaver_leaves_their_name(sessions: Sessions) -> None:
    sessions.begin(OLIVE, OFFICER)
    sessions.end_all("olive")
    assert sessions.colleague("olive")
