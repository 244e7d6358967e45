"""The ratios that were last accepted, in `baseline.json`: what a run is held against."""

import json
from pathlib import Path

from bench.gauge import INSTRUCTIONS
from bench.goals import Changes, Found, compare, figures

HERE = Path(__file__).with_name("baseline.json")


def accept(found: Found, path: Path = HERE) -> None:
    """Keep what was found. ValueError if it is not all, or not in instructions."""
    values = {name: figure.value for name, figure in figures(found).items()}
    lacking = [name for name, value in values.items() if value is None]
    if found.unit != INSTRUCTIONS or lacking:
        raise ValueError(f"nothing is accepted without {', '.join(lacking) or INSTRUCTIONS}")
    accepted = {name: round(value, 4) for name, value in values.items() if value is not None}
    path.write_text(json.dumps(accepted, indent=2, sort_keys=True) + "\n")


def changes(found: Found, path: Path = HERE) -> Changes:
    """What is otherwise than accepted."""
    if found.unit != INSTRUCTIONS:
        return Changes([], [], [f"{found.unit} are not held against the baseline, which has {INSTRUCTIONS}"])
    return compare(figures(found), json.loads(path.read_text()) if path.exists() else {})
