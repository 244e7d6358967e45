"""The live chat for visitors: a conversation begins, is read and written, ends, and is sent as a copy.

A cookie names the conversation, and nothing that is asked does: nobody can ask for another's. Every page works without
JavaScript; a script asks for the same as JSON. See `docs/adr/0031-chat-pages.md`.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import wraps
from typing import Any

from chalice.app import Blueprint, Request, Response

from chalicelib.chat import VISITOR, Conversation, told
from chalicelib.chat_hours import Hours, read_hours
from chalicelib.chats import Place
from chalicelib.drafts import KEPT
from chalicelib.errors import (
    FieldError,
    InvalidAnswers,
    NotAllowed,
    NotFound,
    Refused,
    SentElsewhere,
    TooManyTries,
    Unreadable,
)
from chalicelib.forms import form_values
from chalicelib.forms import journey as way
from chalicelib.forms.chat import read_beginning, read_left, read_message
from chalicelib.handlers.background import TRANSCRIPT
from chalicelib.handlers.http import (
    FORM,
    address_of,
    answering,
    base,
    cookie,
    cookie_of,
    data,
    number_in,
    page,
    pairs_of,
    query_of,
    see_other,
    site_of,
    wants_page,
)
from chalicelib.handlers.journey import LINKS_FROM_ONE, LINKS_TO_ONE
from chalicelib.handlers.opening import QUICKEST, Pairs, answers_in, one, require_no_trap, with_key
from chalicelib.handlers.sockets import ID, MESSAGES, sources, visitor_pass
from chalicelib.pages import chat as pages
from chalicelib.pages import stop
from chalicelib.queues import Change
from chalicelib.throttle import Limit
from chalicelib.wiring import mint, service

chat = Blueprint(__name__)

LASTS = timedelta(days=1)
BEGUN = Limit("conversations begun", 30, timedelta(hours=1))  # a phone network has many people behind one
COOKIE, BROWSER = "chat", "chat-browser"
BEGIN, LEAVE, FORM_TOKEN = "chat begin", "chat leave", "chat form"
_OLD_PAGE = "This page had been open for too long. Check what is on it and send it again"
_NOT_OURS = (
    "This page had been open for too long, or your browser does not keep its cookie. Allow cookies for this site, and "
    "press ‘Start the chat’ again"
)
_TOO_QUICK = "That was very quick. Check your message and press ‘Start the chat’ again"

View = Callable[..., Response]


# A conversation begins


@chat.route("/chat", methods=["GET"])
@answering(chat)
def show(request: Request) -> Response:
    """The conversation of this browser, or how one begins."""
    if found := _mine(request):
        return _conversation_page(request, found)
    return _begin_page(request, [])


@chat.route("/chat", methods=["POST"], content_types=[FORM])
@answering(chat)
def begin(request: Request) -> Response:
    """Begin it. Pressed twice it is one; while another of this browser is going on, it is a message in that."""
    pairs, hours = pairs_of(request), _hours()
    if not hours.is_open(service().clock()):
        return _closed_page(request, [("what_happened", one(pairs, "text"))], tried=True)
    given = _given(request, one(pairs, "token"))
    try:
        require_no_trap(pairs)
        visitor, text = read_beginning(answers_in(pairs))
        if not given:
            raise InvalidAnswers(errors=[FieldError("text", _NOT_OURS)])
        if service().clock() - given[1] < QUICKEST:
            raise InvalidAnswers(errors=[FieldError("text", _TOO_QUICK)])
        service().throttle.count(BEGUN, address_of(request))
        begun = _begun(request, given[0], visitor, text)
    except InvalidAnswers as refusal:
        return _begin_page(request, pairs, refusal.errors)
    except SentElsewhere as refusal:
        return page(stop(site_of(request), refusal.where), refusal.status)
    except (NotAllowed, TooManyTries) as refusal:
        return _kept_back(pages.Place(site_of(request), ""), one(pairs, "text"), refusal)
    return _with_cookie(request, begun, see_other(_address(request)))


def _begun(request: Request, id: str, visitor: dict[str, str], text: str) -> Conversation:
    """Whoever sends again what began a conversation is who began it: the answer was lost. Whoever sends something else
    under its id, from a page that a browser has kept, gets another.
    """
    going_on = _mine(request)
    if going_on and going_on.id != id and not going_on.has_ended:
        return service().chats.visitor_says(going_on.id, text, f"first-{id}")
    begun = service().chats.begin(id, visitor, text)
    if (begun.visitor, begun.entries[0].text) == (visitor, text):
        return begun
    return service().chats.begin(mint(), visitor, text)


@chat.route("/chat/leave", methods=["POST"], content_types=[FORM])
@answering(chat)
def leave(request: Request) -> Response:
    """A message while nobody answers begins a report, which is then on its way like any other."""
    pairs = pairs_of(request)
    draft = service().passes.read(LEAVE, one(pairs, "token"), KEPT)
    try:
        require_no_trap(pairs)
        category, answers = read_left(answers_in(pairs))
        if not draft:
            raise InvalidAnswers(errors=[FieldError("what_happened", _OLD_PAGE)])
    except InvalidAnswers as refusal:
        return _closed_page(request, pairs, refusal.errors)
    except SentElsewhere as refusal:
        return page(stop(site_of(request), refusal.where), refusal.status)
    first = way.STEPS[category][0].name
    try:
        begun = service().drafts.begin(draft, category, answers, first)
    except NotAllowed:  # somebody's, or ours from a moment ago: as with the first page of a report
        begun = service().drafts.begin(mint(), category, answers, first)
    return with_key(request, begun, see_other(f"{base(request)}/drafts/{begun.id}"))


# It goes on


def _with_chat(view: View) -> View:
    """A view of the conversation of this browser, which it gets after the request."""

    @wraps(view)
    def opened(request: Request) -> Response:
        found = _mine(request)
        if found:
            return view(request, found)
        if not wants_page(request):
            raise NotFound("This browser has no chat open. Begin another, or call 101.")
        if request.method == "GET":
            return see_other(_address(request))
        return page(pages.gone(site_of(request), one(pairs_of(request), "text")), 404)

    return opened


@chat.route("/chat/entries", methods=["GET"])
@answering(chat)
@_with_chat
def entries(request: Request, found: Conversation) -> Response:
    """What is new since entry number `seen`, as JSON."""
    return data(_told(found, query_of(request).get("seen", "")))


@chat.route("/chat/messages", methods=["POST"], content_types=[FORM])
@answering(chat)
@_with_chat
def say(request: Request, found: Conversation) -> Response:
    """Say something, once however often it comes; or look for what is new, and keep what is being written."""
    pairs = pairs_of(request)
    text, id = one(pairs, "text"), one(pairs, "id")
    if not ID.fullmatch(id):
        raise Unreadable("We could not read that. Reload the page.")
    if one(pairs, "action") == "check":
        return _checked(request, found, text, id)
    try:
        _require_token(found, pairs)
        service().throttle.count(MESSAGES, found.id)
        after = service().chats.visitor_says(found.id, read_message(text), id)
    except (InvalidAnswers, NotAllowed, TooManyTries) as refusal:
        if not wants_page(request):
            raise
        return _not_said(request, found, text, refusal)
    return _newest(request) if wants_page(request) else data(_told(after, one(pairs, "seen")))


def _checked(request: Request, found: Conversation, text: str, id: str) -> Response:
    """The same id again: what is being written may be there already, with the answer lost."""
    if not text.strip() or found.told(VISITOR, id):
        return _newest(request)
    return _conversation_page(request, found, text, id=id)


def _not_said(request: Request, found: Conversation, text: str, refusal: Any) -> Response:
    if isinstance(refusal, InvalidAnswers):
        return _conversation_page(request, found, text, refusal.errors)
    return _kept_back(_place(request, found), text, refusal)


def _kept_back(place: pages.Place, text: str, refusal: Refused) -> Response:
    """It cannot be sent now; what was typed can be copied."""
    answer = page(pages.refused(place, refusal.detail, text), refusal.status)
    answer.headers |= refusal.headers
    return answer


# It ends, is sent as a copy, is closed here


@chat.route("/chat/end", methods=["GET"])
@answering(chat)
@_with_chat
def ask_to_end(request: Request, found: Conversation) -> Response:
    """Asked before it is done: nothing leads back."""
    return _newest(request) if found.has_ended else page(pages.end(_place(request, found)))


@chat.route("/chat/end", methods=["POST"], content_types=[FORM])
@answering(chat)
@_with_chat
def end(request: Request, found: Conversation) -> Response:
    """The visitor ends it."""
    _require_token(found, pairs_of(request))
    service().chats.visitor_ends(found.id)
    return _newest(request)


@chat.route("/chat/copy", methods=["GET"])
@answering(chat)
@_with_chat
def ask_where_to(request: Request, found: Conversation) -> Response:
    """Asks for the address."""
    return page(_copy_page(request, found, found.visitor.get("email", "")))


@chat.route("/chat/copy", methods=["POST"], content_types=[FORM])
@answering(chat)
@_with_chat
def send_copy(request: Request, found: Conversation) -> Response:
    """Whoever sends the letters sends it. The queue is told which conversation, not whose."""
    pairs = pairs_of(request)
    email, id = one(pairs, "email").strip(), one(pairs, "id")
    if not ID.fullmatch(id):
        raise Unreadable("We could not read that. Reload the page.")
    try:
        _require_token(found, pairs, "email")
        to = way.read_email(email)
        service().throttle.count(LINKS_TO_ONE, to.casefold())
        service().throttle.count(LINKS_FROM_ONE, address_of(request))
        after = service().chats.want_transcript(found.id, to, id)
    except InvalidAnswers as refusal:
        return page(_copy_page(request, found, email, refusal.errors), 422)
    service().letters_queue.send([Change(after.id, len(after.transcripts_to), TRANSCRIPT)])
    return see_other(f"{_address(request)}/copy?sent=1")


@chat.route("/chat/close", methods=["POST"], content_types=[FORM])
@answering(chat)
def close(request: Request) -> Response:
    """Forget the conversation in this browser. A form of another website comes without its cookie, and does nothing."""
    answer = see_other(_address(request) if one(pairs_of(request), "again") else f"{base(request)}/")
    if cookie_of(request, COOKIE):
        gone = timedelta(0)
        answer.headers["Set-Cookie"] = [cookie(request, name, "", "/chat", gone) for name in (COOKIE, BROWSER)]
    return answer


# Whose it is


def _mine(request: Request) -> Conversation | None:
    """The conversation of this browser, unless it has none, or we no longer keep it."""
    id = service().passes.read(COOKIE, cookie_of(request, COOKIE), LASTS)
    try:
        return service().chats.find(id) if id else None
    except NotFound:
        return None


def _with_cookie(request: Request, found: Conversation, answer: Response) -> Response:
    key = service().passes.give(COOKIE, found.id)
    answer.headers["Set-Cookie"] = cookie(request, COOKIE, key, "/chat", LASTS)
    return answer


def _require_token(found: Conversation, pairs: Pairs, field: str = "text") -> None:
    """A form that a page of this conversation brought: not another website's, nor one of the conversation before."""
    if service().passes.read(FORM_TOKEN, one(pairs, "token"), LASTS) != found.id:
        raise InvalidAnswers(f"{_OLD_PAGE}.", errors=[FieldError(field, _OLD_PAGE)])


