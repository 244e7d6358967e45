"""A letter as text, HTML and Markdown: our own words make its form, and what a person typed makes none of it."""

import re
from collections.abc import Iterator
from dataclasses import asdict
from datetime import timedelta
from html import unescape
from html.parser import HTMLParser

import pytest

from chalicelib import report as life
from chalicelib import typeset
from chalicelib.letters import Letter, return_link, write
from chalicelib.report import Report
from tests.fakes import NOW
from tests.hostile import HOSTILE as IN_PAGES
from tests.test_letters import CASES, OFFICER, contact, received

FORCE, URL = "Example Police", "https://report.example.com"
HOSTILE = (
    "<script>alert(1)</script>",
    "\"><img src=x onerror='alert(1)'>",
    "&lt;b&gt; &amp; <b>Eve</b>",
    "# A heading",
    "- an item",
    "* an item",
    "1. an item",
    "^ a quotation",
    "[Win a prize](https://evil.example.com)",
    "![picture](https://evil.example.com/a.png)",
    "https://evil.example.com",
    "www.evil.example.com",
    "evil.example.com/win",
    "win@evil.example.com",
    "<https://evil.example.com>",
    "**bold** __bold__ `code` ~~struck~~",
    "one\\[two\\](three)",
    "Eve\r\n# Heading\n\n- item\n[a](https://evil.example.com)",
    "Eve\u2028# Heading",
    "Eve\r\nBcc: all@evil.example.com",
    "\ue001\n# Heading\ue000",
    "((name)) ((a??b))",
    "{{ 7 * 7 }} {% raw %}",
    "\u202eevil",
)
SUBJECT = re.compile(r"<title>(.*)</title>")


def everywhere(words: str) -> Iterator[Letter]:
    """Letters with the words in every place of a letter that somebody types."""
    report = received(contact=contact(phone="07700 900123", safe_times=words) | {"full_name": words})
    moved = life.not_crime(report, OFFICER, NOW, "another_force", life.Words(0, "It is theirs", "salt"),
                           {"force": words})  # fmt: skip
    for one in (report, life.call_back(report, OFFICER, NOW, "requested", None), moved):
        yield write(one, one.version, FORCE, URL)


