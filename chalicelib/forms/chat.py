"""What the live chat asks a visitor, and the one form in which messages are kept."""

from typing import Annotated

from pydantic import Field, ValidationError

from chalicelib.chat import LONGEST
from chalicelib.errors import InvalidAnswers
from chalicelib.forms.messages import field_errors
from chalicelib.forms.questions import Ask, Section


class Message(Section):
    """One message."""

    text: Annotated[str, Field(max_length=LONGEST), Ask("Your message", "your message", long=True)]


def read_message(text: str) -> str:
    """A message in its regular form. Raises InvalidAnswers."""
    try:
        return Message.model_validate({"text": text}).text
    except ValidationError as error:
        raise InvalidAnswers(errors=field_errors(Message, error)) from None
