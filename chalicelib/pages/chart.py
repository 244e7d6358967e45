"""The chart of the monthly figures: an SVG of our own. Needs no script, no colour and no style to be read.

Reports are the wide, empty bars, crimes the narrow, full ones in front. Letters are never scaled: what is wider than
the screen scrolls, and on paper it is made to fit.
"""

from collections.abc import Callable, Iterator, Sequence
from html import escape
from itertools import pairwise
from typing import Any, NamedTuple

Say = Callable[[str], str]

GROUND, INK, GRID = "#ffffff", "#0b0c0c", "#d5d8da"  # the grid only helps: its labels say it all
LETTERS = 14  # pixels
_HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 340, 66, 16, 44, 52
_USUAL_WIDTH, _WIDEST_STEP, _NARROWEST_STEP, _LABEL = 560, 64, 11, 44
_MOST_TICKS = 6

Value = int | None


class Month(NamedTuple):
    """`name` is `March 2018`. None is a number that is not shown, or not known."""

    name: str
    reports: Value
    crimes: Value


def chart(months: Sequence[Month], colour: str, say: Say) -> str:
    """The SVG of one month or more, as markup; `colour` is that of the bars of crimes, which stands out from white."""
    step = min(_WIDEST_STEP, max(_NARROWEST_STEP, _USUAL_WIDTH // len(months)))
    width = max(_LEFT + step * len(months) + _RIGHT, _LEFT + 240)
    ticks = ticks_to(max([value for month in months for value in month[1:] if value], default=0))
    parts = [
        _rectangle(0, 0, width, _HEIGHT, fill=GROUND),
        *_legend(colour, say),
        *_scale(ticks, width),
        *_bars(months, step, ticks[-1], colour),
        *_names(months, step),
    ]
    return _element(
        "svg", "".join([_element("title", escape(title(months, say)), id="chart-title"),
                       _element("desc", escape(description(months, say)), id="chart-desc"), *parts]),
        xmlns="http://www.w3.org/2000/svg", role="img", aria_labelledby="chart-title", aria_describedby="chart-desc",
        viewBox=f"0 0 {width} {_HEIGHT}", width=width, height=_HEIGHT, font_family="arial, sans-serif",
        font_size=LETTERS, fill=INK,
    )  # fmt: skip


def title(months: Sequence[Month], say: Say) -> str:
    """What the chart is of."""
    what = say("Online incident reports and crimes by calendar month")
    return f"{what}, {months[0].name}" if len(months) == 1 else f"{what}, {months[0].name} – {months[-1].name}"


def description(months: Sequence[Month], say: Say) -> str:
    """What the chart says, in sentences."""
    told = [
        *_trend(say("Reports"), [(month.name, month.reports) for month in months], say),
        *_trend(say("Crimes"), [(month.name, month.crimes) for month in months], say),
    ]
    gaps = sum(None in month for month in months)
    if gaps:
        told.append(say("In {gaps} of {months} months a number is not shown or not known.").format(
            gaps=gaps, months=len(months)))  # fmt: skip
    return " ".join(told)


def ticks_to(most: int) -> list[int]:
    """Round numbers from 0 to `most` or just above, whole and few."""
    step = next(step for step in _steps() if most <= step * (_MOST_TICKS - 1))
    return [step * number for number in range(max(1, -(-most // step)) + 1)]


def _steps() -> Iterator[int]:
    power = 1
    while True:
        yield from (power, 2 * power, 5 * power)
        power *= 10


def _trend(what: str, values: Sequence[tuple[str, Value]], say: Say) -> Iterator[str]:
    known = [(name, value) for name, value in values if value is not None]
    if not known:
        return
    (first, began), (last, ended) = known[0], known[-1]
    if len(known) == 1:
        yield say("{what}: {count} in {month}.").format(what=what, count=f"{ended:,}", month=last)
        return
    words = say("{what}: {began} in {first}, {ended} in {last}").format(
        what=what, began=f"{began:,}", first=first, ended=f"{ended:,}", last=last
    )
    peak, most = max(known, key=lambda one: one[1])
    if most > max(began, ended):
        words += say("; the most were {most} in {peak}").format(most=f"{most:,}", peak=peak)
    yield f"{words}."


def _scale(ticks: Sequence[int], width: int) -> Iterator[str]:
    for tick in ticks:
        y = _y(tick, ticks[-1])
        yield _line(_LEFT, y, width - _RIGHT, y, stroke=GRID if tick else INK)
        yield _text(f"{tick:,}", _LEFT - 8, y + 5, text_anchor="end")


def _bars(months: Sequence[Month], step: int, top: int, colour: str) -> Iterator[str]:
    wide, narrow = max(7, step * 7 // 10), max(3, step * 3 // 10)
    for number, month in enumerate(months):
        middle = _LEFT + step * number + step / 2
        for value, width, how in (
            (month.reports, wide, {"fill": GROUND, "stroke": INK, "stroke_width": 1.5}),
            (month.crimes, narrow, {"fill": colour}),
        ):
            if value:
                y = _y(value, top)
                yield _rectangle(middle - width / 2, y, width, _y(0, top) - y, **how)


def _names(months: Sequence[Month], step: int) -> Iterator[str]:
    """As many months as there is room for, each with the first three letters; the year where it begins."""
    every = next(every for every in (1, 2, 3, 6, 12) if every * step >= _LABEL or every == 12)
    shown, base = list(range(0, len(months), every)), _HEIGHT - _BOTTOM
    years = [months[number].name.rpartition(" ")[2] for number in shown]
    begins = [True, *(one != next_one for one, next_one in pairwise(years))]
    for number, year, is_new in zip(shown, years, begins, strict=True):
        middle = _LEFT + step * number + step / 2
        yield _line(middle, base, middle, base + 6, stroke=INK)
        yield _text(months[number].name[:3], middle, base + 21, text_anchor="middle")
        if is_new:
            yield _text(year, middle, base + 39, text_anchor="middle", font_weight="bold")


def _legend(colour: str, say: Say) -> Iterator[str]:
    yield _rectangle(_LEFT, 11, 14, 14, fill=GROUND, stroke=INK, stroke_width=1.5)
    yield _text(say("Reports"), _LEFT + 22, 23)
    yield _rectangle(_LEFT + 112, 10, 7, 16, fill=colour)
    yield _text(say("Crimes"), _LEFT + 127, 23)


def _y(value: int, top: int) -> float:
    return round(_HEIGHT - _BOTTOM - value / top * (_HEIGHT - _TOP - _BOTTOM), 1)


def _rectangle(x: float, y: float, width: float, height: float, **how: Any) -> str:
    return _element("rect", x=round(x, 1), y=y, width=width, height=round(height, 1), **how)


def _line(x1: float, y1: float, x2: float, y2: float, **how: Any) -> str:
    return _element("line", x1=round(x1, 1), y1=y1, x2=round(x2, 1), y2=y2, **how)


def _text(words: str, x: float, y: float, **how: Any) -> str:
    return _element("text", escape(words), x=round(x, 1), y=round(y, 1), **how)


def _element(name: str, inside: str = "", **attributes: Any) -> str:
    """Names of attributes have a hyphen where Python has an underscore. What is `inside` is markup."""
    said = "".join(f' {key.replace("_", "-")}="{escape(str(value))}"' for key, value in attributes.items())
    return f"<{name}{said}>{inside}</{name}>"
