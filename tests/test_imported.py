"""Figures from before the service: what a file may say, that an import is whole or has not been, and who imports."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from types import SimpleNamespace
from typing import Any

import pytest
import requests
from conftest import ROOT, Runner
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.errors import InvalidAnswers, TooLarge
from chalicelib.imported import HEADER, MOST_BYTES, MOST_ERRORS, MOST_LINES, read
from chalicelib.imported_months import ImportedMonths
from chalicelib.statistics import Imported
from chalicelib.table import ConditionFailed
from infra import import_figures
from tests.fakes import FakeTable, Parts, Wire

THIS_MONTH = "2026-11"
ANSWER = ROOT / "infra" / "west_midlands_2018_2019.csv"
MONTHS = {"2018-02": Imported(578, None), "2018-03": Imported(657, 469)}
FILE = b"month,reports,crimes\n2018-02,578,\n2018-03,657,469\n"


def complaints(file: bytes) -> list[tuple[str, str]]:
    with pytest.raises(InvalidAnswers) as refused:
        read(file, THIS_MONTH)
    return [tuple(error) for error in refused.value.errors]


# ---- the file


def test_the_answer_of_the_force_is_such_a_file() -> None:
    months = read(ANSWER.read_bytes(), THIS_MONTH)
    assert (len(months), min(months), max(months)) == (18, "2018-01", "2019-06")
    assert sum(figures.reports for figures in months.values()) == 27_537
    assert sum(figures.crimes or 0 for figures in months.values()) == 16_779
    assert [month for month, figures in months.items() if figures.crimes is None] == ["2018-01", "2018-02"]
    assert months["2019-03"] == (3098, 2076)


@pytest.mark.parametrize(
    "file",
    [
        FILE,
        FILE.replace(b"\n", b"\r\n"),
        b"\xef\xbb\xbf" + FILE,
        FILE.rstrip(b"\n"),
        FILE + b"\n\r\n",
        b'"month","reports","crimes"\n"2018-02","578",""\n2018-03, 657 ,469',
    ],
)
def test_a_file_may_come_from_any_spreadsheet(file: bytes) -> None:
    assert read(file, THIS_MONTH) == MONTHS


def test_more_crimes_than_reports_may_be_recorded_in_a_month_and_this_month_may_be_begun() -> None:
    file = b"month,reports,crimes\n2026-11,3,9999999\n"
    assert read(file, THIS_MONTH) == {"2026-11": Imported(3, 9_999_999)}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"2018-13,1,1", "Write the month as a year and a month, such as 2019-03"),
        (b"March 2018,1,1", "Write the month as a year and a month, such as 2019-03"),
        ("\uff12\uff10\uff11\uff18-03,1,1".encode(), "Write the month as a year and a month, such as 2019-03"),
        (b",1,1", "Write the month as a year and a month, such as 2019-03"),
        (b"2026-12,1,1", "2026-12 has not come yet: take it out"),
        (b"1999-12,1,1", "Take out months before 2000-01"),
        (b"2018-01,1,1", "2018-01 is on line 2 already: take one of them out"),
        (b"2018-03,-1,1", "Write reports as a whole number from 0 to 9999999, in digits only"),
        (b"2018-03,,1", "Write reports as a whole number from 0 to 9999999, in digits only"),
        ("2018-03,٣,1".encode(), "Write reports as a whole number from 0 to 9999999, in digits only"),
        (b"2018-03,1,1.5", "Write crimes as a whole number from 0 to 9999999, in digits only"),
        (b"2018-03,1,10000000", "Write crimes as a whole number from 0 to 9999999, in digits only"),
        (b"2018-03,1," + b"9" * 5000, "Write crimes as a whole number from 0 to 9999999, in digits only"),
        (b"2018-03,1", "Give a month, its reports and its crimes with two commas between, such as 2019-03,3098,2076"),
        (b'2018-03,"1,098",1,', "Give a month, its reports and its crimes with two commas between, such as "
                                "2019-03,3098,2076"),
        (b"", "Give a month, its reports and its crimes with two commas between, such as 2019-03,3098,2076"),
        (b"\x00", "Write the month as a year and a month, such as 2019-03"),
    ],
)  # fmt: skip
def test_a_broken_line_is_named_with_what_to_do(line: bytes, message: str) -> None:
    file = b"month,reports,crimes\n2018-01,1,1\n" + line + b"\n2018-05,1,1\n"
    found = complaints(file)
    assert found[0][0] == "line 3"
    assert found[0][1] == message or line == b"\x00"
    assert len(found) == 1


@pytest.mark.parametrize(
    ("file", "line", "message"),
    [
        (b"", "line 1", "Begin the file with the line month,reports,crimes"),
        (b"\n\n", "line 1", "Begin the file with the line month,reports,crimes"),
        (b"2018-01,1,1\n", "line 1", "Begin the file with the line month,reports,crimes"),
        (b"month;reports;crimes\n", "line 1", "Begin the file with the line month,reports,crimes"),
        (b"month,reports,crimes", "line 2", "There is no month in it: give each a line, such as 2019-03,3098,2076"),
        (b"month,reports,crimes\n2018-01,1,\xa35", "line 2", "Save the file as UTF-8: a character here cannot be read"),
        (b"month,reports,crimes\n" + b"x\n" * MOST_LINES, "line 1201", "A file has at most 1200 lines"),
    ],
)  # fmt: skip
def test_a_file_that_is_none_says_what_it_lacks(file: bytes, line: str, message: str) -> None:
    assert complaints(file) == [(line, message)]


def test_all_that_is_wrong_is_told_at_once_and_no_more_than_anybody_reads() -> None:
    header = b"month,reports,crimes\n"
    assert [line for line, _ in complaints(header + b"2018-01,1,x\n2018-02,1,1\n2018-02,1,1\n")] == ["line 2", "line 4"]
    assert len(complaints(header + b"x,1,1\n" * 100)) == MOST_ERRORS


def test_a_file_that_is_too_large_is_not_read() -> None:
    with pytest.raises(TooLarge):
        read(b" " * (MOST_BYTES + 1), THIS_MONTH)


@given(st.binary(max_size=60) | st.text(alphabet="2018-0123,\r\n\"'", max_size=60).map(str.encode))
def test_nothing_in_a_file_is_more_than_refused(noise: bytes) -> None:
    for file in (noise, ",".join(HEADER).encode() + b"\n" + noise):
        try:
            months = read(file, THIS_MONTH)
        except InvalidAnswers as refused:
            assert 1 <= len(refused.errors) <= MOST_ERRORS
        else:
            assert months and all(figures.reports >= 0 for figures in months.values())


# ---- where it is kept


def test_an_import_replaces_the_one_before() -> None:
    kept = ImportedMonths(FakeTable())  # type: ignore[arg-type]
    assert kept.months() == {}
    assert kept.replace(MONTHS) == {}
    assert kept.months() == MONTHS
    other = {"2019-01": Imported(1432, 928)}
    assert kept.replace(other) == MONTHS
    assert (kept.months(), kept.replace(other)) == (other, other)


def test_of_two_imports_at_once_one_comes_last_and_knows_what_it_replaces(case: tuple[Parts, Wire]) -> None:
    parts, _ = case
    kept = ImportedMonths(parts.table)
    other = {"2019-01": Imported(1432, 928)}

    class Slow:
        """Between its read and its write somebody else imports."""

        def __init__(self) -> None:
            self.get = parts.table.get

        def update(self, *arguments: Any, **more: Any) -> Any:
            self.update = parts.table.update  # type: ignore[method-assign]
            kept.replace(other)
            return parts.table.update(*arguments, **more)

    assert ImportedMonths(Slow()).replace(MONTHS) == other  # type: ignore[arg-type]
    assert kept.months() == MONTHS


def test_an_import_whose_answer_was_lost_is_not_its_own_rival() -> None:
    table = FakeTable()

    class Twice:
        """The SDK sends the request again, as the answer to the first was lost."""

        get = table.get

        def update(self, *arguments: Any, **more: Any) -> Any:
            table.update(*arguments, **more)
            return table.update(*arguments, **more)

    assert ImportedMonths(Twice()).replace(MONTHS) == {}  # type: ignore[arg-type]
    assert ImportedMonths(table).months() == MONTHS  # type: ignore[arg-type]


def test_whoever_never_gets_a_turn_says_so() -> None:
    class Busy:
        def get(self, *_: str) -> None:
            return None

        def update(self, *_: Any, given: Mapping[str, Any], **__: Any) -> None:
            raise ConditionFailed({"months": json.dumps(MONTHS), "turn": given["was"] + 5})

    with pytest.raises(ConditionFailed):
        ImportedMonths(Busy()).replace({})  # type: ignore[arg-type]


# ---- who imports


@pytest.fixture
def stage(case: tuple[Parts, Wire], client: Any, monkeypatch: pytest.MonkeyPatch) -> Parts:
    """A deployed stage over a table of moto's."""
    parts, _ = case
    deployment = SimpleNamespace(
        stage="dev", settings={"REPORTS_TABLE": parts.table._name}, client=lambda name: client,
        now=lambda: datetime(2026, 11, 30, tzinfo=UTC),
    )  # fmt: skip
    monkeypatch.setattr(import_figures, "load", lambda root, stage: deployment)
    monkeypatch.setattr(import_figures.settings, "check_account", lambda deployment: None)
    return parts


