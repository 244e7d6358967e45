"""Clues: one regular form for whatever people type, what links two reports, and what an officer may have meant."""

import unicodedata
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from chalicelib import clues
from chalicelib.clues import Clue, asked_for, clues_of, may_be_duplicate, relating, shared
from chalicelib.errors import InvalidAnswers
from chalicelib.forms import EXAMPLES
from chalicelib.reference import derive
from chalicelib.report import Report, receive
from tests.fakes import NOW, answers


def of_kind(kind: str, said: Any) -> set[str]:
    return {clue.value for clue in clues_of(said) if clue.kind == kind}


def meant(text: str) -> set[Clue]:
    return {clue for meaning in asked_for(text).meanings for clue in meaning}


# What a report has


def test_the_clues_of_a_burglary() -> None:
    assert clues_of(EXAMPLES["burglary"]) == {
        Clue("phone", "01214960123"),
        Clue("email", "ellen.fairweather@example.com"),
        Clue("postcode", "B138AA"),
        Clue("address", "B138AA 14"),
        Clue("name", "ellen"),
        Clue("name", "fairweather"),
        Clue("property", "EXAMPLE001"),
        Clue("property", "EX18MPL"),
    }


def test_the_clues_of_a_theft_have_the_vehicle() -> None:
    assert of_kind("property", EXAMPLES["theft"]) == {"EX68AMP", "EXAMPLE2210", "EXAMPLE7743"}
    assert of_kind("address", EXAMPLES["criminal_damage"]) == {"CV11AA 2 88"}


def test_least_answers_have_few_and_none_have_none() -> None:
    assert {clue.kind for clue in clues_of(answers())} == {"name", "email", "phone"}
    assert clues_of({}) == set()


def test_suspects_and_witnesses_are_not_found_by_their_names() -> None:
    said = answers(suspects={"names": "Jack Sparrow"}, evidence={"witness_details": "Ned Land, 0121 496 0999"})
    assert clues_of(said) == clues_of(answers())


# Regular forms

NUMBERS = st.from_regex("[1-9][0-9]{8,9}", fullmatch=True)
GAPS = st.sampled_from(["", " ", "-", "  ", ".", " - "])


@given(NUMBERS, st.sampled_from(["0", "+44", "+44 (0)", "0044", "0044 ", "(0)", " 0", "+44-"]), GAPS, st.integers(1, 7))
def test_a_telephone_number_is_one_however_it_is_written(number: str, start: str, gap: str, at: int) -> None:
    typed = start + number[:at] + gap + number[at:]
    assert clues.plain_phone(typed) == f"0{number}"
    assert Clue("phone", f"0{number}") in meant(typed)


@given(st.emails())
def test_an_email_address_is_one_in_any_case(email: str) -> None:
    assume(email.isascii())
    assert clues.plain_email(f" {email.upper()} ") == clues.plain_email(email.lower())


NAMES = ["José", "Łukasz", "O’Brien", "Siân", "Müller", "Nguyễn", "Bjørn", "Strauß", "Smith-Jones", "D'Arcy", "محمد"]
WORDS = st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True)


@given(WORDS, st.sampled_from(["NFC", "NFD"]), st.sampled_from([str.upper, str.lower, str.title, str.casefold]))
def test_a_name_is_one_in_any_case_and_composition(words: list[str], form: Any, case: Any) -> None:
    name = " ".join(words)
    typed = unicodedata.normalize(form, case(name))
    assert set(clues.plain_words(typed)) == set(clues.plain_words(name))
    assert len(clues.plain_words(name)) >= len(words)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("José Łukasz Bjørn", ["jose", "lukasz", "bjorn"]),
        ("O'Brien O’Brien OBRIEN", ["obrien"]),
        ("Smith-Jones", ["smith", "jones"]),
        ("J. R. Hartley", ["hartley"]),
        ("Weiß WEISS", ["weiss"]),
        ("Dr. Æthelred\u00a0Unready", ["dr", "aethelred", "unready"]),
        ("İpek IŞIK", ["ipek", "isik"]),
        ("\x00\ufffd 🙂 42", []),
    ],
)
def test_names(name: str, words: list[str]) -> None:
    assert clues.plain_words(name) == words


@pytest.mark.parametrize("typed", ["b13 8aa", "B138AA", " B13  8AA ", "B13-8AA", "b13.8aa"])
def test_postcodes(typed: str) -> None:
    assert clues.plain_postcode(typed) == "B138AA"
    assert Clue("postcode", "B138AA") in meant(typed)


