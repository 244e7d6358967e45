"""What is said about answers that do not fit: plain English, in the order of the page, never echoing an answer."""

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from chalicelib.errors import FieldError
from chalicelib.forms.questions import Question, Section, by_name
from chalicelib.language import said

MAX_ERRORS = 50
_NOT_ASKED = "This is not one of our questions"
_SHAPES = {
    "number": "a whole number, like 1200",
    "date": "a real date, like 2019-01-31",
    "choices": "a list",
    "section": "a group of answers",
    "sections": "a list of groups of answers",
}


def field_errors(model: type[Section], error: ValidationError) -> list[FieldError]:
    """At most one error for each field, and at most `MAX_ERRORS`."""
    first: dict[str, FieldError] = {}
    for details in error.errors(include_url=False):
        found = _field_error(model, details)
        first.setdefault(found.field, found)
        if len(first) == MAX_ERRORS:
            break
    return list(first.values())


def _field_error(model: type[Section], details: ErrorDetails) -> FieldError:
    path, question = _place(model, details["loc"])
    context = details.get("ctx", {})
    if "field" in context:  # the rule is about a neighbour of the field that asked it
        path[-1] = context["field"]
    field = "".join(letter for letter in ".".join(path) if letter.isprintable())[:100]
    return FieldError(field, _message(details, question) if question else _NOT_ASKED)


def _place(model: type[Section] | None, location: tuple[int | str, ...]) -> tuple[list[str], Question | None]:
    """The path as far as the question, and the question, if it is one of ours."""
    path: list[str] = []
    question = None
    for part in location:
        path.append(str(part))
        if isinstance(part, str):
            question = by_name(model).get(part) if model else None
            model = question.model if question else None
        if not model:
            break
    return path, question


def _message(details: ErrorDetails, question: Question) -> str:
    noun, context = said(question.ask.noun), details.get("ctx", {})
    match details["type"]:
        case "instead":
            return said(details["msg"])
        case "rule":
            return said("{what} {is_wrong}").format(what=_upper(noun), is_wrong=said(details["msg"]))
        case "string_too_long":
            most = f"{context['max_length']:,}"
            return said("{what} must be {most} characters or fewer").format(what=_upper(noun), most=most)
        case "string_pattern_mismatch" if question.ask.wrong:
            return said(question.ask.wrong)
        case "greater_than_equal":
            return said("{what} must be {least} or more").format(what=_upper(noun), least=f"{context['ge']:,}")
        case "less_than_equal":
            return said("{what} must be {most} or less").format(what=_upper(noun), most=f"{context['le']:,}")
        case "too_long":
            many = said("{verb} no more than {most} {what}")
            return many.format(verb=_verb(question), most=context["max_length"], what=noun)
    return _not_answered(question) if _is_blank(details) else _misfit(details, question)


def _is_blank(details: ErrorDetails) -> bool:
    return details["type"] == "missing" or (details["input"] is None and details["type"] != "wrong_type")


def _not_answered(question: Question) -> str:
    usual = said("{verb} {what}").format(verb=_verb(question), what=said(question.ask.noun))
    return said(question.ask.missing) or usual


def _misfit(details: ErrorDetails, question: Question) -> str:
    if question.kind == "choice" or details["type"] == "literal_error":
        *others, last = question.ask.options
        return f"{_not_answered(question)}: {', '.join(others)}{' or ' if others else ''}{last}"
    shape = said(_SHAPES.get(question.kind, "text"))
    return said("{what} must be {shape}").format(what=_upper(said(question.ask.noun)), shape=shape)


def _verb(question: Question) -> str:
    return said("Select" if question.ask.options else "Enter")


def _upper(noun: str) -> str:
    return noun[0].upper() + noun[1:]
