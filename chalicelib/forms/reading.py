"""From what was sent to a `Submission`, or to the refusal that says what needs attention."""

import json
from datetime import date
from typing import Any, NamedTuple

from pydantic import ValidationError

from chalicelib.errors import FieldError, InvalidAnswers, SentElsewhere, Unreadable
from chalicelib.forms import pairs as form
from chalicelib.forms.categories import CATEGORIES, Submission
from chalicelib.forms.messages import field_errors


class _Elsewhere(NamedTuple):
    """An answer that means the person needs somebody else, now."""

    where: str
    field: str
    answer: str
    detail: str


_EMERGENCY = _Elsewhere(
    "emergency",
    "emergency",
    "yes",
    "Call 999 now. If you cannot speak, press 55 when asked. If you cannot hear or speak on the telephone, text 999 "
    "or use 999 BSL. Do not use this form in an emergency: nothing you entered has been stored.",
)
_ROBBERY = (
    "Taking something with force or threats is robbery. Call 999 if anyone is in danger or it has just happened, "
    "otherwise call 101. Nothing you entered has been stored."
)
_NOT_THEFT = [
    _Elsewhere("robbery", "about.force_used", "yes", _ROBBERY),
    _Elsewhere("robbery", "harm.weapon", "yes", _ROBBERY),
    _Elsewhere(
        "fraud",
        "about.kind",
        "fraud",
        "Report fraud and online crime to Report Fraud, online or on 0300 123 2040. "
        "Nothing you entered has been stored.",
    ),
    _Elsewhere(
        "lost_property",
        "about.kind",
        "lost_property",
        "Lost property is not a crime, so this form is not for it. Ask at the place where you may have lost it. "
        "Nothing you entered has been stored.",
    ),
]


def read_json(body: bytes | str, today: date) -> Submission:
    """The submission in a JSON body. Raises Unreadable, SentElsewhere or InvalidAnswers."""
    try:
        sent = json.loads(body if isinstance(body, str) else body.decode(), parse_constant=_refuse_constant)
    except (ValueError, RecursionError):  # raised again outside, so that no trace carries the body
        sent = None
    if not isinstance(sent, dict):
        raise Unreadable("Send one JSON object, in UTF-8.")
    return read(sent, today)


def read_form(category: str, pairs: form.Pairs, today: date) -> Submission:
    """The submission in the pairs of a posted form. Raises SentElsewhere or InvalidAnswers."""
    answers = form.answers(pairs, CATEGORIES.get(category, Submission))
    return read({**answers, "category": category}, today)


def canonical(submission: Submission) -> dict[str, Any]:
    """Its answers as values of JSON, in the one form that equal submissions have: without unanswered questions."""
    return _without_empty(submission.model_dump(mode="json", exclude_none=True))


def _refuse_constant(name: str) -> None:
    raise ValueError(name)  # NaN and Infinity are not JSON


def read(sent: dict[str, Any], today: date) -> Submission:
    _send_elsewhere(sent)
    model = _model(sent.get("category"))
    try:
        return model.model_validate(sent, context={"today": today})
    except ValidationError as error:
        errors = field_errors(model, error)
    raise InvalidAnswers(errors=errors)


def _send_elsewhere(sent: dict[str, Any]) -> None:
    for rule in [_EMERGENCY, *(_NOT_THEFT if sent.get("category") == "theft" else [])]:
        if _said(sent, rule.field) == rule.answer:
            raise SentElsewhere(rule.where, rule.field, rule.detail)


def _said(sent: Any, field: str) -> str:
    for name in field.split("."):
        sent = sent.get(name) if isinstance(sent, dict) else None
    return sent.strip() if isinstance(sent, str) else ""


def _model(category: Any) -> type[Submission]:
    if isinstance(category, str) and category in CATEGORIES:
        return CATEGORIES[category]
    raise InvalidAnswers(errors=[FieldError("category", "Select burglary, theft or criminal damage")])


def _without_empty(section: dict[str, Any]) -> dict[str, Any]:
    kept = {name: _without_empty(answer) if isinstance(answer, dict) else answer for name, answer in section.items()}
    return {name: answer for name, answer in kept.items() if answer or not isinstance(answer, dict | list)}
