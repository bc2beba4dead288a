"""A port of this machine that leads to another address, for as long as a test runs."""

from __future__ import annotations

import contextlib
import socket
import threading

BYTES = 65_536
CONNECT_SECONDS = 30  # as patient as a browser


class Forwarder:
    """Listens on the loopback interface; each connection is one to the target, or ends where there is none."""

    def __init__(self, port: int, host: str, target: int) -> None:
        self._target = (host, target)
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
        except OSError:
            near.close()
            return
        far.settimeout(None)
        for source, sink in ((near, far), (far, near)):
            threading.Thread(target=_copy, args=(source, sink), daemon=True).start()


def _copy(source: socket.socket, sink: socket.socket) -> None:
    """Until the source ends; the other direction may still have something to say."""
    with contextlib.suppress(OSError):
        while data := source.recv(BYTES):
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
