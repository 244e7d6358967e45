"""What a person tells us is in the table, their letters, the officer's answer and the form they get back: nowhere else.

Every text that is sent carries a marker. Everything the service says beside those answers is searched for it.
"""

import json
import re
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import requests
from conftest import Runner
from users import FORM, JSON, Officer, Public, Records, example, filled_form
from visitors import Visitors

from tests.fakes import ANN

MARK = "Zyxmark"
PHONE, POSTCODE, EMAIL = "07700 900777", "ZE1 1ZZ", "zyxmark@example.com"
MARKS = ("zyxmark", "900777", "1zz")
SHAPED = {"email": EMAIL, "phone": PHONE, "postcode": POSTCODE}
MAY_HAVE = {"OUTBOX": {"to", "subject", "body", "html"}, "CHAT": {"visitor", "entries"}}
CHOICES = {"yes", "no", "unknown"}


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    """A service of our own: what it says is ours alone. It says all that CloudWatch would get, logs and metrics."""
    runner = Runner(LOG_LEVEL="INFO")
    try:
        yield runner
    finally:
        runner.stop()


@pytest.fixture(scope="module", autouse=True)
def nothing_was_said(runner: Runner) -> Iterator[None]:
    """Whatever the tests of this file do, and in whatever order, the runner's stdout and stderr stay free of marks."""
    yield
    runner.idle(120)
    assert said(runner), "nothing was logged, so nothing was tested"
    assert not [line for line in runner.said if marks_in(line)]


def said(runner: Runner) -> list[Any]:
    """The lines that CloudWatch would get: of the log, and of metrics."""
    return [json.loads(line) for line in runner.said if line.startswith("{")]


@pytest.fixture
def public(runner: Runner) -> Public:
    return Public(runner)


@pytest.fixture
def officer(runner: Runner) -> Officer:
    return Officer(runner)


def marks_in(text: str) -> list[str]:
    return [mark for mark in MARKS if mark in text.lower()]


def marked(answers: Any, name: str = "") -> Any:
    """The answers with a mark in every text that a person types."""
    if isinstance(answers, Mapping):
        return {key: marked(value, key) for key, value in answers.items()}
    if isinstance(answers, list):
        return [marked(value, name) for value in answers]
    is_choice = not isinstance(answers, str) or name in ("category", "kind", "relationship", "reporter", "precision",
                                                         "hate", "entry_method")  # fmt: skip
    if is_choice or answers in CHOICES or name.endswith(("_date", "_time", "_on")):
        return answers
    return SHAPED.get(name, f"{answers} {MARK}")


def expect_unmarked(answer: requests.Response, status: int) -> None:
    """A refusal, without a mark in body, headers or address."""
    assert answer.status_code == status, answer.text
    assert not marks_in(answer.text + str(answer.headers) + answer.url)


@pytest.mark.parametrize("category", ["burglary", "theft", "criminal_damage"])
def test_a_report_on_its_way_to_a_crime(runner: Runner, public: Public, officer: Officer, category: str) -> None:
    answers = marked(example(category))
    assert json.dumps(answers).count(MARK) > 15
    sent = public.send(answers, Idempotency_Key=f"{MARK} {category}")
    expect_unmarked(sent, 201)
    form = filled_form(public, category, answers)
    click = public.post(form.action, form.pairs)
    expect_unmarked(click, 303)
    expect_unmarked(public.get(click.headers["Location"], Accept="text/html"), 200)
    runner.idle()

    reference = sent.json()["reference"]
    expect_unmarked(officer.get("/triage"), 200)
    assert officer.read(reference)["answers"] == answers
    for move, body in {
        "claim": {},
        "notes": {"text": MARK},
        "call-backs": {"result": "requested", "note": MARK},
        "crime": {"offence": "45", "disposal": "further_investigation", "note": MARK},
        "disposal": {"disposal": "filed", "outcome": 14, "note": MARK},
    }.items():
        expect_unmarked(officer.change(reference, move, **body), 200)
    expect_unmarked(public.status(reference, email=EMAIL), 200)
    expect_unmarked(officer.get("/statistics"), 200)
    runner.advance(24 * 3600)  # the other report is crimed by the rule
    runner.idle()
    assert [letter for letter in runner.outbox() if letter["reference"] == reference and marks_in(letter["body"])]
    expect_told(runner, reference)


