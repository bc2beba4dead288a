"""An HTTP endpoint that stands for the world of SMS and Slack: it keeps what is posted, and tells it to who asks.

It needs nothing but Python, so that it runs in this process or beside a service, wherever that can reach it.
"""

from __future__ import annotations

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LOOPBACK, ANYWHERE, PORT = "127.0.0.1", "0.0.0.0", 8099  # where the port is not another program's
# What a driver runs beside a gateway on that port, to hear what was posted: `told` reads the answer.
ASK = f"from urllib.request import urlopen; print(urlopen('http://{LOOPBACK}:{PORT}').read().decode())"


class Gateway(ThreadingHTTPServer):
    """`posts` are (address, JSON) in the order in which they came."""

    def __init__(self, port: int = 0, host: str = LOOPBACK) -> None:
        super().__init__((host, port), Handler)
        self.posts: list[tuple[str, dict[str, str]]] = []


class Handler(BaseHTTPRequestHandler):
    server: Gateway

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.posts.append((self.path, json.loads(body)))
        self._answer(b"")

    def do_GET(self) -> None:
        self._answer(json.dumps(self.server.posts).encode())

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


def templates(port: int, host: str = LOOPBACK) -> dict[str, str]:
    """The settings of the tasks service with which its messages arrive at a gateway."""
    place = f"json://{host}:{port}"
    return {"NOTIFY_SMS_URL": f"{place}/sms/{{number}}", "NOTIFY_SLACK_URL": f"{place}/slack/{{member}}"}


def told(answer: str) -> list[tuple[str, dict[str, str]]]:
    return [(address, body) for address, body in json.loads(answer)]


if __name__ == "__main__":
    Gateway(int(sys.argv[1]), *sys.argv[2:]).serve_forever()
