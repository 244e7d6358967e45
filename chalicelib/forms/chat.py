"""What the live chat asks a visitor, the one form in which messages are kept, and what of a report they fill in."""

from typing import Annotated, Any

from pydantic import Field, ValidationError

from chalicelib.chat import LONGEST, VISITOR, Conversation
from chalicelib.errors import InvalidAnswers
from chalicelib.forms.categories import Submission
from chalicelib.forms.messages import field_errors
from chalicelib.forms.questions import Ask, Section, by_name


class Message(Section):
    """One message."""

    text: Annotated[str, Field(max_length=LONGEST), Ask("Your message", "your message", long=True)]


def read_message(text: str) -> str:
    """A message in its regular form. Raises InvalidAnswers."""
    try:
        return Message.model_validate({"text": text}).text
    except ValidationError as error:
        raise InvalidAnswers(errors=field_errors(Message, error)) from None


def answers_from(chat: Conversation, category: str) -> dict[str, Any]:
    """What of a form of that category the conversation fills in, as a page wants it: what happened, in the visitor's
    own words up to what the form takes, and how to reach them. All else the advisor asks and fills in.
    """
    words = "\n\n".join(entry.text for entry in chat.entries if entry.what == "said" and entry.by == VISITOR)
    contact = {"full_name": "name", "email": "email", "phone": "phone"}
    return {
        "category": category,
        "what_happened": words[: by_name(Submission)["what_happened"].max_length],
        "contact": {name: chat.visitor[given] for name, given in contact.items() if chat.visitor.get(given)},
    }
