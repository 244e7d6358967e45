"""How long reports are kept: groups and periods, the review list, legal hold, and lives that end in an erasure."""

from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from test_races import SECRET, Force, at_once
from test_verification import (
    by_rule,
    called,
    cancelled,
    closed,
    confirmed,
    crimed,
    declined,
    disposed,
    held,
    lifted,
    proposed,
    reviewed,
    told,
    triaged,
    under_hold,
    wished,
    worked_on,
)

from chalicelib import by_officers, keeping, retention
from chalicelib import report as life
from chalicelib.drafts import Drafts
from chalicelib.erasing import Erasing
from chalicelib.errors import NotAllowed, NotFound, NotYourRole, Refused, Stale
from chalicelib.finder import Finder
from chalicelib.reference import show, smoke_token
from chalicelib.report_items import key
from chalicelib.retention import CLOSED, ERASING, GROUPS, HELD, USUAL, group_of, read_periods
from chalicelib.senders import Outbox
from chalicelib.table import marshal
from chalicelib.times import day_of, london, read_stamp, spoken_day, stamp
from chalicelib.verification import examine
from tests.fakes import ANN, SUE, FakeTable, Parts, Wire, meanwhile, new_case, repeats

MOVES = (triaged, told, wished, worked_on, called("reached", "It was grey"), proposed, declined, confirmed, crimed,
         by_rule, disposed, held, cancelled, closed, reviewed, under_hold, lifted)  # fmt: skip


def lived(parts: Parts, *verbs: Any, token: str = "token") -> str:
    reference = parts.submit(token).reference
    for verb in verbs:
        parts.clock.advance(minutes=1)
        verb(parts, reference, parts.now(reference).version)
    return reference


def place(parts: Parts, reference: str) -> tuple[Any, Any]:
    item = parts.table.get(*key(reference)) or {}
    return item.get("worklist"), item.get("urgency")


def due(parts: Parts, name: str) -> list[str]:
    return [head.reference for _, head in parts.desk.review(SUE, name, 50).heads]


# The setting


def test_periods_are_years_for_each_group_and_months_for_conversations() -> None:
    assert read_periods("filed=6 not_crimed=1  cancelled=2\nfurther_investigation=100 chat=18m") == {
        "filed": 6, "not_crimed": 1, "cancelled": 2, "further_investigation": 100, "chat": 18
    }  # fmt: skip
    assert set(read_periods(USUAL)) == {*GROUPS, "chat"}


@pytest.mark.parametrize(
    "text",
    [
        "", "filed=6", f"{USUAL} filed=7", f"{USUAL} other=1", USUAL.replace("6", "0"), USUAL.replace("6", "101"),
        USUAL.replace("6", "six"), USUAL.replace("6", "-6"), USUAL.replace("=6", "= 6"), USUAL.replace(" ", ","),
        USUAL.replace("6", "6.5"), USUAL.replace("6", "٦"), USUAL.replace("6m", "6"), USUAL.replace("6m", "6mm"),
        USUAL.replace("filed=6", "filed=6m"), USUAL.replace("6m", "0m"), USUAL.replace("6m", "101m"),
    ],
)  # fmt: skip
def test_any_other_setting_is_refused_in_words(text: str) -> None:
    with pytest.raises(ValueError, match="years from 1 to 100 for each group, months for chat, such as not_crimed=2"):
        read_periods(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("not_crimed=1", "name all five groups: not_crimed, cancelled, filed, further_investigation, chat; "
                         "missing: cancelled, filed, further_investigation, chat"),
        (USUAL.replace("filed=6", ""), "missing: filed"),
        (USUAL.replace(" chat=6m", ""), "missing: chat"),
        (f"{USUAL} filed=7", "wrong, or there twice: filed=7"),
        (f"other=1 {USUAL}", "wrong, or there twice: other=1"),
        (USUAL.replace("filed=6", "filed=0"), "wrong, or there twice: filed=0"),
    ],
)  # fmt: skip
def test_a_refused_setting_says_what_is_wrong_or_missing(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=f"{words}$"):
        read_periods(text)


# Groups and places


