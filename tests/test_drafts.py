"""Drafts: kept at every step, by two tabs at once, sent once, and gone after seven days with their files."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.drafts import KEPT, LARGEST, LAST_REQUEST, MOST_LINKS, Draft, Drafts
from chalicelib.errors import AlreadySent, InvalidAnswers, NotAllowed, NotFound, TooLarge
from chalicelib.evidence import INVITED_FOR
from chalicelib.table import ConditionFailed
from infra.local.stack import create_table
from tests.fakes import Died, Parts, answers, new_case

FIRST = {"emergency": "no", "reporter": "victim"}
ID = "d" * 32


class Desk:
    """Drafts over the parts of a service; `erased` are the folders whose files were removed."""

    def __init__(self, parts: Parts) -> None:
        self.parts, self.erased = parts, []
        self.drafts = Drafts(parts.table, parts.casework, self.erase_files, parts.clock)

    def erase_files(self, folder: str) -> None:
        self.erased.append(folder)

    def begin(self, draft_id: str = ID) -> Draft:
        return self.drafts.begin(draft_id, "theft", FIRST, "before")

    def now(self, draft_id: str = ID) -> Draft:
        found = self.drafts.find(draft_id)
        assert found
        return found

    def erase_ended(self) -> int:
        """How many were erased; none may fail."""
        erased, failed = self.drafts.erase_ended(lambda: 60.0)
        assert not failed
        return erased

    def reports(self) -> list[str]:
        return [key[0] for key in self.parts.table.items if key[1] == "REPORT"]


@pytest.fixture
def desk(parts: Parts) -> Desk:
    return Desk(parts)


def saying(**said: Any) -> Callable[[Draft], Draft]:
    return lambda draft: replace(draft, answers={**draft.answers, **said})


@pytest.mark.parametrize("place", ["memory", "moto"])
def test_a_draft_comes_back_as_it_was_kept(place: str, parts: Parts, client: Any) -> None:
    desk = Desk(parts if place == "memory" else new_case(client)[0])
    assert desk.begin() == desk.now()
    kept = desk.drafts.change(ID, lambda draft: replace(
        draft, answers={"what_happened": "Ü\n😀"}, items={"b": {"type": "Bag"}, "a": {"value": 3}},
        seen=("before", "items")))  # fmt: skip
    assert desk.now() == kept
    assert kept.all_answers == {"what_happened": "Ü\n😀", "items": [{"type": "Bag"}, {"value": 3}]}
    assert kept.version == 2


def test_an_id_is_taken_once(desk: Desk) -> None:
    desk.begin()
    with pytest.raises(NotAllowed):
        desk.begin()


def test_a_draft_is_found_for_seven_days(desk: Desk) -> None:
    desk.begin()
    desk.parts.clock.now += KEPT - timedelta(seconds=1)
    assert desk.drafts.find(ID)
    desk.parts.clock.now += timedelta(seconds=1)
    assert desk.drafts.find(ID) is None
    with pytest.raises(NotFound):
        desk.drafts.change(ID, saying(what_happened="late"))


def test_two_tabs_at_once_lose_nothing(desk: Desk) -> None:
    desk.begin()

    def slow(draft: Draft) -> Draft:
        if draft.version == 1:  # the other tab is quicker
            desk.drafts.change(ID, saying(what_happened="from the other tab"))
        return saying(where={"postcode": "B1 1AA"})(draft)

    desk.drafts.change(ID, slow)
    assert desk.now().answers == {**FIRST, "what_happened": "from the other tab", "where": {"postcode": "B1 1AA"}}


def test_a_draft_that_never_stands_still_is_refused_in_words(desk: Desk) -> None:
    desk.begin()

    def never_first(draft: Draft) -> Draft:
        item = desk.parts.table.items[f"DRAFT#{ID}", "DRAFT"]
        item["version"] += 2
        return draft

    with pytest.raises(NotAllowed):
        desk.drafts.change(ID, never_first)


def test_a_write_that_the_sdk_makes_again_is_our_own(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.begin()
    update = desk.parts.table.update

    def twice(*key: str, **change: Any) -> Any:
        update(*key, **change)
        return update(*key, **change)

    monkeypatch.setattr(desk.parts.table, "update", twice)
    assert desk.drafts.change(ID, saying(what_happened="once")).version == 2


def test_more_than_a_report_may_have_is_refused_before_it_is_kept(desk: Desk) -> None:
    desk.begin()
    with pytest.raises(TooLarge):
        desk.drafts.change(ID, saying(what_happened="x" * LARGEST))
    assert desk.now().version == 1


def test_a_draft_becomes_one_report_with_its_folder(desk: Desk) -> None:
    draft = desk.begin()
    reference = desk.drafts.send(draft, answers())
    assert desk.parts.now(reference).files_in == ID
    sent = desk.now()
    assert (sent.sent, sent.answers, sent.items) == (reference, {}, {})
    with pytest.raises(AlreadySent) as there:
        desk.drafts.change(ID, saying(what_happened="more"))
    assert there.value.reference == reference


def test_sent_twice_at_once_is_one_report(desk: Desk) -> None:
    draft = desk.begin()
    assert len({desk.drafts.send(draft, answers()) for _ in range(3)}) == len(desk.reports()) == 1


def test_sent_again_with_other_answers_names_the_report_that_is_there(desk: Desk) -> None:
    draft = desk.begin()
    reference = desk.drafts.send(draft, answers())
    with pytest.raises(AlreadySent) as there:
        desk.drafts.send(draft, answers(what_happened="Something else."))
    assert there.value.reference == reference


def test_death_between_report_and_draft_loses_nothing_and_doubles_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft = desk.begin()
    with monkeypatch.context() as broken:
        broken.setattr(desk.drafts, "close", _die)
        with pytest.raises(Died):
            desk.drafts.send(draft, answers())
    (report,) = desk.reports()
    assert report == f"REPORT#{desk.drafts.send(desk.now(), answers())}"
    assert desk.now().sent


def _die(*_: Any) -> None:
    raise Died


def test_a_draft_of_which_we_died_as_it_became_a_report_gives_nothing_up(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft = desk.begin()
    desk.drafts.require_unsent(draft)
    with monkeypatch.context() as broken:
        broken.setattr(desk.drafts, "close", _die)
        with pytest.raises(Died):
            desk.drafts.send(draft, answers())
    with pytest.raises(AlreadySent) as there:
        desk.drafts.require_unsent(desk.now())
    assert desk.now().sent == there.value.reference
    assert desk.erased == []


def test_what_another_tab_saves_while_it_is_sent_does_not_keep_it_open(desk: Desk) -> None:
    draft = desk.begin()
    desk.drafts.change(ID, saying(what_happened="meanwhile"))
    reference = desk.drafts.send(draft, answers())  # with the older version in hand
    assert desk.now().sent == reference
    assert desk.now().answers == {}


def test_an_erased_draft_is_gone_with_its_files(desk: Desk) -> None:
    desk.drafts.erase(desk.begin())
    assert desk.drafts.find(ID) is None
    assert desk.erased == [ID]
    assert "victim" not in str(desk.parts.table.items)


def test_what_was_on_its_way_when_a_draft_was_erased_goes_with_the_next_run(desk: Desk) -> None:
    desk.drafts.erase(desk.begin())
    desk.parts.clock.now += LAST_REQUEST - timedelta(seconds=1)
    assert desk.erase_ended() == 0  # a file that was invited may still arrive
    desk.parts.clock.now += timedelta(seconds=1)
    assert desk.erase_ended() == 1
    assert desk.erased == [ID, ID]
    assert not [key for key in desk.parts.table.items if key[1] == "DRAFT"]


def test_a_draft_is_over_also_while_its_files_cannot_be_removed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def down(folder: str) -> None:
        raise OSError("sam@example.com")

    draft = desk.begin()
    with monkeypatch.context() as broken:
        broken.setattr(desk.drafts, "_erase_files", down)
        desk.drafts.erase(draft)
    assert desk.drafts.find(ID) is None
    assert "sam@" not in caplog.text
    desk.parts.clock.now += LAST_REQUEST
    assert desk.erase_ended() == 1
    assert desk.erased == [ID]


def test_nobody_is_invited_for_longer_than_erasing_waits() -> None:
    assert INVITED_FOR <= LAST_REQUEST


def test_a_draft_that_changed_meanwhile_is_erased_all_the_same(desk: Desk) -> None:
    old = desk.begin()
    desk.drafts.change(ID, saying(what_happened="meanwhile"))
    desk.drafts.erase(old)
    assert desk.drafts.find(ID) is None
    assert desk.erased == [ID]


def test_a_draft_that_was_sent_meanwhile_keeps_its_files(desk: Desk) -> None:
    old = desk.begin()
    reference = desk.drafts.send(old, answers())
    desk.drafts.erase(old)
    assert desk.now().sent == reference
    assert desk.erased == []


def test_what_nobody_sent_in_seven_days_is_erased(desk: Desk) -> None:
    for number in range(9):
        desk.begin(f"{number:032x}")
    desk.parts.clock.now += timedelta(days=1)
    desk.begin("young")
    desk.parts.clock.now += KEPT - timedelta(days=1) + LAST_REQUEST
    assert desk.erase_ended() == 9
    assert len(desk.erased) == 9
    assert [key[0] for key in desk.parts.table.items if key[1] == "DRAFT"] == ["DRAFT#young"]
    assert desk.erase_ended() == 0


def test_a_draft_that_may_still_be_on_its_way_is_left(desk: Desk) -> None:
    desk.begin()
    desk.parts.clock.now += KEPT
    assert desk.erase_ended() == 0


@pytest.mark.parametrize("closed", [True, False])
def test_the_files_of_a_report_stay(desk: Desk, closed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when we died before the draft could note that it had been sent."""
    draft = desk.begin()
    if not closed:
        monkeypatch.setattr(desk.drafts, "close", lambda *_: None)
    desk.drafts.send(draft, answers())
    desk.parts.clock.now += KEPT + LAST_REQUEST
    assert desk.erase_ended() == 1
    assert desk.erased == []
    assert not [key for key in desk.parts.table.items if key[1] == "DRAFT"]


