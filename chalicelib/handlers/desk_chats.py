"""Advisors of the live chat at the desk: who waits, their own conversations side by side, and one of them whole.

All boxes of the page are in one form: whichever button is pressed, what was typed elsewhere on it comes back. What is
sent twice is done once, by the ids that the form carries. See `docs/adr/0032-chats-at-the-desk.md`.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from urllib.parse import quote, urlencode

from chalice.app import Blueprint, Request, Response

from chalicelib.changes import Officer
from chalicelib.chat import Conversation
from chalicelib.errors import FieldError, InvalidAnswers, NotAllowed, NotFound, Refused, TooManyTries
from chalicelib.forms.chat import read_message
from chalicelib.handlers.deciding import colleague, who_may_have
from chalicelib.handlers.desk import HANDLE_REPORTS
from chalicelib.handlers.http import FORM, base, data, page, pairs_of, query_of, see_other
from chalicelib.handlers.sign_in import Seat, at_desk, place_of
from chalicelib.handlers.sockets import sources
from chalicelib.pages import desk_chats as pages
from chalicelib.pages.desk_chats import BACK, Column, Lists, Said
from chalicelib.replies import REPLIES
from chalicelib.sessions import SHIFT
from chalicelib.throttle import Limit
from chalicelib.times import stamp
from chalicelib.wiring import mint, service

desk_chats = Blueprint(__name__)

Typed = Mapping[str, str]
Move = Callable[[Officer, str, Typed], Conversation | None]

ONCE = Limit("presses of “Take the next” on one page", 1, SHIFT)
_KEPT = ("text", "note", "reply", "to", "how")  # the fields that come back, before the id of the conversation
DONE = {
    "take": "You have it now. It is below.",
    "next": "You have it now. It is below.",
    "hand-over": "It is handed over.",
    "end": "It has ended. Say what came of it.",
    "conclude": "It is concluded.",
    "note": "Your note is kept.",
}


@desk_chats.route("/desk/chats", methods=["GET"])
@at_desk(desk_chats, *HANDLE_REPORTS)
def show_chats(request: Request, seat: Seat) -> Response:
    """Who waits, and this advisor's conversations; one that was named is there though the index may lag."""
    query = query_of(request)
    return _desk(request, seat, Said({}, done=DONE.get(query.get("done", ""), "")), query.get("chat", ""))


@desk_chats.route("/desk/chats", methods=["POST"], content_types=[FORM])
@at_desk(desk_chats, *HANDLE_REPORTS)
def act(request: Request, seat: Seat) -> Response:
    """Do what the button says with the conversation that it names."""
    typed = dict(pairs_of(request))
    move, _, chat = typed.get("do", "").partition(".")
    try:
        after = _MOVES.get(move, _look)(seat.officer, chat, typed)
    except TooManyTries:  # pressed twice: what was taken is on the page
        return see_other(f"{base(request)}/desk/chats")
    except (InvalidAnswers, NotAllowed, NotFound) as refusal:
        return _refused(request, seat, chat, typed, refusal)
    if move == "next" and not after:
        return _desk(request, seat, Said(typed, done="Nobody is waiting any more."))
    about, left = after.id if after else "", _without(typed, chat if after else "", move)
    if typed.get("alone") and move == "note":
        return see_other(f"{base(request)}/desk/chats/{quote(about)}?done=note")
    if left:
        return _desk(request, seat, Said(left, done=DONE.get(move, "")), about)
    return see_other(_place(request, about, move))


@desk_chats.route("/desk/chats/lists", methods=["GET"])
@at_desk(desk_chats, *HANDLE_REPORTS)
def show_lists(request: Request, seat: Seat) -> Response:
    """Who waits, and which conversations this advisor has, for the script of the page."""
    now = service().clock()
    lists = pages.lists(place_of(request, seat), _lists(seat), now)
    return data({"lists": lists, "mine": service().chats.ids_held(seat.officer), "now": stamp(now)})


def _desk(request: Request, seat: Seat, said: Said, also: str = "", status: int = 200) -> Response:
    now = service().clock()
    mine = [column(chat) for chat in service().chats.held(seat.officer, also)]
    colleagues = [one for one in who_may_have() if one.id != seat.officer.actor.id]
    html = pages.desk(place_of(request, seat), mine, _lists(seat), colleagues, said, mint(), now)
    return page(html, status, allowing=sources())


def whole(request: Request, seat: Seat, chat: str, said: Said, status: int = 200) -> Response:
    """The page of one conversation. That it was seen is recorded."""
    it = column(service().chats.read(seat.officer, chat))
    html = pages.whole(place_of(request, seat), it, said, seat.officer.actor.id, service().clock())
    return page(html, status, allowing=sources())


