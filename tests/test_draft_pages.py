"""The pages of a draft over HTTP: every way through, back, twice, in two tabs, too late, and for the wrong person."""

import re
import time

import pytest
import requests
from conftest import Runner
from users import Officer
from visitor import LITTLE, Visitor

CATEGORIES = ["burglary", "theft", "criminal_damage"]


@pytest.fixture
def visitor(stack: Runner) -> Visitor:
    return Visitor(stack)


@pytest.fixture
def officer(stack: Runner) -> Officer:
    return Officer(stack)


# From the first page to the last


@pytest.mark.parametrize("category", CATEGORIES)
def test_a_report_from_the_first_page_to_the_last(visitor: Visitor, officer: Officer, category: str) -> None:
    story = {"what_happened": "It was there at night.\r\nIn the morning it was gone.", "where.postcode": "b11aa"}
    reference = visitor.report(category, happened=story, suspects={"suspects.known": "yes"},
                               suspect={"suspects.names": "Alex"})  # fmt: skip
    assert "Report sent" in visitor.words
    report = officer.read(reference)
    assert report["category"] == category
    assert report["answers"]["what_happened"] == "It was there at night.\nIn the morning it was gone."
    assert report["answers"]["where"] == {"postcode": "B1 1AA"}
    assert report["answers"]["suspects"] == {"known": "yes", "names": "Alex"}


def test_every_page_can_be_opened_again_and_shows_what_was_said(visitor: Visitor) -> None:
    visitor.begin().go_on("when", happened={"what_happened": "It was gone."})
    visitor.open(f"/drafts/{visitor.draft}/happened")
    assert "It was gone." in visitor.page.text
    assert visitor.open(f"/drafts/{visitor.draft}").url.endswith("/when")  # where they stopped


def test_back_leads_through_the_pages_that_were_asked(visitor: Visitor) -> None:
    visitor.begin("burglary").go_on("people", when={"when.precision": "unknown"})
    way = []
    while visitor.step != "before":
        way.append(visitor.step)
        visitor.open(visitor.links[[("Back" in link) for link in _texts(visitor)].index(True)])
    assert way == ["people", "files", "evidence", "suspects", "items", "way-in", "burglary", "when", "happened",
                   "building"]  # fmt: skip


def _texts(visitor: Visitor) -> list[str]:
    return re.findall(r"<a [^>]*href=[^>]*>(.*?)</a>", visitor.page.text, re.DOTALL)


def test_a_wrong_answer_keeps_the_page_and_says_what_to_do(visitor: Visitor) -> None:
    visitor.begin().go_on("times", when={"when.precision": "exact"})
    page = visitor.send(**{"when.start_date.day": "31", "when.start_date.month": "2", "when.start_date.year": "2026"})
    assert page.status_code == 422
    assert "<title>Error: " in page.text.replace("\n", "")
    assert "The date it happened must be a real date" in visitor.words
    assert 'href="#when-start_date-day"' in page.text
    assert 'value="31"' in page.text
    visitor.send(**{"when.start_date.day": "1", "when.start_date.month": "2", "when.start_date.year": "2026"})
    assert visitor.page.status_code == 200


# Checking and changing


def test_a_change_leads_back_to_the_answers(visitor: Visitor) -> None:
    visitor.begin().go_on("check", happened={"what_happened": "It was gone."})
    visitor.open(next(link for link in visitor.links if "/happened?change" in link))
    assert f"/drafts/{visitor.draft}/check" in visitor.links  # Back
    visitor.send(what_happened="It is still gone.")
    assert visitor.step == "check"
    assert "It is still gone." in visitor.words


def test_a_change_that_calls_for_more_asks_it_first(visitor: Visitor) -> None:
    visitor.begin().go_on("check")
    visitor.open(next(link for link in visitor.links if "/evidence?change" in link))
    visitor.send(**{"evidence.cctv": "yes"})
    assert visitor.step == "evidence-details"
    visitor.send(**{"evidence.cctv_holder": "The shop"})
    assert visitor.step == "check"
    assert "The shop" in visitor.words


def test_what_a_change_makes_idle_is_neither_shown_nor_sent(visitor: Visitor, officer: Officer) -> None:
    visitor.begin().go_on("check", suspects={"suspects.known": "yes"}, suspect={"suspects.names": "Alex"})
    visitor.open(next(link for link in visitor.links if "/suspects?change" in link))
    visitor.send(**{"suspects.known": "no"})
    assert "Alex" not in visitor.words
    visitor.stack.advance(2)
    visitor.send(declaration="yes")
    assert officer.read(visitor.step)["answers"]["suspects"] == {"known": "no"}


