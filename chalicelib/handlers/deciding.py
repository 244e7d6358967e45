"""What an officer does to a report at the desk: each thing has a form, and what a letter tells is shown before it goes.

A form carries the version of the report that the officer saw. If somebody changed it meanwhile, the form comes back
with what they did and with what was typed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from chalice.app import Blueprint, Request, Response

from chalicelib import letters
from chalicelib.by_officers import only_held_on
from chalicelib.desk import Desk
from chalicelib.errors import FieldError, InvalidAnswers, NotAllowed, NotFound, Stale
from chalicelib.forms import desk as forms
from chalicelib.handlers.desk import HANDLE_REPORTS, SCRIPTS, to_report
from chalicelib.handlers.http import FORM, data, page, pairs_of
from chalicelib.handlers.officers import plain_reference
from chalicelib.handlers.sign_in import Seat, at_desk, place_of
from chalicelib.pages import deciding as pages
from chalicelib.pages.deciding import Ask
from chalicelib.pages.desk import timeline
from chalicelib.reference import parse
from chalicelib.report import Report
from chalicelib.sessions import Colleague
from chalicelib.statistics import monthly
from chalicelib.times import month as month_of
from chalicelib.times import read_stamp, spoken, stamp
from chalicelib.wiring import service

deciding = Blueprint(__name__)

Pairs = list[tuple[str, str]]
Do = Callable[[Desk, Seat, str, int, Any], Report]


@dataclass(frozen=True)
class Move:
    """One thing that can be done: its form, the entry that it leaves in the history, the doing, whether a letter may
    follow, and whether it is a supervisor's.
    """

    ask: Ask
    entry: str
    do: Do
    tells: bool = False
    supervisor: bool = False


@deciding.route("/desk/reports/{reference}/{move}", methods=["GET"])
@at_desk(deciding, *HANDLE_REPORTS)
def show_form(request: Request, seat: Seat, reference: str, move: str) -> Response:
    """The form of one thing that can be done."""
    known = _known(seat, move)
    report = service().desk.read(seat.officer, plain_reference(reference))
    if not known.ask.model or report.erased_at:  # a button on the report, no page; or nothing can be done any more
        return to_report(request, report.reference, "")
    return _form(request, seat, known, report, _suggested(known, report), [])


@deciding.route("/desk/reports/{reference}/{move}", methods=["POST"], content_types=[FORM])
@at_desk(deciding, *HANDLE_REPORTS)
def act(request: Request, seat: Seat, reference: str, move: str) -> Response:
    """Do it: at once, or on paper first if a letter follows."""
    plain, pairs = plain_reference(reference), pairs_of(request)
    if move == "renew":
        return _renew(request, seat, plain)
    known, typed = _known(seat, move), dict(pairs)
    try:
        return _act(request, seat, known, plain, pairs)
    except InvalidAnswers as refusal:
        errors, refused, status = _fields_of(known, refusal), "", 422
    except Stale:
        errors, refused, status = [], "The report has changed since you opened this page.", 412
    except NotAllowed as refusal:
        errors, refused, status = [], refusal.detail, refusal.status
    report = service().desk.read(seat.officer, plain)
    if status == Stale.status and _is_done(known, report, seat, typed):
        return to_report(request, plain, known.ask.name)
    return _form(request, seat, known, report, typed, errors, refused, _seen(typed), status)


def _is_done(move: Move, report: Report, seat: Seat, typed: Mapping[str, str]) -> bool:
    """Whether what is sent has been done by sending it before: a second click, or a browser whose answer was lost."""
    since, said = report.entries[_seen(typed) :], {words.version: words.text for words in report.words}
    entries = (move.entry, "proposed")  # which only closing it without a crime can leave
    if len(since) != 1 or since[0]["by"] != seat.officer.actor.id or since[0]["what"] not in entries:
        return False
    text = typed.get("note") or typed.get("text") or typed.get("rationale") or ""
    same_words = move.entry == "assessed" or text.split() == said.get(report.version, "").split()
    return same_words and _facts(typed).items() <= since[0].items()


def _facts(typed: Mapping[str, str]) -> dict[str, Any]:
    """What a form says besides words, as the entry that it leaves has it."""
    named = {name: typed[name] for name in ("result", "to") if name in typed}
    if "reason" in typed:
        named["code" if typed["reason"] in forms.CODES else "reason"] = typed["reason"]
    if "offence" in typed:
        named["offence"] = typed["offence"].strip().upper()
    if typed.get("follows") in forms.FOLLOWS:
        disposal, outcome = forms.what_follows(typed["follows"])
        return {**named, "disposal": disposal, "outcome": outcome or 0}
    return named


def _act(request: Request, seat: Seat, move: Move, reference: str, pairs: Pairs) -> Response:
    typed = dict(pairs)
    said = forms.read(pairs, move.ask.model) if move.ask.model else None
    if typed.get("confirmed") == "no":  # back from the preview, to change it
        if not move.ask.model:
            return to_report(request, reference, "")
        report = service().desk.read(seat.officer, reference)
        return _form(request, seat, move, report, typed, [], seen=_version(typed))
    if move.tells and typed.get("confirmed") != "yes":
        service().desk.read(seat.officer, reference)  # a letter says whom it is to
        after = _do(move, seat, reference, _version(typed), said, service().desk.on_paper())
        return _preview(request, seat, move, after, pairs)
    after = _do(move, seat, reference, _version(typed), said)
    return to_report(request, reference, "proposed" if after.proposal == after.version else move.ask.name)


def _do(move: Move, seat: Seat, reference: str, version: int, said: Any, desk: Desk | None = None) -> Report:
    """Do it to the version that the officer saw, or to one that differs only by their going on to hold it."""
    desk = desk or service().desk
    try:
        return move.do(desk, seat, reference, version, said)
    except Stale as stale:
        now = desk.standing(reference)
        if now.version != stale.more.get("version") or not only_held_on(now, version, seat.officer.actor):
            raise
    return move.do(desk, seat, reference, now.version, said)


def _preview(request: Request, seat: Seat, move: Move, after: Report, pairs: Pairs) -> Response:
    asked = letters.asked_for(after, after.version)
    why = letters.withheld(after, after.version) if asked else "nothing is decided that the person is told of"
    settings = service().settings
    letter = None if why else letters.write(after, after.version, settings.force_name, settings.service_url)
    html = pages.preview(place_of(request, seat), after, move.ask, pairs, vars(letter) if letter else None, why or "")
    return page(html, allowing=SCRIPTS)


def _form(
    request: Request,
    seat: Seat,
    move: Move,
    report: Report,
    typed: Mapping[str, Any],
    errors: list[FieldError],
    refused: str = "",
    seen: int = 0,
    status: int = 200,
) -> Response:
    meanwhile = [event for event in timeline(report) if seen and event.version > seen]
    colleagues = who_may_have() if move.ask.name == "assign" else ()
    share = _call_backs() if move.ask.name == "call-back" else None
    html = pages.form(place_of(request, seat), report, move.ask, typed, errors, service().clock(),
                      seat.officer.actor.id, refused, meanwhile, colleagues, share, move.tells)  # fmt: skip
    return page(html, status, allowing=SCRIPTS)


def _call_backs() -> pages.Share:
    """What share of this month's reports was called back, as it was last added up: somebody is about to call."""
    month = month_of(service().clock())
    sums, as_of = service().ledger.added_up(month)
    (row,) = monthly([month], sums, {})
    return pages.Share(row["call_backs"], row["reports"], spoken(read_stamp(as_of)))


