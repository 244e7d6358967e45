"""Reports to send in tests of the questions, and ways to read them."""

import copy
import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from chalicelib.errors import FieldError, InvalidAnswers
from chalicelib.forms import Submission, canonical, read_form, read_json
from chalicelib.forms.questions import Section, questions

TODAY = date(2026, 11, 23)
Pairs = list[tuple[str, str]]

LEAST = {
    "category": "theft",
    "emergency": "no",
    "reporter": "victim",
    "about": {"kind": "pedal_cycle"},
    "contact": {"full_name": "Ann Example", "email": "ann@example.com"},
    "declaration": "yes",
}


def with_answer(field: str, answer: Any, base: dict[str, Any] = LEAST) -> dict[str, Any]:
    """The least that is accepted, with one answer changed or added."""
    sent = copy.deepcopy(base)
    *sections, name = field.split(".")
    place = sent
    for section in sections:
        place = place.setdefault(section, {})
    place[name] = answer
    return sent


def without(field: str) -> dict[str, Any]:
    sent = copy.deepcopy(LEAST)
    *sections, name = field.split(".")
    place = sent
    for section in sections:
        place = place[section]
    del place[name]
    return sent


def read(sent: Any, today: date = TODAY) -> Submission:
    return read_json(json.dumps(sent), today)


def kept(sent: Any) -> Any:
    return canonical(read(sent))


def errors(sent: Any) -> list[FieldError]:
    with pytest.raises(InvalidAnswers) as refused:
        read(sent)
    return refused.value.errors


def form_errors(pairs: Pairs, category: str = "theft") -> list[FieldError]:
    with pytest.raises(InvalidAnswers) as refused:
        read_form(category, pairs, TODAY)
    return refused.value.errors


def flat(answer: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """The pairs that a browser would post for `answer`."""
    if isinstance(answer, dict):
        for key, value in answer.items():
            yield from flat(value, f"{name}.{key}" if name else key)
    elif isinstance(answer, list):
        for index, value in enumerate(answer):
            yield from flat(value, f"{name}.{index}" if isinstance(value, dict) else name)
    elif name.split("_")[-1] in ("date", "on"):
        yield from zip([f"{name}.year", f"{name}.month", f"{name}.day"], answer.split("-"), strict=True)
    else:
        yield name, str(answer).replace("\n", "\r\n")


def posted(sent: dict[str, Any]) -> Pairs:
    return list(flat({name: answer for name, answer in sent.items() if name != "category"}))


def all_questions(model: type[Section]) -> Iterator[tuple[type[Section], str]]:
    for question in questions(model):
        yield model, question.name
        if question.model:
            yield from all_questions(question.model)
