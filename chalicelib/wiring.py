"""Puts the parts together, once for each process. Tests and the one-machine runner use `build` and `install`."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from chalicelib import language, wire
from chalicelib.config import Settings

if TYPE_CHECKING:
    from chalicelib.casework import Casework
    from chalicelib.chat_keeping import ChatKeeping
    from chalicelib.chat_reports import ChatReports
    from chalicelib.chats import Chats
    from chalicelib.crime_numbers import CrimeNumbers
    from chalicelib.desk import Desk
    from chalicelib.drafts import Drafts
    from chalicelib.erasing import Erasing
    from chalicelib.evidence_files import EvidenceFiles
    from chalicelib.finder import Finder
    from chalicelib.identity import Verifier
    from chalicelib.imported_months import ImportedMonths
    from chalicelib.ledger import Ledger
    from chalicelib.letters import Sender
    from chalicelib.passes import Passes
    from chalicelib.public_figures import PublicFigures
    from chalicelib.queues import Queue
    from chalicelib.reconciliation import Reconciliation
    from chalicelib.rule import TwentyFourHourRule
    from chalicelib.search import Search
    from chalicelib.senders import Outbox
    from chalicelib.sessions import Sessions
    from chalicelib.sign_in import SignIn
    from chalicelib.sockets import Sockets
    from chalicelib.store import Store
    from chalicelib.subject_access import SubjectAccess
    from chalicelib.table import Table
    from chalicelib.throttle import Throttle
    from chalicelib.token_secrets import TokenSecrets


def utc_now() -> datetime:
    """The time as AWS keeps it."""
    return datetime.now(UTC)


def mint() -> str:
    """An unguessable text of 32 letters and digits."""
    return secrets.token_hex(16)


@dataclass
class Service:
    """The parts, each loaded and made when it is first used: no function pays for what it does not need."""

    settings: Settings
    clock: Callable[[], datetime]
    settle: Callable[[], None]

    def prepare(self) -> None:
        """Have ready what every function needs, before it is asked for anything."""
        _ = self.table

    @cached_property
    def table(self) -> Table:
        from chalicelib.table import Table

        return Table(_dynamodb(), self.settings.table)

    @cached_property
    def secrets(self) -> TokenSecrets:
        from chalicelib.token_secrets import TokenSecrets

        return TokenSecrets(self.table, self.clock, mint)

    @cached_property
    def store(self) -> Store:
        from chalicelib.store import Store

        return Store(self.table, self.secrets)

    @cached_property
    def passes(self) -> Passes:
        from chalicelib.passes import Passes

        return Passes(self.secrets, self.clock)

    @cached_property
    def throttle(self) -> Throttle:
        from chalicelib.throttle import Throttle

        return Throttle(self.table, self.secrets, self.clock)

    @cached_property
    def numbers(self) -> CrimeNumbers:
        from chalicelib.crime_numbers import CrimeNumbers

        return CrimeNumbers(self.table, self.settings.force_code, mint)

    @cached_property
    def finder(self) -> Finder:
        from chalicelib.finder import Finder

        return Finder(self.table, self.secrets)

    @cached_property
    def casework(self) -> Casework:
        from chalicelib.casework import Casework

        said = self.settings
        return Casework(
            self.store, self.numbers, self.finder, self.sender, self.clock, mint, said.force_name, said.service_url
        )

    @cached_property
    def desk(self) -> Desk:
        from chalicelib.desk import Desk
        from chalicelib.retention import read_periods

        said = self.settings
        return Desk(self.store, self.numbers, self.finder, self.clock, mint, read_periods(said.retention),
                    said.second_look)  # fmt: skip

    @cached_property
    def search(self) -> Search:
        from chalicelib.search import Search

        return Search(self.store, self.finder, self.clock, mint)

    @cached_property
    def subject_access(self) -> SubjectAccess:
        from chalicelib.subject_access import SubjectAccess

        return SubjectAccess(self.store, self.finder, self.chats, self.clock, mint)

    @cached_property
    def drafts(self) -> Drafts:
        from chalicelib.drafts import Drafts

        return Drafts(self.table, self.casework, self.evidence.remove_all, self.clock)

    @cached_property
    def erasing(self) -> Erasing:
        from chalicelib.erasing import Erasing

        return Erasing(self.store, self.finder, self.drafts, self._outbox, self.evidence.remove_all,
                       self.chat_keeping.report_erased, self.clock)  # fmt: skip

    @cached_property
    def evidence(self) -> EvidenceFiles:
        from chalicelib.evidence_files import EvidenceFiles

        return EvidenceFiles(lambda: self._s3, self.settings.evidence_bucket, self.table, self.clock, mint)

    @cached_property
    def _s3(self) -> Any:
        return client("s3")

    @cached_property
    def rule(self) -> TwentyFourHourRule:
        from chalicelib.rule import TwentyFourHourRule

        return TwentyFourHourRule(self.store, self.numbers, self.clock)

    @cached_property
    def ledger(self) -> Ledger:
        from chalicelib.ledger import Ledger

        return Ledger(self.table, self.clock, self.settle)

    @cached_property
    def reconciliation(self) -> Reconciliation:
        from chalicelib.reconciliation import Reconciliation

        return Reconciliation(self.table, self.numbers, self.ledger, self.clock)

    @cached_property
    def imported(self) -> ImportedMonths:
        from chalicelib.imported_months import ImportedMonths

        return ImportedMonths(self.table)

    @cached_property
    def public_figures(self) -> PublicFigures:
        from chalicelib.public_figures import PublicFigures

        return PublicFigures(lambda months: self.ledger.sums(months), lambda: self.imported.months(), self.clock)

    @cached_property
    def verifier(self) -> Verifier:
        from chalicelib.identity import Verifier

        return Verifier(self.settings.oidc_issuer, self.settings.oidc_audience, self.clock)

    @cached_property
    def sessions(self) -> Sessions:
        from chalicelib.sessions import Sessions

        return Sessions(self.table, self.clock, mint)

    @cached_property
    def sign_in(self) -> SignIn:
        from chalicelib.sign_in import SignIn

        return SignIn(self.verifier, self.settings.oidc_audience, mint)

    @cached_property
    def chats(self) -> Chats:
        from chalicelib.chats import Chats

        return Chats(self.table, self.store, self.finder, self.sockets, self.clock, mint)

    @cached_property
    def chat_keeping(self) -> ChatKeeping:
        from chalicelib.chat_keeping import ChatKeeping
        from chalicelib.retention import CHAT, read_periods

        months, forget = read_periods(self.settings.retention)[CHAT], self._outbox.forget
        return ChatKeeping(self.table, self.store, self.finder, self.sockets, self.clock, mint, self.chat_reports,
                           forget, months)  # fmt: skip

    @cached_property
    def chat_reports(self) -> ChatReports:
        from chalicelib.chat_reports import ChatReports

        return ChatReports(self.casework, self.chats)

    @cached_property
    def sockets(self) -> Sockets:
        from chalicelib.sockets import Management, NoLine, Sockets

        line = Management(lambda: self._connections) if self.settings.chat_management else NoLine()
        return Sockets(self.table, line, self._is_signed_in, self.clock)

    @cached_property
    def _connections(self) -> Any:
        return client("apigatewaymanagementapi", self.settings.chat_management)

    def _is_signed_in(self, officer: str, session: str) -> bool:
        return bool(self.sessions.standing(officer, session, is_use=False))

    @cached_property
    def triage_queue(self) -> Queue:
        from chalicelib.queues import Queue

        return Queue(client("sqs"), self.settings.triage_queue_url)

    @cached_property
    def letters_queue(self) -> Queue:
        from chalicelib.queues import Queue

        return Queue(client("sqs"), self.settings.letters_queue_url)

    def outbox(self) -> list[dict[str, str]]:
        """The letters in the outbox, oldest first."""
        return self._outbox.letters()

    @cached_property
    def _outbox(self) -> Outbox:
        from chalicelib.senders import Outbox

        return Outbox(self.table)

    @cached_property
    def sender(self) -> Sender:
        from chalicelib.senders import Notify, Ses

        said = self.settings
        match said.letter_sender:
            case "outbox":
                return self._outbox
            case "ses":
                return Ses(lambda: client("sesv2"), said.letter_from)
            case "notify":
                key, template = said.notify_key_parameter, said.notify_template_id
                return Notify(lambda: client("ssm"), key, template, said.notify_url)
        raise ValueError("LETTER_SENDER is none of outbox, ses and notify")


# What is encrypted by KMS asks for this signature. And botocore would sign addresses of S3 as a whole, from which a
# young bucket redirects to its region: a form cannot follow there, by the policy of its page.
_SIGNED: dict[str, Any] = {"signature_version": "s3v4", "s3": {"addressing_style": "virtual"}}
# A message is stored by then, and who sent it waits to be told so; whoever is not told asks.
_HASTY: dict[str, Any] = {"connect_timeout": 1, "read_timeout": 2, "retries": {"total_max_attempts": 1}}
_PATIENT: dict[str, Any] = {"read_timeout": wire.SECONDS}  # where it stands in for the wire
_OWN: dict[str, dict[str, Any]] = {"s3": _SIGNED, "apigatewaymanagementapi": _HASTY, "dynamodb": _PATIENT}


def client(name: str, address: str | None = None) -> Any:
    """An AWS client. By botocore: boto3's resource layer would cost every cold start and give nothing. `address` is
    where the service is, if that is ours alone.
    """
    from botocore.config import Config
    from botocore.session import get_session

    retries: Any = {"mode": "standard", "max_attempts": 3}
    usual: dict[str, Any] = {"connect_timeout": 3, "read_timeout": 10, "retries": retries}
    config = Config(**usual | _OWN.get(name, {}))
    return get_session().create_client(name, config=config, endpoint_url=address)


def _dynamodb() -> Any:
    return wire.Wire.from_environ(os.environ) or client("dynamodb")


def settle() -> None:
    """Wait until DynamoDB's indexes show what was written by now: it takes them less than a second, as a rule."""
    time.sleep(5)


def build(settings: Settings, clock: Callable[[], datetime] = utc_now, settle: Callable[[], None] = settle) -> Service:
    """The service under other settings or another clock; speaks its language from now on."""
    language.use(settings.language)
    return Service(settings, clock, settle)


_installed: Service | None = None


def install(made: Service) -> None:
    """Use `made` from now on."""
    global _installed
    _installed = made


def service() -> Service:
    """The service of this process; made from the environment unless one is installed."""
    if _installed is None:
        install(build(Settings.from_environ()))
        return service()
    return _installed
