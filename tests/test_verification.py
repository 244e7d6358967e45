"""Verifying what is stored: whatever is changed in a report or a letter is found, and what is whole is never complained
of.
"""

import ast
import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from chalicelib.reference import smoke_token
from chalicelib.report import LEASE, RENEW_AFTER, Heard
from chalicelib.report_items import key, letter_key
from chalicelib.retold import head_told_by
from chalicelib.table import Item, marshal
from chalicelib.verification import examine, letter_fault
from tests.fakes import ANN, BOB, NOW, SUE, FakeTable, Parts, answers

ROOT = Path(__file__).parents[1]


# Reports that have been through everything


def lived(*verbs: Callable[[Parts, str, int], Any], heard: Heard | None = None) -> Item:
    """A report after these, as it is stored."""
    parts = Parts(FakeTable())
    reference = parts.casework.submit(answers(), "token", heard=heard).reference
    for verb in verbs:
        parts.clock.advance(minutes=1)
        verb(parts, reference, parts.now(reference).version)
    item = parts.table.get(*key(reference))
    assert item
    return item


def triaged(parts: Parts, reference: str, version: int) -> None:
    parts.casework.triage(reference)


def called(result: str, text: str | None = None) -> Callable[[Parts, str, int], Any]:
    return lambda parts, reference, version: parts.desk.call_back(ANN, reference, version, result, text)


def told(parts: Parts, reference: str, version: int) -> None:
    parts.casework.add(reference, "an id", "There is a video")


def wished(parts: Parts, reference: str, version: int) -> None:
    parts.casework.choose_time(reference, "tomorrow")
    parts.casework.want_letters(reference, False)
    parts.casework.want_letters(reference, True)


def worked_on(parts: Parts, reference: str, version: int) -> None:
    desk = parts.desk
    desk.claim(ANN, reference, version)
    desk.release(ANN, reference, version + 1)
    desk.assign(SUE, reference, version + 2, BOB.actor)
    desk.assess(BOB, reference, version + 3, {"threat": "A knife"}, "urgent")
    desk.link(BOB, reference, version + 4, ["2" * 12], "one evening")
    desk.note(BOB, reference, version + 5, "a note")


def proposed(parts: Parts, reference: str, version: int) -> None:
    parts.desk._second_look = {"no_offence"}
    parts.desk.not_crime(BOB, reference, version, "no_offence", "It was lent", {})


def declined(parts: Parts, reference: str, version: int) -> None:
    parts.desk.decline(SUE, reference, version, "Look again")


def confirmed(parts: Parts, reference: str, version: int) -> None:
    parts.desk.confirm(SUE, reference, version)


def crimed(parts: Parts, reference: str, version: int) -> None:
    parts.crime(reference, BOB)


def by_rule(parts: Parts, reference: str, version: int) -> None:
    parts.clock.advance(hours=24)
    parts.sweep()


def disposed(parts: Parts, reference: str, version: int) -> None:
    parts.desk.dispose(ANN, reference, version, "further_investigation", None, "Reopened")


def held(parts: Parts, reference: str, version: int) -> None:
    parts.desk.claim(ANN, reference, version)


def cancelled(parts: Parts, reference: str, version: int) -> None:
    parts.desk.cancel(SUE, reference, version, "C2", "It was found", {})


def closed(parts: Parts, reference: str, version: int) -> None:
    parts.desk.not_crime(ANN, reference, version, "another_force", "Theirs", {"force": "Example Force"})


def reviewed(parts: Parts, reference: str, version: int) -> None:
    parts.desk.keep(SUE, reference, version, "Still open elsewhere")


def under_hold(parts: Parts, reference: str, version: int) -> None:
    parts.desk.hold(SUE, reference, version, "A court asked")


def lifted(parts: Parts, reference: str, version: int) -> None:
    parts.desk.lift(SUE, reference, version, "The court is done")


def erased(parts: Parts, reference: str, version: int) -> None:
    parts.desk.erase(SUE, reference, version, "request", "Request 7")


