"""What raises the priority of a report, what is missing from it, what could solve it, and that nothing lowers it."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.forms import CATEGORIES, EXAMPLES
from chalicelib.forms.questions import questions
from chalicelib.triage import PRIORITIES, RULES, assess, urgency
from tests.fakes import answers

# Every cue of domain.md, "Triage on receipt", with the answers that give it.
RAISES: list[tuple[str, str, str, dict[str, Any]]] = [
    ("theft", "urgent", "The words suggest that it is still going on", {"what_happened": "They are still outside"}),
    ("theft", "urgent", "The words suggest that somebody is threatened or was hurt",
     {"what_happened": "He says he will kill me"}),
    ("theft", "urgent", "Somebody was hurt", {"harm": {"injury": "yes"}}),
    ("burglary", "urgent", "A weapon was used or seen", {"harm": {"weapon": "yes"}}),
    ("criminal_damage", "urgent", "Fire with people inside", {"about": {"fire": "yes", "people_inside": "yes"}}),
    ("theft", "urgent", "The words suggest a risk of suicide or self-harm", {"what_happened": "I want to die."}),
    ("theft", "urgent", "The suspect is a partner, ex-partner or family member",
     {"suspects": {"relationship": "ex_partner"}}),
    ("theft", "high", "The words suggest a partner or an ex-partner", {"what_happened": "My ex took it"}),
    ("theft", "high", "The victim fears for their safety", {"harm": {"safety_fears": "yes"}}),
    ("theft", "high", "Possible hate crime", {"harm": {"hate": ["disability"]}}),
    ("theft", "high", "The victim is under 18", {"harm": {"under_18": "yes"}}),
    ("theft", "high", "The victim is vulnerable", {"harm": {"vulnerable": "yes"}}),
    ("burglary", "high", "Distraction burglary", {"about": {"entry_method": "tricked"}}),
    ("burglary", "high", "Somebody was in when it happened", {"about": {"occupied": "yes"}}),
    ("theft", "high", "Keys were taken", {"about": {"keys_taken": "yes"}}),
    ("criminal_damage", "high", "Fire was used", {"about": {"fire": "yes"}}),
    ("theft", "high", "The suspect is known", {"suspects": {"known": "yes"}}),
    ("theft", "high", "The suspect is known", {"suspects": {"names": "Sam Sample"}}),
    ("theft", "high", "The words suggest a repeat victim", {"what_happened": "It was the third time this year"}),
    ("theft", "high", "Video may be overwritten: ask for it now", {"evidence": {"cctv": "yes"}}),
]  # fmt: skip


def test_every_rule_is_in_the_table_of_this_test() -> None:
    assert {(priority, reason) for priority, reason, _ in RULES} == {row[1:3] for row in RAISES}


@pytest.mark.parametrize(("category", "priority", "reason", "said"), RAISES)
def test_each_rule_raises_and_says_why(category: str, priority: str, reason: str, said: dict[str, Any]) -> None:
    found = assess(category, answers(category, **said))
    assert reason in found.reasons
    assert PRIORITIES.index(found.priority) <= PRIORITIES.index(priority)
    assert assess(category, answers(category)).priority == "standard"


@pytest.mark.parametrize(
    ("category", "said"),
    [(row[0], row[3]) for row in RAISES if "yes" in str(row[3])],
)
def test_no_or_unknown_raises_nothing(category: str, said: dict[str, Any]) -> None:
    for other in ("no", "unknown"):
        denied = {section: {name: other for name in inside} for section, inside in said.items()}
        assert assess(category, answers(category, **denied)).priority == "standard"


@pytest.mark.parametrize(
    "text",
    [
        "I am thinking of suicide", "I feel suicidal", "i will kill myself", "I feel like killing myself",
        "he said he would kill himself", "I might as well end it all", "I will end my life", "I'll take my own life",
        "taking her own life", "I do not want to live", "I don't want to be here", "I don’t want to live",
        "i dont want to live any more", "She has been self harming", "self-harm", "no reason to live",
        "they'd be better off dead",
    ],
)  # fmt: skip
def test_words_that_point_to_suicide(text: str) -> None:
    for where in ({"what_happened": text}, {"harm": {"details": text}}):
        assert "The words suggest a risk of suicide or self-harm" in assess("theft", answers(**where)).reasons


@pytest.mark.parametrize("text", ["He threatened to kill the dog", "It was dead quiet", "They were living in a tent"])
def test_words_that_do_not(text: str) -> None:
    assert assess("theft", answers(what_happened=text)).reasons == ()


@pytest.mark.parametrize(
    "text",
    [
        "it is happening now",
        "as I write this",
        "he's still there",
        "Someone is still inside",
        "the thieves are still in the yard",
        "they’re still here",
    ],
)
def test_words_that_say_it_goes_on(text: str) -> None:
    assert assess("theft", answers(what_happened=text)).priority == "urgent"


@pytest.mark.parametrize("text", ["It happened again", "the second time", "it keeps happening", "this happened before",
                                  "we were robbed 3 times"])  # fmt: skip
def test_words_of_a_repeat_victim(text: str) -> None:
    assert assess("theft", answers(what_happened=text)).priority == "high"


THREATENED = "The words suggest that somebody is threatened or was hurt"


# In a chat nothing else tells of it: there are no boxes to tick.
@pytest.mark.parametrize(
    "text",
    [
        "My ex has a knife and says he will kill me, he comes tonight", "he hit me", "she keeps hurting the kids",
        "They threatened my mum", "he was holding a gun", "he pulled a machete on us", "I’m scared for my life",
        "we are afraid of him", "they beat up my son", "He strangled her", "I was attacked", "they said they'd stab us",
        "she attacked me", "he is going to hurt me", "I was punched in the face",
    ],
)  # fmt: skip
def test_words_that_tell_of_violence(text: str) -> None:
    found = assess("", {"what_happened": text})
    assert THREATENED in found.reasons and found.priority == "urgent"


@pytest.mark.parametrize(
    "text",
    [
        "They took my nail gun and a bread knife", "He hit my car", "The lock was beaten in", "They stabbed the tyres",
        "A branch hit the shed", "My knife block is gone", "Somebody attacked the door with a hammer",
        "I was at my example", "It was next to the beat box", "The plant was killed", "The door was kicked in",
    ],
)  # fmt: skip
def test_words_that_tell_of_none(text: str) -> None:
    assert assess("", {"what_happened": text}).priority == "standard"


@pytest.mark.parametrize("text", ["My ex took it", "it was my ex-husband", "my partner smashed it", "His ex did this"])
def test_words_that_tell_of_a_partner(text: str) -> None:
    assert "The words suggest a partner or an ex-partner" in assess("", {"what_happened": text}).reasons


def test_urgent_stays_urgent_and_all_reasons_are_shown() -> None:
    found = assess("theft", answers(harm={"injury": "yes", "under_18": "yes"}, evidence={"cctv": "yes"}))
    assert found.priority == "urgent"
    assert found.reasons == ("Somebody was hurt", "The victim is under 18", "Video may be overwritten: ask for it now")


# Nothing lowers it


def leaves(model: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], st.SearchStrategy[Any]]]:
    """Every question of a form, with answers to it."""
    text = st.sampled_from(["nothing more", "it happened again", "I want to die", "they are still here"])
    for question in questions(model):
        here = (*path, question.name)
        if question.kind == "section" and question.model:
            yield from leaves(question.model, here)
        elif question.kind == "choice":
            yield here, st.sampled_from(list(question.ask.options))
        elif question.kind == "choices":
            yield here, st.lists(st.sampled_from(list(question.ask.options)), unique=True)
        elif question.kind in ("text", "long_text"):
            yield here, text
        elif question.kind == "date":
            yield here, st.just("2026-11-20")


def nested(flat: dict[tuple[str, ...], Any]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for path, answer in flat.items():
        section = made
        for name in path[:-1]:
            section = section.setdefault(name, {})
        section[path[-1]] = answer
    return made


@given(st.data())
def test_another_answer_never_lowers_the_priority(data: st.DataObject) -> None:
    category = data.draw(st.sampled_from(list(CATEGORIES)))
    said = data.draw(st.fixed_dictionaries({}, optional=dict(leaves(CATEGORIES[category]))))
    more = data.draw(st.sets(st.sampled_from(sorted(said)))) if said else set()
    fewer = assess(category, nested({path: answer for path, answer in said.items() if path not in more}))
    all_of_it = assess(category, nested(said))
    assert PRIORITIES.index(all_of_it.priority) <= PRIORITIES.index(fewer.priority)
    assert set(fewer.reasons) <= set(all_of_it.reasons)
    assert fewer.attend <= all_of_it.attend


@pytest.mark.parametrize("category", CATEGORIES)
def test_nothing_said_at_all_is_standard_and_asks_for_everything(category: str) -> None:
    found = assess(category, {})
    assert (found.priority, found.reasons, found.solvability, found.attend) == ("standard", (), (), False)
    assert {"Where it happened", "When it happened", "What happened"} <= set(found.missing)


# Attendance


@pytest.mark.parametrize(
    ("about", "attend"),
    [
        ({"kind": "home"}, True),
        ({"kind": "unknown"}, True),
        ({"kind": "garage_or_shed", "attached": "yes"}, True),
        ({"kind": "garage_or_shed", "attached": "no"}, False),
        ({"kind": "business"}, False),
        ({"kind": "home", "entered": "no"}, True),
    ],
)
def test_a_home_burglary_is_attended(about: dict[str, str], attend: bool) -> None:
    found = assess("burglary", answers("burglary", about=about))
    assert found.attend is attend
    assert ("Home burglary: an officer attends" in found.reasons) is attend
    assert found.priority == "standard"


def test_only_burglary_is_attended_for_being_at_home() -> None:
    assert not assess("criminal_damage", answers("criminal_damage", about={"kind": "home"})).attend
    assert not assess("theft", answers(about={"kind": "from_home"})).attend


# What is missing, and what solves


@pytest.mark.parametrize("category", CATEGORIES)
def test_nothing_is_missing_from_the_examples(category: str) -> None:
    assert assess(category, EXAMPLES[category]).missing == ()


@pytest.mark.parametrize(
    ("category", "left_out", "asked"),
    [
        ("burglary", ["where"], "Where it happened"),
        ("burglary", ["when.start_date"], "When it happened"),
        ("burglary", ["what_happened"], "What happened"),
        ("burglary", ["items"], "What was taken"),
        ("theft", ["items"], "What was taken"),
        ("burglary", ["about.entered"], "Whether they got in"),
        ("criminal_damage", ["about.item"], "What was damaged"),
        ("burglary", ["evidence.cctv_holder"], "Who holds the video, and until when"),
        ("burglary", ["evidence.cctv_overwritten_on"], "Who holds the video, and until when"),
        ("burglary", ["evidence.witness_details"], "Who the witnesses are"),
    ],
)
def test_what_the_call_back_must_ask(category: str, left_out: list[str], asked: str) -> None:
    said = copy.deepcopy(EXAMPLES[category])
    for path in left_out:
        *sections, name = path.split(".")
        place = said
        for section in sections:
            place = place[section]
        del place[name]
    assert assess(category, said).missing == (asked,)


@pytest.mark.parametrize(
    ("category", "said", "asked", "answered"),
    [
        ("theft", {"about": {"kind": "of_vehicle"}}, "The vehicle’s registration",
         {"about": {"kind": "of_vehicle", "vehicle_registration": "EX18 MPL"}}),
        ("criminal_damage", {"about": {"kind": "vehicle"}}, "The vehicle’s registration",
         {"about": {"kind": "vehicle", "vehicle_registration": "EX18 MPL"}}),
        ("theft", {"suspects": {"known": "yes"}}, "The suspect’s name or description",
         {"suspects": {"known": "yes", "description": "Tall"}}),
        ("theft", {"harm": {"injury": "yes"}}, "How badly somebody was hurt",
         {"harm": {"injury": "yes", "details": "A cut hand"}}),
        ("burglary", {"about": {"kind": "home", "entered": "yes"}}, "What was taken",
         {"about": {"kind": "home", "entered": "no"}}),
        ("burglary", {"about": {"kind": "home", "entered": "unknown"}}, "Whether they got in",
         {"about": {"kind": "home", "entered": "yes"}}),
    ],
)  # fmt: skip
def test_what_follows_from_an_answer_is_asked(
    category: str, said: dict[str, Any], asked: str, answered: dict[str, Any]
) -> None:
    assert asked in assess(category, answers(category, **said)).missing
    assert asked not in assess(category, answers(category, **answered)).missing


@pytest.mark.parametrize(
    ("said", "solves"),
    [
        ({"suspects": {"names": "Sam Sample"}}, "A suspect is named"),
        ({"evidence": {"witnesses": "yes"}}, "There are witnesses"),
        ({"evidence": {"cctv": "yes"}}, "There is video"),
        ({"evidence": {"forensic": "yes"}}, "There may be forensic evidence"),
        ({"items": [{"type": "Bag"}, {"serial": "EX-1"}]}, "Property can be traced by a number"),
        ({"about": {"kind": "from_vehicle", "vehicle_registration": "EX18 MPL"}}, "A vehicle’s registration is known"),
    ],
)
def test_solvability(said: dict[str, Any], solves: str) -> None:
    assert assess("theft", answers(**said)).solvability == (solves,)
    assert assess("theft", answers(items=[{"type": "Bag"}])).solvability == ()


def test_order_of_work() -> None:
    soon, late = "2026-11-23T10:00:00Z", "2026-11-24T10:00:00Z"
    in_order = [urgency(None, late, "A"), urgency("urgent", soon, "A"), urgency("urgent", soon, "B"),
                urgency("urgent", late, "A"), urgency("high", soon, "A"), urgency("standard", soon, "A")]  # fmt: skip
    assert sorted(reversed(in_order)) == in_order
