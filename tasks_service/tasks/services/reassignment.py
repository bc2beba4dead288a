"""Reassigning all open tasks at once, in sets (T3)."""

import random
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.utils.translation import gettext as _

from chassis.replica.models import Account
from tasks import domain, selectors
from tasks.models import Reassignment, ReassignmentShare

from . import locks
from .assignment import Drawn, HeldTask, array_literal, open_tasks_hold, tasks_assign


@transaction.atomic
def tasks_reassign(*, key: UUID, actor: Account, again: bool, now: datetime, rng: random.Random) -> Reassignment:
    """Draw a worker for every open task, each on its own; every draw is a new assignment with a new fee (T3).

    `key` is the form's: a second run with it returns the first one. Two managers are two runs, one after the other; of
    one manager within two minutes the second has to be meant, as `again` says: it may be Back and the same press once
    more. Tasks that are completed meanwhile stay done, tasks created meanwhile are not drawn again.
    Raises Refused also for anybody but managers and admins, and when there is no active worker.
    """
    if not domain.is_leader(actor.role):
        raise domain.Refused(_("Only managers and admins reassign tasks."))
    locks.wait_patiently()
    locks.advisory_lock(locks.REASSIGNING)
    if done := Reassignment.objects.filter(pk=key).first():
        return done
    if not again and domain.reassigned_just_now(selectors.reassigned_last_at(actor.pk), now=now):
        raise domain.Refused(_("You reassigned open tasks just now. Say below whether you meant to do it twice."))
    workers = locks.workers_lock()
    if not workers:
        raise domain.Refused(_("There is no active worker to give the tasks to. Nothing was reassigned."))
    held = open_tasks_hold()
    draws = domain.draw_each(len(held), workers, rng=rng)
    reassignment = _reassignment_note(key=key, actor=actor, now=now, held=held, worker_count=len(workers))
    _shares_note(reassignment, workers=workers, held=held, draws=draws)
    tasks_assign(
        drawn=[Drawn(task, worker, domain.REASSIGNED) for task, worker in zip(held, draws, strict=True)],
        at=now,
        actor_id=actor.pk,
        reassignment_id=key,
    )
    return reassignment


def _reassignment_note(
    *, key: UUID, actor: Account, now: datetime, held: Sequence[HeldTask], worker_count: int
) -> Reassignment:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), coalesce(sum(fee), 0)::bigint FROM tasks_taskprice WHERE task_id = ANY(%s::uuid[])",
            [array_literal(task.id for task in held)],
        )
        priced, fees = cursor.fetchone()
    return Reassignment.objects.create(
        id=key,
        actor_id=actor.pk,
        at=now,
        task_count=len(held),
        worker_count=worker_count,
        fees=fees,
        unpriced_count=len(held) - priced,
        currency=settings.CURRENCY,
    )


def _shares_note(
    reassignment: Reassignment, *, workers: Sequence[UUID], held: Sequence[HeldTask], draws: Sequence[UUID]
) -> None:
    """Everybody who could have got a task is noted, also who got none."""
    had = Counter(task.assignee_id for task in held)
    before: Counter[UUID | None] = Counter({UUID(name) if name else None: count for name, count in had.items()})
    after: Counter[UUID | None] = Counter(draws)
    ReassignmentShare.objects.bulk_create(
        ReassignmentShare(
            reassignment=reassignment, account_id=account_id, before=before[account_id], after=after[account_id]
        )
        for account_id in dict.fromkeys([*workers, *before])
    )
