"""The list of what can wake us. All but HTTP is declared here, as `chalice deploy` wants it; the work is elsewhere."""

# ruff: noqa: E402 - imports follow without garbage collection: what they load stays, and to look through it costs
import gc
import os
from typing import Any

gc.disable()

from chalice.app import CloudWatchEvent, DynamoDBEvent, SQSEvent, SQSRecord, WebsocketEvent

from chalicelib import telemetry
from chalicelib.handlers.loading import Service

telemetry.start_logging()
app = Service("crime-reports")
app.experimental_feature_flags.add("WEBSOCKETS")  # Chalice refuses to deploy them without
app.register_middleware(telemetry.naming_the_invocation)
for kind in ("dynamodb", "sqs", "scheduled", "websocket"):
    app.register_middleware(telemetry.publishing_metrics, kind)


def _queue(variable: str) -> str:
    return os.environ[variable].rsplit("/", 1)[-1]


def _receives(record: SQSRecord) -> int:
    return int(record.to_dict()["attributes"]["ApproximateReceiveCount"])


# From the oldest record there is: a mapping made anew must not pass over what was reported before it began to poll.
@app.on_dynamodb_record(
    stream_arn=os.environ["REPORTS_STREAM_ARN"],
    name="on_report_change",
    batch_size=100,
    starting_position="TRIM_HORIZON",
)
def on_report_change(event: DynamoDBEvent) -> None:
    from chalicelib.handlers import background

    background.forward_changes(record.new_image for record in event)


# One message at a time: a message that fails is retried and set aside alone, without the partial-batch option of the
# mapping, which `chalice deploy` cannot set. A few at once: a flood of messages must not take the account's functions
# from the public.
@app.on_sqs_message(queue=_queue("TRIAGE_QUEUE_URL"), name="on_triage", batch_size=1, maximum_concurrency=5)
def on_triage(event: SQSEvent) -> None:
    from chalicelib.handlers import background

    for record in event:
        background.triage(record.body, _receives(record))


@app.on_sqs_message(queue=_queue("LETTERS_QUEUE_URL"), name="on_letter", batch_size=1, maximum_concurrency=5)
def on_letter(event: SQSEvent) -> None:
    from chalicelib.handlers import background

    for record in event:
        background.send_letter(record.body, _receives(record))


@app.schedule("rate(1 minute)", name="crime_due_reports")
def crime_due_reports(event: CloudWatchEvent) -> None:
    from chalicelib.handlers import background

    context: Any = event.context  # Chalice calls it a dict
    background.crime_due_reports(context.get_remaining_time_in_millis)


@app.schedule("rate(1 hour)", name="keep_house")
def keep_house(event: CloudWatchEvent) -> None:
    from chalicelib.handlers import background

    context: Any = event.context
    background.keep_house(context.get_remaining_time_in_millis)


@app.schedule("cron(0 2 * * ? *)", name="reconcile")
def reconcile(event: CloudWatchEvent) -> None:
    from chalicelib.handlers import background

    context: Any = event.context
    background.reconcile(context.get_remaining_time_in_millis)


# Chalice calls their functions so, whatever name they are given here.
@app.on_ws_connect(name="websocket_connect")
def websocket_connect(event: WebsocketEvent) -> None:
    from chalicelib.handlers import sockets

    sockets.connect(event.connection_id)


@app.on_ws_message(name="websocket_message")
def websocket_message(event: WebsocketEvent) -> None:
    from chalicelib.handlers import sockets

    sockets.message(event.connection_id, event.body)


@app.on_ws_disconnect(name="websocket_disconnect")
def websocket_disconnect(event: WebsocketEvent) -> None:
    from chalicelib.handlers import sockets

    sockets.disconnect(event.connection_id)


app.prepare()
gc.freeze()  # nor is it looked through later
gc.enable()
