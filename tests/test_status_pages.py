"""The status of a report over HTTP: who may see it, what it says, what the person can do, and how guessing ends."""

import re
from typing import Any

import pytest
import requests
from conftest import Runner
from users import Officer, Public, example
from visitor import BROWSER, Visitor

from chalicelib.reference import derive, show

EMAIL, PHONE = "sam@example.com", "07700 900123"


@pytest.fixture
def visitor(stack: Runner) -> Visitor:
    return Visitor(stack)


@pytest.fixture
def officer(stack: Runner) -> Officer:
    return Officer(stack)


def reported(stack: Runner, category: str = "theft", **sections: Any) -> str:
    contact = {"full_name": "Sam Carter", "email": EMAIL, "phone": PHONE}
    answers = {"category": category, "emergency": "no", "reporter": "victim", "about": {"kind": "pedal_cycle"},
               "contact": contact, "declaration": "yes", **sections}  # fmt: skip
    return Public(stack).report(answers)


def look(visitor: Visitor, reference: str, **factor: str) -> Visitor:
    """Ask for a report as a person does."""
    visitor.open("/status")
    visitor.send(reference=reference, **(factor or {"email": EMAIL}))
    return visitor


def go(visitor: Visitor, action: str) -> Visitor:
    visitor.open(next(link for link in visitor.links if link.endswith(f"/{action}")))
    return visitor


# Seeing it


def test_the_reference_and_a_second_factor_open_it(visitor: Visitor, stack: Runner) -> None:
    reference = reported(stack)
    for factor in ({"email": EMAIL.upper()}, {"phone": "+44 7700 900123"}):
        look(visitor, reference.lower(), **factor)
        assert visitor.page.url == f"{stack.url}/status/{reference}"
        assert "An officer will decide about it" in visitor.words
        assert re.search(r"You will know by .+ whether it is recorded as a crime", visitor.words)
        assert "We received your report" in visitor.words
        assert visitor.page.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("reference", ["theirs", "unknown", "nonsense"])
def test_a_wrong_factor_and_an_unknown_reference_are_told_alike(
    visitor: Visitor, stack: Runner, reference: str
) -> None:
    asked = {"theirs": reported(stack), "unknown": show(derive(b"nobody's of these pages" + bytes(9))), "nonsense": "x"}
    look(visitor, asked[reference], email="somebody@example.com")
    assert visitor.page.status_code == 404
    assert "Check the reference, and use the email address or telephone number you gave with it" in visitor.words
    assert f'value="{asked[reference]}"' in visitor.page.text


def test_what_is_left_out_is_asked_for(visitor: Visitor) -> None:
    visitor.open("/status")
    assert visitor.send().status_code == 422
    assert "Enter your reference" in visitor.words
    assert "Enter the email address or the telephone number that you gave" in visitor.words


def test_whoever_has_no_pass_is_asked_who_they_are(visitor: Visitor, stack: Runner) -> None:
    mine, theirs = reported(stack), reported(stack)
    look(visitor, mine)
    key = visitor.session.cookies.get("report", path=f"/status/{mine}")
    for path in ("", "/add", "/call-back", "/letters", "/nonsense"):
        for cookie in ("", "report=forged", f"report={key}"):
            answer = requests.get(f"{stack.url}/status/{theirs}{path}", headers={"Cookie": cookie}, timeout=30,
                                  allow_redirects=False)  # fmt: skip
            assert (answer.status_code, answer.headers["Location"]) == (303, "/status")
    posted = requests.post(f"{stack.url}/status/{theirs}/add", data={"text": "From somebody else."}, timeout=30,
                           headers={"Cookie": f"report={key}", "Accept": BROWSER})  # fmt: skip
    assert posted.status_code == 403
    assert "Open your report again" in posted.text
    assert "From somebody else." in posted.text  # it is theirs: nothing typed is lost


def test_after_an_hour_it_is_closed_and_what_was_typed_is_shown(
    visitor: Visitor, stack: Runner, officer: Officer
) -> None:
    reference = reported(stack)
    go(look(visitor, reference), "add")
    stack.advance(3601)
    visitor.send(text="I found <b>the receipt</b>.")
    assert visitor.page.status_code == 403
    assert "I found &lt;b&gt;the receipt&lt;/b&gt;." in visitor.page.text
    assert "added" not in [entry["what"] for entry in officer.read(reference)["history"]]


def test_closing_it_forgets_the_pass(visitor: Visitor, stack: Runner) -> None:
    reference = reported(stack)
    look(visitor, reference).send(to="/close")
    assert not visitor.session.cookies
    assert visitor.open(f"/status/{reference}").url.endswith("/status")


