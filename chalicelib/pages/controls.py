"""What the GOV.UK components are given for each kind of question."""

from collections.abc import Mapping
from typing import Any

from chalicelib.language import said
from chalicelib.pages.fields import Field

Params = dict[str, Any]
BOLD_LABEL = "govuk-label--s"
BOLD_LEGEND = "govuk-fieldset__legend--s"
SHORT = 20  # letters of all options together that fit beside each other on a telephone


def text(field: Field) -> Params:
    """For `govukInput`; a number is typed as text too, as GOV.UK found that people misuse number inputs."""
    ask = field.question.ask
    return _labelled(field) | {
        "value": field.value,
        "autocomplete": ask.autocomplete or None,
        "inputmode": "numeric" if field.question.kind == "number" else ask.inputmode or None,
        "classes": f"govuk-input--width-{ask.width}" if ask.width else "",
    }


def long_text(field: Field) -> Params:
    """For `govukTextarea`."""
    most = field.question.max_length
    limit = said("You can enter up to {most} characters.").format(most=f"{most:,}") if most else ""
    # HTML drops the first line break after the tag: without one of ours, an answer would lose its own.
    return _labelled(field, limit) | {"value": f"\n{field.value}", "rows": 6}


def radios(field: Field) -> Params:
    """For `govukRadios`."""
    options = field.question.ask.options
    inline = len(options) <= 3 and len("".join(options.values())) <= SHORT
    return _choice(field) | {"value": field.value, "classes": "govuk-radios--inline" if inline else ""}


def checkboxes(field: Field) -> Params:
    """For `govukCheckboxes`: any of several, or one to tick."""
    return _choice(field) | {"values": field.value if isinstance(field.value, list) else [field.value]}


def date(field: Field) -> Params:
    """For `govukDateInput`: one box for each part."""
    boxes = [_box(field, part, value) for part, value in field.value.items()]
    return _messages(field) | {"id": field.id, "items": boxes, "fieldset": _legend(field)}


def _box(field: Field, part: str, value: str) -> Params:
    width = "govuk-input--width-4" if part == "year" else "govuk-input--width-2"
    autocomplete = field.question.ask.autocomplete
    return {
        "id": f"{field.id}-{part}",
        "name": f"{field.name}.{part}",
        "label": said(part.capitalize()),
        "value": value,
        "classes": f"{width} govuk-input--error" if field.error else width,
        "autocomplete": f"{autocomplete}-{part}" if autocomplete else None,
    }


def _choice(field: Field) -> Params:
    options = [{"value": value, "text": said(words)} for value, words in field.question.ask.options.items()]
    return _messages(field) | {
        "idPrefix": field.id,
        "name": field.name,
        "items": options,
        "fieldset": _legend(field),
    }


def _labelled(field: Field, more_hint: str = "") -> Params:
    classes = "govuk-label--l" if field.is_heading else BOLD_LABEL
    label = {"text": field.label, "classes": classes, "isPageHeading": field.is_heading}
    return _messages(field, more_hint) | {"id": field.id, "name": field.name, "label": label}


def _legend(field: Field) -> Mapping[str, Any]:
    classes = "govuk-fieldset__legend--l" if field.is_heading else BOLD_LEGEND
    return {"legend": {"text": field.label, "classes": classes, "isPageHeading": field.is_heading}}


def _messages(field: Field, more_hint: str = "") -> Params:
    hints = [hint for hint in (said(field.question.ask.hint), more_hint) if hint]
    return {
        "hint": {"text": ". ".join(hint.removesuffix(".") for hint in hints)} if hints else None,
        "errorMessage": {"text": field.error, "visuallyHiddenText": said("Error")} if field.error else None,
    }