@pytest.mark.parametrize("typed", ["", "B13", "8AA", "B13 8A", "B13 8AA 4"])
def test_what_is_no_postcode(typed: str) -> None:
    assert clues.plain_postcode(typed) == ""


@pytest.mark.parametrize(
    "address",
    ["14 Example Road, Moseley", "14, Example Rd.", "14 example road, Birmingham B13", "No. 14, Example Rd B13 8AA",
     "14\nExample Road\nb138aa"],
)  # fmt: skip
def test_a_house_is_one_however_its_street_is_written(address: str) -> None:
    assert clues.plain_address(address, "B13 8AA") == "B138AA 14"


@pytest.mark.parametrize(
    ("address", "plain"),
    [
        ("Flat 2, 88 Example Lane", "B138AA 2 88"),
        ("88 Example Lane, flat 2", "B138AA 2 88"),
        ("14a Example Road", "B138AA 14A"),
        ("14 A Example Road", "B138AA 14A"),
        ("The Old Forge, Mill Lane", "B138AA the old forge"),
        ("", ""),
        ("!", ""),
    ],
)
def test_addresses(address: str, plain: str) -> None:
    assert clues.plain_address(address, "B13 8AA") == plain


def test_an_address_without_its_postcode_is_no_clue() -> None:
    assert clues.plain_address("14 Example Road", "") == clues.plain_address("14 Example Road", "B13") == ""


@pytest.mark.parametrize(
    ("typed", "plain"),
    [
        ("EX-AMPLE-001", "EXAMPLE001"),
        ("ex18 mpl", "EX18MPL"),
        ("IMEI: 35-209900-176148-1", "352099001761481"),
        ("Serial number SN 12345", "SN12345"),
        ("\uff13\uff15\uff12\uff10", "3520"),
        ("unknown", ""),
        ("don't know", ""),
        ("A1B", ""),
        ("n/a", ""),
    ],
)
def test_numbers_of_property(typed: str, plain: str) -> None:
    assert clues.plain_property(typed) == plain


@given(st.text(max_size=60), st.text(max_size=20))
def test_a_regular_form_stays_as_it_is(text: str, more: str) -> None:
    for form in (clues.plain_postcode, clues.plain_property, clues.plain_email):
        assert form(form(text)) == form(text)
    assert clues.plain_words(" ".join(clues.plain_words(text))) == clues.plain_words(text)
    for value in (clues.plain_address(text, "B13 8AA"), clues.plain_property(text), *clues.plain_words(text)):
        value.encode()  # a digest is made of it


# What links two reports


def report(category: str = "theft", days: float = 0, **sections: Any) -> Report:
    apart = {"contact": {"full_name": "Eve Example", "phone": f"07700 9{len(str(sections)):05}"}}
    made = derive(str((category, days, sections)).encode().ljust(16)[-16:])
    return receive(made, category, answers(category, **apart | sections), NOW + timedelta(days=days))


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        ("phone", {"contact": {"phone": "07700 900123"}}, {"contact": {"phone": "+44 7700 900123"}}),
        ("email", {"contact": {"email": "eve@example.com"}}, {"contact": {"email": "EVE@example.com"}}),
        ("address", {"where": {"address": "14 Example Road", "postcode": "B13 8AA"}},
         {"where": {"address": "14, Example Rd", "postcode": "B13 8AA"}, "what_happened": "x"}),
        ("property", {"items": [{"serial": "EX-1234"}]}, {"items": [{"type": "Bicycle", "registration": "ex1234"}]}),
        ("property", {"about": {"vehicle_registration": "EX18 MPL"}}, {"items": [{"registration": "EX18MPL"}]}),
    ],
)  # fmt: skip
def test_what_links_two_reports(kind: str, one: Any, other: Any) -> None:
    assert shared(report(**one), report(**other)) == (kind,)
    assert shared(report(**other), report(**one)) == (kind,)


def test_a_name_or_a_postcode_links_nothing() -> None:
    one = report(where={"postcode": "B13 8AA", "address": "14 Example Road"})
    other = report(where={"postcode": "B13 8AA", "address": "16 Example Road"}, what_happened="something else")
    assert clues_of(one.answers) & clues_of(other.answers)
    assert shared(one, other) == ()


def test_everything_that_is_shared_is_told_in_one_order() -> None:
    assert shared(report(**EXAMPLES["theft"]), report(**EXAMPLES["theft"])) == ("phone", "email", "address", "property")
    assert clues.because(("phone", "property")) == ("Same telephone number", "Same serial or registration number")