def test_the_cookie_is_for_this_report_and_for_no_script(stack: Runner) -> None:
    reference = reported(stack)
    answer = requests.post(f"{stack.url}/status", data={"reference": reference, "email": EMAIL}, timeout=30,
                           headers={"X-Forwarded-Proto": "https"}, allow_redirects=False)  # fmt: skip
    said = answer.headers["Set-Cookie"].split("; ")[1:]
    assert said == [f"Path=/status/{reference}", "Max-Age=3600", "HttpOnly", "SameSite=Lax", "Secure"]


# What it says


def test_each_standing_is_explained(visitor: Visitor, stack: Runner, officer: Officer) -> None:
    reference = reported(stack)
    officer.done(reference, "claim")
    officer.done(reference, "call-backs", result="left_message")
    look(visitor, reference)
    assert "We need to ask you a few things" in visitor.words
    assert "A Public Contact Officer began to look at it" in visitor.words
    assert "We left you a message" in visitor.words
    officer.done(reference, "crime", offence="44", disposal="filed")
    visitor.open(f"/status/{reference}")
    assert "It is recorded as a crime" in visitor.words
    assert officer.read(reference)["crime_number"] in visitor.words
    assert "filed and closed" in visitor.words
    officer.done(reference, "disposal", disposal="further_investigation")
    visitor.open(f"/status/{reference}")
    assert "further investigated" in visitor.words
    assert "Olive" not in visitor.words  # no officer is named


@pytest.mark.parametrize(
    ("reason", "more", "words"),
    [
        ("no_offence", {}, "not a crime in law"),
        ("contrary_evidence", {}, "clear evidence that no crime took place"),
        ("victim_unconfirmed", {}, "could not reach the person"),
        ("another_force", {"force": "Westshire Police"}, "another police force, Westshire Police."),
    ],
)
def test_why_it_was_not_recorded_as_a_crime(
    visitor: Visitor, stack: Runner, officer: Officer, reason: str, more: dict[str, str], words: str
) -> None:
    reference = reported(stack)
    officer.done(reference, "not-crime", reason=reason, rationale="Between officers", **more)
    look(visitor, reference)
    assert "It is not recorded as a crime" in visitor.words
    assert words in visitor.words
    assert "Between officers" not in visitor.words
    assert "call-back" not in visitor.words


def test_whether_the_promise_was_kept(visitor: Visitor, stack: Runner, officer: Officer) -> None:
    reference = reported(stack)
    officer.done(reference, "crime", offence="44", disposal="filed")
    look(visitor, reference)
    assert re.search(r"We promised you this decision by .+2\d{3}, and we were in time", visitor.words)
    assert "You will know by" not in visitor.words


# Adding


def test_what_is_added_reaches_the_officer(visitor: Visitor, stack: Runner, officer: Officer) -> None:
    reference = reported(stack)
    go(look(visitor, reference), "add").send(text="They are still outside.\r\nPlease come.")
    assert visitor.page.url.startswith(f"{stack.url}/status/{reference}")
    assert "We have added what you told us" in visitor.words
    assert "You added information" in visitor.words
    report = officer.read(reference)
    (added,) = [entry for entry in report["history"] if entry["what"] == "added"]
    assert (added["note"], added["by"]) == ("They are still outside.\nPlease come.", "The person who reported")
    assert report["priority"] == "urgent"


def test_sent_twice_it_is_added_once_and_with_other_words_again(
    visitor: Visitor, stack: Runner, officer: Officer
) -> None:
    reference = reported(stack)
    form = go(look(visitor, reference), "add").page
    for text in ("A video.", "A video.", "A video, and a witness."):
        visitor.page = form
        visitor.send(text=text)
    notes = [entry["note"] for entry in officer.read(reference)["history"] if entry["what"] == "added"]
    assert notes == ["A video.", "A video, and a witness."]


@pytest.mark.parametrize(("text", "message"), [("", "Enter what you want to add"), (" \n ", "Enter what you want"),
                                               ("x" * 5_001, "must be 5,000 characters or fewer")])  # fmt: skip
def test_what_cannot_be_added_is_said_and_kept(visitor: Visitor, stack: Runner, text: str, message: str) -> None:
    go(look(visitor, reported(stack)), "add").send(text=text)
    assert visitor.page.status_code == 422
    assert message in visitor.words
    assert "<title>Error: " in visitor.page.text.replace("\n", "")
    assert text.strip() in visitor.page.text


