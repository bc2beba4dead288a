"""Editing title, Jira id and description of an open task, against the version that was read (T8)."""

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


class EditedMeanwhile(Exception):
    """The form was made from texts that are no longer those of the task; `task` has them as they are now."""

    def __init__(self, task: Task) -> None:
        super().__init__(task.pk)
        self.task = task


@transaction.atomic
def task_edit(
    *, task_id: UUID, actor: Account, heading: Heading, description: str, version: int, now: datetime
) -> Task:
    """Change title, Jira id and description of an open task; its price stays (T8). Nothing changed is nothing done.

    `version` is the task's that the form was made from: being assigned or completed since does no harm, another edit
    does. Raises Task.DoesNotExist; TextError against T1; EditedMeanwhile; Refused for anybody but the creator, managers
    and admins, and for a task that is done.
    """
    domain.title_check(heading.title)
    description = domain.description_read(description)
    task = locks.task_lock(task_id)
    if not domain.may_edit(actor_id=actor.pk, role=actor.role, creator_id=task.creator_id):
        raise Refused(_("Only who created a task, managers and admins edit it."))
    if not task.is_open:
        raise Refused(_("This task is done: its texts stay as they are. Nothing was changed."))
    texts = {"title": heading.title, "jira_id": heading.jira_id or "", "description": description}
    changes = {name: [getattr(task, name), text] for name, text in texts.items() if getattr(task, name) != text}
    if not changes:
        return task
    if selectors.edited_after(task_id, version):
        raise EditedMeanwhile(task)
    for name in changes:
        setattr(task, name, texts[name])
    task.version += 1
    task.save()
    TaskHistory.objects.create(
        task=task, version=task.version, kind=TaskHistory.Kind.EDITED, at=now, actor_id=actor.pk, changes=changes
    )
    publish_many([published.task_updated(task, at=now)])
    return task
