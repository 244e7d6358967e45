"""What the desk must not let slip: looks that leave no record, sessions that never end, changes made twice."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from door import Answer, Door
from users import example

from chalicelib import wiring
from chalicelib.desk import Officer
from chalicelib.evidence import File
from chalicelib.reference import candidates, show
from chalicelib.report import Actor
from chalicelib.sessions import IDLE

OLIVE = Officer(Actor("olive", "olive"), is_supervisor=False)


@pytest.fixture
def door(app_module: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Door]:
    monkeypatch.setattr(wiring, "_installed", None)
    yield Door(app_module.app)


def reported(door: Door, token: str = "one") -> str:
    report = door.service.casework.submit(example(), token)
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


def test_the_form_of_a_call_back_shows_the_share_as_it_was_last_added_up(door: Door) -> None:
    """What has changed since may be more than can be read while somebody waits."""
    reference = reported(door)
    door.has_session("officer", name="olive")
    form = f"/desk/reports/{reference}/call-back"
    assert "were called back" not in door.get(form).text
    door.service.desk.call_back(OLIVE, reference, 2, "no_answer", None)
    door.clock.advance(minutes=10)
    door.service.ledger.move_on()
    reported(door, "two")
    page = door.get(form).text
    assert "As of 9:00am on Monday 23 November 2026, 1 of 1 reports of this month were called back: 100.0%." in page


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


def at_once(door: Door, token: str, what: str, *chosen: str, **said: str) -> Answer:
    pairs = [("token", token), *(("chosen", one) for one in chosen), *said.items()]
    return door.ask("POST", f"/desk/bulk/{what}", urlencode(pairs))


def test_a_broken_report_holds_up_none_of_the_others_that_are_done_at_once(door: Door) -> None:
    whole, broken = reported(door), reported(door, "two")
    door.table.items[f"REPORT#{broken}", "REPORT"]["answers"] = b"no answers"
    token = door.has_session("officer", name="olive")
    done = at_once(door, token, "link", f"{broken}:2", f"{whole}:2", text="All night long")
    assert (done.status, "1 of 2 done, 1 not" in done.text) == (200, True)
    assert door.service.desk.standing(whole).version == 3


def test_none_of_many_is_left_out_without_a_word(door: Door) -> None:
    token = door.has_session("officer", name="olive")
    many = [next(candidates(b"secret", str(number)))[0] for number in range(51)]
    refused = at_once(door, token, "file", *(f"{one}:1" for one in many), text="All")
    assert refused.status == 422 and "no more than 50" in refused.text


def test_one_report_ticked_twice_is_no_pattern(door: Door) -> None:
    reference = reported(door)
    token = door.has_session("officer", name="olive")
    done = at_once(door, token, "link", f"{reference}:2", f"{reference}:1", text="One night")
    assert "0 of 1 done" in done.text
    assert door.service.desk.standing(reference).version == 2


def test_a_page_without_its_version_keeps_what_was_typed(door: Door) -> None:
    reference = reported(door)
    token = door.has_session("officer", name="olive")
    for version in ("", "x", "9" * 30):
        back = door.post(f"/desk/reports/{reference}/note", token=token, version=version, text="Half an hour's work")
        assert back.status == 412 and "Half an hour&#39;s work" in back.text


def test_a_search_that_finds_nothing_keeps_what_was_typed(door: Door) -> None:
    token = door.has_session("officer", name="olive")
    back = door.post("/desk/search", token=token, search='No"body Anywhere')
    assert back.status == 422 and 'value="No&#34;body Anywhere"' in back.text


def test_a_report_stays_held_while_its_holder_fills_in_a_form(door: Door) -> None:
    reference = reported(door)
    token = door.has_session("officer", name="olive")
    lease = f'data-lease="/desk/reports/{door.service.desk.take_next(OLIVE) and show(reference)}/renew"'
    assert lease in door.get(f"/desk/reports/{reference}/call-back").text
    assert token and "data-lease" not in other_sees(door, reference)


def other_sees(door: Door, reference: str) -> str:
    door.has_session("officer", name="oscar")
    return door.get(f"/desk/reports/{reference}/call-back").text


def test_reports_are_offered_to_those_who_may_have_them(door: Door) -> None:
    reference = reported(door)
    door.has_session("analyst", name="Ana Lyst")
    door.has_session("supervisor", name="sara")
    page = door.get(f"/desk/reports/{reference}/assign").text
    assert "Ana Lyst" not in page and 'value="sara"' in page
