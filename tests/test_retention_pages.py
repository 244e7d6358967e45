"""How long reports are kept, at the supervisors' desk: review, hold, erasure, and the file for one person."""

import json
import re
from collections.abc import Iterator
from html import unescape
from typing import Any
from urllib.parse import urlencode

import pytest
from door import Answer, Door
from users import example

from chalicelib import wiring
from chalicelib.desk import Officer
from chalicelib.evidence import File
from chalicelib.forms import EXAMPLES
from chalicelib.handlers import retention as handlers
from chalicelib.reference import candidates, show, smoke_token
from chalicelib.report import Actor
from chalicelib.report_items import key
from chalicelib.retention import read_periods

OLIVE = Officer(Actor("olive", "Olive Officer"), is_supervisor=False)
SARA = Officer(Actor("sara", "Sara Supervisor"), is_supervisor=True)
SAM = {"full_name": "Sam Carter", "email": "sam@example.com", "phone": "07700 900456"}
ONE = "0" * 32
NOWHERE = next(candidates(b"another", "another"))[0]


class Files:
    """The evidence of every report: one photo. `down` is S3 that does not answer."""

    down = False

    def __init__(self, door: Door) -> None:
        self.door = door

    def kept(self, folder: str) -> list[File]:
        if self.down:
            raise OSError("down")
        return [File(ONE, 2_000_000, self.door.clock.now, "image/jpeg")]

    def verdict(self, folder: str, file: File) -> str:
        return "clean"

    def remove_all(self, folder: str) -> None:
        pass


@pytest.fixture
def door(app_module: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Door]:
    monkeypatch.setattr(wiring, "_installed", None)
    door = Door(app_module.app)
    door.service.evidence = Files(door)  # type: ignore[misc, assignment]
    yield door


@pytest.fixture
def token(door: Door) -> str:
    return door.has_session("supervisor", name="sara")


def reported(door: Door, token: str, category: str = "theft", **changes: Any) -> str:
    report = door.service.casework.submit(example(category, **changes), token)
    door.service.casework.triage(report.reference)
    door.service.casework.send_letter(report.reference, 1)
    return report.reference


def closed(door: Door, token: str, **changes: Any) -> str:
    reference = reported(door, token, **changes)
    door.service.desk.not_crime(OLIVE, reference, 2, "no_offence", "The bicycle was lent.", {})
    return reference


def days_later(door: Door, days: int) -> str:
    """The supervisor comes back, and has another session."""
    door.clock.advance(days=days)
    return door.has_session("supervisor", name="sara")


def words(answer: Answer) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


def send(door: Door, path: str, **fields: Any) -> Answer:
    pairs = [(name, one) for name, value in fields.items() for one in (value if isinstance(value, list) else [value])]
    return door.ask("POST", path, urlencode(pairs))


# The review


def test_the_review_shows_what_is_due_group_by_group(door: Door, token: str) -> None:
    reference = closed(door, "one")
    assert "There is nothing in this list" in words(door.get("/desk/retention"))
    days_later(door, 733)
    page = door.get("/desk/retention?group=not_crimed")
    assert show(reference) in page.text and "Not crimed (1)" in words(page) and "Filed (0)" in words(page)
    assert "more than 2 years ago" in words(page)
    assert show(reference) not in door.get("/desk/retention?group=filed").text


@pytest.mark.parametrize(
    "query", ["group=nonsense", "after=%%%", "after=~", "group=held&after=2099", "group=&after=%00"]
)
def test_nonsense_in_the_address_is_passed_over(door: Door, token: str, query: str) -> None:
    assert door.get(f"/desk/retention?{query}").status == 200


def test_the_list_has_pages_and_counts_have_an_end(door: Door, token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handlers, "ROWS", 2)
    monkeypatch.setattr("chalicelib.keeping.MOST_COUNTED", 2)
    monkeypatch.setattr(handlers, "MOST_COUNTED", 2)
    several = []
    for number in range(3):
        door.clock.advance(minutes=1)
        several.append(show(closed(door, f"{number}")))
    days_later(door, 733)
    first = door.get("/desk/retention")
    assert [one in first.text for one in several] == [True, True, False] and "more than 2" in words(first)
    following = unescape(re.findall(r'rel="next" href="([^"]+)"', first.text)[0])
    second = door.get(following)
    assert [one in second.text for one in several] == [False, False, True] and 'rel="next"' not in second.text