@pytest.mark.parametrize(
    ("verbs", "group"),
    [
        ((), None),
        ((triaged, proposed), None),
        ((by_rule,), None),
        ((by_rule, disposed), "further_investigation"),
        ((crimed,), "filed"),
        ((crimed, disposed), "further_investigation"),
        ((crimed, cancelled), "cancelled"),
        ((closed,), "not_crimed"),
        ((closed, crimed), "filed"),
        ((crimed, told), None),
        ((crimed, told, under_hold), None),  # a hold answers nobody's news
        ((crimed, told, worked_on), None),
    ],
)
def test_a_decided_report_is_of_one_group_and_any_other_of_none(
    parts: Parts, verbs: tuple[Any, ...], group: str | None
) -> None:
    if verbs[-1:] == (worked_on,):  # whoever writes a note has dealt with the news
        verbs, group = (*verbs[:-1], lambda parts, ref, version: parts.desk.note(ANN, ref, version, "Seen")), "filed"
    reference = lived(parts, *verbs)
    assert group_of(parts.now(reference)) == group
    listed, where = place(parts, reference)
    assert (listed == CLOSED) == (group is not None)
    if group:
        since = retention.kept_since(parts.now(reference))
        assert where == f"{group}#{since:%Y-%m-%dT%H:%M:%SZ}#{reference}"


def test_every_report_is_in_one_list_at_most_and_the_officers_lists_know_nothing_of_these(parts: Parts) -> None:
    first, second, third = (lived(parts, crimed, token=token) for token in "abc")
    parts.desk.hold(SUE, second, parts.now(second).version, "A court asked")
    parts.desk.erase(SUE, third, parts.now(third).version, "request", "Request 7")
    assert [place(parts, one)[0] for one in (first, second, third)] == [CLOSED, HELD, ERASING]
    assert [*parts.listed(), *parts.listed("awaiting_disposal"), *parts.listed("new_information")] == []


def test_the_smoke_tests_report_is_in_no_list(parts: Parts) -> None:
    reference = lived(parts, closed, token=smoke_token(b"a secret of the tests"))
    assert place(parts, reference) == (None, None)


# The review list


def test_a_report_is_due_once_its_period_is_over_and_not_before(parts: Parts) -> None:
    reference = lived(parts, closed)
    last = retention.review_on(parts.now(reference), parts.desk.periods)
    assert last == parts.clock.now.date().replace(year=parts.clock.now.year + 2)
    parts.clock.now = datetime.combine(last, time(), london()) - timedelta(seconds=1)
    assert due(parts, "not_crimed") == [] and parts.desk.count(SUE, "not_crimed") == 0
    refused(parts, reference, "erase", f"not over before {spoken_day(last)}", "period")
    parts.clock.now += timedelta(seconds=1)
    assert due(parts, "not_crimed") == [reference] and parts.desk.count(SUE, "not_crimed") == 1
    assert due(parts, "filed") == due(parts, "cancelled") == due(parts, HELD) == []


@pytest.mark.parametrize(
    ("since", "years", "day"),
    [
        ("2026-11-27T10:00:00Z", 2, "2028-11-27"),
        ("2026-11-27T10:00:00Z", 6, "2032-11-27"),
        ("2027-06-30T23:30:00Z", 1, "2028-07-01"),  # half past midnight in London
        ("2028-02-29T10:00:00Z", 2, "2030-03-01"),
        ("2028-02-29T10:00:00Z", 4, "2032-02-29"),
    ],
)
def test_a_period_is_over_on_the_same_day_of_the_calendar_in_london(since: str, years: int, day: str) -> None:
    assert f"{retention.due_on(read_stamp(since), years)}" == day


DAYS = st.dates(date(2024, 1, 1), date(2033, 1, 1)) | st.sampled_from(
    [date(year, month, day) for year in range(2024, 2033) for month, day in ((2, 28), (3, 1), (3, 31), (10, 31))]
)


@example(since=date(2026, 3, 1), at=time(10), years=2, more=-1)  # seen on 29 February
@example(since=date(2028, 2, 29), at=time(10), years=2, more=-1)
@given(since=DAYS, at=st.times(), years=st.integers(1, 10), more=st.integers(-2, 2))
def test_the_list_has_what_may_be_erased_and_nothing_else(since: date, at: time, years: int, more: int) -> None:
    began = datetime.combine(since, at, UTC)
    now = datetime.combine(retention.due_on(began, years) + timedelta(days=more), at, london())
    first, last = retention.between("filed", {"filed": years}, now, "")
    listed = first <= f"filed#{stamp(began)}#7K3M9QWPR2T8" <= last
    assert listed == (retention.due_on(began, years) <= day_of(now))