@pytest.mark.parametrize("page", ["you", "check", "items", "people"])
def test_a_page_that_needs_an_answer_before_it_leads_there(visitor: Visitor, page: str) -> None:
    visitor.begin()
    visitor.open(f"/drafts/{visitor.draft}/{page}")
    assert visitor.step == "taken"


def test_a_page_that_is_not_called_for_leads_on(visitor: Visitor) -> None:
    visitor.begin()
    assert visitor.open(f"/drafts/{visitor.draft}/suspect").url.endswith("/taken")


@pytest.mark.parametrize("page", ["nonsense", "token", "..", "items%2Fx", "check.php"])
def test_pages_that_there_are_not(visitor: Visitor, page: str) -> None:
    draft = visitor.begin().draft
    assert visitor.open(f"/drafts/{draft}/{page}").status_code == 404
    assert visitor.session.post(f"{visitor.stack.url}/drafts/{draft}/{page}", data={"x": "1"}).status_code == 404


# Items


def test_items_are_added_changed_and_removed(visitor: Visitor, officer: Officer) -> None:
    visitor.begin("burglary").go_on("items")
    assert "Continue without items" in visitor.words
    for name in ("Laptop", "Bag"):
        visitor.open(new_item(visitor))
        visitor.send(type=name, value="£1,200")
        assert visitor.step == "items"
    assert "Laptop, £1,200" in visitor.words
    visitor.open(next(link for link in visitor.links if "/items/" in link))
    assert 'value="Laptop"' in visitor.page.text
    visitor.send(type="Tablet")
    visitor.send(to="/remove")  # the last
    assert "Bag" not in visitor.words
    visitor.send()
    visitor.go_on("check")
    visitor.stack.advance(2)
    visitor.send(declaration="yes")
    assert officer.read(visitor.step)["answers"]["items"] == [{"type": "Tablet"}]


def new_item(visitor: Visitor) -> str:
    return next(link for link in reversed(visitor.links) if "/items/" in link)


def test_an_item_added_twice_is_one_item(visitor: Visitor) -> None:
    visitor.begin("burglary").go_on("items").open(new_item(visitor))
    action, hidden = visitor.form()
    for _ in range(2):
        visitor.session.post(visitor.stack.url + action, data={**hidden, "type": "Laptop"})
    visitor.open(f"/drafts/{visitor.draft}/items")
    assert visitor.page.text.count("listed__words") == 1


def test_an_empty_item_is_asked_about(visitor: Visitor) -> None:
    visitor.begin("burglary").go_on("items").open(new_item(visitor))
    assert visitor.send(make=" ").status_code == 422
    assert "Enter what the item is" in visitor.words


def test_fifty_items_are_enough(visitor: Visitor) -> None:
    visitor.begin("burglary").go_on("items").open(new_item(visitor))
    action, hidden = visitor.form()
    for number in range(50):
        numbered = re.sub(r"[0-9a-f]{32}$", f"{number:032x}", action)
        visitor.session.post(visitor.stack.url + numbered, data={**hidden, "type": f"Thing {number}"})
    assert visitor.send(type="One more").status_code == 422
    assert "no more than 50 items" in visitor.words
    visitor.open(f"/drafts/{visitor.draft}/items")
    assert "as many items as this form takes" in visitor.words
    assert visitor.page.text.count("listed__words") == 50


@pytest.mark.parametrize("item", ["x", "0" * 31, "0" * 33, "Z" * 32])
def test_items_have_ids_of_ours(visitor: Visitor, item: str) -> None:
    draft = visitor.begin("burglary").go_on("items").draft
    assert visitor.open(f"/drafts/{draft}/items/{item}").status_code == 404


def test_removing_an_item_twice_or_one_that_there_is_not_does_no_harm(visitor: Visitor) -> None:
    visitor.begin("burglary").go_on("items")
    action, hidden = visitor.form("/items")
    for _ in range(2):
        answer = visitor.session.post(f"{visitor.stack.url}{action}/{'0' * 32}/remove", data=hidden)
        assert answer.url.endswith("/items")


# Sending


