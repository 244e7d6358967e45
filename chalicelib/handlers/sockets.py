"""What comes over WebSocket: frames of JSON, from visitors and advisors of the live chat.

Nothing that a frame says names a visitor's conversation: the pass of the first one does. Whatever cannot be done is
refused with a reason, over the same connection. See `docs/adr/0027-chat.md`.
"""

import json
import logging
import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from chalicelib.changes import Officer
from chalicelib.chat import told
from chalicelib.errors import NotFound, NotSignedIn, Refused, TooManyTries, Unreadable, described
from chalicelib.forms.chat import read_message
from chalicelib.handlers.desk import HANDLE_REPORTS
from chalicelib.language import said
from chalicelib.sessions import Session
from chalicelib.sockets import Connection
from chalicelib.telemetry import measure
from chalicelib.throttle import Limit
from chalicelib.wiring import service

log = logging.getLogger("crime-reports")

PASS = "chat socket"
PASS_LASTS = timedelta(minutes=5)
MESSAGES = Limit("messages of a conversation", 30, timedelta(minutes=1))  # nobody types so fast
SIGNS = Limit("signs of a conversation", 60, timedelta(minutes=1))  # a page tells once in 3 seconds that somebody types
ID = re.compile(r"[A-Za-z0-9_-]{1,64}")

Frame = Mapping[str, Any]


def visitor_pass(chat: str) -> str:
    """What opens a socket for a visitor, within a few minutes."""
    return service().passes.give(PASS, f"visitor:{chat}")


def advisor_pass(session: Session) -> str:
    """What opens a socket for an advisor."""
    return service().passes.give(PASS, f"advisor:{session.id}:{session.actor.id}")


def sources() -> dict[str, str]:
    """What the pages of the chat may use on top of what every page may: scripts of ours, and the socket."""
    return {"script-src": "'self'", "connect-src": f"'self' {service().settings.chat_socket}".strip()}


def connect(connection: str) -> None:
    """Somebody has connected; who it is, the first frame says. Nothing is kept until then."""


def disconnect(connection: str) -> None:
    """A connection has ended. API Gateway does its best to tell; what it does not tell, the next message finds out."""
    service().sockets.close(connection)


def message(connection: str, body: str) -> None:
    """A frame has come. Nothing is raised: API Gateway would answer with words of its own."""
    frame: Frame = {}
    try:
        frame = _read(body)
        _DOES[frame["do"]](connection, frame)
    except Refused as refusal:
        _refuse(connection, refusal, frame)
    except Exception as error:
        log.error("a frame cannot be handled", extra={"error": described(error)})
        measure("FramesFailed")
        _tell_refused(connection, "Something went wrong on our side. Try again in a minute, or call 101.", frame)


def _read(body: str) -> Frame:
    try:
        frame = json.loads(body)
    except (ValueError, TypeError, RecursionError):
        frame = None
    if not isinstance(frame, dict) or str(frame.get("do")) not in _DOES:
        raise _unreadable()
    return frame


def _open(connection: str, frame: Frame) -> None:
    """From now on this connection is told; first, what it missed."""
    subject = service().passes.read(PASS, _text(frame, "pass"), PASS_LASTS)
    if not subject:
        raise NotSignedIn("This page had been open for too long. Reload it.")
    kind, _, rest = subject.partition(":")
    if kind == "visitor":
        _open_visitor(connection, rest, frame)
        return
    session, _, officer = rest.partition(":")
    _session(Connection(connection, officer=officer, session=session))
    service().sockets.open(Connection(connection, officer=officer, session=session))
    service().sockets.tell(connection, {"lists": True})


def _open_visitor(connection: str, chat: str, frame: Frame) -> None:
    service().throttle.count(SIGNS, chat)
    found, seen = service().chats.find(chat), frame.get("seen", 0)
    service().sockets.open(Connection(connection, chat=chat))
    after = seen if isinstance(seen, int) and 0 <= seen <= found.version else 0
    # Read again: what was said before the connection was there to be told.
    service().sockets.tell(connection, told(service().chats.find(chat), after, for_visitor=True))


def _say(connection: str, frame: Frame) -> None:
    opened, id = _opened(connection), _id(frame, "id")
    text = read_message(_text(frame, "text"))
    if opened.chat:
        service().throttle.count(MESSAGES, opened.chat)
        service().chats.visitor_says(opened.chat, text, id)
    else:
        service().chats.advisor_says(_officer(opened, is_use=True), _id(frame, "chat"), text, id)


def _typing(connection: str, frame: Frame) -> None:
    """Told to the other side and kept nowhere."""
    opened = _opened(connection)
    if not opened.chat:
        chat = service().chats.find(_id(frame, "chat"))
        if chat.advisor == _officer(opened).actor:
            service().sockets.tell_visitor(chat.id, {"typing": True})
        return
    service().throttle.count(SIGNS, opened.chat)
    if advisor := service().chats.find(opened.chat).advisor:
        service().sockets.tell_advisor(advisor.id, {"typing": True, "chat": opened.chat})


def _ping(connection: str, frame: Frame) -> None:
    """API Gateway ends a connection over which nothing came for ten minutes."""


_DOES: Mapping[str, Callable[[str, Frame], None]] = {"open": _open, "say": _say, "typing": _typing, "ping": _ping}


def _opened(connection: str) -> Connection:
    found = service().sockets.find(connection)
    if not found:
        raise NotSignedIn("This page had been open for too long. Reload it.")
    return found


def _officer(opened: Connection, is_use: bool = False) -> Officer:
    session = _session(opened, is_use)
    return Officer(session.actor, "supervisor" in session.roles)


def _session(opened: Connection, is_use: bool = False) -> Session:
    session = service().sessions.standing(opened.officer, opened.session, is_use=is_use)
    if not session or not session.roles & set(HANDLE_REPORTS):
        raise NotSignedIn("Your session is over. Sign in again.")
    return session


def _id(frame: Frame, name: str) -> str:
    """As pages mint them, and we do."""
    id = _text(frame, name)
    if not ID.fullmatch(id):
        raise _unreadable()
    return id


def _text(frame: Frame, name: str) -> str:
    value = frame.get(name, "")
    if not isinstance(value, str):
        raise _unreadable()
    return value


def _unreadable() -> Unreadable:
    return Unreadable("We could not read that. Reload the page.")


def _refuse(connection: str, refusal: Refused, frame: Frame) -> None:
    """Say why. Whoever is not known here, or sends what no page of ours sends, or too much, is not listened to any
    longer.
    """
    _tell_refused(connection, refusal.why, frame)
    if isinstance(refusal, NotFound | NotSignedIn | TooManyTries | Unreadable):
        service().sockets.hang_up(connection)


def _tell_refused(connection: str, why: str, frame: Frame) -> None:
    id = frame.get("id")
    service().sockets.tell(connection, {"refused": said(why), **({"id": id} if isinstance(id, str) else {})})