def test_another_setting_counts_at_once(parts: Parts) -> None:
    reference = lived(parts, crimed)
    parts.clock.advance(days=800)
    assert due(parts, "filed") == []
    parts.desk.periods = read_periods(USUAL.replace("filed=6", "filed=2"))
    assert due(parts, "filed") == [reference]


def test_who_is_kept_has_a_new_period_and_a_new_decision_begins_one(parts: Parts) -> None:
    reference = lived(parts, crimed)
    parts.clock.advance(days=6 * 366)
    parts.desk.keep(SUE, reference, parts.now(reference).version, "Another is still open")
    assert due(parts, "filed") == []
    parts.clock.advance(days=6 * 366)
    assert due(parts, "filed") == [reference]
    disposed(parts, reference, parts.now(reference).version)
    assert due(parts, "filed") == due(parts, "further_investigation") == []


def test_the_list_is_oldest_first_page_by_page_and_each_page_is_logged(parts: Parts) -> None:
    several = [lived(parts, closed, token=f"{number}") for number in range(7)]
    parts.clock.advance(days=800)
    seen: list[str] = []
    after = ""
    for more in (True, True, True, False):
        page = parts.desk.review(SUE, "not_crimed", 2, after)
        assert page.more is more
        seen += [head.reference for _, head in page.heads]
        after = page.heads[-1][0]
    assert seen == several
    looks = parts.store.accesses(officer=SUE.actor.id)
    assert {tuple(look["references"]) for look in looks} == {tuple(several[at : at + 2]) for at in range(0, 7, 2)}
    assert parts.desk.review(SUE, "not_crimed", 2, "~").heads == []  # an address that was made up


def test_a_count_is_bounded(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "MOST_COUNTED", 2)
    for number in range(4):
        under_hold(parts, lived(parts, closed, token=f"{number}"), 2)
    assert parts.desk.count(SUE, HELD) == 3


def test_a_broken_report_keeps_nobody_from_the_others(parts: Parts) -> None:
    broken, whole = (lived(parts, closed, token=token) for token in "ab")
    parts.table.items[key(broken)]["status"] = "gone"
    parts.clock.advance(days=800)
    assert due(parts, "not_crimed") == [whole]


# What supervisors do


@pytest.mark.parametrize("verb", ["hold", "lift", "keep", "erase", "review", "count"])
def test_only_supervisors_do_any_of_it(parts: Parts, verb: str) -> None:
    reference = lived(parts, closed)
    arguments: dict[str, tuple[Any, ...]] = {
        "review": ("filed", 50), "count": ("filed",), "erase": (reference, 2, "request", "why"),
    }  # fmt: skip
    before = parts.now(reference)
    with pytest.raises(NotYourRole):
        getattr(parts.desk, verb)(ANN, *arguments.get(verb, (reference, 2, "why")))
    assert parts.now(reference) == before


def test_a_hold_lasts_through_new_decisions_until_it_is_lifted(parts: Parts) -> None:
    reference = lived(parts, triaged, under_hold)  # while it is open
    assert place(parts, reference)[0] == "open"
    crimed(parts, reference, parts.now(reference).version)
    assert place(parts, reference)[0] == HELD and due(parts, HELD) == [reference]
    parts.clock.advance(days=366 * 20)
    assert due(parts, "filed") == []
    refused(parts, reference, "erase", "legal hold", "period")
    refused(parts, reference, "erase", "legal hold", "request")
    refused(parts, reference, "keep", "legal hold")
    refused(parts, reference, "hold", "already")
    lifted(parts, reference, parts.now(reference).version)
    assert due(parts, "filed") == [reference] and due(parts, HELD) == []
    refused(parts, reference, "lift", "not under legal hold")
    parts.desk.erase(SUE, reference, parts.now(reference).version, "period", "Reviewed")
    assert due(parts, "filed") == []


def refused(parts: Parts, reference: str, verb: str, words: str, *more: str) -> None:
    before = parts.now(reference)
    with pytest.raises(NotAllowed) as refusal:
        getattr(parts.desk, verb)(SUE, reference, before.version, *more, "why")
    assert words in refusal.value.detail
    assert parts.now(reference) == before


