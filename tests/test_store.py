"""The store against moto: submission once, changes once, lists whole, whatever the wire does."""

from typing import Any

import pytest

from chalicelib import report as life
from chalicelib.errors import AlreadySent
from chalicelib.reference import smoke_token
from chalicelib.report import Report, Words
from chalicelib.report_items import SHARDS, written
from chalicelib.store import Store, report_change
from chalicelib.table import ConditionFailed
from chalicelib.wanted import Wanted
from tests.fakes import (
    ANN,
    NOW,
    Died,
    Parts,
    answers,
    break_item,
    dies,
    meanwhile,
    moto_table,
    repeats,
)


class Case:
    """The service over a new table, and the wire between them."""

    def __init__(self, client: Any) -> None:
        self.table, self.wire = moto_table(client)
        self.parts = Parts(self.table)
        self.store: Store = self.parts.store


@pytest.fixture
def case(client: Any) -> Case:
    return Case(client)


def noted(report: Report, text: str = "a note") -> Report:
    return life.note(report, ANN.actor, NOW, Words(0, text, "salt"))


def items_of_reports(case: Case) -> int:
    return len(case.parts.listed())


# Submission


def test_submission_is_one_request_and_is_read_back_whole(case: Case) -> None:
    report = case.parts.submit("token", "burglary", what_happened="“Ünï” \u2028 \U0001f600")
    assert case.wire.calls == ["put_item"]
    assert case.store.read(report.reference) == report
    assert report.answers["what_happened"] == "“Ünï” \u2028 \U0001f600"


def test_answers_are_not_stored_in_the_clear(case: Case, client: Any) -> None:
    report = case.parts.submit("token")
    kept = client.scan(TableName=case.table._name)["Items"]
    assert report.reference in str(kept) and "eve@example.com" not in str(kept) and "token" not in str(kept[0].values())


def test_the_same_token_and_body_is_the_same_report_whenever_it_comes(case: Case) -> None:
    first = case.parts.submit("token")
    case.parts.clock.advance(days=400)
    again = case.parts.submit("token")
    assert (again, items_of_reports(case)) == (first, 1)
    case.parts.sweep()
    assert case.parts.submit("token").crime  # it is given as it is now
    assert case.parts.submit("token").received_at == first.received_at


def test_the_same_token_with_another_body_is_refused(case: Case) -> None:
    first = case.parts.submit("token")
    with pytest.raises(AlreadySent) as refused:
        case.parts.submit("token", "burglary")
    assert refused.value.reference == first.reference
    assert case.parts.now(first.reference) == first and items_of_reports(case) == 1


def test_other_tokens_and_none_make_other_reports(case: Case) -> None:
    made = [case.parts.submit(token).reference for token in ("one", "two", None, None)]
    assert len(set(made)) == 4 == items_of_reports(case)


def test_another_secret_gives_another_reference(client: Any) -> None:
    references = {Parts(moto_table(client)[0], secret).submit("token").reference for secret in (b"one", b"two")}
    assert len(references) == 2


