"""Every letter is rendered for every case and read; and the ways they go out."""

import json
import re
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import pytest

from chalicelib import by_officers
from chalicelib import report as life
from chalicelib.forms import EXAMPLES
from chalicelib.letters import CHANGES, Letter, asked_for, withheld, write
from chalicelib.report import RULE, Crime, Report, Words
from chalicelib.statistics import NOT_CRIMED_REASONS
from tests.fakes import ANN, NOW, SUE, answers

OFFICER, REFERENCE = ANN.actor, "7K3M9QWPR2TX"
CATEGORIES = ("burglary", "theft", "criminal_damage")
RATIONALE = Words(0, "What the officer thinks of Eve", "salt")


def received(category: str = "theft", **sections: Any) -> Report:
    return life.receive(REFERENCE, category, answers(category, **sections), NOW)


def crimed(report: Report, disposal: str | None) -> Report:
    by, outcome = (OFFICER, 18) if disposal else (RULE, None)
    return life.crime(report, Crime("20/123456/26", NOW, by, "44", disposal, outcome), RATIONALE)


def not_crimed(report: Report, reason: str, **more: str) -> Report:
    return life.not_crime(report, OFFICER, NOW, reason, RATIONALE, more)


def cancelled(report: Report, code: str, **more: str) -> Report:
    return by_officers.cancel(crimed(report, "filed"), SUE.actor, NOW, code, RATIONALE, more)


def called(report: Report, *results: str) -> Report:
    for result in results:
        report = life.call_back(report, OFFICER, NOW, result, RATIONALE)
    return report


def contact(**answers: str) -> dict[str, str]:
    return {"full_name": "Eve Example", "email": "eve@example.com", **answers}


def cases() -> Iterator[tuple[str, Report]]:
    """Everything that a letter can be about."""
    for category in CATEGORIES:
        example = life.receive(REFERENCE, category, EXAMPLES[category], NOW)
        for report in (received(category), example):
            yield "acknowledgement", report
            yield "call_back_needed", called(report, "requested")
            for disposal in ("further_investigation", "filed", None):
                yield "crimed", crimed(report, disposal)
            for disposal, outcome in (("further_investigation", 0), ("filed", 18)):
                yield "disposed", life.dispose(crimed(report, None), OFFICER, NOW, disposal, outcome, RATIONALE)
            for reason in NOT_CRIMED_REASONS:
                yield "not_crimed", not_crimed(report, reason, duplicate_of="2" * 12)
            yield "not_crimed", not_crimed(report, "another_force", force="Example Constabulary")
            for code in ("C1", "C2", "C3", "C4"):
                yield "cancelled", cancelled(report, code)
            yield "cancelled", cancelled(report, "C1", force="Example Constabulary")
    for safe in (contact(phone="07700 900123", safe_times="after 6pm"), contact(phone="07700 900123"),
                 contact(phone="07700 900123", safe_to_call="no"), contact()):  # fmt: skip
        yield "call_back_needed", called(received(contact=safe), "requested")


CASES = list(cases())


def latest(report: Report) -> Letter:
    return write(report, report.version, "Example Police")


def body_of(report: Report) -> str:
    return latest(report).body


@pytest.mark.parametrize(("template", "report"), CASES, ids=lambda value: value if isinstance(value, str) else "")
def test_every_letter_reads_well(template: str, report: Report) -> None:
    letter = latest(report)
    assert letter.template == template == asked_for(report, report.version)
    assert letter.to == report.answers["contact"]["email"]
    assert letter.reference == "7K3M-9QWP-R2TX" and "7K3M-9QWP-R2TX" in letter.body
    assert letter.body.startswith(f"Dear {report.answers['contact']['full_name']},\n\n")
    assert letter.body.rstrip("\n").endswith("\n\nExample Police")
    assert "\n" not in letter.subject and not letter.subject.startswith("Subject")
    for text in (letter.subject, letter.body):
        assert not re.search(r"None|undefined|[{}%<>_]|True|False|  ", text), text
    assert "\n\n\n" not in letter.body and not re.search(r"[ \t]\n", letter.body)
    assert "101" in letter.body  # there is always a way to answer


