"""The pages as text: what they ask, what they keep, where their links lead, and that nothing typed can break out."""

from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
from pydantic import BaseModel

from chalicelib import pages
from chalicelib.errors import FieldError
from chalicelib.forms import CATEGORIES
from chalicelib.forms.questions import Question, questions
from infra.vendor_govuk_frontend import GOVUK_ONLY, without_branding

SITE = pages.Site(force_name="Exampleshire Police", base="/api")
REFERENCE = "7K3M-9QWP-R2T8"
HOSTILE = "\"><script>alert(1)</script>'&amp;{{ 7 * 7 }}"
VOID = {"input", "meta", "link", "br"}


class Page(HTMLParser):
    """A page as its reader meets it: controls by name, words by id, links, buttons."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.words: list[list[str]] = []
        self.open: list[int] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        self.words.append([])
        if tag not in VOID:
            self.open.append(len(self.elements) - 1)

    def handle_endtag(self, tag: str) -> None:
        assert self.elements[self.open.pop()][0] == tag, f"</{tag}> closes something else"

    def handle_data(self, data: str) -> None:
        for element in self.open:
            self.words[element].append(data)

    def all(self, *tags: str) -> list[tuple[dict[str, str], str]]:
        """The attributes and the words of every element with one of these tags."""
        return [
            (attrs, "".join(words))
            for (tag, attrs), words in zip(self.elements, self.words, strict=True)
            if tag in tags
        ]

    def controls(self, name: str) -> list[tuple[dict[str, str], str]]:
        return [(attrs, words) for attrs, words in self.all("input", "textarea") if attrs.get("name") == name]

    def ids(self) -> list[str]:
        return [attrs["id"] for _, attrs in self.elements if "id" in attrs]

    def summary(self) -> list[tuple[str, str]]:
        return [(words.strip(), attrs["href"]) for attrs, words in self.all("a") if attrs["href"].startswith("#")][1:]


def form(category: str = "burglary", values: dict[str, Any] | None = None, *errors: FieldError) -> str:
    return pages.report_form(SITE, category, values or {}, list(errors), "token-1")


def leaves(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, Question]]:
    """Every question that has a control, with its dotted path; repeated ones as their first."""
    for question in questions(model):
        name = prefix + question.name
        if question.model:
            yield from leaves(question.model, f"{name}.0." if question.kind == "sections" else f"{name}.")
        else:
            yield name, question


def every_page() -> dict[str, str]:
    return {
        "start": pages.start(SITE),
        "form": form(values={"items": [{}, {}]}),
        "errors": form("theft", {}, FieldError("where.postcode", "Enter a real postcode")),
        "already sent": pages.already_sent(SITE, "theft", {}, REFERENCE, "token-2"),
        "sent": pages.sent(SITE, REFERENCE, "7, Kilo, 3, Mike", True),
        "problem": pages.problem(SITE, 404, "Page not found"),
        **{where: pages.stop(SITE, where) for where in ("emergency", "robbery", "fraud", "lost_property")},
    }


@pytest.mark.parametrize("category", CATEGORIES)
def test_every_question_is_asked_in_its_own_words(category: str) -> None:
    page = Page(form(category))
    labels = {attrs["for"]: words.strip() for attrs, words in page.all("label")}
    legends = [words.strip() for _, words in page.all("legend")]
    for name, question in leaves(CATEGORIES[category]):
        optional = not question.required and "unknown" not in question.ask.options
        label = question.ask.label + (" (optional)" if optional else "")
        if question.kind == "date":
            assert label in legends
            assert all(page.controls(f"{name}.{part}") for part in ("day", "month", "year"))
        elif question.ask.options:
            assert label in legends
            assert [attrs["value"] for attrs, _ in page.controls(name)] == list(question.ask.options)
        else:
            (control, _), *others = page.controls(name)
            assert not others
            assert labels[control["id"]] == label


@pytest.mark.parametrize("category", CATEGORIES)
def test_every_control_has_a_label_and_no_id_is_used_twice(category: str) -> None:
    page = Page(form(category, {"items": [{}, {}]}))
    labelled = {attrs["for"] for attrs, _ in page.all("label")}
    controls = [attrs for attrs, _ in page.all("input", "textarea") if attrs.get("type") != "hidden"]
    assert {attrs["id"] for attrs in controls} == labelled
    assert len(page.ids()) == len(set(page.ids()))


def test_the_emergency_question_comes_first() -> None:
    names = [attrs["name"] for attrs, _ in Page(form()).all("input") if attrs["type"] != "hidden"]
    assert names[0] == "emergency"


@pytest.mark.parametrize("category", CATEGORIES)
def test_each_message_is_in_the_summary_with_a_link_to_its_control_and_beside_it(category: str) -> None:
    asked = dict(leaves(CATEGORIES[category]))
    page = Page(form(category, {}, *(FieldError(name, f"Look at {name}") for name in asked)))
    firsts = {name: f"{name}.day" if question.kind == "date" else name for name, question in asked.items()}
    assert page.summary() == [
        (f"Look at {name}", f"#{page.controls(first)[0][0]['id']}") for name, first in firsts.items()
    ]
    beside = {attrs["id"]: words for attrs, words in page.all("p") if "govuk-error-message" in attrs["class"]}
    for name in asked:
        assert beside[f"{name.replace('.', '-')}-error"].split("Error:")[1].strip() == f"Look at {name}"


@pytest.mark.parametrize(
    ("field", "target"),
    [
        ("where", "where-address"),
        ("items", "items-0-type"),
        ("items.1", "items-1-type"),
        ("items.1.value", "items-1-value"),
        ("items.70.make", "items-0-type"),
        ("when.start_date.month", "when-start_date-month"),
        ("harm.hate.3", "harm-hate"),
        ("where.surprise", "where-address"),
        ("surprise", "emergency"),
        ("", "emergency"),
    ],
)
def test_a_message_about_a_group_or_something_unknown_leads_to_the_nearest_control(field: str, target: str) -> None:
    page = Page(form("theft", {"items": [{}, {}]}, FieldError(field, "Look at this")))
    assert page.summary() == [("Look at this", f"#{target}")]
    assert target in page.ids()


@pytest.mark.parametrize(
    ("field", "beside"), [("when.start_date.month", "when-start_date-error"), ("harm.hate.3", "harm-hate-error")]
)
def test_a_message_about_a_part_of_an_answer_is_beside_the_question(field: str, beside: str) -> None:
    assert beside in Page(form("theft", {}, FieldError(field, "Look at this"))).ids()


def test_the_title_says_first_that_there_is_an_error() -> None:
    (_, fine), *_ = Page(form()).all("title")
    (_, wrong), *_ = Page(form("burglary", {}, FieldError("emergency", "Select yes or no"))).all("title")
    assert wrong == f"Error: {fine}"


@pytest.mark.parametrize("category", CATEGORIES)
def test_what_was_typed_comes_back_exactly_and_cannot_break_out(category: str) -> None:
    values: dict[str, Any] = {}
    typed = [(name, question) for name, question in leaves(CATEGORIES[category]) if not question.ask.options]
    for name, question in typed:
        put(values, name, dict.fromkeys(("day", "month", "year"), HOSTILE) if question.kind == "date" else HOSTILE)
    html = form(category, values)
    page = Page(html)
    assert "<script" not in html
    for name, question in typed:
        for part in (".day", ".month", ".year") if question.kind == "date" else ("",):
            ((control, words),) = page.controls(name + part)
            assert control.get("value", words.removeprefix("\n")) == HOSTILE


def put(values: dict[str, Any], name: str, answer: Any) -> None:
    section, *rest = name.split(".")
    if not rest:
        values[section] = answer
    elif rest[0] == "0":
        values.setdefault(section, [{}])[0][rest[1]] = answer
    else:
        values.setdefault(section, {})[rest[0]] = answer


def test_a_choice_that_is_not_offered_is_not_echoed() -> None:
    html = form("theft", {"emergency": HOSTILE, "harm": {"hate": [HOSTILE, "race"]}})
    assert "<script" not in html
    assert checked(Page(html), "emergency") == []
    assert checked(Page(html), "harm.hate") == ["race"]


def test_hostile_words_in_the_rest_of_a_page_are_escaped() -> None:
    site = pages.Site(force_name=HOSTILE, base="")
    rendered = [
        pages.report_form(site, "theft", {}, [FieldError(HOSTILE, HOSTILE)], HOSTILE),
        pages.report_form(site, "theft", {}, [FieldError("where", HOSTILE), FieldError("items.0", HOSTILE)], ""),
        pages.already_sent(site, "theft", {}, HOSTILE, HOSTILE),
        pages.sent(site, HOSTILE, HOSTILE, True),
        pages.problem(site, 400, HOSTILE, HOSTILE),
        pages.start(site),
    ]
    for html in rendered:
        assert "<script" not in html
        assert "&lt;script&gt;" in html


def test_choices_dates_and_line_breaks_are_kept() -> None:
    page = Page(
        form(
            "theft",
            {
                "emergency": "no",
                "when": {"start_date": {"day": "31", "month": "2", "year": "19"}},
                "what_happened": "\n\n  First\n  Second  ",
                "harm": {"hate": ["race", "other"]},
                "declaration": "yes",
            },
        )
    )
    assert checked(page, "emergency") == ["no"]
    assert checked(page, "harm.hate") == ["race", "other"]
    assert checked(page, "declaration") == ["yes"]
    dates = [page.controls(f"when.start_date.{part}")[0][0]["value"] for part in ("day", "month", "year")]
    assert dates == ["31", "2", "19"]
    assert (
        page.controls("what_happened")[0][1] == "\n" + "\n\n  First\n  Second  "
    )  # browsers drop the first line break


def checked(page: Page, name: str) -> list[str]:
    return [attrs["value"] for attrs, _ in page.controls(name) if "checked" in attrs]


@pytest.mark.parametrize("garbage", ["", "text", [], ["text"], {}, {"0": {}}, [[]], None, 7])
def test_answers_of_the_wrong_shape_show_an_empty_form(garbage: Any) -> None:
    names = [question.name for question in questions(CATEGORIES["theft"]) if question.kind != "long_text"]
    values = {name: garbage for name in names} | {"when": {"start_date": garbage, "precision": garbage}}
    page = Page(form("theft", values))
    assert page.controls("items.0.type")[0][0].get("value", "") == ""
    assert page.controls("when.start_date.day")[0][0]["value"] == ""


def test_items_can_be_added_and_removed() -> None:
    one, two, fifty = (actions(form(values={"items": [{}] * count})) for count in (1, 2, 50))
    assert one == {"add-item": "/api/report/burglary?send=1#items-1"}
    assert two == {
        "remove-item-0": "/api/report/burglary?send=1#items",
        "remove-item-1": "/api/report/burglary?send=1#items",
        "add-item": "/api/report/burglary?send=1#items-2",
    }
    assert len(fifty) == 50
    assert "add-item" not in fifty


def test_no_more_items_are_shown_than_may_be_sent() -> None:
    page = Page(form(values={"items": [{}] * 1000}))
    assert page.controls("items.49.type")
    assert not page.controls("items.50.type")


def actions(html: str) -> dict[str, str]:
    return {attrs["value"]: attrs["formaction"] for attrs, _ in Page(html).all("button") if "value" in attrs}


def test_pressing_enter_sends_the_report() -> None:
    attrs, words = Page(form(values={"items": [{}, {}]})).all("button")[0]
    assert (attrs["type"], attrs.get("name"), words) == ("submit", None, "Send report")


@pytest.mark.parametrize(("category", "path"), [("theft", "theft"), ("criminal_damage", "criminal-damage")])
def test_the_form_is_posted_to_its_own_address_with_its_token(category: str, path: str) -> None:
    page = Page(form(category))
    ((attrs, _),) = page.all("form")
    assert attrs == {
        "action": f"/api/report/{path}?send=1", "method": "post", "accept-charset": "UTF-8", "novalidate": "",
    }  # fmt: skip
    assert page.controls("token")[0][0]["value"] == "token-1"


def test_links_stay_under_the_base() -> None:
    for html in every_page().values():
        linked = [attrs.get("href") or attrs.get("action", "") for _, attrs in Page(html).elements]
        inside = [link for link in linked if link.startswith("/")]
        assert inside
        assert all(link.startswith("/api/") for link in inside)


def test_every_linked_file_is_served() -> None:
    for html in every_page().values():
        files = [attrs["href"].removeprefix("/api/static/") for attrs, _ in Page(html).all("link")]
        assert all(pages.static_file(file) for file in files)


def test_every_page_can_be_left_and_skipped_through_and_needs_no_script() -> None:
    for html in every_page().values():
        page = Page(html)
        links = {words.strip(): attrs["href"] for attrs, words in page.all("a")}
        assert links["Leave this site"] == "https://www.bbc.co.uk/weather"
        assert links["Skip to main content"] == "#main-content"
        assert [attrs["id"] for attrs, _ in page.all("main")] == ["main-content"]
        assert not page.all("script", "style", "svg", "img")
        assert not [attrs for _, attrs in page.elements if any(name == "style" or name[:2] == "on" for name in attrs)]
        assert len(page.all("h1")) == 1


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("emergency", ["Call 999", "press 55", "Text 999", "18000", "British Sign Language"]),
        ("robbery", ["Call 999", "Call 101"]),
        ("fraud", ["Report Fraud", "Action Fraud"]),
        ("lost_property", ["lost"]),
    ],
)
def test_a_stop_page_says_where_to_turn_and_that_nothing_was_kept(where: str, words: list[str]) -> None:
    html = pages.stop(SITE, where)
    assert all(word in html for word in [*words, "We have not kept anything"])
    assert 'href="/api/"' in html


def test_the_start_page_puts_the_emergency_before_the_three_forms() -> None:
    html = pages.start(SITE)
    landmarks = ["999", "/report/burglary", "/report/theft", "/report/criminal-damage", "Robbery", "24 hours"]
    places = [html.index(landmark) for landmark in landmarks]
    assert places == sorted(places)


def test_the_confirmation_has_the_reference_and_how_to_say_it() -> None:
    html = pages.sent(SITE, REFERENCE, "7, Kilo, 3, Mike", True)
    assert all(words in html for words in (REFERENCE, "7, Kilo, 3, Mike", "/api/status", "24 hours", "101"))


def test_a_report_already_sent_names_it_and_keeps_the_changed_answers() -> None:
    page = Page(pages.already_sent(SITE, "theft", {"what_happened": "Changed"}, REFERENCE, "token-2"))
    banner = next(words for attrs, words in page.all("div") if "govuk-notification-banner" in attrs.get("class", ""))
    assert REFERENCE in banner
    assert "another report" in banner
    assert page.controls("what_happened")[0][1].strip() == "Changed"
    assert page.controls("token")[0][0]["value"] == "token-2"


@pytest.mark.parametrize(("status", "words"), [(404, "typed the address"), (413, "Go back"), (500, "our fault")])
def test_a_problem_says_what_to_do(status: int, words: str) -> None:
    html = pages.problem(SITE, status, "That did not work", "It was too large")
    assert all(part in html for part in ("That did not work", "It was too large", words))


@pytest.mark.parametrize("name", ["", ".", "..", "../render.py", "static/service.css", "/etc/passwd", "service.css\0",
                                  "service.css", "brand.ffffff.css", "brand.0b4f6c.css.css"])  # fmt: skip
def test_only_the_static_folder_is_served(name: str) -> None:
    assert pages.static_file(name) is None


def test_the_stylesheet_has_nothing_that_only_govuk_may_use() -> None:
    css, content_type = pages.static_file(pages.static_name("govuk-frontend.css")) or ("", "")
    licence, _ = pages.static_file(pages.static_name("govuk-frontend.licence.txt")) or ("", "")
    assert content_type == "text/css; charset=utf-8"
    assert ".govuk-button{" in css
    assert not [mark for mark in GOVUK_ONLY if mark in css]
    assert "The MIT License" in licence


def test_branding_that_cannot_be_taken_out_is_refused() -> None:
    assert without_branding("@font-face{a:b}p{color:#1d70b8}/*x*/") == "p{color:#0b4f6c}\n"
    with pytest.raises(SystemExit, match="/assets/"):
        without_branding("p{background:url(/assets/images/new.svg)}")