def test_a_double_click_makes_one_report(visitor: Visitor) -> None:
    visitor.begin().go_on("check")
    visitor.stack.advance(2)
    action, hidden = visitor.form()
    sent = {visitor.session.post(visitor.stack.url + action, data={**hidden, "declaration": "yes"},
                                 allow_redirects=False).headers.get("Location") for _ in range(2)}  # fmt: skip
    (reference,) = sent - {None}
    assert reference.startswith("/reports/")


def test_back_after_sending_shows_the_confirmation_and_takes_nothing_more(visitor: Visitor) -> None:
    visitor.begin().go_on("check")
    draft, (_, hidden) = visitor.draft, visitor.form()
    visitor.stack.advance(2)
    reference = visitor.send(declaration="yes").url.rsplit("/", 1)[1]
    for page in ("", "/check", "/happened", "/items", "/save", f"/items/{'0' * 32}"):
        assert visitor.open(f"/drafts/{draft}{page}").url.endswith(f"/reports/{reference}")
    changed = visitor.session.post(
        f"{visitor.stack.url}/drafts/{draft}/happened", data={**hidden, "what_happened": "x"}
    )
    assert changed.status_code == 409
    assert reference in changed.text
    assert "has not been sent" in changed.text


def test_what_another_tab_changed_is_checked_before_it_is_sent(visitor: Visitor, officer: Officer) -> None:
    visitor.begin().go_on("check", happened={"what_happened": "It was gone."})
    checked = visitor.page
    visitor.open(f"/drafts/{visitor.draft}/happened")
    visitor.send(what_happened="It was not gone.")
    visitor.stack.advance(2)
    visitor.page = checked
    assert visitor.send(declaration="yes").status_code == 422
    assert "Your answers were changed on another page" in visitor.words
    assert "It was not gone." in visitor.words
    visitor.send(declaration="yes")
    assert officer.read(visitor.step)["answers"]["what_happened"] == "It was not gone."


def test_what_was_written_is_shown_when_the_draft_cannot_be_opened(visitor: Visitor) -> None:
    visitor.begin().go_on("happened")
    visitor.session.cookies.clear()
    visitor.send(what_happened="It was <b>gone</b> in the morning.", **{"where.postcode": "B1 1AA"})
    assert visitor.page.status_code == 404
    assert "It was &lt;b&gt;gone&lt;/b&gt; in the morning." in visitor.page.text


def test_a_question_that_a_change_calls_for_is_put_to_the_person(visitor: Visitor) -> None:
    """Whether writing is safe is asked as soon as there is an address, also when that comes late."""
    visitor.begin().go_on("check", you={"contact.full_name": "Sam Carter", "contact.phone": "07700 900123"})
    visitor.open(next(link for link in visitor.links if "/you?change" in link))
    visitor.send(
        **{"contact.full_name": "Sam Carter", "contact.phone": "07700 900123", "contact.email": "a@example.com"}
    )
    assert visitor.step == "contact"
    assert "Is it safe for us to email you?" in visitor.words
    visitor.send(**{"contact.safe_to_write": "no"})
    assert visitor.step == "check"


def test_an_older_page_takes_no_answer_away_that_it_did_not_ask_for(visitor: Visitor) -> None:
    you = {"contact.full_name": "Sam Carter", "contact.phone": "07700 900123"}
    visitor.begin().go_on("contact", you=you)
    old = visitor.page  # asks for the telephone only
    visitor.open(f"/drafts/{visitor.draft}/you")
    visitor.send(**{**you, "contact.email": "a@example.com"})
    visitor.send(**{"contact.safe_to_write": "no"})
    visitor.page = old
    visitor.send(**{"contact.safe_to_call": "yes"})
    visitor.go_on("check")
    assert re.search(r"Is it safe for us to email you\? No", visitor.words)
    assert re.search(r"Is it safe for us to call you\? Yes", visitor.words)


def test_links_are_sent_to_nobody_without_end(stack: Runner) -> None:
    statuses = []
    for _ in range(3):  # drafts are free
        visitor = Visitor(stack)
        visitor.begin().open(f"/drafts/{visitor.draft}/save")
        for _ in range(2):
            visitor.send(to="/save", email="Pestered@example.com")
            statuses.append(visitor.page.status_code)
            visitor.open(f"/drafts/{visitor.draft}/save") if visitor.page.status_code == 200 else None
    assert statuses == [200] * 5 + [429]
    assert re.search(
        r"Try again in (a minute|\d+ (minutes|hours)), or call 101", visitor.words
    )  # late in the day: soon
    stack.advance(24 * 3600)


