"""Makes moto's DynamoDB look only at the items that a query is about; it sorts the whole table for each one."""

import copy
from typing import Any

from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import Table

_moto_query = Table.query


def install() -> None:
    """Have all tables of this process answer so."""
    Table.query = _query  # type: ignore[method-assign]


def _query(
    table: Table, hash_key: DynamoType | None, *arguments: Any, hash_key_conditions: Any = None, **more: Any
) -> Any:
    candidates = _candidates(table, hash_key_conditions or [(table.hash_key_attr, hash_key)])
    narrowed = copy.copy(table)
    narrowed.all_items = lambda: candidates  # type: ignore[method-assign]
    return _moto_query(narrowed, hash_key, *arguments, hash_key_conditions=hash_key_conditions, **more)


def _candidates(table: Table, conditions: list[tuple[str, DynamoType]]) -> list[Item]:
    name, wanted = conditions[0]
    if name == table.hash_key_attr:
        return list(table.items.get(wanted, {}).values())
    items = (item for items in table.items.values() for item in items.values())
    return [item for item in items if (found := item.attrs.get(name)) and found.value == wanted.value]
