"""Entries as people read them: newest posted first, with everything that a line names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db.models import Count, OuterRef, QuerySet, Subquery, Sum

from billing.domain import Sums
from billing.models import Cycle, LedgerAccount, Payout, Task, Transfer
from billing.selectors.people import accounts_of, actor_names
from chassis.replica.models import Account

EXPORT_ROWS = 1_000  # entries that an export looks up at a time


@dataclass(frozen=True, slots=True)
class Line:
    """An entry with its worker, task, cycle, the payout of its cycle, and who caused it (empty for the system)."""

    entry: Transfer
    account: Account
    cycle: Cycle
    payout: Payout | None
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


def newest_entry_no(account_id: UUID) -> int:
    """The number of a worker's newest entry; zero without one."""
    return LedgerAccount.objects.filter(id=account_id).values_list("entry_no", flat=True).first() or 0


def entries_of_task(task_id: UUID) -> QuerySet[Transfer]:
    """Everything that was posted about a task, whoever it went to."""
    return Transfer.objects.filter(task_id=task_id)


def corrections(*, account_id: UUID | None = None) -> QuerySet[Transfer]:
    """All corrections, or those of one worker; `opposite` is the entry that took one back."""
    opposite = Transfer.objects.filter(reverses=OuterRef("id")).values("id")
    found = Transfer.objects.filter(kind="adjustment").annotate(opposite=Subquery(opposite))
    return found if account_id is None else found.filter(account_id=account_id)


def sums(rows: QuerySet[Transfer]) -> Sums:
    """What entries sum up to, by kind."""
    found = Sums()
    by_kind = rows.order_by().values_list("kind").annotate(cents=Sum("change"), entries=Count("id"))
    for kind, cents, entries_ in by_kind:
        found.add(kind, cents, entries_)
    return found


def lines(rows: Sequence[Transfer]) -> list[Line]:
    """The entries with what they name, in a query for each kind of thing."""
    tasks = Task.objects.in_bulk({row.task_id for row in rows if row.task_id})
    cycles = Cycle.objects.in_bulk({row.cycle_id for row in rows})
    payouts = {
        (payout.cycle_id, payout.account_id): payout
        for payout in Payout.objects.filter(
            cycle_id__in={row.cycle_id for row in rows}, account_id__in={row.account_id for row in rows}
        )
    }
    people = accounts_of(row.account_id for row in rows)
    names = actor_names(row.actor_id for row in rows)
    return [
        Line(
            entry=row,
            account=people[row.account_id],
            cycle=cycles[row.cycle_id],
            payout=payouts.get((row.cycle_id, row.account_id)),
            task=(tasks.get(row.task_id) or Task(id=row.task_id)) if row.task_id else None,
            actor=names.get(row.actor_id, ""),
        )
        for row in rows
    ]


def all_lines(rows: QuerySet[Transfer]) -> Iterator[Line]:
    """Each entry of a list that may be long, with what it names; a thousand are in memory at a time."""
    batch: list[Transfer] = []
    for row in rows.iterator(chunk_size=EXPORT_ROWS):
        batch.append(row)
        if len(batch) == EXPORT_ROWS:
            yield from lines(batch)
            batch = []
    yield from lines(batch)
