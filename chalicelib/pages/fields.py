"""The questions of a model with the answers so far and what is wrong with them, as the templates show them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from pydantic import BaseModel

from chalicelib.errors import FieldError
from chalicelib.forms.questions import Question, questions
from chalicelib.language import said

DATE_PARTS = ("day", "month", "year")
Messages = Mapping[str, str]


@dataclass(frozen=True)
class Group:
    """One of a repeated section, such as one stolen item."""

    name: str
    error: str
    fields: Sequence["Field"]

    @property
    def id(self) -> str:
        """The HTML id."""
        return _id(self.name)


@dataclass(frozen=True)
class Field:
    """One question on the page. `name` is its dotted path, `value` text, a list of texts, or the parts of a date."""

    question: Question
    name: str
    error: str
    value: Any = ""
    fields: Sequence["Field"] = ()
    groups: Sequence[Group] = ()
    is_heading: bool = False
    marks_optional: bool = True

    @property
    def id(self) -> str:
        """The HTML id: of the control itself, of the first radio or checkbox, or of the heading of a section."""
        return _id(self.name)

    @property
    def label(self) -> str:
        """The question in words; GOV.UK marks the optional ones, not the required ones, nor an "I don't know"."""
        optional = self.marks_optional and not self.question.required and "unknown" not in self.question.ask.options
        return said(self.question.ask.label) + (f" {said('(optional)')}" if optional else "")

    @property
    def first_control(self) -> str:
        """The id of the control that a link to this question leads to."""
        inside = [*self.fields, *(field for group in self.groups for field in group.fields)]
        if inside:
            return inside[0].first_control
        return f"{self.id}-day" if self.question.kind == "date" else self.id

    @property
    def can_grow(self) -> bool:
        """Whether another of a repeated section may be added."""
        return self.question.max_length is None or len(self.groups) < self.question.max_length


class Problem(NamedTuple):
    """One line of the error summary."""

    text: str
    href: str


def fields_of(model: type[BaseModel], values: Mapping[str, Any], errors: Sequence[FieldError]) -> list[Field]:
    """The questions of `model` as fields, each with its part of `values` and its message from `errors`."""
    return list(_fields(model, values, _messages_by_name(errors), prefix=""))


def _messages_by_name(errors: Sequence[FieldError]) -> Messages:
    messages: dict[str, str] = {}
    for field, english in errors:
        message = said(english)
        messages.setdefault(field, message)
        messages.setdefault(
            f"{field.rpartition('.')[0]}.*", message
        )  # of the month of a date, or the third of a choice
    return messages


def _value(values: Any, name: str) -> Any:
    for part in name.split("."):
        values = values.get(part, "") if isinstance(values, Mapping) else ""
    return values


def fields_named(asked: Mapping[str, Question], values: Mapping[str, Any], errors: Sequence[FieldError]) -> list[Field]:
    """These questions, by their dotted names, as the fields of one page. A single one is the heading of its page. Where
    all may be left out the page says so once, and none is marked.
    """
    messages, marked = _messages_by_name(errors), any(question.required for question in asked.values())
    return [replace(_field(question, name, _value(values, name), messages), is_heading=len(asked) == 1,
                    marks_optional=marked) for name, question in asked.items()]  # fmt: skip


def problems_of(fields: Sequence[Field], errors: Sequence[FieldError]) -> list[Problem]:
    """The error summary: every message once, with a link to the control it is about, or to the nearest one."""
    targets = dict(_targets(fields))
    top = fields[0].first_control
    return [
        Problem(said(error.message), f"#{_nearest(targets, error.field) or top}") for error in dict.fromkeys(errors)
    ]


def _fields(model: type[BaseModel], values: Any, messages: Messages, prefix: str) -> Iterator[Field]:
    for question in questions(model):
        value = values.get(question.name, "") if isinstance(values, Mapping) else ""
        yield _field(question, prefix + question.name, value, messages)


def _field(question: Question, name: str, value: Any, messages: Messages) -> Field:
    message = messages.get(name, "")
    if question.kind == "section":
        assert question.model
        return Field(question, name, message, fields=list(_fields(question.model, value, messages, f"{name}.")))
    if question.kind == "sections":
        return Field(question, name, message, groups=list(_groups(question, name, value, messages)))
    return Field(question, name, message or messages.get(f"{name}.*", ""), _answer(question, value))


def _groups(question: Question, name: str, value: Any, messages: Messages) -> Iterator[Group]:
    assert question.model
    filled = value if isinstance(value, list) and value else [{}]
    for number, answers in enumerate(filled[: question.max_length]):
        path = f"{name}.{number}"
        yield Group(path, messages.get(path, ""), list(_fields(question.model, answers, messages, f"{path}.")))


def _answer(question: Question, value: Any) -> Any:
    """The answer in the shape of its control: a person, or a program, may have sent any other."""
    if question.kind == "date":
        parts = value if isinstance(value, Mapping) else {}
        return {part: _text(parts.get(part)) for part in DATE_PARTS}
    if question.kind == "choices":
        return [_text(each) for each in value] if isinstance(value, list) else [_text(value)]
    return _text(value)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _targets(fields: Iterable[Field]) -> Iterator[tuple[str, str]]:
    for field in fields:
        yield field.name, field.first_control
        if field.question.kind == "date":
            yield from ((f"{field.name}.{part}", f"{field.id}-{part}") for part in DATE_PARTS)
        yield from _targets(field.fields)
        for group in field.groups:
            yield group.name, group.fields[0].first_control
            yield from _targets(group.fields)


def _nearest(targets: Mapping[str, str], path: str) -> str:
    while path and path not in targets:
        path = path.rpartition(".")[0]
    return targets.get(path, "")


def _id(name: str) -> str:
    return name.replace(".", "-")
