"""Whether every confirmed message is in the table once, and both sides saw one order."""

from collections.abc import Iterable, Iterator

from chalicelib.chat import Conversation
from infra.chat_load.talk import Talk


def differences(kept: Conversation, visitor: Talk, advisor: Talk) -> Iterator[str]:
    """What does not add up in one conversation, in words; nothing, if all does."""
    numbers = [entry.number for entry in kept.entries]
    if numbers != list(range(1, len(numbers) + 1)):
        yield f"{kept.id}: its entries are numbered {numbers}"
    said = [entry for entry in kept.entries if entry.what == "said"]
    for talk in (visitor, advisor):
        yield from _lost(kept.id, talk, [(entry.id, entry.text) for entry in said])
        if talk.waiting:
            yield f"{kept.id}: the {talk.side} sent {len(talk.waiting)} messages that nobody confirmed"
    public = [(entry.number, entry.id) for entry in kept.entries if not entry.is_private]
    yield from _order(kept.id, visitor, public)
    yield from _order(kept.id, advisor, [(entry.number, entry.id) for entry in kept.entries])


def _lost(chat: str, talk: Talk, said: list[tuple[str, str]]) -> Iterator[str]:
    for message in talk.confirmed.items():
        if (times := said.count(message)) != 1:
            yield f"{chat}: a confirmed message of the {talk.side} is there {times} times"


def _order(chat: str, talk: Talk, there: Iterable[tuple[int, str]]) -> Iterator[str]:
    if [(entry["number"], entry["id"]) for entry in talk.entries] != list(there):
        yield f"{chat}: the {talk.side} saw other entries than the table has, or in another order"