# What is said and shown


def _told(found: Conversation, seen: str) -> dict[str, Any]:
    """What a script is told: the same as over the socket, where it stands in the queue, and how to open a socket."""
    number = number_in(seen)
    place, socket = _place_in_queue(found), service().settings.chat_socket
    opens = {"url": socket, "pass": visitor_pass(found.id)} if socket and not found.has_ended else None
    stands = {"place": place.place, "wait": place.minutes, "words": _words(found, place), "socket": opens}
    return {**told(found, number if number <= found.version else 0, for_visitor=True), **stands}


def _place_in_queue(found: Conversation) -> Place:
    return Place(None, None) if found.has_ended else service().chats.place(found)


def _words(found: Conversation, place: Place) -> str:
    return pages.standing(found, place.place, place.minutes, _hours(), service().clock())


def _begin_page(request: Request, typed: Pairs, errors: Sequence[FieldError] = ()) -> Response:
    if not _hours().is_open(service().clock()):
        return _closed_page(request, [])
    token, browser = one(typed, "token"), cookie_of(request, BROWSER)
    browser = browser if ID.fullmatch(browser) else mint()
    if not _given(request, token):
        token = service().passes.give(BEGIN, f"{mint()}:{browser}")
    place = pages.Place(site_of(request), token)
    answer = page(pages.begin(place, _hours(), form_values(typed), errors), 422 if errors else 200)
    answer.headers["Set-Cookie"] = cookie(request, BROWSER, browser, "/chat", LASTS)
    return answer