def _renew(request: Request, seat: Seat, reference: str) -> Response:
    """Go on holding it, as the page is open; until when, or nothing if it is no longer theirs."""
    until = service().desk.renew(seat.officer, reference)
    return data({"until": stamp(until) if until else None})


def _known(seat: Seat, name: str) -> Move:
    move = MOVES.get(name)
    if not move or (move.supervisor and not seat.officer.is_supervisor):
        raise NotFound("There is no such page, or it is a supervisor’s.")
    return move


def _suggested(move: Move, report: Report) -> dict[str, str]:
    """What the form begins with: the offence that the answers suggest."""
    if move.ask.name != "crime":
        return {}
    return {"offence": service().desk.suggestion(report).code}


def _version(typed: Mapping[str, str]) -> int:
    version = _seen(typed)
    if not version:
        raise Stale("The page does not say which version of the report it showed.")
    return version


def _seen(typed: Mapping[str, str]) -> int:
    """The same; 0 if it is not said."""
    text = typed.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _fields_of(move: Move, refusal: InvalidAnswers) -> list[FieldError]:
    """The messages beside the questions of this form: an outcome that does not fit is a choice of what follows."""
    renamed = {"outcome": "follows"}
    return [FieldError(renamed.get(field, field), message) for field, message in refusal.errors]


# The moves


def _crime(desk: Desk, seat: Seat, reference: str, version: int, said: forms.Crime) -> Report:
    disposal, outcome = forms.what_follows(said.follows)
    return desk.crime(seat.officer, reference, version, said.offence.upper(), disposal, outcome, said.note)


def _dispose(desk: Desk, seat: Seat, reference: str, version: int, said: forms.Disposal) -> Report:
    disposal, outcome = forms.what_follows(said.follows)
    return desk.dispose(seat.officer, reference, version, disposal, outcome, said.note)


def _not_crime(desk: Desk, seat: Seat, reference: str, version: int, said: forms.NotCrime) -> Report:
    more = _named(said, "duplicate", "another_force")
    return desk.not_crime(seat.officer, reference, version, said.reason, said.rationale, more)


def _cancel(desk: Desk, seat: Seat, reference: str, version: int, said: forms.Cancel) -> Report:
    return desk.cancel(seat.officer, reference, version, said.reason, said.rationale, _named(said, "C3", "C1"))