def test_those_that_are_ticked_are_kept_held_or_erased_each_by_itself(door: Door, token: str) -> None:
    due, young = closed(door, "due"), ""
    token = days_later(door, 733)
    young = closed(door, "young")
    chosen = [f"{due}:3", f"{young}:3", f"{due[:-1]}?:3"]
    asked = send(door, "/desk/bulk", token=token, what="erase", chosen=chosen)
    assert asked.status == 200 and "Backups have it for another 35 days" in words(asked)
    assert "/desk/retention" in asked.text and "What stays" in words(asked)
    assert door.service.desk.standing(due).erased_at is None
    again = send(door, "/desk/bulk/erase", token=token, chosen=chosen, text="")
    assert again.status == 422 and door.service.desk.standing(due).erased_at is None
    done = send(door, "/desk/bulk/erase", token=token, chosen=chosen, text="Review of November")
    assert "1 of 2 done, 1 not" in words(done) and "Its period is not over before" in words(done)
    assert door.service.desk.standing(due).answers == {} and door.service.desk.standing(young).answers
    done = send(door, "/desk/bulk/hold", token=token, chosen=[f"{young}:3", f"{due}:3"], text="A court asked")
    assert "1 of 2 done" in words(done)
    assert show(young) in door.get("/desk/retention?group=held").text


def test_what_is_reviewed_is_kept_for_another_period(door: Door, token: str) -> None:
    reference = closed(door, "one")
    token = days_later(door, 733)
    send(door, "/desk/bulk/keep", token=token, chosen=f"{reference}:3", text="Another case is open")
    assert "Not crimed (0)" in words(door.get("/desk/retention"))
    page = words(door.get(f"/desk/reports/{reference}"))
    assert "Reviewed, and kept for another period" in page and "Another case is open" in page


def test_without_ticks_nothing_is_done(door: Door, token: str) -> None:
    for path in ("/desk/bulk", "/desk/bulk/erase"):
        refused = send(door, path, token=token, what="erase", text="why")
        assert refused.status == 422 and "Tick at least one report" in words(refused)
        assert '<a class="govuk-link" href="/desk/retention">Back to retention</a>' in refused.text
        assert '<a href="/desk/retention">Tick at least one report</a>' in refused.text
        assert "for good" not in refused.text and "0 reports" not in words(refused)


@pytest.mark.parametrize(
    ("what", "one", "several"),
    [("keep", "Keep it", "Keep them"), ("erase", "Erase it for good", "Erase them for good")],
)
def test_a_button_speaks_of_as_many_as_are_ticked_and_is_red_where_it_cannot_be_undone(
    door: Door, token: str, what: str, one: str, several: str
) -> None:
    chosen = [f"{closed(door, name)}:3" for name in "ab"]
    for ticked, told, button in ((chosen[:1], " 1 report ", one), (chosen, " 2 reports ", several)):
        page = send(door, "/desk/bulk", token=token, what=what, chosen=ticked)
        assert told in words(page) and buttons(page) == {button: what == "erase"}


def buttons(page: Answer) -> dict[str, bool]:
    """The last button of a page, and whether it is red."""
    ((classes, text),) = re.findall(r'<button [^>]*class="([^"]+)"[^>]*>([^<]+)</button>', page.text)[-1:]
    return {unescape(text).strip(): "govuk-button--warning" in classes}


@pytest.mark.parametrize("what", ["keep", "hold", "erase"])
def test_an_officer_finds_no_such_page(door: Door, what: str) -> None:
    reference = closed(door, "one")
    token = door.has_session("officer", name="olive")
    assert send(door, f"/desk/bulk/{what}", token=token, chosen=f"{reference}:3", text="why").status == 404
    assert "Legal hold" not in door.get(f"/desk/reports/{reference}").text
    assert "/desk/retention" not in door.get("/desk").text


# One report


def decide(door: Door, reference: str, move: str, token: str, **said: str) -> Answer:
    version = str(door.service.desk.standing(reference).version)
    return door.post(f"/desk/reports/{reference}/{move}", token=token, version=version, **said)


def test_a_hold_is_seen_on_the_report_and_lifted_there(door: Door, token: str) -> None:
    reference = closed(door, "one")
    assert decide(door, reference, "hold", token, text="A court asked").status == 303
    page = door.get(f"/desk/reports/{reference}")
    assert "Under legal hold , by sara" in words(page) and "A court asked" in words(page)
    assert "Erase on request" not in page.text
    form = door.get(f"/desk/reports/{reference}/lift")
    assert f"<strong>{show(reference)}</strong>" in form.text and buttons(form) == {"Lift the hold": False}
    refused = decide(door, reference, "erase", token, text="Request 7")
    assert refused.status == 409 and "It is under legal hold" in words(refused)
    decide(door, reference, "lift", token, text="The court is done")
    assert "Under legal hold" not in door.get(f"/desk/reports/{reference}").text.partition("What has happened")[0]