def _given(request: Request, token: str) -> tuple[str, datetime] | None:
    """The conversation that a page begins which was given to this very browser, and when it was. Any website can get
    such a page and have its form sent from here: knowing the token and the words, it would be taken for who began the
    conversation, and read all that is said in it. The cookie it cannot bring.
    """
    given = service().passes.given(BEGIN, token)
    id, _, browser = given[0].partition(":") if given else ("", "", "")
    is_ours = given and browser == cookie_of(request, BROWSER) and service().clock() - given[1] <= LASTS
    return (id, given[1]) if given and is_ours else None


def _closed_page(request: Request, typed: Pairs, errors: Sequence[FieldError] = (), tried: bool = False) -> Response:
    if not _hours().is_offered:
        return page(pages.none_at_all(site_of(request)))
    place = pages.Place(site_of(request), service().passes.give(LEAVE, mint()))
    now = service().clock()
    return page(pages.closed(place, _hours(), now, form_values(typed), errors, tried), 422 if errors else 200)


def _conversation_page(
    request: Request, found: Conversation, text: str = "", errors: Sequence[FieldError] = (), id: str = ""
) -> Response:
    place = _place(request, found, id)
    words = _words(found, _place_in_queue(found))
    html = pages.conversation(place, found, words, service().clock(), text, errors)
    return page(html, 422 if errors else 200, sources())


def _copy_page(request: Request, found: Conversation, email: str, errors: Sequence[FieldError] = ()) -> str:
    sent_to = "".join(found.transcripts_to[-1:]) if "sent" in query_of(request) else ""
    return pages.copy(_place(request, found), found, email, errors, sent_to)


def _place(request: Request, found: Conversation, id: str = "") -> pages.Place:
    return pages.Place(site_of(request), service().passes.give(FORM_TOKEN, found.id), id or mint())


def _newest(request: Request) -> Response:
    return see_other(f"{_address(request)}#newest")


def _address(request: Request) -> str:
    return f"{base(request)}/chat"


def _hours() -> Hours:
    return read_hours(service().settings.chat_hours)
