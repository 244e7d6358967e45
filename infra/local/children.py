"""Processes that must not outlive the runner, not even when it is killed."""

import ctypes
import signal
import sys
from collections.abc import Callable
from typing import Any

_PR_SET_PDEATHSIG = 1


def end_with_parent() -> Callable[[], Any] | None:
    """For `preexec_fn` of a child: has Linux kill it when its parent is gone. None where there is no such thing."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)  # loaded before the fork: nothing may be loaded after it
    return lambda: libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
