"""What people see: each function gives one whole page as text, in plain English, without JavaScript."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib.errors import FieldError
from chalicelib.forms import CATEGORIES
from chalicelib.forms.questions import Section
from chalicelib.pages.fields import Problem, fields_of, problems_of
from chalicelib.pages.render import render, static_file
from chalicelib.reference import show
from chalicelib.report import Report
from chalicelib.times import spoken
from chalicelib.triage import assess

__all__ = [
    "Site", "already_sent", "problem", "report_form", "sent", "standing", "start", "static_file", "status_form", "stop",
]  # fmt: skip


@dataclass(frozen=True)
class Site:
    """Whose service this is, and the path it is served under (`""`, or the stage of API Gateway such as `/api`)."""

    force_name: str
    base: str


def start(site: Site) -> str:
    """`/`: the emergency advice, what can be reported here and what cannot, and what happens next."""
    return render("start.html", site=site)


def report_form(site: Site, category: str, values: Mapping[str, Any], errors: Sequence[FieldError], token: str) -> str:
    """The whole form of one category with the answers so far; `token` tells one report from the next."""
    return _form(site, category, values, errors, token, sent_as="")


def already_sent(site: Site, category: str, values: Mapping[str, Any], reference: str, token: str) -> str:
    """The form again, after its answers changed once it had been sent as `reference`; a new `token` sends another."""
    return _form(site, category, values, [], token, sent_as=reference)


def stop(site: Site, where: str, back: str = "") -> str:
    """Not for this form: `where` is `emergency`, `robbery`, `fraud` or `lost_property`. `back` is the page of the draft
    that was left for it.
    """
    return render(f"stop_{where}.html", site=site, back=back)


def sent(site: Site, reference: str, spoken: str) -> str:
    """The report has arrived: its reference, how to say it, and what happens next."""
    return render("sent.html", site=site, reference=reference, spoken=spoken)


def status_form(site: Site, model: type[Section], values: Mapping[str, str], errors: Sequence[FieldError]) -> str:
    """`/status`: the questions of `model` that show us who asks, with what was typed and what is wrong with it."""
    fields = fields_of(model, values, errors)
    return render("status.html", site=site, fields=fields, problems=problems_of(fields, errors))


def standing(site: Site, report: Report) -> str:
    """Where a report stands, for the person who made it."""
    crime = report.crime
    return render(
        "standing.html",
        site=site,
        reference=show(report.reference),
        received=spoken(report.received_at),
        deadline=spoken(report.deadline),
        status=str(report.status),
        crime_number=crime.number if crime else "",
        disposal=crime.disposal if crime else None,
        missing=assess(report.category, report.answers).missing,
    )


def problem(site: Site, status: int, title: str, detail: str = "") -> str:
    """An error as a page."""
    return render("problem.html", site=site, status=status, title=title, detail=detail)


def _form(
    site: Site, category: str, values: Mapping[str, Any], errors: Sequence[FieldError], token: str, sent_as: str
) -> str:
    fields = fields_of(CATEGORIES[category], values, errors)
    problems: list[Problem] = problems_of(fields, errors)
    return render(
        "form.html", site=site, category=category, fields=fields, problems=problems, token=token, sent_as=sent_as
    )
