"""Triage: what a report's answers say about how urgent it is, what is missing and what could solve it.

Source of the rules: `docs/glossary.md` (THRIVE: threat, harm, risk, investigation, vulnerability, engagement). Every
rule raises the priority, none lowers it, and each leaves its reason for the officer.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Answers = Mapping[str, Any]
PRIORITIES = ("urgent", "high", "standard")
UNASSESSED = "unassessed"  # shown before triage has run; listed first, as it could be anything


@dataclass(frozen=True)
class Assessment:
    """What triage found."""

    priority: str
    reasons: tuple[str, ...]
    attend: bool
    missing: tuple[str, ...]
    solvability: tuple[str, ...]


# Words that make a person stop and read; never decisive alone, so a false alarm costs a look and nothing else. As text:
# to compile them takes longer than to import all the rest, and who sends a report does not need them.
_SUICIDE = (
    r"suicid|kill(ing)? (myself|himself|herself|themsel)|end(ing)? (it all|my life)|tak(e|ing) (my|his|her) own life"
    r"|(do not|don['’]?t) want to (live|be here)|want to die|self[- ]?harm|no reason to live|better off dead"
)
_REPEAT = r"\b(again|(second|third|fourth) time|keeps? happening|happened before|(two|three|\d+) times)\b"
_WHOM = (
    r"(me|us|him|her|them|(my|our|his|her|the) (son|daughter|child(ren)?|kids?|baby|mum|mother|dad|father|brother"
    r"|sister|wife|husband|partner|family|friend|neighbour))"
)
# Somebody hurts or threatens somebody, has a weapon in the hand, or is afraid of a person. Not: a thing that was hit.
_THREAT = (
    rf"\b(kill|stab|shoot|rape|attack|strangl|beat|punch|kick|hit|hurt|harm|threat)"
    rf"(s|es|e|ed|ing|en|ened|ening|ens|bed|bing|ting|led|les|ling)?\b (up )?{_WHOM}\b(?! (car|van|bike|house|door))"
    r"|\b(was|were|been|got) (stabbed|shot|raped|attacked|strangled|punched|kicked(?! (in|down|open))"
    r"|beaten up|threatened|assaulted)\b"
    r"|\b(has|had|have|holding|held|carrying|carried|pulled|waving|waved)( got)? (a|an|his|her|their) "
    r"(knife|gun|machete|blade|axe|weapon)\b"
    r"|\b(scared|afraid|frightened|terrified) (of (him|her|them)|for (my|our|her|his|their) (life|lives|safety))\b"
)
_PARTNER = (
    r"\b(my|her|his|their) (ex|ex[- ](partner|husband|wife|boyfriend|girlfriend))\b"
    r"|\bmy (partner|husband|wife|boyfriend|girlfriend) (has |had )?"
    r"(did|done|hit|hits|hurt|hurts|took|taken|broke|broken|smashed|damaged|stole|threatened|threatens)\b"
)
_IN_PROGRESS = (
    r"\b(happening now|as i (write|type))\b|\b(he|she|they|some(one|body)|thie(f|ves))('| i|’| a)(s|re) still "
    r"(here|there|inside|outside|nearby|(in|at|on|by) (my|our|the))\b"
)


def _said(section: str, question: str, *values: str) -> Callable[[str, Answers], bool]:
    wanted = values or ("yes",)
    return lambda category, answers: answers.get(section, {}).get(question) in wanted


def _reads(pattern: str) -> Callable[[str, Answers], bool]:
    return lambda category, answers: bool(re.search(pattern, _free_text(answers), re.IGNORECASE))


def _known_suspect(category: str, answers: Answers) -> bool:
    return bool(suspect_named(answers)) or answers.get("suspects", {}).get("known") == "yes"


RULES: tuple[tuple[str, str, Callable[[str, Answers], bool]], ...] = (
    ("urgent", "The words suggest that it is still going on", _reads(_IN_PROGRESS)),
    ("urgent", "The words suggest that somebody is threatened or was hurt", _reads(_THREAT)),
    ("urgent", "Somebody was hurt", _said("harm", "injury")),
    ("urgent", "A weapon was used or seen", _said("harm", "weapon")),
    ("urgent", "Fire with people inside",
     lambda category, answers: _said("about", "fire")(category, answers)
     and _said("about", "people_inside")(category, answers)),
    ("urgent", "The words suggest a risk of suicide or self-harm", _reads(_SUICIDE)),
    ("urgent", "The suspect is a partner, ex-partner or family member",
     _said("suspects", "relationship", "partner", "ex_partner", "family")),
    ("high", "The words suggest a partner or an ex-partner", _reads(_PARTNER)),
    ("high", "The victim fears for their safety", _said("harm", "safety_fears")),
    ("high", "Possible hate crime", lambda category, answers: bool(answers.get("harm", {}).get("hate"))),
    ("high", "The victim is under 18", _said("harm", "under_18")),
    ("high", "The victim is vulnerable", _said("harm", "vulnerable")),
    ("high", "Distraction burglary", _said("about", "entry_method", "tricked")),
    ("high", "Somebody was in when it happened", _said("about", "occupied")),
    ("high", "Keys were taken", _said("about", "keys_taken")),
    ("high", "Fire was used", _said("about", "fire")),
    ("high", "The suspect is known", _known_suspect),
    ("high", "The words suggest a repeat victim", _reads(_REPEAT)),
    ("high", "Video may be overwritten: ask for it now", _said("evidence", "cctv")),
)  # fmt: skip

_MISSING: tuple[tuple[str, Callable[[str, Answers], bool]], ...] = (
    ("Where it happened", lambda category, answers: not {"address", "postcode"} & set(answers.get("where", {}))),
    ("When it happened", lambda category, answers: "start_date" not in answers.get("when", {})),
    ("What happened", lambda category, answers: not answers.get("what_happened")),
    ("What was taken",
     lambda category, answers: category != "criminal_damage"
     and not answers.get("items") and not _not_entered(answers)),
    ("Whether they got in",
     lambda category, answers: category == "burglary" and _unknown(answers, "about", "entered")),
    ("What was damaged",
     lambda category, answers: category == "criminal_damage" and not answers.get("about", {}).get("item")),
    ("The vehicle’s registration",
     lambda category, answers: answers.get("about", {}).get("kind") in ("of_vehicle", "from_vehicle", "vehicle")
     and not answers.get("about", {}).get("vehicle_registration")),
    ("The suspect’s name or description",
     lambda category, answers: answers.get("suspects", {}).get("known") == "yes"
     and not {"names", "description"} & set(answers.get("suspects", {}))),
    ("Who holds the video, and until when",
     lambda category, answers: _said("evidence", "cctv")(category, answers)
     and not {"cctv_holder", "cctv_overwritten_on"} <= set(answers.get("evidence", {}))),
    ("Who the witnesses are",
     lambda category, answers: _said("evidence", "witnesses")(category, answers)
     and not answers.get("evidence", {}).get("witness_details")),
    ("How badly somebody was hurt",
     lambda category, answers: _said("harm", "injury")(category, answers)
     and not answers.get("harm", {}).get("details")),
)  # fmt: skip

_SOLVABILITY: tuple[tuple[str, Callable[[str, Answers], bool]], ...] = (
    ("A suspect is named", lambda category, answers: suspect_named(answers)),
    ("There are witnesses", _said("evidence", "witnesses")),
    ("There is video", _said("evidence", "cctv")),
    ("There may be forensic evidence", _said("evidence", "forensic")),
    ("Property can be traced by a number",
     lambda category, answers: any({"serial", "registration"} & set(item) for item in answers.get("items", []))),
    ("A vehicle’s registration is known",
     lambda category, answers: "vehicle_registration" in answers.get("about", {})),
)  # fmt: skip


def assess(category: str, answers: Answers) -> Assessment:
    """Everything triage can say from the answers alone. `answers` may lack any section; unknown values are ignored."""
    raised = [(priority, reason) for priority, reason, applies in RULES if applies(category, answers)]
    attend = category == "burglary" and (
        answers.get("about", {}).get("kind") in ("home", "unknown") or _said("about", "attached")(category, answers)
    )
    reasons = (*(reason for _, reason in raised), *(["Home burglary: an officer attends"] if attend else []))
    return Assessment(
        priority=min((priority for priority, _ in raised), key=PRIORITIES.index, default="standard"),
        reasons=reasons,
        attend=attend,
        missing=tuple(what for what, applies in _MISSING if applies(category, answers)),
        solvability=tuple(what for what, applies in _SOLVABILITY if applies(category, answers)),
    )


def higher(one: str | None, other: str) -> str:
    """The more urgent of two priorities; None is below all."""
    return min(one or other, other, key=PRIORITIES.index)


def urgency(priority: str | None, deadline: str, reference: str) -> str:
    """The order of the work list as one text: most urgent first, then nearest deadline; unassessed before all."""
    rank = PRIORITIES.index(priority) + 1 if priority else 0
    return f"{rank}#{deadline}#{reference}"


def suspect_named(answers: Answers) -> bool:
    """Whether a suspect's name was given; outcome 18 ("no suspect identified") cannot be used then."""
    return bool(answers.get("suspects", {}).get("names"))


def _unknown(answers: Answers, section: str, question: str) -> bool:
    return bool(answers.get(section, {}).get(question, "unknown") == "unknown")


def _not_entered(answers: Answers) -> bool:
    return bool(answers.get("about", {}).get("entered") == "no")


def _free_text(answers: Answers) -> str:
    said = (answers.get("what_happened"), answers.get("harm", {}).get("details"), answers.get("about", {}).get("how"))
    return " ".join(text for text in said if text)
