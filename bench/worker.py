"""A process as Lambda starts it: `worker.py PACKAGE` sees an unzipped package, and no botocore but its own.

Reads a JSON list of [handler, event], of which the first says what function this is, and writes the list of answers;
what handlers print goes to stderr.
"""

import json
import os
import sys
from importlib import import_module
from types import SimpleNamespace
from typing import Any

CONTEXT = SimpleNamespace(
    aws_request_id="00000000-0000-0000-0000-000000000000",
    function_name="crime-reports-bench",
    function_version="$LATEST",
    invoked_function_arn="arn:aws:lambda:eu-west-2:123456789012:function:crime-reports-bench",
    memory_limit_in_mb="512",
    get_remaining_time_in_millis=lambda: 60_000,
)


def main() -> None:
    """Answer every event in turn."""
    sys.path.insert(0, sys.argv[1])
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    calls = json.load(sys.stdin)
    os.environ["_HANDLER"] = calls[0][0]
    json.dump([answer(*call) for call in calls], answers)


def answer(handler: str, event: Any) -> Any:
    """What the handler, such as `app.app`, gives for the event."""
    module, _, name = handler.rpartition(".")
    return getattr(import_module(module), name)(event, CONTEXT)


main()
