"""The DynamoDB table as plain Python values: str, int, bytes, and lists of str; None is "not there".

Only what `store.py` needs. The marshalling of boto3's resource layer costs more than the whole submission (see
`docs/adr/0003-store.md`), and an item here is flat on purpose.
"""

import re
from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Value = str | int | bytes | Sequence[str] | None
Item = dict[str, Any]

GROWTH = 4
_TOO_MUCH = {"ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded"}


class ConditionFailed(Exception):
    """A conditional write met an item in another state; `item` is that item, None if there is none."""

    def __init__(self, item: Item | None) -> None:
        super().__init__("the item is not in the expected state")
        self.item = item


class Page(NamedTuple):
    """A stretch of the table. `items` are as DynamoDB has them: one that cannot be read must not hold up the others.
    `last` is the key up to which it goes, None where the table ends.
    """

    items: Sequence[Mapping[str, Any]]
    last: tuple[str, str] | None


class Table:
    """One table. `pk` and `sk` are its keys; every write takes a condition."""

    def __init__(self, client: "DynamoDBClient", name: str) -> None:
        self._client, self._name = client, name

    def get(self, pk: str, sk: str) -> Item | None:
        """The item as it is now (a consistent read)."""
        answer = self._client.get_item(TableName=self._name, Key=_key(pk, sk), ConsistentRead=True)
        return unmarshal(answer["Item"]) if "Item" in answer else None

    def get_many(self, keys: Sequence[tuple[str, str]]) -> list[Item]:
        """The items there are among up to 100 `keys`, in any order (consistent reads)."""
        items: list[Item] = []
        wanted: Any = {self._name: {"Keys": [_key(*key) for key in keys], "ConsistentRead": True}} if keys else {}
        while wanted:
            answer = self._client.batch_get_item(RequestItems=wanted)
            items += [unmarshal(item) for item in answer["Responses"][self._name]]
            wanted = answer.get("UnprocessedKeys")
        return items

    def put_new(self, item: Mapping[str, Value]) -> None:
        """Store an item that must not be there yet. Raises ConditionFailed with the one that is."""
        self._conditionally(self._client.put_item, Item=marshal(item), ConditionExpression="attribute_not_exists(pk)")

    def update(
        self,
        pk: str,
        sk: str,
        *,
        values: Mapping[str, Value],
        append: Mapping[str, Sequence[str]] | None = None,
        add: Mapping[str, int] | None = None,
        copy: Mapping[str, str] | None = None,
        condition: str,
        given: Mapping[str, Value] | None = None,
        returning: Literal["ALL_NEW", "NONE"] = "ALL_NEW",
    ) -> Item:
        """Change an item if `condition` holds, and return it as it is afterwards, or nothing (NONE).

        `values` sets (None removes), `append` adds to lists, `add` to numbers (from 0), `copy` keeps what a number was
        before. `condition` may use `:name` for each of `given`, and attribute names as they are with a `#` before them.
        """
        words = _Expression(given or {})
        expression = words.update(values, append or {}, add or {}, copy or {})
        answer = self._conditionally(
            self._client.update_item,
            Key=_key(pk, sk),
            UpdateExpression=expression,
            ConditionExpression=words.named(condition),
            ReturnValues=returning,
            **words.attributes(),
        )
        return unmarshal(answer.get("Attributes", {}))

    def remove(self, pk: str, sk: str, *, condition: str, given: Mapping[str, Value]) -> None:
        """Remove an item if `condition` holds. Raises ConditionFailed."""
        words = _Expression(given)
        condition = words.named(condition)
        self._conditionally(
            self._client.delete_item, Key=_key(pk, sk), ConditionExpression=condition, **words.attributes()
        )

    def query(
        self,
        *,
        index: str | None = None,
        where: str,
        only: str = "",
        given: Mapping[str, Value],
        names: Sequence[str] = (),
        limit: int | None = None,
        backwards: bool = False,
    ) -> Iterator[Item]:
        """Every item of one partition that `where` names, in the order of the sort key (`backwards` turns it round),
        page by page as it is used: the attributes `names` of it, or all.

        DynamoDB keeps back what does not fit `only`. `limit` is how many are looked at first; each time that was not
        enough it is GROWTH times as many, so that a filter that lets little through takes few requests, and one that
        lets through much brings little too much. An index may lag behind the table by a moment.
        """
        words = _Expression(given)
        request: Any = {"TableName": self._name, "KeyConditionExpression": words.named(where)}
        request |= {"FilterExpression": words.named(only)} if only else {}
        request |= {"ProjectionExpression": words.listed(names)} if names else {}
        request |= {"IndexName": index} if index else {"ConsistentRead": True}
        request |= {"Limit": limit} if limit else {}
        request |= {"ScanIndexForward": False} if backwards else {}
        request |= words.attributes()
        while True:
            answer = self._client.query(**request)
            yield from map(unmarshal, answer["Items"])
            if "LastEvaluatedKey" not in answer:
                return
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
            request |= {"Limit": request["Limit"] * GROWTH} if limit else {}

    def scan(self, *, only: str, given: Mapping[str, Value], after: tuple[str, str] | None) -> Iterator[Page]:
        """The whole table behind the key `after`, a page at a time: the items that fit `only`, some perhaps none, as
        they are now.
        """
        words = _Expression(given)
        request: Any = {"TableName": self._name, "FilterExpression": words.named(only), "ConsistentRead": True}
        request |= words.attributes()
        request |= {"ExclusiveStartKey": _key(*after)} if after else {}
        while True:
            answer = self._client.scan(**request)
            last = answer.get("LastEvaluatedKey")
            yield Page(answer["Items"], (last["pk"]["S"], last["sk"]["S"]) if last else None)
            if not last:
                return
            request["ExclusiveStartKey"] = last

    def _conditionally(self, call: Any, **request: Any) -> Any:
        try:
            return call(TableName=self._name, ReturnValuesOnConditionCheckFailure="ALL_OLD", **request)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            item: Any = error.response.get("Item")
            raise ConditionFailed(unmarshal(item) if item else None) from None


