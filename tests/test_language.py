"""Another language is a file: every text that people read goes through it, and the file has every text."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from html import unescape
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from force_figures import ALL_MONTHS, FIRST, LAST, sums, told
from test_browser import PAGES

from chalicelib import language, pages
from chalicelib import report as life
from chalicelib.call_backs import offered
from chalicelib.chat import VISITOR, begin, end, say, take, want_transcript
from chalicelib.chat_hours import ALWAYS, CLOSED, read_hours
from chalicelib.errors import FieldError, InvalidAnswers
from chalicelib.evidence import File
from chalicelib.forms import CATEGORIES, read_json
from chalicelib.forms import journey as way
from chalicelib.letters import return_link, write
from chalicelib.letters import transcript as write_transcript
from chalicelib.pages import chat, evidence, journey, statistics, status
from chalicelib.report import Actor, Heard
from chalicelib.statistics import Imported
from infra import words
from tests.fakes import ANN, NOW, answers
from tests.test_letters import CASES

SITE = pages.Site("42", "")
PLACE = journey.Place(SITE, "0" * 32, "theft", "token", "/back")
KINDS = {"burglary": "garage_or_shed", "theft": "of_vehicle", "criminal_damage": "vehicle"}
CHAT = end(want_transcript(
    say(take(begin("0", {"name": "Eve"}, "7", "9", NOW), ANN.actor, NOW), ANN.actor, "8", "10", NOW),
    "eve@example.com", "11", NOW,
), ANN.actor, NOW)  # fmt: skip
ENDED = "This conversation has ended. Begin another, or call 101."
FILE = File("1" * 32, 3_000_000, NOW, "image/jpeg")


class Strange:
    """A language in which everything is itself between brackets; keeps what it was asked for."""

    def __init__(self) -> None:
        self.asked: set[str] = set()

    def __call__(self, text: str) -> str:
        self.asked.add(" ".join(text.split()))
        return f"⟦{text}⟧"


@pytest.fixture
def strange() -> Iterator[Strange]:
    spoken = Strange()
    language.use_words("xx", spoken)
    yield spoken
    language.use(language.ENGLISH)


def drafts() -> Iterator[str]:
    """Every page of a draft of each category, with all of its questions asked."""
    for category in CATEGORIES:
        place = journey.Place(SITE, "0" * 32, category, "token", "/back")
        answers = {"suspects": {"known": "yes"}, "evidence": {"cctv": "yes", "witnesses": "yes", "forensic": "yes"},
                   "harm": {"injury": "yes"}, "contact": {"email": "0", "phone": "0"}, "when": {"precision": "between"},
                   "about": {"entered": "yes", "kind": KINDS[category]}}  # fmt: skip
        for step in way.steps(category, answers):
            if step == way.ITEMS:
                yield journey.items(place, {}, "0" * 32)
            elif step == way.FILES:
                yield evidence.files(place, "/back", [FILE], FILE.id, None, is_draft=True)
            elif step == way.CHECK:
                yield journey.check(place, 1, answers, {}, [evidence.FILES_NOT_SHOWN and language.said("Files")])
            else:
                yield journey.step(place, step, answers)
    yield journey.item(PLACE, "items/0", {}, [FieldError("type", "Enter what the item is")])
    yield journey.save(PLACE, NOW, "", [FieldError("email", "Enter your email address")])
    yield from (journey.erased(SITE), journey.gone(SITE), journey.already_sent(SITE, "42"))


def after_sending() -> Iterator[str]:
    """Every page of a report that was sent, in each way it may stand."""
    place = status.Place(SITE, "7", "token")
    told = life.receive("7" * 12, "theft", answers(), NOW, Heard(NOW, "7", Actor("7", "7")))
    for report in (told, *(report for _, report in CASES)):
        for now in (NOW, NOW + timedelta(days=9)):
            for done in ("added", "time", "letters", "no-letters"):
                yield status.standing(place, report, now, may_be_called=True, done=done)
        yield status.call_back(place, {"soon": ""}, report, {}, [FieldError("time", "Select when we may call you")])
    yield status.ask(SITE, {}, [FieldError("reference", "Enter your reference")])
    yield status.add(place, {}, [])
    yield from (status.letters(place, wanted, []) for wanted in (True, False))
    yield status.refused(place, "Your report is being changed by somebody else. Try again in a minute.", "7")
    yield status.hour_is_over(SITE, "7")
    yield pages.sent(SITE, "7", "7", True)


def of_chat() -> Iterator[str]:
    """Every page of the live chat, in each way a conversation may stand."""
    place, week, shut = chat.Place(SITE, "token", "0"), read_hours("Mon-Fri 08:00-24:00"), read_hours(CLOSED)
    yield chat.begin(place, read_hours(ALWAYS), {}, [FieldError("name", "Enter your email address")])
    yield chat.closed(place, read_hours("Mon 00:00-24:00, Sat-Sun 09:00-18:00"), NOW, {}, tried=True)
    begun = begin("0", {"name": "7"}, "8", "9", NOW)
    answered = say(take(begun, ANN.actor, NOW), ANN.actor, "8", "10", NOW)
    for one in (begun, answered, end(answered, VISITOR, NOW), end(answered, ANN.actor, NOW)):
        for (place_in_queue, minutes), hours, later in product(
            ((None, None), (1, 1), (2, 9)), (week, shut), (0, 9, 900)
        ):
            now = NOW + timedelta(minutes=later)
            words = chat.standing(one, place_in_queue, minutes, hours, now)
            yield chat.conversation(place, one, words, now, "", [FieldError("text", "Write a message")])
        yield chat.copy(place, one, "", [FieldError("email", "Enter your email address")], "7")
    yield from (chat.none_at_all(SITE), chat.end(place), chat.gone(SITE, "7"), chat.refused(place, ENDED, "7"))
    yield from (page(replace(SITE, has_chat=True)) for page in (pages.start, pages.privacy, pages.accessibility))
    yield status.ask(replace(SITE, has_chat=True), {}, [])


def of_statistics() -> Iterator[str]:
    """The statistics as everybody sees them, and the answer to a request, with everything that may be said."""
    asked = statistics.Asked(FIRST, LAST, "")
    few = Counter({(FIRST, "theft", "reports"): 40, (FIRST, "theft", "call_backs"): 3, (LAST, "burglary", "reports"): 2,
                   (LAST, "theft", "crimes"): 9, (LAST, "theft", "took.3000"): 9,
                   (FIRST, "theft", "live_chat.reports"): 9})  # fmt: skip
    for figures, imported in ((sums(), {}), (few, {}), (few, {FIRST: Imported(20, 7), "2018-03": Imported(9, None)})):
        for public in (True, False):
            seen = told(figures, ALL_MONTHS, public, imported)
            yield statistics.answer(SITE, asked, seen, {"online": FIRST, "live_chat": LAST}, NOW)
            if public:
                yield statistics.public_figures(SITE, asked, seen)
    yield statistics.answer(SITE, asked, replace(told(Counter(), ALL_MONTHS), running=LAST), {}, NOW)
    wrong = ("Give an earlier month", "Ask for ten years or less at a time")
    yield statistics.refused(
        SITE, asked, [FieldError(name, text) for name, text in zip(("from", "to"), wrong, strict=True)]
    )


def rest(html: str) -> set[str]:
    """What is left of a page's words without what has been translated."""
    while (shorter := re.sub(r"⟦[^⟦⟧]*⟧", "", html)) != html:
        html = shorter
    plain = unescape(re.sub(r"<(script|style)\b.*?</\1>|<[^>]*>|<!--.*?-->", "\n", html, flags=re.DOTALL))
    spoken = re.findall(r'(?:aria-label|alt|placeholder|data-sending|data-title)="([^"]*[A-Za-z][^"]*)"', html)
    return {line.strip() for line in plain.splitlines() if re.search("[A-Za-z]{2}", line)} | set(spoken)