def test_an_erasure_on_request_leaves_a_page_that_says_so(door: Door, token: str) -> None:
    reference = closed(door, "one")
    form = door.get(f"/desk/reports/{reference}/erase")
    assert f"<strong>{show(reference)}</strong>" in form.text and buttons(form) == {"Erase it for good": True}
    assert "What goes" in words(form) and "What stays" in words(form)
    sent = {"token": token, "version": "3", "text": "Request 7"}
    answers = [door.post(f"/desk/reports/{reference}/erase", **sent) for _ in range(2)]
    assert [answer.location for answer in answers] == [f"/desk/reports/{show(reference)}?done=erase"] * 2
    page = door.get(answers[0].location)
    assert "Erased at" in words(page) and "because the person asked for it" in words(page)
    assert "No offence in law" in words(page) and "Request 7" in words(page) and "It is erased." in words(page)
    assert "bicycle was lent" not in page.text and "Acknowledgement: sent" in words(page)
    assert "The chain is whole" in words(door.get(f"/desk/reports/{reference}/history"))


def test_nothing_can_be_done_to_what_is_left(door: Door, token: str) -> None:
    reference = closed(door, "one")
    decide(door, reference, "erase", token, text="Request 7")
    for move in ("crime", "note", "assess", "hold", "erase", "cancel", "disposal", "call-back", "not-crime", "assign"):
        assert door.get(f"/desk/reports/{reference}/{move}").status == 303
        reason = "no_offence" if move == "not-crime" else "C4"
        said = {"threat": "x", "offence": "44", "follows": "18", "to": "sara", "result": "reached", "rationale": "x"}
        refused = decide(door, reference, move, token, text="x", reason=reason, **said)
        assert (refused.status, "Nothing of it can change any more" in refused.text) == (409, True), move
    assert door.get(f"/desk/reports/{reference}/evidence/{ONE}").status == 404
    bearer = {"authorization": f"Bearer {door.directory.token(groups=['officer'])}", "accept": "application/json"}
    told = json.loads(door.ask("GET", f"/triage/{reference}", **bearer).text)
    assert (told["answers"], told["status"], "erased_at" in told) == ({}, "not_crimed", True)
    bearer |= {"content-type": "application/json", "if-match": f'"{told["version"]}"'}
    refused = door.ask("POST", f"/triage/{reference}/notes", '{"text": "x"}', **bearer)
    assert refused.status == 409 and "erased" in json.loads(refused.text)["detail"]


def test_it_is_still_found_by_its_reference_and_by_nothing_else(door: Door, token: str) -> None:
    reference = closed(door, "one", contact=SAM)
    decide(door, reference, "erase", token, text="Request 7")
    door.service.erasing.finish(lambda: 60.0)
    assert door.post("/desk/search", token=token, search=show(reference)).status == 303
    for clue in ("sam@example.com", "Sam Carter", "07700 900456"):
        assert door.post("/desk/search", token=token, search=clue).status == 422


def test_the_public_finds_nothing_and_an_open_page_shows_nothing(door: Door, token: str) -> None:
    reference = closed(door, "one", contact=SAM)
    officer = dict(door.cookies)
    door.cookies = {}
    factor = {"reference": show(reference), "email": "sam@example.com"}
    assert door.post("/status", **factor).status == 303
    door.cookies |= officer
    address = f"/status/{show(reference)}"
    open_page = door.get(f"{address}/add")
    form_token = open_page.text.partition('name="token" value="')[2].partition('"')[0]
    decide(door, reference, "erase", token, text="Request 7")
    before = door.service.desk.standing(reference)
    for answer in (door.get(address), door.get(f"{address}/letters"), door.get(f"{address}/files"),
                   door.post(f"{address}/add", token=form_token, text="More"),
                   door.post(f"{address}/letters", token=form_token, wanted="no"),
                   door.post("/status", **factor)):  # fmt: skip
        assert answer.status == 404 and "Sam" not in answer.text
    unknown = door.post("/status", reference="7K3M-9QWP-R2T8", email="sam@example.com")
    assert unknown.status in (404, 422)
    assert door.service.desk.standing(reference) == before


# The file for one person


def export(door: Door, token: str, *references: str) -> Answer:
    return send(door, "/desk/export/file", token=token, chosen=list(references), listed=list(references))


