"""What people see: each function gives one whole page as text, in plain English, without JavaScript."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib.colours import OURS
from chalicelib.errors import FieldError
from chalicelib.forms import CATEGORIES
from chalicelib.pages.fields import Problem, fields_of, problems_of
from chalicelib.pages.render import render, static_file, static_name

__all__ = [
    "Site", "accessibility", "already_sent", "privacy", "problem", "report_form", "sent", "start", "static_file",
    "static_name", "stop",
]  # fmt: skip


@dataclass(frozen=True)
class Site:
    """Whose service this is, the path it is served under (`""`, or the stage of API Gateway such as `/api`), the
    force's colour, whether everybody may see its statistics, and whether it has a live chat.
    """

    force_name: str
    base: str
    colour: str = OURS
    has_statistics: bool = False
    has_chat: bool = False


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


def sent(site: Site, reference: str, spoken: str, is_known: bool) -> str:
    """The report has arrived: its reference, how to say it, and what happens next. Where it is not known that this
    browser sent it, nothing is said of its having arrived.
    """
    return render("sent.html", site=site, reference=reference, spoken=spoken, is_known=is_known)


def accessibility(site: Site) -> str:
    """`/accessibility`: how everybody can use it, and what to do if somebody cannot."""
    return render("accessibility.html", site=site)


def privacy(site: Site) -> str:
    """`/privacy`: what is kept, why, how long, who sees it; and the cookies."""
    return render("privacy.html", site=site)


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