def expect_told(runner: Runner, reference: str) -> None:
    """Each kind of log line and of metric was there, so the search for marks has seen them; nothing came out twice."""
    lines = said(runner)
    about = Counter(line["message"] for line in lines if line.get("reference") == reference)
    letters = about["letter sent"] + about["letter withheld"]  # of a call-back, if the crime was quicker
    assert about["request"] > 5 and (about["triaged"], letters) == (1, 4)
    assert {"forwarded", "crimed by the 24-hour rule", "24-hour rule"} <= {line.get("message") for line in lines}
    measured = {metric["Name"] for line in lines if "_aws" in line for metric in
                line["_aws"]["CloudWatchMetrics"][0]["Metrics"]}  # fmt: skip
    assert {"Received", "CrimedByOfficer", "CrimedByRule", "SecondsToCrime", "CallBacks", "LettersSent",
            "Overdue"} <= measured  # fmt: skip
    assert all(line["service"] == "crime-reports-local" for line in lines)
    logged = [line for line in runner.said if line.startswith("{") and "_aws" not in line]
    assert len(set(logged)) == len(logged)


def test_what_the_table_shows_without_unpacking(runner: Runner, public: Public) -> None:
    """Keys, indexes and access logs name references and officers, never the person."""
    public.report(marked(example()))
    runner.idle()
    items = Records(runner).items()
    assert any(item["pk"]["S"].startswith("FIND#") for item in items), "no clues were noted, so none were looked at"
    for item in items:
        kept = {name for name, value in item.items() if marks_in(str(value))}
        assert kept <= MAY_HAVE.get(item["pk"]["S"].partition("#")[0], {"words"})


def test_a_conversation_and_what_is_left_of_it(runner: Runner) -> None:
    visitor, visitors = requests.Session(), Visitors(runner)
    visitor.headers["Accept"] = "text/html"
    chat, hidden = begun(runner, visitor)
    for _ in range(2):  # as after a lost answer
        sent = visitor.post(f"{runner.url}/chat/messages", {**hidden, "text": f"{MARK} again"}, allow_redirects=False)
        expect_unmarked(sent, 303)
    visitors.chats.take(ANN, chat)
    visitors.chats.note(ANN, chat, MARK, "n1")
    visitors.chats.advisor_says(ANN, chat, f"Good morning, {MARK}", "a1")
    copy = visitor.get(f"{runner.url}/chat/copy").text
    asked = visitor.post(f"{runner.url}/chat/copy", {**hidden_in(copy, "/chat/copy"), "email": EMAIL})
    assert asked.status_code == 200, asked.text
    runner.idle()
    assert any(marks_in(letter["body"]) for letter in runner.outbox() if letter["id"].startswith(chat))
    visitors.chats.conclude(ANN, chat, "advice")
    test_what_the_table_shows_without_unpacking(runner, Public(runner))
    assert marks_in(str(kept_of(runner, chat)))
    runner.advance(200 * 86_400)  # the housekeeping has run
    left = kept_of(runner, chat)
    assert left["because"] == {"S": "period"} and not marks_in(str(left))
    assert not any(letter["id"].startswith(chat) for letter in runner.outbox())
    assert {"erasing conversations"} <= {line.get("message") for line in said(runner)}


def kept_of(runner: Runner, chat: str) -> Any:
    """What is kept of a conversation."""
    return next(
        item for item in Records(runner).items() if item["pk"]["S"] == f"CHAT#{chat}" and item["sk"]["S"] == "CHAT"
    )


def begun(runner: Runner, visitor: requests.Session) -> tuple[str, dict[str, str]]:
    """The id of a conversation that a visitor has begun, and what the form of the next message has in it."""
    page = visitor.get(f"{runner.url}/chat").text
    runner.advance(5)  # nobody is quicker
    typed = {"emergency": "no", "name": MARK, "email": EMAIL, "phone": PHONE, "text": f"{MARK} lost a bicycle"}
    answer = visitor.post(f"{runner.url}/chat", {**hidden_in(page, "/chat"), **typed})
    assert answer.status_code == 200 and not marks_in(answer.url), answer.text
    (chat,) = (item["pk"]["S"].removeprefix("CHAT#") for item in Records(runner).items()
               if item["sk"]["S"] == "CHAT" and marks_in(str(item)))  # fmt: skip
    return chat, hidden_in(answer.text, "/chat/messages")


def hidden_in(page: str, action: str) -> dict[str, str]:
    """The hidden fields of the form that goes there."""
    (form,) = re.findall(rf'<form[^>]* action="{action}"[^>]*>(.*?)</form>', page, re.DOTALL)
    return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', form))