def test_by_hand_a_file_goes_into_a_stage(stage: Parts, tmp_path: Path) -> None:
    file = tmp_path / "figures.csv"
    file.write_bytes(FILE)
    assert import_figures.main("dev", str(file)).splitlines() == [
        "2 months imported.",
        "2018-02 to 2018-03: 1,235 reports, 469 crimes (crimes are not known of 1 month).",
    ]
    assert ImportedMonths(stage.table).months() == MONTHS
    file.write_bytes(b"month,reports,crimes\n2019-01,1432,928\n")
    assert import_figures.main("dev", str(file)).splitlines() == [
        "1 month imported. The 2 months that were imported before are replaced.",
        "2019-01 to 2019-01: 1,432 reports, 928 crimes.",
    ]


def test_by_hand_a_broken_file_changes_nothing_and_says_where_it_is_broken(stage: Parts, tmp_path: Path) -> None:
    file = tmp_path / "figures.csv"
    file.write_bytes(FILE)
    import_figures.main("dev", str(file))
    file.write_bytes(b"month,reports,crimes\n2019-01,1432,928\n2031-01,many,1\n2019-02,many,1\n")
    with pytest.raises(SystemExit) as said:
        import_figures.main("dev", str(file))
    assert str(said.value).splitlines() == [
        "There is a problem with the file.",
        "line 3: 2031-01 has not come yet: take it out",
        "line 4: Write reports as a whole number from 0 to 9999999, in digits only",
        "Nothing was imported.",
    ]
    assert ImportedMonths(stage.table).months() == MONTHS


