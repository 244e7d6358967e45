"""A process as Lambda starts it: `worker.py PACKAGE` sees an unzipped package, and no botocore but its own.

Reads a JSON list of [handler, event], the first of which says which function this is, and writes the list of answers;
what handlers print goes to stderr. `__main__.look`, as the last handler, tells what the process has come to.
"""

import json
import os
import sys
import time
from importlib import import_module
from pathlib import Path
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


def look(event: Any, context: Any) -> dict[str, Any]:
    """What the process has come to: seconds of processor, kilobytes at its peak (None but on Linux), which modules it
    has loaded, for which services it has made an AWS client.
    """
    seconds, status = time.process_time(), Path("/proc/self/status")
    made = sys.modules["botocore.client"].BaseClient.__subclasses__() if "botocore.client" in sys.modules else []
    return {
        "seconds": seconds,
        "peak_kb": int(status.read_text().partition("VmHWM:")[2].split()[0]) if status.exists() else None,
        "modules": sorted(sys.modules),
        "clients": sorted(client.__name__ for client in made),
    }


main()