class Outline(HTMLParser):
    """What a page is made of: its elements in order, its links, and the words of each element."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]


def form_of(letter: Letter) -> tuple[list[str], list[tuple[str, str]], list[str], list[str]]:
    """What makes something of a letter in each of its forms."""
    outline = Outline(letter.html)
    marks = [re.match(r"(# |\* |\[|)", line)[0] for line in letter.markdown.splitlines()]  # type: ignore[index]
    return outline.elements, outline.attributes, marks, [line[:2] for line in letter.body.splitlines()]


@pytest.mark.parametrize("words", [*HOSTILE, *IN_PAGES], ids=repr)
def test_what_a_person_typed_never_gives_a_letter_another_form(words: str) -> None:
    for letter, plain in zip(everywhere(words), everywhere("Eve Example"), strict=True):
        assert form_of(letter) == form_of(plain)
        assert letter.subject == plain.subject


@pytest.mark.parametrize("words", HOSTILE, ids=repr)
def test_what_a_person_typed_is_told_as_they_typed_it(words: str) -> None:
    seen = " ".join(words.replace("\ue000", "").replace("\ue001", "").split())
    for letter in everywhere(words):
        for form in (letter.body, unescape(re.sub("<[^>]*>", "", letter.html)), read_by_notify(letter.markdown)):
            assert seen in form.replace("\u200b", "")


def read_by_notify(markdown: str) -> str:
    """Its Markdown parser takes the backslash away from these."""
    return re.sub(r"\\([\\`*_\[\]])", r"\1", markdown)


@pytest.mark.parametrize("words", HOSTILE, ids=repr)
def test_what_a_person_typed_is_no_link(words: str) -> None:
    """Neither in Notify, nor in a mail program, which makes one of whatever looks like an address."""
    for letter in everywhere(words):
        for text in (letter.body, letter.html, letter.markdown):
            assert not re.search(r"https?://|www\.\w|evil\.\w|@\w", text.replace(URL, ""))
        assert re.findall(r"\[|\]", re.sub(r"\\.", "", letter.markdown)) in (["[", "]"], [])


@pytest.mark.parametrize(("template", "report"), CASES, ids=lambda value: value if isinstance(value, str) else "")
def test_all_forms_say_the_same(template: str, report: Report) -> None:
    letter = write(report, report.version, FORCE, URL)
    body = letter.html.partition("</h1>")[2]
    link = "See where your report is"
    by_html = [unescape(line) for line in re.sub("<[^>]*>", "", body).splitlines() if line.strip()]
    by_text = [line.removeprefix("- ").removesuffix(":" if line == f"{link}:" else "")
               for line in letter.body.splitlines() if line and line != f"{URL}/status"]  # fmt: skip
    by_notify = [re.sub(r"^[*#] ", "", line.replace(f"[{link}]({URL}/status)", link))
                 for line in read_by_notify(letter.markdown).replace("\u200b", "").splitlines() if line]  # fmt: skip
    assert by_html == by_text == by_notify
    assert SUBJECT.findall(letter.html) == [letter.subject]


@pytest.mark.parametrize(("template", "report"), CASES, ids=lambda value: value if isinstance(value, str) else "")
def test_html_fetches_nothing_and_has_one_order_of_headings(template: str, report: Report) -> None:
    html = write(report, report.version, FORCE, URL).html
    outline = Outline(html)
    assert html.startswith('<!DOCTYPE html>\n<html lang="en-GB">')
    assert not {"script", "style", "img", "link", "iframe", "form"} & set(outline.elements)
    assert {name for name, _ in outline.attributes} <= {"lang", "charset", "name", "content", "style", "href"}
    assert not [value for name, value in outline.attributes if "url" in value]
    headings = [tag for tag in outline.elements if re.fullmatch("h[1-6]", tag)]
    assert headings[0] == "h1" and set(headings[1:]) == {"h2"} and headings.count("h1") == 1
    assert f">{FORCE}</header>" in html


def test_a_link_is_a_link_in_every_form() -> None:
    link = f"{URL}/drafts/{'0' * 32}/return/a-signed.text_of_letters"
    letter = return_link("eve@example.com", link, NOW + timedelta(days=7), FORCE, "theft", "id-1")
    assert f'<a href="{link}">Continue your report</a>' in letter.html
    assert f"\n\nContinue your report:\n{link}\n\n" in letter.body
    assert f"\n\n[Continue your report]({link})\n\n" in letter.markdown


def test_headings_stand_over_what_they_are_about() -> None:
    letter = write(received(), 1, FORCE)
    assert "\n\nWhat happens next\nAn officer reads" in letter.body
    assert "</p>\n<h2" in letter.html and ">What happens next</h2>\n<p>An officer reads" in letter.html
    assert "\n\n# What happens next\n\nAn officer reads" in letter.markdown


def test_the_acknowledgement_says_where_to_look_the_report_up() -> None:
    assert f'<a href="{URL}/status">See where your report is</a>' in write(received(), 1, FORCE, URL).html
    unknown = write(received(), 1, FORCE)
    assert "on the website where you reported it" in unknown.body and "href" not in unknown.html


def test_the_name_of_the_force_is_escaped_too() -> None:
    letter = write(received(), 1, "Example & <Sons>")
    assert "Example &amp; &lt;Sons&gt;</header>" in letter.html and "\n\nExample & <Sons>\n" in letter.body


def test_words_are_not_lost_between_a_file_and_its_letter() -> None:
    """Every line of every file begins as the form knows it: a slip would show as a stray mark."""
    for path in typeset.HERE.glob("*.txt"):
        first, *lines = path.read_text().splitlines()
        assert first.startswith("Subject: ")
        for line in lines:
            assert not re.match(r"(#[^ ]|##|\*|-[^ ]|\s)", line), (path.name, line)
    for _, report in CASES:
        assert not re.search(r"(?m)^#|\]\(|\*", json_free(write(report, report.version, FORCE, URL)))


def json_free(letter: Letter) -> str:
    return "\n".join(text for name, text in asdict(letter).items() if name != "markdown")