def test_the_declaration_is_needed(visitor: Visitor) -> None:
    visitor.begin().go_on("check")
    visitor.stack.advance(2)
    assert visitor.send().status_code == 422
    assert "Confirm that what you have told us is true" in visitor.words


def test_an_answer_that_is_no_longer_good_leads_to_its_page(visitor: Visitor) -> None:
    """A report begun before midnight with a date of then has one more day; one of the future never passes. Here the
    emergency question is answered anew, by a page of an older version.
    """
    visitor.begin().go_on("check")
    visitor.open(f"/drafts/{visitor.draft}/you?change=1")
    assert visitor.send(**{"contact.full_name": "", "contact.email": ""}).status_code == 422
    assert "Enter your full name" in visitor.words


# Elsewhere


@pytest.mark.parametrize("category", CATEGORIES)
def test_an_emergency_is_stopped_on_the_first_page_and_nothing_is_kept(visitor: Visitor, category: str) -> None:
    visitor.begin(category, emergency="yes")
    assert visitor.page.status_code == 422
    assert "Call 999 now" in visitor.words
    assert "Set-Cookie" not in visitor.page.headers


def test_fraud_is_sent_elsewhere_before_the_story_is_written(visitor: Visitor) -> None:
    visitor.begin()
    visitor.send(**{"about.kind": "fraud"})
    assert "Report Fraud" in visitor.words
    assert "Go back if you chose it by mistake" in visitor.words
    visitor.open(next(link for link in visitor.links if link.endswith("/taken")))
    visitor.send(**{"about.kind": "other"})
    assert visitor.step == "happened"


# Who may open it


def test_another_persons_draft_is_not_opened(visitor: Visitor, stack: Runner) -> None:
    draft = visitor.begin().go_on("check").draft
    other = Visitor(stack).begin()
    for page in ("", "/check", "/happened", "/save", f"/items/{'0' * 32}"):
        answer = other.open(f"/drafts/{draft}{page}")
        assert answer.status_code == 404
        assert "We cannot open this report" in other.words
    _, hidden = other.begin().form()
    for page in ("before", "check", "happened", "erase", "items", "save"):
        answer = other.session.post(f"{stack.url}/drafts/{draft}/{page}", data=hidden)
        assert answer.status_code == 404
    assert visitor.open(f"/drafts/{draft}/check").status_code == 200


@pytest.mark.parametrize("key", ["", "x", "a.b.c", "\u00e9", "{draft}", "x" * 5000])
def test_a_forged_key_opens_nothing(visitor: Visitor, key: str) -> None:
    draft = visitor.begin().draft
    forged = {"Cookie": f"draft={key.format(draft=draft)}".encode("latin-1")}
    assert requests.get(f"{visitor.stack.url}/drafts/{draft}/taken", headers=forged, timeout=30).status_code == 404
    assert visitor.open(f"/drafts/{draft}/return/{key.format(draft=draft) or 'x'}").status_code == 404


def test_the_key_of_one_draft_opens_no_other(visitor: Visitor) -> None:
    first = visitor.begin().draft
    key = visitor.session.cookies.get("draft", path=f"/drafts/{first}")
    second = visitor.begin().draft
    assert first != second
    answer = requests.get(f"{visitor.stack.url}/drafts/{second}/taken", headers={"Cookie": f"draft={key}"}, timeout=30)
    assert answer.status_code == 404
    assert visitor.open(f"/drafts/{first}/taken").status_code == 200  # two tabs, two reports


@pytest.mark.parametrize("draft", ["x", "0" * 32, "%00", "a b", "\U0001f600"])
def test_drafts_that_there_are_not(visitor: Visitor, draft: str) -> None:
    assert visitor.open(f"/drafts/{draft}/check").status_code == 404
    answer = visitor.session.post(f"{visitor.stack.url}/drafts/{draft}/before", data=LITTLE["before"])
    assert answer.status_code == 404


