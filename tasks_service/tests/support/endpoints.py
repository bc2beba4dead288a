"""Servers on loopback that stand for the world: one that takes mail, one that takes what apprise sends."""

import json
import socket
import threading
from contextlib import contextmanager
from email import message_from_bytes
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from aiosmtpd.controller import Controller


class Mailbox:
    """Takes every mail, unless told to refuse."""

    def __init__(self):
        self.messages, self.refusing = [], False

    async def handle_DATA(self, server, session, envelope):
        if self.refusing:
            return "451 later, please"
        self.messages.append(message_from_bytes(envelope.content, policy=default))
        return "250 OK"


@contextmanager
def smtp_server(settings):
    """A real SMTP server, to which Django sends while it is open."""
    mailbox = Mailbox()
    controller = Controller(mailbox, hostname="127.0.0.1", port=_free_port())
    controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", controller.port
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    try:
        yield mailbox
    finally:
        controller.stop()


def _free_port():
    """A port for aiosmtpd, which cannot be told to take any."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Gateway:
    """What an HTTP endpoint was sent, as (path, JSON)."""

    def __init__(self):
        self.requests, self.status = [], 200

    def texts(self):
        return [f"{body['title']}\n{body['message']}" for _, body in self.requests]


@contextmanager
def http_endpoint(settings):
    """A real HTTP endpoint, to which the operator's templates of SMS and Slack lead."""
    gateway = Gateway()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if gateway.status == 200:
                gateway.requests.append((self.path, json.loads(body)))
            self.send_response(gateway.status)
            self.end_headers()

        def log_message(self, *_):
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    base = f"json://127.0.0.1:{server.server_port}"
    settings.NOTIFICATION_TEMPLATES = {"sms": f"{base}/sms?-to={{number}}", "slack": f"{base}/slack/{{member}}"}
    try:
        yield gateway
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
