"""What is downloaded or built once on a machine, and kept in `.cache`."""

import tempfile
from collections.abc import Callable
from pathlib import Path


def made_once(home: Path, make: Callable[[Path], Path]) -> Path:
    """The folder `home`. Unless it is there, `make` gets a scratch folder beside it, and gives what becomes `home`, at
    once and whole. Of two who make it beside each other the quicker one's stays.
    """
    if not home.exists():
        home.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=home.parent) as scratch:
            made = make(Path(scratch))
            try:
                made.rename(home)
            except OSError:
                if not home.exists():
                    raise
    return home
