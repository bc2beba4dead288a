"""The clock of celery: it goes on, and nobody believes in one that does not."""

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import timedelta

import psutil
from celery import Celery
from celery.schedules import crontab, schedule
from conftest import MORNING

from chassis import celery as chassis_celery


def test_a_process_that_is_the_clock_alone_shows_its_heartbeat_and_metrics(tmp_path, monkeypatch):
    beat, ports = tmp_path / "beat", []
    monkeypatch.setenv("HEARTBEAT_FILE", str(beat))
    monkeypatch.setenv("METRICS_PORT", "9100")
    monkeypatch.setenv("METRICS_HOST", "127.0.0.1")
    monkeypatch.setattr(chassis_celery, "start_http_server", lambda *address: ports.append(address))
    clock = chassis_celery.LoneClock(Celery("idle"), schedule_filename=str(tmp_path / "schedule"), max_interval=10)
    clock.tick()
    clock.close()
    assert beat.exists()
    assert ports == [(9100, "127.0.0.1")]


def test_a_worker_whose_clock_stands_is_not_well(tmp_path, monkeypatch):
    beat = tmp_path / "beat"
    monkeypatch.setenv("HEARTBEAT_FILE", str(beat))
    clock = chassis_celery.Clock(Celery("idle"), schedule_filename=str(tmp_path / "schedule"))
    clock.tick()
    chassis_celery.touch_heartbeat()
    assert beat.exists()
    beat.unlink()
    (ticked,) = tmp_path.iterdir()  # the clock keeps no schedule that could fail to be written
    minutes_ago = time.time() - 120
    os.utime(ticked, (minutes_ago, minutes_ago))
    chassis_celery.touch_heartbeat()
    assert not beat.exists()
    clock.tick()
    chassis_celery.touch_heartbeat()
    assert beat.exists()


def test_the_clock_takes_a_time_as_cron_writes_it(tmp_path):
    app = Celery("idle")
    app.conf.beat_schedule = {"tidy": {"task": "chassis.tidy", "schedule": "30 3,15 * * *"}}
    clock = chassis_celery.Clock(app, schedule_filename=str(tmp_path / "schedule"))
    assert clock.schedule["tidy"].schedule == crontab(minute=30, hour="3,15")
    assert next(clock.schedule["tidy"]).schedule == crontab(minute=30, hour="3,15")


def test_a_wall_clock_that_is_set_back_stops_no_job():
    now = [MORNING]
    app = Celery("idle", broker="memory://")
    app.conf.beat_schedule = {"often": {"task": "often", "schedule": schedule(5.0, nowfun=lambda: now[0])}}
    clock = chassis_celery.Clock(app)
    assert clock.tick() <= 5
    now[0] -= timedelta(hours=1)
    assert clock.tick() <= 5
    now[0] += timedelta(seconds=5)
    clock.tick()
    assert clock.schedule["often"].total_run_count == 1


def test_a_clock_that_cannot_say_that_it_goes_goes_on(tmp_path, monkeypatch):
    monkeypatch.setenv("HEARTBEAT_FILE", str(tmp_path / "no such folder" / "beat"))
    assert chassis_celery.Clock(Celery("idle"), max_interval=10).tick() == 10


WORKER = """
import sys
from pathlib import Path
from celery.signals import worker_shutting_down
from chassis.celery import make_app

app = make_app("idle")

@app.task(name="held")
def held(folder):
    worker_shutting_down.connect(lambda **_: Path(folder, "stopping").touch(), weak=False)
    Path(folder, "begun").touch()
    Path(folder, "go").read_text()
    Path(folder, "done").touch()

app.worker_main(["worker", "--pool", "threads", "--concurrency", "1", *sys.argv[1:]])
"""


@contextmanager
def worker(beat, *options):
    """A worker of the sample, whose heartbeat is `beat`."""
    environment = {**os.environ, "HEARTBEAT_FILE": str(beat), "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-c", WORKER, "--without-gossip", "--without-mingle", *options]
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.kill()


def eventually(check):
    deadline = time.monotonic() + 60
    while not check():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def minutes_pass(path):
    ago = time.time() - 120
    os.utime(path, (ago, ago))


def test_a_worker_whose_clock_died_ends_so_that_both_are_started_anew(tmp_path):
    beat, ticked = tmp_path / "beat", tmp_path / "beat.clock"
    ticked.touch()
    minutes_pass(ticked)  # as the worker before it left it
    with worker(beat, "--beat") as process:
        eventually(beat.exists)
        (clock,) = psutil.Process(process.pid).children()
        clock.kill()
        touched = beat.stat().st_mtime_ns
        eventually(lambda: beat.stat().st_mtime_ns > touched)  # not at once, or one that cannot start would loop
        minutes_pass(ticked)
        assert process.wait(30) == 0


def test_a_worker_without_a_clock_looks_for_none(tmp_path):
    beat, ticked = tmp_path / "beat", tmp_path / "beat.clock"
    ticked.touch()
    minutes_pass(ticked)
    with worker(beat) as process:
        eventually(beat.exists)
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


def test_a_worker_that_is_told_to_end_finishes_the_job_under_way(tmp_path, settings):
    begun, stopping, go, done = (tmp_path / name for name in ("begun", "stopping", "go", "done"))
    os.mkfifo(go)
    queue = tmp_path.name
    app = Celery("sender", broker=settings.CELERY_BROKER_URL)
    app.send_task("held", [str(tmp_path)], queue=queue)
    with worker(tmp_path / "beat", "--beat", "--queues", queue) as process:
        eventually(begun.exists)
        process.send_signal(signal.SIGTERM)
        eventually(stopping.exists)
        assert process.poll() is None
        go.write_text("on")
        assert process.wait(30) == 0
    assert done.exists()
    with app.connection_for_read() as connection:
        assert connection.default_channel.queue_purge(queue) == 0  # it is not left for the next one
