"""Who sends the letters: the outbox of one machine, Amazon SES, or GOV.UK Notify. `LETTER_SENDER` chooses.

Each says which refusals are for good; everything else may be tried again, and what is wrong with our own settings waits
in the dead-letter queue until it is mended. What a provider says is never repeated: it may name the person.
"""

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from chalicelib.errors import OutsideError
from chalicelib.letters import Letter, Undeliverable
from chalicelib.table import ConditionFailed, Table
from chalicelib.times import stamp

if TYPE_CHECKING:
    from mypy_boto3_sesv2 import SESV2Client
    from mypy_boto3_ssm import SSMClient


class Outbox:
    """Keeps letters in the table instead of sending them: for one machine, and for trying out."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def send(self, letter: Letter, at: datetime) -> None:
        """Keep it; the same letter again is kept once."""
        item = asdict(letter) | {"pk": "OUTBOX", "sk": letter.id, "sent_at": stamp(at), "markdown": None}
        try:
            self._table.put_new(item)
        except ConditionFailed:
            return

    def forget(self, about: str) -> None:
        """Keep no letter any more whose id begins with `about` and a dash: those of a report, or of a draft."""
        where, given = "#pk = :outbox AND begins_with(#sk, :about)", {"outbox": "OUTBOX", "about": f"{about}-"}
        for letter in self._table.query(where=where, given=given):
            with suppress(ConditionFailed):  # another run was quicker
                self._table.remove("OUTBOX", letter["sk"], condition="attribute_exists(pk)", given={})

    def letters(self) -> list[dict[str, str]]:
        """All letters, oldest first: `id`, `to`, `template`, `reference`, `subject`, `body`, `html`, `sent_at`."""
        kept = self._table.query(where="#pk = :outbox", given={"outbox": "OUTBOX"})
        names = ("id", "to", "template", "reference", "subject", "body", "html", "sent_at")
        return sorted(({name: item[name] for name in names} for item in kept), key=lambda letter: letter["sent_at"])


class Ses:
    """Sends by Amazon SES. `client` is called when the first letter goes, as making it is slow."""

    # The errors of SendEmail (API reference of SES, version 2), and whether the letter is at fault:
    #   BadRequestException                 the input is invalid; ours is always of one form, so it is the address
    #   MessageRejected                     our sender is not verified, or the account is still in the sandbox
    #   AccountSuspendedException, SendingPausedException, MailFromDomainNotVerifiedException, NotFoundException  ours
    #   TooManyRequestsException, LimitExceededException, whatever is not an answer                   later
    _FOR_GOOD = frozenset({"BadRequestException"})

    def __init__(self, client: Callable[[], "SESV2Client"], sender: str) -> None:
        self._client, self._from = client, sender

    def send(self, letter: Letter, at: datetime) -> None:
        """Hand it to SES. SES keeps no note of what it has sent, so a letter tried twice arrives twice."""
        from botocore.exceptions import ClientError

        body: Any = {"Text": _utf_8(letter.body), "Html": _utf_8(letter.html)}
        try:
            self._client().send_email(
                FromEmailAddress=self._from,
                Destination={"ToAddresses": [letter.to]},
                Content={"Simple": {"Subject": _utf_8(letter.subject), "Body": body}},
            )
        except ClientError as error:
            code = error.response["Error"]["Code"]
            raise (Undeliverable(code) if code in self._FOR_GOOD else OutsideError(code)) from None


def _utf_8(text: str) -> Any:
    return {"Data": text, "Charset": "UTF-8"}


class Notify:
    """Sends by GOV.UK Notify, which has one template: `((subject))` and `((body))`.

    The key is asked of the parameter store when the first letter goes, and again once Notify does not know it.
    """

    # What Notify answers (its REST documentation, “Error codes”), and whether the letter is at fault. Notify asks not
    # to rely on its messages; we do for the one that costs a letter, and if it ever changes, the letter waits instead.
    #   400 ValidationError, about email_address          the address: for good
    #   400 ValidationError about the template, BadRequestError (trial mode, a key for the team only, a template that is
    #       not there or asks for something else)           our settings: it waits
    #   403 AuthError                                     our key, or our clock: it waits
    #   429 RateLimitError, TooManyRequestsError          more than 3,000 a minute, or the day's limit: later
    #   500, 503, no answer in time                       later
    _ERRORS = frozenset({"ValidationError", "BadRequestError", "AuthError", "RateLimitError", "TooManyRequestsError"})

    def __init__(self, client: Callable[[], "SSMClient"], parameter: str, template: str, url: str) -> None:
        self._client, self._parameter, self._template, self._url = client, parameter, template, url

    def send(self, letter: Letter, at: datetime) -> None:
        """Hand it to Notify under its id: a letter tried twice arrives twice, and Notify shows both under that."""
        from notifications_python_client.errors import APIError

        told = {"subject": letter.subject, "body": letter.markdown}
        try:
            self._notify.send_email_notification(letter.to, self._template, told, letter.id)
        except APIError as error:
            failure = self._failure(error.status_code, error.message)
        else:
            return
        raise failure  # outside: the other carries the whole request

    def _failure(self, status: int, said: Any) -> Exception:
        errors = [one for one in said if isinstance(one, dict)] if isinstance(said, list) else []
        code = " ".join([str(status), *sorted(self._ERRORS & {str(one.get("error")) for one in errors})])
        if status == 400 and any(str(one.get("message")).startswith("email_address ") for one in errors):
            return Undeliverable(code)
        if status == 403:
            del self._notify
        return OutsideError(code)

    @cached_property
    def _notify(self) -> Any:
        from notifications_python_client.notifications import NotificationsAPIClient as Client

        logging.getLogger("notifications_python_client").setLevel(logging.CRITICAL)  # it logs what Notify says
        made: Any = Client  # it has no types
        return made(self._key(), self._url, timeout=10)

    def _key(self) -> str:
        from botocore.exceptions import ClientError

        try:
            found = self._client().get_parameter(Name=self._parameter, WithDecryption=True)
        except ClientError as error:
            raise OutsideError(error.response["Error"]["Code"]) from None
        return found["Parameter"]["Value"].strip()
