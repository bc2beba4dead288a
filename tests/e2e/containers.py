"""What the drivers of containers have in common: people with passwords, commands beside the pages, waiting for both."""

from __future__ import annotations

import json
import time
from abc import abstractmethod
from datetime import timedelta
from pathlib import Path

from managed import Managed

from dev import people
from dev.paths import SERVICES
from dev.secrets_file import Secrets
from dev.seed import next_business_day, today

KNOWN = "from chassis.replica.models import Account; print(Account.objects.filter(state_version__gt=0).count())"
LONGEST_SECONDS = 120  # until the accounts have arrived everywhere


class ContainerDriver(Managed):
    """`manage` runs a command in a container of a service; the rest follows from it."""

    def __init__(self, directory: Path) -> None:
        self._accounts = people.accounts(Secrets(directory / "secrets.json"))

    @abstractmethod
    def manage(self, service: str, *arguments: str, stdin: str = "") -> str:
        """What a command prints. Raises CommandFailed."""

    def password(self, email: str) -> str:
        return next(account["password"] for account in self._accounts if account["email"] == email)

    def seed(self) -> None:
        """Accounts that every service knows, and a cycle that is not due while the tests run."""
        day = today()
        passwords = json.dumps({account["email"]: account["password"] for account in self._accounts})
        # Not this morning: before it, that would be events from the future.
        yesterday = day - timedelta(days=1)
        arguments = ("--password-file", "/dev/stdin", "--since", yesterday.isoformat())
        self.manage("auth", "seed_demo", *arguments, stdin=passwords)
        first_due = next_business_day(day + timedelta(days=1))
        self.manage("billing", "seed_demo", "--first-due", first_due.isoformat())
        deadline = time.monotonic() + LONGEST_SECONDS
        for service in SERVICES[1:]:
            while int(self.manage(service, "shell", "-v", "0", "-c", KNOWN)) < len(self._accounts):
                if time.monotonic() > deadline:
                    raise AssertionError(f"{service} does not know the accounts after {LONGEST_SECONDS} s")
