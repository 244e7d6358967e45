"""Clues: what in the answers of a report may be in another report too, and what an officer types to find it.

Pure. A clue has one regular form, however it was typed, on both sides: `+44 7700 900123` finds `07700 900123`. Whether
two reports are related, their answers decide; an index only says where to look.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple

from chalicelib import reference
from chalicelib.chat import Conversation
from chalicelib.errors import FieldError, InvalidAnswers
from chalicelib.language import said
from chalicelib.report import Report

Answers = Mapping[str, Any]

RELATING = ("phone", "email", "address", "property")  # a name or a postcode is shared by too many
DUPLICATE_WITHIN = timedelta(days=7)
LONGEST = 200  # characters that somebody may type
MOST_WORDS = 6  # of a name: each is a request


class Clue(NamedTuple):
    """`kind` is one of `phone`, `email`, `postcode`, `address`, `name` (one word of it), `property`."""

    kind: str
    value: str


@dataclass(frozen=True)
class Asked:
    """What an officer may have meant. A report is found that has all the clues of one of `meanings`."""

    reference: str | None
    crime_number: str | None
    meanings: tuple[frozenset[Clue], ...]


# What a report has


def clues_of(answers: Answers) -> frozenset[Clue]:
    """Every clue in the answers of a report. Suspects are not in it: they are not found by their names."""
    contact, where = answers.get("contact", {}), answers.get("where", {})
    values = {
        "phone": [plain_phone(contact.get("phone") or "")],
        "email": [plain_email(contact.get("email") or "")],
        "postcode": [plain_postcode(where.get("postcode") or "")],
        "address": [plain_address(where.get("address") or "", where.get("postcode") or "")],
        "name": plain_words(contact.get("full_name") or ""),
        "property": [plain_property(number) for number in _numbers(answers)],
    }
    return frozenset(Clue(kind, value) for kind, several in values.items() for value in several if value)


def clues_of_chat(chat: Conversation) -> frozenset[Clue]:
    """By what a conversation is found for whoever asks for their data: the addresses and the number given in it."""
    emails = [plain_email(text) for text in (chat.visitor.get("email", ""), *chat.transcripts_to)]
    given = [*(("email", email) for email in emails), ("phone", plain_phone(chat.visitor.get("phone", "")))]
    return frozenset(of_chat(Clue(kind, value)) for kind, value in given if value)


def of_chat(clue: Clue) -> Clue:
    """The same clue where conversations have it: they are not found among reports."""
    return Clue(f"chat {clue.kind}", clue.value)


def _numbers(answers: Answers) -> Iterator[str]:
    yield answers.get("about", {}).get("vehicle_registration") or ""
    for item in answers.get("items", []):
        yield item.get("serial") or ""
        yield item.get("registration") or ""


def relating(answers: Answers) -> tuple[Clue, ...]:
    """Those by which reports are linked, in one order."""
    return tuple(sorted(clue for clue in clues_of(answers) if clue.kind in RELATING))


def shared(one: Report, other: Report) -> tuple[str, ...]:
    """The kinds of clue that link two reports, none if they are not related."""
    both = {clue.kind for clue in {*relating(one.answers)} & {*relating(other.answers)}}
    return tuple(kind for kind in RELATING if kind in both)


def may_be_duplicate(one: Report, other: Report) -> bool:
    """Whether two related reports may be about one thing: of one category, and of one day or received within a week."""
    days = [report.answers.get("when", {}).get("start_date") for report in (one, other)]
    near = abs(one.received_at - other.received_at) <= DUPLICATE_WITHIN
    return one.category == other.category and (near or bool(days[0] and days[0] == days[1]))


def because(kinds: tuple[str, ...]) -> tuple[str, ...]:
    """Why two reports are related, in words."""
    words = {
        "phone": said("Same telephone number"),
        "email": said("Same email address"),
        "address": said("Same address"),
        "property": said("Same serial or registration number"),
    }
    return tuple(words[kind] for kind in kinds)


# What an officer types

_CRIME_NUMBER = r"([0-9]{1,3})/0*([1-9][0-9]{0,8})/([0-9]{2})"
_EMAIL = r"[^@\s]+@[^@\s]+\.[^@\s]+"
_PHONE = r"[ ()+.-]*(?:[0-9][ ()+.-]*){7,15}"
_POSTCODE = r"[A-Z]{1,2}[0-9][A-Z0-9]?[0-9][A-Z]{2}"


def asked_for(text: str) -> Asked:
    """What somebody looks for who typed this into the one box. Raises InvalidAnswers if that can be nothing."""
    if len(text) > LONGEST:
        raise InvalidAnswers(errors=[FieldError("text", "What you look for must be 200 characters or fewer")])
    text = " ".join(unicodedata.normalize("NFKC", text).split())
    number = re.fullmatch(_CRIME_NUMBER, text.replace(" ", ""))
    asked = Asked(reference.parse(text), "/".join(number.groups()) if number else None, tuple(_meanings(text)))
    if not (asked.reference or asked.crime_number or asked.meanings):
        raise InvalidAnswers(errors=[FieldError("text", _WHAT_TO_ENTER)])
    return asked


_WHAT_TO_ENTER = (
    "Enter a reference, a crime number, a name, a full postcode, a telephone number, an email address, or a serial or "
    "registration number"
)


def _meanings(text: str) -> Iterator[frozenset[Clue]]:
    """A row of digits may be a telephone or a serial number, and a postcode looks like a registration: then both."""
    if "@" in text:
        email = plain_email(text)
        yield from [frozenset({Clue("email", email)})] if re.fullmatch(_EMAIL, email) else []
        return
    ones = {
        "phone": plain_phone(text) if re.fullmatch(_PHONE, text) else "",
        "postcode": plain_postcode(text),
        "property": plain_property(text),
    }
    yield from (frozenset({Clue(kind, value)}) for kind, value in ones.items() if value)
    words = [] if re.search("[0-9]", text) else plain_words(text)
    if len(words) > MOST_WORDS:
        raise InvalidAnswers(errors=[FieldError("text", "Enter no more than 6 words of a name")])
    if words:
        yield frozenset(Clue("name", word) for word in words)


# The regular form of each

_NUMBER_NAMES = "^(?:IMEI|SERIAL|FRAME|NUMBER|REGISTRATION)+(?=.{4})"
_FOLDED = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "\u0131": "i"})


def plain_phone(text: str) -> str:
    """The digits as dialled in the UK: `+44 7700 900123` and `07700 900123` are the same."""
    digits = "".join(letter for letter in text if letter in "0123456789")
    if digits.startswith("0044") or (digits.startswith("44") and ("+" in text or len(digits) == 12)):
        digits = "0" + digits.removeprefix("0044").removeprefix("44").removeprefix("0")
    return digits


def plain_email(text: str) -> str:
    """Upper and lower case are the same."""
    return text.strip().casefold()


def plain_postcode(text: str) -> str:
    """`B13 8AA` -> `B138AA`; nothing if it is none."""
    plain = re.sub("[ .-]", "", text).upper()
    return plain if re.fullmatch(_POSTCODE, plain) else ""


def plain_address(address: str, postcode: str) -> str:
    """The postcode, and the numbers of house and flat: a postcode has some fifteen addresses, and its numbers tell them
    apart however the street is written. Without a number, the first line. Nothing if either is lacking.
    """
    code = plain_postcode(postcode)
    if not code:
        return ""
    text = re.sub(rf"\b{code[:-3]}(\s*{code[-3:]})?\b", "", address.upper())
    numbers = re.findall("[0-9]+[A-Z]?", re.sub(r"(?<=[0-9]) (?=[A-Z]\b)", "", text))
    line = sorted(set(numbers)) or plain_words(re.split("[,\n]", text)[0])
    return " ".join([code, *line]) if line else ""


def plain_words(name: str) -> list[str]:
    """Each word of a name once: without case and accents, of two letters or more; `O’Brien` is one word."""
    letters = unicodedata.normalize("NFKD", re.sub("['’‘`]", "", name).casefold().translate(_FOLDED))
    kept = (letter if unicodedata.category(letter)[0] in "LM" else " " for letter in letters
            if unicodedata.category(letter) != "Mn")  # fmt: skip
    return list(dict.fromkeys(word for word in "".join(kept).casefold().split() if len(word) > 1))


def plain_property(text: str) -> str:
    """Letters and digits of a serial, IMEI, frame or registration number. Nothing if it has no digit or fewer than four
    of them in all: what people write who do not know it (`unknown`, `n/a`) is no number.
    """
    plain = re.sub("[^A-Z0-9]", "", unicodedata.normalize("NFKC", text).upper())
    plain = re.sub(_NUMBER_NAMES, "", plain)
    return plain if len(plain) >= 4 and re.search("[0-9]", plain) else ""
