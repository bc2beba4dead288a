import json
from datetime import date, datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import services
from accounts.domain import ADMIN, FINANCE, MANAGER, SYSTEM, WORKER
from accounts.models import Account

MORNING, NOON = time(7, 30), time(12, 0)
PEOPLE = (
    ("admin@popug.example", "Ada Adler", "Head of cages", ADMIN),
    ("manager@popug.example", "Max Braun", "Shift manager", MANAGER),
    ("finance@popug.example", "Fatima Finke", "Accountant", FINANCE),
    ("worker@popug.example", "Wilma Weber", "Cage keeper", WORKER),
    ("otto@popug.example", "Otto Okafor", "Feeder", WORKER),
    ("lena@popug.example", "Lena Larsen", "Feather care", WORKER),
    ("pavel@popug.example", "Pavel Petrov", "Night watch", WORKER),
    ("ines@popug.example", "Inês Duarte", "Perch carpenter", WORKER),
    ("jonas@popug.example", "Jonas Jung", "Seed sorter", WORKER),
)
LEAVER = "jonas@popug.example"


class Command(BaseCommand):
    help = "Make the demo's accounts as of the morning of a day (--since), or let one of them leave (--leave)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--password-file", type=Path, help="JSON: e-mail -> password; who is not in it has none")
        parser.add_argument("--since", type=date.fromisoformat)
        parser.add_argument("--leave", type=date.fromisoformat, help="deactivates the leaver at noon of this day")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("Demo accounts exist only where DEMO is set.")
        if options["since"]:
            self.people(_moment(options["since"], MORNING), _passwords(options["password_file"]))
        if options["leave"]:
            self.leave(_moment(options["leave"], NOON))

    def people(self, now: datetime, passwords: dict[str, str]) -> None:
        known = set(Account.objects.values_list("email", flat=True))
        missing = [person for person in PEOPLE if person[0] not in known]
        for email, full_name, position, role in missing:
            services.account_create(
                email=email,
                full_name=full_name,
                position=position,
                role=role,
                password=passwords.get(email),
                now=now,
            )
        self.stdout.write(f"{len(missing)} of {len(PEOPLE)} accounts were missing and are made.")

    def leave(self, now: datetime) -> None:
        leaver = Account.objects.filter(email=LEAVER, is_active=True).first()
        if leaver:
            services.account_deactivate(account_id=leaver.pk, actor_id=SYSTEM, now=now)


def _passwords(path: Path | None) -> dict[str, str]:
    return dict(json.loads(path.read_text())) if path else {}


def _moment(day: date, hour: time) -> datetime:
    return datetime.combine(day, hour, ZoneInfo(settings.BUSINESS_TIME_ZONE))