def _named(said: forms.NotCrime | forms.Cancel, duplicate: str, force: str) -> dict[str, str]:
    """The other report or the other force, where the reason calls for it."""
    if said.reason == duplicate:
        return {"duplicate_of": parse(said.duplicate_of or "") or ""}
    return {"force": said.force} if said.reason == force and said.force else {}


def _call_back(desk: Desk, seat: Seat, reference: str, version: int, said: forms.CallBack) -> Report:
    return desk.call_back(seat.officer, reference, version, said.result, said.note)


def _assess(desk: Desk, seat: Seat, reference: str, version: int, said: forms.Assess) -> Report:
    letter_by_letter = {name: text for name, text in said.model_dump(exclude={"priority"}).items() if text}
    if not letter_by_letter:
        raise InvalidAnswers(errors=[FieldError("threat", "Fill in at least one of the six")])
    return desk.assess(seat.officer, reference, version, letter_by_letter, said.priority)


def _assign(desk: Desk, seat: Seat, reference: str, version: int, said: forms.Assign) -> Report:
    return desk.assign(seat.officer, reference, version, colleague(said.to).actor)


def who_may_have() -> list[Colleague]:
    """Those who may be given reports."""
    return [one for one in service().sessions.colleagues() if one.roles & set(HANDLE_REPORTS)]


def colleague(officer: str | None) -> Colleague:
    """Who may be given reports. Raises InvalidAnswers."""
    found = next((one for one in who_may_have() if one.id == officer), None)
    if not found:
        raise InvalidAnswers(errors=[FieldError("to", "Select an officer")])
    return found


ERASED = (
    "What goes: all that the person said, then and later, what officers wrote, files and letters, and all by which it "
    "is found. At once in the report itself, and within the hour wherever else it is. What stays: the reference, "
    "category, times, decisions, crime number, and who did what when, so that figures and proof remain. What officers "
    "wrote in other reports stays, too: look at those that it is linked with."
)
FOR_GOOD = "It cannot be undone. Backups have it for another 35 days."
_HELD = "It is not erased before the hold is lifted, whatever its period, and whoever asks."
_WRITES = (
    "The first attempt of a round also writes to the person that we would like to speak, unless writing is not safe or "
    "they asked for no letters."
)
MOVES = {
    move.ask.name: move
    for move in (
        Move(Ask("crime", "Crime it", "Record the crime", forms.Crime), "crimed", _crime, tells=True),
        Move(Ask("not-crime", "Not a crime", "Close it without a crime", forms.NotCrime), "not_crimed", _not_crime,
             tells=True),
        Move(Ask("disposal", "What follows", "Dispose of it", forms.Disposal), "disposed", _dispose, tells=True),
        Move(
            Ask("cancel", "Cancel the crime", "Cancel the crime", forms.Cancel), "cancelled", _cancel,
            tells=True, supervisor=True,
        ),
        Move(Ask("call-back", "Call-back", "Note the call-back", forms.CallBack, _WRITES), "call_back", _call_back),
        Move(Ask("assess", "Assess (THRIVE)", "Keep the assessment", forms.Assess), "assessed", _assess),
        Move(Ask("note", "Note", "Keep the note", forms.Note), "noted",
             lambda desk, seat, reference, version, said: desk.note(seat.officer, reference, version, said.text)),
        Move(Ask("decline", "Decline the proposal", "Decline it", forms.Decline), "declined",
             lambda desk, seat, reference, version, said: desk.decline(seat.officer, reference, version, said.text),
             supervisor=True),
        Move(Ask("confirm", "Close it as proposed", "Close it as proposed", None), "not_crimed",
             lambda desk, seat, reference, version, said: desk.confirm(seat.officer, reference, version),
             tells=True, supervisor=True),
        Move(Ask("assign", "Assign it", "Assign it", forms.Assign), "assigned", _assign, supervisor=True),
        Move(Ask("hold", "Put under legal hold", "Hold it", forms.Reason, _HELD), "legal_hold",
             lambda desk, seat, reference, version, said: desk.hold(seat.officer, reference, version, said.text),
             supervisor=True),
        Move(Ask("lift", "Lift the legal hold", "Lift the hold", forms.Reason), "hold_lifted",
             lambda desk, seat, reference, version, said: desk.lift(seat.officer, reference, version, said.text),
             supervisor=True),
        Move(Ask("erase", "Erase it, as the person asked", "Erase it for good", forms.ReasonToErase, ERASED,
                 warns=FOR_GOOD), "erased",
             lambda desk, seat, reference, version, said: desk.erase(seat.officer, reference, version, "request",
                                                                     said.text),
             supervisor=True),
        Move(Ask("claim", "Claim it", "Claim it", None), "claimed",
             lambda desk, seat, reference, version, said: desk.claim(seat.officer, reference, version)),
        Move(Ask("release", "Release it", "Release it", None), "released",
             lambda desk, seat, reference, version, said: desk.release(seat.officer, reference, version)),
    )
}  # fmt: skip
