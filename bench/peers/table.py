"""The store call that all peers make: the answers as nested AttributeValues, as boto3's documentation teaches it."""

import os
from datetime import UTC, datetime
from typing import Any

import boto3
from boto3.dynamodb.types import TypeSerializer

client = boto3.client("dynamodb")
serialize = TypeSerializer().serialize


def put_new(reference: str, category: str, answers: dict[str, Any]) -> None:
    """Store a report that must not be there yet; `answers` is an AttributeValue."""
    client.put_item(
        TableName=os.environ["REPORTS_TABLE"],
        Item={
            "pk": {"S": f"REPORT#{reference}"},
            "sk": {"S": "REPORT"},
            "category": {"S": category},
            "status": {"S": "received"},
            "received_at": {"S": datetime.now(UTC).isoformat()},
            "answers": answers,
        },
        ConditionExpression="attribute_not_exists(pk)",
    )
