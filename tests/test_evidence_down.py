"""While S3 does not answer: a report can be sent all the same, and an officer can decide one."""

from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib import wiring
from chalicelib.handlers import http
from chalicelib.pages import Site
from chalicelib.pages.evidence import FILES_NOT_SHOWN
from chalicelib.pages.journey import Place, check


class Down:
    """Evidence whose store is out of reach."""

    def kept(self, folder: str) -> Any:
        raise OSError("sam@example.com")


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    made: Any = type("Service", (), {"evidence": Down()})()
    monkeypatch.setattr(wiring, "_installed", made)
    yield made


def test_files_that_cannot_be_looked_at_are_said_to_be_kept(service: Any, caplog: pytest.LogCaptureFixture) -> None:
    assert http.kept_files("f" * 32) is None
    assert "files cannot be looked at" in caplog.text
    assert "sam@" not in caplog.text
    place = Place(Site("Example Police", ""), "d" * 32, "theft", "token")
    html = check(place, 1, {}, {}, [FILES_NOT_SHOWN])
    assert "We cannot show your files just now" in html
    assert "Send report" in html
