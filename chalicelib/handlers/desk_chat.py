"""One conversation of the live chat at the desk: whole, for the script of the advisor's page, and made into a report.

See `docs/adr/0032-chats-at-the-desk.md`.
"""

from collections.abc import Mapping
from typing import Any

from chalice.app import Blueprint, Request, Response

from chalicelib.chat import Conversation, told
from chalicelib.chat_reports import first_message
from chalicelib.errors import AlreadySent, FieldError, InvalidAnswers, NotAllowed, NotFound, SentElsewhere
from chalicelib.forms import CATEGORIES, canonical, form_values, read_form
from chalicelib.forms.chat import answers_from, read_message
from chalicelib.handlers.desk import HANDLE_REPORTS, to_report
from chalicelib.handlers.desk_chats import DONE, column, is_here, whole
from chalicelib.handlers.http import FORM, base, data, number_in, page, pairs_of, query_of
from chalicelib.handlers.public import with_items_changed
from chalicelib.handlers.sign_in import Seat, at_desk, place_of
from chalicelib.handlers.sockets import ID, advisor_pass, sources
from chalicelib.pages import desk_chat_report as report_pages
from chalicelib.pages import desk_chats as pages
from chalicelib.pages.desk_chats import Said
from chalicelib.reference import show
from chalicelib.wiring import service

desk_chat = Blueprint(__name__)

_OURS = ("token", "action", "nth", "number", "category")  # fields of the page that are no answers


@desk_chat.route("/desk/chats/{chat}", methods=["GET"])
@at_desk(desk_chat, *HANDLE_REPORTS)
def show_chat(request: Request, seat: Seat, chat: str) -> Response:
    """One conversation whole, whoever has it."""
    return whole(request, seat, chat, Said({}, done=DONE.get(query_of(request).get("done", ""), "")))


@desk_chat.route("/desk/chats/{chat}/seen", methods=["GET"])
@at_desk(desk_chat, "supervisor")
def show_seen(request: Request, seat: Seat, chat: str) -> Response:
    """Who has looked at a conversation."""
    return page(pages.seen(place_of(request, seat), chat, service().chats.accesses(seat.officer, chat)))


@desk_chat.route("/desk/chats/{chat}/entries", methods=["GET"])
@at_desk(desk_chat, *HANDLE_REPORTS)
def tell_entries(request: Request, seat: Seat, chat: str) -> Response:
    """What an advisor's page has not seen yet of a conversation, and what opens a socket."""
    seen = number_in(query_of(request).get("seen", ""))
    return _told(seat, service().chats.follow(seat.officer, chat, seen), seen)


@desk_chat.route("/desk/chats/{chat}/messages", methods=["POST"], content_types=[FORM])
@at_desk(desk_chat, *HANDLE_REPORTS)
def say(request: Request, seat: Seat, chat: str) -> Response:
    """Keep a message of a page that has no socket. Whoever writes uses the session, also by a script."""
    typed = dict(pairs_of(request))
    if not ID.fullmatch(typed.get("id", "")):
        raise InvalidAnswers(errors=[FieldError("id", "We could not read that. Reload the page.")])
    service().sessions.standing(seat.session.actor.id, seat.session.id, is_use=True)
    after = service().chats.advisor_says(seat.officer, chat, read_message(typed.get("text", "")), typed["id"])
    return _told(seat, after, number_in(typed.get("seen", "")))


@desk_chat.route("/desk/chats/{chat}/report", methods=["GET"])
@at_desk(desk_chat, *HANDLE_REPORTS)
def show_form(request: Request, seat: Seat, chat: str) -> Response:
    """The form of a category beside the conversation, filled in as far as it goes."""
    category = _category(request)
    found = service().chat_reports.with_all_written_down(service().chats.read(seat.officer, chat), seat.officer.actor)
    return _form(request, seat, found, category, answers_from(found, category))


@desk_chat.route("/desk/chats/{chat}/report", methods=["POST"], content_types=[FORM])
@at_desk(desk_chat, *HANDLE_REPORTS)
def make_report(request: Request, seat: Seat, chat: str) -> Response:
    """Make the report; on to it."""
    category, pairs = _category(request), pairs_of(request)
    ours = dict(pairs)
    answers = [(name, value) for name, value in pairs if name not in _OURS]
    if action := ours.get("action"):
        return _again(request, seat, chat, with_items_changed(form_values(answers), action), ours)
    today = service().casework.today().date()
    try:
        said = canonical(read_form(category, answers, today))
        first, nth = number_in(ours.get("number", "")), number_in(ours.get("nth", ""))
        report = service().chat_reports.make_report(seat.officer, chat, first, said, nth)
    except (InvalidAnswers, SentElsewhere) as refusal:
        return _again(request, seat, chat, form_values(answers), ours, refusal.errors)
    except AlreadySent as there:
        why = f"This report has been made already, with other answers: {show(there.reference)}. "
        why += "Correct it on its page, or send this form again to make another report of the conversation."
        return _again(request, seat, chat, form_values(answers), {**ours, "nth": ""}, refused=why, status=409)
    except NotAllowed as refusal:
        return _again(
            request, seat, chat, form_values(answers), {**ours, "nth": ""}, refused=refusal.detail, status=409
        )
    return to_report(request, report.reference, "from-chat")


def _told(seat: Seat, chat: Conversation, seen: int) -> Response:
    address = service().settings.chat_socket
    socket = {"url": address, "pass": advisor_pass(seat.session)} if address else None
    news = told(chat, min(seen, chat.version), for_visitor=False)
    return data({**news, "here": is_here(chat), "socket": socket})


def _category(request: Request) -> str:
    category = query_of(request).get("category", "")
    if category not in CATEGORIES:
        raise NotFound("A report is of a burglary, a theft or criminal damage.")
    return category


def _again(
    request: Request, seat: Seat, id: str, values: Mapping[str, Any], ours: Mapping[str, str],
    errors: list[FieldError] | None = None, refused: str = "", status: int = 200,
) -> Response:  # fmt: skip
    """The form with what was typed."""
    chat = service().chats.read(seat.officer, id)
    return _form(
        request, seat, chat, _category(request), values, ours, errors or [], refused, 422 if errors else status
    )


def _form(
    request: Request, seat: Seat, chat: Conversation, category: str, values: Mapping[str, Any],
    ours: Mapping[str, str] | None = None, errors: list[FieldError] | None = None, refused: str = "", status: int = 200,
) -> Response:  # fmt: skip
    ours = ours or {}
    asked = report_pages.Asked(
        category,
        number_in(ours.get("number", "")) or first_message(chat).number,
        number_in(ours.get("nth", "")) or len(chat.references) + 1,
        f"{base(request)}/desk/chats/{chat.id}/report?category={category}",
    )
    html = report_pages.form(place_of(request, seat), column(chat), asked, values, errors or [], refused)
    return page(html, status, allowing=sources())
