"""The questions of the status pages: who asks, and what they want to tell us later."""

from typing import Annotated

from pydantic import Field, ValidationError

from chalicelib.errors import InvalidAnswers
from chalicelib.forms import pairs as form
from chalicelib.forms.answers import Line
from chalicelib.forms.messages import field_errors
from chalicelib.forms.questions import Ask, Question, Section


class SecondFactor(Section):
    """What only the person who reported knows besides the reference."""

    email: Annotated[Line, Ask("Email address", "your email address")] = None
    phone: Annotated[Line, Ask("Telephone number", "your telephone number")] = None


class WhoAsks(Section):
    """The questions of the status page."""

    reference: Annotated[str, Ask("Reference", "your reference", "Such as 7K3M-9QWP-R2T8", width=20)]
    email: Annotated[str, Ask("Email address", "your email address", "The one in your report", autocomplete="email")]
    phone: Annotated[str, Ask("Or telephone number", "your number", "If you gave no email address", autocomplete="tel")]


class Addition(Section):
    """What somebody tells us after they reported."""

    text: Annotated[
        str,
        Field(max_length=5_000),
        Ask(
            "What do you want to add?",
            "what you want to add",
            "For example something you have found or remembered, or who may have seen it.",
            long=True,
        ),
    ]


def read_addition(pairs: form.Pairs) -> str:
    """The text, in its one regular form. Raises InvalidAnswers."""
    try:
        return Addition.model_validate(form.answers(pairs, Addition)).text
    except ValidationError as error:
        raise InvalidAnswers(errors=field_errors(Addition, error)) from None


def call_back_question(offered: dict[str, str]) -> Question:
    """Which of the times on offer suits, as a question."""
    ask = Ask("When is a good time to call you?", "when we may call you", options=offered)
    return Question("time", "choice", ask, required=True)