def test_news_of_a_decided_report_reaches_an_officer(visitor: Visitor, stack: Runner, officer: Officer) -> None:
    reference = reported(stack)
    officer.done(reference, "not-crime", reason="no_offence", rationale="It was lent")
    go(look(visitor, reference), "add").send(text="It was not lent.")

    def listed() -> bool:
        news = officer.get("/triage", status="new_information", limit=200).json()["reports"]
        return reference in [report["reference"] for report in news]

    assert listed()
    officer.done(reference, "notes", text="Read.")
    assert not listed()


def test_a_claim_of_an_officer_stops_nobody(visitor: Visitor, stack: Runner, officer: Officer) -> None:
    reference = reported(stack)
    officer.done(reference, "claim")
    go(look(visitor, reference), "add").send(text="One more thing.")
    assert officer.read(reference)["claimed_by"] == "Olive Officer"
    added = [entry["note"] for entry in officer.read(reference)["history"] if entry["what"] == "added"]
    assert added == ["One more thing."]


def test_what_there_is_no_room_for_is_shown_again(visitor: Visitor, stack: Runner) -> None:
    go(look(visitor, reported(stack)), "add")
    form = visitor.page
    for number in range(40):
        visitor.page = form
        visitor.send(text=f"{number} " + "x" * 4_900)
        if visitor.page.status_code != 200:
            break
    assert visitor.page.status_code == 409
    assert "Call 101 with your reference" in visitor.words
    assert f"{number} xxx" in visitor.page.text
    assert "Decide it" not in visitor.words  # that is between officers


# A time for a call-back


def test_a_time_is_chosen_changed_and_seen_by_the_officer(visitor: Visitor, stack: Runner, officer: Officer) -> None:
    reference = reported(stack)
    go(look(visitor, reference), "call-back")
    times = re.findall(r'name="time"[^>]*value="([^"]+)"|value="([^"]+)"[^>]*name="time"', visitor.page.text)
    first, *_, last = ["".join(pair) for pair in times]
    assert first == "soon"
    visitor.send(time=last)
    assert "We have noted when you want to be called" in visitor.words
    assert re.search(r"You asked to be called: \w+day \d+ \w+, ", visitor.words)
    go(visitor, "call-back").send(time="soon")
    assert officer.read(reference)["call_back_wanted"] == "As soon as you can"


@pytest.mark.parametrize("time", ["", "2001-01-01-morning", "<script>", "soon\n"])
def test_a_time_that_is_not_offered_is_refused(visitor: Visitor, stack: Runner, time: str) -> None:
    go(look(visitor, reported(stack)), "call-back").send(time=time)
    assert visitor.page.status_code == 422
    assert "Select when we may call you" in visitor.words


@pytest.mark.parametrize("contact", [{"email": EMAIL}, {"email": EMAIL, "phone": PHONE, "safe_to_call": "no"}])
def test_whom_we_may_not_call_is_offered_no_time(visitor: Visitor, stack: Runner, contact: dict[str, str]) -> None:
    reference = reported(stack, contact={"full_name": "Sam Carter", **contact})
    look(visitor, reference)
    assert "call-back" not in visitor.page.text
    assert visitor.open(f"/status/{reference}/call-back").status_code == 409
    assert "Call 101 with your reference" in visitor.words


# Letters


def test_letters_are_stopped_and_had_again(visitor: Visitor, stack: Runner, officer: Officer) -> None:
    reference = reported(stack)
    stack.idle()
    go(look(visitor, reference), "letters").send()
    assert "We will send you no more letters" in visitor.words
    officer.done(reference, "crime", offence="44", disposal="filed")
    stack.idle()
    report = officer.read(reference)
    assert report["letters_stopped"]
    assert report["letters"][-1]["state"] == "withheld: the person asked for no letters"
    go(visitor, "letters").send()
    assert "We will send you letters about this report again" in visitor.words
    officer.done(reference, "disposal", disposal="further_investigation")
    stack.idle()
    assert officer.read(reference)["letters"][-1]["state"] == "sent"


# Forgery, guessing, nonsense


@pytest.mark.parametrize("token", ["", "forged", "of another report"])
@pytest.mark.parametrize("action", ["add", "call-back", "letters"])
def test_a_form_of_another_website_changes_nothing(
    visitor: Visitor, stack: Runner, officer: Officer, action: str, token: str
) -> None:
    if token == "of another report":
        token = go(look(visitor, reported(stack)), "add").form()[1]["token"]
    reference = reported(stack)
    look(visitor, reference)
    stories = {"token": token, "text": "From elsewhere.", "time": "soon", "wanted": "no"}
    answer = visitor.session.post(f"{stack.url}/status/{reference}/{action}", data=stories)
    assert answer.status_code == 422
    assert "This page had been open for too long" in answer.text
    assert not {"added", "call_back_time", "letters_stopped"} & {
        entry["what"] for entry in officer.read(reference)["history"]
    }


