"""Whether every report that was answered with 201 is in the table once, as it was sent, and nothing else is, and each
was triaged once and its acknowledgement went out once."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from chalicelib.reference import show
from chalicelib.report_items import letter_key, reference_of, report_of, written
from chalicelib.table import Table, unmarshal
from infra.load.sending import Answer, Post

DONE = ("received", "triaged")
READ = "#sk = :report OR #sk = :acknowledgement OR #pk = :outbox"


class Kept(NamedTuple):
    """A report as it is in the table: its answers in one form, what happened to it, what became of its
    acknowledgement, and how many letters about it went out.
    """

    reference: str
    text: str
    history: tuple[str, ...]
    acknowledged: str
    letters: int


def kept(table: Table) -> list[Kept]:
    """All reports of the table."""
    given = {"report": "REPORT", "acknowledgement": letter_key("", 1)[1], "outbox": "OUTBOX"}
    reports, states, letters = [], dict[str, str](), Counter[str]()
    for item in (unmarshal(raw) for page in table.scan(only=READ, given=given, after=None) for raw in page.items):
        if item["sk"] == "REPORT":
            reports.append(report_of(item))
        elif item["pk"] == "OUTBOX":
            letters[item["sk"].partition("-")[0]] += 1
        else:
            states[reference_of(item)] = item["state"]
    return [
        Kept(one.reference, written(one.answers).decode(), tuple(entry["what"] for entry in one.entries),
             states.get(one.reference, "never begun"), letters[one.reference])
        for one in reports
    ]  # fmt: skip


def differences(posts: Sequence[Post], answers: Mapping[int, Answer], there: Iterable[Kept]) -> Iterator[str]:
    """What does not add up, in words; nothing, if all does. `answers` are by the post's number."""
    found = _by_post(posts, there)
    for report in found.pop(None, ()):
        yield f"{show(report.reference)}: nobody sent this"
    for number in range(len(posts)):
        reports = found.get(number, [])
        yield from _sent(number, answers.get(number), reports)
        for report in reports:
            yield from _followed(report)


def unheard(posts: Sequence[Post], answers: Mapping[int, Answer], there: Iterable[Kept]) -> tuple[int, int]:
    """How many posts no answer came of, and how many of their reports are in the table all the same: the answer was
    lost. Who sends them again, with their key, hears of the same report.
    """
    found = _by_post(posts, there)
    lost = [number for number in range(len(posts)) if not (number in answers and answers[number].status)]
    return len(lost), sum(number in found for number in lost)


def _by_post(posts: Sequence[Post], there: Iterable[Kept]) -> dict[int | None, list[Kept]]:
    """The reports by the number of the post with the same answers; None has those that nobody sent."""
    numbers = {post.body: number for number, post in enumerate(posts)}
    found = defaultdict[int | None, list[Kept]](list)
    for report in there:
        found[numbers.get(report.text)].append(report)
    return found


def _sent(number: int, answer: Answer | None, there: Sequence[Kept]) -> Iterator[str]:
    if len(there) > 1:
        yield f"Post {number} is in the table {len(there)} times"
    if answer and answer.status == 201:
        told = answer.location.rpartition("/")[2]
        if told not in [show(report.reference) for report in there]:
            yield f"{told}: was answered with 201 and is not in the table as it was sent"
    elif answer and answer.status and there:
        yield f"Post {number} was answered with {answer.status} and is in the table"


def _followed(report: Kept) -> Iterator[str]:
    if report.history != DONE:
        yield f"{show(report.reference)}: was {', '.join(report.history)}"
    if (report.acknowledged, report.letters) != ("sent", 1):
        went = f"{report.letters} letters went out"
        yield f"{show(report.reference)}: the acknowledgement is {report.acknowledged}, {went}"
