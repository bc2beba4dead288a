from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from accounts import services


class Command(BaseCommand):
    help = "Make or update the OAuth clients of the own services from OIDC_CLIENTS; running it again changes nothing."

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.OIDC_CLIENTS:
            raise CommandError("OIDC_CLIENTS names no client.")
        for name, client in settings.OIDC_CLIENTS.items():
            changed = services.relying_party_provision(
                name=name,
                client_id=client["id"],
                secret=client["secret"],
                public_url=client["public_url"],
                internal_url=client.get("internal_url") or client["public_url"],
                now=timezone.now(),
            )
            self.stdout.write(f"{name}: {'provisioned' if changed else 'as it was'}")
