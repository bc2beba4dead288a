"""What the clock asks the worker to do, and how often: seconds, or as cron writes it (UTC)."""

from config.celery import app


def test_every_job_is_known_to_the_worker_and_asked_for_by_the_clock():
    app.loader.import_default_modules()
    assert {entry["task"]: entry["schedule"] for entry in app.conf.beat_schedule.values()} == {
        "chassis.tidy": "10 3 * * *",
        "eventbus.prune_inbox": "20 3 * * *",
        "analytics.make_partitions": "30 3,15 * * *",
    }
    assert {name for name in app.tasks if not name.startswith("celery.")} == {
        entry["task"] for entry in app.conf.beat_schedule.values()
    }
