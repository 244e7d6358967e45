"""A report as a team would write it in pydantic. Written once, by hand: it does not move when our own forms do."""

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

YesNo = Literal["yes", "no"]
YesNoUnknown = Literal["yes", "no", "unknown"]
Line = Annotated[str, Field(max_length=200)]
Paragraphs = Annotated[str, Field(max_length=5_000)]
Pounds = Annotated[int, Field(ge=0, le=100_000_000)]
Time = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class AboutBurglary(Part):
    kind: Literal["home", "garage_or_shed", "business", "community_building", "other", "unknown"]
    attached: YesNoUnknown | None = None
    entered: YesNoUnknown | None = None
    occupied: YesNoUnknown | None = None
    entry_point: Line | None = None
    entry_method: Literal["forced", "unlocked", "key", "tricked", "unknown"] | None = None
    keys_taken: YesNoUnknown | None = None
    alarm: YesNoUnknown | None = None


class AboutTheft(Part):
    kind: Literal[
        "from_person", "from_vehicle", "of_vehicle", "pedal_cycle", "from_home", "from_shop", "by_employee", "mail",
        "electricity", "from_machine", "without_paying", "vehicle_interference", "other",
    ]  # fmt: skip
    force_used: Literal["no", "unknown"] | None = None
    vehicle_registration: Line | None = None
    keys_taken: YesNoUnknown | None = None


class AboutDamage(Part):
    kind: Literal["home", "other_building", "vehicle", "other"]
    item: Line | None = None
    how: Paragraphs | None = None
    fire: YesNoUnknown | None = None
    people_inside: YesNoUnknown | None = None
    cost: Pounds | None = None
    vehicle_registration: Line | None = None


class Where(Part):
    address: Annotated[str, Field(max_length=500)] | None = None
    postcode: Annotated[str, Field(pattern=r"^[A-Z]{1,2}[0-9][A-Z0-9]? [0-9][A-Z]{2}$")] | None = None
    in_force_area: YesNoUnknown | None = None


class When(Part):
    precision: Literal["exact", "approximate", "between", "unknown"] | None = None
    start_date: date | None = None
    start_time: Time | None = None
    end_date: date | None = None
    end_time: Time | None = None

    @model_validator(mode="after")
    def in_order(self) -> Self:
        if self.start_date and self.end_date and self.end_date < self.start_date:
            raise ValueError("it cannot have ended before it began")
        return self


class Item(Part):
    type: Line | None = None
    make: Line | None = None
    model: Line | None = None
    serial: Line | None = None
    registration: Line | None = None
    description: Line | None = None
    value: Pounds | None = None


class Suspects(Part):
    known: YesNoUnknown | None = None
    names: Line | None = None
    relationship: (
        Literal["partner", "ex_partner", "family", "friend", "neighbour", "colleague", "acquaintance", "stranger",
                "other"]
        | None
    ) = None  # fmt: skip
    description: Paragraphs | None = None


class Evidence(Part):
    witnesses: YesNoUnknown | None = None
    witness_details: Paragraphs | None = None
    cctv: YesNoUnknown | None = None
    cctv_holder: Line | None = None
    cctv_overwritten_on: date | None = None
    forensic: YesNoUnknown | None = None
    forensic_details: Paragraphs | None = None


class Harm(Part):
    injury: YesNoUnknown | None = None
    weapon: YesNoUnknown | None = None
    hate: list[Literal["race", "religion", "disability", "sexual_orientation", "transgender", "other"]] | None = None
    safety_fears: YesNoUnknown | None = None
    vulnerable: YesNoUnknown | None = None
    under_18: YesNoUnknown | None = None
    details: Paragraphs | None = None


class Contact(Part):
    full_name: Annotated[str, Field(min_length=1, max_length=200)]
    email: Annotated[str, Field(max_length=254, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")] | None = None
    phone: Annotated[str, Field(max_length=40, pattern=r"^[ ()+0-9-]{7,}$")] | None = None
    safe_to_write: YesNo | None = None
    safe_to_call: YesNo | None = None
    safe_times: Line | None = None
    interpreter: Line | None = None
    adjustments: Line | None = None

    @model_validator(mode="after")
    def can_be_reached(self) -> Self:
        if not (self.email or self.phone):
            raise ValueError("an email address or a telephone number is needed")
        return self


class Shared(Part):
    emergency: Literal["no"]
    reporter: Literal["victim", "on_behalf", "witness", "business"]
    where: Where | None = None
    when: When | None = None
    what_happened: Annotated[str, Field(max_length=10_000)] | None = None
    items: Annotated[list[Item], Field(max_length=50)] | None = None
    suspects: Suspects | None = None
    evidence: Evidence | None = None
    harm: Harm | None = None
    contact: Contact
    declaration: Literal["yes"]


class Burglary(Shared):
    category: Literal["burglary"]
    about: AboutBurglary


class Theft(Shared):
    category: Literal["theft"]
    about: AboutTheft


class CriminalDamage(Shared):
    category: Literal["criminal_damage"]
    about: AboutDamage


Report = Annotated[Burglary | Theft | CriminalDamage, Field(discriminator="category")]
