"""What is made once is there whole or not at all, whoever makes it at the same time."""

from pathlib import Path

import pytest

from infra.local.once import made_once


def made(scratch: Path, text: str = "ours") -> Path:
    folder = scratch / "tool"
    folder.mkdir()
    (folder / "file").write_text(text)
    return folder


def test_it_is_made_once_and_nothing_else_is_left(tmp_path: Path) -> None:
    home = tmp_path / "cache" / "tool-1"
    assert made_once(home, made) == home
    assert made_once(home, lambda scratch: made(scratch, "again")) == home
    assert (home / "file").read_text() == "ours" and list(home.parent.iterdir()) == [home]


def test_the_quicker_one_stays(tmp_path: Path) -> None:
    home = tmp_path / "tool-1"

    def slow(scratch: Path) -> Path:
        made_once(home, lambda other: made(other, "quicker"))
        return made(scratch)

    assert (made_once(home, slow) / "file").read_text() == "quicker"
    assert list(tmp_path.iterdir()) == [home]


def test_what_fails_leaves_nothing_and_is_told(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        made_once(tmp_path / "tool-1", lambda scratch: made(scratch) / str(1 / 0))
    with pytest.raises(FileNotFoundError):
        made_once(tmp_path / "tool-1", lambda scratch: scratch / "nothing")
    assert list(tmp_path.iterdir()) == []
