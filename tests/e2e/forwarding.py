"""A port of this machine that leads to another address, for as long as a test runs."""

from __future__ import annotations

import contextlib
import socket
import threading
import time

BYTES = 65_536
CONNECT_SECONDS = 30  # as patient as a browser


class Forwarder:
    """Listens on the loopback interface; each connection is one to the target, or ends where there is none.

    `broken` are those that came to nothing by no fault of who connected, in words.
    """

    def __init__(self, port: int, host: str, target: int) -> None:
        self._target = (host, target)
        self.broken: list[str] = []
        self._listener = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._connect, args=(near,), daemon=True).start()

    def _connect(self, near: socket.socket) -> None:
        try:
            far = socket.create_connection(self._target, timeout=CONNECT_SECONDS)
        except OSError as error:
            self._tell("no connection", error)
            near.close()
            return
        far.settimeout(None)
        for source, sink in ((near, far), (far, near)):
            threading.Thread(target=self._copy, args=(source, sink), daemon=True).start()

    def _copy(self, source: socket.socket, sink: socket.socket) -> None:
        """Until the source ends; the other direction may still have something to say."""
        copied = 0
        try:
            while data := source.recv(BYTES):
                sink.sendall(data)
                copied += len(data)
        except OSError as error:
            self._tell(f"after {copied} bytes", error)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)

    def _tell(self, when: str, error: OSError) -> None:
        self.broken.append(f"{time.strftime('%T')} to port {self._target[1]}, {when}: {error}")