def test_nothing_is_erased_that_is_open_waits_or_is_not_due(parts: Parts) -> None:
    for why in ("period", "request"):
        refused(parts, lived(parts, triaged, token="open"), "erase", "Allowed now", why)
    waiting = lived(parts, by_rule, token="waiting")
    refused(parts, waiting, "erase", "disposal", "request")
    refused(parts, waiting, "keep", "still to be done")
    young = lived(parts, crimed, token="young")
    refused(parts, young, "erase", "not over before", "period")
    told(parts, young, 2)
    parts.clock.advance(days=366 * 20)
    refused(parts, young, "erase", "still to be done", "period")  # there is news that nobody has read
    parts.desk.erase(SUE, young, parts.now(young).version, "request", "Request 7")
    refused(parts, young, "erase", "It was erased at", "request")


def test_a_full_history_can_be_held_and_erased(parts: Parts) -> None:
    reference = lived(parts, closed)
    for number in range(40):
        with suppress(Refused):
            parts.desk.note(ANN, reference, 2 + number, "x" * 4_000)
    refused(parts, reference, "keep", "full")
    under_hold(parts, reference, parts.now(reference).version)
    lifted(parts, reference, parts.now(reference).version)
    parts.desk.erase(SUE, reference, parts.now(reference).version, "request", "Request 7")


# Whole lives that end so


@given(verbs=st.lists(st.sampled_from(MOVES), max_size=12), why=st.sampled_from(["request", "period"]))
def test_whatever_a_report_has_been_through_its_history_is_whole_without_the_words(verbs: list[Any], why: str) -> None:
    parts = Parts(FakeTable())
    reference = parts.submit("token").reference
    for verb in verbs:
        parts.clock.advance(minutes=1)
        with suppress(Refused):
            verb(parts, reference, parts.now(reference).version)
    parts.clock.advance(days=366 * 20)
    before = parts.now(reference)
    try:
        after = parts.desk.erase(SUE, reference, before.version, why, "Request 7")
    except NotAllowed:
        assert (
            before.is_open
            or before.awaits_disposal
            or retention.held_by_law(before)
            or (why == "period" and before.has_news)
        )
        assert parts.now(reference) == before
        return
    assert after == parts.now(reference)
    assert after.answers == {} and [words.text for words in after.words] == ["Request 7"]
    assert after.history[:-1] == before.history and life.verify(after) is None
    assert examine(marshal(parts.table.get(*key(reference)) or {})).fault is None
    kept = ("status", "crime", "not_crimed_reason", "received_at", "category", "call_backs", "reference")
    assert all(getattr(after, name) == getattr(before, name) for name in kept)
    expect_nothing_more(parts, reference)


def expect_nothing_more(parts: Parts, reference: str) -> None:
    """No move of anybody changes it."""
    before = parts.now(reference)
    desk, version = parts.desk, before.version
    attempts = [lambda verb=verb: verb(parts, reference, version) for verb in MOVES if verb not in (by_rule, triaged)]
    attempts += [
        lambda: desk.erase(SUE, reference, version, "request", "again"),
        lambda: desk.file(SUE, reference, version, "note"),
        lambda: desk.cancel(SUE, reference, version, "C1", "why", {}),
        lambda: desk.link(SUE, reference, version, ["2" * 12], "one street"),
        lambda: desk.assess(SUE, reference, version, {"threat": "x"}, None),
        lambda: desk.folder_of(SUE, reference),
        lambda: parts.casework.want_letters(reference, False),
        lambda: parts.casework.standing(reference),
        lambda: parts.casework.status_for(reference, "eve@example.com", "07700 900123"),
    ]
    for attempt in attempts:
        with pytest.raises((NotAllowed, NotFound)):
            attempt()
    assert desk.renew(SUE, reference) is None
    assert not parts.casework.triage(reference)
    assert parts.sweep().crimed == 0
    assert parts.now(reference) == before