def test_reports_are_found_by_what_the_person_gave(door: Door, token: str) -> None:
    mine = [show(reported(door, one, contact=SAM)) for one in "ab"]
    other = show(reported(door, "c", contact={"full_name": "Eve Example", "email": "eve@example.com"}))
    for typed in ("SAM@example.com", "+44 7700 900456", mine[0], mine[1].lower()):
        found = door.post("/desk/export", token=token, text=typed)
        assert found.status == 200 and other not in found.text, typed
        assert all(one in found.text for one in mine) and "Sam Carter" in found.text
        assert "That it was made is recorded" in words(found)
    assert other in door.post("/desk/export", token=token, text="eve@example.com").text
    looks = door.service.store.accesses(officer="sara")
    assert {look["what"] for look in looks} == {"list"} and len(looks) == 5


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("", "Enter the email address or telephone number"),
        ("   ", "Enter the email address or telephone number"),
        ("Sam Carter", "Enter the email address or telephone number"),
        ("B13 8AA", "Enter the email address or telephone number"),
        ("20/1/26", "Enter the email address or telephone number"),
        ("@", "Enter the email address or telephone number"),
        ("\x00\ufffe{{7*7}}", "Enter the email address or telephone number"),
        ("x" * 201, "must be 200 characters or fewer"),
        ("nobody@example.com", "Nothing was found"),
        ("07700 900999", "Nothing was found"),
        (NOWHERE, "No report was found"),
    ],
)
def test_what_finds_nothing_is_told_and_kept_on_the_page(door: Door, token: str, typed: str, told: str) -> None:
    reported(door, "one")
    answer = door.post("/desk/export", token=token, text=typed)
    assert answer.status == 422 and told in words(answer)
    assert "{{7*7}}" in answer.text if "7*7" in typed else "49" not in words(answer)
    assert not door.service.store.accesses(officer="sara")


@pytest.mark.parametrize("category", EXAMPLES)
def test_the_file_has_all_that_was_said_and_done(door: Door, token: str, category: str) -> None:
    said = example(category)
    reference = reported(door, "one", category)
    desk, casework = door.service.desk, door.service.casework
    casework.add(reference, "an id", "There is a video of it")
    desk.note(OLIVE, reference, 3, "Looks like the one of last week")
    desk.crime(OLIVE, reference, 4, "44", "further_investigation", None, "Nothing to go by")
    desk.read(OLIVE, reference)
    answer = export(door, token, reference)
    assert answer.status == 200 and answer.headers["Content-Disposition"].startswith("attachment; filename=")
    assert answer.headers["Content-Type"].startswith("text/html") and answer.headers["Cache-Control"] == "no-store"
    told = words(answer)
    for text in texts_of(said):
        assert " ".join(text.split()) in told, text
    for text in ("There is a video of it", "Looks like the one of last week", "Nothing to go by", "Photo, 1.9 MB",
                 "Acknowledgement: sent", "Read by the police", "Made into a file such as this one",
                 "data protection officer", said["contact"]["full_name"],
                 "Further investigation: whether it is still needed is reviewed from"):  # fmt: skip
        assert text in told, text
    assert "Olive Officer" not in told and "sara" not in told
    assert "<script" not in answer.text and "http" not in answer.text.replace("http-equiv", "")


def texts_of(said: Any) -> Iterator[str]:
    """What somebody typed, as against what they chose."""
    if isinstance(said, dict):
        for name, value in said.items():
            yield from texts_of(value) if name not in ("category", "start_date", "end_date", "overwritten_on") else ()
    elif isinstance(said, list):
        for value in said:
            yield from texts_of(value)
    elif isinstance(said, str) and (" " in said or "@" in said):
        yield said


