"""Where a group stands in each partition, kept in the service's own database."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

from eventbus.models import ConsumerGroup, ConsumerOffset, OffsetDecision
from eventbus.subscription import subscription

Partition = tuple[str, int]  # topic without prefix, number


@dataclass(frozen=True, slots=True)
class Position:
    """The next offset to read of a topic that the broker knows by this id."""

    topic_id: str
    offset: int


@dataclass(frozen=True, slots=True)
class Found:
    """What the broker says about a partition: its topic's id, the first offset it has, and the one after its last."""

    topic_id: str
    low: int
    high: int


def open_positions(group: int, found: Mapping[Partition, Found]) -> dict[Partition, Position]:
    """The stored positions of these partitions; one that the group never read starts at its first record."""
    positions = stored_positions(group, found)
    with connection.cursor() as cursor:
        for (topic, partition), broker in sorted(found.items()):
            if (topic, partition) not in positions:
                cursor.execute(
                    "INSERT INTO eventbus_consumer_offset (group_id, topic, partition, topic_id, position)"
                    " VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
                    [group, topic, partition, broker.topic_id, broker.low],
                )
    return stored_positions(group, found) if len(positions) < len(found) else positions


def stored_positions(group: int, partitions: Iterable[Partition]) -> dict[Partition, Position]:
    """Those of the partitions that have a stored position."""
    wanted = set(partitions)
    rows = ConsumerOffset.objects.filter(group_id=group).values_list("topic", "partition", "topic_id", "position")
    return {(row[0], row[1]): Position(row[2], row[3]) for row in rows if (row[0], row[1]) in wanted}


def problem(position: Position, broker: Found) -> str:
    """Why a position cannot be gone on from, or an empty string."""
    if position.topic_id != broker.topic_id:
        return f"the topic is another one: {broker.topic_id}, not {position.topic_id}"
    if not broker.low <= position.offset <= broker.high:
        return f"position {position.offset} is outside of the records {broker.low} to {broker.high}"
    return ""


def note_caught_up(group: int, partitions: Iterable[Partition], moment: datetime) -> None:
    """Note that everything these partitions received before the moment (the database's clock) is consumed."""
    ordered = sorted(partitions)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE eventbus_consumer_offset o SET caught_up_at = greatest(o.caught_up_at, %s)"
            " FROM unnest(%s::text[], %s::int[]) AS n(topic, partition)"
            " WHERE o.group_id = %s AND o.topic = n.topic AND o.partition = n.partition",
            [moment, [topic for topic, _ in ordered], [number for _, number in ordered], group],
        )


def database_time() -> datetime:
    """The database's clock: the only one that positions are dated with."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
        return moment


@transaction.atomic
def accept(offset: ConsumerOffset, broker: Found, *, position: int, reason: str, decided_by: str) -> None:
    """Let a partition go on from `position` of the topic that is there now; the decision is recorded."""
    OffsetDecision.objects.create(
        group_id=offset.group_id,
        topic=offset.topic,
        partition=offset.partition,
        old_topic_id=offset.topic_id,
        old_position=offset.position,
        topic_id=broker.topic_id,
        position=position,
        reason=reason,
        decided_by=decided_by,
    )
    ConsumerOffset.objects.filter(pk=offset.pk).update(topic_id=broker.topic_id, position=position)


def consumed_until(name: str) -> datetime | None:
    """The moment (database's clock, UTC) before which everything received is consumed by this service's consumer.

    None if the consumer never reached the end of one of its partitions, or never ran.
    """
    found = subscription(name)
    moments = ConsumerOffset.objects.filter(
        group__in=ConsumerGroup.objects.filter(name=found.group), topic__in=found.topics
    ).values_list("caught_up_at", flat=True)
    known = [moment for moment in moments if moment is not None]
    return min(known) if known and len(known) == len(moments) else None
