"""Powertools for AWS Lambda, with its resolver and its parser, and boto3."""

from aws_lambda_powertools.event_handler import APIGatewayRestResolver
from aws_lambda_powertools.utilities.parser import parse
from model import Report
from table import put_new, serialize

app = APIGatewayRestResolver()


@app.post("/reports")
def submit():
    report = parse(event=app.current_event.json_body, model=Report)
    return stored(report.category, serialize(report.model_dump(mode="json", exclude_none=True)))


@app.post("/reports-as-text")
def submit_as_text():
    """The same, with the answers as one JSON text: how much of a ratio is that one decision?"""
    report = parse(event=app.current_event.body, model=Report)
    return stored(report.category, {"S": report.model_dump_json(exclude_none=True)})


def stored(category, answers):
    reference = app.current_event.headers["Idempotency-Key"]
    put_new(reference, category, answers)
    return {"reference": reference}, 201


def handler(event, context):
    return app.resolve(event, context)
