"""The monthly figures as a page, JSON and CSV: all of them for who is signed in; for everybody, if the force wants it,
without small numbers. See `docs/adr/0026-statistics-page.md`.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import wraps
from typing import Any, NamedTuple

from chalice.app import Blueprint, Request, Response

from chalicelib.errors import FieldError, InvalidAnswers, NotYourRole
from chalicelib.figures import Sums
from chalicelib.handlers.http import DATA_HEADERS, answering, data, page, query_of, site_of, wants_page
from chalicelib.handlers.sign_in import Seat, leads_to_sign_in, place_of, seat_of
from chalicelib.pages.desk_place import Place
from chalicelib.report import LIVE_CHAT, ONLINE
from chalicelib.small_numbers import without_small_numbers
from chalicelib.statistics import (
    CATEGORIES,
    MOST_MONTHS,
    Imported,
    monthly,
    months_asked,
    open_by_age,
    together,
)
from chalicelib.tables import MONTHS, NAMES, Figures, as_csv, as_json, tables
from chalicelib.times import month, spoken
from chalicelib.wiring import service

statistics = Blueprint(__name__)

SEE_FIGURES = ("analyst", "officer", "supervisor")
FORMATS = ("json", "csv")
DECIDED_AFTER = timedelta(
    days=2
)  # a call-back counts in the month of its report, which may be asked about for 24 hours


class Viewer(NamedTuple):
    """Who looks: at the desk (`seat`), by a token, or anybody (`is_public`)."""

    seat: Seat | None
    is_public: bool = False


class Known(NamedTuple):
    """What was read: the sums of some months, and all that was imported."""

    sums: Sums
    imported: Mapping[str, Imported]


class Asked(NamedTuple):
    """A request that was understood."""

    months: list[str]
    category: str
    table: str


View = Callable[[Request, Viewer], Response]


def _for_who_may_see(view: View) -> Callable[..., Response]:
    """A view for people of the roles with a token or a session; and, if the force wants it, for everybody."""

    @wraps(view)
    def unlock(request: Request) -> Response:
        viewer = _viewer(request)
        return view(request, viewer) if viewer else leads_to_sign_in(request)

    locked = answering(statistics)(unlock)
    locked.roles = SEE_FIGURES  # type: ignore[attr-defined]
    return locked


@statistics.route("/statistics", methods=["GET"])
@_for_who_may_see
def show(request: Request, viewer: Viewer) -> Response:
    """The figures of a range of months: of the last twelve if no months are named."""
    query = query_of(request)
    try:
        asked = _asked(query, viewer)
    except InvalidAnswers as refusal:
        return _refused(request, viewer, refusal)
    return _answers(request, viewer, asked, query.get("format") or _accepted(request))


@statistics.route("/statistics/answer", methods=["GET"])
@_for_who_may_see
def answer(request: Request, viewer: Viewer) -> Response:
    """The same as an answer to a request for information, to be printed."""
    from chalicelib.pages import statistics as pages

    try:
        asked = _asked({name: query_of(request).get(name, "") for name in ("from", "to")}, viewer)
    except InvalidAnswers as refusal:
        return _refused(request, viewer, refusal)
    ten_years = _ten_years(viewer)
    known = _known(sorted({*ten_years, *asked.months}), viewer)
    figures, began = _figures(asked, viewer, known), _began(ten_years, known)
    return page(pages.answer(site_of(request), _typed(asked), figures, began, service().clock()))


def _viewer(request: Request) -> Viewer | None:
    """None for a browser that is to be led to the sign-in. Raises NotSignedIn, NotYourRole. A token counts,
    whether there is a session or not.
    """
    token = request.headers.get("authorization")
    if not token:
        if seat := seat_of(request):
            return _with_role(seat.session.roles, Viewer(seat))
        if service().settings.public_statistics:
            return Viewer(None, is_public=True)
        if wants_page(request):
            return None
    return _with_role(service().verifier.verify(token).roles, Viewer(None))


def _with_role(roles: frozenset[str], viewer: Viewer) -> Viewer:
    if not roles & set(SEE_FIGURES):
        raise NotYourRole(f"This needs one of the roles: {', '.join(SEE_FIGURES)}.")
    return viewer


def _asked(query: Mapping[str, str], viewer: Viewer) -> Asked:
    """Raises InvalidAnswers, with all that is wrong."""
    errors = [FieldError(name, words) for name, words, allowed in _CHOICES if query.get(name, "") not in ("", *allowed)]
    months: list[str] = []
    try:
        months = months_asked(query.get("from", ""), query.get("to", ""), _latest(viewer))
    except InvalidAnswers as refusal:
        errors = [*refusal.errors, *errors]
    if errors:
        raise InvalidAnswers(errors=errors)
    return Asked(months, query.get("category", ""), query.get("table", ""))


def _latest(viewer: Viewer) -> str:
    """This month; for everybody the last one that is DECIDED_AFTER over: where numbers grow while one looks, each step
    is a small number.
    """
    now = service().clock()
    if not viewer.is_public:
        return month(now)
    begun = month(now - DECIDED_AFTER)
    return months_asked("", begun, begun)[-2]


def _known(months: Sequence[str], viewer: Viewer) -> Known:
    if viewer.is_public:
        return Known(*service().public_figures.of(months))
    return Known(service().ledger.sums(months), service().imported.months())


def _figures(asked: Asked, viewer: Viewer, known: Known) -> Figures:
    if viewer.is_public:
        every = monthly(asked.months, *known), together(asked.months, *known)
        return Figures(*without_small_numbers(*every, asked.category), asked.category, is_public=True)
    rows = monthly(asked.months, *known, asked.category)
    total = together(asked.months, *known, asked.category)
    now = service().clock()
    open_now = open_by_age(service().store.open_deadlines(asked.category), now)
    return Figures(rows, total, asked.category, month(now), open_now)


def _ten_years(viewer: Viewer) -> list[str]:
    """The last months that one may ask for at once."""
    latest = _latest(viewer)
    return months_asked(f"{int(latest[:4]) - MOST_MONTHS // 12 + 1}-01", latest, latest)


def _began(months: Sequence[str], known: Known) -> dict[str, str]:
    """By source, the first of `months` with a report; no text if there is none. What was imported came by the forms, as
    far as anybody knows.
    """
    rows = monthly(months, *known)
    chat = {row["month"]: row["by_source"][LIVE_CHAT]["reports"] for row in rows}
    return {ONLINE: next((row["month"] for row in rows if row["reports"] > chat[row["month"]]), ""),
            LIVE_CHAT: next((one for one, count in chat.items() if count), "")}  # fmt: skip


def _answers(request: Request, viewer: Viewer, asked: Asked, form: str) -> Response:
    figures = _figures(asked, viewer, _known(asked.months, viewer))
    if form == "page":
        return _page(request, viewer, asked, figures)
    made = tables(figures)
    table = made.get(asked.table or MONTHS)
    if not table:
        raise InvalidAnswers(errors=[FieldError("table", "This table is not among those you can see")])
    if form == "csv":
        name = f"statistics-{table.name}-{asked.months[0]}-to-{asked.months[-1]}.csv"
        headers = {"Content-Type": "text/csv; charset=utf-8", "Content-Disposition": f'attachment; filename="{name}"'}
        return Response(body=as_csv(table), headers={**DATA_HEADERS, **headers})
    if asked.table not in ("", MONTHS):
        return data(as_json(table))
    open_now = {} if figures.open_now is None else {"open_now": figures.open_now}
    return data({"months": figures.rows, "total": figures.total, **open_now})


def _page(request: Request, viewer: Viewer, asked: Asked, figures: Figures) -> Response:
    from chalicelib.pages import statistics as pages

    if viewer.is_public:
        return page(pages.public_figures(site_of(request), _typed(asked), figures))
    return page(pages.figures(_place(request, viewer), _typed(asked), figures, spoken(service().clock())))


def _refused(request: Request, viewer: Viewer, refusal: InvalidAnswers) -> Response:
    from chalicelib.pages import statistics as pages

    if not wants_page(request):
        raise refusal
    where = site_of(request) if viewer.is_public else _place(request, viewer)
    typed = pages.Asked(*(query_of(request).get(name, "")[:_LONGEST_SHOWN] for name in ("from", "to", "category")))
    return page(pages.refused(where, typed, refusal.errors), refusal.status)


def _typed(asked: Asked) -> Any:
    from chalicelib.pages import statistics as pages

    return pages.Asked(asked.months[0], asked.months[-1], asked.category)


def _place(request: Request, viewer: Viewer) -> Place:
    return place_of(request, viewer.seat) if viewer.seat else Place(site_of(request))


def _accepted(request: Request) -> str:
    if wants_page(request):
        return "page"
    return "csv" if "text/csv" in request.headers.get("accept", "") else "json"


_LONGEST_SHOWN = 40
_CHOICES = (
    ("category", "Choose burglary, theft or criminal damage, or all categories", CATEGORIES),
    ("table", f"Choose one of: {', '.join(NAMES)}", NAMES),
    ("format", "Choose csv or json, or leave it out", FORMATS),
)
