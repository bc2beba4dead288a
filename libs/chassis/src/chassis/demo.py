"""The demo's past: its days, and how services that share no database tell it in turn."""

import time
from datetime import date, timedelta
from itertools import count, islice
from urllib.parse import urlsplit, urlunsplit

import redis
from django.conf import settings

HISTORY_DAYS = 15
PATIENCE = 600.0  # seconds
SATURDAY = 5


def business_days(before: date, number: int = HISTORY_DAYS) -> list[date]:
    """The last days from Monday to Friday before a day, oldest first."""
    past = (before - timedelta(days=back) for back in count(1))
    return sorted(islice((day for day in past if day.weekday() < SATURDAY), number))


class Turns:
    """What is done of which day, noted in Valkey, where a service sees it that waits for another."""

    def __init__(self) -> None:
        address = urlsplit(settings.CELERY_BROKER_URL)
        # Each service has a database of its own there for its jobs; this one is everybody's.
        self._notes = redis.Redis.from_url(urlunsplit(address._replace(path="/0")))
        # Installations that share a broker may share Valkey.
        self._prefix = f"{getattr(settings, 'EVENTBUS', {}).get('TOPIC_PREFIX', '')}demo"

    def note(self, what: str, day: date) -> None:
        """Let the others go on."""
        self._notes.set(self._key(what, day), 1)

    def noted(self, what: str, day: date) -> bool:
        """Whether it was done, in this run or an earlier one."""
        return bool(self._notes.exists(self._key(what, day)))

    def end(self) -> None:
        """All is told and settled: whoever starts again, tomorrow perhaps, need not wait for anybody."""
        self._notes.set(f"{self._prefix}:ended", 1)

    @property
    def ended(self) -> bool:
        """Whether the past was told to its end once."""
        return bool(self._notes.exists(f"{self._prefix}:ended"))

    def wait(self, what: str, day: date) -> None:
        """Until it is done; TimeoutError after ten minutes."""
        deadline = time.monotonic() + PATIENCE
        while not self.noted(what, day):
            if time.monotonic() > deadline:
                raise TimeoutError(f"The other service has not {what} {day} in {PATIENCE:.0f} s: look at its log.")
            time.sleep(0.1)

    def _key(self, what: str, day: date) -> str:
        return f"{self._prefix}:{what}:{day}"
