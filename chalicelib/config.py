"""What differs from force to force and stage to stage, read from the environment (`.chalice/config.json` sets it)."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

SHORTEST_SECRET = 32


@dataclass(frozen=True)
class Settings:
    """All settings. Times are in the rules, not here."""

    table: str
    triage_queue_url: str
    letters_queue_url: str
    token_secret: str
    oidc_issuer: str
    oidc_audience: str
    website_origins: tuple[str, ...]
    force_name: str
    force_code: str
    letter_sender: str
    letter_from: str

    def __post_init__(self) -> None:
        if len(self.token_secret) < SHORTEST_SECRET:
            raise ValueError(f"TOKEN_SECRET must have at least {SHORTEST_SECRET} characters")

    @classmethod
    def from_environ(cls, environ: Mapping[str, str] = os.environ) -> "Settings":
        """Raises KeyError for what is not set, ValueError for a weak secret; origins and sender may be left out."""
        return cls(
            table=environ["REPORTS_TABLE"],
            triage_queue_url=environ["TRIAGE_QUEUE_URL"],
            letters_queue_url=environ["LETTERS_QUEUE_URL"],
            token_secret=environ["TOKEN_SECRET"],
            oidc_issuer=environ["OIDC_ISSUER"],
            oidc_audience=environ["OIDC_AUDIENCE"],
            website_origins=tuple(environ.get("WEBSITE_ORIGINS", "").split()),
            force_name=environ["FORCE_NAME"],
            force_code=environ["FORCE_CODE"],
            letter_sender=environ.get("LETTER_SENDER", "outbox"),
            letter_from=environ.get("LETTER_FROM", ""),
        )
