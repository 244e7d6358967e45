"""The pairs of a posted form (`items.0.make` = `Apple`) as nested answers. Takes any garbage without failing."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from chalicelib.forms.answers import DateBoxes
from chalicelib.forms.categories import Submission
from chalicelib.forms.questions import Question, Section, by_name

Pairs = Sequence[tuple[str, str]]

_DEEPEST = 3  # parts of a name: `items.0.make`, `when.start_date.day`
_MOST_ITEMS = 50
_INDEX = "[0-9]{1,9}"
_POUNDS = r"£?([0-9]{1,12})(\.00?)?"


@dataclass
class _Node:
    """What was posted under one name, and under the names below it."""

    values: list[str] = field(default_factory=list)
    below: dict[str, "_Node"] = field(default_factory=dict)


def form_values(pairs: Pairs) -> dict[str, Any]:
    """What was typed, nested as the questions are, to show the form again; what is not a question is left out."""
    return _typed(_tree(pairs), Submission)


def answers(pairs: Pairs, model: type[Section]) -> dict[str, Any]:
    """What was posted as the answers of `model`, with all that does not fit left in, for the validation to refuse."""
    return _answers(_tree(pairs), model)


def _tree(pairs: Pairs) -> _Node:
    root = _Node()
    for name, value in pairs:
        node = root
        for part in name.split(".", _DEEPEST):
            node = node.below.setdefault(part, _Node())
        node.values.append(value)
    return root


def _typed(node: _Node, model: type[Section]) -> dict[str, Any]:
    known = by_name(model)
    return {name: _typed_answer(child, known.get(name)) for name, child in node.below.items()}


def _typed_answer(node: _Node, question: Question | None) -> Any:
    match question:
        case Question(kind="section", model=model) if model:
            return _typed(node, model)
        case Question(kind="sections", model=model) if model:
            return [_typed(row, model) for row in _rows(node)[:_MOST_ITEMS]]
        case Question(kind="choices"):
            return node.values
        case Question(kind="date"):
            return _boxes(node)._asdict()
    return node.values[-1] if node.values else ""


def _answers(node: _Node, model: type[Section]) -> dict[str, Any]:
    known = by_name(model)
    return {name: _answer(child, known.get(name)) for name, child in node.below.items()}


def _answer(node: _Node, question: Question | None) -> Any:
    match question:
        case Question(kind="section", model=model) if model:
            return _section(node, model)
        case Question(kind="sections", model=model) if model and all(re.fullmatch(_INDEX, name) for name in node.below):
            return _only(node.values) or [_section(row, model) for row in _rows(node)]
        case Question(kind="date") if node.below.keys() <= set(DateBoxes._fields) and not _only(node.values):
            return _boxes_or_blank(node)
    if node.below:
        return {}  # the validation refuses a group where one answer belongs
    if question and question.kind == "choices":
        return [value for value in node.values if value]
    value = _only(node.values)
    return _pounds(value) if question and question.kind == "number" and isinstance(value, str) else value


def _section(node: _Node, model: type[Section]) -> Any:
    return _only(node.values) or _answers(node, model)  # the validation refuses one answer where a group belongs


def _rows(node: _Node) -> list[_Node]:
    """In the order of their numbers, which may have gaps: the third row may be `items.70`."""
    numbered = [(int(name), child) for name, child in node.below.items() if re.fullmatch(_INDEX, name)]
    return [child for _, child in sorted(numbered, key=lambda row: row[0])]


def _boxes_or_blank(node: _Node) -> Any:
    if any(box.below for box in node.below.values()):
        return {}
    boxes = _boxes(node)
    return boxes if any(map(str.strip, boxes)) else ""


def _boxes(node: _Node) -> DateBoxes:
    return DateBoxes(*(_typed_answer(node.below.get(name, _Node()), None) for name in DateBoxes._fields))


def _only(values: Iterable[str]) -> str | list[str]:
    """The one answer among the blanks; several different ones stay a list, which the validation refuses."""
    given = list(dict.fromkeys(value for value in values if value.strip()))
    return given if len(given) > 1 else "".join(given)


def _pounds(typed: str) -> int | str:
    amount = re.fullmatch(_POUNDS, re.sub("[ ,]", "", typed))
    return int(amount[1]) if amount else typed
