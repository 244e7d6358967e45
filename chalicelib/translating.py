"""The texts in the sources of pages and letters, found and translated. What is deployed has them translated already."""

import json
import re

from chalicelib.language import Translate

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
