"""Disposals, what an officer decides about a crime, and the Home Office outcome code behind each."""

from typing import Literal

from chalicelib.errors import FieldError, InvalidAnswers

Disposal = Literal["further_investigation", "filed"]

DISPOSALS = {"further_investigation": "Further investigation", "filed": "Filed and closed"}
NOT_YET_ASSIGNED = 0
NO_SUSPECT_IDENTIFIED = 18
OUTCOMES = {
    NO_SUSPECT_IDENTIFIED: "investigation complete, no suspect identified",
    14: "no suspect identified, and the victim does not support action",
    15: "a suspect is named and the victim supports action, but the evidence does not suffice",
    16: "a suspect is named, and the victim does not support action",
    20: "another body takes it further",
    21: "further investigation is not in the public interest",
}
"""Those behind “filed”, in words; the usual one first."""
FILED_OUTCOMES = tuple(sorted(OUTCOMES))


def outcome_for(disposal: Disposal, outcome: int | None, suspect_named: bool) -> int:
    """The outcome code to record: the usual one of the disposal if none is given.

    Source: Home Office crime outcomes framework; 18 is "investigation complete, no suspect identified", so it does
    not fit when a suspect is named. Raises InvalidAnswers for a code that does not fit.
    """
    usual = NOT_YET_ASSIGNED if disposal == "further_investigation" else NO_SUSPECT_IDENTIFIED
    chosen = usual if outcome is None else outcome
    allowed: tuple[int, ...] = (NOT_YET_ASSIGNED,) if disposal == "further_investigation" else FILED_OUTCOMES
    if suspect_named:
        allowed = tuple(code for code in allowed if code != NO_SUSPECT_IDENTIFIED)
    if chosen in allowed:
        return chosen
    why = "A suspect is named, so 18 cannot be used. " if chosen == NO_SUSPECT_IDENTIFIED and suspect_named else ""
    message = f"{why}Enter an outcome that fits: {', '.join(map(str, allowed))}"
    raise InvalidAnswers(errors=[FieldError("outcome", message)])
