from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts import services
from accounts.domain import OPERATOR, Refused


class Command(BaseCommand):
    help = "Make the first admin, or restore one, and show a link that sets the password (once, within 24 hours)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")

    def handle(self, *args: Any, email: str, **options: Any) -> None:
        now = timezone.now()
        try:
            account = services.admin_restore(email=email, now=now)
        except Refused as refused:
            raise CommandError(f"{email} is not an e-mail address.") from refused
        token = services.link_open(account_id=account.pk, kind=OPERATOR, now=now)
        self.stdout.write(f"{settings.PUBLIC_URL}/link?token={token}")
