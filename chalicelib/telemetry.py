"""What the service says about its own work, for CloudWatch: log lines as JSON, metrics in the embedded format.

Nothing about a person. Everybody logs by the standard library, to the logger `crime-reports`; how that comes out is
decided here, and that every line names the invocation it belongs to. Metrics are one line for each invocation.
"""

import itertools
import json
import logging
import os
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics
from aws_lambda_powertools.metrics.functions import is_metrics_disabled

from chalicelib.errors import described
from chalicelib.reference import parse, show
from chalicelib.report import RULE
from chalicelib.times import read_stamp

LOGGER = "crime-reports"
NAMESPACE = "CrimeReports"
METRICS = {
    **dict.fromkeys(("Received", "CrimedByOfficer", "CrimedByRule", "NotCrimed", "CallBacks"), "Count"),
    "SecondsToCrime": "Seconds",
    **dict.fromkeys(("LettersSent", "LettersFailed", "DeadLetters", "Overdue", "Untriaged"), "Count"),
    **dict.fromkeys(("ChatsWaiting", "ChatsOverdue", "FramesFailed"), "Count"),
    **dict.fromkeys(("Reconciled", "Differences"), "Count"),
}
"""Every metric and its unit. Their one dimension is `service`."""

Next = Callable[[Any], Any]

_invocations = itertools.count()
# Not the one `Metrics` that all share: the one-machine runner runs handlers side by side.
_metrics: ContextVar[EphemeralMetrics | None] = ContextVar("metrics", default=None)


def start_logging() -> None:
    """From now on what is logged comes out as one JSON object a line. POWERTOOLS_SERVICE_NAME is the `service`."""
    logger = _logger()
    logger.append_keys(service=os.environ.get("POWERTOOLS_SERVICE_NAME", LOGGER))
    logger.addFilter(_type_and_place_only)
    logging.getLogger(LOGGER).propagate = False  # Lambda's own handler would say everything again


@cache
def _logger() -> Logger:
    return Logger(LOGGER, utc=True, use_rfc3339=True)


def naming_the_invocation(event: Any, get_response: Next) -> Any:
    """Middleware: each line logged meanwhile has the request id and whether this was a cold start."""
    context = getattr(event, "lambda_context", None) or event.context  # an HTTP request has its own meaning of context
    logger = _logger()
    logger.thread_safe_append_keys(function_request_id=context.aws_request_id, cold_start=next(_invocations) == 0)
    try:
        return get_response(event)
    finally:
        logger.thread_safe_clear_keys()


def publishing_metrics(event: Any, get_response: Next) -> Any:
    """Middleware: what `measure` was told meanwhile is published, also if the handler raises."""
    if is_metrics_disabled():
        return get_response(event)
    metrics = EphemeralMetrics(namespace=NAMESPACE)
    before = _metrics.set(metrics)
    try:
        return get_response(event)
    finally:
        _metrics.reset(before)
        if metrics.metric_set:  # one write, which the line of another thread cannot split
            print(json.dumps(metrics.serialize_metric_set(), separators=(",", ":")) + "\n", end="")


def about(text: str) -> dict[str, str]:
    """For a line's `extra`: the reference as people see it, if `text` is one."""
    plain = parse(text)
    return {"reference": show(plain)} if plain else {}


def measure(name: str, value: float = 1) -> None:
    """Add a value to one of METRICS; does nothing where nobody publishes."""
    if metrics := _metrics.get():
        metrics.add_metric(name, METRICS[name], value)


def of_change(what: str, row: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """What a change adds to which metrics, as `statistics.py` counts: what happened, and the report's row after it."""
    match what:
        case "received":
            yield "Received", 1
        case "crimed":
            yield "CrimedByRule" if row["crimed_by"] == RULE.id else "CrimedByOfficer", 1
            yield "SecondsToCrime", (read_stamp(row["crimed_at"]) - read_stamp(row["received_at"])).total_seconds()
        case "not_crimed":
            yield "NotCrimed", 1
        case "call_back" if row["call_backs"] == 1:  # reports that were called back, not attempts
            yield "CallBacks", 1


def _type_and_place_only(record: logging.LogRecord) -> bool:
    """Chalice logs what it did not expect with its message, and a message may quote a person."""
    if record.exc_info and isinstance(record.exc_info[1], Exception):
        record.error, record.exc_info = described(record.exc_info[1]), None
    return True
