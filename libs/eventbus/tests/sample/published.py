"""What the shop writes: small builders for events of the shop and of the bank."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from eventbus import Event, State
from sample.models import Order

EPOCH = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def order(name: str, key: str = "o1", number: int = 1, text: str = "", **fields: Any) -> Event:
    """An event of the shop."""
    data = {"order_id": key, "number": number, "text": text}
    return Event(name=name, version=1, key=key, time=fields.pop("time", EPOCH), data=data, **fields)


def bank(name: str, key: str = "a1", number: int = 1, text: str = "", **fields: Any) -> Event:
    """An event of the bank."""
    data = {"account_id": key, "number": number, "text": text}
    version = fields.pop("version", 1)
    return Event(name=name, version=version, key=key, time=fields.pop("time", EPOCH), data=data, **fields)


def take_orders(events: Sequence[Event]) -> None:
    """What a restored shop does not know any more."""
    for event in events:
        Order.objects.update_or_create(id=event.key, defaults={"number": event.data["number"]})


STATE = {
    "orders-stream": State(
        Order.objects.all,
        lambda row: order("OrderState", row.pk, row.number),
        version="number",
        take=take_orders,
    )
}
