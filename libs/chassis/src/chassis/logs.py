"""Structured logs: one line per request with request id and trace id, and no personal data."""

import logging
import re
import sys
import threading
import time
import uuid
from collections.abc import Callable
from types import TracebackType
from typing import Any

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from chassis.tracing import current_trace_id

GetResponse = Callable[[HttpRequest], HttpResponseBase]
_REQUEST_ID_LENGTH = 64
# Also what comes before the host in a database's address: its password.
_ADDRESS = re.compile(r"[^\s@<>(){}\[\]\"'=:,;/\\]+@[\w-]+(?:\.[\w-]+)+")

logger = structlog.get_logger("chassis.request")


def add_trace_id(_logger: Any, _method: str, event: Any) -> Any:
    """Name the trace a line belongs to, in requests and in consumers alike."""
    trace_id = current_trace_id()
    if trace_id:
        event.setdefault("trace_id", trace_id)
    return event


def add_service(_logger: Any, _method: str, event: Any) -> Any:
    """Name the service in every thread; a context variable would be known to one of them only."""
    event.setdefault("service", settings.SERVICE_NAME)
    return event


def hide_addresses(_logger: Any, _method: str, event: Any) -> Any:
    """Leave no e-mail address in a line: the words of an exception may quote one."""
    return {
        name: _ADDRESS.sub("…@…", value) if isinstance(value, str) and "@" in value else value
        for name, value in event.items()
    }


def leave_out_requests(_logger: Any, _method: str, event: Any) -> Any:
    """Django adds the request to a line about a failure, and its words are its address with codes and searches."""
    return {name: value for name, value in event.items() if not isinstance(value, HttpRequest)}


SHARED_PROCESSORS: list[Any] = [
    structlog.contextvars.merge_contextvars,
    add_service,
    add_trace_id,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.stdlib.ExtraAdder(),
    leave_out_requests,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def _tell_uncaught(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    if error is None or not issubclass(kind, Exception):
        sys.__excepthook__(kind, error or kind(), trace)
        return
    logging.getLogger("chassis.uncaught").critical("uncaught", exc_info=(kind, error, trace))


def configure() -> None:
    """Send structlog, warnings and uncaught exceptions through the standard library: levels, handlers and form are set
    in one place. Somebody at a terminal sees an exception as Python shows it."""
    logging.captureWarnings(True)
    if not sys.stderr.isatty():
        sys.excepthook = _tell_uncaught
        threading.excepthook = lambda it: _tell_uncaught(it.exc_type, it.exc_value, it.exc_traceback)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *[p for p in SHARED_PROCESSORS if not isinstance(p, structlog.stdlib.ExtraAdder)],
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def _request_id(request: HttpRequest) -> str:
    given = request.headers.get("X-Request-ID", "")
    if given and len(given) <= _REQUEST_ID_LENGTH and given.isascii() and given.isprintable():
        return given
    return uuid.uuid4().hex


class RequestLogMiddleware:
    """Binds a request id to all lines of a request and writes one line when it ends.

    The path is logged without its query string, and neither address nor browser nor user name is:
    searches and e-mail addresses are personal. (django-structlog logs all of these.)
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request_id = _request_id(request)
        started = time.monotonic()
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            response = self.get_response(request)
            level = logging.WARNING if response.status_code >= 500 else logging.INFO
            logger.log(
                level,
                "request",
                method=request.method,
                path=request.path,
                status=response.status_code,
                milliseconds=round((time.monotonic() - started) * 1000, 1),
            )
        response.headers["X-Request-ID"] = request_id
        return response
