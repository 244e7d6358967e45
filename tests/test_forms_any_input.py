"""Whatever is sent, there is a submission or one of the three refusals, and its words are ours alone."""

import json
import re
from datetime import date
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.errors import InvalidAnswers, Refused, SentElsewhere, Unreadable
from chalicelib.forms import CATEGORIES, EXAMPLES, Submission, canonical, form_values, read_form, read_json
from chalicelib.forms.questions import questions
from tests.reports import all_questions, posted

TODAY = date(2026, 11, 23)
patient = settings(deadline=None)  # a busy machine is no defect
NAMES = sorted({name for model in CATEGORIES.values() for _, name in all_questions(model)})
OPTIONS = sorted(
    {
        option
        for model in CATEGORIES.values()
        for section, name in all_questions(model)
        for question in questions(section)
        if question.name == name
        for option in question.ask.options
    }
)

text = st.text(st.characters(exclude_categories=())) | st.sampled_from(OPTIONS) | st.dates().map(str)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | text
keys = text | st.sampled_from(NAMES)
anything = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(keys, inner), max_leaves=20)
categories = st.sampled_from(list(CATEGORIES))
parts = st.sampled_from([*NAMES, "0", "1", "99999999999", "day", "month", "year"]) | st.text(max_size=3)
pairs = st.lists(st.tuples(st.lists(parts, max_size=5).map(".".join), text))


@st.composite
def spoiled_examples(draw: st.DrawFn) -> dict[str, Any]:
    """A report that is right but for one place."""
    sent = json.loads(json.dumps(EXAMPLES[draw(categories)]))
    place = sent
    while True:
        key = draw(st.sampled_from(sorted(place)) if isinstance(place, dict) else st.sampled_from(range(len(place))))
        if not isinstance(place[key], dict | list) or not place[key] or draw(st.booleans()):
            place[key] = draw(anything)
            return sent
        place = place[key]


def check(read: Any, *sent: Any) -> None:
    try:
        submission = read(*sent)
    except InvalidAnswers as refused:
        assert 1 <= len(refused.errors) <= 50
        fields = [error.field for error in refused.errors]
        assert len(fields) == len(set(fields))
        assert all(len(field) <= 100 and (field.isprintable() or not field) for field in fields)
        assert all(is_ours(error.message) for error in refused.errors)
    except (Unreadable, SentElsewhere) as refused:
        assert refused.detail
    else:
        check_kept(submission)


def check_kept(submission: Submission) -> None:
    """What is kept can be read again, stays the same, and is no emergency or robbery."""
    answers = canonical(submission)
    assert canonical(read_json(json.dumps(answers), TODAY)) == answers
    assert answers["emergency"] == "no"
    assert answers["about"].get("force_used") != "yes"


def is_ours(message: str) -> bool:
    """A plain sentence without braces, quotes, types or addresses of a program."""
    return bool(re.fullmatch(r"[A-Z][\w ,’:.@£-]+", message)) and "input" not in message.lower()


@patient
@given(anything)
def test_any_json(sent: Any) -> None:
    check(read_json, json.dumps(sent), TODAY)


@patient
@given(st.binary() | st.text())
def test_any_body(body: bytes | str) -> None:
    check(read_json, body, TODAY)


@patient
@given(spoiled_examples())
def test_a_report_with_one_strange_answer(sent: dict[str, Any]) -> None:
    check(read_json, json.dumps(sent), TODAY)


@patient
@given(st.sampled_from([*CATEGORIES, "arson"]), pairs)
def test_any_pairs(category: str, sent: list[tuple[str, str]]) -> None:
    check(read_form, category, sent, TODAY)
    assert isinstance(form_values(sent), dict)


@patient
@given(categories, pairs, st.randoms(use_true_random=False))
def test_strange_pairs_among_right_ones(category: str, strange: list[tuple[str, str]], random: Any) -> None:
    sent = posted(EXAMPLES[category]) + strange
    random.shuffle(sent)
    check(read_form, category, sent, TODAY)
    assert shown_as_expected(form_values(sent))


def shown_as_expected(values: dict[str, Any]) -> bool:
    """The page can rely on these shapes."""
    items, hate = values["items"], values["harm"].get("hate", [])
    dates = [value for name, value in values["when"].items() if name.endswith("date")]
    return (
        isinstance(hate, list)
        and all(isinstance(item, dict) for item in items)
        and all(set(value) == {"day", "month", "year"} for value in dates)
        and all(isinstance(value, str) for value in values["about"].values())
    )


def test_no_refusal_repeats_a_persons_words() -> None:
    secret = "Zanzibar-Quill"
    for category in CATEGORIES:
        names = {name for name, _ in posted(EXAMPLES[category])}
        sent = [(name, f"{secret}\x00") for name in sorted(names)]
        try:
            read_form(category, sent, TODAY)
        except Refused as refused:
            assert len(refused.errors) > 20
            assert secret not in f"{refused.errors!r}{refused!s}{refused.detail}{refused.more}"
        else:
            raise AssertionError("accepted")
