"""What a consumer does with a batch: every event is kept, and projected from the form in which it is kept (A3)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from analytics.domain import Entry, json_form, kept_for_ever
from analytics.services import generations
from analytics.services.projecting import Kept, counted_before, entry_of, project
from chassis.replica.services import accounts_apply
from eventbus import Event

_KEEP = """
INSERT INTO analytics_kept_event
    (event_id, topic, partition, "offset", key, name, version, event_time, producer, received_at, data)
SELECT event_id, topic, partition, "offset", key, name, version, event_time, producer, received_at, data::jsonb
FROM unnest(
    %s::uuid[], %s::text[], %s::int[], %s::bigint[], %s::text[], %s::text[], %s::int[], %s::timestamptz[],
    %s::text[], %s::timestamptz[], %s::text[]
) WITH ORDINALITY AS new (
    event_id, topic, partition, "offset", key, name, version, event_time, producer, received_at, data, place
)
ORDER BY place
ON CONFLICT DO NOTHING
"""


@transaction.atomic
def facts_consume(*, events: Sequence[Event]) -> None:
    """Keep the events of tasks and billing and count them, each transfer once.

    Raises ContradictoryTransaction and ForeignCurrency for money that cannot be counted: a dead letter.
    """
    _keep_and_project(events)


@transaction.atomic
def transactions_consume(*, events: Sequence[Event]) -> None:
    """Keep transfers and count them, each once; also given those that came before.

    A transfer's event has the transfer's id: one that came before with another content is refused as
    ContradictoryTransaction, with the same one it changes nothing. Raises as `facts_consume` does.
    """
    generations.lock_shared()
    entries = {event.id: entry_of(json_form(event.data)) for event in events}
    counted = counted_before(entries, generation=generations.current())
    if new := [event for event in events if event.id not in counted]:
        _keep_and_project(new, entries)


@transaction.atomic
def accounts_consume(*, events: Sequence[Event]) -> None:
    """Keep the events of accounts, without names and addresses, and bring the replica up to date, which has them."""
    _keep_and_project(events)
    accounts_apply(events)


def _keep_and_project(events: Sequence[Event], entries: Mapping[UUID, Entry] = MappingProxyType({})) -> None:
    # The lock is a statement of its own: what it protects, the pointer, is read by the next one.
    generations.lock_shared()
    data = [kept_for_ever(producer=event.producer, data=json_form(event.data)) for event in events]
    _keep(events, data)
    rows = [
        Kept(event.name, event.partition or 0, fields, entries.get(event.id))
        for event, fields in zip(events, data, strict=True)
    ]
    project(rows, generation=generations.current())


def _keep(events: Sequence[Event], data: Sequence[dict[str, Any]]) -> None:
    columns: list[list[Any]] = [
        [event.id for event in events],
        [event.topic for event in events],
        [event.partition for event in events],
        [event.offset for event in events],
        [event.key for event in events],
        [event.name for event in events],
        [event.version for event in events],
        [event.time for event in events],
        [event.producer for event in events],
        [event.received_at for event in events],
        [json.dumps(fields) for fields in data],
    ]
    with connection.cursor() as cursor:
        cursor.execute(_KEEP, columns)
