"""Why figures may be incomplete just now (B8)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from billing.models import Cycle
from eventbus import consumed_until, open_dead_letters

BEHIND = timedelta(seconds=30)
OVERDUE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Incomplete:
    """What is missing: open dead letters, a consumer that is behind, a cycle that is overdue."""

    dead_letters: int
    behind: bool
    overdue: bool

    def __bool__(self) -> bool:
        return bool(self.dead_letters or self.behind or self.overdue)


def incomplete(now: datetime) -> Incomplete:
    """What may be missing in figures that are shown at this moment."""
    until = consumed_until("tasks")
    overdue = Cycle.objects.exclude(state=Cycle.State.CLOSED).filter(due_at__lt=now - OVERDUE)
    return Incomplete(
        dead_letters=open_dead_letters(), behind=until is None or until < now - BEHIND, overdue=overdue.exists()
    )
