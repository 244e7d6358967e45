"""Lambda's Python, as far as a function can see: `python -I -S -B lambda_worker.py SECONDS ARN TASK RUNTIME`.

Sees the unzipped package (TASK) and what Lambda ships (RUNTIME), nothing else. An event a line in, an answer a line
out; the first answer says whether the handler could be loaded. Whatever the function prints goes to stderr, its log.
"""

import importlib
import json
import os
import signal
import sys
import time
import traceback
import uuid
from collections.abc import Callable
from functools import partial
from typing import Any


class Context:
    """What a handler is told about its invocation."""

    def __init__(self, seconds: float, arn: str) -> None:
        self._end = time.monotonic() + seconds
        self.invoked_function_arn = arn
        self.aws_request_id = str(uuid.uuid4())
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]  # a text, as Lambda has it
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.identity = None
        self.client_context = None

    def get_remaining_time_in_millis(self) -> int:
        """How long Lambda will wait yet."""
        return max(0, int((self._end - time.monotonic()) * 1000))


class Function:
    """The function behind a handler string."""

    def __init__(self, seconds: float, arn: str) -> None:
        self._seconds, self._arn = seconds, arn

    def load(self, handler: str) -> None:
        """Import it, as Lambda does."""
        module, _, name = handler.rpartition(".")
        self._handler = getattr(importlib.import_module(module), name)

    def invoke(self, event: Any) -> Any:
        """Run it. Takes the process with it if that takes too long, as Lambda does."""
        signal.setitimer(signal.ITIMER_REAL, self._seconds)
        try:
            return self._handler(event, Context(self._seconds, self._arn))
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)


def attempt(act: Callable[[], Any]) -> str:
    """A line of JSON: what `act()` gives, or the type of what it raises (the rest is in the log)."""
    try:
        return json.dumps({"answer": act()})
    except BaseException as error:
        traceback.print_exc()
        return json.dumps({"error": type(error).__name__})


def main(function: Function, task: str, runtime: str) -> None:
    """Serve until there are no more events."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    sys.stdout = os.fdopen(1, "w", buffering=1)  # what is printed is in the log at once
    sys.path.insert(0, task)
    sys.path.append(runtime)
    print(attempt(partial(function.load, os.environ["_HANDLER"])), file=answers)
    for line in sys.stdin:
        print(attempt(partial(function.invoke, json.loads(line))), file=answers)


if __name__ == "__main__":
    main(Function(float(sys.argv[1]), sys.argv[2]), *sys.argv[3:])
