"""The words that people read, in the language of the force.

English stands where it is used: in the templates, the letters, the questions and the code. Another language is one
file, `languages/<code>.json`, from each English text to its translation; `make words LANGUAGE=cy` makes it, or adds
what is lacking. What it lacks is read in English. The language is that of the process, as the force's name is.
"""

import json
import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parent / "languages"
ENGLISH = "en"

Translate = Callable[[str], str]

_BLOCKS = "h1|h2|h3|p|li|dt|dd|th|td|label|button"
_TEXTS = (
    re.compile(rf"(<({_BLOCKS})\b[^>]*>)((?:(?!<(?:{_BLOCKS})\b).)*?)(?=</\2>)", re.DOTALL),  # that hold no other
    re.compile(r"(<(a|span|div)\b[^>]*>)([^<>]*[^<>\s][^<>]*)(?=</\2>)"),
    re.compile(r'(\sdata-(sending|empty|large|none|title|prefix)=")([^"{]+)(?=")'),
    re.compile(r"(({% block title %})(?:{{[^}]*}})*)([^{]+)(?={% endblock %})"),
    re.compile(r"(({{[^}]*}}<br>|^)\s*)(\b[A-Z][^<>{]*)(?=<br>)", re.MULTILINE),
)
_QUOTED = re.compile(r'(?<![=!]= )"([A-Z‘][^"]*[a-z][^"]*)"(?!\s*:)')  # in an expression: no key, nothing compared
_TAG = re.compile("<[^>]*>")
_EXPRESSION = re.compile(r"{{.*?}}|{%.*?%}", re.DOTALL)
_LEFT_OUT = re.compile("\ue002([0-9]+)\ue002")  # for private use: where a text was that has been translated


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


def template(source: str, translate: Translate) -> str:
    """A page's template with its texts translated. A text is what one element holds, with the expressions and small
    elements in it, so that a translator can put them in another order.
    """
    done: list[str] = []

    def once(found: re.Match[str]) -> str:
        text = " ".join(found[3].split())
        if not re.search("[A-Za-z]", _TAG.sub("", _EXPRESSION.sub("", text))):
            return found[0]
        done.append(translate(text))
        return f"{found[1]}\ue002{len(done) - 1}\ue002"

    for texts in _TEXTS:
        source = texts.sub(once, source)
    source = _EXPRESSION.sub(lambda found: _in_quotes(found[0], translate), source)
    return _LEFT_OUT.sub(lambda found: done[int(found[1])], source)


def letter(source: str, translate: Translate) -> str:
    """A letter's words with each line translated, but for those that only steer."""
    lines = source.split("\n")
    return "\n".join(line if not re.search("[a-z]", _EXPRESSION.sub("", line)) else translate(line) for line in lines)


def _in_quotes(expression: str, translate: Translate) -> str:
    return _QUOTED.sub(lambda found: json.dumps(translate(found[1]), ensure_ascii=False), expression)


def _translator(words: Mapping[str, str]) -> Translate:
    return lambda text: words.get(text) or text
