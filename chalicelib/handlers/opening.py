"""Who may open a draft, and what comes with each of its forms: the key, the form token, the two traps.

A draft opens only in the browser that has its cookie; whoever lacks it learns nothing.
"""

import re
from collections.abc import Callable
from datetime import date, timedelta
from functools import wraps

from chalice.app import Request, Response

from chalicelib.drafts import KEPT, Draft
from chalicelib.errors import AlreadySent, FieldError, InvalidAnswers, NotFound
from chalicelib.forms.journey import CHECK
from chalicelib.handlers.http import base, cookie, cookie_of, page, pairs_of, query_of, see_other, site_of
from chalicelib.pages import journey as pages
from chalicelib.reference import show
from chalicelib.wiring import service

QUICKEST = timedelta(seconds=2)  # from the first answer to the last: no person is as quick
_OLD_PAGE = "This page had been open for too long. Check your answers and continue again"
_CHANGED = "Your answers were changed on another page. Check them again, then send your report"
_TOO_QUICK = "That was very quick. Check your answers and press ‘Send report’ again"

Pairs = list[tuple[str, str]]
View = Callable[..., Response]


def with_draft(view: View) -> View:
    """A view of a draft: it gets the draft after the request, if this browser is the one that began it."""

    @wraps(view)
    def opened(request: Request, draft: str, **path: str) -> Response:
        found = open_draft(request, draft)
        if not found:
            return gone(request)
        if found.sent and (request.method == "GET" or path.get("step") == CHECK.name):  # "Back" after sending, or twice
            return see_other(f"{base(request)}/reports/{show(found.sent)}")
        try:
            if found.sent:
                raise AlreadySent(found.sent)
            return view(request, found, **path)
        except AlreadySent as there:  # or another tab sent it in this moment
            if path.get("step") == CHECK.name:
                return see_other(f"{base(request)}/reports/{show(there.reference)}")
            return page(pages.already_sent(site_of(request), show(there.reference)), 409)

    return opened


def gone(request: Request) -> Response:
    """There is no such draft, or it is not this browser's: said alike, with what the person had just written."""
    pairs = answers_in(pairs_of(request)) if request.method == "POST" else []
    written = [value for _, value in pairs if " " in value.strip()]  # what took somebody a while, and no choice
    return page(pages.gone(site_of(request), "\n\n".join(written)), 404)


def open_draft(request: Request, draft_id: str) -> Draft | None:
    """The draft, if this browser has its key."""
    key = cookie_of(request, "draft")
    return service().drafts.find(draft_id) if service().passes.read("draft", key, KEPT) == draft_id else None


def with_key(request: Request, draft: Draft, answer: Response) -> Response:
    """The answer, with what opens the draft in this browser until it ends."""
    key, lasting = service().passes.give("draft", draft.id), draft.ends_at - service().clock()
    answer.headers["Set-Cookie"] = cookie(request, "draft", key, f"/drafts/{draft.id}", lasting)
    return answer


def require_token(draft: Draft, pairs: Pairs) -> None:
    """A form that a page of this draft brought (the first page, too: "Back" leads to it), and no other website."""
    passes, token = service().passes, one(pairs, "token")
    brought = passes.read("form", token, KEPT), passes.read("begin", token, KEPT)
    if draft.id != brought[0] and f"{draft.category}:{draft.id}" != brought[1]:
        raise InvalidAnswers(f"{_OLD_PAGE}.", errors=[FieldError("token", _OLD_PAGE)])


def require_no_trap(pairs: Pairs) -> None:
    """Nothing in the box that people do not see. A browser may have filled it in for somebody: so they are asked."""
    if one(pairs, pages.TRAP):
        raise InvalidAnswers(errors=[FieldError(pages.TRAP, "Leave it empty")])


def require_patience(draft: Draft) -> None:
    """No report as quick as only a program is. A moment later the same answers are taken."""
    if service().clock() - draft.begun_at < QUICKEST:
        raise InvalidAnswers(errors=[FieldError("declaration", _TOO_QUICK)])


def require_what_was_checked(draft: Draft, pairs: Pairs) -> None:
    """The declaration is about the answers that were on the page: another tab may have changed them since."""
    if one(pairs, "version") not in ("", str(draft.version)):
        raise InvalidAnswers(errors=[FieldError("declaration", _CHANGED)])


def begin_token(category: str, draft: str) -> str:
    """What the first page brings: the id of the draft that it may begin."""
    return service().passes.give("begin", f"{category}:{draft}")


def answers_in(pairs: Pairs) -> Pairs:
    """The pairs without those that are ours."""
    return [(name, value) for name, value in pairs if name not in ("token", "change", "asked", "version", pages.TRAP)]


def on_page(pairs: Pairs) -> list[str]:
    """The questions that stood on the page that a form came from."""
    return one(pairs, "asked").split()


def one(pairs: Pairs, name: str) -> str:
    """The value of that name, no text if there is none."""
    return dict(pairs).get(name, "")


def changing(pairs: Pairs) -> bool:
    """Whether a form came from a page that was opened to change a checked answer."""
    return bool(one(pairs, "change"))


def asked_to_change(request: Request) -> bool:
    """Whether a page was opened to change a checked answer."""
    return "change" in query_of(request)


def item_id(item: str) -> str:
    """The id of an item, as we mint them."""
    if not re.fullmatch("[0-9a-f]{32}", item):
        raise NotFound()
    return item


def our_address(request: Request) -> str:
    """Where people reach us. API Gateway names its domain itself; the `Host` of a request could be anybody's."""
    domain = request.context.get("domainName")
    return f"https://{domain}{base(request)}" if domain else f"http://{request.headers.get('host', '')}"


def today() -> date:
    """The day in London."""
    return service().casework.today().date()