def _refused(request: Request, seat: Seat, chat: str, typed: Typed, refusal: Refused) -> Response:
    known = "" if isinstance(refusal, NotFound) else chat
    said = Said(typed, refusal.why, about=known)
    if known and typed.get("alone") == chat:
        return whole(request, seat, chat, said, refusal.status)
    return _desk(request, seat, said, known, refusal.status)


def _place(request: Request, chat: str, move: str) -> str:
    """Where to go on: to the conversation, with what has been done to it."""
    done = {"done": move} if move in DONE else {}
    asked = urlencode({"chat": chat, **done}) if chat else ""
    return f"{base(request)}/desk/chats{'?' + asked if asked else ''}{'#chat-' + quote(chat) if chat else ''}"


def _lists(seat: Seat) -> Lists:
    chats, officer = service().chats, seat.officer
    others = chats.with_others(officer) if officer.is_supervisor else ()
    return Lists(chats.waiting(officer), chats.pace().within_promise, others)


def column(chat: Conversation) -> Column:
    """A conversation as pages show it now."""
    return pages.column(chat, mint(), is_here(chat), service().clock())


def is_here(chat: Conversation) -> bool | None:
    """Whether the visitor is connected; None where nobody can be."""
    return service().sockets.visitor_is_here(chat.id) if service().settings.chat_socket else None


def _without(typed: Typed, chat: str, move: str) -> dict[str, str]:
    """What was typed, without what has been done by now."""
    done = {"say": ("text", "reply"), "note": ("note",), "hand-over": ("to",), "conclude": ("how",)}.get(move, ())
    return {
        name: value
        for name, value in typed.items()
        if name.partition(".")[0] in _KEPT and value.strip() and name not in [f"{one}.{chat}" for one in done]
    }


def _id(typed: Typed, name: str) -> str:
    """The id that the form carries. What nobody else may have chosen: it is ours, or a script's."""
    found = typed.get(f"id.{name}" if name or "id." in typed else "id", "")
    if not re.fullmatch("[A-Za-z0-9-]{8,64}", found):
        raise InvalidAnswers(errors=[FieldError("id", "This page is not whole. Reload it, and send it again.")])
    return found


# The moves


def _look(officer: Officer, chat: str, typed: Typed) -> None:
    """Show what is new; nothing is done."""


def _next(officer: Officer, chat: str, typed: Typed) -> Conversation | None:
    service().throttle.count(ONCE, _id(typed, ""))
    return service().chats.take_next(officer)


def _take(officer: Officer, chat: str, typed: Typed) -> Conversation:
    if typed.get("alone") != chat:  # from the list, which may be a moment old: nobody means to take it from a colleague
        officer = Officer(officer.actor, is_supervisor=False)
    return service().chats.take(officer, chat, f"take-{_id(typed, chat if f'id.{chat}' in typed else '')}")


def _say(officer: Officer, chat: str, typed: Typed) -> Conversation:
    """The words in the box; of an empty one, those of the reply that was chosen. The same page with other words in it
    says something else.
    """
    reply = REPLIES.get(typed.get(f"reply.{chat}", ""))
    text = typed.get(f"text.{chat}", "")
    message = read_message(reply.words if reply and not text.strip() else text)
    id = hashlib.sha256(f"{_id(typed, chat)}{message}".encode()).hexdigest()[:32]
    return service().chats.advisor_says(officer, chat, message, id)


def _note(officer: Officer, chat: str, typed: Typed) -> Conversation:
    text = read_message(typed.get(f"note.{chat}", ""))
    id = hashlib.sha256(f"note{_id(typed, chat)}{text}".encode()).hexdigest()[:32]
    return service().chats.note(officer, chat, text, id)


def _hand_over(officer: Officer, chat: str, typed: Typed) -> Conversation:
    to, id = typed.get(f"to.{chat}", ""), f"over-{_id(typed, chat)}"
    return service().chats.hand_over(officer, chat, None if to == BACK else colleague(to).actor, id)


def _end(officer: Officer, chat: str, typed: Typed) -> Conversation:
    return service().chats.end(officer, chat)


def _conclude(officer: Officer, chat: str, typed: Typed) -> Conversation:
    return service().chats.conclude(officer, chat, typed.get(f"how.{chat}", ""))


_MOVES: Mapping[str, Move] = {
    "look": _look, "next": _next, "take": _take, "say": _say, "note": _note, "hand-over": _hand_over, "end": _end,
    "conclude": _conclude,
}  # fmt: skip
