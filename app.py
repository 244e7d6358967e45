"""The list of what can wake us. All but HTTP is declared here, as `chalice deploy` wants it; the work is elsewhere."""

import logging
import os
from typing import Any

from chalice.app import Chalice, CloudWatchEvent, DynamoDBEvent, SQSEvent

from chalicelib.handlers import background
from chalicelib.handlers.http import problems_everywhere
from chalicelib.handlers.officers import officers
from chalicelib.handlers.public import public

app = Chalice(app_name="crime-reports")
app.register_blueprint(public)
app.register_blueprint(officers)
app.middleware("http")(problems_everywhere)
app.log.setLevel(logging.INFO)  # also the logger of chalicelib, by its name; Chalice would keep all but errors


def _queue(variable: str) -> str:
    return os.environ[variable].rsplit("/", 1)[-1]


# From the oldest record there is: a mapping made anew must not pass over what was reported before it began to poll.
@app.on_dynamodb_record(
    stream_arn=os.environ["REPORTS_STREAM_ARN"],
    name="on_report_change",
    batch_size=100,
    starting_position="TRIM_HORIZON",
)
def on_report_change(event: DynamoDBEvent) -> None:
    background.forward_changes(record.new_image for record in event)


# One message at a time: a message that fails is retried and set aside alone, without the partial-batch option of the
# mapping, which `chalice deploy` cannot set.
@app.on_sqs_message(queue=_queue("TRIAGE_QUEUE_URL"), name="on_triage", batch_size=1)
def on_triage(event: SQSEvent) -> None:
    for record in event:
        background.triage(record.body)


@app.on_sqs_message(queue=_queue("LETTERS_QUEUE_URL"), name="on_letter", batch_size=1)
def on_letter(event: SQSEvent) -> None:
    for record in event:
        background.send_letter(record.body)


@app.schedule("rate(1 minute)", name="crime_due_reports")
def crime_due_reports(event: CloudWatchEvent) -> None:
    context: Any = event.context  # Chalice calls it a dict
    background.crime_due_reports(context.get_remaining_time_in_millis)
