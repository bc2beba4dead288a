"""`await_client`: wait while auth does not know this service's secret yet, before pages start that show it."""

from http import HTTPStatus
from time import sleep
from typing import Any

import requests
from django.conf import settings
from django.core.management.base import BaseCommand

_BETWEEN_LOOKS_SECONDS = 2.0


def is_refused() -> bool:
    """Whether auth answers that it does not know the secret; an auth that is away is no reason to wait."""
    client = (settings.SOCIAL_AUTH_AUTH_KEY, settings.SOCIAL_AUTH_AUTH_SECRET)
    question = {"grant_type": "authorization_code", "code": "none", "redirect_uri": settings.IDENTITY["CALLBACK_URL"]}
    address, timeout = settings.SOCIAL_AUTH_AUTH_ACCESS_TOKEN_URL, settings.IDENTITY["TIMEOUT"]
    try:
        answer = requests.post(address, question, auth=client, timeout=timeout)
    except requests.RequestException:
        return False
    return answer.status_code == HTTPStatus.UNAUTHORIZED


class Command(BaseCommand):
    help = "Wait until auth knows this service's secret, which provision_clients tells it."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Says once that it waits, and waits for ever: who started it decides when that is too long."""
        told = False
        while is_refused():
            if not told:
                self.stdout.write("auth does not know this service's secret yet: provision-clients tells it")
                told = True
            sleep(_BETWEEN_LOOKS_SECONDS)
        self.stdout.write("There: client.")
