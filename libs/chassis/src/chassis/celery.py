"""The celery application of a service, with a heartbeat file and metrics for its worker."""

import logging
import os
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from celery import Celery
from celery.beat import ScheduleEntry, Scheduler
from celery.schedules import crontab
from celery.signals import celeryd_after_setup, heartbeat_sent, setup_logging, worker_ready
from prometheus_client import start_http_server

from chassis import figures

logger = logging.getLogger(__name__)

CLOCK_SECONDS = 60  # without a tick, after which a clock stands; it ticks every ten (CELERY_BEAT_MAX_LOOP_INTERVAL)


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
    """Touches HEARTBEAT_FILE, the liveness probe, where it is set: unless the clock beside the worker stands."""
    path = os.environ.get("HEARTBEAT_FILE", "")
    if path and not _stands(_clock(path)):
        Path(path).touch()


@celeryd_after_setup.connect  # type: ignore[untyped-decorator]
def watch_clock(instance: Any, **_: Any) -> None:
    """Ends the worker `instance` once the clock beside it has died, so that whoever keeps the worker starts both anew.

    Its seconds begin with the worker: what an earlier one left says nothing, and a clock that cannot start costs a
    start a minute. One that only stands may wait for the broker: the worker is not well, and goes on.
    """
    path = os.environ.get("HEARTBEAT_FILE", "")
    if not path:
        return
    clock = _clock(path)
    if instance.beat is None:
        clock.unlink(missing_ok=True)
        return
    clock.touch()

    def end_without_clock(**_: Any) -> None:
        if _stands(clock) and not instance.beat.is_alive():
            heartbeat_sent.disconnect(end_without_clock)  # once is enough: its jobs may take a while
            logger.error("clock_died")
            os.kill(os.getpid(), signal.SIGTERM)

    heartbeat_sent.connect(end_without_clock, weak=False)


def _clock(heartbeat: str) -> Path:
    return Path(f"{heartbeat}.clock")


def _stands(clock: Path) -> bool:
    return clock.exists() and time.time() - clock.stat().st_mtime > CLOCK_SECONDS


class Entry(ScheduleEntry):  # type: ignore[misc]
    """A line of the schedule; a text is a time as cron writes it, so that settings need not load celery."""

    def __init__(self, *args: Any, schedule: Any = None, **kwargs: Any) -> None:
        if isinstance(schedule, str):
            schedule = crontab.from_string(schedule)
        super().__init__(*args, schedule=schedule, **kwargs)


class Clock(Scheduler):  # type: ignore[misc]
    """The scheduler, beside a worker. It keeps nothing on disk: a file that cannot be written must not stop the clock,
    and what is due is in the database, where each job looks again.
    """

    Entry = Entry

    def tick(self, *args: Any, **kwargs: Any) -> Any:
        """Says that the clock goes, unless the disk is full: that must not stop it."""
        if path := os.environ.get("HEARTBEAT_FILE", ""):
            with suppress(OSError):
                _clock(path).touch()
        self._follow_time()
        return super().tick(*args, **kwargs)

    def _follow_time(self) -> None:
        """Counts from now what ran in the future: where time was set back, it would wait until then once more."""
        for entry in self.schedule.values():
            if entry.last_run_at > (now := entry.default_now()):
                entry.last_run_at = now
                self._heap = None  # celery makes it anew


class LoneClock(Clock):
    """The scheduler of a process that is nothing but the clock: heartbeat at each tick, and metrics as the others."""

    def setup_schedule(self) -> None:
        """Serves the metrics of this process, where METRICS_PORT is set."""
        super().setup_schedule()
        if os.environ.get("METRICS_PORT", ""):
            listen()

    def tick(self, *args: Any, **kwargs: Any) -> Any:
        """Says that the process is well."""
        interval = super().tick(*args, **kwargs)
        touch_heartbeat()
        return interval
