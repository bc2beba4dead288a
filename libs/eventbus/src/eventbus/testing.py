"""For tests of services: what was published, and what happens when events arrive."""

from collections.abc import Iterable
from dataclasses import replace
from time import time
from uuid import UUID

from django.db import connection, transaction

from eventbus.catalogue import catalogue
from eventbus.codec import Headers, Record, encode, fixed_headers, frame, headers, read_body
from eventbus.event import Event
from eventbus.inbox import Letter, group_id, write_letters
from eventbus.memory import MemoryBus
from eventbus.models import ConsumerOffset, DeadLetter
from eventbus.registry import FixedIds
from eventbus.subscription import subscription
from eventbus.wire import WritingIds

__all__ = ["MemoryBus", "clear_outbox", "deliver", "published", "set_aside", "wire"]


def published(name: str | None = None) -> list[Event]:
    """The events in the own outbox, oldest first; only those of this name, if one is given."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT schema, value, traceparent FROM eventbus_outbox WHERE schema IS NOT NULL ORDER BY id")
        rows = cursor.fetchall()
    events = [_event(bytes(sha256), bytes(value), traceparent) for sha256, value, traceparent in rows]
    return [event for event in events if name in {None, event.name}]


def clear_outbox() -> None:
    """Forget what was published so far."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM eventbus_outbox")


def deliver(consumer_name: str, events: Iterable[Event]) -> None:
    """Let a consumer of this service receive events, in this order, by the same engine as in production.

    Inbox, bisecting and dead letters work as they do there; what a handler raises becomes a dead letter. The broker's
    timestamp is `received_at`, or else now or the event's time, whichever is later.
    """
    bus = MemoryBus()
    for offset in ConsumerOffset.objects.filter(group_id=group_id(subscription(consumer_name).group)):
        bus.low[offset.topic, offset.partition] = offset.position
    for event in events:
        received = event.received_at.timestamp() if event.received_at else max(time(), event.time.timestamp())
        bus.send(*wire(event, FixedIds()), timestamp=round(received * 1000))
    bus.consume(consumer_name)


def set_aside(consumer_name: str, event: Event, error: str = "ValueError: nobody knows why") -> DeadLetter:
    """The dead letter of an event, as the engine writes it where a handler raises; a retry hands it to the handler."""
    found = subscription(consumer_name)
    topic, key, value, head = wire(event, FixedIds())
    record = Record(topic, 0, 0, key, value, head, round(time() * 1000))
    letter = Letter(0, record, replace(event, topic=topic), "handler", error, DeadLetter.State.DEAD)
    with transaction.atomic():
        group = group_id(found.group)
        write_letters(group, found, [letter])
    return DeadLetter.objects.filter(group_id=group).latest("id")


def wire(event: Event, ids: WritingIds) -> tuple[str, bytes, bytes, Headers]:
    """Topic, key, value and headers of an event as its producer's relay would send it."""
    schema, body = encode(event)
    schema_id = ids.id_of(schema)
    if schema_id is None:
        raise LookupError(f"{schema.full_name} is not registered.")
    return (
        schema.topic,
        event.key.encode(),
        frame(schema_id, body),
        headers(fixed_headers(schema), str(event.id), event.time, event.traceparent),
    )


def _event(sha256: bytes, body: bytes, traceparent: str) -> Event:
    schema = catalogue().by_sha256[sha256]
    envelope = read_body(schema, body)
    return Event(
        name=schema.name,
        version=schema.version,
        key=str(envelope["data"][schema.key]),
        time=envelope["event_time"],
        data=envelope["data"],
        id=UUID(envelope["event_id"]),
        traceparent=traceparent,
        topic=schema.topic,
        producer=envelope["producer"],
    )
