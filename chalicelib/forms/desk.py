"""The forms of the officers' desk: what each move of theirs asks for, with the words of its messages."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, TypeVar

from pydantic import Field, ValidationError, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from chalicelib.disposals import OUTCOMES
from chalicelib.errors import InvalidAnswers
from chalicelib.forms import pairs as form
from chalicelib.forms.answers import Line, RequiredLine
from chalicelib.forms.messages import field_errors
from chalicelib.forms.questions import Ask, Section

Form = TypeVar("Form", bound=Section)

Follows = Literal["further_investigation", "18", "14", "15", "16", "20", "21"]
FOLLOWS = {"further_investigation": "Further investigation"} | {
    str(code): f"Filed and closed. {code}: {words}" for code, words in OUTCOMES.items()
}
REASONS = {
    "no_offence": "No offence in law",
    "contrary_evidence": "Credible evidence to the contrary",
    "victim_unconfirmed": "The victim cannot be traced, or does not confirm",
    "another_force": "Another force’s area: transferred",
    "duplicate": "A duplicate of another report",
}
RESULTS = {
    "requested": "A call-back is needed",
    "no_answer": "No answer",
    "left_message": "Left a message",
    "reached": "Reached",
}
CODES = {
    "C1": "C1: outside the area of this force",
    "C2": "C2: additional verifiable information shows that there was no crime",
    "C3": "C3: a duplicate of another crime",
    "C4": "C4: recorded in error",
}
PRIORITIES = {"urgent": "Urgent", "high": "High", "standard": "Leave it as it is"}

Text = Annotated[str, Field(min_length=1, max_length=4_000)]
_Short = Annotated[str | None, Field(max_length=500)]
_Note = Annotated[Annotated[str | None, Field(max_length=4_000)], Ask("Note for colleagues", "the note", long=True)]
_Follows = Annotated[Follows, Ask("What follows?", "what follows", options=FOLLOWS)]
_DuplicateOf = Annotated[
    Annotated[str | None, Field(max_length=20)],
    Ask("The original", "the reference of the original", "Only for a duplicate, such as 7K3M-9QWP-R2T8", width=20),
]
_Force = Annotated[
    Annotated[str | None, Field(max_length=200)],
    Ask(
        "The other force",
        "the police force that it was transferred to",
        "Only if it goes to another force. Its name only, and nobody’s: it stays when the report is erased",
    ),
]


class Crime(Section):
    """Record it as a crime."""

    offence: Annotated[
        RequiredLine,
        Ask(
            "Offence",
            "an offence code",
            "Such as 28E. To search the table, empty it and type a word",
            width=10,
        ),
    ]
    follows: _Follows
    note: _Note = None


class Disposal(Section):
    """What follows from a crime."""

    follows: _Follows
    note: _Note = None


class _NamesAnother(Section):
    """A decision that names the other report or the other force where its reason calls for it."""

    presumed: ClassVar[dict[str, str]] = {"duplicate_of": "", "force": ""}
    named_by: ClassVar[Mapping[str, str]] = {}
    reason: str

    @field_validator("duplicate_of", "force", check_fields=False)
    @classmethod
    def _named(cls, value: str | None, info: ValidationInfo) -> str | None:
        if not value and cls.named_by.get(info.data.get("reason", "")) == info.field_name:
            raise PydanticCustomError("missing", "")
        return value


class NotCrime(_NamesAnother):
    """Close it without a crime."""

    named_by: ClassVar[Mapping[str, str]] = {"duplicate": "duplicate_of", "another_force": "force"}
    reason: Annotated[
        Literal["no_offence", "contrary_evidence", "victim_unconfirmed", "another_force", "duplicate"],
        Ask("Why is it not a crime?", "the reason", options=REASONS),
    ]
    duplicate_of: _DuplicateOf = None
    force: _Force = None
    rationale: Annotated[Text, Ask("Your rationale", "your rationale", "For colleagues and inspections", long=True)]


class Cancel(_NamesAnother):
    """Cancel a recorded crime."""

    named_by: ClassVar[Mapping[str, str]] = {"C3": "duplicate_of", "C1": "force"}
    reason: Annotated[
        Literal["C1", "C2", "C3", "C4"], Ask("Why is the crime cancelled?", "why it is cancelled", options=CODES)
    ]
    duplicate_of: _DuplicateOf = None
    force: _Force = None
    rationale: Annotated[Text, Ask("Your rationale", "your rationale", "For colleagues and inspections", long=True)]


class CallBack(Section):
    """A call-back asked for or tried."""

    result: Annotated[
        Literal["requested", "no_answer", "left_message", "reached"],
        Ask("How did it go?", "how it went", options=RESULTS),
    ]
    note: _Note = None


class Note(Section):
    """A note on the report."""

    text: Annotated[Text, Ask("Note for colleagues", "the note", long=True)]


class Decline(Section):
    """Why a proposal is not followed."""

    text: Annotated[Text, Ask("Why not?", "why not", "It stays in the history of the report", long=True)]


class Reason(Section):
    """Why a report is held, kept, or held no more."""

    text: Annotated[Text, Ask("Why?", "why", "It stays in the history of the report", long=True)]


class ReasonToErase(Section):
    """Why a report is erased: the only words that are left of it."""

    text: Annotated[
        Text,
        Ask(
            "Why?", "why", "Such as the number of the request, or of the review. It is kept, so name nobody", long=True
        ),
    ]


class Assess(Section):
    """The six letters of THRIVE."""

    threat: Annotated[_Short, Ask("Threat", "the threat", "What, and from whom")] = None
    harm: Annotated[_Short, Ask("Harm", "the harm", "What has happened to people, and may happen")] = None
    risk: Annotated[_Short, Ask("Risk", "the risk", "How likely it is, and how soon")] = None
    investigation: Annotated[_Short, Ask("Investigation", "the lines of inquiry", "What can be found out")] = None
    vulnerability: Annotated[_Short, Ask("Vulnerability", "who is vulnerable", "Who, and why")] = None
    engagement: Annotated[_Short, Ask("Engagement", "the engagement", "What the person needs and expects")] = None
    priority: Annotated[
        Literal["urgent", "high", "standard"] | None,
        Ask("Raise the priority?", "the priority", options=PRIORITIES),
    ] = None


class Pattern(Section):
    """What several reports have in common."""

    text: Annotated[
        Text, Ask("What links them?", "what links them", "For example one street and one night, one way in", long=True)
    ]


class Assign(Section):
    """Who gets the reports."""

    to: Annotated[Line, Ask("Officer", "who gets them")] = None


def read(pairs: form.Pairs, model: type[Form]) -> Form:
    """The form as it was sent, without what is none of its questions. Raises InvalidAnswers."""
    known = [(name, value) for name, value in pairs if name in model.model_fields]
    try:
        return model.model_validate(form.answers(known, model))
    except ValidationError as error:
        raise InvalidAnswers(errors=field_errors(model, error)) from None


def what_follows(choice: str) -> tuple[Literal["further_investigation", "filed"], int | None]:
    """The disposal and the outcome behind a choice."""
    return ("further_investigation", None) if choice == "further_investigation" else ("filed", int(choice))
