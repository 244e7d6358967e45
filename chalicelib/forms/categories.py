"""The three forms: what is asked about a burglary, a theft and criminal damage, around the questions they share."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from chalicelib.forms.answers import Line, Paragraphs, Pounds
from chalicelib.forms.contact import Contact
from chalicelib.forms.questions import YES_NO, YES_NO_UNKNOWN, Ask, Section, YesNo, YesNoUnknown
from chalicelib.forms.sections import (
    REPORTERS,
    Evidence,
    Harm,
    Items,
    Reporter,
    Suspects,
    When,
    Where,
    yes_no_unknown,
)

BurglaryKind = Literal["home", "garage_or_shed", "business", "community_building", "other", "unknown"]
EntryMethod = Literal["forced", "unlocked", "key", "tricked", "unknown"]
TheftKind = Literal[
    "from_person",
    "from_vehicle",
    "of_vehicle",
    "pedal_cycle",
    "from_home",
    "from_shop",
    "by_employee",
    "mail",
    "electricity",
    "from_machine",
    "without_paying",
    "vehicle_interference",
    "fraud",
    "lost_property",
    "other",
]
DamageKind = Literal["home", "other_building", "vehicle", "other"]

BURGLARY_KINDS = {
    "home": "A home",
    "garage_or_shed": "A garage, shed or outbuilding of a home",
    "business": "A business, shop or office",
    "community_building": "A community building, such as a school, church or club",
    "other": "Another building",
    "unknown": YES_NO_UNKNOWN["unknown"],
}
ENTRY_METHODS = {
    "forced": "They forced a door, window or lock",
    "unlocked": "Something was open or unlocked",
    "key": "They had a key or code",
    "tricked": "They tricked someone into letting them in",
    "unknown": YES_NO_UNKNOWN["unknown"],
}
THEFT_KINDS = {
    "from_person": "Something a person was carrying or wearing",
    "from_vehicle": "Something from a vehicle, or a part of it",
    "of_vehicle": "A vehicle",
    "pedal_cycle": "A bicycle",
    "from_home": "Something from a home, by someone who was allowed in",
    "from_shop": "Something from a shop",
    "by_employee": "Something from an employer",
    "mail": "Letters or parcels",
    "electricity": "Electricity",
    "from_machine": "Something from a machine or meter",
    "without_paying": "Someone left without paying, for example for fuel, a meal or a taxi",
    "vehicle_interference": "Nothing was taken, but someone tampered with a vehicle",
    "fraud": "Money lost to a scam, a fraud or online",
    "lost_property": "I may have lost it",
    "other": "Something else",
}
DAMAGE_KINDS = {
    "home": "A home",
    "other_building": "Another building",
    "vehicle": "A vehicle",
    "other": "Something else",
}

_REGISTRATION = Ask("Vehicle registration", "the vehicle registration", "If a vehicle was involved", width=10)
_KEYS_TAKEN = yes_no_unknown("Were any keys taken?", "whether any keys were taken", "House, car or work keys")


class AboutBurglary(Section):
    """What is asked of a burglary alone."""

    title = "About the burglary"

    kind: Annotated[
        BurglaryKind,
        Ask("What kind of building was it?", "what kind of building it was", options=BURGLARY_KINDS),
    ]
    attached: Annotated[
        YesNoUnknown | None,
        yes_no_unknown(
            "Is the building joined to a home?",
            "whether the building is joined to a home",
            "For example a garage with a door into the house",
        ),
    ] = None
    entered: Annotated[YesNoUnknown | None, yes_no_unknown("Did they get in?", "whether they got in")] = None
    occupied: Annotated[YesNoUnknown | None, yes_no_unknown("Was anyone in at the time?", "whether anyone was in")] = (
        None
    )
    entry_point: Annotated[
        Line, Ask("Where did they get in, or try to?", "where they got in", "For example the kitchen window")
    ] = None
    entry_method: Annotated[
        EntryMethod | None, Ask("How did they get in, or try to?", "how they got in", options=ENTRY_METHODS)
    ] = None
    keys_taken: Annotated[YesNoUnknown | None, _KEYS_TAKEN] = None
    alarm: Annotated[YesNoUnknown | None, yes_no_unknown("Did an alarm go off?", "whether an alarm went off")] = None


class AboutTheft(Section):
    """What is asked of a theft alone."""

    title = "About the theft"

    kind: Annotated[TheftKind, Ask("What was taken?", "what was taken", options=THEFT_KINDS)]
    force_used: Annotated[
        YesNoUnknown | None,
        yes_no_unknown(
            "Was anyone hurt, threatened or pushed to take it?", "whether anyone was hurt, threatened or pushed"
        ),
    ] = None
    vehicle_registration: Annotated[Line, _REGISTRATION] = None
    keys_taken: Annotated[YesNoUnknown | None, _KEYS_TAKEN] = None


class AboutDamage(Section):
    """What is asked of criminal damage alone."""

    title = "About the damage"

    kind: Annotated[DamageKind, Ask("What was damaged?", "what was damaged", options=DAMAGE_KINDS)]
    item: Annotated[
        Line, Ask("Which part or thing was damaged?", "which part was damaged", "For example the front window")
    ] = None
    how: Annotated[Paragraphs, Ask("How was it damaged?", "how it was damaged", long=True)] = None
    fire: Annotated[YesNoUnknown | None, yes_no_unknown("Was there a fire?", "whether there was a fire")] = None
    people_inside: Annotated[
        YesNoUnknown | None, yes_no_unknown("Was anyone inside at the time?", "whether anyone was inside")
    ] = None
    cost: Annotated[
        Pounds,
        Ask("What will it cost to repair or replace, in pounds?", "the cost", "Roughly, in whole pounds", width=10),
    ] = None
    vehicle_registration: Annotated[Line, _REGISTRATION] = None


class Submission(Section):
    """What one person tells us in one go: the questions that every category shares, in the order of the page."""

    presumed: ClassVar[dict[str, Any]] = {"about": {}, "contact": {}}  # so that their questions are asked

    category: str
    emergency: Annotated[
        YesNo,
        Ask(
            "Is it happening now, is the offender nearby, or is anyone hurt or in danger?",
            "whether it is an emergency",
            options=YES_NO,
            missing="Select yes if it is happening now, the offender is nearby, or anyone is hurt or in danger",
        ),
    ]
    reporter: Annotated[Reporter, Ask("Who are you?", "who you are", options=REPORTERS)]
    about: Annotated[Section, Ask("About it", "what you tell us about it")]
    where: Annotated[Where, Ask(Where.title, "where it happened")] = Field(default_factory=Where)
    when: Annotated[When, Ask(When.title, "when it happened")] = Field(default_factory=When)
    what_happened: Annotated[
        str | None,
        Field(max_length=10_000),
        Ask(
            "What happened?",
            "what happened",
            "Tell us in your own words. Do not worry about leaving something out: we can ask you later.",
            long=True,
        ),
    ] = None
    items: Annotated[Items, Ask("Items", "items", "List each thing that was taken or damaged")] = Field(
        default_factory=list
    )
    suspects: Annotated[Suspects, Ask(Suspects.title, "who did it")] = Field(default_factory=Suspects)
    evidence: Annotated[Evidence, Ask(Evidence.title, "the evidence")] = Field(default_factory=Evidence)
    harm: Annotated[Harm, Ask(Harm.title, "the people affected")] = Field(default_factory=Harm)
    contact: Annotated[Contact, Ask(Contact.title, "your contact details")]
    declaration: Annotated[
        Literal["yes"],
        Ask(
            "Declaration",
            "the declaration",
            options={"yes": "What I have told you is true as far as I know"},
            missing="Confirm that what you have told us is true as far as you know",
        ),
    ]


class Burglary(Submission):
    """A report of a burglary."""

    category: Literal["burglary"]
    about: Annotated[AboutBurglary, Ask(AboutBurglary.title, "about the burglary")]


class Theft(Submission):
    """A report of a theft."""

    category: Literal["theft"]
    about: Annotated[AboutTheft, Ask(AboutTheft.title, "about the theft")]


class CriminalDamage(Submission):
    """A report of criminal damage."""

    category: Literal["criminal_damage"]
    about: Annotated[AboutDamage, Ask(AboutDamage.title, "about the damage")]


CATEGORIES: dict[str, type[Submission]] = {"burglary": Burglary, "theft": Theft, "criminal_damage": CriminalDamage}
TITLES = {"burglary": "Burglary", "theft": "Theft", "criminal_damage": "Criminal damage"}
