"""References: found again when typed carelessly, refused when misheard."""

import itertools
import re

import pytest

from chalicelib.reference import ALPHABET, derive, parse, show, spell, token_digest

SAMPLES = [derive(token_digest(b"secret", f"token {number}")) for number in range(5)]


def test_nothing_that_can_be_misread_or_form_words_is_in_the_alphabet() -> None:
    assert not set("0O1IL5SUVAE") & set(ALPHABET) and len(set(ALPHABET)) == len(ALPHABET)
    assert not {"2", "Z"} <= set(ALPHABET) and not {"8", "B"} <= set(ALPHABET)


@pytest.mark.parametrize("plain", SAMPLES)
def test_every_single_wrong_symbol_is_caught(plain: str) -> None:
    assert parse(plain) == plain
    for place, wrong in itertools.product(range(len(plain)), ALPHABET):
        typed = plain[:place] + wrong + plain[place + 1 :]
        assert (parse(typed) == plain) if wrong == plain[place] else (parse(typed) is None)


@pytest.mark.parametrize("plain", SAMPLES)
def test_every_swap_of_two_different_symbols_is_caught(plain: str) -> None:
    for one, two in itertools.combinations(range(len(plain)), 2):
        typed = list(plain)
        typed[one], typed[two] = typed[two], typed[one]
        assert (parse("".join(typed)) is None) == (plain[one] != plain[two])


@pytest.mark.parametrize("plain", SAMPLES)
def test_every_missing_or_doubled_symbol_is_caught(plain: str) -> None:
    for place in range(len(plain)):
        assert parse(plain[:place] + plain[place + 1 :]) is None
        assert parse(plain[:place] + plain[place] + plain[place:]) is None


def test_a_reference_is_read_as_people_type_it() -> None:
    plain = SAMPLES[0]
    for typed in (show(plain), plain.lower(), f"  {show(plain).replace('-', ' ')}\n", "-".join(plain), f"\t{plain}"):
        assert parse(typed) == plain


@pytest.mark.parametrize("typed", ["", "-", "7K3M", "ß" * 12, "\uff12" * 12, "A" * 12, "2" * 1_000_000, "\0" * 12])
def test_what_is_no_reference_is_none(typed: str) -> None:
    assert parse(typed) is None


def test_shown_in_groups_of_four() -> None:
    assert show("7K3M9QWPR2TX") == "7K3M-9QWP-R2TX"


def test_spelled_for_the_telephone() -> None:
    assert spell("7K3M9QWPR2TX") == "7, Kilo, 3, Mike – 9, Quebec, Whiskey, Papa – Romeo, 2, Tango, X-ray"


def test_every_letter_of_the_alphabet_has_its_word() -> None:
    letters = "".join(symbol for symbol in ALPHABET if symbol.isalpha())
    said = spell((letters + letters)[:12]) + spell((letters + letters)[-12:])
    assert not re.search(r"\b[A-Z]\b(?!-ray)", said)


def test_references_stay_what_they_are() -> None:
    """A change of these would lose every report that a person sends again."""
    assert derive(bytes(16)) == "222222222222"
    assert derive(token_digest(b"secret", "token")) == derive(token_digest(b"secret", "token", attempt=0))


def test_references_do_not_repeat_and_depend_on_secret_token_and_attempt() -> None:
    made = {derive(token_digest(b"secret", str(number))) for number in range(2_000)}
    assert len(made) == 2_000
    assert {len(set(column)) for column in zip(*made, strict=True)} == {len(ALPHABET)}  # every symbol at every place
    others = {derive(token_digest(*args)) for args in ((b"a", "t"), (b"b", "t"), (b"a", "u"), (b"a", "t", 1))}
    assert len(others) == 4
