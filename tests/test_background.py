"""What a background handler raises is logged by Lambda, message and all: it must say nothing about a person."""

import json
import traceback
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from chalicelib import wiring
from chalicelib.handlers import background
from chalicelib.letters import Letter
from tests.fakes import FakeTable, Parts


class AddressNamingSender:
    """Fails as SES does where an address is not verified."""

    def send(self, letter: Letter, at: datetime) -> None:
        raise ValueError(f"Email address is not verified: {letter.to}")


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> Iterator[Parts]:
    parts = Parts(FakeTable())
    parts.casework._sender = AddressNamingSender()
    monkeypatch.setattr(wiring, "_installed", parts)
    yield parts


def test_a_letter_that_fails_names_nobody(parts: Parts) -> None:
    report = parts.submit("token")
    address: Any = report.answers["contact"]["email"]
    with pytest.raises(background.Failed) as failed:
        background.send_letter(json.dumps({"reference": report.reference, "version": 1, "what": "received"}), 1)
    told = "".join(traceback.format_exception(failed.value))
    assert "ValueError at test_background.py" in told
    assert address not in told
    assert parts.store.letters(report.reference)[0]["state"] == "sending"  # the next try sends it


def test_a_message_that_is_none_of_ours_is_not_quoted(parts: Parts) -> None:
    with pytest.raises(background.Failed) as failed:
        background.triage('{"name": "Eve Example"}', 1)
    assert "Eve" not in str(failed.value) and failed.value.__context__ is None
