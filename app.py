"""The list of what can wake us. All but HTTP is declared here, as `chalice deploy` wants it; the work is elsewhere."""

# ruff: noqa: E402 - imports follow without garbage collection: what they load stays, and to look through it costs
import gc
import os
from typing import Any

gc.disable()

from chalice.app import Chalice, CloudWatchEvent, DynamoDBEvent, SQSEvent, SQSRecord, WebsocketEvent

from chalicelib import telemetry
from chalicelib.handlers import background, sockets
from chalicelib.handlers.audit import audit
from chalicelib.handlers.bulk import bulk
from chalicelib.handlers.chat import chat
from chalicelib.handlers.chat_keeping import chat_keeping
from chalicelib.handlers.deciding import deciding
from chalicelib.handlers.desk import desk
from chalicelib.handlers.desk_chat import desk_chat
from chalicelib.handlers.desk_chats import desk_chats
from chalicelib.handlers.evidence import evidence
from chalicelib.handlers.http import one_line_a_request, problems_everywhere, safe_headers
from chalicelib.handlers.journey import journey
from chalicelib.handlers.officers import officers
from chalicelib.handlers.public import public
from chalicelib.handlers.retention import retention
from chalicelib.handlers.sign_in import sign_in
from chalicelib.handlers.statistics import statistics
from chalicelib.handlers.status import status

telemetry.start_logging()
app = Chalice(app_name="crime-reports", configure_logs=False)
app.experimental_feature_flags.add("WEBSOCKETS")  # Chalice refuses to deploy them without
app.register_blueprint(public)
app.register_blueprint(journey)
app.register_blueprint(status)
app.register_blueprint(evidence)
app.register_blueprint(chat)
app.register_blueprint(officers)
app.register_blueprint(sign_in)
app.register_blueprint(desk)
app.register_blueprint(desk_chats)
app.register_blueprint(desk_chat)
app.register_blueprint(chat_keeping)
app.register_blueprint(audit)
app.register_blueprint(bulk)
app.register_blueprint(retention)
app.register_blueprint(deciding)
app.register_blueprint(statistics)
app.register_middleware(telemetry.naming_the_invocation)
app.register_middleware(safe_headers, "http")
app.register_middleware(one_line_a_request, "http")
app.register_middleware(problems_everywhere, "http")
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
    background.forward_changes(record.new_image for record in event)


# One message at a time: a message that fails is retried and set aside alone, without the partial-batch option of the
# mapping, which `chalice deploy` cannot set. A few at once: a flood of messages must not take the account's functions
# from the public.
@app.on_sqs_message(queue=_queue("TRIAGE_QUEUE_URL"), name="on_triage", batch_size=1, maximum_concurrency=5)
def on_triage(event: SQSEvent) -> None:
    for record in event:
        background.triage(record.body, _receives(record))


@app.on_sqs_message(queue=_queue("LETTERS_QUEUE_URL"), name="on_letter", batch_size=1, maximum_concurrency=5)
def on_letter(event: SQSEvent) -> None:
    for record in event:
        background.send_letter(record.body, _receives(record))


@app.schedule("rate(1 minute)", name="crime_due_reports")
def crime_due_reports(event: CloudWatchEvent) -> None:
    context: Any = event.context  # Chalice calls it a dict
    background.crime_due_reports(context.get_remaining_time_in_millis)


@app.schedule("rate(1 hour)", name="keep_house")
def keep_house(event: CloudWatchEvent) -> None:
    context: Any = event.context
    background.keep_house(context.get_remaining_time_in_millis)


@app.schedule("cron(0 2 * * ? *)", name="reconcile")
def reconcile(event: CloudWatchEvent) -> None:
    context: Any = event.context
    background.reconcile(context.get_remaining_time_in_millis)


# Chalice calls their functions so, whatever name they are given here.
@app.on_ws_connect(name="websocket_connect")
def websocket_connect(event: WebsocketEvent) -> None:
    sockets.connect(event.connection_id)


@app.on_ws_message(name="websocket_message")
def websocket_message(event: WebsocketEvent) -> None:
    sockets.message(event.connection_id, event.body)


@app.on_ws_disconnect(name="websocket_disconnect")
def websocket_disconnect(event: WebsocketEvent) -> None:
    sockets.disconnect(event.connection_id)


gc.freeze()  # nor is it looked through later
gc.enable()
