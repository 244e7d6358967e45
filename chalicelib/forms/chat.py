"""What the live chat asks a visitor, the one form in which messages are kept, and what of a report they fill in."""

from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field, ValidationError, field_validator

from chalicelib.chat import LONGEST, VISITOR, Conversation
from chalicelib.errors import InvalidAnswers, SentElsewhere
from chalicelib.forms import pairs as form
from chalicelib.forms.answers import Email, Phone
from chalicelib.forms.categories import TITLES, Submission
from chalicelib.forms.contact import Contact
from chalicelib.forms.messages import field_errors
from chalicelib.forms.questions import YES_NO, Ask, Section, YesNo, by_name
from chalicelib.forms.sections import Reporter
from chalicelib.forms.text import tail

Model = TypeVar("Model", bound=Section)

_EMAIL, _PHONE, _OF_REPORTS = by_name(Contact)["email"].ask, by_name(Contact)["phone"].ask, by_name(Submission)
_EMERGENCY = Ask(
    "Is it happening now, or is anyone in danger?",
    "whether it is an emergency",
    options=YES_NO,
    missing="Select yes if it is happening now, or anyone is in danger",
)


class Message(Section):
    """One message."""

    text: Annotated[str, Field(max_length=LONGEST), Ask("Your message", "your message", long=True)]


class Beginning(Section):
    """What is asked before a conversation."""

    emergency: Annotated[YesNo, _EMERGENCY]
    name: Annotated[
        str,
        Field(max_length=100),
        Ask("What should we call you?", "what we should call you", "A first name is enough", autocomplete="given-name"),
    ]
    text: Annotated[
        str,
        Field(max_length=LONGEST),
        Ask("What do you want to tell us or ask?", "what you want to tell us or ask", long=True),
    ]
    email: Annotated[
        Email,
        Ask(
            "Email address", "your email address", "So that we can write to you if the chat breaks off",
            wrong=_EMAIL.wrong, autocomplete="email", inputmode="email",
        ),
    ] = None  # fmt: skip
    phone: Annotated[
        Phone,
        Ask(
            "Telephone number", "your telephone number", "So that we can call you if the chat breaks off",
            wrong=_PHONE.wrong, autocomplete="tel", inputmode="tel", width=20,
        ),
    ] = None  # fmt: skip

    @field_validator("name")
    @classmethod
    def _no_web_address(cls, name: str) -> str:
        """It stands in a letter to an address that nobody has proved is theirs."""
        if "://" in name or "www." in name.lower():
            raise tail("must not include a web address")
        return name


class Left(Section):
    """What is asked of somebody who leaves a message while the chat is closed: it begins a report."""

    emergency: Annotated[YesNo, _EMERGENCY]
    category: Annotated[
        Literal["burglary", "theft", "criminal_damage"],
        Ask("What is it about?", "what it is about", options=TITLES),
    ]
    reporter: Annotated[Reporter, _OF_REPORTS["reporter"].ask]
    what_happened: Annotated[str, Field(max_length=10_000), _OF_REPORTS["what_happened"].ask]


def read_message(text: str) -> str:
    """A message in its regular form. Raises InvalidAnswers."""
    try:
        return Message.model_validate({"text": text}).text
    except ValidationError as error:
        raise InvalidAnswers(errors=field_errors(Message, error)) from None


def read_beginning(pairs: form.Pairs) -> tuple[dict[str, str], str]:
    """The visitor, and the first message. Raises SentElsewhere in an emergency, or InvalidAnswers."""
    begun = _read(Beginning, pairs)
    visitor = {"name": begun.name, "email": begun.email, "phone": begun.phone}
    return {name: said for name, said in visitor.items() if said}, begun.text


def read_left(pairs: form.Pairs) -> tuple[str, dict[str, str]]:
    """The category of a message that is left, and what it says as answers of a report. Raises SentElsewhere in an
    emergency, or InvalidAnswers.
    """
    left = _read(Left, pairs).model_dump()
    return left.pop("category"), left


def _read(model: type[Model], pairs: form.Pairs) -> Model:
    """Whoever is in danger is sent to 999, whatever else is wrong."""
    answers = form.answers(pairs, model)
    if answers.get("emergency") == "yes":
        raise SentElsewhere("emergency", "emergency", "Call 999 now.")
    try:
        return model.model_validate(answers)
    except ValidationError as error:
        raise InvalidAnswers(errors=field_errors(model, error)) from None


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
