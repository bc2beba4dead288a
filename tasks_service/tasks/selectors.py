"""Reads. Each list is one statement on one index, whatever the number of rows."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, QuerySet, Sum

from chassis.replica.models import Account
from tasks import domain
from tasks.models import Reassignment, ReassignmentShare, Task, TaskHistory


def workers() -> QuerySet[Account]:
    """Who may have a task: active workers, never anybody else (T2)."""
    return Account.objects.filter(role=domain.WORKER, is_active=True)


def worker_ids() -> list[UUID]:
    return list(workers().order_by("id").values_list("id", flat=True))


def open_tasks() -> QuerySet[Task]:
    return Task.objects.filter(status=domain.OPEN).select_related("price")


def open_tasks_of(account_id: UUID) -> QuerySet[Task]:
    return open_tasks().filter(assignee_id=account_id)


def waiting_tasks() -> QuerySet[Task]:
    """Open tasks without a worker (T7)."""
    return Task.objects.filter(status=domain.OPEN, assignee_id__isnull=True)


def done_tasks() -> QuerySet[Task]:
    return Task.objects.filter(status=domain.DONE).select_related("price")


def done_tasks_of(account_id: UUID) -> QuerySet[Task]:
    return done_tasks().filter(assignee_id=account_id)


def task_get(task_id: UUID) -> Task:
    """Raises Task.DoesNotExist."""
    return Task.objects.select_related("price").get(pk=task_id)


def task_history(task_id: UUID) -> QuerySet[TaskHistory]:
    """Oldest first."""
    return TaskHistory.objects.filter(task_id=task_id).order_by("id")


def accounts_by_id(ids: Iterable[UUID | None]) -> dict[UUID, Account]:
    return Account.objects.in_bulk({account_id for account_id in ids if account_id})


def account_name(account_id: UUID | None) -> str:
    """The name for a message; the short id of somebody not known here yet."""
    account = Account.objects.filter(pk=account_id).first() if account_id else None
    return account.name if account else str(account_id)[:8]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReassignmentPreview:
    """What "Reassign open tasks" would do now (T3). `fees` in cents; `unpriced` tasks will add theirs."""

    tasks: int
    workers: int
    fees: int
    unpriced: int
    last: Reassignment | None


def reassignment_preview() -> ReassignmentPreview:
    totals = Task.objects.filter(status=domain.OPEN).aggregate(
        tasks=Count("id"), priced=Count("price__fee"), fees=Sum("price__fee", default=0)
    )
    return ReassignmentPreview(
        tasks=totals["tasks"],
        workers=workers().count(),
        fees=totals["fees"],
        unpriced=totals["tasks"] - totals["priced"],
        last=Reassignment.objects.order_by("-at", "-id").first(),
    )


def reassignment_shares(reassignment_id: UUID) -> Sequence[ReassignmentShare]:
    return list(ReassignmentShare.objects.filter(reassignment_id=reassignment_id).order_by("-after", "-before", "id"))
