"""The force's colour: what goes with it can be read, and one that cannot is refused in words."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.colours import EMERGENCY, OURS, contrast, problem, stylesheet, tint
from chalicelib.pages import static_file, static_name

HEX = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [("#000000", "#ffffff", 21.0), ("#ffffff", "#ffffff", 1.0), ("#777777", "#ffffff", 4.48), (OURS, "#ffffff", 8.94)],
)
def test_contrast_is_that_of_wcag(one: str, other: str, ratio: float) -> None:
    assert contrast(one, other) == contrast(other, one) == pytest.approx(ratio, abs=0.01)


@pytest.mark.parametrize(
    "colour", ["", "#fff", "0b4f6c", "#0B4F6C", "#0b4f6", "#0b4f6cc", "red", "#0b4f6c;}", "#gggggg"]
)
def test_what_is_no_colour_is_refused(colour: str) -> None:
    assert "such as #0b4f6c" in str(problem(colour))


@pytest.mark.parametrize("colour", ["#ffffff", "#ffdd00", "#7fb2d9", "#808080", "#647387"])
def test_a_colour_that_white_cannot_be_read_on_is_refused(colour: str) -> None:
    assert "darker" in str(problem(colour))


@given(HEX)
def test_what_is_taken_can_be_read(colour: str) -> None:
    if problem(colour) is None:
        assert contrast(colour, "#ffffff") >= 4.5
        assert contrast(colour, tint(colour)) >= 4.5
        assert contrast(colour, EMERGENCY) >= 4.5
        assert contrast("#0b0c0c", tint(colour)) >= 7


def test_the_stylesheet_sets_what_the_others_use() -> None:
    assert problem(OURS) is None
    values = dict(re.findall(r"--govuk-([a-z-]+)-colour: (#[0-9a-f]{6});", stylesheet(OURS)))
    assert values["brand"] == values["link"] == OURS
    assert values["surface-background"] == values["template-background"] == tint(OURS)
    assert contrast(values["link-hover"], "#ffffff") > contrast(values["link"], "#ffffff")


def test_the_box_of_the_emergency_has_the_ground_that_links_are_checked_against() -> None:
    text, _ = static_file(static_name("service.css")) or ("", "")
    (box,) = re.findall(r"\.call-now \{[^}]*background: (#[0-9a-f]{6});", text)
    assert box == EMERGENCY
