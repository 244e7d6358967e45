"""Several reports at once at the desk: what is to be done to them, and what became of each."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from chalicelib.errors import FieldError
from chalicelib.pages.deciding import Ask, Colleague, with_colleagues
from chalicelib.pages.desk_place import Place
from chalicelib.pages.fields import Problem, fields_of
from chalicelib.pages.render import render
from chalicelib.reference import show


class Chosen(Protocol):
    """A report and the version that was shown of it."""

    @property
    def reference(self) -> str: ...
    @property
    def version(self) -> int: ...


def form(
    place: Place,
    ask: Ask,
    chosen: Sequence[Chosen],
    colleagues: Sequence[Colleague],
    typed: Mapping[str, Any],
    errors: Sequence[FieldError],
) -> str:
    """What is to be done to those that were ticked. If none is, the way back to where they are."""
    fields = fields_of(ask.model, typed, errors) if ask.model else []
    fields = [with_colleagues(field, colleagues) for field in fields]
    problems = [Problem(error.message, f"#{error.field}" if chosen else ask.back(place)) for error in errors]
    listed = [(show(one.reference), f"{show(one.reference)}:{one.version}") for one in chosen]
    return render("desk_bulk.html", place=place, site=place.site, ask=ask, chosen=listed, fields=fields,
                  problems=problems)  # fmt: skip


def results(place: Place, ask: Ask, done: Sequence[tuple[str, str]]) -> str:
    """What became of each: no words if it is done."""
    listed = [(show(reference), why) for reference, why in done]
    failed = sum(bool(why) for _, why in listed)
    return render("desk_results.html", place=place, site=place.site, ask=ask, results=listed, failed=failed)
