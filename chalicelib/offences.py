"""Home Office offence codes: the dated table, and the code that answers suggest. An officer confirms or changes it.

Source: Home Office Counting Rules, codes in use since 2017/18. Residential burglary was divided anew in April 2023: a
force that records under the later codes ends the old rows with `until` and adds its own below. Nothing else knows a
code's meaning.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any


@dataclass(frozen=True)
class Offence:
    """One row: valid from `since` until the day before `until`."""

    code: str
    title: str
    since: date = date(2017, 4, 1)
    until: date | None = None


@dataclass(frozen=True)
class Suggestion:
    """A code with the answer that decided it."""

    code: str
    title: str
    because: str


OFFENCES = (
    Offence("28E", "Burglary – residential"),
    Offence("28F", "Attempted burglary – residential"),
    Offence("28G", "Distraction burglary – residential"),
    Offence("28H", "Attempted distraction burglary – residential"),
    Offence("29A", "Aggravated burglary – residential"),
    Offence("30C", "Burglary – business and community"),
    Offence("30D", "Attempted burglary – business and community"),
    Offence("31A", "Aggravated burglary – business and community"),
    Offence("39", "Theft from the person"),
    Offence("40", "Theft in a dwelling"),
    Offence("41", "Theft by an employee"),
    Offence("42", "Theft of mail"),
    Offence("43", "Dishonest use of electricity"),
    Offence("44", "Theft of a pedal cycle"),
    Offence("45", "Theft from a vehicle"),
    Offence("46", "Shoplifting"),
    Offence("47", "Theft from a machine or meter"),
    Offence("48", "Theft of a motor vehicle"),
    Offence("49", "Other theft"),
    Offence("49A", "Making off without payment"),
    Offence("126", "Interfering with a motor vehicle"),
    Offence("56A", "Arson endangering life"),
    Offence("56B", "Arson not endangering life"),
    Offence("58A", "Criminal damage to a dwelling"),
    Offence("58B", "Criminal damage to a building other than a dwelling"),
    Offence("58C", "Criminal damage to a vehicle"),
    Offence("58D", "Other criminal damage"),
    Offence("58J", "Racially or religiously aggravated criminal damage"),
)

_THEFT = {
    "from_person": "39", "from_home": "40", "by_employee": "41", "mail": "42", "electricity": "43", "pedal_cycle": "44",
    "from_vehicle": "45", "from_shop": "46", "from_machine": "47", "of_vehicle": "48", "without_paying": "49A",
    "vehicle_interference": "126",
}  # fmt: skip
_DAMAGE = {"home": "58A", "other_building": "58B", "vehicle": "58C"}


def find(code: str, on: date) -> Offence | None:
    """The offence that `code` meant on a day."""
    return next((offence for offence in in_force(on) if offence.code == code), None)


def in_force(on: date) -> Iterator[Offence]:
    """The table of a day."""
    return (row for row in OFFENCES if row.since <= on and (row.until is None or on < row.until))


def suggest(category: str, answers: Mapping[str, Any], on: date) -> Suggestion:
    """The most likely offence for the answers and what decided it."""
    about, harm = answers.get("about", {}), answers.get("harm", {})
    code, because = {"burglary": _burglary, "theft": _theft, "criminal_damage": _damage}[category](about, harm)
    offence = find(code, on)
    return Suggestion(code, offence.title if offence else "", because)


def _burglary(about: Mapping[str, Any], harm: Mapping[str, Any]) -> tuple[str, str]:
    kind = about.get("kind")  # from 2017 the rules count sheds and garages of a home as residential
    home = kind in ("home", "garage_or_shed", "unknown") or about.get("attached") == "yes"
    where = "a home or part of one" if home else "a building that is not a home"
    if harm.get("weapon") == "yes":
        return ("29A" if home else "31A"), f"{where}, with a weapon"
    attempted = about.get("entered") == "no"
    if home and about.get("entry_method") == "tricked":
        return ("28H" if attempted else "28G"), "somebody was tricked to let them in"
    because = f"{where}, they did not get in" if attempted else where
    return {(True, False): "28E", (True, True): "28F", (False, False): "30C", (False, True): "30D"}[
        (home, attempted)
    ], because


def _theft(about: Mapping[str, Any], _: Mapping[str, Any]) -> tuple[str, str]:
    kind = about.get("kind", "other")
    return _THEFT.get(kind, "49"), f"what was taken and from where: {kind.replace('_', ' ')}"


def _damage(about: Mapping[str, Any], harm: Mapping[str, Any]) -> tuple[str, str]:
    if about.get("fire") == "yes":
        inside = about.get("people_inside") == "yes"
        return ("56A", "set on fire with people inside") if inside else ("56B", "set on fire")
    if {"race", "religion"} & set(harm.get("hate", [])):
        return "58J", "hostility because of race or religion"
    kind = about.get("kind", "other")
    return _DAMAGE.get(kind, "58D"), f"what was damaged: {kind.replace('_', ' ')}"
