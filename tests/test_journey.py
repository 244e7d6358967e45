"""The whole journey over HTTP against the running service, from a report to its crime number and the victim's letters.

The service is shared with other tests, so each test looks at reports of its own and at differences.
"""

import csv
import io
import re
from datetime import datetime, timedelta
from typing import Any

import pytest
import requests
from conftest import Runner
from users import FORM, FormPage, Officer, Public, Records, at_once, example, filled_form

from chalicelib import times
from chalicelib.forms import EXAMPLES
from chalicelib.reference import derive, show

DAY = 24 * 60 * 60
REFERENCE = re.compile("[2-9A-Z]{4}-[2-9A-Z]{4}-[2-9A-Z]{4}")
CRIME_NUMBER = re.compile("20/[0-9]+/[0-9]{2}")
ORIGIN = "https://www.example.com"
ELSEWHERE = {
    "emergency": ("burglary", {"emergency": "yes"}, "999"),
    "robbery": ("theft", {"about__force_used": "yes"}, "101"),
    "fraud": ("theft", {"about__kind": "fraud"}, "Report Fraud"),
    "lost_property": ("theft", {"about__kind": "lost_property"}, "not a crime"),
}


@pytest.fixture
def public(stack: Runner) -> Public:
    return Public(stack)


@pytest.fixture
def officer(stack: Runner) -> Officer:
    return Officer(stack, name="Olive Officer")


@pytest.fixture
def records(stack: Runner) -> Records:
    return Records(stack)


def letters_about(stack: Runner, reference: str) -> dict[str, dict[str, Any]]:
    """The letters about one report by template; no template came twice."""
    stack.idle()
    found = [letter for letter in stack.outbox() if letter["reference"] == reference]
    by_template = {letter["template"]: letter for letter in found}
    assert len(by_template) == len(found)
    return by_template


# ---- from a report to its crime number


@pytest.mark.parametrize("category", EXAMPLES)
def test_json_report_is_crimed_by_an_officer(stack: Runner, public: Public, officer: Officer, category: str) -> None:
    answers = example(category)
    sent = public.send(answers)
    receipt = sent.json()
    reference = receipt["reference"]
    assert sent.status_code == 201
    assert sent.headers["Location"] == f"/reports/{reference}"
    assert receipt.keys() == {"reference", "category", "received_at", "deadline", "status"}
    assert (receipt["category"], receipt["status"]) == (category, "received")
    assert REFERENCE.fullmatch(reference)
    received, deadline = (datetime.fromisoformat(receipt[name]) for name in ("received_at", "deadline"))
    assert deadline - received == timedelta(hours=24)

    stack.idle()
    report = officer.read(reference)
    assert report["answers"] == answers
    assert (report["status"], report["deadline"]) == ("queued", receipt["deadline"])
    head = officer.done(
        reference, "crime", offence=report["suggested_offence"]["code"], disposal="further_investigation"
    )
    assert (head["status"], head["version"]) == ("crimed", report["version"] + 1)
    assert CRIME_NUMBER.fullmatch(head["crime_number"])

    letters = letters_about(stack, reference)
    assert list(letters) == ["acknowledgement", "crimed"]
    assert all(letter["to"] == answers["contact"]["email"] for letter in letters.values())
    assert f"Your reference is {reference}" in letters["acknowledgement"]["body"]
    assert f"Your crime number is {head['crime_number']}" in letters["crimed"]["body"]
    assert "further investigated" in letters["crimed"]["body"]

    standing = public.status(reference, email=answers["contact"]["email"])
    assert standing.status_code == 200
    assert standing.json() == {
        "reference": reference,
        "category": category,
        "received_at": receipt["received_at"],
        "status": "crimed",
        "crime_number": head["crime_number"],
        "disposal": "further_investigation",
    }