IN_CHAT = Heard(NOW - timedelta(hours=2), "c1", ANN.actor)
LIVES: dict[str, Item] = {
    "received": lived(),
    "told in the live chat": lived(heard=IN_CHAT),
    "told in the live chat, and crimed": lived(triaged, crimed, heard=IN_CHAT),
    "at work": lived(triaged, called("requested"), called("no_answer", "rang"), told, wished, worked_on),
    "reached and held": lived(called("left_message"), called("reached", "It was grey"), held),
    "proposed": lived(triaged, proposed),
    "declined": lived(triaged, proposed, declined, held),
    "confirmed, then a crime after all": lived(proposed, confirmed, crimed),
    "disposed": lived(triaged, worked_on, crimed, disposed, held),
    "by the rule, then cancelled": lived(triaged, by_rule, disposed, cancelled, told),
    "closed": lived(triaged, held, closed, told),
    "kept, and under legal hold": lived(triaged, closed, reviewed, under_hold),
    "erased": lived(triaged, worked_on, crimed, held, under_hold, lifted, erased),
}


def entries_of(item: Item) -> list[dict[str, Any]]:
    return [json.loads(text) for text in item["history"]]


def fault(item: Item) -> str | None:
    return examine(marshal(item)).fault


def kinds_in_the_code() -> Iterator[str]:
    """Every kind of entry that the rules can make: the texts that go into `with_entry`, also through a helper."""
    for name in ("report", "by_public", "by_officers", "retention"):
        for node in ast.walk(ast.parse((ROOT / "chalicelib" / f"{name}.py").read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("with_entry", "_by_public"):
                place = 1 if ast.unparse(node.func) == "with_entry" else 2
                texts = [part for part in ast.walk(node.args[place]) if isinstance(part, ast.Constant)]
                yield from (str(text.value) for text in texts)


def test_the_lives_have_every_kind_of_entry_there_is() -> None:
    kinds = set(kinds_in_the_code())
    assert len(kinds) >= 19
    assert {entry["what"] for item in LIVES.values() for entry in entries_of(item)} == kinds


@pytest.mark.parametrize("name", LIVES)
def test_what_is_whole_is_never_complained_of(name: str) -> None:
    assert fault(LIVES[name]) is None


# Whatever is changed is found


def changed(value: Any) -> Any:
    """Another value of that type."""
    match value:
        case str():
            return value + "x"
        case int():
            return value + 1
        case list():
            return [*value, "x"]
    return "x"


def tampered_entries(history: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Each way in which one may meddle with entries: each field of each changed, added, removed; entries moved."""
    for place, text in enumerate(history):
        entry, before, behind = json.loads(text), history[:place], history[place + 1 :]
        name = f"{place + 1} {entry['what']}"
        for field, value in entry.items():
            for what, other in (
                ("changed", entry | {field: changed(value)}),
                ("removed", {name: entry[name] for name in entry if name != field}),
            ):
                yield f"{name}: {field} {what}", [*before, written(other), *behind]
        yield f"{name}: a field added", [*before, written({**entry, "more": 1}), *behind]
        yield f"{name}: written otherwise", [*before, text.replace(",", ", ", 1), *behind]
        yield f"{name}: emptied", [*before, "", *behind]
        yield f"{name}: removed", [*before, *behind]
        yield f"{name}: doubled", [*before, text, text, *behind]
        yield f"{name}: only as far as here", [*before, text] if behind else []
        for other, moved in enumerate(history[:place]):
            swapped = list(history)
            swapped[place], swapped[other] = moved, text
            yield f"{name}: swapped with {other + 1}", swapped
            yield f"{name}: put before {other + 1}", [*history[:other], text, *history[other:place], *behind]


def written(entry: dict[str, Any]) -> str:
    return json.dumps(entry, separators=(",", ":"), ensure_ascii=False)


@pytest.mark.parametrize("name", LIVES)
@pytest.mark.parametrize("version_too", [False, True], ids=["entries alone", "and the count"])
def test_any_change_to_any_entry_is_found(name: str, version_too: bool) -> None:
    item, tried = LIVES[name], 0
    for what, history in tampered_entries(item["history"]):
        count = {"version": len(history)} if version_too else {}
        assert fault(item | {"history": history} | count), what
        tried += 1
    assert tried >= 12 * len(item["history"])


@pytest.mark.parametrize("name", [name for name in LIVES if "words" in LIVES[name]])
def test_any_change_to_words_is_found_and_erasing_them_is_none(name: str) -> None:
    item = LIVES[name]
    for place, text in enumerate(item["words"]):
        said = json.loads(text)
        for other in (
            *({**said, field: changed(value)} for field, value in said.items()),
            {**said, "version": 1},
            {"version": said["version"], "text": said["text"]},
        ):
            words = [*item["words"][:place], json.dumps(other), *item["words"][place + 1 :]]
            assert fault(item | {"words": words}), other
        assert fault(item | {"words": [*item["words"][:place], *item["words"][place + 1 :]]}) is None
    invented = json.dumps({"version": 1, "text": "I did it", "salt": "salt"})
    assert fault(item | {"words": [*item["words"], invented]})


HEAD = [*head_told_by(entries_of(LIVES["received"])), "due", "changed", "changed_at", "version", "seal"]


@pytest.mark.parametrize("name", LIVES)
@pytest.mark.parametrize("attribute", HEAD)
def test_any_change_to_a_head_that_the_history_tells_is_found(name: str, attribute: str) -> None:
    item = LIVES[name]
    others = [changed(item.get(attribute))] + ([None] if attribute in item else [])
    if attribute == "status":
        others = [status for status in ("received", "queued", "awaiting_information", "crimed", "not_crimed", "gone")
                  if status != item["status"]]  # fmt: skip
    for other in others:
        tampered = {**item, attribute: other}
        assert fault({name: value for name, value in tampered.items() if value is not None}), other


def test_a_report_that_somebody_hid_from_the_rule_is_found() -> None:
    assert fault(LIVES["at work"] | {"synthetic": 1})
    assert fault(LIVES["at work"] | {"due": "open-9"})


@given(st.sampled_from(sorted(LIVES)), st.data())
def test_any_letter_of_any_entry_counts(name: str, data: st.DataObject) -> None:
    item = deepcopy(LIVES[name])
    place = data.draw(st.integers(0, len(item["history"]) - 1))
    text = item["history"][place]
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start, min(len(text), start + 5)))
    other = text[:start] + data.draw(st.text(max_size=5)) + text[end:]
    assume(other != text)
    try:
        marshalled = marshal(item | {"history": [*item["history"][:place], other, *item["history"][place + 1 :]]})
    except UnicodeEncodeError:
        return
    assert examine(marshalled).broken


@given(
    st.dictionaries(
        st.sampled_from([*LIVES["at work"]]),
        st.one_of(st.text(max_size=9), st.integers(), st.binary(max_size=9), st.lists(st.text(max_size=9))),
        min_size=1,
    )
)
def test_nothing_that_may_be_in_the_table_stops_the_rest(values: dict[str, Any]) -> None:
    fault(LIVES["at work"] | values)


def test_going_on_with_a_lease_leaves_the_history_whole(parts: Parts) -> None:
    reference = parts.submit("token").reference
    parts.desk.claim(ANN, reference, 1)
    parts.clock.now += RENEW_AFTER
    assert parts.desk.renew(ANN, reference) == parts.clock.now + LEASE
    assert not fault(parts.table.items[key(reference)])


def test_the_smoke_tests_report_is_whole_and_has_no_place_in_an_index(parts: Parts) -> None:
    reference = parts.submit(smoke_token(b"a secret of the tests")).reference
    parts.casework.triage(reference)
    item = parts.table.items[key(reference)]
    assert not fault(item)
    assert fault(item | {"changed": "0", "changed_at": "2026-11-23T09:00:00Z"})


def test_a_letter_that_has_ended_is_where_the_figures_find_it(parts: Parts) -> None:
    reference = parts.submit("token").reference
    report = parts.now(reference)
    parts.store.start_letter(report, 1, "acknowledgement", parts.clock.now, parts.clock.now)
    item = parts.table.items[letter_key(reference, 1)]
    assert not letter_fault(item) and letter_fault(item | {"state": "sent"})
    parts.store.end_letter(reference, 1, "withheld: it is not safe", parts.clock.now)
    item = parts.table.items[letter_key(reference, 1)]
    assert not letter_fault(item)
    for name in ("changed", "changed_at"):
        assert letter_fault({other: value for other, value in item.items() if other != name})
    assert letter_fault(item | {"state": "sending"})


def test_an_entry_stamped_by_a_clock_that_is_behind_is_no_fault(parts: Parts) -> None:
    reference = parts.submit("token").reference
    parts.casework.triage(reference)
    parts.clock.advance(seconds=-1)
    parts.desk.note(ANN, reference, 2, "a note")
    item = parts.table.items[key(reference)]
    assert entries_of(item)[-1]["at"] < item["changed_at"]
    assert not fault(item)
    assert fault(item | {"changed_at": entries_of(item)[-1]["at"]})
