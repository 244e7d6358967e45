"""The page of the files of a draft or a report: what is there, what was refused and why, and the way to add one."""

from collections.abc import Sequence
from typing import Protocol

from chalicelib.evidence import LARGEST, MOST_FILES, File, Invitation
from chalicelib.language import said
from chalicelib.pages import Site
from chalicelib.pages.fields import Problem
from chalicelib.pages.render import render
from chalicelib.times import spoken

FILES_NOT_SHOWN = "We cannot show your files just now. Those that arrived are kept, and go with your report"
TITLE = "Photos, video and documents"
_REFUSED = {
    "kind": "That file is not a photo, video or document of a kind that we can take. Choose another",
    "empty": "That file is empty. Choose another",
    "too_many": f"You can add no more than {MOST_FILES} files. Remove one first",
    "": "That file did not arrive. Add it again",
}


class Place(Protocol):
    """Whose files: a draft's or a report's."""

    @property
    def site(self) -> Site: ...
    @property
    def address(self) -> str: ...
    @property
    def token(self) -> str: ...
    @property
    def change(self) -> bool: ...


def files(
    place: Place, back: str, there: Sequence[File], added: str, invitation: Invitation | None, is_draft: bool
) -> str:
    """`added` is the id of the file that the person has just sent, if any; `invitation` is None if there is no room."""
    kept = [file for file in there if not file.refused]
    arrived = added in {file.id for file in kept}
    problems = [
        Problem(said(_REFUSED[why]), "#file" if invitation else "#main-content") for why in _why_not(there, added)
    ]
    listed = [(file, in_words(file)) for file in kept]
    return render("files.html", place=place, site=place.site, back=back, title=said(TITLE), files=listed,
                  problems=problems, arrived=arrived, invitation=invitation, is_draft=is_draft, largest=LARGEST,
                  most=MOST_FILES)  # fmt: skip


def in_words(file: File) -> str:
    """`Photo, 3.2 MB, added at 9:05am on Monday 23 November 2026`."""
    words = {"kind": said(file.word), "size": _size(file.bytes), "time": spoken(file.added_at)}
    return said("{kind}, {size}, added at {time}").format(**words)


def _why_not(there: Sequence[File], added: str) -> list[str]:
    found = {file.id: file.refused for file in there}
    return [found[added]] if found.get(added) else [""] if added and added not in found else []


def _size(size: int) -> str:
    return f"{size / 1024**2:.1f} MB" if size >= 100 * 1024 else f"{max(1, size // 1024)} KB"
