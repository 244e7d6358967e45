"""What wakes us besides HTTP. Each may come twice, late, out of order or after a crash; each says why that is fine."""

import logging
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Any

from chalicelib import letters
from chalicelib.errors import described
from chalicelib.queues import Change, Queue, read
from chalicelib.store import report_change
from chalicelib.wiring import service

log = logging.getLogger("crime-reports")


class Failed(Exception):
    """A handler could not do its work; says what happened and where, in words that may be logged."""


def _speaks_safely(handler: Callable[..., None]) -> Callable[..., None]:
    """Lambda logs what a handler raises, message and all, and a message may quote a person: SES names the address."""

    @wraps(handler)
    def handle(*arguments: Any) -> None:
        try:
            handler(*arguments)
        except Exception as error:
            failure = Failed(described(error))
        else:
            return
        raise failure  # outside, so that it carries no trace of the other

    return handle


@_speaks_safely
def forward_changes(images: Iterable[Mapping[str, Any] | None]) -> None:
    """From the stream to the queues: references and kinds of change, no personal data.

    A failure raises, and the stream brings the batch again; whoever reads the queues expects to be told twice.
    """
    forward(images, service().triage_queue, service().letters_queue)


def forward(images: Iterable[Mapping[str, Any] | None], triage_queue: Queue, letters_queue: Queue) -> None:
    """The same to queues of the caller's: the images of a stream's records, None for a record without."""
    changes = [Change(*change) for image in images if image and (change := report_change(image))]
    triage_queue.send([change for change in changes if change.what == "received"])
    letters_queue.send([change for change in changes if change.what in letters.CHANGES])


@_speaks_safely
def triage(body: str) -> None:
    """Told twice, the second finds that the report has moved on. After a crash the queue tells us again."""
    service().casework.triage(read(body).reference)


@_speaks_safely
def send_letter(body: str) -> None:
    """Told twice, the second finds the letter recorded. See `Casework.send_letter` for a crash in between."""
    change = read(body)
    service().casework.send_letter(change.reference, change.version)


@_speaks_safely
def crime_due_reports(milliseconds_left: Callable[[], float]) -> None:
    """Run twice, the second finds nothing due; each report is crimed by a conditional write of its own."""
    swept = service().rule.crime_due_reports(lambda: milliseconds_left() / 1000)
    if swept.crimed or swept.failed or swept.unfinished:
        log.info("24-hour rule: %s crimed, %s failed, unfinished: %s", *vars(swept).values())
