"""The monthly figures as people read them: the page of the desk, the one for everybody, and the answer to a request."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import urlencode

from chalicelib.errors import FieldError
from chalicelib.forms import TITLES
from chalicelib.language import said
from chalicelib.pages import Site
from chalicelib.pages.chart import Month, chart
from chalicelib.pages.desk_place import Place
from chalicelib.pages.figures_in_words import Key, Say, cell, keys, month, remarks, sentences
from chalicelib.pages.render import render
from chalicelib.report import SOURCES
from chalicelib.tables import MONTHS, NAMES, Cell, Column, Figures, Line, Table, tables
from chalicelib.times import local
from chalicelib.times import month as month_of

_BEFORE = {"all": "all imported", "part": "partly imported"}
_FIELDS = ("from", "to", "category")


class Asked(NamedTuple):
    """What somebody typed or chose."""

    first: str
    last: str
    category: str

    @property
    def query(self) -> str:
        """The same in an address."""
        return urlencode({"from": self.first, "to": self.last, "category": self.category})

    @property
    def query_of_months(self) -> str:
        """The months alone."""
        return urlencode({"from": self.first, "to": self.last})


class Shown(NamedTuple):
    """A table as words: of each line its name, a remark on it, and its cells."""

    name: str
    caption: str
    heads: Sequence[str]
    lines: Sequence[tuple[str, str, Sequence[str]]]
    total: Sequence[str]


@dataclass(frozen=True)
class View:
    """What the pages have in common."""

    address: str
    asked: Asked
    category: str
    period: str
    keys: Sequence[Key]
    chart: str
    tables: Mapping[str, Shown]
    remarks: Sequence[str]


def figures(place: Place, asked: Asked, told: Figures, as_of: str) -> str:
    """`/statistics` for who is signed in; `as_of` is the time in words."""
    view = _view(place.site, asked, told, str)
    return render("desk_statistics.html", place=place, site=place.site, view=view, as_of=as_of, **_form(asked, {}, str))


def public_figures(site: Site, asked: Asked, told: Figures) -> str:
    """`/statistics` for everybody."""
    return render("statistics.html", site=site, view=_view(site, asked, told, said), **_form(asked, {}, said))


def refused(where: Place | Site, asked: Asked, errors: Sequence[FieldError]) -> str:
    """The form again with what was typed: for who is signed in, or for everybody."""
    say: Say = str if isinstance(where, Place) else said
    form = _form(asked, {error.field: say(error.message) for error in errors}, say)
    if isinstance(where, Place):
        return render("desk_statistics.html", place=where, site=where.site, view=None, as_of="", **form)
    return render("statistics.html", site=where, view=None, **form)


def answer(site: Site, asked: Asked, told: Figures, began: Mapping[str, str], now: datetime) -> str:
    """`/statistics/answer`: the five questions of a request for information, answered. `began` is by source the first
    month with a report, no text if there is none.
    """
    return render(
        "answer.html",
        site=site,
        view=_view(site, asked, told, said, only=("crimes", "reports")),
        began={source: month(began[source], said) if began.get(source) else "" for source in SOURCES},
        on=f"{local(now).day} {month(month_of(now), said)}",
        categories=[said(title) for title in TITLES.values()],
        sentences=sentences(told, said),
        words=_labels(said),
    )


def _view(site: Site, asked: Asked, told: Figures, say: Say, only: Sequence[str] = NAMES) -> View:
    made = tables(told)
    first, last = (month(name, say) for name in (told.rows[0]["month"], told.rows[-1]["month"]))
    drawn = [Month(month(one.cells[0], say), _drawn(one.cells[1]), _drawn(other.cells[1]))
             for one, other in zip(made["reports"].lines, made["crimes"].lines, strict=True)]  # fmt: skip
    return View(
        address=f"{site.base}/statistics",
        asked=asked,
        category=say(TITLES[told.category]) if told.category else "",
        period=first if first == last else say("{first} to {last}").format(first=first, last=last),
        keys=keys(told, made, say),
        chart=chart(drawn, site.colour, say),
        tables={name: _shown(table, say) for name, table in made.items() if name in only and name != MONTHS},
        remarks=list(remarks(told, made, say)),
    )


def _form(asked: Asked, errors: Mapping[str, str], say: Say) -> dict[str, Any]:
    """What was asked, and what is wrong with it by field; in the summary each leads to its field, if it has one."""
    problems = [{"text": words} | ({"href": f"#{name}"} if name in _FIELDS else {}) for name, words in errors.items()]
    return {"asked": asked, "errors": errors, "problems": problems, "words": _labels(say)}


def _labels(say: Say) -> dict[str, Any]:
    """What stands around the numbers, on every page of them."""
    return {
        "first": say("First month"),
        "last": say("Last month"),
        "month_hint": say("Such as 2019-03"),
        "category": say("Category"),
        "all": say("All categories"),
        "categories": {name: say(title) for name, title in TITLES.items()},
        "show": say("Show"),
        "problem": say("There is a problem"),
        "error": say("Error"),
        "total": say("Total"),
        "months": say("By month"),
        "chart": say("Chart"),
        "key": say("In all"),
        "everything": say("Everything by month"),
        "answer": say("The same as an answer to a request for information"),
        "notes": say("What the numbers are"),
    }


def _drawn(content: Cell) -> int | None:
    return content if isinstance(content, int) else None


def _shown(table: Table, say: Say) -> Shown:
    first, *others = table.columns
    return Shown(
        table.name,
        say(table.caption),
        [say(column.title) for column in table.columns],
        [_line(line, first, others, say) for line in table.lines],
        [cell(content, column.kind, say) for content, column in zip(table.total, others, strict=False)],
    )


def _line(line: Line, first: Column, others: Sequence[Column], say: Say) -> tuple[str, str, Sequence[str]]:
    name, *contents = line.cells
    shown = [cell(content, column.kind, say) for content, column in zip(contents, others, strict=True)]
    return cell(name, first.kind, say), say(_BEFORE[line.imported]) if line.imported else "", shown
