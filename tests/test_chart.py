"""The chart: what it draws, what it says, and that its marks and letters stand out, in every number of months."""

import re
from collections.abc import Sequence
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from force_figures import ALL_MONTHS, CRIMES, REPORTS
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.colours import OURS, contrast, problem
from chalicelib.pages.chart import GRID, GROUND, Month, chart, description, ticks_to
from chalicelib.pages.figures_in_words import month

SVG = "{http://www.w3.org/2000/svg}"
FORCE = [Month(month(name, str), REPORTS[name], CRIMES[name]) for name in ALL_MONTHS]
LONG = [
    Month(month(f"{2017 + number // 12}-{number % 12 + 1:02}", str), number * 7, number * 5) for number in range(120)
]
SERIES = {
    "the force": FORCE,
    "ten years": LONG,
    "one month": FORCE[-1:],
    "two": FORCE[:2],
    "nothing": [Month("March 2018", 0, 0), Month("April 2018", 0, 0)],
    "gaps": [Month("March 2018", None, None), Month("April 2018", 9, None), Month("May 2018", 12, 5)],
    "more crimes than reports": [Month("March 2018", 3, 40)],
}


def drawn(months: Sequence[Month], colour: str = OURS) -> ElementTree.Element:
    return ElementTree.fromstring(chart(months, colour, str))


def bars(svg: ElementTree.Element) -> list[dict[str, str]]:
    """The rectangles behind those of the ground and the two of the legend."""
    ground, *rest = [element.attrib for element in svg.iter(f"{SVG}rect")]
    assert ground["fill"] == GROUND
    return rest[2:]


def test_each_month_has_its_bars_in_proportion() -> None:
    found = bars(drawn(FORCE))
    reports = [bar for bar in found if "stroke" in bar]
    crimes = [bar for bar in found if "stroke" not in bar]
    assert (len(reports), len(crimes)) == (18, 16)  # there is no bar for nothing
    for some, counts in ((reports, list(REPORTS.values())), (crimes, [count for count in CRIMES.values() if count])):
        heights = [float(bar["height"]) for bar in some]
        assert heights == pytest.approx([max(heights) / max(counts) * count for count in counts], abs=0.2)
    assert {bar["width"] for bar in reports} != {bar["width"] for bar in crimes}  # known apart without colour


@pytest.mark.parametrize("name", SERIES)
def test_everything_is_inside_and_letters_do_not_overlap(name: str) -> None:
    svg = drawn(SERIES[name])
    width, height = float(svg.attrib["width"]), float(svg.attrib["height"])
    assert svg.attrib["viewBox"] == f"0 0 {width:.0f} {height:.0f}"
    for bar in bars(svg):
        x, y = float(bar["x"]), float(bar["y"])
        assert min(x, y) >= 0
        assert x + float(bar["width"]) <= width
        assert y + float(bar["height"]) <= height
    texts = [(float(text.attrib["x"]), float(text.attrib["y"]), text.text or "") for text in svg.iter(f"{SVG}text")]
    for line in {y for _, y, _ in texts if y > 270}:
        places = sorted(x for x, y, _ in texts if y == line)
        assert all(after - before >= 40 for before, after in pairwise(places))
    assert not [text for text in texts if len(text[2]) > 9]
    assert int(svg.attrib["font-size"]) >= 12 and "font-size" not in "".join(
        key for element in list(svg.iter())[1:] for key in element.attrib)  # fmt: skip


@pytest.mark.parametrize("name", SERIES)
@pytest.mark.parametrize("colour", [OURS, "#1d70b8", "#6f42c1", "#767676"])
def test_marks_and_letters_stand_out(name: str, colour: str) -> None:
    """WCAG 1.4.3 for letters (4.5 to 1), 1.4.11 for marks (3 to 1); the lines of the grid are no marks: they carry no
    meaning that the labels do not.
    """
    assert colour == "#767676" or problem(colour) is None
    svg = drawn(SERIES[name], colour)
    for text in svg.iter(f"{SVG}text"):
        assert contrast(text.attrib.get("fill", svg.attrib["fill"]), GROUND) >= 4.5
    for bar in bars(svg):
        assert contrast(bar.get("stroke", bar["fill"]), GROUND) >= 3
        assert float(bar.get("stroke-width", 1)) >= 1
    assert {line.attrib["stroke"] for line in svg.iter(f"{SVG}line")} <= {GRID, "#0b0c0c"}


def test_it_has_a_name_and_says_what_it_shows() -> None:
    svg = drawn(FORCE)
    title, said = svg.find(f"{SVG}title"), svg.find(f"{SVG}desc")
    assert title is not None and said is not None
    assert svg.attrib["role"] == "img"
    assert (svg.attrib["aria-labelledby"], svg.attrib["aria-describedby"]) == (title.attrib["id"], said.attrib["id"])
    assert title.text == "Online incident reports and crimes by calendar month, January 2018 – June 2019"
    assert said.text == (
        "Reports: 619 in January 2018, 2,816 in June 2019; the most were 3,098 in March 2019. "
        "Crimes: 0 in January 2018, 1,929 in June 2019; the most were 2,076 in March 2019."
    )


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("one month", "Reports: 2,816 in June 2019. Crimes: 1,929 in June 2019."),
        ("nothing", "Reports: 0 in March 2018, 0 in April 2018. Crimes: 0 in March 2018, 0 in April 2018."),
        ("gaps", "Reports: 9 in April 2018, 12 in May 2018. Crimes: 5 in May 2018. "
                 "In 2 of 3 months a number is not shown or not known."),
    ],
)  # fmt: skip
def test_what_it_says(name: str, words: str) -> None:
    assert description(SERIES[name], str) == words


def test_it_needs_no_style_and_no_script() -> None:
    text = chart(FORCE, OURS, str)
    assert not re.search(r"<(script|style|image|use|a)\b|style=|href=|\son\w+=", text)


def test_words_of_another_language_are_no_markup() -> None:
    text = chart([Month("<b>&", 1, 1)], OURS, lambda words: f"<i>{words}")
    assert "<b>" not in text and "<i>" not in text


@given(st.integers(0, 10**7))
def test_ticks_are_whole_round_and_few(most: int) -> None:
    ticks = ticks_to(most)
    assert ticks[0] == 0 and ticks[-1] >= max(1, most) and 2 <= len(ticks) <= 6
    (step,) = {after - before for before, after in pairwise(ticks)}
    assert str(step).rstrip("0") in ("1", "2", "5") and ticks[-1] - most <= max(1, step)
