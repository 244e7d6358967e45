"""Reads `docs/scale.md` and `docs/scale-chat.md`: their tables, and the formulas in them, which are worked out here."""

import ast
import operator
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

DOCS = Path(__file__).parents[1] / "docs"
SCALES = {"force": "A force", "country": "The country", "thousand": "A thousand countries"}
Row = dict[str, str]
Names = dict[str, Any]

_DO = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}
_FUNCTIONS = {"min": min, "max": max}
_NUMBER = re.compile(r"-?\d[\d,]*(?:\.\d+)?")


def text_of(page: str) -> str:
    """The page."""
    return (DOCS / page).read_text()


def tables(page: str, title: str = "") -> list[list[Row]]:
    """The tables of a page, or of one chapter of it: rows by the heads of their columns."""
    text = text_of(page)
    if title:
        text = text.split(f"\n## {title}\n")[1].split("\n## ")[0]
    found = re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE)
    return [list(_rows(lines.splitlines())) for lines in found]


def _rows(lines: list[str]) -> Iterator[Row]:
    head, _, *others = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    yield from (dict(zip(head, cells, strict=True)) for cells in others)


def number(shown: str) -> float:
    """The figure in a cell, such as `1,234` or `**31**`."""
    found, *_ = _NUMBER.findall(shown)
    return float(found.replace(",", ""))


def agrees(shown: str, exact: float) -> bool:
    """Whether a figure is `exact` as it would be rounded to the places that are shown; from a thousand on, its last
    zeros are no places. One digit alone is not rounded.
    """
    (text,) = _NUMBER.findall(shown)
    digits, _, decimals = text.replace(",", "").partition(".")
    zeros = len(digits) - len(digits.rstrip("0")) if not decimals and len(digits) > 3 else 0
    if len((digits + decimals).lstrip("0")) < 2:
        return abs(number(text) - exact) < 1e-9
    return abs(number(text) - exact) <= 10.0 ** (zeros - len(decimals)) / 2 * (1 + 1e-9)


def worked_out(formula: str, names: Mapping[str, Any]) -> float:
    """What a formula gives: numbers, names, `country.storm`, the four signs of arithmetic, `min`, `max`. Raises
    KeyError for a name that is not known.
    """
    formula = formula.replace("\N{MINUS SIGN}", "-")
    plain = re.sub(r"(?<=\d),(?=\d{3})", "", formula).replace("\N{MULTIPLICATION SIGN}", "*")
    return _value(ast.parse(plain, mode="eval").body, names)


def _value(node: ast.expr, names: Mapping[str, Any]) -> float:
    match node:
        case ast.Constant(value=int() | float() as plain):
            return float(plain)
        case ast.Name(id=name):
            return float(names[name])
        case ast.Attribute(value=ast.Name(id=scale), attr=name):
            return float(getattr(names[scale], name))
        case ast.BinOp(left=left, op=op, right=right):
            return float(_DO[type(op)](_value(left, names), _value(right, names)))
        case ast.Call(func=ast.Name(id=name), args=several):
            return float(_FUNCTIONS[name](*(_value(one, names) for one in several)))
    raise ValueError(f"no formula: {ast.unparse(node)}")


def formula_in(cell: str) -> str:
    """What stands between backticks in a cell, no text if nothing does."""
    found = re.search("`([^`]+)`", cell)
    return found[1] if found else ""


def named(names: Mapping[str, Names]) -> Names:
    """The names of all scales for a formula in the text: `country.storm`."""
    return {scale: SimpleNamespace(**of) for scale, of in names.items()}
