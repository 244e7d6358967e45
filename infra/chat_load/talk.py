"""What one side knows of a conversation, as its page does: `pages/static/chat_line.js` in short."""

import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

Told = Mapping[str, Any]


class Watch:
    """How long things took, in seconds, by what they are; and when each message was sent. For all threads."""

    def __init__(self) -> None:
        self.took: dict[str, list[float]] = defaultdict(list)
        self._sent: dict[str, float] = {}
        self._lock = threading.Lock()

    def sent(self, id: str) -> None:
        """A message is about to be sent, perhaps again: what counts is the first time."""
        with self._lock:
            self._sent.setdefault(id, time.monotonic())

    def heard(self, what: str, id: str) -> None:
        """Somebody sees it."""
        with self._lock:
            if id in self._sent:
                self.took[what].append(time.monotonic() - self._sent[id])

    @contextmanager
    def on(self, what: str) -> Iterator[None]:
        """Time a piece of work."""
        began = time.monotonic()
        yield
        with self._lock:
            self.took[what].append(time.monotonic() - began)


class Talk:
    """One side of one conversation. `entries` are in the order in which this side saw them."""

    def __init__(self, side: str, watch: Watch) -> None:
        self.side, self.seen = side, 0
        self.entries: list[Told] = []
        self.waiting: dict[str, str] = {}  # messages of ours that nobody has confirmed, by id
        self.confirmed: dict[str, str] = {}
        self._watch = watch

    def say(self, id: str, text: str) -> None:
        """We are about to send this."""
        self.waiting[id] = text
        self._watch.sent(id)

    def take(self, told: Told) -> list[Told] | None:
        """What is new in what we are told, by whichever way; None if something before it is missing: ask."""
        if told["since"] > self.seen:
            return None
        fresh = [entry for entry in told["entries"] if entry["number"] > self.seen]
        self.seen = max(self.seen, told["last"])
        self.entries += fresh
        for entry in fresh:
            ours = entry["by"] == self.side
            self._watch.heard("A message is confirmed" if ours else "The other side sees it", entry["id"])
            if ours and entry["id"] in self.waiting:
                self.confirmed[entry["id"]] = self.waiting.pop(entry["id"])
        return fresh

    def of(self, side: str) -> int:
        """How many messages of a side we have seen."""
        return sum(entry["what"] == "said" and entry["by"] == side for entry in self.entries)
