"""The officers' desk in a browser without JavaScript: the queue, the search, a report, and what is done to it."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from conftest import Runner
from test_evidence_pages import JPEG, at_files, upload
from users import Officer, Public, example
from visitor import LITTLE, Visitor

OLIVE, OSCAR, SUNIL, SARA = "Olive Officer", "Oscar Officer", "Sunil Supervisor", "Sara Supervisor"


@pytest.fixture(scope="module")
def stack() -> Iterator[Runner]:
    """A service of its own: what is sought in a list must not be behind what other tests have left there."""
    runner = Runner()
    yield runner
    runner.stop()


def sit_down(stack: Runner, person: str) -> Visitor:
    """Somebody at the desk, through the sign-in page of this machine."""
    visitor = Visitor(stack)
    visitor.open("/desk")
    visitor.send(person=person)
    assert visitor.page.status_code == 200 and "/desk" in visitor.page.url, visitor.words
    return visitor


@pytest.fixture
def olive(stack: Runner) -> Visitor:
    return sit_down(stack, OLIVE)


@pytest.fixture
def sunil(stack: Runner) -> Visitor:
    return sit_down(stack, SUNIL)


def reported(stack: Runner, category: str = "theft", **changes: Any) -> str:
    """A report that triage has come to."""
    reference = Public(stack).report(example(category, **changes))
    stack.idle()
    return reference


def with_a_file(stack: Runner) -> str:
    """A report with a photo that was found clean."""
    public = Visitor(stack)
    at_files(public)
    upload(public, JPEG)
    public.go_on("check")
    stack.advance(2)
    public.send(**LITTLE["check"])
    stack.idle()
    return public.step


def opened(officer: Visitor, reference: str) -> Visitor:
    officer.open(f"/desk/reports/{reference}")
    assert officer.page.status_code == 200, officer.words
    return officer


def decide(officer: Visitor, reference: str, move: str, **said: Any) -> Visitor:
    """Fill in a form of a report, and say yes to its preview."""
    officer.open(f"/desk/reports/{reference}/{move}")
    officer.send(to=f"/{move}", **said)
    if "check before you decide" in officer.page.text:
        officer.send(to=f"/{move}", confirmed="yes")
    assert officer.page.status_code == 200 and officer.page.url.endswith(f"done={move}"), officer.words
    return officer


# The queue


def test_the_queue_shows_why_and_how_long(stack: Runner, olive: Visitor) -> None:
    reference = reported(stack, harm__injury="yes")
    olive.open("/desk?priority=urgent")
    row = re.search(f'<tr id="row-{reference}".*?</tr>', olive.page.text, re.DOTALL)
    assert row, olive.words
    assert "Somebody was hurt" in row[0] and "urgent" in row[0]
    assert re.search(r"\d+ h \d\d min left", row[0])


def test_the_lists_and_filters_hold_what_they_say(stack: Runner, olive: Visitor) -> None:
    theft, burglary = reported(stack, harm__injury="yes"), reported(stack, "burglary")
    olive.open("/desk?category=theft&priority=urgent")
    assert theft in olive.page.text and burglary not in olive.page.text
    assert '<option value="theft" selected>' in olive.page.text
    olive.open("/desk?list=mine")
    assert theft not in olive.page.text
    opened(olive, theft).send(to="/claim")
    olive.open("/desk?list=mine")
    assert theft in olive.page.text
    decide(olive, theft, "call-back", result="requested")
    olive.open("/desk?status=awaiting_information&category=theft&priority=urgent")
    assert theft in olive.page.text


def test_from_a_report_one_comes_back_to_the_list_that_was_open(stack: Runner, olive: Visitor) -> None:
    reference = reported(stack)
    olive.open("/desk?list=open&category=theft")
    assert "/desk?list=open&category=theft" in opened(olive, reference).links
    olive.session.cookies.set("listed", "x%22%3E%3Cscript%3E", path="/desk")
    assert "<script>" not in opened(olive, reference).page.text


@pytest.mark.parametrize(
    "query", ["list=nonsense", "priority=%00", "after=%%%", "before=zzz", "category=../../etc", "status=crimed&x=1"]
)
def test_nonsense_in_the_address_is_passed_over(olive: Visitor, query: str) -> None:
    assert olive.open(f"/desk?{query}").status_code == 200


def test_next_takes_a_report_and_holds_it(stack: Runner, olive: Visitor) -> None:
    reported(stack, harm__injury="yes")
    olive.open("/desk")
    olive.send(to="/next")
    assert "/desk/reports/" in olive.page.url
    assert "You hold it until" in olive.words


# Searching


def test_a_search_leads_to_a_report_or_a_list_and_says_nothing_in_the_address(stack: Runner, olive: Visitor) -> None:
    phone = "07700 900321"
    one = reported(stack, contact__phone=phone, contact__full_name="Zora Quill")
    for typed in (one, one.lower().replace("-", " "), phone, "+447700900321", "zora quill"):
        olive.open("/desk")
        olive.send(to="/search", search=typed)
        assert olive.page.url.endswith(f"/desk/reports/{one}"), (typed, olive.words)
    other = reported(stack, "burglary", contact__phone=phone)
    olive.send(to="/search", search=phone)
    assert "/desk/found/" in olive.page.url
    assert one in olive.page.text and other in olive.page.text
    assert "900321" not in olive.page.url and "quill" not in olive.page.url.lower()


@pytest.mark.parametrize("typed", ["", " ", "x" * 5_000, "\x00", "no such person anywhere", "99/1/26", "%"])
def test_a_search_for_nothing_says_so(olive: Visitor, typed: str) -> None:
    olive.send(to="/search", search=typed)
    assert olive.page.status_code == 422
    assert 'role="alert"' in olive.page.text
    if typed.strip() and typed.isprintable():
        assert f'value="{typed[:200]}"' in olive.page.text


@pytest.mark.parametrize("key", ["x", "a" * 3_000, "..", "%00", "AAAA.BBBB"])
def test_an_invented_key_finds_nothing(olive: Visitor, key: str) -> None:
    assert olive.open(f"/desk/found/{key}").status_code in (200, 404, 422)


# A report


def test_a_report_shows_what_an_officer_needs(stack: Runner, olive: Visitor) -> None:
    reference = reported(stack, contact__safe_to_call="no", contact__interpreter="Polish")
    words = opened(olive, reference).words
    answers = example("theft")
    for text in (answers["what_happened"][:40], answers["contact"]["email"], "Polish", "Suggested offence",
                 "DO NOT CALL", "What has happened", "Assessed by triage", "Acknowledgement: sent"):  # fmt: skip
        assert " ".join(text.split()) in words, text


def test_what_is_typed_is_never_markup(stack: Runner, olive: Visitor) -> None:
    evil = "<script>alert(1)</script>"
    reference = reported(stack, what_happened=evil, contact__full_name=evil)
    decide(olive, reference, "note", text=f"{evil} & more")
    assert evil not in olive.page.text and "&lt;script&gt;" in olive.page.text


def test_related_reports_are_shown_with_why(stack: Runner, olive: Visitor) -> None:
    email = "related@example.com"
    one, two = (reported(stack, category, contact__email=email) for category in ("theft", "burglary"))
    words = opened(olive, one).words
    assert two in words and "same email address" in words


def test_a_file_is_opened_once_it_is_checked(stack: Runner, olive: Visitor) -> None:
    reference = with_a_file(stack)
    opened(olive, reference)
    (file,) = [link for link in olive.links if f"/{reference}/evidence/" in link]
    to_s3 = olive.session.get(stack.url + file, timeout=30, allow_redirects=False)
    assert to_s3.status_code == 303 and "X-Amz-Signature" in to_s3.headers["Location"]
    assert olive.open(file.rsplit("/", 1)[0] + "/nonsense").status_code == 404


def test_an_unknown_report_is_not_there(olive: Visitor) -> None:
    for reference in ("2222-2222-2222", "nonsense", "%00"):
        assert olive.open(f"/desk/reports/{reference}").status_code == 404
        assert olive.open(f"/desk/reports/{reference}/crime").status_code == 404


# Doing things


def test_a_crime_with_its_letter_seen_before_it_goes(stack: Runner, olive: Visitor) -> None:
    reference = reported(stack, suspects=None)
    olive.open(f"/desk/reports/{reference}/crime")
    assert 'value="45"' in olive.page.text  # what the answers suggest
    olive.send(to="/crime", offence="45", follows="18", note="Nothing to go on")
    assert "check before you decide" in olive.words and "45 Theft from a vehicle" in olive.words
    assert "We have recorded your report" in olive.words or "crime number" in olive.words
    assert Officer(stack).read(reference)["status"] == "queued"  # nothing has been written yet
    olive.send(to="/crime", confirmed="no")
    assert "Nothing to go on" in olive.page.text  # what was typed is kept
    decide(olive, reference, "crime", offence="45", follows="18", note="Nothing to go on")
    report = Officer(stack).read(reference)
    assert (report["status"], report["disposal"], report["outcome"]) == ("crimed", "filed", 18)
    assert report["crime_number"] in olive.words


def test_18_is_not_offered_where_a_suspect_is_named_nor_taken(stack: Runner, olive: Visitor) -> None:
    reference = reported(stack, suspects__names="Alex Invented")
    olive.open(f"/desk/reports/{reference}/crime")
    assert 'value="18"' not in olive.page.text and 'value="15"' in olive.page.text
    olive.send(to="/crime", offence="45", follows="18")
    assert olive.page.status_code == 422
    assert "A suspect is named" in olive.words


def test_a_report_is_closed_without_a_crime(stack: Runner, olive: Visitor) -> None:
    reference, original = reported(stack), reported(stack)
    decide(olive, reference, "not-crime", reason="duplicate", duplicate_of=original, rationale="Sent twice")
    assert Officer(stack).read(reference)["not_crimed_reason"] == "duplicate"
    assert "Crime it after all" in olive.words


WRONG: dict[str, tuple[dict[str, str], str]] = {
    "crime": ({"offence": "", "follows": ""}, "Enter an offence code"),
    "not-crime": ({"reason": "duplicate", "rationale": "x"}, "Enter the reference of the original"),
    "call-back": ({}, "Select how it went"),
    "note": ({"text": " "}, "Enter the note"),
    "assess": ({"threat": ""}, "at least one"),
}


@pytest.mark.parametrize("move", WRONG)
def test_what_is_wrong_is_said_beside_the_field_and_nothing_typed_is_lost(
    stack: Runner, olive: Visitor, move: str
) -> None:
    reference, (said, message) = reported(stack), WRONG[move]
    olive.open(f"/desk/reports/{reference}/{move}")
    olive.send(to=f"/{move}", **said, note="What I had typed", engagement="")
    assert olive.page.status_code == 422
    assert message in olive.words and "There is a problem" in olive.words
    if move in ("crime", "call-back"):
        assert "What I had typed" in olive.page.text
    assert len(Officer(stack).read(reference)["history"]) == 2


def test_call_backs_with_what_to_say_and_when_to_try_again(stack: Runner, olive: Visitor) -> None:
    reference = reported(
        stack,
        contact__interpreter="Polish",
        evidence__cctv="yes",
        evidence__cctv_holder=None,
        evidence__cctv_overwritten_on=None,
    )
    olive.open(f"/desk/reports/{reference}/call-back")
    assert "who holds the video, and until when" in olive.words and "nothing more" in olive.words
    assert "Nobody holds it. Claim it" in olive.words and "Interpreter: Polish" in olive.words
    decide(olive, reference, "call-back", result="no_answer", note="Rang out")
    assert "Call back next at" in olive.words
    olive.open(f"/desk/reports/{reference}/call-back")
    assert "No answer" in olive.words and "Rang out" in olive.words


def test_nobody_is_told_to_call_where_it_is_not_safe(stack: Runner, olive: Visitor) -> None:
    reference = reported(stack, contact__safe_to_call="no")
    olive.open(f"/desk/reports/{reference}/call-back")
    assert "Do not call" in olive.words and "May I speak to" not in olive.words


def test_an_assessment_stands_beside_the_reasons(stack: Runner, olive: Visitor) -> None:
    reference = reported(stack, harm=None, suspects=None, evidence=None)
    decide(olive, reference, "assess", threat="A dog was set on him", priority="urgent")
    assert "A dog was set on him" in olive.words and "Why urgent" in olive.words


# Two officers


def test_a_page_that_is_stale_shows_what_happened_and_keeps_what_was_typed(stack: Runner, olive: Visitor) -> None:
    reference = reported(stack)
    oscar = sit_down(stack, OSCAR)
    olive.open(f"/desk/reports/{reference}/not-crime")
    decide(oscar, reference, "note", text="The victim has called: it was found")
    olive.send(to="/not-crime", reason="no_offence", rationale="My long rationale")
    assert olive.page.status_code == 412
    assert "Oscar Officer" in olive.words and "it was found" in olive.words
    assert "My long rationale" in olive.page.text
    olive.send(to="/not-crime", reason="no_offence", rationale="My long rationale")  # it still fits
    assert "check before you decide" in olive.words


def test_what_somebody_else_holds_is_not_changed_and_nothing_is_lost(stack: Runner, olive: Visitor) -> None:
    reference = reported(stack)
    oscar = sit_down(stack, OSCAR)
    opened(oscar, reference).send(to="/claim")
    assert "You hold it until" in oscar.words
    olive.open(f"/desk/reports/{reference}/note")
    olive.send(to="/note", text="What I know")
    assert olive.page.status_code == 409
    assert "Oscar Officer has claimed this report" in olive.words and "What I know" in olive.page.text


def test_holding_on_to_it_makes_no_page_stale(stack: Runner, olive: Visitor) -> None:
    reference = reported(stack)
    olive.open(f"/desk/reports/{reference}/note")
    other_tab = sit_down(stack, OLIVE)
    opened(other_tab, reference).send(to="/claim")
    olive.send(to="/note", text="Typed before I claimed it elsewhere")
    assert olive.page.url.endswith("done=note"), olive.words


def test_the_same_decision_sent_twice_is_one_decision(stack: Runner, olive: Visitor) -> None:
    reference = reported(stack)
    olive.open(f"/desk/reports/{reference}/crime")
    olive.send(to="/crime", offence="45", follows="further_investigation")
    preview = olive.page
    olive.send(to="/crime", confirmed="yes")
    olive.page = preview
    olive.send(to="/crime", confirmed="yes")
    assert olive.page.url.endswith("done=crime")  # it is done, so that is said
    assert [entry["what"] for entry in Officer(stack).read(reference)["history"]].count("crimed") == 1


@pytest.mark.parametrize(
    ("move", "said", "other"),
    [
        ("note", {"text": "Said once.\nOr twice"}, {"text": "Something else"}),
        ("call-back", {"result": "no_answer", "note": "Rang out"}, {"result": "reached", "note": "Rang out"}),
    ],
)
def test_what_is_sent_twice_is_done_once_and_something_else_is_not_taken_for_it(
    stack: Runner, olive: Visitor, move: str, said: dict[str, str], other: dict[str, str]
) -> None:
    reference = reported(stack)
    olive.open(f"/desk/reports/{reference}/{move}")
    form = olive.page
    for _ in range(2):
        olive.page = form
        olive.send(to=f"/{move}", **said)
        assert olive.page.url.endswith(f"done={move}"), olive.words
    olive.page = form
    olive.send(to=f"/{move}", **other)
    assert olive.page.status_code == 412
    assert len(Officer(stack).read(reference)["history"]) == 3


@pytest.mark.parametrize(
    ("move", "said", "other"),
    [
        (
            "not-crime",
            {"reason": "no_offence", "rationale": "Why"},
            {"reason": "contrary_evidence", "rationale": "Why"},
        ),
        ("crime", {"offence": "45", "follows": "further_investigation"}, {"offence": "49", "follows": "21"}),
        ("crime", {"offence": "45", "follows": "further_investigation"}, {"offence": "45", "follows": "21"}),
    ],
)
def test_another_decision_is_not_taken_for_the_one_that_was_made(
    stack: Runner, olive: Visitor, move: str, said: dict[str, str], other: dict[str, str]
) -> None:
    reference = reported(stack)
    olive.open(f"/desk/reports/{reference}/{move}")
    form = olive.page
    for sent, status in ((said, 200), (said, 200), (other, 412)):
        olive.page = form
        olive.send(to=f"/{move}", confirmed="yes", **sent)
        assert olive.page.status_code == status, olive.words


# Supervisors


def test_a_supervisor_cancels_a_crime_that_somebody_else_recorded(
    stack: Runner, olive: Visitor, sunil: Visitor
) -> None:
    reference = reported(stack)
    decide(olive, reference, "crime", offence="45", follows="further_investigation")
    assert "Cancel the crime" not in olive.words
    assert olive.open(f"/desk/reports/{reference}/cancel").status_code == 404
    decide(sunil, reference, "cancel", reason="C2", rationale="Found in the garage")
    assert "Crime cancelled" in sunil.words
    assert Officer(stack).read(reference)["status"] == "not_crimed"
    stack.idle()
    assert [letter["template"] for letter in stack.outbox() if letter["reference"] == reference][-1] == "cancelled"


def test_a_leavers_work_goes_to_somebody_else_and_their_sessions_end(stack: Runner, sunil: Visitor) -> None:
    reference = reported(stack)
    oscar, _ = sit_down(stack, OSCAR), sit_down(stack, OLIVE)
    opened(oscar, reference).send(to="/claim")
    sunil.open("/desk/officers")
    (theirs,) = {link for link in sunil.links if link.endswith("/officers/Oscar%20Officer")}
    sunil.open(theirs)
    assert reference in sunil.page.text
    version = re.search(f'value="({reference}:[0-9]+)"', sunil.page.text)
    assert version
    sunil.send(to="/bulk", chosen=version[1], what="assign")
    action, hidden = sunil.form("/bulk/assign")
    sent = {**hidden, "chosen": version[1], "to": OLIVE}
    sunil.page = sunil.session.post(stack.url + action, data=sent, timeout=30)
    assert "1 of 1 done" in sunil.words
    assert Officer(stack).read(reference)["claimed_by"] == OLIVE
    sunil.open(theirs)
    sunil.send(to="/end-sessions")
    oscar.open("/desk")
    assert "/dev/issuer/authorize" in oscar.page.url


def test_who_saw_a_report_is_for_supervisors(stack: Runner, olive: Visitor, sunil: Visitor) -> None:
    reference = reported(stack)
    opened(olive, reference)
    olive.open(f"/desk/reports/{reference}/history")
    assert "The chain is whole" in olive.words and "Who has seen it" not in olive.words
    sunil.open(f"/desk/reports/{reference}/history")
    assert "Who has seen it" in sunil.words and "Olive Officer Read it" in sunil.words
    assert olive.open("/desk/officers").status_code == 403


def test_a_second_look_where_the_force_wants_one() -> None:
    stack = Runner(SECOND_LOOK="no_offence")
    try:
        olive, sunil = sit_down(stack, OLIVE), sit_down(stack, SUNIL)
        reference, another = reported(stack), reported(stack)
        for one in (reference, another):
            olive.open(f"/desk/reports/{one}/not-crime")
            olive.send(to="/not-crime", reason="no_offence", rationale="It was lent.")
            assert "Propose to close it" in olive.words and "A supervisor looks at it first" in olive.words
            olive.send(to="/not-crime", confirmed="yes")
            assert "It waits for a second look" in olive.words and "It was lent." in olive.words
            assert "Close it as proposed" not in olive.words
        sunil.open("/desk?list=second_look")
        assert reference in sunil.page.text and another in sunil.page.text
        opened(sunil, reference).send(to="/confirm")
        assert "not recorded it as a crime" in sunil.words  # the letter, before it goes
        sunil.send(to="/confirm", confirmed="yes")
        assert "Closed without a crime" in sunil.words
        decide(sunil, another, "decline", text="Ask who lent it.")
        assert "Ask who lent it." in opened(olive, another).words
        assert [Officer(stack).read(one)["status"] for one in (reference, another)] == ["not_crimed", "queued"]
    finally:
        stack.stop()


# Several at once


def chosen(stack: Runner, *references: str) -> list[str]:
    return [f"{reference}:{Officer(stack).read(reference)['version']}" for reference in references]


def at_once(officer: Visitor, what: str, ticked: list[str], **said: str) -> Visitor:
    officer.open("/desk")
    _, hidden = officer.form("/desk/next")
    pairs = [("token", hidden["token"]), *(("chosen", one) for one in ticked), *said.items()]
    officer.page = officer.session.post(f"{officer.stack.url}/desk/bulk/{what}", data=pairs, timeout=30)
    return officer


def test_a_spree_is_linked_and_each_that_failed_is_named(stack: Runner, olive: Visitor) -> None:
    one, two, three = (reported(stack) for _ in range(3))
    ticked = chosen(stack, one, two, three)
    decide(olive, two, "note", text="Changed meanwhile")
    at_once(olive, "link", ticked, text="One street, one night")
    assert "2 of 3 done, 1 not" in olive.words
    assert re.search(f"{two} ?: not done", olive.words)
    assert "One street, one night" in opened(olive, one).words and three in olive.words
    assert "linked" not in [entry["what"] for entry in Officer(stack).read(two)["history"]]


def test_several_are_filed_by_what_their_answers_suggest(stack: Runner, olive: Visitor) -> None:
    free, named = reported(stack, suspects=None), reported(stack, suspects__names="Alex Invented")
    at_once(olive, "file", chosen(stack, free, named), text="Nothing to go on")
    assert "1 of 2 done, 1 not" in olive.words and "A suspect is named" in olive.words
    assert Officer(stack).read(free)["disposal"] == "filed"


@pytest.mark.parametrize("ticked", [[], ["nonsense"], ["2222-2222-2222:1"], ["::"], ["7K3M-9QWP-R2TX:99999999999"]])
def test_nonsense_that_was_ticked_harms_nothing(olive: Visitor, ticked: list[str]) -> None:
    at_once(olive, "link", ticked, text="x")
    assert olive.page.status_code in (200, 422)
    assert "0 of" in olive.words or "Tick at least" in olive.words


def test_officers_do_not_assign(stack: Runner, olive: Visitor) -> None:
    reference = reported(stack)
    at_once(olive, "assign", chosen(stack, reference), to=OSCAR)
    assert olive.page.status_code == 404
    assert "claimed_by" not in Officer(stack).read(reference)
