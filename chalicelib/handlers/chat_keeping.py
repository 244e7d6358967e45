"""How long conversations of the live chat are kept, at the supervisors' desk.

See `docs/adr/0030-reports-from-chat.md`.
"""

from urllib.parse import quote

from chalice.app import Blueprint, Request, Response

from chalicelib.chat_keeping import MOST_SHOWN
from chalicelib.errors import NotAllowed
from chalicelib.handlers.http import FORM, base, page, pairs_of, see_other
from chalicelib.handlers.sign_in import Seat, at_desk, place_of
from chalicelib.pages import chat_keeping as pages
from chalicelib.wiring import service

chat_keeping = Blueprint(__name__)

LONGEST_WHY = 2_000
_VERBS = ("hold", "lift", "erase")


@chat_keeping.route("/desk/retention/chats", methods=["GET"])
@at_desk(chat_keeping, "supervisor")
def show_chats(request: Request, seat: Seat) -> Response:
    """What goes within a month, and what is under legal hold."""
    keeping = service().chat_keeping
    soon, held = keeping.going_soon(seat.officer), keeping.held_by_law(seat.officer)
    is_cut = MOST_SHOWN in (len(soon), len(held))
    return page(pages.listed(place_of(request, seat), soon, held, keeping.months, is_cut))


@chat_keeping.route("/desk/chats/{chat}/keeping", methods=["GET"])
@at_desk(chat_keeping, "supervisor")
def show_keeping(request: Request, seat: Seat, chat: str) -> Response:
    """How long one is kept, and what may be done about it."""
    return _keeping(request, seat, chat)


@chat_keeping.route("/desk/chats/{chat}/keeping", methods=["POST"], content_types=[FORM])
@at_desk(chat_keeping, "supervisor")
def keep(request: Request, seat: Seat, chat: str) -> Response:
    """Hold it, lift that, or erase it: always with a reason."""
    typed = dict(pairs_of(request))
    why, what = typed.get("why", "").strip(), typed.get("what", "")
    if what not in _VERBS:
        return _keeping(request, seat, chat)
    if not 1 <= len(why) <= LONGEST_WHY:
        return _keeping(request, seat, chat, f"Say why, in {LONGEST_WHY:,} characters or fewer", why, 422)
    try:
        getattr(service().chat_keeping, what)(seat.officer, chat, why)
    except NotAllowed as refusal:
        return _keeping(request, seat, chat, refusal.detail, why, refusal.status)
    there = "retention/chats" if what == "erase" else f"chats/{quote(chat)}/keeping"
    return see_other(f"{base(request)}/desk/{there}")


def _keeping(request: Request, seat: Seat, chat: str, problem: str = "", why: str = "", status: int = 200) -> Response:
    it = service().chats.read(seat.officer, chat)
    html = pages.keeping(place_of(request, seat), it, service().chat_keeping.months, problem, why[:LONGEST_WHY])
    return page(html, status)
