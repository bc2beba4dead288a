"""The celery application of a service, with a heartbeat file and metrics for its worker."""

import os
from pathlib import Path
from typing import Any

from celery import Celery
from celery.beat import PersistentScheduler
from celery.signals import heartbeat_sent, setup_logging, worker_ready
from prometheus_client import start_http_server

from chassis import figures


def make_app(name: str) -> Celery:
    """The application `name`; jobs are found in each app's `jobs.py`."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    app = Celery(name)
    app.config_from_object("django.conf:settings", namespace="CELERY")
    app.autodiscover_tasks(related_name="jobs")
    return app


@setup_logging.connect  # type: ignore[untyped-decorator]
def keep_logging(**_: Any) -> None:
    """Leaves logging as Django's settings made it: celery would replace it."""


@worker_ready.connect  # type: ignore[untyped-decorator]
def serve_metrics(**_: Any) -> None:
    """Serves Prometheus metrics on METRICS_PORT, where it is set; among them the figures of the database."""
    if os.environ.get("METRICS_PORT", ""):
        figures.register()
        listen()


def listen() -> None:
    """Serves the metrics of this process on METRICS_PORT of METRICS_HOST, of all addresses where that is not set."""
    host = os.environ.get("METRICS_HOST", "0.0.0.0")  # noqa: S104  the network of a container is its own
    start_http_server(int(os.environ["METRICS_PORT"]), host)


@worker_ready.connect  # type: ignore[untyped-decorator]
@heartbeat_sent.connect  # type: ignore[untyped-decorator]
def touch_heartbeat(**_: Any) -> None:
    """Touches HEARTBEAT_FILE, where it is set: its age is the liveness probe."""
    path = os.environ.get("HEARTBEAT_FILE", "")
    if path:
        Path(path).touch()


class Clock(PersistentScheduler):  # type: ignore[misc]
    """The scheduler of a process that is nothing but the clock: heartbeat at each tick, and metrics as the others."""

    def setup_schedule(self) -> None:
        """Serves the metrics of this process, where METRICS_PORT is set."""
        super().setup_schedule()
        if os.environ.get("METRICS_PORT", ""):
            listen()

    def tick(self, *args: Any, **kwargs: Any) -> Any:
        """Says that the clock goes."""
        touch_heartbeat()
        return super().tick(*args, **kwargs)
