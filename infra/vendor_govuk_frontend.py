"""Write the stylesheet of the pages: govuk-frontend without what only GOV.UK may use.

    npm pack govuk-frontend@6.3.0
    python infra/vendor_govuk_frontend.py govuk-frontend-6.3.0.tgz

The font (GDS Transport), the royal crest, the crown, the favicons and GOV.UK's blue belong to GOV.UK and go; the rules
stay, under the MIT licence, which is written beside them. The version is the one that `govuk-frontend-jinja` renders.
"""

import argparse
import json
import re
import tarfile
from pathlib import Path

VERSION = "6.3.0"
STATIC = Path(__file__).parent.parent / "chalicelib" / "pages" / "static"
FONTS = "Helvetica Neue,Helvetica,Arial,sans-serif"
COLOURS = {
    "#1d70b8": "#0b4f6c",  # brand
    "#1a65a6": "#0b4f6c",  # link
    "#0f385c": "#06303f",  # link under the pointer
    "#8eb8dc": "#a3bfc8",  # border of a tinted surface
    "#d2e2f1": "#d5e5e9",  # blue tint
    "#f4f8fb": "#f1f6f7",  # tinted surface
}
GOVUK_ONLY = ("GDS Transport", "crest.svg", "@font-face", "Margaret Calvert", "/assets/", *COLOURS)
LICENCE = """\
govuk-frontend {version}, changed: its font, crest and colours are taken out by infra/vendor_govuk_frontend.py.

The MIT License (MIT)

Copyright (C) 2017 Crown Copyright (Government Digital Service)

Permission is hereby granted, free of charge, to any person obtaining a copy of
this software and associated documentation files (the "Software"), to deal in
the Software without restriction, including without limitation the rights to
use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies
of the Software, and to permit persons to whom the Software is furnished to do
so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE.
"""


def read_stylesheet(tarball: Path) -> str:
    """The prebuilt stylesheet of the npm package, of the right version."""
    with tarfile.open(tarball) as package:
        version = json.loads(_member(package, "package/package.json"))["version"]
        if version != VERSION:
            raise SystemExit(f"This is govuk-frontend {version}: the pages need {VERSION}")
        return _member(package, "package/dist/govuk/govuk-frontend.min.css").decode()


def _member(package: tarfile.TarFile, name: str) -> bytes:
    file = package.extractfile(name)
    assert file, f"{name} is not a file"
    return file.read()


def without_branding(css: str) -> str:
    """The rules without GOV.UK's font, crest and colours."""
    css = re.sub(r"@font-face\{[^}]*\}", "", css)
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
    css = css.replace("GDS Transport,arial,sans-serif", FONTS)
    css = re.sub(r"url\(/assets/images/govuk-crest\.svg\)", "none", css)
    for theirs, ours in COLOURS.items():
        css = css.replace(theirs, ours)
    left = [mark for mark in GOVUK_ONLY if mark in css]
    if left:
        raise SystemExit(f"Still in the stylesheet: {', '.join(left)}")
    return css.strip() + "\n"


def main() -> None:
    """Write the stylesheet and its licence into the pages' static folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tarball", type=Path)
    css = without_branding(read_stylesheet(parser.parse_args().tarball))
    (STATIC / "govuk-frontend.css").write_text(css, encoding="utf-8")
    (STATIC / "govuk-frontend.licence.txt").write_text(LICENCE.format(version=VERSION), encoding="utf-8")
    print(f"{STATIC / 'govuk-frontend.css'}: {len(css)} characters")


if __name__ == "__main__":
    main()
