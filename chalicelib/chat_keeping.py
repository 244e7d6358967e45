"""How long conversations of the live chat are kept: legal hold, and erasure, as of reports (`retention.py`).

One of which no report was made goes by itself once its period is over; one of which some were made, with the last of
them. Erasing is one conditional write: from then on nothing that anybody said is in it, and it is in the list
`chat-erasing` until the housekeeping has seen to what is beside it. What stays says that there was a conversation, when
it began, and who erased it when and why. See `docs/adr/0030-reports-from-chat.md`.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import date, datetime, timedelta
from itertools import islice
from typing import NamedTuple

from chalicelib import chat as rules
from chalicelib.changes import Officer, require_supervisor
from chalicelib.chat import Conversation
from chalicelib.chat_items import ERASED, group, id_of, key
from chalicelib.chat_reports import ChatReports
from chalicelib.chats import Chats, Telling
from chalicelib.drafts import LAST_REQUEST
from chalicelib.errors import NotAllowed, NotFound, described
from chalicelib.finder import Finder
from chalicelib.report import Actor, Report
from chalicelib.retention import goes_on, gone_before
from chalicelib.store import Store
from chalicelib.table import ConditionFailed, Item, Table
from chalicelib.times import day_of, read_stamp, stamp

SOON = timedelta(days=31)  # within which a supervisor is told what goes
MOST_SHOWN = 100
HOUSE = Actor("housekeeping", "Housekeeping")
ERASING = "erasing"  # the list of what was erased with something left to be cleaned

log = logging.getLogger("crime-reports")


class Kept(NamedTuple):
    """What a supervisor's list shows of a conversation: when it was concluded and how, and when it goes; nothing about
    the person.
    """

    id: str
    concluded_at: datetime
    how: str
    goes_on: date


class ChatKeeping(Chats):
    """The verbs of supervisors and of the housekeeping."""

    def __init__(
        self,
        table: Table,
        store: Store,
        finder: Finder,
        sockets: Telling,
        clock: Callable[[], datetime],
        mint: Callable[[], str],
        reports: ChatReports,
        forget_letters: Callable[[str], None],
        months: int,
    ) -> None:
        """As `Chats`. `reports` knows which reports were made of a conversation, `forget_letters` removes those about
        one, `months` is how long one is kept of which no report was made.
        """
        super().__init__(table, store, finder, sockets, clock, mint)
        self._store, self._finder, self._reports = store, finder, reports
        self._forget_letters, self.months = forget_letters, months

    # Supervisors

    def going_soon(self, officer: Officer) -> list[Kept]:
        """What goes within a month, unless a report was made of it: oldest first, MOST_SHOWN at most."""
        require_supervisor(officer)
        return self._shown(officer, "kept", gone_before(day_of(self._now() + SOON), self.months))

    def held_by_law(self, officer: Officer) -> list[Kept]:
        """What is under legal hold, likewise."""
        require_supervisor(officer)
        return self._shown(officer, "by_law", self._now())

    def hold(self, officer: Officer, id: str, why: str) -> Conversation:
        """Put it under legal hold."""
        require_supervisor(officer)
        return self._change(id, lambda chat: rules.hold(chat, officer.actor, self._now(), why))

    def lift(self, officer: Officer, id: str, why: str) -> Conversation:
        """Lift the legal hold."""
        require_supervisor(officer)
        return self._change(id, lambda chat: rules.lift(chat, officer.actor, self._now(), why))

    def erase(self, officer: Officer, id: str, why: str) -> None:
        """Erase it at once, as the person asked for it. Raises NotAllowed, also while a report of it is kept."""
        require_supervisor(officer)
        chat = self._reports.with_all_written_down(self.find(id), officer.actor)
        if self._kept_reports(chat):
            raise NotAllowed("A report was made of it. It goes when that is erased.")
        if not self._is_erased(chat, officer.actor, "request", why):
            raise NotAllowed("The conversation was changed meanwhile. Open it again.")

    def _shown(self, officer: Officer, name: str, until: datetime) -> list[Kept]:
        found = []
        for item in islice(self._listing(name, until), MOST_SHOWN):
            with suppress(NotFound):  # an index may lag
                found += self._as_kept(self.find(id_of(item)))
        if found:
            self._looks.log_chat_access(officer.actor, "list", [one.id for one in found], self._now(), self._mint())
        return found

    def _as_kept(self, chat: Conversation) -> list[Kept]:
        if not chat.concluded_at or (chat.references and not chat.is_held_by_law):
            return []
        how = next(str(entry.facts["how"]) for entry in reversed(chat.entries) if entry.what == "concluded")
        return [Kept(chat.id, chat.concluded_at, how, goes_on(chat.concluded_at, self.months))]

    # Housekeeping

    def finish(self, seconds_left: Callable[[], float]) -> tuple[int, int]:
        """Erase what is due, and clean what was erased, oldest first, until it is done or the time is up; gives how
        many were seen to, and how many could not be. One that cannot holds up no other; the next run tries it again.
        """
        done = failed = 0
        for see_to, id in self._duties():
            if seconds_left() < 10:
                break
            try:
                see_to(id)
                done += 1
            except Exception as error:
                log.error("a conversation cannot be erased", extra={"error": described(error)})
                failed += 1
        return done, failed

    def report_erased(self, id: str) -> None:
        """A report of this conversation was erased: it goes, too, if it was the last. One that is not concluded, or
        under legal hold, goes once it is neither, and its period is over.
        """
        with suppress(NotFound, NotAllowed):
            chat = self._reports.with_all_written_down(self.find(id), HOUSE)
            if not self._kept_reports(chat):
                self._is_erased(chat, HOUSE, "reports")

    def _duties(self) -> Iterator[tuple[Callable[[str], None], str]]:
        now = self._now()
        for item in self._listing("kept", gone_before(day_of(now), self.months)):
            yield self._end_period, id_of(item)
        for item in self._listing(ERASING, now):
            yield self._clean, id_of(item)

    def _end_period(self, id: str) -> None:
        """Its period is over. What a report was made of is looked at again when another one is."""
        with suppress(NotFound):  # an index may lag
            chat = self._reports.with_all_written_down(self.find(id), HOUSE)
            if not chat.concluded_at or goes_on(chat.concluded_at, self.months) > day_of(self._now()):
                return
            if self._kept_reports(chat):
                self._write(chat, {"deadline": stamp(self._now())})
            elif not chat.is_held_by_law:
                self._is_erased(chat, HOUSE, "period")

    def _kept_reports(self, chat: Conversation) -> list[str]:
        """The reports of it that have not been erased, also those that cannot be read."""
        found = self._store.read_many(chat.references) if chat.references else {}
        return [name for name, one in found.items() if not isinstance(one, Report) or not one.erased_at]

    def _is_erased(self, chat: Conversation, by: Actor, because: str, why: str = "") -> bool:
        """Erase it; False if it has changed meanwhile. Raises NotAllowed."""
        rules.require_erasable(chat)
        now, gone = stamp(self._now()), dict.fromkeys(("visitor", "priority", "reasons", "entries"))
        gone |= dict.fromkeys(("claimed_by", "claimed_by_name"))
        what = {"erased_at": now, "erased_by": by.id, "erased_by_name": by.name, "because": because, "why": why or None}
        look_ups = list(self._finder.look_ups_of_chat(chat)) or None
        return self._write(chat, {**gone, **what, "status": ERASED, "version": chat.version + 1, "due": group(ERASING),
                                  "deadline": now, "look_ups": look_ups})  # fmt: skip

    def _clean(self, id: str) -> None:
        """Remove what is beside it, again until what was on its way when it was erased has arrived."""
        item = self._table.get(*key(id)) or {}
        if item.get("status") != ERASED:  # an index may lag, but never so
            raise ValueError("it was not erased")
        self._finder.forget(read_stamp(item["received_at"]), id, item.get("look_ups", ()))
        self._forget_letters(id)
        if self._now() - read_stamp(item["erased_at"]) > LAST_REQUEST:
            with suppress(ConditionFailed):  # another run was quicker
                self._table.update(*key(id), values={"due": None, "deadline": None, "look_ups": None},
                                   condition="#due = :group", given={"group": group(ERASING)})  # fmt: skip

    def _write(self, chat: Conversation, values: Item) -> bool:
        """Whether it was written: not if the conversation has changed since it was read."""
        try:
            self._table.update(*key(chat.id), values=values, condition="#version = :was",
                               given={"was": chat.version})  # fmt: skip
        except ConditionFailed as there:  # or our own write, made again by the SDK because its answer was lost
            written = there.item or {}
            return all(written.get(name) == value for name, value in values.items())
        return True
