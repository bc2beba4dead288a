"""The Django app."""

from django.apps import AppConfig


class EventbusConfig(AppConfig):
    """Outbox, inbox, offsets and dead letters of one service."""

    name = "eventbus"
    default_auto_field = "django.db.models.BigAutoField"