@pytest.mark.parametrize(
    ("category", "days", "dates", "expected"),
    [
        ("theft", 7, (None, None), True),
        ("theft", 7.1, (None, None), False),
        ("theft", -7, (None, None), True),
        ("theft", 40, ("2026-11-01", "2026-11-01"), True),
        ("theft", 40, ("2026-11-01", "2026-11-02"), False),
        ("burglary", 0, ("2026-11-01", "2026-11-01"), False),
    ],
)
def test_what_may_be_a_duplicate(category: str, days: float, dates: tuple[str, str], expected: bool) -> None:
    said = [{"when": {"start_date": date}} if date else {} for date in dates]
    one, other = report(**said[0]), report(category, days, **said[1])
    assert may_be_duplicate(one, other) is may_be_duplicate(other, one) is expected


# What an officer types


def test_a_reference_is_one_however_it_is_typed() -> None:
    reference = derive(b"a digest of some")
    for typed in (reference, reference.lower(), f" {reference[:4]}-{reference[4:8]} {reference[8:]}\n"):
        assert asked_for(typed).reference == reference


@pytest.mark.parametrize("typed", ["20/123456/26", " 20 / 123456 / 26 ", "20/00123456/26"])
def test_a_crime_number(typed: str) -> None:
    assert asked_for(typed).crime_number == "20/123456/26"


def test_a_row_of_digits_may_be_two_things() -> None:
    assert asked_for("352099001761481").meanings == (
        {Clue("phone", "352099001761481")}, {Clue("property", "352099001761481")}
    )  # fmt: skip
    assert asked_for("123456").meanings == ({Clue("property", "123456")},)


def test_all_words_of_a_name_are_asked_for_together() -> None:
    assert asked_for("  josé   BJØRN ").meanings == ({Clue("name", "jose"), Clue("name", "bjorn")},)


def test_an_email_address_is_nothing_else() -> None:
    assert asked_for("Eve1234@Example.com").meanings == ({Clue("email", "eve1234@example.com")},)


def test_what_is_copied_with_marks_that_nobody_sees() -> None:
    assert Clue("phone", "07700900123") in meant("07700\u00a0900123\r\n")
    assert Clue("property", "07700900123") in meant("\u202a07700 900123\u202c")
    assert asked_for("\u202aEve\u202c Example").meanings == ({Clue("name", "eve"), Clue("name", "example")},)


@pytest.mark.parametrize(
    "typed",
    ["", "   ", "x", "\x00", "\ufffd\ufffd", "🙂", "@", "eve@", "@example.com", "a b c", "B13", "12", "../..", "%00",
     "\ud800", "Anna Berta Cäsar Dora Emil Friedrich Gustav", "x" * 201],
)  # fmt: skip
def test_what_nobody_can_be_looking_for(typed: str) -> None:
    with pytest.raises(InvalidAnswers) as refused:
        asked_for(typed)
    ((field, message),) = refused.value.errors
    assert field == "text" and message[0].isupper() and not (typed.strip() and typed in message.split())


@given(st.text(max_size=250) | st.from_regex(r"[0-9A-Z /@.+-]{0,210}", fullmatch=True))
def test_anything_typed_is_asked_for_or_refused(typed: str) -> None:
    try:
        asked = asked_for(typed)
    except InvalidAnswers as refused:
        assert [error.field for error in refused.errors] == ["text"]
        return
    assert asked.reference or asked.crime_number or asked.meanings
    assert all(meaning and len(meaning) <= clues.MOST_WORDS for meaning in asked.meanings)
    for clue in meant(typed):
        clue.value.encode()


@pytest.mark.parametrize("category", EXAMPLES)
def test_what_stands_in_a_report_finds_it_when_it_is_typed(category: str) -> None:
    said = EXAMPLES[category]
    contact, where = said["contact"], said["where"]
    serials = [item[name] for item in said["items"] for name in ("serial", "registration") if name in item]
    for typed in (contact["full_name"], contact["email"], contact["phone"], where["postcode"], *serials):
        assert any(meaning <= clues_of(said) for meaning in asked_for(typed).meanings), typed


def test_the_most_clues_there_can_be_are_not_many() -> None:
    items = [{"serial": f"SERIAL {number:04}", "registration": f"EX18 {number:03}"} for number in range(50)]
    said = answers(items=items, about={"vehicle_registration": "EX18 MPL"})
    assert len(relating(said)) == 103 == len(set(relating(said)))
