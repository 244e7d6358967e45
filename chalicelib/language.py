"""The words that people read, in the language of the force.

English stands where it is used: in the templates, the letters, the questions and the code. Another language is one
file, `languages/<code>.json`, from each English text to its translation; `make words LANGUAGE=cy` makes it, or adds
what is lacking. What it lacks is read in English. The language is that of the process, as the force's name is.
"""

import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parent / "languages"
ENGLISH = "en"

Translate = Callable[[str], str]


class Spoken(NamedTuple):
    """A language, and what translates English texts into it."""

    code: str
    translate: Translate


_spoken = Spoken(ENGLISH, str)


def use(code: str) -> None:
    """Speak this language from now on. Raises FileNotFoundError if there is no file of it."""
    use_words(code, str if code == ENGLISH else _translator(words_of(code)))


def use_words(code: str, translate: Translate) -> None:
    """Speak as `translate` does: it is given English, and gives what is said."""
    global _spoken
    _spoken = Spoken(code, translate)


def spoken() -> Spoken:
    """The language that is spoken now: its code, and what translates into it."""
    return _spoken


def said(text: str) -> str:
    """What is said for an English text."""
    return _spoken.translate(text) if text else text


def words_of(code: str) -> Mapping[str, str]:
    """A language's file: each English text with its translation, no text where that is lacking."""
    found: dict[str, str] = json.loads((FOLDER / f"{code}.json").read_text(encoding="utf-8"))
    return found


def code_for_html(code: str) -> str:
    """English is that of Great Britain."""
    return "en-GB" if code == ENGLISH else code


@cache
def codes() -> tuple[str, ...]:
    """The languages there are, English first."""
    return ENGLISH, *sorted(file.stem for file in FOLDER.glob("*.json"))


def _translator(words: Mapping[str, str]) -> Translate:
    return lambda text: words.get(text) or text
