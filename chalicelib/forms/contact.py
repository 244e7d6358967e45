"""The questions about the person who reports: the same on all three forms."""

from typing import Annotated, ClassVar

from pydantic import ConfigDict, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from chalicelib.forms.answers import Email, Line, Phone, RequiredLine
from chalicelib.forms.questions import YES_NO, Ask, Section, YesNo
from chalicelib.forms.text import tail


class Contact(Section):
    """Who is reporting, and how we can safely reach them."""

    title = "Your contact details"
    hint = "Give us an email address, a telephone number, or both."
    presumed: ClassVar[dict[str, str]] = {"phone": ""}  # so that its rule is asked even when it is left out
    model_config = ConfigDict(
        json_schema_extra={
            "anyOf": [
                {"required": [name], "properties": {name: {"type": "string", "minLength": 1}}}
                for name in ("email", "phone")
            ]
        }
    )

    full_name: Annotated[RequiredLine, Ask("Your full name", "your full name", autocomplete="name")]
    email: Annotated[
        Email,
        Ask(
            "Email address",
            "your email address",
            wrong="Enter an email address in the correct format, like name@example.com",
            autocomplete="email",
            inputmode="email",
        ),
    ] = None
    phone: Annotated[
        Phone,
        Ask(
            "Telephone number",
            "your telephone number",
            wrong="Enter a telephone number, like 0121 496 0123 or 07700 900123",
            autocomplete="tel",
            inputmode="tel",
            width=20,
        ),
    ] = None
    safe_to_write: Annotated[
        YesNo | None, Ask("Is it safe for us to email you?", "whether it is safe to email you", options=YES_NO)
    ] = None
    safe_to_call: Annotated[
        YesNo | None, Ask("Is it safe for us to call you?", "whether it is safe to call you", options=YES_NO)
    ] = None
    safe_times: Annotated[Line, Ask("When is a good and safe time to call?", "good times to call")] = None
    interpreter: Annotated[
        Line, Ask("Do you need an interpreter? Which language?", "the language", "Including British Sign Language")
    ] = None
    adjustments: Annotated[
        Line, Ask("Is there anything else that would make it easier to talk to us?", "what would make it easier")
    ] = None

    @field_validator("full_name")
    @classmethod
    def _no_web_address(cls, name: str) -> str:
        """We write to an address that nobody has proved is theirs: the letter must not carry an advertisement."""
        if "://" in name or "www." in name.lower():
            raise tail("must not include a web address")
        return name

    @field_validator("phone")
    @classmethod
    def _email_or_phone(cls, phone: str | None, info: ValidationInfo) -> str | None:
        if not phone and not info.data.get("email"):
            raise PydanticCustomError("instead", "Enter an email address or a telephone number", {"field": "email"})
        return phone