def guess(stack: Runner, reference: str, how: str, **factor: str) -> requests.Response:
    if how == "JSON":
        return requests.post(f"{stack.url}/reports/{reference}/status", json=factor, timeout=30)
    said = {"reference": reference, **factor}
    return requests.post(f"{stack.url}/status", data=said, headers={"Accept": BROWSER}, timeout=30)


@pytest.mark.parametrize("how", ["JSON", "page"])
@pytest.mark.parametrize("there_is_one", [True, False])
def test_guessing_ends_after_ten_tries_and_is_forgiven(stack: Runner, how: str, there_is_one: bool) -> None:
    stack.advance(15 * 60)  # other tests guess, too
    reference = reported(stack) if there_is_one else show(derive(f"nobody's {how}".encode() + bytes(20)))
    for number in range(10):
        assert guess(stack, reference, how, email=f"guess{number}@example.com").status_code == 404
    refused = guess(stack, reference, how, email=EMAIL)
    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 15 * 60
    assert "or call 101" in refused.text
    stack.advance(15 * 60)
    assert guess(stack, reference, how, email=EMAIL).status_code == (200 if there_is_one else 404)


def test_one_address_cannot_try_many_references(stack: Runner) -> None:
    stack.advance(15 * 60)
    answers = [
        guess(stack, show(derive(f"guess {number}".encode() + bytes(20))), "JSON", email=EMAIL).status_code
        for number in range(61)
    ]
    assert answers == [404] * 60 + [429]
    stack.advance(15 * 60)


def test_what_can_be_no_reference_is_no_guess(stack: Runner) -> None:
    """Or anybody could keep all who share an address from their reports."""
    stack.advance(15 * 60)
    for _ in range(70):
        assert guess(stack, "nonsense", "JSON", email=EMAIL).status_code == 404
    assert guess(stack, reported(stack), "JSON", email=EMAIL).status_code == 200


def test_whoever_gets_no_letters_is_offered_none(visitor: Visitor, stack: Runner) -> None:
    contact = {"full_name": "Sam Carter", "email": EMAIL, "safe_to_write": "no"}
    look(visitor, reported(stack, contact=contact))
    assert "letters about this report" not in visitor.words


def test_a_witness_is_not_spoken_to_as_a_victim(visitor: Visitor, stack: Runner, officer: Officer) -> None:
    reference = reported(stack, reporter="witness")
    officer.done(reference, "crime", offence="44", disposal="filed")
    look(visitor, reference)
    assert "It is recorded as a crime" in visitor.words
    assert "as a victim" not in visitor.words and "insurer" not in visitor.words


def test_looking_often_is_not_guessing(visitor: Visitor, stack: Runner) -> None:
    reference = reported(stack)
    for _ in range(12):
        assert look(visitor, reference).page.status_code == 200


@pytest.mark.parametrize("path", ["/nonsense", "/close/x", "/%00", "/add/../x"])
def test_pages_that_there_are_not(visitor: Visitor, stack: Runner, path: str) -> None:
    reference = reported(stack)
    look(visitor, reference)
    assert visitor.open(f"/status/{reference}{path}").status_code in (404, 405)


@pytest.mark.parametrize("body", [b"\xff\xfe=\xff", b"&&&", b"token=1&token=2", b"%00=%00", b"text=" + b"a" * 9_000])
def test_bodies_that_no_page_sends(visitor: Visitor, stack: Runner, body: bytes) -> None:
    reference = reported(stack)
    look(visitor, reference)
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for action in ("add", "call-back", "letters", "nonsense"):
        answer = visitor.session.post(f"{stack.url}/status/{reference}/{action}", data=body, headers=form)
        assert answer.status_code in (404, 422)
    assert requests.post(f"{stack.url}/status", data=body, headers=form, timeout=30).status_code == 422


def test_the_confirmation_says_what_follows_and_can_be_printed(visitor: Visitor, stack: Runner) -> None:
    reference = reported(stack)
    visitor.open(f"/reports/{reference}")
    assert "does not tell whether a report was sent" in visitor.words
    assert "Report sent" not in visitor.words
    for words in ("Within 24 hours", "acknowledgement", "print this page"):
        assert words in visitor.words


def test_every_example_can_be_looked_at(visitor: Visitor, stack: Runner) -> None:
    for category in ("burglary", "theft", "criminal_damage"):
        answers = example(category)
        look(visitor, Public(stack).report(answers), email=answers["contact"]["email"])
        assert visitor.page.status_code == 200
