from django.apps import AppConfig


class ReplicaConfig(AppConfig):
    """The replicated accounts."""

    name = "chassis.replica"
    label = "replica"
    default_auto_field = "django.db.models.BigAutoField"
