"""Where a long replay can go on: the table as it was after a whole month, in a file.

A month that was not finished is not in it: it is played again from its beginning, so nothing is done twice. The file is
whole or not there; its name says which month it ends with, and of which version of the service it is.
"""

import hashlib
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing, suppress
from pathlib import Path

DATABASE = "local_eu-west-2.db"  # what DynamoDB Local calls its file, by key and region of its user: see stack.use_only


class Checkpoints:
    """Keeps the last one in `folder`. Another version is one with other files in `sources` (files and folders)."""

    def __init__(self, folder: Path, sources: Iterable[Path]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._version = folder, _version(sources)

    def last(self, months: Sequence[str]) -> str | None:
        """Which of `months` has been played last, by this version of the service."""
        return next((month for month in reversed(months) if self._file(month).exists()), None)

    def others(self) -> bool:
        """Whether there is one of another version: it is of no use."""
        return any(not file.name.endswith(f"-{self._version}.db") for file in self._folder.glob("after-*.db"))

    def keep(self, month: str, live: Path) -> None:
        """Copy the database in the folder `live`, of a service at rest, and forget the checkpoint before."""
        new = self._folder / "new.db"
        new.unlink(missing_ok=True)
        _copy(live / DATABASE, new)
        with closing(sqlite3.connect(new)) as copy, copy:
            # The stream: all of it has been handled. Whoever starts with this file would read it from its beginning.
            copy.execute("DELETE FROM us")
        new.replace(self._file(month))
        self.forget(but=month)

    def restore(self, month: str, live: Path) -> None:
        """Have the database of the checkpoint after `month` in the folder `live`."""
        _copy(self._file(month), live / DATABASE)

    def forget(self, but: str = "") -> None:
        """Remove all of any version, but the one after month `but`."""
        for file in self._folder.glob("*.db"):
            if file != self._file(but):
                with suppress(FileNotFoundError):
                    file.unlink()

    def _file(self, month: str) -> Path:
        return self._folder / f"after-{month}-{self._version}.db"


def _copy(old: Path, new: Path) -> None:
    """As SQLite does it: somebody may be writing."""
    read_only = f"{old.resolve().as_uri()}?mode=ro"
    with closing(sqlite3.connect(read_only, uri=True)) as source, closing(sqlite3.connect(new)) as copy:
        source.backup(copy)


def _version(sources: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for source in sources:
        files = sorted(source.rglob("*")) if source.is_dir() else [source]
        for file in files:
            if file.is_file() and "__pycache__" not in file.parts:
                digest.update(f"{file}\n".encode() + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:12]