def test_the_cookie_is_for_this_draft_and_for_no_script(visitor: Visitor, stack: Runner) -> None:
    visitor.open("/report/theft")
    action, hidden = visitor.form()
    answer = requests.post(stack.url + action, data={**hidden, **LITTLE["before"]}, allow_redirects=False, timeout=30)
    said = answer.headers["Set-Cookie"].split("; ")
    assert said[1] == f"Path={action.removesuffix('/before')}"
    assert said[2] in {f"Max-Age={7 * 24 * 3600 - late}" for late in range(5)}
    assert said[3:] == ["HttpOnly", "SameSite=Lax"]


def test_over_https_the_cookie_stays_there(visitor: Visitor, stack: Runner) -> None:
    visitor.open("/report/theft")
    action, hidden = visitor.form()
    answer = requests.post(stack.url + action, data={**hidden, **LITTLE["before"]}, allow_redirects=False, timeout=30,
                           headers={"X-Forwarded-Proto": "https"})  # fmt: skip
    assert answer.headers["Set-Cookie"].endswith("; Secure")


def test_back_and_start_again_is_the_same_draft(visitor: Visitor) -> None:
    first = visitor.open("/report/theft")
    action, _ = visitor.form()
    visitor.send(**LITTLE["before"])
    visitor.go_on("happened")
    visitor.page = first  # "Back" shows it as it was
    visitor.send(**{**LITTLE["before"], "reporter": "witness"})
    assert visitor.step == "taken"
    assert 'value="pedal_cycle" checked' in re.sub(r"\s+", " ", visitor.page.text)
    visitor.open(action)
    assert 'value="witness" checked' in re.sub(r"\s+", " ", visitor.page.text)


def test_whoever_gets_hold_of_a_first_page_cannot_join_the_draft(visitor: Visitor, stack: Runner) -> None:
    first = visitor.open("/report/theft")
    visitor.send(**LITTLE["before"])
    draft = visitor.draft
    other = Visitor(stack)
    other.page = first
    other.send(**LITTLE["before"])
    assert other.step == "taken"
    assert other.draft != draft


@pytest.mark.parametrize("token", ["", "forged", "theft:{draft}", "of another page"])
def test_a_draft_begins_on_a_page_of_ours(visitor: Visitor, token: str) -> None:
    visitor.open("/report/theft")
    draft, (action, _) = visitor.draft, visitor.form()
    if token == "of another page":
        visitor.begin()
        token = visitor.form()[1]["token"]
    answer = visitor.session.post(
        visitor.stack.url + action, data={**LITTLE["before"], "token": token.format(draft=draft)}
    )
    assert answer.status_code == 404


@pytest.mark.parametrize("token", ["", "forged"])
@pytest.mark.parametrize("page", ["happened", "items", "check", "save", "erase"])
def test_a_form_that_did_not_come_from_the_draft_changes_nothing(visitor: Visitor, page: str, token: str) -> None:
    draft = visitor.begin().go_on("check").draft
    stories = {"token": token, "what_happened": "From elsewhere.", "email": "sam@example.com", "declaration": "yes"}
    answer = visitor.session.post(f"{visitor.stack.url}/drafts/{draft}/{page}", data=stories)
    assert answer.status_code == 422
    assert "This page had been open for too long" in answer.text
    assert visitor.open(f"/drafts/{draft}/check").status_code == 200
    assert "From elsewhere." not in visitor.words
    if page == "happened":
        assert "From elsewhere." in answer.text  # nothing typed is lost: it is on the page, with a new token


def test_seven_days_later_it_is_gone(visitor: Visitor) -> None:
    draft = visitor.begin().draft
    visitor.stack.advance(7 * 24 * 3600)
    assert visitor.open(f"/drafts/{draft}/taken").status_code == 404
    assert "more than 7 days ago" in visitor.words


# Coming back, and going away


def link_in_outbox(visitor: Visitor, seconds: float = 20) -> str:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for letter in reversed(visitor.stack.outbox()):
            if letter["template"] == "return_link" and visitor.draft in letter["body"]:
                return re.search(r"https?://\S+/return/\S+", letter["body"])[0]
        time.sleep(0.1)
    raise AssertionError("no letter came")


def test_a_link_opens_the_draft_on_another_device(visitor: Visitor, stack: Runner) -> None:
    visitor.begin().go_on("when", happened={"what_happened": "It was gone."})
    visitor.open(f"/drafts/{visitor.draft}/save")
    visitor.send(to="/save", email="sam@example.com")
    assert "We are sending a link to sam@example.com" in visitor.words
    link = link_in_outbox(visitor)
    other = Visitor(stack)
    assert other.open(link).status_code == 200
    assert other.step == "when"
    assert "It was gone." in other.open(f"/drafts/{other.draft}/happened").text
    assert "It was gone." in visitor.open(f"/drafts/{visitor.draft}/happened").text  # and still on the first


