"""In Chromium: adding files with and without the script, and everything that can be done after a report was sent."""

from pathlib import Path
from typing import Any

import pytest
from chromium import expect_accessible, expect_narrow, follow
from conftest import Runner
from playwright.sync_api import Page
from test_browser_journey import begin, expect_error, go_on, go_to
from test_evidence_pages import JPEG, PROGRAM
from test_status_pages import EMAIL, reported
from users import Officer

from chalicelib.evidence import LARGEST


def file(name: str, body: bytes) -> Any:
    return {"name": name, "mimeType": "image/jpeg", "buffer": body}


def add(page: Page, name: str, body: bytes) -> None:
    page.set_input_files("#file", file(name, body))
    with page.expect_navigation(url="**/files*"):
        page.get_by_role("button", name="Add this file").click()


def test_a_file_is_added_without_javascript(phone: Page) -> None:
    begin(phone, "theft")
    go_to(phone, "files")
    expect_narrow(phone)
    add(phone, "bike.jpg", JPEG)
    assert "Your file has arrived" in phone.locator("main").inner_text()
    expect_narrow(phone)
    add(phone, "program.jpg", PROGRAM)
    assert "not a photo, video or document" in phone.locator(".govuk-error-summary").inner_text()
    assert phone.locator(".listed").count() == 1
    phone.get_by_role("button", name="Remove").click()
    phone.wait_for_url("**/files")
    assert phone.locator(".listed").count() == 0


def test_a_file_is_added_with_javascript(desktop: Page, axe: str) -> None:
    begin(desktop, "theft")
    go_to(desktop, "files")
    expect_accessible(desktop, axe)
    add(desktop, "bike.jpg", JPEG)
    expect_accessible(desktop, axe)
    add(desktop, "program.jpg", PROGRAM)
    expect_error(desktop, axe)


@pytest.mark.parametrize(
    ("size", "message"),
    [
        (None, "Choose a file"),
        (0, "That file is empty"),
        (LARGEST + 1, "That file is larger than 100 MB"),
        (5 * 1024**3, "That file is larger than 100 MB"),
    ],
)
def test_the_script_says_what_is_wrong_before_anything_is_sent(
    desktop: Page, axe: str, size: int | None, message: str, tmp_path: Path
) -> None:
    begin(desktop, "theft")
    go_to(desktop, "files")
    sent: list[str] = []
    desktop.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    if size is not None:
        with (tmp_path / "film.mp4").open("wb") as made:
            made.truncate(size)  # a hole: the disk has nothing of it
        desktop.set_input_files("#file", tmp_path / "film.mp4")
    desktop.get_by_role("button", name="Add this file").click()
    assert message in desktop.locator(".govuk-error-summary").inner_text()
    assert message in desktop.locator("#file-error").inner_text()
    assert desktop.evaluate("document.activeElement.className") == "govuk-error-summary"
    expect_error(desktop, axe)
    assert sent == []


def test_everything_that_can_be_done_with_a_report(desktop: Page, axe: str, stack: Runner) -> None:
    reference, officer = reported(stack), Officer(stack)
    desktop.goto("/status")
    expect_accessible(desktop, axe)
    go_on(desktop, {"reference": "nonsense", "email": EMAIL})
    expect_error(desktop, axe)
    go_on(desktop, {"reference": reference, "email": EMAIL})
    expect_accessible(desktop, axe)
    expect_narrow(desktop)
    for link, wrong, said in (
        ("Add information", {"text": ""}, {"text": "It was green."}),
        ("Choose a time for a call-back", {}, {"time": "soon"}),
        ("Stop letters about this report", None, {}),
    ):
        follow(desktop.get_by_role("link", name=link))
        expect_accessible(desktop, axe)
        expect_narrow(desktop)
        if wrong is not None:
            go_on(desktop, wrong)
            expect_error(desktop, axe)
        go_on(desktop, said)
        expect_accessible(desktop, axe)
    follow(desktop.get_by_role("link", name="Add photos, video or documents"))
    expect_accessible(desktop, axe)
    add(desktop, "bike.jpg", JPEG)
    expect_accessible(desktop, axe)
    follow(desktop.get_by_role("link", name="Back to your report"))
    officer.done(reference, "crime", offence="44", disposal="filed")
    desktop.reload()
    assert officer.read(reference)["crime_number"] in desktop.locator("main").inner_text()
    expect_accessible(desktop, axe)
    expect_narrow(desktop)
    desktop.get_by_role("button", name="Close this report on this device").click()
    desktop.wait_for_url("**/status")


def test_a_printed_copy_has_the_reference_and_nothing_to_press(desktop: Page, stack: Runner) -> None:
    reference = reported(stack)
    desktop.goto(f"/reports/{reference}")
    desktop.emulate_media(media="print")
    assert desktop.locator(".reference").first.is_visible()
    for hidden in (".govuk-exit-this-page", ".site-footer", ".govuk-service-navigation"):
        assert not desktop.locator(hidden).is_visible()
