"""Somebody's socket, where there is one."""

import json
import logging
import socket
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from infra.chat_load.talk import Told
from infra.replay.service import PATIENCE_SECONDS

logging.getLogger("websockets.client").setLevel(logging.CRITICAL)  # that a line was cut is no news here


class Phone:
    """A socket that is called, cut and called again. For one thread."""

    def __init__(self) -> None:
        self._line: ClientConnection | None = None
        self._closing = ExitStack()

    @property
    def is_up(self) -> bool:
        """Whether frames can be sent."""
        return self._line is not None

    def call(self, given: Mapping[str, str], seen: int) -> Told | None:
        """Open a socket with the pass that a poll gave; gives the first frame. Nothing may be sent before it: frames
        are handled at once, and who has not been let in yet is refused.
        """
        # Like a browser: it sends no pings, and takes what comes although the page is busy.
        like_a_browser: dict[str, Any] = {"ping_interval": None, "max_queue": None, "close_timeout": 1}
        call = connect(given["url"], open_timeout=PATIENCE_SECONDS, **like_a_browser)
        self._line = self._closing.enter_context(call)
        self.send({"do": "open", "pass": given["pass"], "seen": seen})
        return self.hear(PATIENCE_SECONDS)

    def send(self, frame: Mapping[str, Any]) -> None:
        """Send a frame; if that fails, there is no socket any more."""
        if self._line:
            try:
                self._line.send(json.dumps(frame))
            except ConnectionClosed:
                self.hang_up()

    def hear(self, seconds: float) -> Told | None:
        """The next frame; None if none came in time."""
        if not self._line:
            time.sleep(seconds)
            return None
        try:
            frame: Told = json.loads(self._line.recv(timeout=max(0, seconds)))
        except TimeoutError:
            return None
        except ConnectionClosed:
            self.hang_up()
            return None
        return frame

    def cut(self) -> None:
        """The network is gone: nobody says goodbye."""
        if self._line:
            with suppress(OSError):
                self._line.socket.shutdown(socket.SHUT_RDWR)
        self.hang_up()

    def hang_up(self) -> None:
        """End it."""
        self._line = None
        self._closing.close()
