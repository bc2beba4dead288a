"""Celery of the tasks service: run with `celery -A config worker --beat`."""

from chassis.celery import make_app

app = make_app("tasks")
