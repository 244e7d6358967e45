"""The questions about what happened that all three forms share, in the order of the page."""

from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from chalicelib.forms.answers import (
    DateWithinAYear,
    Line,
    Paragraphs,
    PastDate,
    Postcode,
    Pounds,
    Time,
)
from chalicelib.forms.questions import YES_NO_UNKNOWN, Ask, Section, YesNoUnknown
from chalicelib.forms.text import tail

Reporter = Literal["victim", "on_behalf", "witness", "business"]
Precision = Literal["exact", "approximate", "between", "unknown"]
Relationship = Literal[
    "partner", "ex_partner", "family", "friend", "neighbour", "colleague", "acquaintance", "stranger", "other"
]
Hate = Literal["race", "religion", "disability", "sexual_orientation", "transgender", "other"]

REPORTERS = {
    "victim": "It happened to me",
    "on_behalf": "I am reporting for someone else",
    "witness": "I saw it happen",
    "business": "I am reporting for a business or organisation",
}
PRECISIONS = {
    "exact": "Yes, exactly",
    "approximate": "Roughly",
    "between": "Between two times",
    "unknown": YES_NO_UNKNOWN["unknown"],
}
RELATIONSHIPS = {
    "partner": "Partner, husband or wife",
    "ex_partner": "Former partner, husband or wife",
    "family": "Family member",
    "friend": "Friend",
    "neighbour": "Neighbour",
    "colleague": "Colleague or employee",
    "acquaintance": "Someone I know in another way",
    "stranger": "Stranger",
    "other": "Other",
}
HATES = {
    "race": "Race or ethnicity",
    "religion": "Religion or belief",
    "disability": "Disability",
    "sexual_orientation": "Sexual orientation",
    "transgender": "Transgender identity",
    "other": "Something else",
}


def yes_no_unknown(label: str, noun: str, hint: str = "") -> Ask:
    """A question answered with yes, no or I don't know."""
    return Ask(label, noun, hint, options=YES_NO_UNKNOWN)


def _clock(label: str, noun: str) -> Ask:
    wrong = f"Enter {noun} in the 24-hour clock, like 21:30"
    return Ask(label, noun, "Use the 24-hour clock, for example 21:30", wrong=wrong, width=5)


def _in_order(hates: list[Hate]) -> list[Hate]:
    return [hate for hate in HATES if hate in hates]


class Where(Section):
    """Where it happened."""

    title = "Where it happened"

    address: Annotated[
        str | None,
        Field(max_length=500),
        Ask(
            "Address or place",
            "the address or place",
            "For example a house number and street, a car park, or the stop where you got off the bus",
        ),
    ] = None
    postcode: Annotated[
        Postcode,
        Ask(
            "Postcode",
            "the postcode",
            "Leave it blank if you do not know it",
            width=10,
            wrong="Enter a real postcode, like B1 1AA",
        ),
    ] = None
    in_force_area: Annotated[
        YesNoUnknown | None,
        yes_no_unknown("Did it happen in the area of this police force?", "whether it happened in our area"),
    ] = None


class When(Section):
    """When it happened."""

    title = "When it happened"

    precision: Annotated[
        Precision | None, Ask("Do you know when it happened?", "whether you know when it happened", options=PRECISIONS)
    ] = None
    start_date: Annotated[
        PastDate,
        Ask(
            "Date it happened",
            "the date it happened",
            "Or the earliest date it could have happened, for example 27 1 2019",
        ),
    ] = None
    start_time: Annotated[Time, _clock("Time it happened", "the time it happened")] = None
    end_date: Annotated[
        PastDate,
        Ask(
            "Latest date it could have happened",
            "the latest date",
            "Only if you do not know exactly, for example 28 1 2019",
        ),
    ] = None
    end_time: Annotated[Time, _clock("Latest time it could have happened", "the latest time")] = None

    @field_validator("end_date")
    @classmethod
    def _not_before_start(cls, end: date | None, info: ValidationInfo) -> date | None:
        start = info.data.get("start_date")
        if start and end and end < start:
            raise tail("must be the same as or after the date it happened")
        return end

    @field_validator("end_time")
    @classmethod
    def _not_earlier_that_day(cls, end: str | None, info: ValidationInfo) -> str | None:
        start, same_day = info.data.get("start_time"), info.data.get("start_date") == info.data.get("end_date")
        if start and end and end < start and same_day and info.data.get("end_date"):
            raise tail("must be the same as or after the time it happened")
        return end


