"""How a conversation of the live chat becomes an item of the table, and an item a conversation."""

import json
from collections.abc import Sequence
from typing import Any

from chalicelib.chat import Conversation, Entry, State
from chalicelib.report import Actor
from chalicelib.table import Item, Value
from chalicelib.times import read_stamp, stamp

ERASED = "erased"  # the status of what is left of a conversation: that there was one


def key(id: str) -> tuple[str, str]:
    """Where a conversation is."""
    return f"CHAT#{id}", "CHAT"


def id_of(item: Item) -> str:
    """Whose item it is."""
    return str(item["pk"]).removeprefix("CHAT#")


def group(name: str) -> str:
    """The group of a list in the index by deadline."""
    return f"chat-{name}"


def new_item(chat: Conversation) -> dict[str, Value]:
    """A conversation that has just begun."""
    pk, sk = key(chat.id)
    return {"pk": pk, "sk": sk, "entries": texts_of(chat.entries), **values_of(chat)}


def texts_of(entries: Sequence[Entry]) -> list[str]:
    """Entries as they are stored."""
    return [json.dumps(_entry_data(entry), separators=(",", ":"), ensure_ascii=False) for entry in entries]


def _entry_data(entry: Entry) -> dict[str, Any]:
    said = {"text": entry.text, "facts": entry.facts}
    who = {"by": entry.by.id, "by_name": entry.by.name}
    there = {name: value for name, value in said.items() if value}
    return {"number": entry.number, "at": stamp(entry.at), "what": entry.what, **who, "id": entry.id, **there}


def _read_entry(text: str) -> Entry:
    data = json.loads(text)
    return Entry(data["number"], read_stamp(data["at"]), data["what"], Actor(data["by"], data["by_name"]), data["id"],
                 data.get("text", ""), data.get("facts", {}))  # fmt: skip


def values_of(chat: Conversation) -> dict[str, Value]:
    """What of a conversation may change, by attribute, but for its entries."""
    advisor = chat.advisor
    return {
        "visitor": json.dumps(dict(chat.visitor), ensure_ascii=False),
        "status": str(chat.state),
        "claimed_by": advisor.id if advisor else None,
        "claimed_by_name": advisor.name if advisor else None,
        "priority": chat.priority,
        "reasons": list(chat.reasons),
        "received_at": stamp(chat.began_at),
        "concluded_at": stamp(chat.concluded_at) if chat.concluded_at else None,
        "version": chat.version,
        "due": group(chat.is_listed_as),
        "deadline": stamp(chat.concluded_at or chat.due_at),
    }


def conversation_of(item: Item) -> Conversation:
    """The whole conversation."""
    concluded = item.get("concluded_at")
    return Conversation(
        id=id_of(item),
        began_at=read_stamp(item["received_at"]),
        visitor=json.loads(item["visitor"]),
        state=State(item["status"]),
        advisor=Actor(item["claimed_by"], item["claimed_by_name"]) if "claimed_by" in item else None,
        priority=item.get("priority"),
        reasons=tuple(item["reasons"]),
        entries=tuple(map(_read_entry, item["entries"])),
        concluded_at=read_stamp(concluded) if concluded else None,
    )
