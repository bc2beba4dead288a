"""What a change of an account means for tasks: a leaver's open tasks are drawn again (T7)."""

import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from chassis.replica.services import accounts_apply as replica_apply
from eventbus import Event
from tasks import domain, selectors

from . import locks
from .assignment import Drawn, open_tasks_hold, tasks_assign
from .notifications import contacts_erase


@transaction.atomic
def accounts_apply(*, events: Sequence[Event], rng_of: Callable[[UUID], random.Random]) -> None:
    """Bring the replicated accounts up to date, then see that no open task stays with who is no active worker (T7).

    What counts is how each account stands afterwards, not what this batch changed: a sign-in may have told it before
    the event did. `rng_of` makes the randomness from the id of the causing event, so that a replay draws the same.
    """
    locks.advisory_lock(locks.WORKERS_CHANGING)
    replica_apply(events)
    by_account: dict[UUID, list[Event]] = defaultdict(list)
    for event in events:
        by_account[UUID(event.key)].append(event)
    if deleted := [UUID(event.key) for event in events if event.name == "AccountDeleted"]:
        contacts_erase(deleted)
    working = set(selectors.workers().filter(pk__in=by_account).values_list("pk", flat=True))
    for account_id, its_events in sorted(by_account.items()):
        if account_id not in working:
            cause = _first(its_events, works=False)
            _leave(account_id, left_at=cause.time, rng=rng_of(cause.id))
    if working:
        cause = _first([event for account_id in sorted(working) for event in by_account[account_id]], works=True)
        _waiting_draw(at=cause.time, rng=rng_of(cause.id))


def _leave(account_id: UUID, *, left_at: datetime, rng: random.Random) -> None:
    """Draw the open tasks of somebody who is no active worker again; an assignment that crossed keeps its fee."""
    if not selectors.open_tasks_of(account_id).exists():
        return
    workers = locks.workers_lock()
    held = open_tasks_hold("assignee_id = %s", [account_id])
    drawn = [
        Drawn(
            task,
            domain.draw(workers, rng=rng) if workers else None,
            domain.leaver_cause(assigned_at=task.assigned_at, left_at=left_at),
        )
        for task in held
    ]
    tasks_assign(drawn=drawn, at=left_at, actor_id=None, caused=True)


def _waiting_draw(*, at: datetime, rng: random.Random) -> None:
    """Give the tasks that wait for a worker to those who are here now."""
    if not selectors.waiting_tasks().exists():
        return
    workers = locks.workers_lock()
    held = open_tasks_hold("assignee_id IS NULL")
    draws = domain.draw_each(len(held), workers, rng=rng)
    drawn = [Drawn(task, worker, domain.WAITED) for task, worker in zip(held, draws, strict=True)]
    tasks_assign(drawn=drawn, at=at, actor_id=None, caused=True)


def _first(events: Iterable[Event], *, works: bool) -> Event:
    """The earliest event that says the account works (or not); the earliest of all if only a sign-in knew."""
    ordered = sorted(events, key=lambda event: (event.time, event.id))
    return next((event for event in ordered if _says_works(event) is works), ordered[0])


def _says_works(event: Event) -> bool:
    return event.data.get("role") == domain.WORKER and bool(event.data.get("active"))
