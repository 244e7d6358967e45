"""What wakes us besides HTTP. Each may come twice, late, out of order or after a crash; each says why that is fine.

Whatever is done here says so in one log line, and is counted. Neither ever stands in the way of the work.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any

from chalicelib import letters
from chalicelib.errors import NotFound, described
from chalicelib.queues import Change, Queue, read
from chalicelib.store import report_change
from chalicelib.table import unmarshal
from chalicelib.telemetry import about, measure, of_change
from chalicelib.wiring import service

if TYPE_CHECKING:
    from chalicelib.proof import Difference

log = logging.getLogger("crime-reports")

RETURN_LINK = "return_link"  # what a message asks for that is about a draft
TRANSCRIPT = "transcript"  # and about a conversation of the live chat
LAST_RECEIVE = 5  # maxReceiveCount of the queues in infra/data.yaml: a message that fails then is set aside

Image = Mapping[str, Any]
Seconds = Callable[[], float]


class Failed(Exception):
    """A handler could not do its work; says what happened and where, in words that may be logged."""


def _speaks_safely(handler: Callable[..., None]) -> Callable[..., None]:
    """Lambda logs what a handler raises, message and all, and a message may quote a person: SES names the address."""

    @wraps(handler)
    def handle(*arguments: Any) -> None:
        try:
            handler(*arguments)
        except Exception as error:
            failure = _failed(handler.__name__, error, {})
        else:
            return
        raise failure  # outside, so that it carries no trace of the other

    return handle


def _told_by_a_queue(work: Callable[[Change], None]) -> Callable[[str, int], None]:
    """The handler of a message: its body, and how many times it was received. Speaks safely, too."""

    @wraps(work)
    def handle(body: str, receives: int) -> None:
        told: dict[str, Any] = {"receives": receives}
        try:
            change = read(body)
            told |= about(change.reference)
            work(change)
        except Exception as error:
            failure = _failed(work.__name__, error, told)
        else:
            return
        if receives >= LAST_RECEIVE:
            measure("DeadLetters")
        raise failure

    return handle


def _failed(what: str, error: Exception, told: Mapping[str, Any]) -> Failed:
    said = described(error)
    log.error(f"{what} failed", extra={"error": said, **told})
    return Failed(said)


@_speaks_safely
def forward_changes(images: Iterable[Image | None]) -> None:
    """From the stream to the queues: references and kinds of change, no personal data.

    A failure raises, and the stream brings the batch again; whoever reads the queues expects to be told twice. Reports
    are counted here and nowhere else, once the queues took the changes.
    """
    there = [image for image in images if image]
    changes = forward(there, service().triage_queue, service().letters_queue)
    if changes:
        log.info("forwarded", extra={"changes": len(changes)})
        _measure_changes(there)


def forward(images: Iterable[Image | None], triage_queue: Queue, letters_queue: Queue) -> Sequence[Change]:
    """The same to queues of the caller's, uncounted: the images of a stream's records, None for a record without.
    Gives the changes that were in them.
    """
    changes = [Change(*change) for image in images if image and (change := report_change(image))]
    triage_queue.send([change for change in changes if change.what == "received"])
    letters_queue.send([change for change in changes if change.what in letters.CHANGES])
    return changes


@_told_by_a_queue
def triage(change: Change) -> None:
    """Told twice, the second finds that the report has moved on. After a crash the queue tells us again."""
    if service().casework.triage(change.reference):
        log.info("triaged", extra=about(change.reference))


@_told_by_a_queue
def send_letter(change: Change) -> None:
    """Told twice, the second finds the letter recorded. See `Casework.send_letter` for a crash in between."""
    if change.what in _LETTERS_ASKED_FOR:
        _LETTERS_ASKED_FOR[change.what](change)
        return
    done = service().casework.send_letter(change.reference, change.version)
    if not done:
        return
    template, state = done
    state = state.partition(":")[0]  # why a letter was withheld is about the person
    log.info(f"letter {state}", extra={**about(change.reference), "template": template})
    if state in _LETTER_METRICS:
        measure(_LETTER_METRICS[state])


def _send_return_link(change: Change) -> None:
    """The link that opens a draft again. Told twice, it may go twice; only the link that was asked for last goes."""
    draft = service().drafts.find(change.reference)
    if not draft or draft.links != change.version:
        return
    key = service().passes.give("return", draft.id)
    link = f"{draft.link_to['address']}/drafts/{draft.id}/return/{key}"
    letter = letters.return_link(draft.link_to["email"], link, draft.ends_at, service().settings.force_name,
                                 draft.category, f"{draft.id}-{draft.links}")  # fmt: skip
    _send(letter)


def _send_transcript(change: Change) -> None:
    """A copy of a conversation. Told twice, it may go twice."""
    try:
        chat = service().chats.find(change.reference)
    except NotFound:  # it was erased meanwhile
        return
    if 1 <= change.version <= len(chat.transcripts_to):
        _send(letters.transcript(chat, change.version, service().settings.force_name))


def _send(letter: letters.Letter) -> None:
    try:
        service().sender.send(letter, service().clock())
    except letters.Undeliverable:
        log.info("letter failed", extra={"template": letter.template})


_LETTERS_ASKED_FOR = {RETURN_LINK: _send_return_link, TRANSCRIPT: _send_transcript}
_LETTER_METRICS = {"sent": "LettersSent", "failed": "LettersFailed"}


@_speaks_safely
def crime_due_reports(milliseconds_left: Callable[[], float]) -> None:
    """Run twice, the second finds nothing due; each report is crimed by a conditional write of its own."""
    try:
        swept = service().rule.crime_due_reports(lambda: milliseconds_left() / 1000)
        if swept.crimed or swept.failed or swept.unfinished:
            log.info("24-hour rule", extra=vars(swept))
    finally:
        _measure_waiting()  # above all when the rule failed


@_speaks_safely
def keep_house(milliseconds_left: Callable[[], float]) -> None:
    """Each duty in its turn, with its share of the time, whatever became of the one before. Run twice, the second finds
    nothing, or does again what does no harm. What one leaves undone the next run does; this one has failed then.
    """
    whole, undone = milliseconds_left(), []
    for number, (name, duty) in enumerate(_DUTIES.items(), start=1):
        if not _is_done(name, duty, _all_but(whole * (1 - number / len(_DUTIES)), milliseconds_left)):
            undone.append(name)
    if undone:
        raise Failed(f"not done: {', '.join(undone)}")


def _all_but(kept_back: float, milliseconds_left: Callable[[], float]) -> Seconds:
    return lambda: (milliseconds_left() - kept_back) / 1000


def _is_done(name: str, duty: Callable[[Seconds], tuple[int, int]], seconds_left: Seconds) -> bool:
    try:
        done, failed = duty(seconds_left)
    except Exception as error:
        log.error(f"{name} failed", extra={"error": described(error)})
        return False
    if done or failed:
        log.info(name, extra={"done": done, "failed": failed})
    return not failed


# What housekeeping does, by the words of its log: each gives how many it saw to, and how many it could not.
_DUTIES: Mapping[str, Callable[[Seconds], tuple[int, int]]] = {
    "erasing ended drafts": lambda seconds_left: service().drafts.erase_ended(seconds_left),
    "finishing erasures": lambda seconds_left: service().erasing.finish(seconds_left),
    "erasing conversations": lambda seconds_left: service().chat_keeping.finish(seconds_left),
    "adding up the figures": lambda seconds_left: _move_ledger_on(),
}


def _move_ledger_on() -> tuple[int, int]:
    service().ledger.move_on()
    return 0, 0


@_speaks_safely
def reconcile(milliseconds_left: Callable[[], float]) -> None:
    """Run twice at once, one finds the other ahead and stops. After a crash the next run goes on where this one was."""
    measure("Differences", 0)
    run = service().reconciliation.go_on(lambda: milliseconds_left() / 1000, _complain_of_difference)
    measure("Reconciled", run.histories)
    log.info("reconciled", extra={"histories": run.histories, "differences": run.differences,
                                  "proof": run.proof.text.splitlines() if run.proof else None})  # fmt: skip


def _complain_of_difference(difference: "Difference") -> None:
    """Counted at once: a run that fails later has written down perhaps that it is past it."""
    log.error("it does not add up", extra={**about(difference.about), **difference._asdict()})
    measure("Differences")


def _measure_changes(images: Iterable[Image]) -> None:
    """What cannot be counted holds up nobody: raising would bring the batch again, for ever."""
    for image in images:
        try:
            for name, value in _measured(image):
                measure(name, value)
        except Exception as error:
            log.error("a change cannot be counted", extra={"error": described(error)})


def _measured(image: Image) -> Iterable[tuple[str, float]]:
    change, row = report_change(image), unmarshal(image)
    return of_change(change[2], row) if change and "synthetic" not in row else ()


# What waits, by the words of its log: as the metrics say it each minute.
_COUNTS: Mapping[str, Callable[[], Mapping[str, float]]] = {
    "waiting reports": lambda: {"Overdue": service().rule.overdue(), "Untriaged": service().rule.untriaged()},
    "waiting conversations": lambda: dict(zip(("ChatsWaiting", "ChatsOverdue"), service().chats.late(), strict=True)),
}


def _measure_waiting() -> None:
    for what, count in _COUNTS.items():
        try:
            for name, value in count().items():
                measure(name, value)
        except Exception as error:
            log.error(f"{what} cannot be counted", extra={"error": described(error)})
