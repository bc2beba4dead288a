"""Entries of one worker, newest posted first, with everything that a line names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db.models import QuerySet

from billing.models import Cycle, Task, Transfer
from billing.selectors.people import actor_names


@dataclass(frozen=True, slots=True)
class Line:
    """An entry with its task, cycle, and the name of whoever caused it (empty for the system)."""

    entry: Transfer
    cycle: Cycle
    task: Task | None
    actor: str

    @property
    def late(self) -> bool:
        """Whether it happened before its cycle began: an earlier one was closed when it was recorded."""
        return self.cycle.starts_at is not None and self.entry.occurred_at < self.cycle.starts_at


def entries(account_id: UUID, *, day: date | None = None) -> QuerySet[Transfer]:
    """A worker's entries, or those of one business day."""
    found = Transfer.objects.filter(account_id=account_id)
    return found if day is None else found.filter(business_date=day)


def lines(rows: Sequence[Transfer]) -> list[Line]:
    """The entries with what they name, in a query for each kind of thing."""
    tasks = Task.objects.in_bulk({row.task_id for row in rows if row.task_id})
    cycles = Cycle.objects.in_bulk({row.cycle_id for row in rows})
    names = actor_names(row.actor_id for row in rows)
    return [
        Line(
            entry=row,
            cycle=cycles[row.cycle_id],
            task=(tasks.get(row.task_id) or Task(id=row.task_id)) if row.task_id else None,
            actor=names.get(row.actor_id, ""),
        )
        for row in rows
    ]
