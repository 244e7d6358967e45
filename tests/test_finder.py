"""Finding reports: by whatever is typed, under every secret, in few requests, and without a word in any key."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest

from chalicelib import clues, finder
from chalicelib.casework import TryAgain
from chalicelib.clues import Clue
from chalicelib.errors import InvalidAnswers, NotFound
from chalicelib.finder import Finder, key_for, read_key
from chalicelib.forms import EXAMPLES
from chalicelib.reference import derive, show, smoke_token
from chalicelib.report import Report
from chalicelib.search import Found
from tests.fakes import (
    ANN,
    SUE,
    Died,
    FakeTable,
    Parts,
    Wire,
    all_is_well,
    break_item,
    dies,
    meanwhile,
    moto_table,
    new_case,
    repeats,
)

EVE = {"full_name": "Eve Example", "email": "eve@example.com", "phone": "07700 900123"}
HOME = {"address": "14 Example Road", "postcode": "B13 8AA"}


def triaged(parts: Parts, category: str = "theft", **sections: Any) -> Report:
    """A report that triage has seen, a minute after the one before."""
    parts.clock.advance(minutes=1)
    report = parts.submit(None, category, **sections)
    parts.casework.triage(report.reference)
    return parts.now(report.reference)


def listed(parts: Parts, typed: str, limit: int = 50) -> list[str]:
    """What an officer sees who types this and follows where it leads."""
    found = parts.search.find(ANN, typed)
    if found.reference:
        return [found.reference]
    return [head.reference for head in parts.search.found(ANN, found.key, limit)[0]]


def refused(parts: Parts, typed: str) -> str:
    with pytest.raises(InvalidAnswers) as refusal:
        parts.search.find(ANN, typed)
    ((field, message),) = refusal.value.errors
    assert field == "text"
    return message


# What is typed leads somewhere


@pytest.mark.parametrize(
    "typed",
    ["Kofi Bannerman", "bannerman KOFI", "Bannerman", "kofi.bannerman@EXAMPLE.com", "+44 7700 900123", "07700900123",
     "wv11aa", "example 2210", "EX68 AMP", "ex68amp"],
)  # fmt: skip
def test_one_report_is_found_by_each_of_its_clues(case: tuple[Parts, Wire], typed: str) -> None:
    parts, _ = case
    report = triaged(parts, **EXAMPLES["theft"] | {"category": "theft"})
    triaged(parts, contact={"full_name": "Kofi Other", "email": "other@example.com"})
    assert parts.search.find(ANN, typed) == Found(report.reference)


def test_the_reference_and_the_crime_number_lead_straight_there(case: tuple[Parts, Wire]) -> None:
    parts, _ = case
    report, other = triaged(parts), triaged(parts)
    parts.crime(other.reference)
    number = parts.crime(report.reference).crime
    assert number
    for typed in (show(report.reference), report.reference.lower(), number.number, number.number.replace("/", " / ")):
        assert parts.search.find(ANN, typed) == Found(report.reference)


def test_a_report_is_found_by_its_number_whoever_crimed_it(case: tuple[Parts, Wire]) -> None:
    parts, _ = case
    report = parts.submit("token")
    parts.clock.advance(hours=24)
    parts.sweep()
    crime = parts.now(report.reference).crime
    assert crime and parts.search.find(ANN, crime.number) == Found(report.reference)


def test_a_crime_that_was_cancelled_is_found_by_its_number(parts: Parts) -> None:
    report = triaged(parts)
    crime = parts.crime(report.reference).crime
    assert crime
    version = parts.now(report.reference).version
    parts.desk.cancel(SUE, report.reference, version, "C1", "It happened elsewhere", {"force": "Westshire Police"})
    assert parts.search.find(ANN, crime.number) == Found(report.reference)


def test_several_are_a_list_of_the_newest_first(case: tuple[Parts, Wire]) -> None:
    parts, _ = case
    reports = [triaged(parts).reference for _ in range(5)]
    found = parts.search.find(ANN, "eve example")
    assert not found.reference
    heads, more = parts.search.found(ANN, found.key)
    assert ([head.reference for head in heads], more) == (reports[::-1], False)
    heads, more = parts.search.found(ANN, found.key, 3)
    assert ([head.reference for head in heads], more) == (reports[:1:-1], True)


def test_all_words_of_a_name_have_to_be_in_it(parts: Parts) -> None:
    for name in ("Eve Example", "Eve Other", "Adam Example", "Eve Maria Example"):
        triaged(parts, contact=EVE | {"full_name": name})
    names = [parts.now(one).answers["contact"]["full_name"] for one in listed(parts, "example eve")]
    assert names == ["Eve Maria Example", "Eve Example"]
    assert len(listed(parts, "Eve")) == 3


def test_a_number_that_may_be_two_things_finds_both(parts: Parts) -> None:
    by_phone = triaged(parts).reference
    by_serial = triaged(parts, contact={"full_name": "Adam"}, items=[{"serial": "07700900123"}]).reference
    assert listed(parts, "07700900123") == [by_serial, by_phone]
    assert listed(parts, "+44 7700 900123") == [by_phone]


@pytest.mark.parametrize(
    "typed", ["7K3M-9QWP-R2T8", "20/999999/26", "nobody@example.com", "Nobody", "B1 1AA", "07700 900999"]
)
def test_what_nobody_said_is_refused_beside_the_field(case: tuple[Parts, Wire], typed: str) -> None:
    parts, _ = case
    triaged(parts)
    assert refused(parts, typed).startswith("No report was found")


@pytest.mark.parametrize(
    "typed", ["", "x" * 10_000, "\x00\x01\x02", "\ufffd" * 20, "\ud800\udfff", "'; --", "🙂" * 100]
)
def test_hostile_input_is_refused_beside_the_field(case: tuple[Parts, Wire], typed: str) -> None:
    parts, wire = case
    assert not refused(parts, typed).startswith("No report")
    assert wire.calls == []


def test_a_reference_of_nobodys_may_still_be_a_serial_number(parts: Parts) -> None:
    serial = show(derive(b"nobody's, by chance"))
    report = triaged(parts, items=[{"serial": serial}])
    assert parts.search.find(ANN, serial) == Found(report.reference)


# Keys


def test_a_key_is_the_same_for_everybody_who_looks_for_the_same(parts: Parts) -> None:
    triaged(parts)
    triaged(parts)
    key = parts.search.find(ANN, "Eve Example").key
    assert key == parts.search.find(ANN, "example EVE").key
    assert re.fullmatch("[A-Za-z0-9_.~-]{33}", key)
    assert parts.search.found(ANN, key) == parts.search.found(ANN, key)


def test_a_key_without_the_secret_opens_nothing(parts: Parts) -> None:
    triaged(parts)
    stranger = Finder(FakeTable(), lambda: (b"a secret of somebody else's",))
    forged = key_for(stranger.digests([[Clue("phone", "07700900123")]]))
    assert parts.search.found(ANN, forged) == ([], False)


@pytest.mark.parametrize(
    "key",
    ["", "~", ".", "x" * 16 + "~", "x" * 15, "x" * 17, "07700900123", "x" * 15 + "/", "x" * 15 + "\n", "é" * 16,
     ".".join(["x" * 16] * 201), "FIND#" + "x" * 11],
)  # fmt: skip
def test_what_is_no_key_is_not_found(case: tuple[Parts, Wire], key: str) -> None:
    parts, wire = case
    with pytest.raises(NotFound):
        parts.search.found(ANN, key)
    assert wire.calls == []


def test_every_key_we_give_can_be_read(parts: Parts) -> None:
    secrets = [f"secret {number}".encode() for number in range(30)]
    digests = Finder(FakeTable(), lambda: secrets).digests(clues.asked_for("Anna Berta Cara Dora Emil Fred").meanings)
    assert len(digests) == 30 and read_key(key_for(digests)) == digests


# Secrets that change


def test_reports_are_found_whichever_secret_was_in_force_when_they_came(case: tuple[Parts, Wire]) -> None:
    parts, _ = case
    secrets = [b"the first"]
    parts.finder._secrets = lambda: secrets
    before = triaged(parts).reference
    secrets.insert(0, b"the second")
    after = triaged(parts).reference
    assert listed(parts, "Eve Example") == listed(parts, "07700 900123") == [after, before]
    secrets[:] = [b"the second", b"the first", b"one to come"]
    assert listed(parts, "Eve Example") == [after, before]
    assert [one.head.reference for one in parts.search.related(ANN, parts.now(after))] == [before]


def test_a_report_noted_under_two_secrets_is_found_once(parts: Parts) -> None:
    secrets = [b"the first"]
    parts.finder._secrets = lambda: secrets
    report = triaged(parts)
    secrets.insert(0, b"the second")
    parts.casework.triage(report.reference)
    assert parts.search.find(ANN, "Eve Example") == Found(report.reference)


# Who notes them, and when


def entries(table: Any, client: Any = None) -> list[tuple[str, str]]:
    """The keys of what reports are found by."""
    if client:
        items = client.scan(TableName=table._name)["Items"]
        keys = [(item["pk"]["S"], item["sk"]["S"]) for item in items]
    else:
        keys = list(table.items)
    return sorted(key for key in keys if key[0].startswith("FIND#"))


def test_a_report_that_has_moved_on_is_found_all_the_same(parts: Parts) -> None:
    crimed = parts.submit("crimed before triage").reference
    parts.crime(crimed)
    version = parts.now(crimed).version
    assert parts.casework.triage(crimed) is False
    assert parts.now(crimed).version == version
    assert parts.search.find(ANN, "Eve Example") == Found(crimed)


def test_the_smoke_tests_report_is_never_found(parts: Parts) -> None:
    synthetic = parts.submit(smoke_token(b"a secret of the tests"))
    assert synthetic.synthetic
    parts.casework.triage(synthetic.reference)
    assert entries(parts.table) == []
    assert refused(parts, "Eve Example")
    assert parts.search.related(ANN, synthetic) == []


def test_told_twice_notes_nothing_more(parts: Parts) -> None:
    report = triaged(parts)
    before = dict(parts.table.items)
    parts.casework.triage(report.reference)
    parts.casework.triage("2" * 12)
    assert parts.table.items == before


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("error", [Died, ConnectionError])
def test_triage_cut_off_at_any_call_and_told_again(client: Any, error: type[BaseException], after: bool) -> None:
    parts, wire = new_case(client)
    sent = {"where": HOME, "items": [{"serial": "EX-1234"}]}
    reference = parts.submit("token", **sent).reference
    wire.calls.clear()
    parts.casework.triage(reference)
    calls, whole = len(wire.calls), len(entries(parts.table, client))
    assert (calls, whole) == (9, 7)  # the report, seven clues, the change
    for at in range(1, calls + 1):
        parts, wire = new_case(client)
        reference = parts.submit("token", **sent).reference
        wire.meddle = dies(at + 1, after, error)
        with pytest.raises(error):
            parts.casework.triage(reference)
        if parts.now(reference).status != "received":
            assert len(entries(parts.table, client)) == whole  # never assessed before it can be found
        wire.meddle = all_is_well
        parts.casework.triage(reference)
        assert [entry["what"] for entry in parts.now(reference).entries] == ["received", "triaged"]
        assert len(entries(parts.table, client)) == whole
        assert parts.search.find(ANN, "Eve Example") == Found(reference)


def test_notes_made_twice_by_the_sdk(case: tuple[Parts, Wire]) -> None:
    parts, wire = case
    wire.meddle = repeats
    report = triaged(parts)
    assert report.status == "queued" and parts.search.find(ANN, "Eve Example") == Found(report.reference)


def test_an_officer_in_between_does_not_make_triage_note_again(case: tuple[Parts, Wire]) -> None:
    parts, wire = case
    reference = parts.submit("token").reference
    wire.calls.clear()
    wire.meddle = meanwhile("update_item", 1, lambda: parts.desk.claim(ANN, reference, 1))
    parts.casework.triage(reference)
    assert wire.calls.count("put_item") == 4


def test_a_table_that_takes_no_note_holds_triage_up_and_nothing_is_lost(case: tuple[Parts, Wire]) -> None:
    parts, wire = case
    reference = parts.submit("token").reference
    wire.meddle = dies(3, after=False, error=TryAgain)
    with pytest.raises(TryAgain):
        parts.casework.triage(reference)
    assert parts.now(reference).is_open


def test_a_submission_is_still_one_request(case: tuple[Parts, Wire]) -> None:
    parts, wire = case
    parts.submit("token")
    assert wire.calls == ["put_item"]


# Related reports


def test_related_reports_are_told_with_why(parts: Parts) -> None:
    first = triaged(parts, where=HOME, items=[{"serial": "EX-1234"}])
    triaged(parts, contact={"full_name": "Eve Example", "email": "other@example.com"})  # the name alone
    neighbour = triaged(parts, "burglary", contact={"full_name": "Adam"}, where=HOME)
    again = triaged(parts, contact=EVE | {"phone": ""}, items=[{"registration": "ex1234"}])
    related = parts.search.related(ANN, first)
    assert [(one.head.reference, one.because, one.possible_duplicate) for one in related] == [
        (again.reference, ("Same email address", "Same serial or registration number"), True),
        (neighbour.reference, ("Same address",), False),
    ]
    assert [one.head.reference for one in parts.search.related(ANN, neighbour)] == [first.reference]


def test_a_possible_duplicate_is_near_in_time(parts: Parts) -> None:
    first = triaged(parts, when={"start_date": "2026-11-20"})
    parts.clock.advance(days=10)
    late = triaged(parts)
    later = triaged(parts, when={"start_date": "2026-11-20"})
    assert {one.head.reference: one.possible_duplicate for one in parts.search.related(ANN, first)} == {
        late.reference: False, later.reference: True
    }  # fmt: skip


def test_the_newest_twenty_are_related(parts: Parts) -> None:
    reports = [triaged(parts) for _ in range(24)]
    for report in (reports[0], reports[12], reports[-1]):
        newest = [one.reference for one in reversed(reports) if one != report][:20]
        assert [one.head.reference for one in parts.search.related(ANN, report)] == newest


def test_a_report_with_nothing_to_link_it_has_none(parts: Parts) -> None:
    triaged(parts)
    alone = triaged(parts, contact={"full_name": "Eve Example", "email": "alone@example.com"})
    assert parts.search.related(ANN, alone) == []


def test_an_index_that_is_wrong_relates_nothing(parts: Parts) -> None:
    """What decides are the answers: here an entry that should not be there."""
    one = triaged(parts)
    other = triaged(parts, contact={"full_name": "Adam", "phone": "07700 900999"})
    for pk, sk in entries(parts.table):
        if one.reference in sk:
            wrong = sk.replace(one.reference, other.reference)
            parts.table.put_new({"pk": pk, "sk": wrong})
    assert parts.search.related(ANN, one) == []


def test_a_broken_report_and_one_that_is_gone_hold_up_no_list(client: Any) -> None:
    parts, _ = new_case(client)
    broken, gone, *whole = (triaged(parts) for _ in range(4))
    break_item(client, parts.table._name, broken.reference, "answers")
    key = {"pk": {"S": f"REPORT#{gone.reference}"}, "sk": {"S": "REPORT"}}
    client.delete_item(TableName=parts.table._name, Key=key)
    assert sorted(listed(parts, "Eve Example")) == sorted(report.reference for report in whole)
    assert [one.head.reference for one in parts.search.related(ANN, whole[1])] == [whole[0].reference]


# Seeing is logged


def accesses(parts: Parts) -> list[Any]:
    return [(row["what"], row["references"]) for row in parts.store.accesses(officer=ANN.actor.id)][::-1]


def test_whoever_sees_a_list_is_on_record(parts: Parts) -> None:
    one, other = triaged(parts), triaged(parts)
    found = parts.search.find(ANN, "Eve Example")
    assert accesses(parts) == []
    parts.search.found(ANN, found.key)
    parts.clock.advance(seconds=1)
    parts.search.related(ANN, one)
    assert accesses(parts) == [("list", [other.reference, one.reference]), ("list", [other.reference])]


def test_whoever_is_told_that_one_report_has_a_clue_is_on_record(parts: Parts) -> None:
    report = triaged(parts)
    parts.search.find(ANN, "07700 900123")
    assert accesses(parts) == [("list", [report.reference])]


# How many requests


def requests_of_an_officer(client: Any, count: int) -> list[int]:
    """How many each of search, found and related takes, where every report has the same name and telephone number."""
    parts, wire = new_case(client)
    for number in range(count):
        parts.clock.advance(seconds=1)
        report = parts.submit(str(number), where=HOME)
        parts.finder.note(report)
    taken, verbs = [], [
        lambda: parts.search.find(ANN, "Eve Example"),
        lambda: parts.search.find(ANN, "07700 900123"),
        lambda: parts.search.found(ANN, key_for(parts.finder.digests(clues.asked_for("Eve Example").meanings))),
        lambda: parts.search.related(ANN, report),
    ]  # fmt: skip
    for verb in verbs:
        wire.calls.clear()
        verb()
        taken.append(len(wire.calls))
    return taken


def test_requests_do_not_grow_with_the_reports_there_are(client: Any) -> None:
    few, many = requests_of_an_officer(client, 25), requests_of_an_officer(client, 520)
    assert few == many == [2, 2, 4, 5]


def test_a_name_that_many_have_is_read_so_far_and_no_further(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finder, "PAGE", 2)
    monkeypatch.setattr(finder, "MOST_READ", 6)
    parts, wire = new_case(client)
    old = triaged(parts, contact={"full_name": "Eve Rare", "email": "rare@example.com"})
    common = [triaged(parts, contact=EVE) for _ in range(9)]
    triaged(parts, contact={"full_name": "Eve Rare", "email": "rare@example.com"})
    key = key_for(parts.finder.digests(clues.asked_for("Eve Rare").meanings))
    wire.calls.clear()
    heads, more = parts.search.found(ANN, key)
    assert (len(heads), more) == (1, True)  # says that it did not look at all of them
    assert wire.calls.count("query") <= 2 * 3
    assert listed(parts, "rare@example.com")[-1] == old.reference
    assert len(common) == 9


@pytest.mark.parametrize("page_size", [1, 2, 3])
def test_pages_of_any_size_give_the_same(client: Any, page_size: int) -> None:
    parts, wire = new_case(client)
    names = ["Eve Example", "Eve Other", "Adam Example"]
    reports = [triaged(parts, contact=EVE | {"full_name": names[number % 3]}).reference for number in range(12)]
    wire.page_size = page_size
    assert listed(parts, "Example Eve") == reports[9::-3]


# No word in any key


@pytest.mark.parametrize("category", EXAMPLES)
def test_no_key_has_anything_of_the_person(client: Any, category: str) -> None:
    """Neither as it was typed, nor as a digest that somebody could make who does not know the secret."""
    table, _ = moto_table(client)
    parts = Parts(table)
    said = EXAMPLES[category]
    report = parts.casework.submit(said, "token")
    parts.casework.triage(report.reference)
    key = key_for(parts.finder.digests(clues.asked_for(said["contact"]["full_name"]).meanings))
    items = client.scan(TableName=table._name)["Items"]
    found = [item for item in items if item["pk"]["S"].startswith("FIND#")]
    values = {clue.value.lower() for clue in clues.clues_of(said)}
    assert len(found) == len(values) > 5
    assert all(set(item) == {"pk", "sk"} for item in found)
    for text in [key, *(json.dumps(item).lower() for item in found)]:
        assert not [value for value in values if value in text]
    plain = Finder(FakeTable(), lambda: (b"",)).digests([[clue] for clue in clues.clues_of(said)])
    assert not {f"FIND#{digest}" for ((digest),) in plain} & {item["pk"]["S"] for item in found}


def test_the_same_value_of_another_kind_is_another_key(parts: Parts) -> None:
    digests = parts.finder.digests([[Clue("phone", "07700900123")], [Clue("property", "07700900123")]])
    assert len(set(digests)) == 2


def test_a_report_keeps_its_entries_in_the_order_of_time(parts: Parts) -> None:
    report = triaged(parts)
    parts.clock.advance(days=400)
    other = triaged(parts)
    assert parts.clock.now - report.received_at > timedelta(days=400)
    assert listed(parts, "Eve Example") == [other.reference, report.reference]
