"""What comes over WebSocket (skeleton: being written)."""


def connect(connection: str) -> None:
    """Somebody has connected."""


def message(connection: str, body: str) -> None:
    """A frame has come."""


def disconnect(connection: str) -> None:
    """A connection has ended."""