def test_a_link_needs_an_address(visitor: Visitor) -> None:
    visitor.begin().open(f"/drafts/{visitor.draft}/save")
    assert visitor.send(to="/save", email="sam@").status_code == 422
    assert "Enter an email address in the correct format" in visitor.words
    assert 'value="sam@"' in visitor.page.text


def test_erasing_leaves_nothing(visitor: Visitor) -> None:
    draft = visitor.begin().draft
    visitor.open(f"/drafts/{draft}/save")
    visitor.send(to="/erase")
    assert "Your answers are erased" in visitor.words
    assert not visitor.session.cookies
    assert visitor.open(f"/drafts/{draft}/taken").status_code == 404


# Programs


def test_a_program_that_fills_in_every_box_is_asked_and_a_person_can_answer(visitor: Visitor) -> None:
    visitor.begin(website="http://example.com")
    assert visitor.page.status_code == 422
    assert "Empty the box that has to stay empty" in visitor.words
    assert "aria-hidden" not in visitor.page.text.split('name="website"')[0].rsplit("<div", 1)[1]
    visitor.send(**LITTLE["before"])
    assert visitor.step == "taken"


def test_a_report_as_quick_as_a_program_is_asked_to_be_sent_again(stack: Runner) -> None:
    """The clock of the service is not moved here; should the machine be slow, there is nothing to see."""
    visitor = Visitor(stack).begin()
    began = time.monotonic()
    draft, token = visitor.draft, visitor.form()[1]
    for page in ("taken", "you"):
        visitor.session.post(f"{stack.url}/drafts/{draft}/{page}", data={**token, **LITTLE[page]})
    answer = visitor.session.post(f"{stack.url}/drafts/{draft}/check", data={**token, "declaration": "yes"})
    if time.monotonic() - began < 1:
        assert answer.status_code == 422
        assert "That was very quick" in answer.text
    stack.advance(2)
    answer = visitor.session.post(f"{stack.url}/drafts/{draft}/check", data={**token, "declaration": "yes"})
    assert "/reports/" in answer.url


# What is typed


@pytest.mark.parametrize("body", [b"\xff\xfe=\xff", b"&&&", b"a" * 1000, b"token=1&token=2", b"%00=%00"])
def test_bodies_that_no_page_sends(visitor: Visitor, body: bytes) -> None:
    draft = visitor.begin().draft
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for page in ("before", "taken", "happened", "items", "check", "save", "erase", f"items/{'0' * 32}"):
        answer = visitor.session.post(f"{visitor.stack.url}/drafts/{draft}/{page}", data=body, headers=form)
        assert answer.status_code in (422, 404), (page, answer.status_code)


def test_pages_of_a_draft_are_kept_by_nobody(visitor: Visitor) -> None:
    visitor.begin().go_on("check")
    for page in ("taken", "check", "items", "save"):
        assert visitor.open(f"/drafts/{visitor.draft}/{page}").headers["Cache-Control"] == "no-store"


def test_what_is_too_large_is_told_and_the_rest_is_kept(visitor: Visitor) -> None:
    """Each page is small enough, all of them together are not."""
    face, url = "\U0001f600", visitor.stack.url
    draft, token = visitor.begin("burglary").draft, visitor.form()[1]
    visitor.session.post(f"{url}/drafts/{draft}/happened", data={**token, "what_happened": face * 10_000})
    thing = dict.fromkeys(("type", "make", "model", "serial", "registration", "description"), face * 200)
    statuses = []
    for number in range(50):
        answer = visitor.session.post(f"{url}/drafts/{draft}/items/{number:032x}", data={**token, **thing})
        statuses.append(answer.status_code)
        if answer.status_code != 200:
            break
    assert statuses[-1] == 413
    assert "may be up to 256 KB" in answer.text
    visitor.session.post(f"{url}/drafts/{draft}/building", data={**token, "about.kind": "home"})
    visitor.open(f"/drafts/{draft}/items")
    assert visitor.page.text.count("listed__words") == len(statuses) - 1