@pytest.mark.parametrize("category", EXAMPLES)
def test_form_report_is_crimed_by_the_24_hour_rule(
    stack: Runner, public: Public, officer: Officer, category: str
) -> None:
    answers = example(category)
    form = filled_form(public, category, answers)
    sent = public.post(form.action, form.pairs)
    assert sent.status_code == 303
    confirmation = public.get(sent.headers["Location"], Accept="text/html")
    assert confirmation.status_code == 200
    (reference,) = set(REFERENCE.findall(confirmation.text))
    assert officer.read(reference)["answers"] == answers  # the same as sent as JSON

    stack.idle()
    stack.advance(DAY - 600)
    assert public.status(reference, phone=answers["contact"]["phone"]).json()["status"] == "queued"
    stack.advance(555)
    standing = public.status(reference, phone=answers["contact"]["phone"]).json()
    assert standing["status"] == "crimed"
    assert CRIME_NUMBER.fullmatch(standing["crime_number"])
    assert "disposal" not in standing
    report = officer.read(reference)
    assert report["crimed_at"] <= report["deadline"]
    assert report["history"][-1]["by"] == "24-hour rule"
    assert report["offence"] == report["suggested_offence"]["code"]

    waiting = officer.get("/triage", status="awaiting_disposal", limit=200).json()["reports"]
    assert reference in {head["reference"] for head in waiting}
    stack.idle()  # the letter is out before the disposal
    officer.done(reference, "disposal", disposal="filed", outcome=14)
    waiting = officer.get("/triage", status="awaiting_disposal", limit=200).json()["reports"]
    assert reference not in {head["reference"] for head in waiting}
    assert public.status(reference, phone=answers["contact"]["phone"]).json()["disposal"] == "filed"

    letters = letters_about(stack, reference)
    assert list(letters) == ["acknowledgement", "crimed", "disposed"]
    assert standing["crime_number"] in letters["crimed"]["body"]
    assert "not yet decided what follows" in letters["crimed"]["body"]
    assert "filed and closed" in letters["disposed"]["body"]


def test_report_that_is_not_crimed_is_explained(stack: Runner, public: Public, officer: Officer) -> None:
    reference = public.report(example())
    officer.done(reference, "not-crime", reason="another_force", rationale="In Stafford", force="Staffordshire Police")
    assert public.status(reference, phone="+44 7700 900123").json()["status"] == "not_crimed"
    letter = letters_about(stack, reference)["not_crimed"]
    assert "area of another police force, Staffordshire Police" in letter["body"]
    stack.advance(DAY)
    assert officer.read(reference)["status"] == "not_crimed"  # the rule leaves what is decided alone


def test_call_back_is_announced_and_does_not_stop_the_clock(stack: Runner, public: Public, officer: Officer) -> None:
    answers = example("burglary", items=None, about__entered="unknown")
    reference = public.report(answers)
    officer.done(reference, "call-backs", result="requested")
    officer.done(reference, "call-backs", result="no_answer", note="Rang out")
    standing = public.status(reference, email=answers["contact"]["email"]).json()
    assert standing["status"] == "awaiting_information"
    assert standing["call_back"] == {"questions": ["What was taken", "Whether they got in"]}
    assert "- what was taken" in letters_about(stack, reference)["call_back_needed"]["body"]  # one for both attempts
    stack.advance(DAY)
    assert public.status(reference, email=answers["contact"]["email"]).json()["status"] == "crimed"


@pytest.mark.parametrize("change", [{"contact__safe_to_write": "no"}, {"contact__email": None}])
def test_no_letter_where_none_may_be_sent(
    stack: Runner, public: Public, officer: Officer, change: dict[str, Any]
) -> None:
    reference = public.report(example(**change))
    officer.done(reference, "crime", offence="45", disposal="further_investigation")
    assert letters_about(stack, reference) == {}
    assert {letter["state"].partition(":")[0] for letter in officer.read(reference)["letters"]} == {"withheld"}


# ---- the victim's status


def test_a_wrong_factor_and_an_unknown_reference_get_the_same_answer(public: Public) -> None:
    reference = public.report(example())
    answers = [
        public.status(reference, email="somebody.else@example.com"),
        public.status(reference, phone="0121 496 0999"),
        public.status(reference, email="", phone=""),
        public.status(reference),
        public.status(show(derive(bytes(16))), email="kofi.bannerman@example.com"),
        public.status("nonsense", email="kofi.bannerman@example.com"),
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.text for answer in answers}) == 1
    assert reference not in answers[0].text


@pytest.mark.parametrize("factor", [{"email": " Kofi.Bannerman@EXAMPLE.com "}, {"phone": "(+44) 7700-900123"}])
def test_factor_may_be_written_in_another_way(public: Public, factor: dict[str, str]) -> None:
    reference = public.report(example())
    assert public.status(reference.lower().replace("-", ""), **factor).json()["reference"] == reference


# ---- the same report again


def test_same_key_in_parallel_and_later_makes_one_report(public: Public, records: Records) -> None:
    before = records.reports()
    answers = at_once(16, lambda _: public.send(example(), Idempotency_Key="journey: 16 at once"))
    later = requests.Session().post(
        f"{public.url}/reports", json=example(), headers={"Idempotency-Key": "journey: 16 at once"}, timeout=30
    )
    assert {answer.status_code for answer in [*answers, later]} == {201}
    assert len({answer.text for answer in [*answers, later]}) == 1
    assert records.reports() == before + 1