def test_no_page_has_a_word_that_is_not_translated(strange: Strange) -> None:
    made = list(drafts())
    assert len(made) > 50
    assert {words for html in made for words in rest(html)} == set()
    assert 'lang="xx"' in made[0]
    known = re.compile("^(between|Alpha|Bravo|20/[0-9/]+|Westshire.*|[0-9].*)$")
    assert not [words for html in after_sending() for words in rest(html) if not known.search(words)]


def test_no_word_of_the_chat_is_left(strange: Strange) -> None:
    known = re.compile("^([0-9]+.*|Ann Officer.*|reportfraud.*)$")
    assert not [words for html in of_chat() for words in rest(html) if not known.search(words)]


def test_no_word_of_the_statistics_is_left(strange: Strange) -> None:
    known = re.compile("^(⟦..|[A-Z][a-z]{2}|CSV|JSON)$")  # the first letters of months in the chart
    assert not [words for html in of_statistics() for words in rest(html) if not known.search(words)]


def test_what_a_person_typed_and_the_force_are_not_translated(strange: Strange) -> None:
    html = status.ask(pages.Site("Exampleshire Police", ""), {"reference": "My words"}, [])
    assert rest(html) == {"Exampleshire Police", "–  – Exampleshire Police"}
    assert 'value="My words"' in html


