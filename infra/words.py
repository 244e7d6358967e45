"""`make words LANGUAGE=cy`: writes or renews the file of a language, with every English text that people may read.

What is translated already stays. A text that is no longer used goes. An empty translation is read in English.
"""

import ast
import calendar
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from chalicelib import language, translating
from chalicelib.call_backs import _PARTS
from chalicelib.errors import Refused
from chalicelib.forms import CATEGORIES
from chalicelib.forms import journey as way
from chalicelib.forms.chat import Beginning, Left, Message
from chalicelib.forms.questions import Question, questions
from chalicelib.forms.status import Addition, WhoAsks, call_back_question
from chalicelib.tables import Gap
from chalicelib.triage import _MISSING

ROOT = Path(language.__file__).parent
SAYS = {"said", "say"}  # what translates the text it is given
TELLS = {"FieldError", "InvalidAnswers", "NotAllowed", "NotFound", "TooLarge", "Unreadable", "TooManyTries", "tail",
         "PydanticCustomError", "SentElsewhere", "Column"}  # what carries a text to where it is translated  # fmt: skip
TABLES = {"_EVENTS", "_REFUSED", "_SHAPES", "_WHAT", "KINDS", "FILES_NOT_SHOWN", "TITLE", "_OLD_PAGE", "_TOO_QUICK",
          "_CHANGED", "_NOT_ASKED", "_TITLES", "CAPTIONS", "_BEFORE", "_UNKNOWN",
          "_CHOICES"}  # names of texts that are translated later  # fmt: skip


def texts() -> list[str]:
    """Every English text, each once, in order."""
    found = [*_of_templates(), *_of_letters(), *_of_code(), *_of_questions(), *_of_rules()]
    return sorted({" ".join(text.split()) if "\n" not in text else text for text in found if text.strip()})


def main(code: str) -> None:
    """Write the file."""
    path = language.FOLDER / f"{code}.json"
    known = language.words_of(code) if path.exists() else {}
    words = {text: known.get(text, "") for text in texts()}
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(words, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    lacking = sum(not translation for translation in words.values())
    print(f"{path.name}: {len(words)} texts, {lacking} of them still English")


def _of_templates() -> Iterator[str]:
    found: list[str] = []
    for file in (ROOT / "pages" / "templates").glob("*.html"):
        if file.name.startswith("desk"):  # officers work in English
            continue
        translating.template(file.read_text("utf-8"), lambda text: found.append(text) or text)
    yield from found


def _of_letters() -> Iterator[str]:
    found: list[str] = []
    for file in (ROOT / "letters").glob("*.txt"):
        translating.letter(file.read_text("utf-8"), lambda text: found.append(text) or text)
    yield from found


def _of_code() -> Iterator[str]:
    for file in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            called = ast.unparse(node.func).rpartition(".")[2] if isinstance(node, ast.Call) else ""
            if called in SAYS:
                yield from _strings(node, ".")
            elif called in TELLS:
                yield from _strings(node)
            if isinstance(node, ast.Assign | ast.AnnAssign) and _named(node) & TABLES and node.value:
                yield from _strings(node.value)


def _strings(node: ast.AST, like: str = "[A-Z]|[a-z] ") -> Iterator[str]:
    """The texts in an expression; not pieces of one that is put together, and, unless `like` says so, no mere names."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and re.search(like, node.value):
        yield node.value
    for inner in ast.iter_child_nodes(node):
        if not isinstance(inner, ast.JoinedStr):
            yield from _strings(inner, like)


def _named(node: Any) -> set[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return {target.id for target in targets if isinstance(target, ast.Name)}


def _of_questions() -> Iterator[str]:
    for model in (*CATEGORIES.values(), Addition, WhoAsks, Message, Beginning, Left):
        yield from _of_model(model)
    yield from _of_question(call_back_question({}))
    for steps in way.STEPS.values():
        yield from (step.title for step in steps)


def _of_model(model: type[BaseModel]) -> Iterator[str]:
    for question in questions(model):
        yield from _of_question(question)
        if question.model:
            yield from (question.model.title, question.model.hint, *_of_model(question.model))


def _of_question(question: Question) -> Iterator[str]:
    ask = question.ask
    yield from (ask.label, ask.noun, ask.hint, ask.missing, ask.wrong, *ask.options.values())


def _of_rules() -> Iterator[str]:
    yield from (*calendar.day_name, *calendar.month_name, "Day", "Month", "Year", "Select", "Enter", "text")
    yield from (words for _, _, words in _PARTS.values())
    yield from (what for what, _ in _MISSING)
    yield from (gap.value for gap in Gap)
    yield from (refusal.title for refusal in [Refused, *Refused.__subclasses__()])


if __name__ == "__main__":
    main(sys.argv[1])