class Item(Section):
    """One thing that was taken or damaged."""

    title = "Item"

    type: Annotated[Line, Ask("What is it?", "what the item is", "For example mobile phone, bicycle, cash")] = None
    make: Annotated[Line, Ask("Make", "the make")] = None
    model: Annotated[Line, Ask("Model", "the model")] = None
    serial: Annotated[
        Line,
        Ask(
            "Serial, IMEI or frame number",
            "the serial, IMEI or frame number",
            "It helps us to identify the item if we find it",
        ),
    ] = None
    registration: Annotated[Line, Ask("Vehicle registration", "the vehicle registration", width=10)] = None
    description: Annotated[
        Line, Ask("Description", "the description", "Colour, size, marks, anything that makes it recognisable")
    ] = None
    value: Annotated[Pounds, Ask("Value in pounds", "the value", "Roughly, in whole pounds", width=10)] = None


def _not_empty(items: list[Item]) -> list[Item]:
    return [item for item in items if any(answer is not None for answer in vars(item).values())]


Items = Annotated[list[Item], Field(max_length=50), AfterValidator(_not_empty)]


class Suspects(Section):
    """Who may have done it."""

    title = "Who did it"

    known: Annotated[
        YesNoUnknown | None,
        yes_no_unknown("Do you know, or have an idea, who did it?", "whether you know who did it"),
    ] = None
    names: Annotated[Line, Ask("Their names or nicknames", "their names")] = None
    relationship: Annotated[
        Relationship | None,
        Ask("How does the victim know them?", "how the victim knows them", options=RELATIONSHIPS),
    ] = None
    description: Annotated[
        Paragraphs,
        Ask(
            "Describe them",
            "the description of them",
            "Age, height, build, hair, clothes, accent, vehicle, which way they went",
            long=True,
        ),
    ] = None


class Evidence(Section):
    """What could help to find out who did it."""

    title = "Witnesses and evidence"

    witnesses: Annotated[
        YesNoUnknown | None, yes_no_unknown("Did anyone see or hear it?", "whether anyone saw or heard it")
    ] = None
    witness_details: Annotated[
        Paragraphs, Ask("Who are they, and how can we reach them?", "the details of the witnesses", long=True)
    ] = None
    cctv: Annotated[
        YesNoUnknown | None,
        yes_no_unknown("Is there CCTV, doorbell or dashcam video?", "whether there is video"),
    ] = None
    cctv_holder: Annotated[
        Line, Ask("Who has the video?", "who has the video", "For example you, a neighbour, the shop")
    ] = None
    cctv_overwritten_on: Annotated[
        DateWithinAYear,
        Ask(
            "When will the video be recorded over?",
            "the date the video will be recorded over",
            "Leave it blank if you do not know",
        ),
    ] = None
    forensic: Annotated[
        YesNoUnknown | None,
        yes_no_unknown(
            "Did they leave anything behind?",
            "whether they left anything behind",
            "For example blood, fingerprints, footprints, a tool or clothing",
        ),
    ] = None
    forensic_details: Annotated[Paragraphs, Ask("What, and where is it?", "what they left behind", long=True)] = None


class Harm(Section):
    """Who was hurt, why, and who may be at risk."""

    title = "People affected"

    injury: Annotated[YesNoUnknown | None, yes_no_unknown("Was anyone hurt?", "whether anyone was hurt")] = None
    weapon: Annotated[
        YesNoUnknown | None,
        yes_no_unknown("Was a weapon used, shown or mentioned?", "whether there was a weapon"),
    ] = None
    hate: Annotated[
        list[Hate],
        Field(max_length=len(HATES)),
        AfterValidator(_in_order),
        Ask(
            "Do you think it was because of who the victim is, or who they seemed to be?",
            "reasons",
            "Select all that apply, or none",
            options=HATES,
        ),
    ] = Field(default_factory=list)
    safety_fears: Annotated[
        YesNoUnknown | None,
        yes_no_unknown("Is anyone afraid for their safety now?", "whether anyone is afraid for their safety"),
    ] = None
    vulnerable: Annotated[
        YesNoUnknown | None,
        yes_no_unknown(
            "Does the victim need extra help or care?",
            "whether the victim needs extra help or care",
            "For example because of age, illness, disability, mental health or living alone",
        ),
    ] = None
    under_18: Annotated[
        YesNoUnknown | None, yes_no_unknown("Is the victim under 18?", "whether the victim is under 18")
    ] = None
    details: Annotated[Paragraphs, Ask("Tell us more", "the details of who was affected", long=True)] = None
