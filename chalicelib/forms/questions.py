"""How a question is put to a person, and how the models are read as a list of questions.

A question is a pydantic field whose annotation carries an `Ask`. Page, messages and schema all come from it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from types import UnionType
from typing import Annotated, Any, ClassVar, Literal, Union, get_args, get_origin

from pydantic import (
    BaseModel,
    ConfigDict,
    GetJsonSchemaHandler,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, PydanticCustomError

from chalicelib.forms.text import clean, pattern

YesNoUnknown = Literal["yes", "no", "unknown"]
YesNo = Literal["yes", "no"]
YES_NO = {"yes": "Yes", "no": "No"}
YES_NO_UNKNOWN = {**YES_NO, "unknown": "I don’t know"}

Kind = Literal["text", "long_text", "number", "date", "choice", "choices", "section", "sections"]


@dataclass(frozen=True)
class Ask:
    """The words around one question.

    `label` is the question, `noun` fits after "Enter" or "Select" in a message, `options` maps each allowed value to
    its words in the order of the page, `missing` replaces the usual message for an unanswered question that must be
    answered, `wrong` is said of text that does not have the shape asked for.
    """

    label: str
    noun: str
    hint: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    long: bool = False
    missing: str = ""
    wrong: str = ""
    autocomplete: str = ""
    inputmode: str = ""
    width: int | None = None

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """The question's words, and which characters its text may have, as part of the JSON schema."""
        schema = handler(core)
        if schema.get("type") == "string" and not schema.keys() & {"pattern", "enum", "const", "format"}:
            schema["pattern"] = pattern(long=self.long)
        return {**schema, "title": self.label, **({"description": self.hint} if self.hint else {})}


class Section(BaseModel):
    """A group of questions on one subject; `title` heads it on the page, `presumed` stands in for what is left out."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)
    title: ClassVar[str] = ""
    hint: ClassVar[str] = ""
    presumed: ClassVar[Mapping[str, Any]] = {}

    @model_validator(mode="before")
    @classmethod
    def _presume(cls, data: Any) -> Any:
        return {**cls.presumed, **data} if cls.presumed and isinstance(data, dict) else data

    @field_validator("*", mode="before")
    @classmethod
    def _clean(cls, value: Any, info: ValidationInfo) -> Any:
        """Text comes in its one regular form, and blank text is no answer."""
        if value is None:
            raise PydanticCustomError("wrong_type", "")
        if not isinstance(value, str):
            return value
        if value.isascii() and value.isprintable():  # as nearly all is: then there is nothing to refuse or to compose
            return value.strip() or None
        question = by_name(cls).get(info.field_name or "")
        if not question:
            return value
        return clean(value, long=question.ask.long, longest=question.max_length or 0) or None


@dataclass(frozen=True)
class Question:
    """One field of a model, as the page and the form reader need it. `model` is set for `section` and `sections`."""

    name: str
    kind: Kind
    ask: Ask
    required: bool
    max_length: int | None = None
    model: type[Section] | None = None


def questions(model: type[BaseModel]) -> Iterator[Question]:
    """Every question of `model` in the order of the page (fields without an `Ask` are not questions)."""
    for name, info in model.model_fields.items():
        ask = next((item for item in info.metadata if isinstance(item, Ask)), None)
        if ask:
            kind, inner = _kind(info.annotation, ask)
            yield Question(name, kind, ask, info.is_required(), _max_length(info), inner)


@cache
def by_name(model: type[BaseModel]) -> Mapping[str, Question]:
    """The questions of `model` under their names."""
    return {question.name: question for question in questions(model)}


def _kind(annotation: Any, ask: Ask) -> tuple[Kind, type[Section] | None]:
    plain = _without_none(annotation)
    if get_origin(plain) is list:
        (inner,) = get_args(plain)
        return ("sections", inner) if _is_section(inner) else ("choices", None)
    if _is_section(plain):
        return "section", plain
    if ask.options:
        return "choice", None
    if plain is date:
        return "date", None
    if plain is int:
        return "number", None
    return ("long_text" if ask.long else "text"), None


def _without_none(annotation: Any) -> Any:
    while get_origin(annotation) in (Union, UnionType, Annotated):
        if get_origin(annotation) is Annotated:
            annotation = get_args(annotation)[0]
        else:
            annotation = next(arg for arg in get_args(annotation) if arg is not type(None))
    return annotation


def _is_section(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, Section)


def _max_length(info: FieldInfo) -> int | None:
    return next((item.max_length for item in info.metadata if hasattr(item, "max_length")), None)
