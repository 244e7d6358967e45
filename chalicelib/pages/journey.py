"""The pages of a draft: one for each subject, the items, the answers to check, saving for later."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

from chalicelib import language
from chalicelib.errors import FieldError
from chalicelib.forms import journey
from chalicelib.forms.journey import CHECK, FILES, ITEMS, Step
from chalicelib.forms.questions import Question, by_name
from chalicelib.forms.sections import Item
from chalicelib.pages import Site
from chalicelib.pages.fields import fields_named, problems_of
from chalicelib.pages.render import render
from chalicelib.times import spoken

TRAP = "website"


@dataclass(frozen=True)
class Place:
    """Where on the way a page is: whose draft, the form token that its forms carry, the address of the page before (no
    text: none), and whether it was opened to change an answer that had been checked.
    """

    site: Site
    draft: str
    category: str
    token: str
    back: str = ""
    change: bool = False

    @property
    def address(self) -> str:
        """The start of all addresses of the draft."""
        return f"{self.site.base}/drafts/{self.draft}"


class Part(NamedTuple):
    """What one page asked: the questions with their answers in words, those without, and where to change them."""

    title: str
    answered: Sequence[tuple[str, str]]
    unanswered: Sequence[str]
    href: str


def step(place: Place, asks: Step, answers: Mapping[str, Any], errors: Sequence[FieldError] = (),
         typed: Mapping[str, Any] | None = None) -> str:  # fmt: skip
    """One page of questions: with `answers` decide which are asked, `typed` is what is in the fields (the answers,
    unless it is given).
    """
    names = journey.asked(place.category, asks, answers)
    shown = journey.typed(place.category, names, answers) if typed is None else typed
    questions = {name: journey.question(place.category, name) for name in names}
    return _questions(place, asks.name, language.said(asks.title), questions, shown, errors)


def item(place: Place, name: str, typed: Mapping[str, Any], errors: Sequence[FieldError] = ()) -> str:
    """One item: `name` is the end of its address."""
    return _questions(place, name, language.said("An item that was taken or damaged"), by_name(Item), typed, errors)


def items(place: Place, kept: Mapping[str, Mapping[str, Any]], new: str) -> str:
    """The items so far, and `new`, the id of one that may be added; no text if there is no room."""
    listed = [(number, _item_in_words(each)) for number, each in kept.items()]
    return render("items.html", place=place, site=place.site, title=language.said(ITEMS.title), items=listed, new=new,
                  problems=[])  # fmt: skip


def check(
    place: Place,
    version: int,
    answers: Mapping[str, Any],
    kept: Mapping[str, Mapping[str, Any]],
    files: Sequence[str],
    errors: Sequence[FieldError] = (),
) -> str:
    """Every answer of this version with a way to change it, the files in words, the declaration, and the button that
    sends.
    """
    said = journey.called_for(place.category, answers)
    parts = [_part(place, each, said, kept, files) for each in journey.steps(place.category, said) if each != CHECK]
    declaration = fields_named({"declaration": journey.question(place.category, "declaration")}, {}, errors)[0]
    declaration = replace(declaration, is_heading=False)
    problems = [_problem(place, error) for error in errors]
    return render("check.html", place=place, version=version, site=place.site, parts=parts, declaration=declaration,
                  problems=problems, caught=_caught(errors))  # fmt: skip


def save(place: Place, until: datetime, email: str, errors: Sequence[FieldError] = (), sent_to: str = "") -> str:
    """How to come back later, and how to have everything erased. `sent_to` is where a link has just been sent."""
    problems = [{"text": language.said(message), "href": f"#{field}"} for field, message in errors]
    return render("save.html", place=place, site=place.site, until=spoken(until), email=email, sent_to=sent_to,
                  problems=problems)  # fmt: skip


def erased(site: Site) -> str:
    """All is gone."""
    return render("erased.html", site=site)


def gone(site: Site, text: str = "") -> str:
    """There is no such draft, or it is not this browser's: said alike. `text` is what was just written."""
    return render("gone.html", site=site, text=text)


def already_sent(site: Site, reference: str) -> str:
    """The draft became a report before this was posted."""
    return render("already_sent.html", site=site, reference=reference)


def _questions(place: Place, name: str, title: str, questions: Mapping[str, Question], typed: Mapping[str, Any],
               errors: Sequence[FieldError]) -> str:  # fmt: skip
    fields, caught = fields_named(questions, typed, errors), _caught(errors)
    asked = " ".join(questions)
    may_be_left_out = not any(each.question.required or each.is_heading for each in fields)
    problems = [_trap_problem()] if caught else problems_of(fields, errors)
    return render("step.html", place=place, site=place.site, name=name, title=title, fields=fields, problems=problems,
                  caught=caught, may_be_left_out=may_be_left_out, asked=asked)  # fmt: skip


def _trap_problem() -> dict[str, str]:
    return {"text": language.said("Empty the box that has to stay empty, then continue again"), "href": f"#{TRAP}"}


def _caught(errors: Sequence[FieldError]) -> bool:
    """Whether the box that nobody should see was filled in: it is shown then."""
    return any(error.field == TRAP for error in errors)


def _part(place: Place, asks: Step, said: Mapping[str, Any], kept: Mapping[str, Any], files: Sequence[str]) -> Part:
    rows = _rows(place.category, asks, said, kept) if asks != FILES else [(language.said("Files"), "\n".join(files))]
    return Part(language.said(asks.title), [(label, words) for label, words in rows if words],
                [label for label, words in rows if not words], f"{place.address}/{asks.name}?change=1")  # fmt: skip


def _rows(category: str, asks: Step, said: Mapping[str, Any], kept: Mapping[str, Any]) -> list[tuple[str, str]]:
    if asks == ITEMS:
        return [(language.said("Items"), "\n".join(map(_item_in_words, kept.values())))]
    questions = {name: journey.question(category, name) for name in journey.asked(category, asks, said)}
    return [(language.said(question.ask.label), journey.in_words(question, journey.answer_to(said, name)))
            for name, question in questions.items()]  # fmt: skip


def _problem(place: Place, error: FieldError) -> dict[str, str]:
    """A line of the summary on the page of answers: it leads to the page that asks."""
    if error.field == TRAP:
        return _trap_problem()
    asks = journey.step_of(place.category, error.field)
    return {"text": language.said(error.message),
            "href": "#declaration" if asks == CHECK else f"{place.address}/{asks.name}?change=1"}  # fmt: skip


def _item_in_words(item: Mapping[str, Any]) -> str:
    words = [str(item[name]) for name in ("type", "make", "model", "description", "serial", "registration")
             if item.get(name)]  # fmt: skip
    return ", ".join([*words, *([f"£{item['value']:,}"] if "value" in item else [])])