def refused(error: Exception) -> bool:
    """Whether the table answered, and would not. Otherwise it was waited for in vain."""
    return isinstance(error, ClientError)


def turned_away(error: Exception) -> bool:
    """Whether the table had too much to do: the same request may do better later."""
    return isinstance(error, ClientError) and error.response["Error"]["Code"] in _TOO_MUCH


class _Expression:
    """The names and values of an expression; every attribute is named by placeholder, as many names are reserved."""

    def __init__(self, given: Mapping[str, Value]) -> None:
        self._names: dict[str, str] = {}
        self._values: dict[str, Any] = {f":{name}": _marshal_value(value) for name, value in given.items()}

    def update(
        self,
        values: Mapping[str, Value],
        append: Mapping[str, Sequence[str]],
        add: Mapping[str, int],
        copy: Mapping[str, str],
    ) -> str:
        kept = [f"{self._name(to)} = if_not_exists({self._name(of)}, {self._value(0)})" for to, of in copy.items()]
        added = [
            f"{self._name(name)} = if_not_exists({self._name(name)}, {self._value(0)}) + {self._value(by)}"
            for name, by in add.items()
        ]
        sets = [f"{self._name(name)} = {self._value(value)}" for name, value in values.items() if value is not None]
        longer = [
            f"{self._name(name)} = "
            f"list_append(if_not_exists({self._name(name)}, {self._value([])}), {self._value(more)})"
            for name, more in append.items()
        ]
        gone = [self._name(name) for name, value in values.items() if value is None]
        changes = ", ".join((*kept, *added, *sets, *longer))
        return " ".join(([f"SET {changes}"] if changes else []) + ([f"REMOVE {', '.join(gone)}"] if gone else []))

    def named(self, expression: str) -> str:
        """`expression` with its `#name`s made known."""
        for name in re.findall(r"#(\w+)", expression):
            self._name(name)
        return expression

    def listed(self, names: Sequence[str]) -> str:
        """`names` as a list of attributes that are asked for."""
        return ", ".join(map(self._name, names))

    def attributes(self) -> dict[str, Any]:
        names, values = self._names, self._values
        return ({"ExpressionAttributeNames": names} if names else {}) | (
            {"ExpressionAttributeValues": values} if values else {}
        )

    def _name(self, name: str) -> str:
        self._names[f"#{name}"] = name
        return f"#{name}"

    def _value(self, value: Value) -> str:
        placeholder = f":v{len(self._values)}"
        self._values[placeholder] = _marshal_value(value)
        return placeholder


def _key(pk: str, sk: str) -> dict[str, Any]:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def marshal(item: Mapping[str, Value]) -> Any:
    """Plain values as DynamoDB wants them, without those that are None."""
    return {name: _marshal_value(value) for name, value in item.items() if value is not None}


def unmarshal(item: Mapping[str, Any]) -> Item:
    """An item of DynamoDB as plain values."""
    return {name: _unmarshal_value(value) for name, value in item.items()}


def _marshal_value(value: Value) -> Any:
    match value:
        case str():
            return {"S": value}
        case int():
            return {"N": str(value)}
        case bytes():
            return {"B": value}
        case list() | tuple():
            return {"L": [{"S": text} for text in value]}
    raise TypeError(f"no attribute type for {type(value).__name__}")


def _unmarshal_value(value: Mapping[str, Any]) -> Any:
    ((kind, plain),) = value.items()
    match kind:
        case "L":
            return [_unmarshal_value(element) for element in plain]
        case "N":
            return int(plain)
        case "B" if isinstance(plain, str):  # as it comes over the wire, and in a stream's event
            return b64decode(plain)
    return plain
