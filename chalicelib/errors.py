"""What the service may refuse, in words for the person who asked. `handlers/http.py` turns each into an HTTP answer."""

import traceback
from typing import Any, NamedTuple


class FieldError(NamedTuple):
    """One answer that needs attention: `field` is its dotted path (`contact.full_name`), `message` plain English."""

    field: str
    message: str


class OutsideError(Exception):
    """Another service refused, for now. `code` is its word for why, one of few: no sentence, nothing about a person."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def described(error: Exception) -> str:
    """An unforeseen error for a log: its type and place, never its message, which may quote what a person wrote."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    code = f" {error.code}" if isinstance(error, OutsideError) else ""
    return f"{type(error).__name__}{code} at {place.filename.rsplit('/', 1)[-1]}:{place.lineno}"


class Refused(Exception):
    """The base of all refusals. `status` is the HTTP status; `title` and `detail` are read by people."""

    status = 422
    title = "We cannot accept this"

    def __init__(self, detail: str = "", *, errors: list[FieldError] | None = None, **more: Any) -> None:
        super().__init__(self.title)  # never the detail: exceptions reach logs
        self.detail = detail
        self.errors = errors or []
        self.more = more
        self.headers: dict[str, str] = {}

    @property
    def why(self) -> str:
        """The reason in one sentence, where there is room for no more."""
        return self.errors[0].message if self.errors else self.detail or self.title


class Unreadable(Refused):
    """The body is not what its content type says."""

    status = 400
    title = "We could not read what you sent"


class TooLarge(Refused):
    """The body is over the limit."""

    status = 413
    title = "What you sent is too large"


class WrongMediaType(Refused):
    """The body is of a type that this address does not take."""

    status = 415
    title = "This address does not take that type of content"


class InvalidAnswers(Refused):
    """Some answers need attention; `errors` says which and how."""

    title = "There is a problem with your answers"


class SentElsewhere(Refused):
    """Not for this form: `where` is `emergency`, `robbery`, `fraud` or `lost_property`. Nothing is stored."""

    title = "Please do not use this form"

    def __init__(self, where: str, field: str, detail: str) -> None:
        super().__init__(detail, errors=[FieldError(field, detail)])
        self.where = where
        self.title = "Call 999 now" if where == "emergency" else self.title


class AlreadySent(Refused):
    """The submission token was used for other answers. `reference` is the report it made."""

    title = "This has already been sent with other answers"

    def __init__(self, reference: str) -> None:
        super().__init__("Use a new Idempotency-Key for a new report, or send the same answers again.")
        self.reference = reference


class NotFound(Refused):
    """There is no such thing, or the asker may not know that there is."""

    status = 404
    title = "Not found"


class NotSignedIn(Refused):
    """No valid token came with the request."""

    status = 401
    title = "Sign in to see this"


class NotYourRole(Refused):
    """The token is valid, the role is not enough."""

    status = 403
    title = "Your role does not allow this"


class VersionMissing(Refused):
    """A change came without `If-Match`."""

    status = 428
    title = "Say which version of the report you are changing"


class Stale(Refused):
    """Somebody changed the report first."""

    status = 412
    title = "The report has changed since you read it"


class NotAllowed(Refused):
    """The life cycle, or somebody else's claim, does not allow this move now."""

    status = 409
    title = "This cannot be done to the report as it stands"


class TooManyTries(Refused):
    """Somebody tries this too often. `seconds` until they may try again."""

    status = 429
    title = "There have been too many tries"

    def __init__(self, seconds: int) -> None:
        minutes = max(1, -(-seconds // 60))
        spoken = "a minute" if minutes == 1 else f"{minutes} minutes" if minutes < 120 else f"{-(-minutes // 60)} hours"
        super().__init__(f"Try again in {spoken}, or call 101.")
        self.headers = {"Retry-After": str(max(1, seconds))}
