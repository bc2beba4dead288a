"""Celery of the analytics service: `celery -A config worker --beat`."""

from chassis.celery import make_app

app = make_app("analytics")