def test_no_letter_has_a_word_that_is_not_translated(strange: Strange) -> None:
    letters = [write(report, report.version, "42", "https://report.example.com") for _, report in CASES]
    letters.append(write_transcript(CHAT, 1, "42"))
    letters.append(return_link("eve@example.com", "https://report.example.com/1", NOW, "42", "theft", "id"))
    known = re.compile(
        "Eve|Ann Officer|Example|Carter|report.example.com|[A-Z0-9]{4}-|Westshire|between|Alpha|Bravo|[A-Z][a-z-]+, "
        "|^[0-9:]+[ap]m – : "
    )
    for letter in letters:
        assert not [line for line in rest(letter.html) if not known.search(line)]
        assert letter.subject.startswith("⟦")


def test_messages_are_translated(strange: Strange) -> None:
    sent = {"category": "theft", "emergency": "no", "reporter": "x", "where": {"postcode": "x", "address": "x" * 501},
            "when": {"start_date": "2026-02-31"}, "items": [{"value": "much"}]}  # fmt: skip
    with pytest.raises(InvalidAnswers) as refused:
        read_json(json.dumps(sent), NOW.date())
    assert len(refused.value.errors) > 6
    for error in refused.value.errors:
        assert not rest(error.message) - {": victim, on_behalf, witness or business"}, error


def test_times_of_call_backs_are_translated(strange: Strange) -> None:
    assert all(not rest(said) for said in offered(NOW, NOW + timedelta(hours=24)).values())


def test_the_file_has_every_text(strange: Strange) -> None:
    list(drafts())
    list(after_sending())
    list(of_statistics())
    list(of_chat())
    write_transcript(CHAT, 1, "42")
    for _, report in CASES:
        write(report, report.version, "42", "https://report.example.com")
    offered(NOW, NOW + timedelta(hours=24))
    there = {" ".join(text.split()) for text in words.texts()}
    made = {text for text in strange.asked if "⟦" not in text}  # put together from what was translated before
    assert made - there == set()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(language, "FOLDER", tmp_path)
    language.codes.cache_clear()
    yield tmp_path
    language.use(language.ENGLISH)
    language.codes.cache_clear()


def test_a_file_makes_a_language(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words.main("cy")
    assert "texts, " in capsys.readouterr().out
    file = folder / "cy.json"
    known: dict[str, Any] = json.loads(file.read_text())
    assert len(known) > 500 and not any(known.values())
    file.write_text(
        json.dumps(known | {"Report sent": "Adroddiad wedi'i anfon", "What is it?": "Beth yw e?", "old": "hen"})
    )
    words.main("cy")
    assert json.loads(file.read_text())["Report sent"] == "Adroddiad wedi'i anfon"
    assert "old" not in json.loads(file.read_text())
    assert language.codes() == ("en", "cy")
    language.use("cy")
    html = pages.sent(SITE, "42", "4, 2", True)
    assert "Adroddiad wedi&#39;i anfon" in html or "Adroddiad wedi'i anfon" in html
    assert "What happens next" in html  # what is lacking is read in English
    assert 'lang="cy"' in html
    assert "Beth yw e?" in journey.item(PLACE, "items/0", {})


def test_a_language_without_a_file_is_refused() -> None:
    with pytest.raises(FileNotFoundError):
        language.use("zz")


def test_english_is_as_it_stands_in_the_templates() -> None:
    assert "Report a crime online" in PAGES["/"]
    assert 'lang="en-GB"' in PAGES["/"]