@pytest.mark.parametrize(
    ("where", "path", "said"),
    [
        ("", "x.csv", "make import-figures STAGE=dev"),
        ("dev", "", "make import-figures STAGE=dev"),
        ("dev", "/no/such.csv", "No such file"),
        ("http://127.0.0.1:9", str(ANSWER), "Nothing answers at"),
    ],
)  # fmt: skip
def test_what_cannot_be_imported_is_refused_in_one_line(where: str, path: str, said: str) -> None:
    with pytest.raises(SystemExit, match=said):
        import_figures.main(where, path)


def test_a_stage_that_is_not_deployed_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_figures, "load", lambda root, stage: SimpleNamespace(stage="dev", settings={}))
    monkeypatch.setattr(import_figures.settings, "check_account", lambda deployment: None)
    with pytest.raises(SystemExit, match="make deploy STAGE=dev"):
        import_figures.main("dev", str(ANSWER))


@pytest.fixture
def deployed_address() -> Iterator[str]:
    """A service that has no `/dev`."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_error(404)

        def log_message(self, *_: Any) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_an_address_is_for_one_machine_only(deployed_address: str) -> None:
    with pytest.raises(SystemExit, match="not a service of make run"):
        import_figures.main(deployed_address, str(ANSWER))


def test_on_one_machine_a_file_is_posted(stack: Runner, tmp_path: Path) -> None:
    broken = tmp_path / "broken.csv"
    broken.write_bytes(b"month,reports,crimes\n2018-01,x,1\n")
    good = tmp_path / "good.csv"
    good.write_bytes(b"month,reports,crimes\n2001-01,1,1\n")  # of no month that another test looks at
    run = [sys.executable, "-m", "infra.import_figures", stack.url]
    failed = subprocess.run([*run, str(broken)], cwd=ROOT, capture_output=True, text=True, timeout=60)
    done = subprocess.run([*run, str(good)], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (failed.returncode, done.returncode) == (1, 0)
    assert "line 2: Write reports as a whole number" in failed.stderr and "Nothing was imported." in failed.stderr
    assert done.stdout.startswith("1 month imported.")


@pytest.mark.parametrize(
    ("status", "kind", "file"),
    [(415, "application/json", FILE), (422, "text/csv", b"month"), (413, "text/csv", b"x" * (MOST_BYTES + 1))],
)
def test_on_one_machine_what_is_no_file_of_figures_is_a_problem(
    stack: Runner, status: int, kind: str, file: bytes
) -> None:
    answer = requests.post(f"{stack.url}/dev/figures", data=file, headers={"Content-Type": kind}, timeout=30)
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json")
