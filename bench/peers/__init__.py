"""What people would use instead: each peer is a folder with its pins and its `app.py`, unpacked as Lambda would."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from infra.local.once import made_once

HERE = Path(__file__).parent
BUILT = HERE.parents[1] / ".cache" / "bench"
SHARED = ("model.py", "table.py")


def build(name: str) -> Path:
    """The folder that Lambda would see: the dependencies and the handler, compiled. Made once, and again when a file of
    it is another. RuntimeError if pip cannot get what is asked for.
    """
    files = [HERE / name / "requirements.txt", HERE / name / "app.py", *(HERE / file for file in SHARED)]

    def make(scratch: Path) -> Path:
        folder = scratch / name
        _pip("install", "--no-deps", "--no-compile", "--target", str(folder), "-r", str(files[0]))
        for file in files[1:]:
            shutil.copy(file, folder)
        _python("-m", "compileall", "-q", str(folder))
        return folder

    return made_once(BUILT / f"{name}-{_hash(files)}", make)


def _hash(files: list[Path]) -> str:
    content = hashlib.sha256(sys.version.encode())
    for file in files:
        content.update(file.read_bytes())
    return content.hexdigest()[:12]


def _pip(*arguments: str) -> None:
    _python("-m", "pip", "--quiet", "--disable-pip-version-check", *arguments)


def _python(*arguments: str) -> None:
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"python {' '.join(arguments)} failed:\n{done.stderr}")
