"""What tasks tell: assignments cost, completions earn, reopenings take back; in any order, any number of times (B7)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db import connection, transaction

from billing.domain import (
    Kind,
    LedgerError,
    PayloadConflict,
    Posting,
    Price,
    earning_key,
    fee_key,
    happened_at,
    reversal_key,
    title_of,
)
from billing.metrics import PAYLOAD_CONFLICTS
from billing.services.cycles import posting_batch
from billing.services.postings import accounts_lock, post, transfers_find
from billing.services.prices import prices_ensure
from eventbus import Event, alarms, event_id, looks_twice

KIND_OF = {"TaskAssigned": Kind.FEE, "TaskCompleted": Kind.EARNING, "TaskReopened": Kind.REVERSAL}


@alarms(PayloadConflict, PAYLOAD_CONFLICTS)
@looks_twice
@transaction.atomic(savepoint=False)  # the engine's transaction, which undoes all or has a savepoint of its own
def task_events_post(events: Sequence[Event]) -> None:
    """Post what assignments, completions and reopenings cost and earn, one set for all of them.

    The effects commute: each event has what its posting needs. Raises PayloadConflict for a key that comes again with
    another payload, LedgerError for a reopening that names another worker than the completion, for a number below 1 and
    for a time that cannot be right.
    """
    batch = posting_batch()
    causes = [Cause.of(event) for event in events]
    prices = prices_ensure(first_seen(events))
    balances = accounts_lock(cause.account_id for cause in causes)
    stored = transfers_find(
        {cause.id for cause in causes} | {cause.counterpart for cause in causes if cause.counterpart}
    )
    worker_and_amount = {transfer_id: (known.account_id, known.amount) for transfer_id, known in stored.items()}
    postings = []
    for cause in causes:
        posting = posting_of(cause, prices[cause.task_id], worker_and_amount)
        worker_and_amount.setdefault(cause.id, (posting.account_id, posting.amount))
        postings.append(posting)
    traces = {cause.id: cause.event.traceparent for cause in causes}
    post(postings, batch=batch, balances=balances, stored=stored, traces=traces)


def first_seen(events: Sequence[Event]) -> dict[UUID, datetime]:
    """Each task's first event_time among the events, in their order; LedgerError for one that no clock has told."""
    seen: dict[UUID, datetime] = {}
    for event in events:
        seen.setdefault(UUID(event.data["task_id"]), happened_at(event.time))
    return seen


class Cause(NamedTuple):
    """A business event, read: its key, and the transfer that takes it back or that it takes back."""

    event: Event
    kind: Kind
    key: str
    id: UUID
    counterpart: UUID | None
    task_id: UUID
    account_id: UUID

    @classmethod
    def of(cls, event: Event) -> Cause:
        """Raises LedgerError for a number below 1."""
        kind = KIND_OF[event.name]
        task_id, account_id = UUID(event.data["task_id"]), UUID(event.data["account_id"])
        if kind is Kind.FEE:
            key, other = fee_key(task_id, event.data["assignment_no"]), None
        else:
            number = event.data["completion_no"]
            earning, reversal = earning_key(task_id, number), reversal_key(task_id, number)
            key, other = (earning, reversal) if kind is Kind.EARNING else (reversal, earning)
        return cls(event, kind, key, event_id(key), event_id(other) if other else None, task_id, account_id)


def posting_of(cause: Cause, price: Price, known: Mapping[UUID, tuple[UUID, int]]) -> Posting:
    """What the event costs or earns; `known` has worker and amount of the transfers posted so far.

    Raises LedgerError where the transfer that it takes back, or that takes it back, names another worker.
    """
    amount = price.fee if cause.kind is Kind.FEE else price.reward
    other = known.get(cause.counterpart) if cause.counterpart else None
    if other is not None:
        if other[0] != cause.account_id:
            raise LedgerError(f"{cause.key}: the completion and its reopening name different workers")
        amount = other[1]
    data = cause.event.data
    reassignment = data.get("reassignment_id")
    return Posting(
        id=cause.id,
        key=cause.key,
        kind=cause.kind,
        account_id=cause.account_id,
        amount=amount,
        credit=cause.kind is Kind.EARNING,
        occurred_at=cause.event.time,
        task_id=cause.task_id,
        cause=data.get("cause", ""),
        actor_id=data["actor_id"],
        reassignment_id=UUID(reassignment) if reassignment else None,
        reverses=cause.counterpart if cause.kind is Kind.REVERSAL else None,
        event_id=cause.event.id,
        received_at=cause.event.received_at,
    )


@transaction.atomic(savepoint=False)
def tasks_apply(events: Sequence[Event]) -> None:
    """Keep the read model of tasks from both versions of TaskCreated and from TaskUpdated; price new tasks.

    A row takes an event's state if its version is higher than the row's own.
    """
    prices_ensure(first_seen(events))
    newest: dict[UUID, Event] = {}
    for event in events:
        task_id = UUID(event.data["task_id"])
        if task_id not in newest or event.data["version"] > newest[task_id].data["version"]:
            newest[task_id] = event
    created = {UUID(event.data["task_id"]): event.received_at for event in events if event.name == "TaskCreated"}
    rows = [(*_task_row(task_id, event), created.get(task_id)) for task_id, event in sorted(newest.items())]
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO billing_task AS t"
            " (id, version, title, jira_id, status, assignee_id, assignment_no, completion_no,"
            " state_received_at, created_received_at)"
            " SELECT * FROM unnest(%s::uuid[], %s::bigint[], %s::text[], %s::text[], %s::text[], %s::uuid[],"
            " %s::bigint[], %s::bigint[], %s::timestamptz[], %s::timestamptz[])"
            " ON CONFLICT (id) DO UPDATE SET version = EXCLUDED.version, title = EXCLUDED.title,"
            " jira_id = EXCLUDED.jira_id, status = EXCLUDED.status, assignee_id = EXCLUDED.assignee_id,"
            " assignment_no = EXCLUDED.assignment_no, completion_no = EXCLUDED.completion_no,"
            " state_received_at = EXCLUDED.state_received_at,"
            " created_received_at = coalesce(EXCLUDED.created_received_at, t.created_received_at)"
            " WHERE t.version < EXCLUDED.version",
            [list(column) for column in zip(*rows, strict=True)],
        )
        if created:  # also one that came after the task's later states
            cursor.execute(
                "UPDATE billing_task t SET created_received_at = v.at"
                " FROM unnest(%s::uuid[], %s::timestamptz[]) AS v(id, at)"
                " WHERE t.id = v.id AND t.created_received_at IS NULL",
                [list(created), list(created.values())],
            )


def _task_row(task_id: UUID, event: Event) -> tuple[object, ...]:
    data = event.data
    if event.name == "TaskCreated" and event.version == 1:
        title, jira_id = title_of(data["description"])
    else:
        title, jira_id = data["title"], data["jira_id"]
    assignee = data["assignee_id"]
    return (
        task_id,
        data["version"],
        title,
        jira_id or "",
        data["status"],
        UUID(assignee) if assignee else None,
        data["assignment_no"],
        data["completion_no"],
        event.received_at,
    )
