"""What else than the registry may answer at its address: a proxy, or one half of a registry that goes down."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from eventbus.catalogue import catalogue
from eventbus.errors import TransientError
from eventbus.registry import Registry, RegistryAway, RegistryRefused

PROXY = b"<html>There is no backend for this path.</html>"
TIMEOUT_SECONDS = 0.5


@contextmanager
def answering(status: int, body: bytes, *, missing: int = 0, hangs: bool = False) -> Iterator[Registry]:
    """A registry that gives one answer to everything: cut off by so many bytes, or without an end."""
    over = threading.Event()

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body) + missing))
            self.end_headers()
            self.wfile.write(body)
            if hangs:
                over.wait(10)

        do_POST = do_GET

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,)).start()
        try:
            yield Registry(f"http://127.0.0.1:{server.server_port}", timeout_seconds=TIMEOUT_SECONDS)
        finally:
            over.set()
            server.shutdown()


@pytest.mark.parametrize("code", [40401, 40403])
def test_what_the_registry_says_it_does_not_know_is_unknown(code):
    with answering(404, b'{"error_code": %d, "message": "not found"}' % code) as registry:
        assert registry.text(1) is None
        assert registry.lookup(catalogue().schemas[0]) is None


@pytest.mark.parametrize("body", [b"", PROXY, b"[]", b'{"status": 404}', b'{"error_code": 404}'])
def test_a_404_that_is_not_the_registrys_does_not_say_that_a_schema_is_unknown(body):
    with answering(404, body) as registry, pytest.raises(RegistryAway, match="404"):
        registry.text(1)


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 200, "body": b'{"schema": "', "missing": 10},
        {"status": 200, "body": b'{"schema": "', "missing": 10, "hangs": True},
        {"status": 500, "body": b"oh", "missing": 10},
        {"status": 404, "body": b"oh", "missing": 10, "hangs": True},
        {"status": 200, "body": PROXY},
        {"status": 200, "body": b"[1]"},
        {"status": 503, "body": b"\xff"},
    ],
    ids=str,
)
def test_an_answer_that_is_none_is_a_registry_that_is_away(answer):
    with answering(**answer) as registry, pytest.raises(RegistryAway):
        registry.text(1)


@pytest.mark.parametrize("status", [409, 422])
def test_a_question_that_is_refused_is_asked_again_later(status):
    """Only at deployment is there somebody to be told."""
    with answering(status, b"{}") as registry, pytest.raises(RegistryRefused) as error:
        registry.lookup(catalogue().schemas[0])
    assert isinstance(error.value, TransientError)
