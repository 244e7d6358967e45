"""The life cycle, move by move, and the history that shows any change made to it."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib import by_officers, by_public, retention
from chalicelib import report as life
from chalicelib.errors import NotAllowed
from chalicelib.life_cycle import Move, Status
from chalicelib.report import RULE, Claim, Crime, Report, Words
from tests.fakes import ANN, NOW, SUE, answers

OFFICER = ANN.actor
CRIME = Crime("20/1/26", NOW, OFFICER, "44", "filed", 18)
BY_RULE = Crime("20/1/26", NOW, RULE, "44")

# Written out from the contract and domain.md, not from the code.
WHILE_OPEN = {
    "claim": "same",
    "release": "same",
    "note": "same",
    "ask": "awaiting_information",
    "reach": "queued",
    "crime": "crimed",
    "crime_by_rule": "crimed",
    "not_crime": "not_crimed",
    "add": "same",
    "choose_time": "same",
    "letters": "same",
    "assign": "same",
    "assess": "same",
    "link": "same",
    "propose": "same",
    "decline": "same",
    "hold": "same",
    "lift": "same",
}
ALWAYS = dict.fromkeys(("note", "add", "letters", "assess", "link", "hold", "lift"), "same")
DECIDED = ALWAYS | {"keep": "same", "erase": "same"}
EXPECTED = {
    "received": {"triage": "queued", **WHILE_OPEN},
    "queued": WHILE_OPEN,
    "awaiting_information": WHILE_OPEN,
    "crimed": {
        "claim": "same",
        "release": "same",
        "assign": "same",
        "dispose": "same",
        "cancel": "not_crimed",
        **DECIDED,
    },
    "not_crimed": {"crime": "crimed", **DECIDED},
}


def words(text: str = "what was said") -> Words:
    return Words(0, text, "salt")


MOVES: dict[str, Callable[[Report], Report]] = {
    "triage": lambda report: life.triage(report, NOW),
    "claim": lambda report: life.claim(report, OFFICER, NOW),
    "release": lambda report: life.release(replace(report, claim=Claim(OFFICER, NOW + life.LEASE)), OFFICER, NOW),
    "ask": lambda report: life.call_back(report, OFFICER, NOW, "no_answer", words()),
    "reach": lambda report: life.call_back(report, OFFICER, NOW, "reached", None),
    "crime": lambda report: life.crime(report, CRIME, words()),
    "crime_by_rule": lambda report: life.crime(report, BY_RULE),
    "not_crime": lambda report: life.not_crime(report, OFFICER, NOW, "no_offence", words(), {}),
    "dispose": lambda report: life.dispose(report, OFFICER, NOW, "further_investigation", 0),
    "note": lambda report: life.note(report, OFFICER, NOW, words()),
    "add": lambda report: by_public.add(report, NOW, f"id {report.version}", words()),
    "choose_time": lambda report: by_public.choose_time(report, NOW, words("in the morning")),
    "assign": lambda report: by_officers.assign(report, OFFICER, SUE.actor, NOW),
    "assess": lambda report: by_officers.assess(report, OFFICER, NOW, words("Threat: none"), None),
    "link": lambda report: by_officers.link(report, OFFICER, NOW, ["4T6Y8UJKM2NX"], words("one street, one night")),
    "propose": lambda report: by_officers.propose(report, OFFICER, NOW, "no_offence", words(), {}),
    "decline": lambda report: by_officers.decline(replace(report, proposal=report.version), SUE.actor, NOW, words()),
    "cancel": lambda report: by_officers.cancel(report, SUE.actor, NOW, "C2", words(), {}),
    "letters": lambda report: by_public.want_letters(report, NOW, not report.wants_letters),
    "hold": lambda report: retention.hold(report, SUE.actor, NOW, words()),
    "lift": lambda report: retention.lift(report, SUE.actor, NOW, words()),
    "keep": lambda report: retention.keep(disposed_of(report), SUE.actor, NOW, words()),
    "erase": lambda report: retention.erase(disposed_of(report), SUE.actor, NOW, "request", words(), {}),
}


def disposed_of(report: Report) -> Report:
    """As if an officer had given the disposal."""
    return replace(report, crime=CRIME) if report.awaits_disposal else report


def received() -> Report:
    return life.receive("7K3M9QWPR2TX", "theft", answers(), NOW)


STANDING = {
    "received": received(),
    "queued": MOVES["triage"](received()),
    "awaiting_information": MOVES["ask"](received()),
    "crimed": MOVES["crime_by_rule"](received()),
    "not_crimed": MOVES["not_crime"](received()),
}


def lived() -> Report:
    report = life.note(received(), OFFICER, NOW, words("first words"))
    for move in (
        "triage",
        "add",
        "claim",
        "note",
        "choose_time",
        "ask",
        "reach",
        "letters",
        "assign",
        "assess",
        "link",
        "propose",
        "decline",
        "crime",
        "note",
        "dispose",
        "cancel",
    ):
        report = MOVES[move](report)
    return report


LIVED = lived()


def test_every_status_and_move_is_in_the_table_of_this_test() -> None:
    assert set(EXPECTED) == set(STANDING) == set(Status)
    assert set(MOVES) == set(Move)


@pytest.mark.parametrize("move", MOVES)
@pytest.mark.parametrize("status", EXPECTED)
def test_life_cycle(status: str, move: str) -> None:
    before = MOVES["hold"](STANDING[status]) if move == "lift" else STANDING[status]
    assert before.status == status
    if move not in EXPECTED[status]:
        with pytest.raises(NotAllowed) as refused:
            MOVES[move](before)
        assert refused.value.more["allowed"]
        return
    after = MOVES[move](before)
    leads_to = EXPECTED[status][move]
    assert after.status == (status if leads_to == "same" else leads_to)
    assert after.version == before.version + 1
    assert after.history[:-1] == before.history
    assert life.verify(after) is None


def test_a_refusal_names_the_addresses_that_are_allowed() -> None:
    with pytest.raises(NotAllowed) as refused:
        MOVES["dispose"](STANDING["received"])
    assert refused.value.more["allowed"] == ["claim", "release", "call-backs", "crime", "not-crime", "notes"]
    with pytest.raises(NotAllowed) as refused:
        MOVES["crime"](STANDING["crimed"])
    assert refused.value.more["allowed"] == ["claim", "release", "disposal", "notes"]
    closed = STANDING["not_crimed"]
    with pytest.raises(NotAllowed) as refused:
        MOVES["not_crime"](closed)
    assert refused.value.more["allowed"] == ["crime", "notes"]


@pytest.mark.parametrize("move", ["crime", "crime_by_rule", "not_crime", "dispose", "release", "propose", "cancel"])
def test_a_decision_ends_the_claim(move: str) -> None:
    claimed = MOVES["claim"](STANDING["crimed" if move in ("dispose", "cancel") else "queued"])
    assert claimed.claim
    assert MOVES[move](claimed).claim is None


# What the person does later


def test_the_same_addition_twice_is_one() -> None:
    once = by_public.add(received(), NOW, "an id", words("There is a video."))
    assert by_public.add(once, NOW + timedelta(minutes=1), "an id", words("There is a video.")) == once
    assert by_public.add(once, NOW, "another", words("There is a video.")).version == 3


def test_an_addition_may_raise_the_priority_and_never_lowers_it() -> None:
    raised = by_public.add(received(), NOW, "1", words("They are still outside my house."))
    assert (raised.priority, raised.reasons) == ("urgent", ("The words suggest that it is still going on",))
    later = by_public.add(raised, NOW, "2", words("Thank you."))
    assert (later.priority, later.reasons) == (raised.priority, raised.reasons)
    assert by_public.add(later, NOW, "3", words("It happened before.")).priority == "urgent"


def test_a_time_chosen_twice_is_noted_once_and_the_last_counts() -> None:
    chosen = by_public.choose_time(received(), NOW, words("in the morning"))
    assert by_public.choose_time(chosen, NOW, words("in the morning")) == chosen
    assert by_public.choose_time(chosen, NOW, words("in the evening")).call_back_wanted == "in the evening"
    assert received().call_back_wanted is None


def test_letters_are_stopped_and_resumed() -> None:
    stopped = by_public.want_letters(received(), NOW, False)
    assert not stopped.wants_letters
    assert by_public.want_letters(stopped, NOW, False) == stopped
    assert by_public.want_letters(stopped, NOW, True).wants_letters
    assert by_public.want_letters(received(), NOW, True) == received()


def test_nobody_fills_a_report_from_outside() -> None:
    report = received()
    with pytest.raises(NotAllowed) as refused:
        for number in range(100):
            report = by_public.want_letters(report, NOW, bool(number % 2))
    assert "Call 101" in refused.value.detail
    assert not report.wants_letters  # they can always be stopped, whatever else is refused
    assert report.version == by_public.MOST_ENTRIES + 2
    for more in (lambda: by_public.add(report, NOW, "id", words()), lambda: MOVES["choose_time"](report)):
        with pytest.raises(NotAllowed):
            more()
    for move in ("note", "claim", "crime"):
        MOVES[move](report)


@pytest.mark.parametrize("text", ["x" * 5_000, "€" * 5_000, '"' * 5_000])
def test_officers_have_room_however_much_is_added(text: str) -> None:
    report = received()
    with pytest.raises(NotAllowed) as refused:
        for number in range(100):
            report = by_public.add(report, NOW, str(number), words(text))
    assert "Call 101" in refused.value.detail
    assert report.version > 3
    assert by_public.add(report, NOW, "0", words(text)) == report  # it is there already, so nothing is refused
    for number in range(10):
        report = life.note(
            life.claim(report, SUE.actor if number % 2 else OFFICER, NOW), OFFICER, NOW, words("x" * 3_000)
        )


def test_a_person_who_comes_after_the_decision_is_not_told_what_officers_may_do() -> None:
    for status in ("crimed", "not_crimed"):
        with pytest.raises(NotAllowed) as refused:
            MOVES["choose_time"](STANDING[status])
        assert "has been decided" in refused.value.detail


@pytest.mark.parametrize(("seconds", "late"), [(0, False), (24 * 3600, False), (24 * 3600 + 1, True)])
def test_the_deadline_is_kept_or_missed(seconds: int, late: bool) -> None:
    then, later = NOW + timedelta(seconds=seconds), NOW + timedelta(days=9)
    assert received().is_late(then) == late
    crimed = life.crime(received(), replace(CRIME, at=then))
    closed = life.not_crime(received(), OFFICER, then, "no_offence", words(), {})
    for decided in (crimed, by_public.add(closed, later, "id", words())):
        assert (decided.decided_at, decided.is_late(later)) == (then, late)


@pytest.mark.parametrize(
    ("moves", "news"),
    [
        (["add"], False),  # it is open, so an officer will read it
        (["add", "crime"], False),
        (["crime", "add"], True),
        (["not_crime", "add"], True),
        (["crime", "add", "claim"], True),  # to hold it is not to read it
        (["crime", "add", "letters"], True),
        (["crime", "add", "note"], False),
        (["crime", "add", "dispose"], False),
        (["crime", "letters"], False),
        (["crime", "add", "note", "add"], True),
    ],
)
def test_what_is_added_to_a_decided_report_is_news_until_an_officer_writes(moves: list[str], news: bool) -> None:
    report = received()
    for move in moves:
        report = MOVES[move](report)
    assert report.has_news == news


@pytest.mark.parametrize("move", ["ask", "reach", "note", "add", "choose_time", "letters"])
def test_other_work_leaves_the_claim(move: str) -> None:
    assert MOVES[move](MOVES["claim"](STANDING["queued"])).claim


def test_a_claim_is_a_lease_of_half_an_hour() -> None:
    head = MOVES["claim"](received()).head
    assert head.held_by(NOW) == head.held_by(NOW + timedelta(minutes=29, seconds=59)) == OFFICER
    assert head.held_by(NOW + timedelta(minutes=30)) is None


def test_deadline_is_24_elapsed_hours_also_when_the_clocks_change() -> None:
    late_october = NOW.replace(month=10, day=24, hour=12)
    report = life.receive("7K3M9QWPR2TX", "theft", answers(), late_october)
    assert report.deadline - late_october == timedelta(hours=24)
    assert report.deadline.hour == 12  # in UTC: 1pm and then noon on the clocks of London


def test_only_a_crime_without_disposal_awaits_one() -> None:
    assert STANDING["crimed"].awaits_disposal
    assert not MOVES["dispose"](STANDING["crimed"]).awaits_disposal
    assert not MOVES["crime"](STANDING["queued"]).awaits_disposal
    assert not any(STANDING[status].awaits_disposal for status in ("received", "not_crimed"))


def test_the_same_disposal_again_is_refused_and_another_is_not() -> None:
    once = MOVES["dispose"](STANDING["crimed"])
    with pytest.raises(NotAllowed):
        MOVES["dispose"](once)
    assert life.dispose(once, OFFICER, NOW, "filed", 18).crime == replace(once.crime, disposal="filed", outcome=18)


def test_the_number_and_author_of_a_crime_survive_a_disposal() -> None:
    disposed = life.dispose(STANDING["crimed"], SUE.actor, NOW, "filed", 18).crime
    assert disposed and (disposed.number, disposed.by) == ("20/1/26", RULE)


def test_history_says_who_did_what_and_when() -> None:
    entries = LIVED.entries
    assert [entry["what"] for entry in entries] == [
        "received", "noted", "triaged", "added", "claimed", "noted", "call_back_time", "call_back", "call_back",
        "letters_stopped", "assigned", "assessed", "linked", "proposed", "declined", "crimed", "noted", "disposed",
        "cancelled",
    ]  # fmt: skip
    assert [entry["by"] for entry in entries[:3]] == ["public", "officer-ann", "triage"]
    assert entries[-2]["by_name"] == "Ann Officer" and entries[-2]["at"] == "2026-11-23T09:00:00Z"
    assert STANDING["crimed"].entries[-1]["by_name"] == "24-hour rule"


def test_nothing_the_person_or_the_officer_wrote_is_in_the_history() -> None:
    kept = "".join(LIVED.history)
    assert "what was said" not in kept and "eve@example.com" not in kept


def test_personal_data_is_not_in_the_text_of_a_report() -> None:
    assert "Eve Example" not in repr(LIVED) and "what was said" not in repr(LIVED)


# The chain


def test_an_untouched_history_verifies() -> None:
    assert life.verify(received()) is None
    assert life.verify(LIVED) is None


def test_erased_words_leave_it_verifiable() -> None:
    assert len(LIVED.words) == 12
    for kept in range(12):
        assert life.verify(replace(LIVED, words=LIVED.words[:kept] + LIVED.words[kept + 1 :])) is None
    assert life.verify(replace(LIVED, words=())) is None


@pytest.mark.parametrize("place", range(len(LIVED.history)))
def test_every_changed_field_of_every_entry_is_found(place: int) -> None:
    entry = json.loads(LIVED.history[place])
    for name in entry:
        for tampered in ({**entry, name: "other"}, {key: entry[key] for key in entry if key != name}):
            text = json.dumps(tampered, separators=(",", ":"), ensure_ascii=False)
            assert life.verify(with_entry(place, text)), f"{name} of entry {place}"


@pytest.mark.parametrize("place", range(len(LIVED.history)))
def test_a_missing_or_doubled_entry_is_found(place: int) -> None:
    history = LIVED.history
    assert life.verify(replace(LIVED, history=history[:place] + history[place + 1 :]))
    assert life.verify(replace(LIVED, history=(*history[: place + 1], *history[place:])))
    for version in range(LIVED.version + 2):  # nor does it help to change the version with it
        assert life.verify(replace(LIVED, history=history[:place], version=version))


@given(st.permutations(range(len(LIVED.history))))
def test_any_other_order_is_found(order: list[int]) -> None:
    reordered = replace(LIVED, history=tuple(LIVED.history[place] for place in order))
    assert (life.verify(reordered) is None) == (order == sorted(order))


@given(st.data())
def test_any_changed_character_is_found(data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(LIVED.history) - 1))
    text = LIVED.history[place]
    at = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.characters(codec="utf-8").filter(lambda letter: letter != text[at]))
    assert life.verify(with_entry(place, text[:at] + other + text[at + 1 :]))


def test_changed_words_are_found() -> None:
    first, second, *others = LIVED.words
    for tampered in (
        (replace(first, text="what was not said"), second, *others),
        (replace(first, salt="pepper"), second, *others),
        (replace(first, version=second.version), replace(second, version=first.version), *others),
        (replace(first, text="what was not said"), *LIVED.words),  # beside those that are true
        (*LIVED.words, Words(3, "said at triage", "salt")),  # an entry without words
        (*LIVED.words, Words(0, "of no entry", "salt")),
        (*LIVED.words, Words(99, "of no entry", "salt")),
    ):
        assert life.verify(replace(LIVED, words=tuple(tampered))), tampered


def test_a_changed_seal_is_found() -> None:
    assert life.verify(replace(LIVED, seal="")) and life.verify(replace(LIVED, history=(), seal="", version=0))


def with_entry(place: int, text: str) -> Report:
    return replace(LIVED, history=(*LIVED.history[:place], text, *LIVED.history[place + 1 :]))


# Room


def test_notes_are_refused_before_a_decision_would_not_fit() -> None:
    report = received()
    with pytest.raises(NotAllowed):
        for _ in range(100):
            report = life.note(report, OFFICER, NOW, words("ä" * 4_000))
    assert MOVES["crime"](report).status == "crimed"


def test_a_full_history_takes_no_claim_but_lets_one_go() -> None:
    report = MOVES["claim"](received())
    while life.has_room(report):
        report = life.note(report, OFFICER, NOW, words("ä" * 4_000))
    later = NOW + timedelta(minutes=29)
    with pytest.raises(NotAllowed):
        life.claim(report, OFFICER, later)
    assert life.release(report, OFFICER, later).claim is None


def test_a_claim_is_renewed_when_it_is_worth_an_entry() -> None:
    claimed = MOVES["claim"](received())
    assert life.claim(claimed, OFFICER, NOW + timedelta(minutes=4)) is claimed
    renewed = life.claim(claimed, OFFICER, NOW + timedelta(minutes=6))
    assert renewed.claim and renewed.claim.until == NOW + timedelta(minutes=36)


def test_letting_go_of_what_nobody_holds_changes_nothing() -> None:
    assert life.release(received(), OFFICER, NOW) == received()


def test_disposals_cannot_fill_the_item_but_the_first_always_fits() -> None:
    report = MOVES["crime_by_rule"](received())
    while life.has_room(report):
        report = life.note(report, OFFICER, NOW, words("ä" * 4_000))
    disposed = life.dispose(report, OFFICER, NOW, "filed", 18)
    with pytest.raises(NotAllowed):
        life.dispose(disposed, OFFICER, NOW, "further_investigation", 0)
