from typing import Any

from django.apps import AppConfig
from django.core.exceptions import ImproperlyConfigured
from django.db.models.signals import post_migrate
from django.utils.module_loading import import_string


class BillingConfig(AppConfig):
    name = "billing"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """A deployment migrates before it starts anything: the moment to refuse another currency."""
        post_migrate.connect(refuse_another_currency, sender=self)


def refuse_another_currency(**_: Any) -> None:
    """Entries have no currency of their own: under another setting a dollar would be shown as a euro."""
    if found := list(import_string("billing.selectors.ledger_check.checks.currency_findings")()):
        raise ImproperlyConfigured(f"CURRENCY never changes once an entry exists: {found[0]}.")
