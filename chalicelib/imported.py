"""Figures from before the service, as a force has them in a file: a line for each month.

```
month,reports,crimes
2018-02,578,
2018-03,657,469
```

Crimes are empty where nobody knows them. A file is taken whole or not at all.
"""

import csv

from chalicelib.errors import FieldError, InvalidAnswers, TooLarge
from chalicelib.statistics import EARLIEST, Imported, is_month

HEADER = ["month", "reports", "crimes"]
MOST_BYTES = 256 * 1024
MOST_LINES = 1_200  # a hundred years
MOST_ERRORS = 20  # told of one file: more of them have one cause
MOST_OF_ANYTHING = 9_999_999  # more than all of England and Wales record in a year


class Broken(InvalidAnswers):
    """The file cannot be taken as it is; `errors` names each broken line and what to do about it."""

    title = "There is a problem with the file"


def read(file: bytes, this_month: str) -> dict[str, Imported]:
    """The figures of each month in `file`; `this_month` (`2026-11`) is the last there can be.

    Raises Broken with all that is wrong (MOST_ERRORS at most), TooLarge over MOST_BYTES.
    """
    lines = _lines(file)
    if _cells(lines[0]) != HEADER:
        raise Broken(errors=[FieldError("line 1", f"Begin the file with the line {','.join(HEADER)}")])
    found: dict[str, tuple[int, Imported]] = {}  # with the line it is on
    errors = []
    for number, line in enumerate(lines[1:], 2):
        try:
            month, figures = _read_line(line, this_month)
            if month in found:
                raise ValueError(f"{month} is on line {found[month][0]} already: take one of them out")
            found[month] = number, figures
        except ValueError as wrong:
            errors.append(FieldError(f"line {number}", str(wrong)))
    if not lines[1:]:
        errors.append(FieldError("line 2", "There is no month in it: give each a line, such as 2019-03,3098,2076"))
    if errors:
        raise Broken(errors=errors[:MOST_ERRORS])
    return {month: figures for month, (_, figures) in found.items()}


def _lines(file: bytes) -> list[str]:
    """The lines of the file, without empty ones at its end."""
    if len(file) > MOST_BYTES:
        raise TooLarge(f"A file of figures has at most {MOST_BYTES // 1024} KB")
    try:
        lines = file.decode("utf-8-sig").rstrip().split("\n")
    except UnicodeDecodeError as error:
        number = file.count(b"\n", 0, error.start) + 1
        raise Broken(
            errors=[FieldError(f"line {number}", "Save the file as UTF-8: a character here cannot be read")]
        ) from None
    if len(lines) > MOST_LINES:
        raise Broken(errors=[FieldError(f"line {MOST_LINES + 1}", f"A file has at most {MOST_LINES} lines")])
    return [line.rstrip("\r") for line in lines]


def _read_line(line: str, this_month: str) -> tuple[str, Imported]:
    """A month and its figures. Raises ValueError with what to do about it."""
    cells = _cells(line)
    if len(cells) != len(HEADER):
        raise ValueError("Give a month, its reports and its crimes with two commas between, such as 2019-03,3098,2076")
    month, reports, crimes = cells
    if not is_month(month):
        raise ValueError("Write the month as a year and a month, such as 2019-03")
    if month < EARLIEST:
        raise ValueError(f"Take out months before {EARLIEST}")
    if month > this_month:
        raise ValueError(f"{month} has not come yet: take it out")
    return month, Imported(_number("reports", reports), _number("crimes", crimes) if crimes else None)


def _cells(line: str) -> list[str]:
    try:
        return [cell.strip() for cell in next(csv.reader([line]), [])]
    except csv.Error:
        return []


def _number(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 20 or int(text) > MOST_OF_ANYTHING:
        raise ValueError(f"Write {name} as a whole number from 0 to {MOST_OF_ANYTHING}, in digits only")
    return int(text)
