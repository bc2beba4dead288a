from django.apps import AppConfig
from django.conf import settings
from django.db.models.signals import post_migrate

from chassis.database import grant_app_role


class ChassisConfig(AppConfig):
    """The base that every service stands on."""

    name = "chassis"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Has the app role's rights set after each migration, and the process traced where a collector is named."""
        post_migrate.connect(grant_app_role, dispatch_uid="chassis.database")
        if settings.OTEL_EXPORTER_OTLP_ENDPOINT:
            from chassis import telemetry  # noqa: PLC0415  time and memory that only tracing costs

            telemetry.start()