def test_same_key_after_the_report_was_decided_gives_the_same_answer(public: Public, officer: Officer) -> None:
    first = public.send(example(), Idempotency_Key="journey: decided")
    officer.done(first.json()["reference"], "crime", offence="45", disposal="further_investigation")
    again = public.send(example(), Idempotency_Key="journey: decided")
    assert (again.status_code, again.text) == (201, first.text)
    assert again.headers["Location"] == first.headers["Location"]


def test_same_key_with_another_body_is_refused(public: Public, records: Records) -> None:
    public.send(example(), Idempotency_Key="journey: other body")
    before = records.reports()
    refused = public.send(example(what_happened="Something else"), Idempotency_Key="journey: other body")
    assert (refused.status_code, refused.headers["Content-Type"]) == (422, "application/problem+json")
    assert records.reports() == before


def test_equal_answers_without_a_key_are_two_reports(public: Public) -> None:
    assert public.report(example()) != public.report(example())


@pytest.mark.parametrize("key", ["", "x" * 129, "caf\u00e9"])
def test_key_that_cannot_be_is_refused(public: Public, records: Records, key: str) -> None:
    before = records.reports()
    headers = {"Idempotency-Key": key.encode("latin-1")}
    refused = requests.post(f"{public.url}/reports", json=example(), headers=headers, timeout=30)
    assert refused.status_code == 422
    assert [error["field"] for error in refused.json()["errors"]] == ["Idempotency-Key"]
    assert records.reports() == before


def test_double_click_on_the_form_makes_one_report(public: Public, records: Records) -> None:
    form = filled_form(public, "theft", example())
    before = records.reports()
    answers = at_once(8, lambda _: public.post(form.action, form.pairs))
    assert {answer.status_code for answer in answers} == {303}
    assert len({answer.headers["Location"] for answer in answers}) == 1
    assert records.reports() == before + 1


def test_changed_answers_of_a_sent_form_are_kept_but_not_sent_at_once(public: Public, records: Records) -> None:
    form = filled_form(public, "theft", example())
    first = public.post(form.action, form.pairs).headers["Location"]
    before = records.reports()
    form.typed["what_happened"] = "I remember more now."
    told = public.post(form.action, form.pairs)
    assert told.status_code == 422
    assert first.rpartition("/")[2] in told.text
    assert records.reports() == before
    form = FormPage(told.text)
    assert form.typed["what_happened"] == "I remember more now."
    second = public.post(form.action, form.pairs)
    assert second.status_code == 303
    assert second.headers["Location"] != first
    assert records.reports() == before + 1


def test_form_may_be_sent_to_reports_too(public: Public, officer: Officer) -> None:
    form = filled_form(public, "criminal_damage", example("criminal_damage"))
    sent = public.post("/reports", [*form.pairs, ("category", "criminal_damage")])
    assert sent.status_code == 303
    reference = sent.headers["Location"].rpartition("/")[2]
    assert officer.read(reference)["answers"] == example("criminal_damage")


# ---- who needs somebody else


@pytest.mark.parametrize("where", ELSEWHERE)
def test_what_is_not_for_this_form_is_sent_elsewhere_and_not_stored(
    stack: Runner, public: Public, records: Records, where: str
) -> None:
    category, changes, words = ELSEWHERE[where]
    stack.idle()
    before = records.items()
    refused = public.send(example(category, **changes))
    assert (refused.status_code, refused.headers["Content-Type"]) == (422, "application/problem+json")
    assert words in refused.json()["detail"]

    form = filled_form(public, category, example(category, **changes))
    stop = public.post(form.action, form.pairs)
    assert stop.status_code == 422
    assert stop.headers["Content-Type"].startswith("text/html")
    assert words.split()[-1] in stop.text
    assert "<form" not in stop.text
    stack.idle()
    assert records.items() == before


def test_emergency_comes_before_any_other_question(public: Public) -> None:
    refused = public.send({"category": "burglary", "emergency": "yes", "contact": 7})
    assert refused.json()["title"] == "Call 999 now"


# ---- other websites of the force


def test_own_website_may_send_reports_from_the_browser(public: Public) -> None:
    asked = {
        "Origin": ORIGIN,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
    }
    preflight = requests.options(f"{public.url}/reports", headers=asked, timeout=30)
    assert preflight.status_code == 204
    assert preflight.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "POST" in preflight.headers["Access-Control-Allow-Methods"]
    assert {"Content-Type", "Idempotency-Key"} <= set(preflight.headers["Access-Control-Allow-Headers"].split(", "))
    sent = public.send(example(), Origin=ORIGIN)
    assert (sent.status_code, sent.headers["Access-Control-Allow-Origin"]) == (201, ORIGIN)
    assert "Origin" in sent.headers["Vary"]