def test_references_that_collide_are_told_apart(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """`token_digest` made to give every token's first attempt one reference: a collision cannot be found by trying."""
    real = __import__("chalicelib.reference", fromlist=["token_digest"]).token_digest

    def colliding(secret: bytes, token: str, attempt: int = 0) -> bytes:
        digest = real(secret, token, attempt)
        return digest if attempt else bytes(16) + digest[16:]

    monkeypatch.setattr("chalicelib.reference.token_digest", colliding)
    one, two = case.parts.submit("one"), case.parts.submit("two", "burglary")
    assert one.reference == "2" * 12 != two.reference
    assert case.parts.submit("one") == one and case.parts.submit("two", "burglary") == two
    assert items_of_reports(case) == 2
    with pytest.raises(AlreadySent):
        case.parts.submit("two")


@pytest.mark.parametrize("after", [False, True])
def test_a_submission_that_was_cut_off_can_be_sent_again(case: Case, after: bool) -> None:
    case.wire.meddle = dies(1, after)
    with pytest.raises(Died):
        case.parts.submit("token")
    case.wire.meddle = lambda number, name, call: call()
    again = case.parts.submit("token")
    assert items_of_reports(case) == 1 and case.parts.now(again.reference) == again


def test_two_at_once_make_one_report(case: Case) -> None:
    made: list[Report] = []
    case.wire.meddle = meanwhile("put_item", 1, lambda: made.append(case.parts.submit("token")))
    made.append(case.parts.submit("token"))
    assert made[0] == made[1] and items_of_reports(case) == 1


def test_a_write_made_twice_by_the_sdk_is_recognised(case: Case) -> None:
    case.wire.meddle = repeats
    report = case.parts.submit("token")
    case.parts.casework.triage(report.reference)
    changed = case.parts.desk.note(ANN, report.reference, 2, "a note")
    assert changed.version == 3 and len(changed.history) == 3 and len(changed.words) == 1
    assert life.verify(case.parts.now(report.reference)) is None


# Changes


def test_a_change_is_one_request_and_nothing_else_changes(case: Case) -> None:
    report = case.parts.submit("token")
    case.wire.calls.clear()
    saved = case.store.save(report, noted(report))
    assert case.wire.calls == ["update_item"]
    assert saved == case.store.read(report.reference) == noted(report)


@pytest.mark.parametrize("text", ["", " ", "“Ünï”\n\u2028", "x" * 4_000])
def test_words_are_kept_as_they_were_said(case: Case, text: str) -> None:
    report = case.parts.submit("token")
    saved = case.store.save(report, noted(report, text))
    assert saved.words[0].text == text and life.verify(saved) is None


def test_a_change_of_something_older_is_refused(case: Case) -> None:
    report = case.parts.submit("token")
    case.store.save(report, noted(report))
    with pytest.raises(ConditionFailed):
        case.store.save(report, noted(report, "another note"))
    assert case.parts.now(report.reference).words[0].text == "a note"


def test_a_change_of_nothing_is_refused(case: Case) -> None:
    nowhere = life.receive("2" * 12, "theft", answers(), NOW)
    with pytest.raises(ConditionFailed):
        case.store.save(nowhere, noted(nowhere))
    assert case.store.read("2" * 12) is None


def test_a_lost_answer_is_recognised_also_when_the_report_has_moved_on(case: Case) -> None:
    report = case.parts.submit("token")

    def another_officer() -> None:
        now = case.parts.now(report.reference)
        case.store.save(now, noted(now, "the other one"))

    case.wire.meddle = meanwhile("update_item", 1, another_officer, repeat=True)
    saved = case.store.save(report, noted(report, "ours"))
    assert [words.text for words in saved.words] == ["ours", "the other one"]
    assert life.verify(saved) is None


def test_every_part_of_a_report_comes_back(case: Case) -> None:
    report = case.parts.submit("token", "burglary", harm={"injury": "yes"})
    for move in (
        lambda it: life.triage(it, NOW),
        lambda it: life.call_back(it, ANN.actor, NOW, "no_answer", Words(0, "rang", "salt")),
        lambda it: life.claim(it, ANN.actor, NOW),
        lambda it: life.crime(it, life.Crime("20/1/26", NOW, life.RULE, "28E")),
        lambda it: life.dispose(it, ANN.actor, NOW, "filed", 18),
    ):
        after = move(report)
        report = case.store.save(report, after)
        assert report == after == case.store.read(report.reference)
    assert life.verify(report) is None


def test_not_crimed_comes_back(case: Case) -> None:
    report = case.parts.submit("token")
    after = life.not_crime(report, ANN.actor, NOW, "another_force", Words(0, "why", "salt"), {"force": "Example"})
    assert case.store.save(report, after) == after == case.store.read(report.reference)


# Lists


@pytest.mark.parametrize("page_size", [None, 1, 3])
def test_lists_are_whole_in_order_and_without_repeats(case: Case, page_size: int | None) -> None:
    harms = [{}, {"injury": "yes"}, {"under_18": "yes"}]
    made = []
    for number in range(12):
        report = case.parts.submit(f"token {number}", harm=harms[number % 3])
        case.parts.clock.advance(minutes=1)
        if number % 4:
            case.parts.casework.triage(report.reference)
        made.append(case.parts.now(report.reference))
    order = {None: 0, "urgent": 1, "high": 2, "standard": 3}
    expected = sorted(made, key=lambda report: (order[report.priority], report.deadline))
    case.wire.page_size = page_size
    found = case.store.lists.page(Wanted(), "", NOW, 200).heads
    assert [head for _, head in found] == [report.head for report in expected]
    assert [place for place, _ in found] == sorted(place for place, _ in found)
    for start, (place, _) in enumerate(found, start=1):
        assert case.store.lists.page(Wanted(), "", NOW, 200, place).heads == found[start:]
    assert list(case.store.due(NOW)) == []
    by_deadline = sorted(made, key=lambda report: report.deadline)
    assert list(case.store.due(made[-1].deadline)) == [report.reference for report in by_deadline]
    assert list(case.store.due(by_deadline[5].deadline)) == [report.reference for report in by_deadline[:6]]


def test_a_report_that_is_touched_while_it_is_listed_is_listed_once(case: Case) -> None:
    reference = case.parts.submit("token").reference
    case.wire.meddle = meanwhile("query", SHARDS + 1, lambda: case.parts.casework.triage(reference))
    assert [head.reference for head in case.parts.listed()] == [reference]


def test_a_report_that_is_touched_before_the_work_list_is_read_is_not_missed(case: Case) -> None:
    reference = case.parts.submit("token").reference
    case.wire.meddle = meanwhile("query", 1, lambda: case.parts.casework.triage(reference))
    assert [head.reference for head in case.parts.listed()] == [reference]


def test_decided_reports_leave_the_lists_and_those_without_disposal_wait(case: Case) -> None:
    parts = case.parts
    by_rule, by_officer, closed = (parts.submit(token).reference for token in "abc")
    parts.crime(by_officer)
    parts.desk.not_crime(ANN, closed, 1, "no_offence", "why", {})
    parts.clock.advance(hours=24)
    parts.sweep()
    assert parts.listed() == [] == list(case.store.due(parts.clock.now))
    assert [head.reference for head in parts.listed("awaiting_disposal")] == [by_rule]
    parts.desk.dispose(ANN, by_rule, parts.now(by_rule).version, "filed", None, None)
    assert parts.listed("awaiting_disposal") == []


# Seeing


def test_accesses_are_kept_for_the_report_and_for_the_officer(case: Case) -> None:
    reference = case.parts.submit("token").reference
    case.parts.desk.read(ANN, reference)
    case.parts.desk.queue(ANN, Wanted())
    (seen,), (listed, again) = case.store.accesses(reference=reference), case.store.accesses(officer=ANN.actor.id)
    assert again == {**seen, "pk": again["pk"]}
    assert (seen["what"], seen["officer"], seen["officer_name"]) == ("read", "officer-ann", "Ann Officer")
    assert (listed["what"], listed["references"]) == ("list", [reference])


def test_an_empty_list_is_a_consultation_too(case: Case) -> None:
    case.parts.desk.queue(ANN, Wanted())
    assert [item["references"] for item in case.store.accesses(officer=ANN.actor.id)] == [[]]


# The stream


def test_a_stream_record_of_a_report_names_its_last_change(case: Case, client: Any) -> None:
    report = case.parts.submit("token")
    case.parts.casework.triage(report.reference)
    case.parts.casework.send_letter(report.reference, 1)
    images = client.scan(TableName=case.table._name)["Items"]
    changes = [report_change(image) for image in images]
    assert len(images) == 6  # the report, the note of its letter, and four clues
    assert [change for change in changes if change] == [(report.reference, 2, "triaged")]


# A report that somebody broke


@pytest.mark.parametrize("broken", ["answers", "status"])
def test_a_broken_report_is_given_as_its_error_among_the_others(case: Case, client: Any, broken: str) -> None:
    whole, bad = case.parts.submit("whole"), case.parts.submit("bad")
    break_item(client, case.table._name, bad.reference, broken)
    found = case.store.read_many([whole.reference, bad.reference, "2" * 12])
    assert found[whole.reference] == whole and isinstance(found[bad.reference], Exception) and len(found) == 2


def test_answers_are_written_as_ever() -> None:
    """Whoever sends the same again after an upgrade would be told that it is something else."""
    assert (
        written({"b": "Zoë’s", "a": [1, {"d": None, "c": "x"}]}) == '{"a":[1,{"c":"x","d":null}],"b":"Zoë’s"}'.encode()
    )


def test_equal_answers_in_another_order_are_the_same_submission(case: Case) -> None:
    said = answers(about={"kind": "pedal_cycle", "locked": "yes"}, what_happened="Zoë’s bicycle")
    turned = dict(reversed(list(said.items()))) | {"about": {"locked": "yes", "kind": "pedal_cycle"}}
    assert written(turned) == written(said)
    assert case.parts.casework.submit(turned, "token") == case.parts.casework.submit(said, "token")


# The smoke test


def test_the_report_of_the_smoke_test_is_in_no_list_and_counted_nowhere(case: Case) -> None:
    token = smoke_token(b"a secret of the tests")
    report = case.parts.submit(token)
    assert report.synthetic and case.store.read(report.reference) == report
    case.parts.casework.triage(report.reference)
    case.parts.deliver_letters(report.reference)
    case.parts.clock.advance(hours=30)
    case.parts.sweep()
    triaged = case.parts.now(report.reference)
    assert (triaged.status, triaged.synthetic) == ("queued", True)
    assert [letter["state"] for letter in case.store.letters(report.reference)] == ["withheld: it is the smoke test's"]
    assert not case.parts.listed() and not case.parts.sender.sent
    (row,) = case.parts.statistics("2026-11", "2026-11")
    assert (row["reports"], row["letters"]["withheld"]) == (0, 0) and not list(case.store.due(case.parts.clock.now))


def test_nobody_else_can_mark_a_report_so(case: Case) -> None:
    assert not case.parts.submit(smoke_token(b"another secret")).synthetic
    assert not case.parts.submit("smoke test", "burglary").synthetic


def test_a_collision_under_a_former_secret_is_seen_through(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two reports of one first reference; each, sent again after the secret changed, is still itself."""
    real = __import__("chalicelib.reference", fromlist=["token_digest"]).token_digest
    monkeypatch.setattr(
        "chalicelib.reference.token_digest",
        lambda secret, token, attempt=0: (
            real(secret, token, attempt) if attempt else bytes(16) + real(secret, token)[16:]
        ),
    )
    one, two = case.parts.submit("one"), case.parts.submit("two", "burglary")
    case.store._secrets = lambda: (b"the new one", b"a secret of the tests")
    assert case.parts.submit("two", "burglary") == two and case.parts.submit("one") == one
    with pytest.raises(AlreadySent):
        case.parts.submit("two")
    assert items_of_reports(case) == 2
