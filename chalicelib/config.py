"""What differs from force to force and stage to stage, read from the environment (`.chalice/config.json` sets it)."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from chalicelib.chat_hours import CLOSED
from chalicelib.colours import OURS
from chalicelib.language import ENGLISH
from chalicelib.retention import USUAL


@dataclass(frozen=True)
class Settings:
    """All settings. Times are in the rules, not here."""

    table: str
    triage_queue_url: str
    letters_queue_url: str
    evidence_bucket: str
    oidc_issuer: str
    oidc_audience: str
    second_look: tuple[str, ...]
    retention: str
    website_origins: tuple[str, ...]
    force_name: str
    force_code: str
    force_colour: str
    language: str
    letter_sender: str
    letter_from: str
    notify_template_id: str
    notify_key_parameter: str
    notify_url: str
    service_url: str
    public_statistics: bool
    chat_hours: str
    chat_socket: str
    chat_management: str

    @classmethod
    def from_environ(cls, environ: Mapping[str, str] = os.environ) -> "Settings":
        """Raises KeyError for what is not set; origins, what letters need and our own address may be left out."""
        return cls(
            table=environ["REPORTS_TABLE"],
            triage_queue_url=environ["TRIAGE_QUEUE_URL"],
            letters_queue_url=environ["LETTERS_QUEUE_URL"],
            evidence_bucket=environ["EVIDENCE_BUCKET"],
            oidc_issuer=environ["OIDC_ISSUER"],
            oidc_audience=environ["OIDC_AUDIENCE"],
            second_look=tuple(environ.get("SECOND_LOOK", "").split()),
            retention=environ.get("RETENTION", USUAL),
            website_origins=tuple(environ.get("WEBSITE_ORIGINS", "").split()),
            force_name=environ["FORCE_NAME"],
            force_code=environ["FORCE_CODE"],
            force_colour=environ.get("FORCE_COLOUR", OURS).lower(),
            language=environ.get("LANGUAGE_OF_PAGES", ENGLISH),
            letter_sender=environ.get("LETTER_SENDER", "outbox"),
            letter_from=environ.get("LETTER_FROM", ""),
            notify_template_id=environ.get("NOTIFY_TEMPLATE_ID", ""),
            notify_key_parameter=environ.get("NOTIFY_KEY_PARAMETER", ""),
            notify_url=environ.get("NOTIFY_URL", "https://api.notifications.service.gov.uk"),
            service_url=environ.get("SERVICE_URL", "").rstrip("/"),
            public_statistics=environ.get("PUBLIC_STATISTICS", "no") == "yes",
            chat_hours=environ.get("CHAT_HOURS", CLOSED),
            chat_socket=environ.get("CHAT_SOCKET", ""),
            chat_management=environ.get("CHAT_MANAGEMENT", ""),
        )
