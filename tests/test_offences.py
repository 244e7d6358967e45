"""The suggested offence for every kind of answer, from domain.md's table, and the dated table itself."""

from datetime import date
from itertools import product
from typing import Any, get_args

import pytest

from chalicelib import offences
from chalicelib.forms.categories import BurglaryKind, DamageKind, EntryMethod, TheftKind
from chalicelib.offences import find, in_force, suggest

DAY = date(2026, 11, 23)
CODES = [
    "28E", "28F", "28G", "28H", "29A", "30C", "30D", "31A",
    "39", "40", "41", "42", "43", "44", "45", "46", "47", "48", "49", "49A", "126",
    "56A", "56B", "58A", "58B", "58C", "58D", "58J",
]  # fmt: skip

# The Home Office Counting Rules in force from 2017 count sheds and garages of a home as residential.
RESIDENTIAL = {"home", "garage_or_shed", "unknown"}
THEFT = {
    "from_person": "39", "from_home": "40", "by_employee": "41", "mail": "42", "electricity": "43",
    "pedal_cycle": "44", "from_vehicle": "45", "from_shop": "46", "from_machine": "47", "of_vehicle": "48",
    "other": "49", "without_paying": "49A", "vehicle_interference": "126",
}  # fmt: skip
DAMAGE = {"home": "58A", "other_building": "58B", "vehicle": "58C", "other": "58D"}
ELSEWHERE = {"fraud", "lost_property"}  # leave the service before anything is stored


def code(category: str, about: dict[str, Any], **harm: Any) -> str:
    return suggest(category, {"about": about, "harm": harm}, DAY).code


@pytest.mark.parametrize("kind", get_args(BurglaryKind))
def test_burglary(kind: str) -> None:
    home, usual = kind in RESIDENTIAL, ("yes", "no", "unknown", None)
    for entered, method, weapon in product(usual, (*get_args(EntryMethod), None), usual):
        said = {"kind": kind, "entered": entered, "entry_method": method}
        about = {name: answer for name, answer in said.items() if answer}
        if weapon == "yes":
            expected = "29A" if home else "31A"
        elif home and method == "tricked":
            expected = "28H" if entered == "no" else "28G"
        elif entered == "no":
            expected = "28F" if home else "30D"
        else:
            expected = "28E" if home else "30C"
        assert code("burglary", about, **({"weapon": weapon} if weapon else {})) == expected, (about, weapon)


def test_a_building_joined_to_a_home_is_residential() -> None:
    assert code("burglary", {"kind": "other", "attached": "yes"}) == "28E"
    assert code("burglary", {"kind": "other", "attached": "no"}) == "30C"


@pytest.mark.parametrize("kind", sorted(set(get_args(TheftKind)) - ELSEWHERE))
def test_theft(kind: str) -> None:
    assert code("theft", {"kind": kind}) == THEFT[kind]


@pytest.mark.parametrize("kind", get_args(DamageKind))
def test_criminal_damage(kind: str) -> None:
    assert code("criminal_damage", {"kind": kind}) == DAMAGE[kind]
    assert code("criminal_damage", {"kind": kind, "fire": "no", "people_inside": "yes"}) == DAMAGE[kind]
    assert code("criminal_damage", {"kind": kind, "fire": "yes"}) == "56B"
    assert code("criminal_damage", {"kind": kind, "fire": "yes", "people_inside": "yes"}) == "56A"
    for hate in ("race", "religion"):
        assert code("criminal_damage", {"kind": kind}, hate=["disability", hate]) == "58J"
    assert code("criminal_damage", {"kind": kind}, hate=["disability"]) == DAMAGE[kind]


@pytest.mark.parametrize("category", ["burglary", "theft", "criminal_damage"])
def test_no_answers_still_give_a_suggestion_that_is_in_the_table(category: str) -> None:
    found = suggest(category, {}, DAY)
    offence = find(found.code, DAY)
    assert offence and found.title == offence.title and found.because


def test_the_suggestion_says_why() -> None:
    found = suggest("burglary", {"about": {"kind": "home", "entered": "no"}}, DAY)
    assert (found.code, found.title) == ("28F", "Attempted burglary – residential")
    assert found.because == "a home or part of one, they did not get in"


def test_the_table_has_the_codes_of_domain_md_once() -> None:
    assert sorted(row.code for row in in_force(DAY)) == sorted(CODES)


def test_a_code_means_what_it_meant_on_the_day(monkeypatch: pytest.MonkeyPatch) -> None:
    april = date(2023, 4, 1)
    table = (offences.Offence("28E", "old", until=april), offences.Offence("28E", "new", since=april))
    monkeypatch.setattr(offences, "OFFENCES", table)
    days = (date(2017, 3, 31), date(2017, 4, 1), date(2023, 3, 31), april)
    found = [find("28E", day) for day in days]
    assert [offence.title if offence else None for offence in found] == [None, "old", "old", "new"]


def test_an_unknown_code_is_none() -> None:
    assert find("28e", DAY) is None and find("", DAY) is None
