"""Letters to the person who reported: which change asks for one, and what it is about. `senders.py` sends them.

The words are in `letters/*.txt`, and `typeset.py` makes of them what is sent. A letter is written from the history
entry that asked for it, so it says the same however late it goes out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from chalicelib.chat import VISITOR, Conversation, Entry
from chalicelib.language import said
from chalicelib.life_cycle import Status
from chalicelib.reference import show, spell
from chalicelib.report import Report
from chalicelib.times import clock, read_stamp, spoken
from chalicelib.triage import assess

_TEMPLATES = {
    "received": "acknowledgement",
    "call_back": "call_back_needed",
    "crimed": "crimed",
    "disposed": "disposed",
    "not_crimed": "not_crimed",
    "cancelled": "cancelled",
}
CHANGES = frozenset(_TEMPLATES)
_WHAT = {"burglary": "a burglary", "theft": "a theft", "criminal_damage": "criminal damage"}


@dataclass(frozen=True)
class Letter:
    """One letter, ready to go. `id` is the same however often it is tried; `markdown` is `body` for GOV.UK Notify."""

    id: str
    to: str
    template: str
    reference: str
    subject: str
    body: str
    html: str
    markdown: str


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
    if report.erased_at:
        return "it was erased"
    if not report.wants_letters:
        return "the person asked for no letters"
    if asked_for(report, version) == "call_back_needed" and report.status is not Status.AWAITING_INFORMATION:
        return "it is no longer needed"
    if contact.get("safe_to_write") == "no":
        return "the person said that writing is not safe"
    return None if contact.get("email") else "there is no email address"


def write(report: Report, version: int, force_name: str, service_url: str = "") -> Letter:
    """The letter that `asked_for` named. `service_url` is where people find us, if that is known."""
    template = asked_for(report, version)
    assert template
    contact, entry = report.answers["contact"], report.entries[version - 1]
    return _letter(f"{report.reference}-{version}", contact["email"], template, show(report.reference),
                   _facts(report, entry, force_name) | {"service_url": service_url})  # fmt: skip


def return_link(to: str, link: str, until: datetime, force_name: str, category: str, id: str) -> Letter:
    """The link that opens a draft again. It is about no report, so it has no reference."""
    return _letter(id, to, "return_link", "", {"link": link, "until": spoken(until), "force": force_name,
                                               "what": said(_WHAT[category])})  # fmt: skip


def transcript(chat: Conversation, nth: int, force_name: str) -> Letter:
    """A copy of what the visitor of a conversation has seen of it, to the `nth` address (from 1) that asked for one. It
    is about no report, so it has no reference.
    """
    lines = [_heard(entry, chat) for entry in chat.since(0, for_visitor=True)]
    facts = {"force": force_name, "began": spoken(chat.began_at), "lines": lines}
    return _letter(f"{chat.id}-{nth}", chat.transcripts_to[nth - 1], "transcript", "", facts)


def _heard(entry: Entry, chat: Conversation) -> dict[str, Any]:
    """An entry as the letter has it, each line of it one of the letter's."""
    from chalicelib.typeset import typed

    # Never the name that they gave: it could be ours, over words of theirs, in a letter of ours to anybody they like.
    who = said("You") if entry.by == VISITOR else entry.facts.get("to_name", entry.by.name)
    first, *more = typed(entry.text).splitlines() or [""]
    return {"at": clock(entry.at), "who": typed(who), "what": entry.what, "first": first, "more": more}


def _letter(id: str, to: str, template: str, reference: str, facts: Mapping[str, Any]) -> Letter:
    from chalicelib.typeset import typeset  # not on the way of a submission

    subject, text, html, markdown = typeset(template, facts, facts["force"])
    return Letter(id, to, template, reference, subject, text, html, markdown)


def _first_of_its_round(report: Report, version: int) -> bool:
    """Whether this call-back is the first since the person was last reached: one letter for a round of attempts."""
    results = [entry["result"] for entry in report.entries[:version] if entry["what"] == "call_back"]
    return results[-1] != "reached" and (len(results) == 1 or results[-2] == "reached")


def _says_something_new(report: Report, version: int) -> bool:
    """Whether this disposal differs from the one before; another outcome code alone is no news to a victim."""
    disposals = [entry["disposal"] for entry in report.entries[:version] if "disposal" in entry]
    return disposals[-1] not in disposals[-2:-1]


def _facts(report: Report, entry: Mapping[str, Any], force_name: str) -> dict[str, Any]:
    from chalicelib.typeset import typed

    contact = report.answers["contact"]
    return {
        "name": typed(contact["full_name"]),
        "force": force_name,
        "reference": show(report.reference),
        "spelled": spell(report.reference),
        "what": said(_WHAT[report.category]),
        "received": spoken(report.received_at),
        "deadline": spoken(report.deadline),
        "missing": [said(thing) for thing in assess(report.category, report.answers).missing],
        "has_phone": bool(contact.get("phone")),
        "can_call": bool(contact.get("phone")) and contact.get("safe_to_call") != "no",
        "safe_times": typed(contact.get("safe_times") or ""),
        "decided": spoken(read_stamp(entry["at"])),
        "is_victim": report.answers.get("reporter") != "witness",
        "is_open": report.is_open,
        "awaits_disposal": report.awaits_disposal,
        "crime_number": entry.get("crime_number") or (report.crime and report.crime.number),
        "disposal": entry.get("disposal"),
        "reason": entry.get("reason"),
        "code": entry.get("code"),
        "other_force": typed(entry.get("force") or ""),
    }
