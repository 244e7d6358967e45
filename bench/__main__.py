"""`python -m bench`: what is measured on this machine, beside what it should be."""

import shutil
import sys

from rich.console import Console
from rich.table import Table

from bench import cold

GOAL = 0.33


def main() -> None:
    """Measure and print. SystemExit with one line if that cannot be done here."""
    if not shutil.which("valgrind"):
        sys.exit("valgrind counts the instructions, and it is not here: apt-get install valgrind")
    found = cold.measure()
    shown = Table("Cold start, import and first report", "Instructions", "Ratio", "Goal")
    for column in shown.columns[1:]:
        column.justify = "right"
    shown.add_row("Chalice's own package", f"{found.plain / 1e6:,.0f} M", "1.00", "")
    shown.add_row("Our artifact", f"{found.built / 1e6:,.0f} M", f"{found.ratio:.2f}", f"≤ {GOAL}")
    Console().print(shown)


if __name__ == "__main__":
    main()
