"""A file whose modification time says that a process is alive: the liveness probe of relays and consumers."""

from pathlib import Path
from time import monotonic

_SECONDS = 1.0


class Heartbeat:
    """Touches a file at most once a second; without a path it does nothing."""

    def __init__(self, path: str | None = None) -> None:
        self._path = Path(path) if path else None
        self._next = 0.0

    def beat(self) -> None:
        """Say that the loop goes round."""
        if self._path and monotonic() >= self._next:
            self._path.touch()
            self._next = monotonic() + _SECONDS
