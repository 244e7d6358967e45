"""Passes: signed texts that say who may do what, and since when. The keys of drafts, return links, forms, sessions.

Signed with the token secrets (`token_secrets.py`), so nothing has to be stored and any process can read them; one that
was signed under an older secret stays good. A pass is for one purpose and never good for another.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from itsdangerous import BadData, TimestampSigner


class Passes:
    """Gives passes and reads them. `secrets` has the one in force first; `clock` gives aware UTC datetimes."""

    def __init__(self, secrets: Callable[[], Sequence[bytes]], clock: Callable[[], datetime]) -> None:
        self._secrets, self._clock = secrets, clock

    def give(self, purpose: str, subject: str) -> str:
        """A pass for `subject` (no personal data: it can be read by anybody), safe in addresses, cookies and forms."""
        return self._signer(purpose).sign(subject).decode()

    def read(self, purpose: str, text: str, lasting: timedelta) -> str | None:
        """The subject of a pass of ours that was given for `purpose` no longer than `lasting` ago; else None."""
        found = self.given(purpose, text)
        return found[0] if found and self._clock() - found[1] <= lasting else None

    def given(self, purpose: str, text: str) -> tuple[str, datetime] | None:
        """The subject of a pass and when it was given (UTC), however long ago; None if it is not ours."""
        try:
            subject, at = self._signer(purpose).unsign(text.encode(errors="replace"), return_timestamp=True)
        except BadData:
            return None
        return subject.decode(), at

    def _signer(self, purpose: str) -> TimestampSigner:
        current, *others = self._secrets()
        signer = _Signer([*others, current], salt=f"pass:{purpose}")
        signer.now = self._clock
        return signer


class _Signer(TimestampSigner):
    """With the clock of the service."""

    now: Callable[[], datetime]

    def get_timestamp(self) -> int:
        return int(self.now().astimezone(UTC).timestamp())
