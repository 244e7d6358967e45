"""Invented people and what they report. Nobody here exists: names are made up, telephone numbers are those that Ofcom
keeps for drama, and mail to the addresses goes nowhere."""

import json
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from faker import Faker

from chalicelib.forms import canonical, read_json
from chalicelib.report_items import written
from chalicelib.times import local

_CATEGORIES = {"burglary": 22, "theft": 51, "criminal_damage": 27}
_KINDS = {
    "burglary": {"home": 55, "garage_or_shed": 25, "business": 12, "community_building": 4, "other": 3, "unknown": 1},
    "theft": {"from_vehicle": 26, "pedal_cycle": 14, "from_person": 12, "from_shop": 10, "of_vehicle": 8, "mail": 7,
              "without_paying": 6, "from_home": 5, "vehicle_interference": 4, "by_employee": 2, "from_machine": 1,
              "electricity": 1, "other": 4},
    "criminal_damage": {"vehicle": 52, "home": 26, "other_building": 12, "other": 10},
}  # fmt: skip
_STORIES = {
    "burglary": (
        "When I came back the {part} had been forced and the drawers were on the floor.",
        "I heard a noise in the night, and in the morning the {part} was open.",
        "The alarm company rang. Somebody had come in by the {part} and left in a hurry.",
    ),
    "theft": (
        "I left it for a few minutes, and when I came back it was gone.",
        "It was there in the evening and missing in the morning.",
        "I noticed on the way home that it had been taken.",
    ),
    "criminal_damage": (
        "I found it scratched from one end to the other.",
        "Somebody threw a stone at it and ran away.",
        "It was kicked in during the night, not for the first time this year.",
    ),
}
_PARTS = ("kitchen window", "back door", "patio door", "side gate", "bathroom window")
_ITEMS = {
    "burglary": (("Laptop", "Lenovo", 600), ("Television", "Samsung", 450), ("Ring", "", 900), ("Cash", "", 120)),
    "theft": (("Telephone", "Apple", 700), ("Bicycle", "Carrera", 350), ("Drill", "Makita", 180), ("Wallet", "", 60)),
    "criminal_damage": (("Wing mirror", "", 160), ("Window", "", 220), ("Fence", "", 140), ("Tyre", "", 90)),
}
_DOUBTS = {
    "no_offence": "It may have been the wind, or I may have put it somewhere else: nobody was near.",
    "contrary_evidence": "My neighbour says that it was like this last week already.",
    "victim_unconfirmed": "I was told about it by somebody else and do not know whose it is.",
    "another_force": "It happened while I was visiting Leicester.",
    "duplicate": "I have sent this before and am not sure that it arrived.",
}
_POSTCODES = {"another_force": ("LE# #??",)}
_OURS = ("B## #??", "CV# #??", "WV# #??", "WS# #??", "DY# #??")
_LETTERS = "ABDEFGHJLNPQRSTUWXYZ"  # those that the last part of a postcode uses


