"""The least that stores a report: a handler and boto3. It believes whatever comes."""

import json

from table import put_new, serialize


def handler(event, context):
    answers = json.loads(event["body"])
    reference = event["headers"]["Idempotency-Key"]
    put_new(reference, answers["category"], serialize(answers))
    return {
        "statusCode": 201,
        "headers": {"Content-Type": "application/json"},
        "body": json.dumps({"reference": reference}),
    }