@pytest.mark.parametrize(("template", "report"), CASES, ids=lambda value: value if isinstance(value, str) else "")
def test_what_the_officer_wrote_or_is_called_is_in_no_letter(template: str, report: Report) -> None:
    text = json.dumps(asdict(latest(report)))
    assert RATIONALE.text not in text and OFFICER.name not in text and "2" * 12 not in text


@pytest.mark.parametrize(("template", "report"), CASES, ids=lambda value: value if isinstance(value, str) else "")
def test_no_letter_tells_the_report_itself(template: str, report: Report) -> None:
    """An inbox may be read by others: neither the address nor the account nor the suspect is repeated in it."""
    said = report.answers
    told = [said.get("what_happened"), said.get("where", {}).get("address"), said.get("suspects", {}).get("names")]
    assert not any(text in latest(report).body for text in told if text)


def test_acknowledgement() -> None:
    letter = latest(received("criminal_damage"))
    assert letter.subject == "We have your report 7K3M-9QWP-R2TX"
    assert "your report of criminal damage at 9:00am on Monday 23 November 2026" in letter.body
    assert "by 9:00am on Tuesday 24 November 2026" in letter.body
    assert "7, Kilo, 3, Mike – 9, Quebec, Whiskey, Papa – Romeo, 2, Tango, X-ray" in letter.body


def test_call_back_says_what_is_missing() -> None:
    body = body_of(called(received("theft"), "requested"))
    assert "\n\nIt would help us to know:\n\n- where it happened\n- when it happened\n- what happened\n" in body
    example = life.receive(REFERENCE, "burglary", EXAMPLES["burglary"], NOW)
    assert "It would help" not in body_of(called(example, "requested"))


@pytest.mark.parametrize(
    ("given", "says", "says_not"),
    [
        ({"phone": "07700 900123", "safe_times": "after 6pm"}, "at a time you said is safe (after 6pm)", "not call"),
        ({"phone": "07700 900123"}, "We will try to call you.", "a time you said"),
        ({"phone": "07700 900123", "safe_to_call": "no", "safe_times": "after 6pm"}, "We will not call you", "after 6"),
    ],
)
def test_call_back_honours_what_is_safe(given: dict[str, str], says: str, says_not: str) -> None:
    body = body_of(called(received(contact=contact(**given)), "requested"))
    assert says in body and says_not not in body


def test_without_a_telephone_number_nobody_is_said_to_have_refused_calls() -> None:
    body = body_of(called(received(contact=contact()), "requested"))
    assert "as you asked us not to" not in body and "We will try to call you" not in body
    assert "call 101" in body


@pytest.mark.parametrize(
    ("disposal", "says"),
    [
        ("further_investigation", "will be further investigated"),
        ("filed", "is filed and closed"),
        (None, "has not yet decided what follows"),
    ],
)
def test_crimed(disposal: str | None, says: str) -> None:
    letter = latest(crimed(received(), disposal))
    assert letter.subject == "Your report 7K3M-9QWP-R2TX is now crime number 20/123456/26"
    assert says in letter.body and "Your crime number is 20/123456/26." in letter.body
    others = {"further investigated", "filed and closed", "not yet decided"} - {
        word for word in ("further investigated", "filed and closed", "not yet decided") if word in says
    }
    assert not any(other in letter.body for other in others)


def test_disposed_gives_the_number_and_only_its_own_disposal() -> None:
    by_rule = crimed(received(), None)
    investigated = body_of(life.dispose(by_rule, OFFICER, NOW, "further_investigation", 0))
    filed = body_of(life.dispose(by_rule, OFFICER, NOW, "filed", 18))
    assert "further investigated" in investigated and "filed and closed" not in investigated
    assert "filed and closed" in filed and "further investigated" not in filed
    assert "20/123456/26" in investigated and "20/123456/26" in filed