class People:
    """Makes reports; the same seed makes the same people."""

    def __init__(self, seed: str) -> None:
        self._chance, self._fake = Random(seed), Faker("en_GB")
        self._fake.seed_instance(seed)

    def report(self, at: datetime, reason: str, scant: bool) -> dict[str, Any]:
        """A report sent `at`. One that is not to be crimed has words to that effect; a `scant` one lacks much."""
        category = self._pick(_CATEGORIES)
        return {
            "category": category,
            "emergency": "no",
            "reporter": self._pick({"victim": 82, "on_behalf": 8, "business": 7, "witness": 3}),
            "about": self._about(category),
            "where": {} if scant else self._where(reason),
            "when": self._when(local(at)),
            "what_happened": self._story(category, reason),
            "items": [] if scant else self._items(category),
            "suspects": self._suspects(),
            "evidence": self._evidence(local(at).date()),
            "harm": {name: self._maybe(0.04) for name in ("safety_fears", "vulnerable")},
            "contact": self._contact(),
            "declaration": "yes",
        }

    def again(self, report: Mapping[str, Any]) -> dict[str, Any]:
        """The same report from the same person once more."""
        return {**report, "what_happened": f"{report['what_happened']} {_DOUBTS['duplicate']}"}

    def _about(self, category: str) -> dict[str, Any]:
        about: dict[str, Any] = {"kind": self._pick(_KINDS[category])}
        match category:
            case "burglary":
                how = self._pick({"forced": 60, "unlocked": 22, "unknown": 12, "tricked": 3, "key": 3})
                more: dict[str, Any] = {
                    "entered": self._pick({"yes": 80, "no": 20}),
                    "occupied": self._maybe(0.15),
                    "entry_method": how,
                }
                return about | more | {"entry_point": self._chance.choice(_PARTS), "keys_taken": self._maybe(0.05)}
            case "theft":
                return about | {"force_used": "no"} | self._registration(about["kind"])
        more = {"item": self._chance.choice(_ITEMS[category])[0], "cost": self._chance.randrange(50, 900, 10)}
        return about | more | {"fire": self._maybe(0.02)} | self._registration(about["kind"])

    def _registration(self, kind: str) -> dict[str, str]:
        return {"vehicle_registration": self._fake.bothify("B?1# ???").upper()} if "vehicle" in kind else {}

    def _where(self, reason: str) -> dict[str, str]:
        pattern = self._chance.choice(_POSTCODES.get(reason, _OURS))
        return {
            "address": self._fake.street_address().replace("\n", ", "),
            "postcode": self._fake.bothify(pattern.replace("#", "%"), letters=_LETTERS),
            "in_force_area": "no" if reason == "another_force" else "yes",
        }

    def _when(self, at: datetime) -> dict[str, str]:
        found = at - timedelta(minutes=self._chance.randint(5, 2_880))
        before = found - timedelta(minutes=self._chance.randint(5, 720))
        end = {"end_date": f"{found:%Y-%m-%d}", "end_time": f"{found:%H:%M}"}
        return {"precision": "between", "start_date": f"{before:%Y-%m-%d}", "start_time": f"{before:%H:%M}", **end}

    def _story(self, category: str, reason: str) -> str:
        story = self._chance.choice(_STORIES[category]).format(part=self._chance.choice(_PARTS))
        return f"{story} {_DOUBTS[reason]}" if reason else story

    def _items(self, category: str) -> list[dict[str, Any]]:
        kinds = self._chance.sample(_ITEMS[category], self._chance.randint(1, 3))
        return [{"type": kind, "make": make, "value": value} for kind, make, value in kinds]

    def _suspects(self) -> dict[str, str]:
        if self._chance.random() > 0.12:
            return {"known": "no"}
        who = self._pick({"neighbour": 50, "acquaintance": 30, "ex_partner": 10, "family": 10})
        return {"known": "yes", "names": self._fake.first_name(), "relationship": who}

    def _evidence(self, today: date) -> dict[str, str]:
        evidence = {name: self._maybe(0.12) for name in ("witnesses", "forensic")}
        if self._chance.random() > 0.25:
            return {**evidence, "cctv": "no"}
        until = today + timedelta(days=self._chance.randint(3, 30))
        return {**evidence, "cctv": "yes", "cctv_holder": "The shop opposite", "cctv_overwritten_on": until.isoformat()}

    def _contact(self) -> dict[str, str]:
        first, last = self._fake.first_name(), self._fake.last_name()
        address = "".join(letter for letter in f"{first}.{last}" if letter.isalpha() or letter == ".").lower()
        place = self._chance.choice(("example.com", "example.org"))
        number = self._chance.choice(("0121 496 0###", "07700 900###"))
        contact = {"full_name": f"{first} {last}", "phone": self._fake.numerify(number)}
        if self._chance.random() < 0.95:
            contact["email"] = f"{address}{self._chance.randint(1, 99)}@{place}"
        return contact | {"safe_to_write": "no" if self._chance.random() < 0.02 else "yes", "safe_to_call": "yes"}

    def _maybe(self, likely: float) -> str:
        return "yes" if self._chance.random() < likely else "no"

    def _pick(self, weights: Mapping[str, int]) -> str:
        return self._chance.choices([*weights], [*weights.values()])[0]


def body(report: Mapping[str, Any], at: datetime) -> bytes:
    """The report as it is sent, having passed the form's own models."""
    return written(canonical(read_json(json.dumps(report), local(at).date())))