def test_each_export_is_logged_under_its_report_and_its_officer_before_it_is_made(
    door: Door, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = (reported(door, name, contact=SAM) for name in "ab")
    monkeypatch.setattr(handlers.files, "file", lambda *_: 1 / 0)
    assert export(door, token, one, two).status == 500
    for reference in (one, two):
        (look, *_) = door.service.store.accesses(reference=reference)
        assert (look["what"], look["officer"]) == ("export", "sara")
    assert "Exported it for the person" in door.get(f"/desk/reports/{one}/history").text


def test_what_cannot_be_handed_over_is_told_and_nothing_is_logged(door: Door, token: str) -> None:
    reference, gone = reported(door, "one", contact=SAM), closed(door, "two", contact=SAM)
    decide(door, gone, "erase", token, text="Request 7")
    for chosen in ((), (gone,), (NOWHERE,), ("nonsense",), (reference, gone)):
        answer = send(door, "/desk/export/file", token=token, chosen=list(chosen), listed=reference)
        assert answer.status == 422 and "There is a problem" in words(answer), chosen
        assert show(reference) in answer.text and "Sam Carter" in answer.text
    assert "export" not in {look["what"] for look in door.service.store.accesses(officer="sara")}
    told = words(door.post("/desk/export", token=token, text=show(gone)))
    assert "That report was erased. Nothing is kept about the person" in told


def test_a_file_that_is_too_large_is_refused(door: Door, token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    reference = reported(door, "one")
    monkeypatch.setattr(handlers, "LARGEST_FILE", 100)
    refused = export(door, token, reference)
    assert refused.status == 422 and "Tick fewer reports" in words(refused)


def test_files_that_cannot_be_listed_are_not_passed_over(
    door: Door, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = reported(door, "one")
    monkeypatch.setattr(Files, "down", True)
    assert "They could not be listed when this was made" in words(export(door, token, reference))


def test_files_that_cannot_be_listed_are_asked_for_once(
    door: Door, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fifty times would not fit into the 29 seconds of a request while S3 hangs."""
    references, asked = [reported(door, name) for name in "abcd"], list[str]()
    folders = [door.service.store.read(one).files_in for one in references]

    def kept(self: Files, folder: str) -> list[File]:
        asked.append(folder)
        if folder == folders[1]:
            raise OSError("down")
        return [File(ONE, 2_000_000, self.door.clock.now, "image/jpeg")]

    monkeypatch.setattr(Files, "kept", kept)
    told = words(export(door, token, *references))
    assert asked == folders[:2]
    assert (told.count("Photo, 1.9 MB"), told.count("They could not be listed when this was made")) == (1, 3)


def test_a_report_that_is_broken_is_named_and_the_smoke_tests_is_not_there(door: Door, token: str) -> None:
    broken, whole = (reported(door, name, contact=SAM) for name in "ab")
    secret, *_ = door.service.secrets()
    synthetic = reported(door, smoke_token(secret), contact=SAM)
    door.table.items[key(broken)]["answers"] = b"no answers"
    found = door.post("/desk/export", token=token, text="sam@example.com")
    assert f"{show(broken)} cannot be read" in words(found) and show(whole) in found.text
    assert show(synthetic) not in found.text
    assert export(door, token, broken).status == 422


def test_hostile_words_are_words_in_the_file(door: Door, token: str) -> None:
    hostile = "<script>alert(1)</script>{{ 7*7 }}\u202e"
    reference = reported(door, "one", what_happened=hostile, contact={**SAM, "full_name": hostile})
    answer = export(door, token, reference)
    assert "<script" not in answer.text and "&lt;script&gt;alert(1)" in answer.text and "{{ 7*7 }}" in answer.text


def test_what_is_held_or_open_says_how_long_it_is_kept(door: Door, token: str) -> None:
    held, open_one = closed(door, "one"), reported(door, "two")
    door.service.desk.hold(SARA, held, 3, "A court asked")
    told = words(export(door, token, held, open_one))
    assert "the law requires it" in told and "It is being dealt with" in told


def test_another_setting_counts_on_the_page(door: Door, token: str) -> None:
    closed(door, "one")
    days_later(door, 400)
    assert "Not crimed (0)" in words(door.get("/desk/retention"))
    door.service.desk.periods = read_periods("not_crimed=1 cancelled=1 filed=1 further_investigation=1 chat=1m")
    page = words(door.get("/desk/retention"))
    assert "Not crimed (1)" in page and "more than 1 year ago" in page


def test_before_an_erasure_supervisors_read_what_it_does_not_reach(door: Door, token: str) -> None:
    reference = closed(door, "one")
    told = words(door.get(f"/desk/reports/{show(reference)}/erase"))
    assert "What officers wrote in other reports stays" in told and "linked" in told


def test_the_force_that_a_report_goes_to_is_asked_for_by_its_name_alone(door: Door, token: str) -> None:
    """It is in the history, and so stays after an erasure."""
    told = words(door.get(f"/desk/reports/{show(reported(door, 'one'))}/not-crime"))
    assert "Its name only, and nobody’s" in told


def test_no_log_and_no_address_names_the_person(door: Door, token: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    reference = closed(door, "one", contact=SAM)
    answers = [door.post("/desk/export", token=token, text="sam@example.com"), export(door, token, reference),
               decide(door, reference, "hold", token, text="Sam Carter is at court"),
               decide(door, reference, "lift", token, text="Sam Carter was at court"),
               decide(door, reference, "erase", token, text="Sam Carter asked")]  # fmt: skip
    assert door.service.erasing.finish(lambda: 60.0) == (1, 0)
    told = str([vars(record) for record in caplog.records])
    assert told.count("'route'") >= len(answers)
    for text in ("Sam", "Carter", "sam@", "900456"):
        assert text not in told and not any(text in answer.location for answer in answers)