def test_figures_and_register_are_as_before(parts: Parts) -> None:
    several = [lived(parts, *verbs, token=f"{number}") for number, verbs in enumerate((
        (called("no_answer"), crimed), (by_rule, disposed), (closed,), (crimed, cancelled),
    ))]  # fmt: skip
    for reference in several:
        parts.deliver_letters(reference)
    before = parts.statistics("2026-11", "2026-12")
    assert sum(row["reports"] for row in before) == len(several)
    for reference in several:
        parts.desk.erase(SUE, reference, parts.now(reference).version, "request", "Request 7")
    assert parts.statistics("2026-11", "2026-12") == before
    parts.clock.advance(hours=1)
    parts.ledger.move_on()
    assert parts.statistics("2026-11", "2026-12") == before
    parts.check_numbers(several)
    crime = parts.now(several[0]).crime
    assert crime and parts.search.find(SUE, crime.number).reference == several[0]


# Two at once, and answers that are lost


def test_a_hold_that_comes_first_stops_an_erasure_and_the_other_way_round(case: tuple[Parts, Wire]) -> None:
    parts, wire = case
    held_first, erased_first = (lived(parts, closed, token=token) for token in "ab")
    wire.meddle = meanwhile("update_item", 1, lambda: parts.desk.hold(SUE, held_first, 2, "A court asked"))
    with pytest.raises(Stale):
        parts.desk.erase(SUE, held_first, 2, "request", "Request 7")
    report = parts.now(held_first)
    assert report.answers and retention.held_by_law(report)
    wire.meddle = meanwhile("update_item", 1, lambda: parts.desk.erase(SUE, erased_first, 2, "request", "Request 7"))
    with pytest.raises(Stale):
        parts.desk.hold(SUE, erased_first, 2, "A court asked")
    assert parts.now(erased_first).erased_at


def test_an_erasure_whose_answer_was_lost_is_done_once(client: Any) -> None:
    parts, wire = new_case(client)
    reference = lived(parts, closed)
    wire.meddle = repeats
    after = parts.desk.erase(SUE, reference, 2, "request", "Request 7")
    assert after.version == 3 and parts.now(reference) == after


def test_a_claim_ends_with_the_report(parts: Parts) -> None:
    reference = lived(parts, crimed, held)
    parts.desk.erase(SUE, reference, 3, "request", "Request 7")
    assert parts.store.lists.held_by(ANN.actor.id, parts.clock.now) == []
    assert not by_officers.only_held_on(parts.now(reference), 3, ANN.actor)


@pytest.mark.races
def test_on_a_real_engine_one_of_many_wins_and_the_housekeeping_runs_twice_at_once(dynamodb_local: str) -> None:
    force = Force(dynamodb_local)
    references = force.reports(4)
    casework, desk = force.casework(), force.desk()
    desks = [force.desk() for _ in range(8)]
    for one in desks:
        one.periods = read_periods(USUAL)
    for reference in references:
        casework.triage(reference)
        casework.send_letter(reference, 1)
        desk.not_crime(ANN, reference, 2, "no_offence", "The bicycle was lent.", {})
    force.now += timedelta(days=800)
    assert len(desks[0].review(SUE, "not_crimed", 50).heads) == len(references)
    for reference in references:
        acts = [partial(one.erase, SUE, reference, 3, "period", "Reviewed") for one in desks[:4]]
        acts += [partial(one.hold, SUE, reference, 3, "A court asked") for one in desks[4:]]
        results = at_once(*acts)
        assert sum(isinstance(result, life.Report) for result in results) == 1
        assert {type(result) for result in results} <= {life.Report, Stale}
    erased = [reference for reference in references if force.read(reference).erased_at]
    assert all(bool(force.read(reference).answers) is (reference not in erased) for reference in references)
    force.now += timedelta(hours=3)
    runs = at_once(*(lambda: housekeeping(force).finish(lambda: 60.0) for _ in range(2)))
    assert all(failed == 0 for _, failed in runs)
    assert housekeeping(force).finish(lambda: 60.0) == (0, 0)
    letters = {letter["reference"] for letter in Outbox(force._table()).letters()}
    assert letters == {show(reference) for reference in references if reference not in erased}


def housekeeping(force: Force) -> Erasing:
    """Of a process of its own. Nothing is in the bucket, and nothing was a draft."""
    table = force._table()
    finder, drafts = Finder(table, lambda: (SECRET,)), Drafts(table, force.casework(), lambda _: None, force.clock)
    return Erasing(force._store(), finder, drafts, Outbox(table), lambda _: None, lambda _: None, force.clock)
