"""Passes: good for one purpose, one subject and a while; nobody else can make one."""

from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.passes import Passes

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Desk:
    """Passes with secrets and a clock that a test sets."""

    def __init__(self) -> None:
        self.secrets, self.now = [b"current"], NOW
        self.passes = Passes(lambda: self.secrets, lambda: self.now)


def test_a_pass_says_for_whom_it_was_given_until_it_runs_out() -> None:
    desk = Desk()
    given = desk.passes.give("draft", "abc")
    desk.now += HOUR
    assert desk.passes.read("draft", given, HOUR) == "abc"
    assert desk.passes.given("draft", given) == ("abc", NOW)
    desk.now += timedelta(seconds=1)
    assert desk.passes.read("draft", given, HOUR) is None


def test_a_pass_is_for_one_purpose() -> None:
    desk = Desk()
    assert desk.passes.read("form", desk.passes.give("draft", "abc"), HOUR) is None


def test_a_pass_outlives_a_change_of_the_secret() -> None:
    desk = Desk()
    given = desk.passes.give("draft", "abc")
    desk.secrets = [b"newer", b"current"]
    assert desk.passes.read("draft", given, HOUR) == "abc"
    desk.secrets = [b"newer"]
    assert desk.passes.read("draft", given, HOUR) is None


@pytest.mark.parametrize("text", ["", ".", "abc", "abc.def.ghi", "a\ud800b", "é.é.é", "x" * 10_000])
def test_what_is_no_pass_of_ours_is_refused(text: str) -> None:
    assert Desk().passes.read("draft", text, HOUR) is None


def test_another_subject_does_not_fit_the_signature() -> None:
    desk = Desk()
    _, rest = desk.passes.give("draft", "abc").split(".", 1)
    assert desk.passes.read("draft", f"abd.{rest}", HOUR) is None
