"""The force's colour on the pages: what goes with it, and whether it can be read. Pure.

Contrast as WCAG 2.2 defines it (relative luminance, 1.4.3): white text is on the colour, and links are in it.
"""

import re

OURS = "#0b4f6c"
EMERGENCY = "#fbf1f1"  # the ground of the box that says when to call 999 (`.call-now` of service.css); it has links too
_LEAST = 4.5


def problem(colour: str) -> str | None:
    """What is wrong with a colour for a force, in words; None if it can be used."""
    if not re.fullmatch("#[0-9a-f]{6}", colour):
        return "a colour as # and six digits or letters a to f, such as #0b4f6c"
    if min(contrast(colour, ground) for ground in (tint(colour), EMERGENCY)) < _LEAST:
        return f"darker: white text on it, and links in it, need a contrast of {_LEAST} to 1"
    return None


def stylesheet(colour: str) -> str:
    """Sets the colours of a force for the stylesheets that come before."""
    light, edge = tint(colour), _mixed(colour, "#ffffff", 0.62)
    values = {
        "brand": colour,
        "link": colour,
        "link-hover": _mixed(colour, "#000000", 0.4),
        "surface-border": edge,
        "surface-background": light,
        "template-background": light,
    }
    return ":root {\n" + "".join(f"  --govuk-{name}-colour: {value};\n" for name, value in values.items()) + "}\n"


def tint(colour: str) -> str:
    """The light ground that goes with a colour."""
    return _mixed(colour, "#ffffff", 0.94)


def contrast(one: str, other: str) -> float:
    """From 1 to 21."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(part / 255) for part in _parts(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else float(((value + 0.055) / 1.055) ** 2.4)


def _mixed(colour: str, other: str, share: float) -> str:
    pairs = zip(_parts(colour), _parts(other), strict=True)
    return "#" + "".join(f"{round(one + (two - one) * share):02x}" for one, two in pairs)


def _parts(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
