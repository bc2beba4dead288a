"""Prices as billing told them, for the pages (T6)."""

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction

from eventbus import Event
from tasks.models import TaskPrice


class PriceChanged(Exception):
    """A price is fixed for ever (B1): the event that says otherwise is wrong and goes to the dead letters."""


@transaction.atomic
def prices_apply(*, events: Sequence[Event]) -> None:
    """Note fee and reward of tasks, known here or not yet. Raises PriceChanged for another price of the same task."""
    told = [
        TaskPrice(
            task_id=UUID(event.key),
            fee=event.data["fee"],
            reward=event.data["reward"],
            currency=event.data["currency"],
        )
        for event in events
    ]
    TaskPrice.objects.bulk_create(told, ignore_conflicts=True)
    kept = TaskPrice.objects.in_bulk([price.task_id for price in told])
    for price in told:
        if _amounts(price) != _amounts(kept[price.task_id]):
            raise PriceChanged(f"task {price.task_id} costs {_amounts(kept[price.task_id])}, not {_amounts(price)}")


def _amounts(price: TaskPrice) -> tuple[int, int, str]:
    return price.fee, price.reward, price.currency
