"""What documents and code point to is there: a dead link is a question nobody answers."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.test_house import files_we_wrote

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
LINK = re.compile(r"\]\(([^()\s]+)\)")
_FENCED = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
NAMED = re.compile(r"\bdocs/[\w/-]+\.md\b")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    assert [link for link in _links(page) if not _leads_somewhere(page, link)] == []


def test_every_page_that_code_or_pages_name_is_there() -> None:
    texts = [path for path in files_we_wrote() if path.suffix in (".py", ".md", ".yaml", ".mjs", "")]
    named = {(path.name, name) for path in texts for name in NAMED.findall(path.read_text())}
    assert len(named) > 50 and [one for one in named if not (ROOT / one[1]).is_file()] == []


def _links(page: Path) -> Iterator[str]:
    """Those to files of ours, outside of code."""
    prose = re.sub(r"`[^`\n]*`", "", _FENCED.sub("", page.read_text()))
    yield from (link for link in LINK.findall(prose) if not re.match(r"[a-z]+:", link))


def _leads_somewhere(page: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = page.parent / path if path else page
    return target.exists() and (not anchor or anchor in _anchors(target))


@cache
def _anchors(page: Path) -> set[str]:
    """The headings as GitHub names them."""
    headings = re.findall(r"^#+ (.+)$", _FENCED.sub("", page.read_text()), flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
