"""gunicorn's own lines, in the form of all others: `gunicorn --logger-class chassis.web_server.Logger`."""

import os
from typing import Any

import structlog
from gunicorn.glogging import Logger as GunicornLogger  # type: ignore[import-untyped]

from chassis.settings.logging import logging_settings


class Logger(GunicornLogger):  # type: ignore[misc]
    """Structured lines about starts, ends and time-outs of workers. Requests are told by `chassis.logs`."""

    def setup(self, cfg: Any) -> None:
        """As gunicorn does, with the formatter that LOG_FORMAT names."""
        super().setup(cfg)
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")  # it tells the service's name
        found = logging_settings(log_format=os.environ.get("LOG_FORMAT", "json"), level="INFO")
        options = {name: value for name, value in found["formatters"]["structured"].items() if name != "()"}
        for handler in self.error_log.handlers:
            handler.setFormatter(structlog.stdlib.ProcessorFormatter(**options))
