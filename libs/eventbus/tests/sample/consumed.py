"""What the shop consumes. An event's text makes its handler misbehave."""

import select
import threading
from collections.abc import Sequence
from contextlib import suppress
from uuid import UUID

from django.db import DataError, OperationalError, connection

from eventbus import Event, TransientError, event_id, looks_twice, publish
from eventbus.tracing import current_traceparent
from sample.models import Effect

healed = threading.Event()  # once set, handlers take what they could not take before
attempts: list[str] = []  # texts that handlers stumbled over
GATE_SECONDS = 30
at_gate, gate = threading.Event(), threading.Event()  # where handlers of "gate" wait, and until when


def _misbehave(event: Event) -> None:
    text = event.data["text"]
    if text == "gate":
        at_gate.set()
        gate.wait(GATE_SECONDS)
        return
    if text in {"", "echo"} or healed.is_set():
        return
    attempts.append(text)
    if text == "poison":
        raise ValueError(f"cannot take {event.data['number']}\x00")
    if text == "away":
        raise TransientError("the helper is away")
    if text == "database away":
        raise OperationalError("server closed the connection")
    if text == "idle too long" and attempts.count(text) == 1:
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 20")
            select.select([cursor.connection.fileno()], [], [], GATE_SECONDS)  # until Postgres says that it is over
    if text == "too much":
        with connection.cursor() as cursor:
            cursor.execute("SELECT repeat('x', 2000000000)")  # Postgres holds no such text
    if text == "goes on":
        with connection.cursor() as cursor, suppress(DataError):
            cursor.execute("SELECT 1 / 0")
    if text == "no shelf at commit":
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def _keep(handler: str, events: Sequence[Event]) -> None:
    trace = current_traceparent()
    rows = []
    for event in events:
        _misbehave(event)
        row = Effect(handler=handler, event_id=event.id, name=event.name, key=event.key, size=len(events), trace=trace)
        row.number = event.data["number"]
        row.shelf_id = 4711 if event.data["text"].startswith("no shelf") and not healed.is_set() else None
        rows.append(row)
    Effect.objects.bulk_create(rows)


def keep_payments(events: Sequence[Event]) -> None:
    _keep("keep_payments", events)
    for event in events:
        if event.data["text"] == "echo":
            order = str(UUID(int=event.data["number"]))
            data = {"order_id": order, "number": event.data["number"]}
            publish(Event(name="OrderPlaced", version=1, key=order, time=event.time, data=data, id=event_id(order)))


@looks_twice
def keep_refunds(events: Sequence[Event]) -> None:
    """Once for each event; one that comes again has to say the same."""
    known = dict(Effect.objects.filter(handler="keep_refunds").values_list("event_id", "number"))
    for event in events:
        if known.get(event.id, event.data["number"]) != event.data["number"]:
            raise ValueError(f"{event.id} was for {known[event.id]} before")
    _keep("keep_refunds", [event for event in events if event.id not in known])


def keep_cancellations(events: Sequence[Event]) -> None:
    _keep("keep_cancellations", events)


def keep_state(events: Sequence[Event]) -> None:
    _keep("keep_state", events)


def keep_orders(events: Sequence[Event]) -> None:
    _keep("keep_orders", events)


CONSUMERS = {
    "payments": {"PaymentMade": keep_payments, "PaymentCancelled": keep_cancellations},
    "state": {"AccountState": keep_state, "CardBlocked": keep_state},
    "refunds": {"PaymentCancelled": keep_refunds},
    "orders": {"OrderPlaced": keep_orders, "OrderShipped": keep_orders, "OrderState": keep_state},
}
