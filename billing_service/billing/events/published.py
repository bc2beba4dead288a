"""From rows of billing to its events. Each id follows from an idempotency key: a replay emits the same one."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

from django.conf import settings

from billing.domain import Entry, Price
from billing.models import Cycle, Payout
from eventbus import Event, event_id


def task_priced(*, task_id: UUID, price: Price, key_id: str, time: datetime) -> Event:
    """The price of a task; `time` is the event_time of whatever named the task first."""
    return Event(
        name="TaskPriced",
        version=1,
        key=str(task_id),
        time=time,
        id=event_id(f"price:{task_id}"),
        data={
            "task_id": str(task_id),
            "fee": price.fee,
            "reward": price.reward,
            "currency": settings.CURRENCY,
            "key_id": key_id,
        },
    )


def transactions_posted(
    entries: Sequence[Entry],
    dates: Sequence[date],
    *,
    cycle_id: UUID,
    recorded_at: datetime,
    traces: Mapping[UUID, str],
) -> Iterator[Event]:
    """Entries on workers' ledger accounts, without running balances: nobody adds up from a notice."""
    cycle, currency = str(cycle_id), settings.CURRENCY
    for (posting, _, _), business_date in zip(entries, dates, strict=True):
        account = str(posting.account_id)
        data = {
            "transfer_id": str(posting.id),
            "account_id": account,
            "task_id": str(posting.task_id) if posting.task_id else None,
            "kind": posting.kind.value,
            "amount": posting.change,
            "currency": currency,
            "occurred_at": posting.occurred_at,
            "recorded_at": recorded_at,
            "business_date": business_date,
            "cycle_id": cycle,
            "reverses": str(posting.reverses) if posting.reverses else None,
        }
        yield Event(
            name="TransactionPosted",
            version=1,
            key=account,
            time=posting.occurred_at,
            id=posting.id,
            traceparent=traces.get(posting.id, ""),
            data=data,
        )


def payout_made(*, payout: Payout, time: datetime) -> Event:
    """The notice of a payout; the money is in its TransactionPosted."""
    return Event(
        name="PayoutMade",
        version=1,
        key=str(payout.account_id),
        time=time,
        id=event_id(f"payout_made:{payout.cycle_id}:{payout.account_id}"),
        data={
            "payout_id": str(payout.id),
            "transfer_id": str(payout.transfer_id),
            "account_id": str(payout.account_id),
            "cycle_id": str(payout.cycle_id),
            "amount": payout.amount,
            "currency": settings.CURRENCY,
        },
    )


def cycle_closed(*, cycle: Cycle, closed_at: datetime) -> Event:
    """A closed cycle, with count and sum of its payouts, so that a reader knows when it has all."""
    return Event(
        name="CycleClosed",
        version=1,
        key=str(cycle.id),
        time=closed_at,
        id=event_id(f"cycle_closed:{cycle.id}"),
        data={
            "cycle_id": str(cycle.id),
            "due_at": cycle.due_at,
            "closed_at": closed_at,
            "payout_count": cycle.payout_count,
            "payout_sum": cycle.payout_sum,
            "currency": settings.CURRENCY,
            "hash": cycle.hash,
        },
    )
