"""Letters to the person who reported: which change asks for one, its words, and who sends it.

The words are in `letters/*.txt`, the first line is the subject. A letter is written from the history entry that asked
for it, so it says the same however late it goes out.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from chalicelib.reference import show, spell
from chalicelib.report import Report, Status
from chalicelib.table import ConditionFailed, Table
from chalicelib.times import read_stamp, spoken, stamp
from chalicelib.triage import assess

if TYPE_CHECKING:
    from jinja2 import Environment
    from mypy_boto3_sesv2 import SESV2Client

_TEMPLATES = {
    "received": "acknowledgement",
    "call_back": "call_back_needed",
    "crimed": "crimed",
    "disposed": "disposed",
    "not_crimed": "not_crimed",
}
CHANGES = frozenset(_TEMPLATES)
_WHAT = {"burglary": "a burglary", "theft": "a theft", "criminal_damage": "criminal damage"}


@dataclass(frozen=True)
class Letter:
    """One letter, ready to go. `id` is the same however often it is tried."""

    id: str
    to: str
    template: str
    reference: str
    subject: str
    body: str


class Undeliverable(Exception):
    """The address or the letter is refused for good: trying again does not help."""


class Sender(Protocol):
    """Where letters go. `send` raises Undeliverable, or anything else if trying again may help."""

    def send(self, letter: Letter, at: datetime) -> None: ...


def asked_for(report: Report, version: int) -> str | None:
    """The letter that the history entry of `version` asks for, by the name of its template."""
    what = report.entries[version - 1]["what"]
    if what == "call_back" and not _first_of_its_round(report, version):
        return None
    if what == "disposed" and not _says_something_new(report, version):
        return None
    return _TEMPLATES.get(what)


def withheld(report: Report, version: int) -> str | None:
    """Why the letter of `version` may not be sent, or None. An officer has to tell the person in another way."""
    contact = report.answers.get("contact", {})
    if report.synthetic:
        return "it is the smoke test's"
    if not report.wants_letters:
        return "the person asked for no letters"
    if asked_for(report, version) == "call_back_needed" and report.status is not Status.AWAITING_INFORMATION:
        return "it is no longer needed"
    if contact.get("safe_to_write") == "no":
        return "the person said that writing is not safe"
    return None if contact.get("email") else "there is no email address"


def write(report: Report, version: int, force_name: str) -> Letter:
    """The letter that `asked_for` named."""
    template = asked_for(report, version)
    assert template
    contact, entry = report.answers["contact"], report.entries[version - 1]
    return _letter(f"{report.reference}-{version}", contact["email"], template, show(report.reference),
                   _facts(report, entry, force_name))  # fmt: skip


def return_link(to: str, link: str, until: datetime, force_name: str, category: str, id: str) -> Letter:
    """The link that opens a draft again. It is about no report, so it has no reference."""
    return _letter(id, to, "return_link", "", {"link": link, "until": spoken(until), "force": force_name,
                                               "what": _WHAT[category]})  # fmt: skip


def _letter(id: str, to: str, template: str, reference: str, facts: Mapping[str, Any]) -> Letter:
    subject, _, body = _words().get_template(f"{template}.txt").render(facts).partition("\n")
    return Letter(id, to, template, reference, subject.removeprefix("Subject: "), body)


def _first_of_its_round(report: Report, version: int) -> bool:
    """Whether this call-back is the first since the person was last reached: one letter for a round of attempts."""
    results = [entry["result"] for entry in report.entries[:version] if entry["what"] == "call_back"]
    return results[-1] != "reached" and (len(results) == 1 or results[-2] == "reached")


def _says_something_new(report: Report, version: int) -> bool:
    """Whether this disposal differs from the one before; another outcome code alone is no news to a victim."""
    disposals = [entry["disposal"] for entry in report.entries[:version] if "disposal" in entry]
    return disposals[-1] not in disposals[-2:-1]


def _facts(report: Report, entry: Mapping[str, Any], force_name: str) -> dict[str, Any]:
    contact = report.answers["contact"]
    return {
        "name": contact["full_name"],
        "force": force_name,
        "reference": show(report.reference),
        "spelled": spell(report.reference),
        "what": _WHAT[report.category],
        "received": spoken(report.received_at),
        "deadline": spoken(report.deadline),
        "missing": assess(report.category, report.answers).missing,
        "has_phone": bool(contact.get("phone")),
        "can_call": bool(contact.get("phone")) and contact.get("safe_to_call") != "no",
        "safe_times": contact.get("safe_times"),
        "decided": spoken(read_stamp(entry["at"])),
        "is_victim": report.answers.get("reporter") != "witness",
        "is_open": report.is_open,
        "awaits_disposal": report.awaits_disposal,
        "crime_number": entry.get("crime_number") or (report.crime and report.crime.number),
        "disposal": entry.get("disposal"),
        "reason": entry.get("reason"),
        "other_force": entry.get("force"),
    }


@cache
def _words() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    words = FileSystemLoader(Path(__file__).parent / "letters")
    return Environment(loader=words, undefined=StrictUndefined, autoescape=False, trim_blocks=True, lstrip_blocks=True)


class Outbox:
    """Keeps letters in the table instead of sending them: for one machine, and for trying out."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def send(self, letter: Letter, at: datetime) -> None:
        """Keep it; the same letter again is kept once."""
        item = asdict(letter) | {"pk": "OUTBOX", "sk": letter.id, "sent_at": stamp(at)}
        try:
            self._table.put_new(item)
        except ConditionFailed:
            return

    def letters(self) -> list[dict[str, str]]:
        """All letters, oldest first: `to`, `template`, `reference`, `subject`, `body`, `sent_at`."""
        kept = self._table.query(where="#pk = :outbox", given={"outbox": "OUTBOX"})
        names = ("to", "template", "reference", "subject", "body", "sent_at")
        return sorted(({name: item[name] for name in names} for item in kept), key=lambda letter: letter["sent_at"])


class Ses:
    """Sends by Amazon SES. `client` is called when the first letter goes, as making it is slow."""

    _FOR_GOOD = frozenset({"BadRequestException"})  # MessageRejected may be our own configuration

    def __init__(self, client: Callable[[], "SESV2Client"], sender: str) -> None:
        self._client, self._from = client, sender

    def send(self, letter: Letter, at: datetime) -> None:
        """Hand it to SES. SES keeps no note of what it has sent, so a letter tried twice arrives twice."""
        from botocore.exceptions import ClientError

        text: Any = {"Subject": {"Data": letter.subject}, "Body": {"Text": {"Data": letter.body}}}
        try:
            self._client().send_email(
                FromEmailAddress=self._from, Destination={"ToAddresses": [letter.to]}, Content={"Simple": text}
            )
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in self._FOR_GOOD:
                raise Undeliverable(code) from None
            raise