def test_refusals(runner: Runner, public: Public, officer: Officer) -> None:
    answers = marked(example())
    reference = public.report(answers)
    raw, url = json.dumps(answers).encode(), f"{runner.url}/reports"
    too_long = {name: value * 2_000 if name == "full_name" else value for name, value in answers["contact"].items()}
    expect_unmarked(public.send({**answers, "contact": too_long}), 422)
    expect_unmarked(public.send({**answers, "emergency": "yes"}), 422)
    expect_unmarked(public.send({**answers, "category": MARK}), 422)
    expect_unmarked(public.send({name: MARK for name in answers} | {"category": "theft"}), 422)
    expect_unmarked(public.send({name: [MARK] for name in answers} | {"category": "theft"}), 422)
    expect_unmarked(requests.post(url, data=raw[:-1], headers={"Content-Type": JSON}, timeout=30), 400)
    expect_unmarked(requests.post(url, data=raw + b"\xff", headers={"Content-Type": JSON}, timeout=30), 400)
    expect_unmarked(requests.post(url, data=raw, headers={"Content-Type": MARK}, timeout=30), 415)
    expect_unmarked(requests.post(url, data=raw * 200, headers={"Content-Type": JSON}, timeout=30), 413)
    expect_unmarked(requests.put(url, data=raw, timeout=30), 405)
    expect_unmarked(public.send(answers, Idempotency_Key=MARK), 201)
    expect_unmarked(public.send({**answers, "what_happened": MARK}, Idempotency_Key=MARK), 422)
    expect_unmarked(public.status(reference, email=f"{MARK}@example.org"), 404)
    expect_unmarked(public.status(reference, phone=PHONE + "9"), 404)

    expect_unmarked(officer.change(reference, "notes", version=99, text=MARK), 412)
    expect_unmarked(officer.change(reference, "disposal", disposal="filed", outcome=14, note=MARK), 409)
    expect_unmarked(officer.change(reference, "crime", offence=MARK, disposal="filed", note=MARK), 422)
    expect_unmarked(officer.change(reference, "not-crime", reason="duplicate", rationale=MARK, duplicate_of=MARK), 422)
    bad_token = {"Authorization": f"Bearer {MARK}.{MARK}.{MARK}"}
    expect_unmarked(requests.get(f"{runner.url}/triage", headers=bad_token, timeout=30), 401)


def test_form_comes_back_to_its_sender_only(public: Public) -> None:
    answers = marked(example())
    form = filled_form(public, "theft", answers)
    form.typed["contact.email"] = f"not an address {MARK}"
    back = public.post(form.action, form.pairs)
    assert (back.status_code, back.headers["Cache-Control"]) == (422, "no-store")
    assert marks_in(back.text)
    assert not marks_in(str(back.headers))
    stop = public.post(form.action, [*[pair for pair in form.pairs if pair[0] != "emergency"], ("emergency", "yes")])
    expect_unmarked(stop, 422)
    not_a_form = public.url + "/report/theft"
    expect_unmarked(requests.post(not_a_form, data=MARK.encode(), headers={"Content-Type": MARK}, timeout=30), 415)
    too_many = "&".join(f"{MARK}{number}={MARK}" for number in range(2_500)).encode()
    expect_unmarked(requests.post(not_a_form, data=too_many, headers={"Content-Type": FORM}, timeout=30), 400)


def test_a_report_that_nothing_can_be_done_with(runner: Runner, public: Public, officer: Officer) -> None:
    """Its answers are broken in the table: triage, letters, the 24-hour rule and officers all fail on it, silently."""
    records = Records(runner)
    reference = public.report(marked(example()))
    runner.idle()
    key = {"pk": {"S": f"REPORT#{reference.replace('-', '')}"}, "sk": {"S": "REPORT"}}
    records.client("dynamodb").update_item(
        TableName="crime-reports-local",
        Key=key,
        UpdateExpression="SET answers = :broken, history = list_append(history, :entry)",
        ExpressionAttributeValues={
            ":broken": {"B": zlib.compress(f'{{"contact": "{MARK} {PHONE}'.encode())},
            ":entry": {"L": [{"S": json.dumps({"version": 3, "what": "received", "by_name": MARK})}]},
        },
    )
    public.report(marked(example()))  # the runner looks at the stream after a request
    expect_unmarked(officer.get(f"/triage/{reference}"), 500)
    expect_unmarked(public.status(reference, email=EMAIL), 500)
    runner.advance(24 * 3600)
    runner.idle(120)

    told = {line["message"] for line in said(runner) if line.get("reference") == reference and line["level"] == "ERROR"}
    assert told == {"triage failed", "send_letter failed", "report is due and cannot be crimed", "it does not add up"}
    assert any("DeadLetters" in line for line in said(runner))
    bodies = [*dead_messages(records, "triage-dead"), *dead_messages(records, "letters-dead")]
    assert bodies, "nothing was put aside, so nothing was tested"
    for body in bodies:
        assert not marks_in(body)
        assert json.loads(body).keys() == {"reference", "version", "what"}


def dead_messages(records: Records, name: str) -> list[str]:
    """The bodies of the messages in a dead-letter queue."""
    sqs = records.client("sqs")
    url = sqs.get_queue_url(QueueName=f"crime-reports-local-{name}")["QueueUrl"]
    return [
        message["Body"] for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    ]
