"""Letters in Chromium, as a mail program shows them: accessibility, and nothing wider than a narrow telephone."""

from typing import Any

import pytest
from chromium import RULES
from playwright.sync_api import Browser

from chalicelib.chat import begin, say, take, want_transcript
from chalicelib.letters import return_link, transcript, write
from tests.fakes import ANN, NOW
from tests.test_letters import CASES

NAMES = {name: report for name, report in reversed(CASES)}
LETTERS = {name: write(report, report.version, "Example Police", "https://report.example.com").html
           for name, report in NAMES.items()}  # fmt: skip
LINK = f"https://report.example.com/drafts/{'0' * 32}/return/{'x' * 90}"
LETTERS["return_link"] = return_link("eve@example.com", LINK, NOW, "Example Police", "theft", "id").html
TAKEN = take(begin("c1", {"name": "Eve"}, "It has gone.\nIt was red.", "m1", NOW), ANN.actor, NOW)
ANSWERED = say(TAKEN, ANN.actor, "W" * 200, "m2", NOW)
LETTERS["transcript"] = transcript(want_transcript(ANSWERED, "eve@example.com", "t1", NOW), 1, "Example Police").html


@pytest.mark.parametrize("name", LETTERS)
def test_a_letter_can_be_read_by_everybody(browser: Browser, axe: str, name: str) -> None:
    page = browser.new_page(viewport={"width": 320, "height": 640})
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(request.url))
    page.set_content(LETTERS[name])
    page.evaluate(axe)
    result: Any = page.evaluate("rules => axe.run(document, rules)", RULES)
    assert len(result["passes"]) > 5
    assert [(broken["id"], [node["html"] for node in broken["nodes"]]) for broken in result["violations"]] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert fetched == []
    page.close()
