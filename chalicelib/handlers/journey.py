"""The way from the first question to a sent report, one page after the other, over a draft.

Every page is a GET that may be opened again, every answer a POST that leads to one (303): "Back", a reload and a second
tab always work. A draft opens only in the browser that has its cookie; whoever lacks it learns nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from chalice.app import Blueprint, Request, Response

from chalicelib import language
from chalicelib.drafts import KEPT, Draft
from chalicelib.errors import FieldError, InvalidAnswers, NotAllowed, NotFound, SentElsewhere
from chalicelib.forms import CATEGORIES, canonical, form_values
from chalicelib.forms import journey as way
from chalicelib.forms.journey import CHECK, ITEMS, Step
from chalicelib.handlers.background import RETURN_LINK
from chalicelib.handlers.http import (
    FORM,
    address_of,
    answering,
    base,
    cookie,
    fresh_page,
    kept_files,
    page,
    pairs_of,
    query_of,
    see_other,
    sent_as,
    site_of,
)
from chalicelib.handlers.opening import (
    Pairs,
    answers_in,
    asked_to_change,
    begin_token,
    changing,
    gone,
    item_id,
    on_page,
    one,
    open_draft,
    our_address,
    require_no_trap,
    require_patience,
    require_token,
    require_what_was_checked,
    today,
    with_draft,
    with_key,
)
from chalicelib.pages import journey as pages
from chalicelib.pages import stop
from chalicelib.pages.evidence import FILES_NOT_SHOWN, in_words
from chalicelib.queues import Change
from chalicelib.throttle import Limit
from chalicelib.wiring import mint, service

journey = Blueprint(__name__)

# Nobody is to be pestered through us, however many drafts somebody begins.
LINKS_TO_ONE = Limit("return links to an address", 5, timedelta(days=1))
LINKS_FROM_ONE = Limit("return links asked for", 30, timedelta(hours=1))


@journey.route("/report/{category}", methods=["GET"])
@answering(journey)
def begin(request: Request, category: str) -> Response:
    """The first questions. The draft is made when they are answered, under the id that this page brings."""
    known = category.replace("-", "_")
    if known not in CATEGORIES:
        raise NotFound("You can report burglary, theft or criminal damage here.")
    draft = mint()
    place = pages.Place(site_of(request), draft, known, begin_token(known, draft), f"{base(request)}/")
    return fresh_page(pages.step(place, way.STEPS[known][0], {}))


@journey.route("/drafts/{draft}", methods=["GET"])
@answering(journey)
@with_draft
def go_on(request: Request, draft: Draft) -> Response:
    """Where the person stopped."""
    return _to(request, draft, _first_unseen(draft))


@journey.route("/drafts/{draft}/return/{key}", methods=["GET"])
@answering(journey)
def come_back(request: Request, draft: str, key: str) -> Response:
    """The link that we sent: this browser may open the draft from now on."""
    found = service().drafts.find(draft)
    if not found or service().passes.read("return", key, KEPT) != draft:
        return gone(request)
    return with_key(request, found, see_other(f"{base(request)}/drafts/{draft}"))


@journey.route("/drafts/{draft}/{step}", methods=["GET"])
@answering(journey)
@with_draft
def show_step(request: Request, draft: Draft, step: str) -> Response:
    """One page of the draft."""
    if step == "save":
        return page(_save_page(request, draft))
    asks = way.find(draft.category, step)
    if not asks:
        raise NotFound()
    return astray(request, draft, asks) or page(_page_of(request, draft, asks))


@journey.route("/drafts/{draft}/{step}", methods=["POST"], content_types=[FORM])
@answering(journey)
def answer_step(request: Request, draft: str, step: str) -> Response:
    """The answers of one page; on the first page they begin the draft."""
    if step == "before" and not open_draft(request, draft):
        return _begin(request, draft, pairs_of(request))
    return _answer(request, draft=draft, step=step)


@with_draft
def _answer(request: Request, draft: Draft, step: str) -> Response:
    pairs = pairs_of(request)
    if step in _BESIDE:
        return _BESIDE[step](request, draft, pairs)
    asks = way.find(draft.category, step)
    if not asks:
        raise NotFound()
    return _keep(request, draft, asks, pairs)


# API Gateway finds `items` where `items/{item}` is below it, and looks no further for `{step}`.


@journey.route("/drafts/{draft}/items", methods=["GET"])
@answering(journey)
@with_draft
def show_items(request: Request, draft: Draft) -> Response:
    """The items so far."""
    return astray(request, draft, ITEMS) or page(_page_of(request, draft, ITEMS))


@journey.route("/drafts/{draft}/items", methods=["POST"], content_types=[FORM])
@answering(journey)
@with_draft
def keep_items(request: Request, draft: Draft) -> Response:
    """On from the items, which are kept already."""
    return go_past(request, draft, ITEMS)


@journey.route("/drafts/{draft}/items/{item}", methods=["GET"])
@answering(journey)
@with_draft
def show_item(request: Request, draft: Draft, item: str) -> Response:
    """One item, to add or to change."""
    place = place_of(request, draft, "/items", asked_to_change(request))
    return page(pages.item(place, f"items/{item_id(item)}", way.typed_item(draft.items.get(item, {}))))


@journey.route("/drafts/{draft}/items/{item}", methods=["POST"], content_types=[FORM])
@answering(journey)
@with_draft
def keep_item(request: Request, draft: Draft, item: str) -> Response:
    """Add or change an item: the same id again is the same item."""
    pairs, name = pairs_of(request), item_id(item)

    def kept(now: Draft) -> Draft:
        if name not in now.items and len(now.items) >= way.MOST_ITEMS:
            raise InvalidAnswers(errors=[FieldError("type", f"You can add no more than {way.MOST_ITEMS} items")])
        return replace(now, items={**now.items, name: said})

    try:
        require_token(draft, pairs)
        said = way.read_item(answers_in(pairs))
        service().drafts.change(draft.id, kept)
    except InvalidAnswers as refusal:
        place = place_of(request, draft, "/items", changing(pairs))
        return page(pages.item(place, f"items/{name}", dict(answers_in(pairs)), refusal.errors), 422)
    return _to(request, draft, ITEMS, change=changing(pairs))


@journey.route("/drafts/{draft}/items/{item}/remove", methods=["POST"], content_types=[FORM])
@answering(journey)
@with_draft
def remove_item(request: Request, draft: Draft, item: str) -> Response:
    """Take an item away. Twice does no harm."""
    pairs = pairs_of(request)
    require_token(draft, pairs)
    service().drafts.change(
        draft.id, lambda now: replace(now, items={each: said for each, said in now.items.items() if each != item})
    )
    return _to(request, draft, ITEMS, change=changing(pairs))


def go_past(request: Request, draft: Draft, asks: Step) -> Response:
    """On from a page whose answers are kept already."""
    pairs = pairs_of(request)
    require_token(draft, pairs)
    after = service().drafts.change(draft.id, lambda now: seen(now, asks))
    return onward(request, after, asks, pairs)


def _begin(request: Request, draft: str, pairs: Pairs) -> Response:
    """The first answers. An id that is taken may be somebody else's, or our own from a click before: whoever does not
    have its key gets a draft of their own.
    """
    category, _, named = (service().passes.read("begin", one(pairs, "token"), KEPT) or "").partition(":")
    if named != draft or category not in CATEGORIES:
        return gone(request)
    first = way.STEPS[category][0]
    place = pages.Place(site_of(request), draft, category, one(pairs, "token"), f"{base(request)}/")
    try:
        require_no_trap(pairs)
        answers = way.read_step(category, first, {}, answers_in(pairs), today())
    except InvalidAnswers as refusal:
        return page(pages.step(place, first, {}, refusal.errors, form_values(answers_in(pairs))), 422)
    except SentElsewhere as refusal:
        return page(stop(place.site, refusal.where), refusal.status)
    try:
        begun = service().drafts.begin(draft, category, answers, first.name)
    except NotAllowed:
        begun = service().drafts.begin(mint(), category, answers, first.name)
    return with_key(request, begun, _to(request, begun, _first_unseen(begun)))


def _keep(request: Request, draft: Draft, asks: Step, pairs: Pairs) -> Response:
    """The answers of a page of questions."""

    def kept(now: Draft) -> Draft:
        answers = way.read_step(now.category, asks, now.answers, answers_in(pairs), today(), on_page(pairs))
        again = way.newly_asked(now.category, now.answers, answers)
        return seen(replace(now, answers=answers, seen=tuple(name for name in now.seen if name not in again)), asks)

    try:
        require_token(draft, pairs)
        after = service().drafts.change(draft.id, kept)
    except InvalidAnswers as refusal:
        place = place_of(request, draft, before(draft, asks, changing(pairs)), changing(pairs))
        typed = form_values(answers_in(pairs))
        return page(pages.step(place, asks, draft.answers, refusal.errors, typed), 422)
    except SentElsewhere as refusal:
        back = f"{base(request)}/drafts/{draft.id}/{asks.name}"
        return page(stop(site_of(request), refusal.where, back), refusal.status)
    return onward(request, after, asks, pairs)


def _send(request: Request, draft: Draft, pairs: Pairs) -> Response:
    """Make it a report. What a later rule or an old answer refuses is shown with a link to its page."""
    try:
        require_token(draft, pairs)
        require_no_trap(pairs)
        require_patience(draft)
        require_what_was_checked(draft, pairs)
        report = way.read_all(draft.category, draft.all_answers, one(pairs, "declaration"), today())
        reference = service().drafts.send(draft, canonical(report))
    except InvalidAnswers as refusal:
        return page(_check_page(request, draft, refusal.errors), 422)
    except SentElsewhere as refusal:
        back = f"{base(request)}/drafts/{draft.id}/check"
        return page(stop(site_of(request), refusal.where, back), refusal.status)
    return sent_as(request, reference)


def _send_link(request: Request, draft: Draft, pairs: Pairs) -> Response:
    """Ask for a return link; whoever sends the letters sends it. The queue is told which draft, not whose."""
    email = one(pairs, "email").strip()
    try:
        require_token(draft, pairs)
        told = {"email": way.read_email(email), "address": our_address(request)}
        service().throttle.count(LINKS_TO_ONE, told["email"].casefold())
        service().throttle.count(LINKS_FROM_ONE, address_of(request))
        after = service().drafts.change(draft.id, lambda now: now.asking_for_a_link(told))
    except InvalidAnswers as refusal:
        return page(_save_page(request, draft, email, refusal.errors), 422)
    service().letters_queue.send([Change(draft.id, after.links, RETURN_LINK)])
    return see_other(f"{base(request)}/drafts/{draft.id}/save?sent=1")


def _erase(request: Request, draft: Draft, pairs: Pairs) -> Response:
    """Everything goes now."""
    require_token(draft, pairs)
    service().drafts.require_unsent(draft)
    service().drafts.erase(draft)
    answer = page(pages.erased(site_of(request)))
    answer.headers["Set-Cookie"] = cookie(request, "draft", "", f"/drafts/{draft.id}", timedelta(0))
    return answer


_BESIDE: Mapping[str, Callable[[Request, Draft, Pairs], Response]] = {
    "save": _send_link,
    "erase": _erase,
    CHECK.name: _send,
}


# Which page, and what stands on it


def _page_of(request: Request, draft: Draft, asks: Step) -> str:
    change = asked_to_change(request)
    if asks == CHECK:
        return _check_page(request, draft)
    place = place_of(request, draft, before(draft, asks, change), change)
    if asks == ITEMS:
        return pages.items(place, draft.items, mint() if len(draft.items) < way.MOST_ITEMS else "")
    return pages.step(place, asks, draft.answers)


def _check_page(request: Request, draft: Draft, errors: Sequence[FieldError] = ()) -> str:
    place = place_of(request, draft, before(draft, CHECK, change=False))
    files = kept_files(draft.id)
    words = [in_words(file) for file in files] if files is not None else [language.said(FILES_NOT_SHOWN)]
    return pages.check(place, draft.version, draft.all_answers, draft.items, words, errors)


def _save_page(request: Request, draft: Draft, email: str = "", errors: Sequence[FieldError] = ()) -> str:
    known = str(way.answer_to(draft.answers, "contact.email") or "")
    sent_to = draft.link_to.get("email", "") if "sent" in query_of(request) else ""
    return pages.save(place_of(request, draft, ""), draft.ends_at, email or known, errors, sent_to)


def place_of(request: Request, draft: Draft, back: str, change: bool = False) -> pages.Place:
    """`back` is the end of an address of this draft."""
    token = service().passes.give("form", draft.id)
    address = f"{base(request)}/drafts/{draft.id}"
    return pages.Place(site_of(request), draft.id, draft.category, token, f"{address}{back}", change)


def astray(request: Request, draft: Draft, asks: Step) -> Response | None:
    """On from a page that is not the person's turn: one that needs an answer before it, or that is not called for."""
    missing = way.unanswered(draft.category, draft.answers)
    called_for = way.steps(draft.category, draft.answers)
    if asks not in called_for:
        return _to(request, draft, _first_unseen(draft))
    if missing and called_for.index(missing) < called_for.index(asks):
        return _to(request, draft, missing)
    return None