def test_own_website_may_read_what_was_wrong(public: Public) -> None:
    refused = public.send(example(contact__full_name=""), Origin=ORIGIN)
    assert (refused.status_code, refused.headers.get("Access-Control-Allow-Origin")) == (422, ORIGIN)


@pytest.mark.parametrize("origin", ["https://www.example.org", "null", "https://www.example.com.example.org", ""])
def test_other_websites_may_not(public: Public, origin: str) -> None:
    preflight = requests.options(f"{public.url}/reports", headers={"Origin": origin}, timeout=30)
    sent = public.send(example(), Origin=origin)
    for answer in (preflight, sent):
        assert "Access-Control-Allow-Origin" not in answer.headers


# ---- the monthly figures


def test_figures_count_each_report_and_crime_once(stack: Runner, public: Public, officer: Officer) -> None:
    first = public.send(example("burglary"), Idempotency_Key="journey: figures")
    received = datetime.fromisoformat(first.json()["received_at"])
    month = times.month(received)

    def figures() -> dict[str, Any]:
        (row,) = officer.get("/statistics", **{"from": month, "to": month}).json()["months"]
        return dict(row)

    before = figures()
    assert public.send(example("burglary"), Idempotency_Key="journey: figures").text == first.text
    theft, damage = public.report(example("theft")), public.report(example("criminal_damage"))
    officer.done(first.json()["reference"], "crime", offence="28E", disposal="further_investigation")
    officer.done(theft, "not-crime", reason="no_offence", rationale="It was lent")
    officer.done(damage, "call-backs", result="requested")
    after = figures()

    assert after["month"] == month
    assert after["reports"] - before["reports"] == 2
    assert after["crimes"] - before["crimes"] == 1
    assert after["crimed_within_24h"] - before["crimed_within_24h"] == 1
    assert after["crimed_automatically"] == before["crimed_automatically"]
    assert after["not_crimed"]["no_offence"] - before["not_crimed"]["no_offence"] == 1
    assert after["call_backs"] - before["call_backs"] == 1
    assert after["open"] == before["open"]  # the burglary left, the damage came
    assert after["by_category"]["burglary"]["crimes"] - before["by_category"]["burglary"]["crimes"] == 1
    assert after["by_category"]["theft"]["reports"] - before["by_category"]["theft"]["reports"] == 1

    asked = officer.headers | {"Accept": "text/csv"}
    answer = requests.get(f"{stack.url}/statistics?from={month}&to={month}", headers=asked, timeout=30)
    assert answer.headers["Content-Type"].startswith("text/csv")
    (row,) = csv.DictReader(io.StringIO(answer.text))
    assert (row["month"], row["reports"], row["crimes"]) == (month, str(after["reports"]), str(after["crimes"]))
    assert row["burglary_crimes"] == str(after["by_category"]["burglary"]["crimes"])
    assert row["not_crimed_no_offence"] == str(after["not_crimed"]["no_offence"])


def test_figures_of_months_without_reports_are_noughts(officer: Officer) -> None:
    months = officer.get("/statistics", **{"from": "2017-11", "to": "2018-02"}).json()["months"]
    assert [row["month"] for row in months] == ["2017-11", "2017-12", "2018-01", "2018-02"]
    assert {row["reports"] for row in months} == {0}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"from": "2019-13"}, "from"),
        ({"from": "soon"}, "from"),
        ({"from": "2019-03-01"}, "from"),
        ({"from": "2019-03", "to": "2019-02"}, "to"),
        ({"from": "1000-01", "to": "2019-02"}, "to"),
        ({"from": "2019-03", "to": "\u0662\u0660\u0661\u0669-\u0660\u0663"}, "to"),
    ],
)
def test_figures_of_no_such_months_are_refused(officer: Officer, query: dict[str, str], field: str) -> None:
    refused = officer.get("/statistics", **query)
    assert refused.status_code == 422
    assert [error["field"] for error in refused.json()["errors"]] == [field]


# ---- the description


def test_description_has_a_valid_example_of_each_category(public: Public) -> None:
    described = public.get("/openapi.json").json()
    assert described["openapi"].startswith("3.1")
    content = described["paths"]["/reports"]["post"]["requestBody"]["content"]
    examples = {name: example["value"] for name, example in content["application/json"]["examples"].items()}
    assert examples.keys() == {"burglary", "theft", "criminal_damage"}
    for category, answers in examples.items():
        sent = public.send(answers)
        assert (sent.status_code, sent.json()["category"]) == (201, category)


def test_ready(public: Public) -> None:
    answer = public.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_form_with_an_unknown_category_is_not_found(public: Public) -> None:
    refused = requests.post(f"{public.url}/reports", data="category=arson", headers={"Content-Type": FORM}, timeout=30)
    assert refused.status_code == 404
