"""What the person does to their report through casework: beside officers, cut off at any call, and told twice."""

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib import casework
from chalicelib import report as life
from chalicelib.errors import NotAllowed, NotFound
from tests.fakes import ANN, Died, Parts, Wire, all_is_well, dies, meanwhile, new_case, repeats

VERBS: dict[str, Callable[[Parts, str], Any]] = {
    "added": lambda parts, ref: parts.casework.add(ref, "an id", "There is a video."),
    "call_back_time": lambda parts, ref: parts.casework.choose_time(ref, "As soon as you can"),
    "letters_stopped": lambda parts, ref: parts.casework.want_letters(ref, False),
}


def done(parts: Parts, reference: str) -> list[str]:
    report = parts.now(reference)
    assert life.verify(report) is None
    return [entry["what"] for entry in report.entries]


@pytest.mark.parametrize("what", VERBS)
def test_there_must_be_a_report(parts: Parts, what: str) -> None:
    with pytest.raises(NotFound):
        VERBS[what](parts, "2" * 12)


@pytest.mark.parametrize("what", VERBS)
def test_what_an_officer_writes_in_the_same_moment_stays_too(case: tuple[Parts, Wire], what: str) -> None:
    parts, wire = case
    reference = parts.submit("token").reference
    wire.meddle = meanwhile("update_item", 1, lambda: parts.desk.claim(ANN, reference, 1))
    VERBS[what](parts, reference)
    assert done(parts, reference) == ["received", "claimed", what]
    assert parts.now(reference).claim


@pytest.mark.parametrize("what", ["added", "letters_stopped"])
def test_a_decision_in_the_same_moment_stops_neither_words_nor_the_stop_of_letters(
    case: tuple[Parts, Wire], what: str
) -> None:
    parts, wire = case
    reference = parts.submit("token").reference
    decide = lambda: parts.desk.not_crime(ANN, reference, 1, "no_offence", "It was lent", {})  # noqa: E731
    wire.meddle = meanwhile("update_item", 1, decide)
    VERBS[what](parts, reference)
    assert done(parts, reference) == ["received", "not_crimed", what]
    assert [head.reference for head in parts.listed("new_information")] == [reference] * (what == "added")


def test_a_time_for_a_call_that_comes_after_the_decision_is_refused(case: tuple[Parts, Wire]) -> None:
    parts, wire = case
    reference = parts.submit("token").reference
    wire.meddle = meanwhile("update_item", 1, lambda: parts.crime(reference))
    with pytest.raises(NotAllowed) as refused:
        VERBS["call_back_time"](parts, reference)
    assert "has been decided" in refused.value.detail
    assert done(parts, reference) == ["received", "crimed"]


@pytest.mark.parametrize("what", VERBS)
def test_whoever_always_comes_too_late_is_told_to_try_again(case: tuple[Parts, Wire], what: str) -> None:
    parts, wire = case
    reference = parts.submit("token").reference
    noting: list[int] = []

    def always_quicker(number: int, name: str, call: Callable[[], Any]) -> Any:
        if name == "update_item" and len(noting) % 2 == 0:
            noting.append(1)
            parts.desk.note(ANN, reference, parts.now(reference).version, "a note")
            noting.append(1)
        return call()

    wire.meddle = always_quicker
    with pytest.raises(NotAllowed) as refused:
        VERBS[what](parts, reference)
    assert "Try again in a minute" in refused.value.detail
    wire.meddle = all_is_well
    assert done(parts, reference) == ["received", *["noted"] * casework.TRIES]


def evening(parts: Parts) -> str:
    """All that a person may do."""
    reference = parts.submit("token").reference
    for verb in VERBS.values():
        verb(parts, reference)
    return reference


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("error", [Died, ConnectionError])
def test_cut_off_at_any_call_and_begun_again(client: Any, error: type[BaseException], after: bool) -> None:
    parts, wire = new_case(client)
    evening(parts)
    for at in range(1, len(wire.calls) + 1):
        parts, wire = new_case(client)
        wire.meddle = dies(at, after, error)
        with pytest.raises(error):
            evening(parts)
        wire.meddle = all_is_well
        assert done(parts, evening(parts)) == ["received", *VERBS], at


def test_written_twice_by_the_sdk_it_is_there_once(case: tuple[Parts, Wire]) -> None:
    parts, wire = case
    wire.meddle = repeats
    assert done(parts, evening(parts)) == ["received", *VERBS]


def test_news_are_read_when_an_officer_writes_and_not_when_one_holds_the_report(parts: Parts) -> None:
    reference = parts.submit("token").reference
    version = parts.crime(reference).version
    VERBS["added"](parts, reference)
    parts.desk.claim(ANN, reference, version + 1)
    assert [head.reference for head in parts.listed("new_information")] == [reference]
    parts.desk.note(ANN, reference, version + 2, "Read.")
    assert not parts.listed("new_information")
