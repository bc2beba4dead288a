from django.apps import AppConfig
from django.db.models.signals import post_migrate

from chassis.database import grant_app_role


class ChassisConfig(AppConfig):
    """The base that every service stands on."""

    name = "chassis"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Has the app role's rights set after each migration."""
        post_migrate.connect(grant_app_role, dispatch_uid="chassis.database")
