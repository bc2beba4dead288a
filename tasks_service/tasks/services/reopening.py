"""A completion is taken back: by who pressed done, or by a manager or admin."""

import random
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from chassis.replica.models import Account
from chassis.texts import is_visible
from eventbus import publish_many
from tasks import domain, selectors
from tasks.domain import Refused
from tasks.events import published
from tasks.models import Task, TaskHistory

from . import locks
from .notifications import Assigned, assignments_note


@transaction.atomic
def task_undo(*, task_id: UUID, actor: Account, completion_no: int, now: datetime, rng: random.Random) -> Task:
    """Take back the completion that the page showed: by who pressed done, for ten minutes (T4).

    Raises Task.DoesNotExist; Refused when it was not this person's, too long ago, or taken back already.
    """

    def refusal(task: Task) -> str | None:
        by, at = task.completed_by_id, task.completed_at
        if domain.may_undo(actor_id=actor.pk, completed_by_id=by, completed_at=at, now=now):
            return None
        if by == actor.pk:
            return _("The ten minutes to undo this are over. A manager or admin can reopen the task.")
        return _("Only %(name)s, who pressed done, can undo it.") % {"name": selectors.account_name(by)}

    return _reopen(
        task_id=task_id,
        actor=actor,
        completion_no=completion_no,
        now=now,
        rng=rng,
        cause=domain.UNDONE,
        refusal=refusal,
    )


@transaction.atomic
def task_reopen(
    *, task_id: UUID, actor: Account, completion_no: int, now: datetime, rng: random.Random, reason: str = ""
) -> Task:
    """Open a done task again, by a manager or admin; the reward of that completion is reversed (T4).

    The assignee stays and is not charged, unless no longer an active worker: then another is drawn and charged.
    The reason is for the history of this service alone (T6). Raises Task.DoesNotExist;
    Refused for anybody else, and when that completion was taken back already.
    """

    def refusal(task: Task) -> str | None:
        return None if domain.is_leader(actor.role) else _("Only managers and admins reopen a task.")

    return _reopen(
        task_id=task_id,
        actor=actor,
        completion_no=completion_no,
        now=now,
        rng=rng,
        cause=domain.REOPENED,
        refusal=refusal,
        reason=reason if is_visible(reason) else "",
    )


def _reopen(
    *,
    task_id: UUID,
    actor: Account,
    completion_no: int,
    now: datetime,
    rng: random.Random,
    cause: str,
    refusal: Callable[[Task], str | None],
    reason: str = "",
) -> Task:
    """The worker's row is locked before the task's. Who has a done task does not change, so the assignee read without a
    lock still holds if the same completion stands once the task is locked."""
    earner_id = _standing(Task.objects.get(pk=task_id), completion_no)
    worker = _worker_kept_or_drawn(earner_id, rng=rng)
    task = locks.task_lock(task_id)
    _standing(task, completion_no)
    if refused := refusal(task):
        raise Refused(refused)
    task.status = domain.OPEN
    task.completed_by_id = task.completed_at = None
    task.version += 1
    moved = worker is None or worker.pk != earner_id
    if moved:
        task.assignee_id = worker.pk if worker else None
        task.assigned_at = now
        task.assignment_no += 1 if worker else 0
    task.save()
    _note(task, at=now, actor_id=actor.pk, earner_id=earner_id, cause=cause, moved=moved, reason=reason)
    reopened = published.task_reopened(task, at=now, account_id=earner_id, cause=cause, actor_id=actor.pk)
    assigned = published.task_assigned(task, at=now, cause=domain.REOPENED, actor_id=actor.pk)
    publish_many([reopened, *([assigned] if moved and worker else []), published.task_updated(task, at=now)])
    if moved and worker:
        assignments_note([Assigned(worker.pk, task.pk, task.assignment_no)], at=now)
    return task


def _standing(task: Task, completion_no: int) -> UUID:
    """Who earned by the completion that the page showed, if it stands."""
    if task.is_open or task.completion_no != completion_no or task.assignee_id is None:
        raise Refused(_("This task is open again already, or was completed anew meanwhile. Nothing was changed."))
    return task.assignee_id


def _worker_kept_or_drawn(assignee_id: UUID, *, rng: random.Random) -> Account | None:
    """None: the task will wait for a worker. The lock makes sure that whoever appears next finds it waiting."""
    worker = locks.worker_lock(assignee_id) or locks.worker_draw(rng=rng)
    if worker is None:
        locks.advisory_lock(locks.WORKERS_CHANGING)
        worker = locks.worker_draw(rng=rng)
    return worker


def _note(task: Task, *, at: datetime, actor_id: UUID, earner_id: UUID, cause: str, moved: bool, reason: str) -> None:
    noted = {"task": task, "version": task.version, "at": at, "actor_id": actor_id}
    kind = TaskHistory.Kind.UNDONE if cause == domain.UNDONE else TaskHistory.Kind.REOPENED
    rows = [TaskHistory(**noted, kind=kind, account_id=earner_id, number=task.completion_no, cause=cause, note=reason)]
    if moved:
        kind = TaskHistory.Kind.ASSIGNED if task.assignee_id else TaskHistory.Kind.WAITING
        rows.append(
            TaskHistory(
                **noted,
                kind=kind,
                account_id=task.assignee_id,
                previous_id=earner_id,
                number=task.assignment_no,
                cause=domain.REOPENED,
            )
        )
    TaskHistory.objects.bulk_create(rows)
