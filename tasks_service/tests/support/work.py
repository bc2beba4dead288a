"""Tasks made through the use cases, as the pages do."""

import itertools
import random
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from chassis.replica.models import Account
from tasks import services
from tasks.domain import Heading
from tasks.models import Reassignment, Task, TaskHistory, TaskPrice

from .people import NOW

_seeds = itertools.count(1_000)


def at(minutes: float) -> datetime:
    return NOW + timedelta(minutes=minutes)


def rng(seed: int = 1) -> random.Random:
    return random.Random(seed)


def new_task(actor: Account, title: str = "Wash the cage", *, minutes: float = 0, **given: Any) -> Task:
    return services.task_create(
        **{
            "actor": actor,
            "heading": Heading(title),
            "description": "",
            "now": at(minutes),
            "rng": rng(next(_seeds)),
        }
        | given
    )


def complete(task: Task, actor: Account, *, minutes: float = 1) -> Task:
    return services.task_complete(task_id=task.pk, actor=actor, assignment_no=task.assignment_no, now=at(minutes))


def undo(task: Task, actor: Account, *, minutes: float = 2) -> Task:
    return services.task_undo(
        task_id=task.pk, actor=actor, completion_no=task.completion_no, now=at(minutes), rng=rng()
    )


def reopen(task: Task, actor: Account, *, minutes: float = 2) -> Task:
    return services.task_reopen(
        task_id=task.pk, actor=actor, completion_no=task.completion_no, now=at(minutes), rng=rng()
    )


def reassign(actor: Account, *, minutes: float = 5, seed: int = 1, key: Any = None, again: bool = True) -> Reassignment:
    return services.tasks_reassign(key=key or uuid4(), actor=actor, again=again, now=at(minutes), rng=rng(seed))


def price(task: Task, fee: int = 1500, reward: int = 3200) -> TaskPrice:
    return TaskPrice.objects.create(task_id=task.pk, fee=fee, reward=reward, currency="USD")


def history(task: Task) -> list[tuple[str, str]]:
    return list(TaskHistory.objects.filter(task=task).order_by("id").values_list("kind", "cause"))


def edit(
    task: Task, actor: Account, heading: Heading, description: str = "", *, minutes: float = 3, **given: Any
) -> Task:
    return services.task_edit(
        **{
            "task_id": task.pk,
            "actor": actor,
            "heading": heading,
            "description": description,
            "version": task.version,
            "now": at(minutes),
        }
        | given
    )
