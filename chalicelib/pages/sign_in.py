"""The pages at the door of the officers' desk."""

from collections.abc import Sequence

from chalicelib.pages.desk_place import Place
from chalicelib.pages.render import render


def problem(place: Place, title: str, detail: str = "") -> str:
    """An error as a page of the desk."""
    return render("desk_problem.html", place=place, site=place.site, title=title, detail=detail)


def try_again(place: Place, title: str, detail: str) -> str:
    """Signing in did not work."""
    return render("desk_try_again.html", place=place, site=place.site, title=title, detail=detail)


def turned_away(place: Place, why: str, typed: Sequence[str]) -> str:
    """The session is `over`, or the page was `old`: nothing was saved, and here is what was typed."""
    return render("desk_turned_away.html", place=place, site=place.site, why=why, typed=typed)


def signed_out(place: Place, goodbye: str = "") -> str:
    """Nobody sits here; on to `goodbye`, where the issuer's own session is ended."""
    return render("desk_signed_out.html", place=place, site=place.site, goodbye=goodbye)
