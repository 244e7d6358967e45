"""The kinds of answer: what fits each, and the one form in which it is kept. None of them has a clock."""

import re
from datetime import date, timedelta
from typing import Annotated, Any, NamedTuple

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo

from chalicelib.forms.text import pattern, tail

# All patterns let an empty text through: it is no answer. Only syntax that Python, Rust and ECMAScript share.
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?"
EMAIL = rf"^({_ATOM}(\.{_ATOM})*@({_LABEL}\.)+[A-Za-z][A-Za-z0-9-]*[A-Za-z0-9])?$"
PHONE = r"^([ ()+-]*([0-9][ ()+-]*){7,15})?$"
POSTCODE = r"^([A-Za-z]{1,2}[0-9][A-Za-z0-9]?[ .-]*[0-9][A-Za-z]{2})?$"
TIME = r"^(([01]?[0-9]|2[0-3])[:.][0-5][0-9])?$"

_ISO_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_CENTURY = timedelta(days=36_525)
_YEAR = timedelta(days=366)


class DateBoxes(NamedTuple):
    """A date as the page asks for it: three boxes, as typed."""

    day: str
    month: str
    year: str


def _date(value: Any) -> date | None:
    if value is None:  # left blank
        return None
    if isinstance(value, DateBoxes):
        return _date_from_boxes(value)
    parts = _ISO_DATE.fullmatch(value) if isinstance(value, str) else None
    return _real_date(int(parts[1]), int(parts[2]), int(parts[3])) if parts else _real_date(0, 0, 0)


def _date_from_boxes(boxes: DateBoxes) -> date:
    left_out = [name for name, typed in boxes._asdict().items() if not typed.strip()]
    if left_out:
        raise tail(f"must include a {' and '.join(left_out)}")
    if len(boxes.year.strip()) != 4:
        raise tail("must have a year of four digits, like 2019")
    day, month, year = (int(box) if re.fullmatch("[0-9]{1,4}", box) else 0 for box in map(str.strip, boxes))
    return _real_date(year, month, day, "like 31 1 2019")


def _real_date(year: int, month: int, day: int, like: str = "like 2019-01-31") -> date:
    try:
        return date(year, month, day)
    except ValueError:
        raise tail(f"must be a real date, {like}") from None


def _past(value: date | None, info: ValidationInfo) -> date | None:
    return _between(value, info, timedelta(0), "must be today or in the past")


def _within_a_year(value: date | None, info: ValidationInfo) -> date | None:
    return _between(value, info, _YEAR, "must be no more than a year from now")


def _between(value: date | None, info: ValidationInfo, ahead: timedelta, too_late: str) -> date | None:
    today: date = (info.context or {})["today"]
    if value and value - today > ahead:
        raise tail(too_late)
    if value and today - value > _CENTURY:
        raise tail("must be within the last 100 years")
    return value


def _postcode(value: str | None) -> str | None:
    letters = re.sub("[ .-]", "", value or "").upper()
    return f"{letters[:-3]} {letters[-3:]}" if letters else None


def _time(value: str | None) -> str | None:
    return value.replace(".", ":").zfill(5) if value else None


Line = Annotated[str | None, Field(max_length=200)]
RequiredLine = Annotated[str, Field(max_length=200, pattern=pattern(long=False, filled=True))]
Paragraphs = Annotated[str | None, Field(max_length=5_000)]
Pounds = Annotated[int | None, Field(strict=True, ge=0, le=100_000_000)]
Postcode = Annotated[str | None, Field(max_length=20, pattern=POSTCODE), AfterValidator(_postcode)]
Email = Annotated[str | None, Field(max_length=254, pattern=EMAIL)]
Phone = Annotated[str | None, Field(max_length=40, pattern=PHONE)]
Time = Annotated[str | None, Field(max_length=40, pattern=TIME), AfterValidator(_time)]
PastDate = Annotated[date | None, BeforeValidator(_date), AfterValidator(_past)]
DateWithinAYear = Annotated[date | None, BeforeValidator(_date), AfterValidator(_within_a_year)]
