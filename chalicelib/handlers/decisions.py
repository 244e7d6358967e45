"""What officers send: the body of each change, with the words of its messages."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from chalicelib.disposals import DISPOSALS, Disposal
from chalicelib.forms.answers import RequiredLine
from chalicelib.forms.desk import REASONS, RESULTS
from chalicelib.forms.questions import Ask, Section
from chalicelib.statistics import NOT_CRIMED_REASONS

assert tuple(REASONS) == NOT_CRIMED_REASONS

Text = Annotated[str, Field(min_length=1, max_length=4_000)]
_Note = Annotated[Annotated[str, Field(max_length=4_000)] | None, Ask("Note", "the note", long=True)]
_Disposal = Annotated[Disposal, Ask("Disposal", "the disposal", options=DISPOSALS)]
_Outcome = Annotated[
    Annotated[int, Field(strict=True, ge=0, le=22)] | None,
    Ask("Outcome", "the Home Office outcome", "A whole number from 0 to 22"),
]


class CallBack(Section):
    """A call-back asked for or tried."""

    result: Annotated[
        Literal["requested", "no_answer", "left_message", "reached"], Ask("Result", "the result", options=RESULTS)
    ]
    note: _Note = None


class CrimeDecision(Section):
    """Record it as a crime."""

    offence: Annotated[RequiredLine, Ask("Offence", "an offence code", "From the offence table, such as 28E")]
    disposal: _Disposal
    outcome: _Outcome = None
    note: _Note = None


class NotCrimeDecision(Section):
    """Close it without a crime; the other report or the other force is named where the reason calls for it."""

    presumed: ClassVar[dict[str, str]] = {"duplicate_of": "", "force": ""}  # so that their rule is asked when left out

    reason: Annotated[
        Literal["no_offence", "contrary_evidence", "victim_unconfirmed", "another_force", "duplicate"],
        Ask("Reason", "the reason", options=REASONS),
    ]
    rationale: Annotated[Text, Ask("Rationale", "the rationale", "Why, in your own words", long=True)]
    duplicate_of: Annotated[
        Annotated[str, Field(max_length=20)] | None,
        Ask("Duplicate of", "the reference of the report that this one repeats"),
    ] = None
    force: Annotated[
        Annotated[str, Field(max_length=200)] | None, Ask("Force", "the police force that it was transferred to")
    ] = None

    @field_validator("duplicate_of", "force")
    @classmethod
    def _named(cls, value: str | None, info: ValidationInfo) -> str | None:
        if not value and _NAMED_BY.get(info.data.get("reason", "")) == info.field_name:
            raise PydanticCustomError("missing", "")
        return value


_NAMED_BY = {"duplicate": "duplicate_of", "another_force": "force"}


class DisposalDecision(Section):
    """What follows from a crime."""

    disposal: _Disposal
    outcome: _Outcome = None
    note: _Note = None


class Note(Section):
    """A note on the report."""

    text: Annotated[Text, Ask("Note", "the note", long=True)]
