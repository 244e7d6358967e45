"""Makes moto's DynamoDB quick enough for a month of reports. It sorts the whole table for each query, and walks the
model of each answer although its answers about items are plain JSON already."""

import base64
import copy
import json
from typing import Any

from moto.core.responses import ActionResult
from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import StreamShard, Table
from moto.dynamodb.responses import DynamoHandler

_PLAIN = frozenset({"Query", "GetItem", "PutItem", "UpdateItem"})
_moto_query, _moto_add, _moto_serialized = Table.query, StreamShard.add, DynamoHandler.serialized


def install() -> None:
    """Have all tables of this process answer so; they need a stream."""
    Table.query = _query  # type: ignore[assignment, method-assign]
    StreamShard.add = _add  # type: ignore[assignment, method-assign]
    DynamoHandler.serialized = _serialized  # type: ignore[assignment, method-assign]


def _query(
    table: Table, hash_key: DynamoType | None, *arguments: Any, hash_key_conditions: Any = None, **more: Any
) -> Any:
    candidates = _candidates(table, hash_key_conditions or [(table.hash_key_attr, hash_key)])
    narrowed = copy.copy(table)
    narrowed.all_items = lambda: candidates  # type: ignore[method-assign]
    return _moto_query(narrowed, hash_key, *arguments, hash_key_conditions=hash_key_conditions, **more)  # type: ignore[misc]


def _candidates(table: Table, conditions: list[tuple[str, DynamoType]]) -> list[Item]:
    name, wanted = conditions[0]
    if name == table.hash_key_attr:
        return list(table.items.get(wanted, {}).values())
    return [table.items[pk][sk] for pk, sk in _places(table)[name].get(wanted.value, ())]


def _add(shard: StreamShard, old: Item | None, new: Item | None) -> None:
    """What every change of an item passes through: keeps the places up to date."""
    _moto_add(shard, old, new)
    for name, held in _places(shard.table).items():
        if old and name in old.attrs:
            held[old.attrs[name].value].pop((old.hash_key, old.range_key), None)
        if new and name in new.attrs:
            held.setdefault(new.attrs[name].value, {})[new.hash_key, new.range_key] = None


def _places(table: Table) -> dict[str, dict[str, dict[Any, None]]]:
    """For each index and each value of its hash key, the keys of the items there. Copied when moto copies the table."""
    places: dict[str, dict[str, dict[Any, None]]] = vars(table).setdefault(
        "quick_places", {index.schema[0]["AttributeName"]: {} for index in table.all_indexes()}
    )
    return places


def _serialized(handler: DynamoHandler, answer: ActionResult) -> Any:
    if handler._get_action() not in _PLAIN or not isinstance(answer.result, dict):
        return _moto_serialized(handler, answer)
    body = json.dumps(answer.result, default=lambda binary: base64.b64encode(binary).decode())
    return 200, {**handler.response_headers, "Content-Type": "application/x-amz-json-1.0"}, body
