"""Logging settings: every line, also Django's and the libraries', goes through structlog."""

from typing import Any

import structlog

from chassis.logs import SHARED_PROCESSORS, hide_addresses


def logging_settings(*, log_format: str, level: str) -> dict[str, Any]:
    """Django's LOGGING; `log_format` is `json` or `console`, one line per record on standard error."""
    renderer: Any = structlog.processors.JSONRenderer()
    chain: list[Any] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    if log_format == "console":
        renderer = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    else:
        chain += [structlog.processors.format_exc_info, hide_addresses]
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "structured": {
                "()": "structlog.stdlib.ProcessorFormatter",
                "processors": [*chain, renderer],
                "foreign_pre_chain": SHARED_PROCESSORS,
            }
        },
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "structured"}},
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            # The request line of chassis.logs says it already, without the query string.
            "django.request": {"level": "ERROR"},
            "django.server": {"level": "ERROR"},
            # Three lines for each look at an empty table, with the arguments of the job.
            "celery": {"level": "WARNING"},
            "django.security.DisallowedHost": {"level": "CRITICAL"},
        },
    }