def test_every_reason_for_not_criming_is_told_in_its_own_words() -> None:
    bodies = {reason: body_of(not_crimed(received(), reason)) for reason in NOT_CRIMED_REASONS}
    assert len(set(bodies.values())) == len(NOT_CRIMED_REASONS)
    assert all("We have not recorded it as a crime." in body for body in bodies.values())
    assert "another police force, Example Constabulary. We" in body_of(
        not_crimed(received(), "another_force", force="Example Constabulary")
    )


def test_a_late_letter_says_what_was_true_when_it_was_asked_for() -> None:
    report = life.dispose(crimed(received(), "filed"), OFFICER, NOW, "further_investigation", 0)
    assert "is filed and closed" in write(report, 2, "Example Police").body
    assert "will be further investigated" in write(report, 3, "Example Police").body
    assert {write(report, version, "x").id for version in (1, 2, 3)} == {f"{REFERENCE}-{n}" for n in (1, 2, 3)}


# Which change asks for one


def test_every_change_that_asks_for_a_letter() -> None:
    report = life.triage(received(), NOW)
    report = called(report, "requested", "no_answer", "left_message", "reached", "no_answer", "requested", "reached")
    report = life.claim(report, OFFICER, NOW)
    report = life.release(report, OFFICER, NOW)
    report = life.note(report, OFFICER, NOW, RATIONALE)
    report = crimed(report, None)
    report = life.dispose(report, OFFICER, NOW, "filed", 18)
    asked = [asked_for(report, version) for version in range(1, report.version + 1)]
    call_backs = ["call_back_needed", None, None, None, "call_back_needed", None, None]
    assert asked == ["acknowledgement", None, *call_backs, None, None, None, "crimed", "disposed"]


def test_a_first_call_that_reaches_the_person_asks_for_none() -> None:
    assert asked_for(called(received(), "reached"), 2) is None


def test_changes_are_those_that_may_ask() -> None:
    whats = {report.entries[-1]["what"] for _, report in CASES}
    assert whats == CHANGES


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (contact(), None),
        (contact(safe_to_write="yes"), None),
        (contact(safe_to_write="no"), "the person said that writing is not safe"),
        ({"full_name": "Eve Example", "phone": "07700 900123"}, "there is no email address"),
        (contact(safe_to_call="no"), None),
    ],
)
def test_withheld_where_writing_is_unsafe_or_impossible(given: dict[str, str], why: str | None) -> None:
    assert withheld(received(contact=given), 1) == why


def test_a_call_back_letter_that_comes_after_the_decision_is_withheld() -> None:
    asked = life.call_back(received(), OFFICER, NOW, "requested", None)
    assert withheld(asked, 2) is None
    assert withheld(life.crime(asked, Crime("20/1/26", NOW, OFFICER, "44", "filed", 18)), 2) == "it is no longer needed"


def test_a_call_back_letter_that_comes_after_the_call_is_withheld() -> None:
    asked = life.call_back(received(), OFFICER, NOW, "requested", None)
    assert withheld(life.call_back(asked, OFFICER, NOW, "reached", None), 2) == "it is no longer needed"


def test_a_crime_letter_that_comes_after_the_disposal_promises_nothing() -> None:
    crimed = life.crime(received(), Crime("20/1/26", NOW, RULE, "44"))
    assert "not yet decided what follows" in write(crimed, 2, "Midshire Police").body
    late = write(life.dispose(crimed, OFFICER, NOW, "filed", 18), 2, "Midshire Police").body
    assert "another letter about what follows" in late and "not yet decided" not in late


def test_an_acknowledgement_that_comes_after_the_decision_promises_nothing() -> None:
    decided = life.crime(received(), Crime("20/1/26", NOW, OFFICER, "44", "filed", 18))
    assert "You will know by" in write(received(), 1, "Midshire Police").body
    assert "You will know by" not in write(decided, 1, "Midshire Police").body
