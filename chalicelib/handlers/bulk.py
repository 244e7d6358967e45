"""What an officer does to several reports at once: link a spree, assign, file; keep, hold or erase after a review.

It acts on the reports and versions that were shown and ticked, on each by itself, and says of each what became of it.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from chalice.app import Blueprint, Request, Response

from chalicelib.errors import FieldError, InvalidAnswers, NotFound, Refused, described
from chalicelib.forms import desk as forms
from chalicelib.handlers.deciding import ERASED, FOR_GOOD, colleague, who_may_have
from chalicelib.handlers.desk import HANDLE_REPORTS, SCRIPTS
from chalicelib.handlers.http import FORM, page, pairs_of
from chalicelib.handlers.sign_in import Seat, at_desk, place_of
from chalicelib.pages import bulk as pages
from chalicelib.pages.deciding import Ask
from chalicelib.reference import parse, show
from chalicelib.wiring import service

log = logging.getLogger("crime-reports")

bulk = Blueprint(__name__)

MOST_AT_ONCE = 50

Pairs = list[tuple[str, str]]


class Chosen(NamedTuple):
    """A report that was ticked (its plain reference), and the version that was shown."""

    reference: str
    version: int


Do = Callable[[Seat, Chosen, Sequence[Chosen], Any], Any]


@dataclass(frozen=True)
class Move:
    """One thing that can be done to several reports."""

    ask: Ask
    do: Do
    supervisor: bool = False


@bulk.route("/desk/bulk", methods=["POST"], content_types=[FORM])
@at_desk(bulk, *HANDLE_REPORTS)
def begin(request: Request, seat: Seat) -> Response:
    """The form for those that were ticked."""
    pairs = pairs_of(request)
    move, chosen = _known(seat, dict(pairs).get("what", "")), _chosen(pairs)
    try:
        _require_some(chosen)
    except InvalidAnswers as refusal:
        return _form(request, seat, move, chosen, {}, refusal.errors, 422)
    return _form(request, seat, move, chosen, {}, [])


@bulk.route("/desk/bulk/{what}", methods=["POST"], content_types=[FORM])
@at_desk(bulk, *HANDLE_REPORTS)
def act(request: Request, seat: Seat, what: str) -> Response:
    """Do it to each, and say what became of each."""
    move, pairs = _known(seat, what), pairs_of(request)
    chosen = _chosen(pairs)
    try:
        _require_some(chosen)
        said = _said(move, pairs)
    except InvalidAnswers as refusal:
        return _form(request, seat, move, chosen, dict(pairs), refusal.errors, 422)
    results = [(one.reference, _tried(move, seat, one, chosen, said)) for one in chosen]
    return page(pages.results(place_of(request, seat), move.ask, results), allowing=SCRIPTS)


def _tried(move: Move, seat: Seat, one: Chosen, chosen: Sequence[Chosen], said: Any) -> str:
    """Why it could not be done to one of them; no text if it is done. One that fails holds up none of the others."""
    try:
        move.do(seat, one, chosen, said)
    except Refused as refusal:
        if any(error.field == "outcome" for error in refusal.errors):
            return _OPEN_IT
        return " ".join([refusal.detail, *(error.message for error in refusal.errors)]).strip() or refusal.title
    except Exception as error:  # what is broken, or a table that does not answer: the others are told all the same
        log.error("report cannot be changed", extra={"reference": show(one.reference), "error": described(error)})
        return "Something went wrong on our side. Open it to see how it stands."
    return ""


def _require_some(chosen: Sequence[Chosen]) -> None:
    """Some, and no more than can be done in one request: none is left out without a word."""
    if not chosen:
        raise InvalidAnswers(errors=[FieldError("chosen", "Tick at least one report")])
    if len(chosen) > MOST_AT_ONCE:
        raise InvalidAnswers(errors=[FieldError("chosen", f"Tick no more than {MOST_AT_ONCE} reports at a time")])


def _said(move: Move, pairs: Pairs) -> Any:
    said = forms.read(pairs, move.ask.model) if move.ask.model else None
    return colleague(said.to) if isinstance(said, forms.Assign) else said


def _form(request: Request, seat: Seat, move: Move, chosen: Sequence[Chosen], typed: Mapping[str, Any],
          errors: list[FieldError], status: int = 200) -> Response:  # fmt: skip
    html = pages.form(place_of(request, seat), move.ask, chosen, who_may_have(), typed, errors)
    return page(html, status, allowing=SCRIPTS)


def _known(seat: Seat, what: str) -> Move:
    move = MOVES.get(what)
    if not move or (move.supervisor and not seat.officer.is_supervisor):
        raise NotFound("There is no such page, or it is a supervisor’s.")
    return move


def _chosen(pairs: Pairs) -> list[Chosen]:
    found = (_read(value) for name, value in pairs if name == "chosen")
    return list({one.reference: one for one in found if one}.values())


def _read(text: str) -> Chosen | None:
    reference, _, version = text.partition(":")
    plain = parse(reference)
    if not plain or not (version.isascii() and version.isdigit() and len(version) < 10):
        return None
    return Chosen(plain, int(version))


def _link(seat: Seat, one: Chosen, chosen: Sequence[Chosen], said: forms.Pattern) -> None:
    if len(chosen) < 2:
        raise InvalidAnswers(errors=[FieldError("chosen", "Tick at least two reports: one alone is no pattern")])
    others = [other.reference for other in chosen]
    service().desk.link(seat.officer, one.reference, one.version, others, said.text)


def _file(seat: Seat, one: Chosen, chosen: Sequence[Chosen], said: forms.Note) -> None:
    service().desk.file(seat.officer, one.reference, one.version, said.text)


def _assign(seat: Seat, one: Chosen, chosen: Sequence[Chosen], to: Any) -> None:
    service().desk.assign(seat.officer, one.reference, one.version, to.actor)


def _keep(seat: Seat, one: Chosen, chosen: Sequence[Chosen], said: forms.Reason) -> None:
    service().desk.keep(seat.officer, one.reference, one.version, said.text)


def _hold(seat: Seat, one: Chosen, chosen: Sequence[Chosen], said: forms.Reason) -> None:
    service().desk.hold(seat.officer, one.reference, one.version, said.text)


def _erase(seat: Seat, one: Chosen, chosen: Sequence[Chosen], said: forms.ReasonToErase) -> None:
    service().desk.erase(seat.officer, one.reference, one.version, "period", said.text)


_LINKED = "Each of them then shows the others, and what they have in common."
_OPEN_IT = "A suspect is named. Open it, and file it by itself with an outcome that fits."
_FILED = (
    "Those that are open are recorded as crimes, by the offence that their answers suggest, and filed. Those that are "
    "crimed already are filed. All with outcome 18, so none whose suspect is named. Each person is written to."
)
_ASSIGNED = "They are kept for the officer for a shift, whoever holds them now."
_KEPT = "They are reviewed, and a new period begins today."
_HELD = "They are not erased before the hold is lifted, on the page of each, whatever their period, and whoever asks."
MOVES = {
    move.ask.name: move
    for move in (
        Move(Ask("link", "Link reports", "Link them", forms.Pattern, _LINKED), _link),
        Move(Ask("file", "File reports", "File them", forms.Note, _FILED), _file),
        Move(Ask("assign", "Assign reports", "Assign them", forms.Assign, _ASSIGNED), _assign, supervisor=True),
        Move(Ask("keep", "Keep for another period", "Keep them", forms.Reason, _KEPT, "retention"), _keep,
             supervisor=True),
        Move(Ask("hold", "Put under legal hold", "Hold them", forms.Reason, _HELD, "retention"), _hold,
             supervisor=True),
        Move(Ask("erase", "Erase reports", "Erase them for good", forms.ReasonToErase, ERASED, "retention",
                 FOR_GOOD), _erase, supervisor=True),
    )
}  # fmt: skip
