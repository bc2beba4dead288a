"""A task is created and completed."""

import random
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from chassis.replica.models import Account
from eventbus import publish_many
from tasks import domain, selectors
from tasks.domain import Heading, Refused
from tasks.events import published
from tasks.models import Task, TaskHistory

from . import locks
from .notifications import Assigned, assignments_note


@transaction.atomic
def task_create(
    *,
    actor: Account,
    heading: Heading,
    description: str,
    now: datetime,
    rng: random.Random,
    assignee_id: UUID | None = None,
) -> Task:
    """Create a task and assign it to a random active worker, or to the one whom a manager or admin picks (T1, T2).

    Raises TextError for a title or description against T1; Refused when a worker is picked by somebody who may not,
    when the picked one is no active worker, and when there is no active worker at all.
    """
    domain.title_check(heading.title)
    description = domain.description_read(description)
    worker = _worker_for_new(actor=actor, assignee_id=assignee_id, rng=rng)
    task = Task.objects.create(
        id=domain.task_id_new(now=now, rng=rng),
        title=heading.title,
        jira_id=heading.jira_id or "",
        description=description,
        creator_id=actor.pk,
        created_at=now,
        assignee_id=worker.pk,
        assigned_at=now,
        assignment_no=1,
    )
    how = domain.DRAWN if assignee_id is None else domain.PICKED
    noted = {"task": task, "version": task.version, "at": now, "actor_id": actor.pk}
    TaskHistory.objects.bulk_create(
        [
            TaskHistory(**noted, kind=TaskHistory.Kind.CREATED),
            TaskHistory(**noted, kind=TaskHistory.Kind.ASSIGNED, account_id=worker.pk, number=1, cause=how),
        ]
    )
    assigned = published.task_assigned(task, at=now, cause=domain.CREATED, actor_id=actor.pk)
    publish_many([published.task_created(task), assigned])
    assignments_note([Assigned(worker.pk, task.pk, task.assignment_no)], at=now)
    return task


def _worker_for_new(*, actor: Account, assignee_id: UUID | None, rng: random.Random) -> Account:
    if assignee_id is None:
        if worker := locks.worker_draw(rng=rng):
            return worker
        raise Refused(_("There is no active worker to give the task to, so it was not created."))
    if not domain.is_leader(actor.role):
        raise Refused(_("Only managers and admins pick who gets a task."))
    if worker := locks.worker_lock(assignee_id):
        return worker
    name = selectors.account_name(assignee_id)
    raise Refused(_("%(name)s is not an active worker and cannot get a task.") % {"name": name})


@transaction.atomic
def task_complete(*, task_id: UUID, actor: Account, assignment_no: int, now: datetime) -> Task:
    """Mark a task as done; its assignee at this moment earns the reward, whoever pressed the button (T4).

    `assignment_no` is the one that the page showed. Raises Task.DoesNotExist; Refused, saying who has the task now,
    when it was assigned again meanwhile, is done already, waits for a worker, or is not the actor's to complete.
    """
    task = locks.task_lock(task_id)
    if refusal := _completion_refusal(task, actor=actor, assignment_no=assignment_no):
        raise Refused(refusal)
    task.status = domain.DONE
    task.completed_by_id = actor.pk
    task.completed_at = now
    task.completion_no += 1
    task.version += 1
    task.save()
    TaskHistory.objects.create(
        task=task,
        version=task.version,
        kind=TaskHistory.Kind.DONE,
        at=now,
        actor_id=actor.pk,
        account_id=task.assignee_id,
        number=task.completion_no,
    )
    publish_many([published.task_completed(task, at=now, actor_id=actor.pk), published.task_updated(task, at=now)])
    return task


def _completion_refusal(task: Task, *, actor: Account, assignment_no: int) -> str | None:
    if not task.is_open:
        return _done_already(task, actor)
    if task.assignee_id is None:
        return _("This task waits for a worker: nobody can complete it before somebody has it.")
    if task.assignment_no != assignment_no:
        return _assigned_anew(task, actor)
    if not domain.may_complete(actor_id=actor.pk, role=actor.role, assignee_id=task.assignee_id):
        name = selectors.account_name(task.assignee_id)
        return _("%(name)s has this task: only they, managers and admins complete it.") % {"name": name}
    return None


def _done_already(task: Task, actor: Account) -> str:
    if task.completed_by_id == actor.pk:
        return _("You have completed this task already.")
    return _("%(name)s has completed this task already.") % {"name": selectors.account_name(task.completed_by_id)}


def _assigned_anew(task: Task, actor: Account) -> str:
    if task.assignee_id == actor.pk:
        return _("This task was assigned anew meanwhile, to you again. Press done once more if it is done.")
    name = selectors.account_name(task.assignee_id)
    return _("This task was assigned anew meanwhile: %(name)s has it now.") % {"name": name}
