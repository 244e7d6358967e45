"""What may be added as evidence, and what is known of a file. `evidence_files.py` has the files themselves. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

LARGEST = 100 * 1024 * 1024  # bytes of one file: a few minutes of a phone's video
MOST_FILES = 10
INVITED_FOR = timedelta(minutes=15)  # no longer than drafts.LAST_REQUEST: what comes later would never be erased
SHOWN_FOR = timedelta(minutes=1)
FIRST_BYTES = 8192

# What may be added: by the type that its first bytes show, the word for it and the ending of its name.
KINDS = {
    "image/jpeg": ("Photo", "jpg"),
    "image/png": ("Photo", "png"),
    "image/heic": ("Photo", "heic"),
    "image/webp": ("Photo", "webp"),
    "image/gif": ("Photo", "gif"),
    "video/mp4": ("Video", "mp4"),
    "video/quicktime": ("Video", "mov"),
    "video/webm": ("Video", "webm"),
    "video/x-matroska": ("Video", "mkv"),
    "application/pdf": ("Document", "pdf"),
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ("Document", "docx"),
    "application/vnd.oasis.opendocument.text": ("Document", "odt"),
}
# By what GuardDuty says. What else it says (UNSUPPORTED, ACCESS_DENIED, FAILED) is that it could not tell.
VERDICTS = {"NO_THREATS_FOUND": "clean", "THREATS_FOUND": "threat"}


@dataclass(frozen=True)
class File:
    """One file. `kind` is one of KINDS; no text if it was refused, and then `refused` says why: `kind`, `empty` or
    `too_many`. `version` is the one that was looked at, the first: nothing that was put over it counts.
    """

    id: str
    bytes: int
    added_at: datetime
    kind: str = ""
    refused: str = ""
    version: str = ""

    @property
    def word(self) -> str:
        """Photo, Video or Document."""
        return KINDS[self.kind][0]


class Invitation(NamedTuple):
    """What a form needs to send one file straight to the bucket."""

    url: str
    fields: dict[str, str]