def onward(request: Request, draft: Draft, asks: Step, pairs: Pairs) -> Response:
    """On to the next page; after a change back to the answers, by way of the pages that the change calls for."""
    if changing(pairs):
        return _to(request, draft, _first_unseen(draft), change=True)
    on_the_way = way.steps(draft.category, draft.answers)
    later = [each for each in on_the_way if way.order(draft.category, each) > way.order(draft.category, asks)]
    return _to(request, draft, later[0] if later else CHECK)


def _first_unseen(draft: Draft) -> Step:
    unseen = (each for each in way.steps(draft.category, draft.answers) if each.name not in draft.seen)
    return next(unseen, CHECK)


def before(draft: Draft, asks: Step, change: bool) -> str:
    """Where "Back" leads."""
    if change:
        return f"/{CHECK.name}"
    on_the_way = way.steps(draft.category, draft.answers)
    earlier = [each for each in on_the_way if way.order(draft.category, each) < way.order(draft.category, asks)]
    return f"/{earlier[-1].name}" if earlier else ""


def _to(request: Request, draft: Draft, asks: Step, change: bool = False) -> Response:
    suffix = "?change=1" if change and asks != CHECK else ""
    return see_other(f"{base(request)}/drafts/{draft.id}/{asks.name}{suffix}")


def seen(draft: Draft, asks: Step) -> Draft:
    """With a page noted as continued."""
    return draft if asks.name in draft.seen else replace(draft, seen=(*draft.seen, asks.name))
