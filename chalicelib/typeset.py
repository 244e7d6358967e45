"""A letter as text, as HTML and as GOV.UK Notify's Markdown, from the one file that has its words.

A line of `letters/*.txt` is a paragraph, a `# heading`, an item of a list (`- `) or a link (`[words](address)`) on its
own; the first is the subject. What is filled in stands between two marks until the lines have been read: a line can be
nothing that our own words did not make it, whatever a person typed.
"""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from html import escape
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from chalicelib import language

if TYPE_CHECKING:
    from jinja2 import Environment

HERE = Path(__file__).parent / "letters"
COMPILED = HERE / "compiled"  # the words as Python: only in what is deployed, where infra/artifact.py puts them

_OPEN, _CLOSE = "\ue000", "\ue001"  # for private use: no writing has them
_UNMARKED = str.maketrans("", "", _OPEN + _CLOSE)
_FILLED_IN = re.compile(f"{_OPEN}([^{_CLOSE}]*){_CLOSE}")
_LINK = re.compile(r"\[(.+)\]\((.+)\)")
_MARKDOWN = re.compile(r"[\\`*_\[\]]")  # what has a meaning wherever it stands; the rest, at the beginning of a line
_IN_ADDRESSES = re.compile(r"(?<=:)(?=//)|(?<=\S[.@])(?=\S)")
_NO_WIDTH = "\u200b"  # a space that is not seen

_PAGE = """<!DOCTYPE html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{subject}</title>
</head>
<body style="margin: 0; padding: 16px; font-family: Arial, Helvetica, sans-serif; font-size: 18px; line-height: 1.5">
<header style="border-bottom: 4px solid; margin-bottom: 24px; padding-bottom: 8px; font-weight: bold">{sender}</header>
<main style="max-width: 600px; overflow-wrap: anywhere">
<h1 style="font-size: 26px; line-height: 1.25">{subject}</h1>
{body}
</main>
</body>
</html>
"""


class Typeset(NamedTuple):
    """One letter in its forms. `markdown` is for GOV.UK Notify."""

    subject: str
    text: str
    html: str
    markdown: str


class _Line(NamedTuple):
    kind: str
    words: str
    address: str = ""


def typeset(name: str, facts: Mapping[str, Any], sender: str) -> Typeset:
    """The letter `name` about `facts`, under the name of `sender`."""
    subject, *rest = _environment(language.spoken()).get_template(f"{name}.txt").render(facts).split("\n")
    subject = _plain(subject.removeprefix("Subject: "))
    lines = [_read(line) for line in rest if line.strip()]
    return Typeset(subject, _text(lines), _html(lines, subject, sender), _markdown(lines))


def typed(words: str) -> str:
    """What a person typed, so that no mail program makes a link of it. Anybody can have us write to anybody."""
    return _IN_ADDRESSES.sub(_NO_WIDTH, words)


@cache
def _environment(spoken: language.Spoken) -> "Environment":
    return environment(spoken.translate)


def environment(translate: language.Translate = str) -> "Environment":
    """What fills in the words of one language."""
    from jinja2 import DictLoader, Environment, ModuleLoader, StrictUndefined

    if COMPILED.is_dir():
        words: Any = ModuleLoader(COMPILED / language.spoken().code)
    else:
        from chalicelib import translating

        files = HERE.glob("*.txt")
        words = DictLoader({file.name: translating.letter(file.read_text("utf-8"), translate) for file in files})
    return Environment(loader=words, undefined=StrictUndefined, autoescape=False, finalize=_marked, auto_reload=False,
                       trim_blocks=True, lstrip_blocks=True)  # fmt: skip


def _marked(value: Any) -> str:
    """On one line, between the marks."""
    return f"{_OPEN}{' '.join(_plain(str(value)).split())}{_CLOSE}"


def _plain(words: str) -> str:
    return words.translate(_UNMARKED)


def _read(line: str) -> _Line:
    if line.startswith("# "):
        return _Line("heading", line.removeprefix("# "))
    if line.startswith("- "):
        return _Line("item", line.removeprefix("- "))
    if link := _LINK.fullmatch(line):
        return _Line("link", link[1], _plain(link[2]))
    return _Line("paragraph", line)


def _blocks(lines: Iterable[_Line]) -> Iterable[list[_Line]]:
    """Items that follow each other are one list; every other line stands alone."""
    for is_list, group in groupby(lines, key=lambda line: line.kind == "item"):
        block = list(group)
        yield from [block] if is_list else ([line] for line in block)


def _text(lines: Iterable[_Line]) -> str:
    return "".join("\n".join(map(_text_line, block)) + _space_after(block) for block in _blocks(lines)).strip() + "\n"


def _text_line(line: _Line) -> str:
    words = _plain(line.words)
    return {"item": f"- {words}", "link": f"{words}:\n{line.address}"}.get(line.kind, words)


def _space_after(block: list[_Line]) -> str:
    """A heading stands close to what is under it: in plain text nothing else tells that it is one."""
    return "\n" if block[0].kind == "heading" else "\n\n"


def _html(lines: Iterable[_Line], subject: str, sender: str) -> str:
    body = "\n".join(_html_block(block) for block in _blocks(lines))
    code = language.code_for_html(language.spoken().code)
    return _PAGE.format(language=code, subject=escape(subject), sender=escape(_plain(sender)), body=body)


def _html_block(block: list[_Line]) -> str:
    line, words = block[0], escape(_plain(block[0].words))
    match line.kind:
        case "item":
            items = [f"<li>{escape(_plain(item.words))}</li>\n" for item in block]
            return f"<ul>\n{''.join(items)}</ul>"
        case "heading":
            return f'<h2 style="font-size: 20px; line-height: 1.25">{words}</h2>'
        case "link":
            return f'<p><a href="{escape(line.address)}">{words}</a></p>'
    return f"<p>{words}</p>"


def _markdown(lines: Iterable[_Line]) -> str:
    return "\n\n".join("\n".join(map(_markdown_line, block)) for block in _blocks(lines)) + "\n"


def _markdown_line(line: _Line) -> str:
    words = _FILLED_IN.sub(_without_markdown, line.words)
    of_kind = {"heading": f"# {words}", "item": f"* {words}", "link": f"[{words}]({line.address})"}
    return of_kind.get(line.kind, words)


def _without_markdown(filled: re.Match[str]) -> str:
    return ("" if filled.start() else _NO_WIDTH) + _MARKDOWN.sub(r"\\\g<0>", filled[1])