def test_one_that_cannot_be_erased_holds_up_no_other(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    for draft_id in ("good", "bad", "fine"):
        desk.begin(draft_id)
    broken = desk.erase_files

    def fails(folder: str) -> None:
        if folder == "bad":
            raise OSError("sam@example.com")
        broken(folder)

    desk.drafts._erase_files = fails
    desk.parts.clock.now += KEPT + LAST_REQUEST
    assert desk.drafts.erase_ended(lambda: 60.0) == (2, 1)
    assert "sam@" not in caplog.text
    assert [key[0] for key in desk.parts.table.items if key[1] == "DRAFT"] == ["DRAFT#bad"]
    desk.drafts._erase_files = broken
    assert desk.erase_ended() == 1


def test_it_stops_in_time(desk: Desk) -> None:
    for number in range(3):
        desk.begin(str(number))
    desk.parts.clock.now += KEPT + LAST_REQUEST
    left = iter([60.0, 60.0, 5.0])
    assert desk.drafts.erase_ended(lambda: next(left)) == (2, 0)


def test_a_draft_is_in_no_list_of_reports(desk: Desk) -> None:
    desk.begin()
    desk.parts.clock.now += KEPT
    assert desk.parts.listed() == []
    assert list(desk.parts.store.due(desk.parts.clock.now)) == []
    assert desk.parts.statistics("2026-11", "2026-11")[0]["reports"] == 0


def test_links_are_sent_a_few_times_only(desk: Desk) -> None:
    desk.begin()
    told = {"email": "sam@example.com", "address": "https://example.com"}
    for number in range(1, MOST_LINKS + 1):
        assert desk.drafts.change(ID, lambda draft: draft.asking_for_a_link(told)).links == number
    assert desk.now().link_to == told
    with pytest.raises(InvalidAnswers):
        desk.drafts.change(ID, lambda draft: draft.asking_for_a_link(told))


def test_answers_are_in_no_text_of_a_draft(desk: Desk) -> None:
    """A draft that ends up in a log or an exception says nothing."""
    told = {"email": "sam@example.com", "address": "https://example.com"}
    draft = replace(desk.begin(), answers={"what_happened": "secret"}, items={"a": {"type": "secret"}}, link_to=told)
    assert "secret" not in repr(draft)
    assert "sam@" not in repr(draft)


def test_eight_tabs_at_once_over_a_real_dynamodb(dynamodb_local: str) -> None:
    import boto3

    from chalicelib.table import Table

    create_table(dynamodb_local, "drafts")
    made = boto3.client("dynamodb", endpoint_url=dynamodb_local, region_name="eu-west-2",
                        aws_access_key_id="local", aws_secret_access_key="local")  # fmt: skip
    desk = Desk(Parts(Table(made, "drafts")))
    desk.begin()
    refused: list[Exception] = []

    def tab(number: int) -> None:
        for _ in range(50):
            try:
                desk.drafts.change(ID, saying(**{f"answer {number}": number}))
                return
            except NotAllowed as again:  # the person would press once more
                refused.append(again)

    threads = [threading.Thread(target=tab, args=[number]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert desk.now().answers == {**FIRST, **{f"answer {number}": number for number in range(8)}}
    assert desk.now().version == 9
    with pytest.raises(ConditionFailed):
        desk.parts.table.remove(f"DRAFT#{ID}", "DRAFT", condition="#version = :was", given={"was": 8})
