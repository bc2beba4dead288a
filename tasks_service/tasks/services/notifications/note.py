from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from tasks import domain
from tasks.models import Notification


class Assigned(NamedTuple):
    """A task that was given to somebody. Ids may be text, as set-based statements have them."""

    account_id: UUID | str
    task_id: UUID | str
    assignment_no: int


def assignments_note(assigned: Iterable[Assigned], *, at: datetime, reassignment_id: UUID | None = None) -> None:
    """Note what each worker is to be told, in the transaction of the assignments: one row per worker and cause."""
    told: dict[UUID | str, Notification] = {}
    for account_id, task_id, assignment_no in assigned:
        row = told.get(account_id)
        if row is None:
            cause = f"reassignment:{reassignment_id}" if reassignment_id else f"assignment:{task_id}:{assignment_no}"
            row = told[account_id] = Notification(account_id=account_id, cause=cause, at=at, task_ids=[], count=0)
        row.count += 1
        if row.count <= domain.TITLES_TOLD:
            row.task_ids.append(UUID(str(task_id)))
    Notification.objects.bulk_create(told.values(), ignore_conflicts=True)
