"""What the desk must not let slip: looks that leave no record, sessions that never end, changes made twice."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from door import Door
from users import example

from chalicelib import wiring
from chalicelib.evidence import File
from chalicelib.sessions import IDLE


@pytest.fixture
def door(app_module: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Door]:
    monkeypatch.setattr(wiring, "_installed", None)
    yield Door(app_module.app)


def reported(door: Door, token: str = "one") -> str:
    report = door.service.casework.submit(json.dumps(example()).encode(), token)
    door.service.casework.triage(report.reference)
    return report.reference


class Files:
    """The evidence of a report: one clean file."""

    id = "0" * 32

    def __init__(self, door: Door) -> None:
        self.kept = lambda folder: [File(self.id, 10, door.clock.now, "image/jpeg")]
        self.verdict = lambda folder, file: "clean"
        self.show = lambda folder, id: f"https://bucket.example.com/{folder}/{id}"


def test_the_files_of_a_report_open_from_its_page(door: Door) -> None:
    reference = reported(door)
    door.service.evidence = Files(door)  # type: ignore[misc, assignment]
    door.has_session("officer", name="olive")
    page = door.get(f"/desk/reports/{reference}").text
    link = next(part for part in page.split('"') if part.endswith(f"/evidence/{Files.id}"))
    assert door.get(link).location == f"https://bucket.example.com/{reference}/{Files.id}"
    assert "evidence" in {seen["what"] for seen in door.service.desk._store.accesses(officer="olive")}


def test_the_preview_of_a_letter_is_a_look_at_the_person(door: Door) -> None:
    reference = reported(door)
    token = door.has_session("officer", name="olive")
    sent = {"token": token, "version": "2", "offence": "44", "follows": "further_investigation"}
    shown = door.post(f"/desk/reports/{reference}/crime", **sent)
    assert example()["contact"]["email"] in shown.text
    (seen,) = door.service.desk._store.accesses(officer="olive")
    assert (seen["what"], seen["references"]) == ("read", [reference])


def test_what_the_desk_asks_by_itself_keeps_no_session_from_going_idle(door: Door) -> None:
    reference = reported(door)
    token = door.has_session("officer", name="olive")
    for _ in range(7):
        door.clock.advance(minutes=9)
        door.ask("GET", "/desk", **{"sec-fetch-mode": "cors"})
        door.ask("POST", f"/desk/reports/{reference}/renew", f"token={token}", **{"sec-fetch-mode": "cors"})
    assert timedelta(minutes=63) > IDLE
    assert "/desk/sign-in" in door.get("/desk").location


def test_what_an_officer_asks_keeps_it(door: Door) -> None:
    door.has_session("officer", name="olive")
    for _ in range(7):
        door.clock.advance(minutes=9)
        assert door.get("/desk").status == 200
