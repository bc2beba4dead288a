"""The consumer's tables: positions that fence, ids that make once, sequences that keep order, dead letters."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models.functions import Coalesce

from eventbus.codec import MAX_KEY_BYTES, MAX_VALUE_BYTES, Record, pack_headers
from eventbus.conf import conf
from eventbus.errors import Fenced
from eventbus.event import Event
from eventbus.models import DeadLetter, InboxRow
from eventbus.outbox import publish_copies
from eventbus.subscription import Subscription

TopicKey = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Advance:
    """A partition's way from the position we left it at to the one after the batch."""

    topic: str
    partition: int
    topic_id: str
    old: int
    new: int


@dataclass(slots=True)
class Letter:
    """A record to be set aside. `event` is None where it could not be believed: then it stands alone."""

    place: int
    record: Record
    event: Event | None
    reason: str
    error: str
    state: str


def group_id(name: str) -> int:
    """The number of a group in this database, given at its first sight."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM eventbus_consumer_group WHERE name = %s", [name])
        if (row := cursor.fetchone()) is None:
            cursor.execute("INSERT INTO eventbus_consumer_group (name) VALUES (%s) ON CONFLICT DO NOTHING", [name])
            cursor.execute("SELECT id FROM eventbus_consumer_group WHERE name = %s", [name])
            row = cursor.fetchone()
        return int(row[0])


def advance(cursor: Any, group: int, advances: Iterable[Advance]) -> bool:
    """Begin a batch: compare-and-set the positions; returns whether any key of the group waits in a sequence.

    Fenced if a position is not where we left it. Until the end of the transaction no constraint is deferred, as
    Django's foreign keys are: at commit there would be nobody left to blame.
    """
    ordered = sorted(advances, key=lambda a: (a.topic, a.partition))
    columns = [[getattr(a, name) for a in ordered] for name in ("topic", "partition", "topic_id", "old", "new")]
    cursor.execute(
        "WITH moved AS (UPDATE eventbus_consumer_offset o SET position = n.new, updated_at = now()"
        " FROM unnest(%s::text[], %s::int[], %s::text[], %s::bigint[], %s::bigint[])"
        " AS n(topic, partition, topic_id, old, new)"
        " WHERE o.group_id = %s AND o.topic = n.topic AND o.partition = n.partition"
        " AND o.topic_id = n.topic_id AND o.position = n.old RETURNING o.id)"
        # Sequences of our partitions' keys are opened by us alone: if there is none at all, none can appear now.
        " SELECT (SELECT count(*) FROM moved), EXISTS (SELECT FROM eventbus_sequence WHERE group_id = %s);"
        " SET CONSTRAINTS ALL IMMEDIATE",
        [*columns, group, group],
    )
    moved, waiting = cursor.fetchone()
    if moved != len(ordered):
        raise Fenced("Another consumer has moved a position of this batch.")
    return bool(waiting)


def lock_sequences(cursor: Any, group: int, keys: Iterable[TopicKey]) -> set[TopicKey]:
    """Those of the keys that have a sequence, locked shared: it can be added to, but not worked off meanwhile."""
    topics, names = _columns(keys)
    cursor.execute(
        "SELECT s.topic, s.key FROM eventbus_sequence s WHERE s.group_id = %s AND (s.topic, s.key) IN"
        " (SELECT * FROM unnest(%s::text[], %s::text[])) ORDER BY s.id FOR SHARE OF s",
        [group, topics, names],
    )
    return set(cursor.fetchall())


def remember(cursor: Any, group: int, ids: Sequence[UUID]) -> set[UUID]:
    """Put ids into the inbox and return those that were not there."""
    if not ids:
        return set()
    unique = set(ids)
    # Only where some were there already are the others named.
    cursor.execute(
        "WITH new AS (INSERT INTO eventbus_inbox (group_id, event_id, outcome)"
        " SELECT %s, id, %s FROM unnest(%s::uuid[]) AS id ON CONFLICT DO NOTHING RETURNING event_id)"
        " SELECT CASE WHEN count(*) < %s THEN coalesce(array_agg(event_id), '{}') END FROM new",
        [group, InboxRow.Outcome.APPLIED, _array(ids), len(unique)],
    )
    (new,) = cursor.fetchone()
    return unique if new is None else set(new)


def applied(cursor: Any, group: int, ids: Sequence[UUID]) -> set[UUID]:
    """Those of the ids whose events were applied."""
    cursor.execute(
        "SELECT event_id FROM eventbus_inbox WHERE group_id = %s AND event_id = ANY(%s::uuid[]) AND outcome = %s",
        [group, _array(ids), InboxRow.Outcome.APPLIED],
    )
    return {row[0] for row in cursor.fetchall()}


def set_outcome(group: int, ids: Sequence[UUID], outcome: InboxRow.Outcome) -> None:
    """Note in the inbox what became of events."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO eventbus_inbox (group_id, event_id, outcome) SELECT %s, id, %s FROM unnest(%s::uuid[]) AS id"
            " ON CONFLICT (group_id, event_id) DO UPDATE SET outcome = excluded.outcome",
            [group, outcome, _array(ids)],
        )


def write_letters(group: int, subscription: Subscription, letters: Sequence[Letter]) -> None:
    """Write dead letters in this order, open their sequences, and mirror them to the group's dead-letter topic."""
    sequences = {
        (letter.event.topic, letter.event.key)
        for letter in letters
        if letter.event and letter.state != DeadLetter.State.SUPERSEDED
    }
    topics, keys = _columns(sequences)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO eventbus_sequence (group_id, topic, key) SELECT %s, * FROM unnest(%s::text[], %s::text[])"
            " ON CONFLICT DO NOTHING",
            [group, topics, keys],
        )
    DeadLetter.objects.bulk_create([_row(group, letter) for letter in letters])
    dead = [letter.event.id for letter in letters if letter.event and letter.state != DeadLetter.State.SUPERSEDED]
    set_outcome(group, dead, InboxRow.Outcome.DEAD)
    publish_copies((subscription.dead_letter_topic, *_copy(letter)) for letter in letters)


def supersede(group: int, keys: Iterable[TopicKey]) -> None:
    """Close the open letters of these keys, all older than the event that was applied, and forget the sequences."""
    topics, names = _columns(keys)
    if not topics:
        return
    pairs = "(SELECT * FROM unnest(%s::text[], %s::text[]))"
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE eventbus_dead_letter SET state = 'superseded', resolved_at = now()"  # noqa: S608
            " WHERE group_id = %s AND state IN ('dead', 'waiting')"
            f" AND (topic, sequence_key) IN {pairs} RETURNING event_id",
            [group, topics, names],
        )
        closed = [row[0] for row in cursor.fetchall()]
        cursor.execute(
            f"DELETE FROM eventbus_sequence WHERE group_id = %s AND (topic, key) IN {pairs}",  # noqa: S608
            [group, topics, names],
        )
    set_outcome(group, closed, InboxRow.Outcome.DISCARDED)


def _array(ids: Iterable[UUID]) -> str:
    """A literal for a parameter: adapting hundreds of ids one by one takes longer than the statement."""
    return "{" + ",".join(map(str, ids)) + "}"


def _columns(keys: Iterable[TopicKey]) -> tuple[list[str], list[str]]:
    ordered = sorted(keys)
    return [topic for topic, _ in ordered], [key for _, key in ordered]


def _row(group: int, letter: Letter) -> DeadLetter:
    record, event = letter.record, letter.event
    return DeadLetter(
        group_id=group,
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        key=record.key,
        value=record.value,
        headers=pack_headers(record.headers),
        received_at=record.received_at,
        sequence_key=event.key if event else "",
        event_id=event.id if event else None,
        event_name=event.name if event else "",
        reason=letter.reason,
        error=letter.error.replace("\x00", "\\x00")[:10_000],
        state=letter.state,
    )


def _copy(letter: Letter) -> tuple[bytes, bytes | None, list[tuple[str, bytes]]]:
    record = letter.record
    about = {
        "dlq-reason": letter.reason,
        "dlq-error": letter.error[:1_000],
        "dlq-topic": record.topic,
        "dlq-partition": str(record.partition),
        "dlq-offset": str(record.offset),
    }
    extra = [(name, text.encode("utf-8", "replace")) for name, text in about.items()]
    size = sum(len(part or b"") for part in (record.key, record.value, *(value for _, value in record.headers)))
    if size > MAX_VALUE_BYTES:
        # With more headers it may no longer fit; the dead letter itself keeps the whole record.
        return (record.key or b"")[:MAX_KEY_BYTES], None, [*extra, ("dlq-left-out", str(size).encode())]
    return record.key or b"", record.value, [*record.headers, *extra]


def prune_inbox(*, now: datetime, batch: int = 10_000) -> int:
    """Forget ids of events older than the topics keep them (setting INBOX_DAYS); returns how many.

    Ids of open dead letters stay. A few at a time, so that consumers never wait for it.
    """
    before, count = now - timedelta(days=conf().inbox_days), 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                "DELETE FROM eventbus_inbox WHERE ctid IN (SELECT ctid FROM eventbus_inbox"
                " WHERE received_at < %s AND outcome <> %s LIMIT %s)",
                [before, InboxRow.Outcome.DEAD, batch],
            )
            deleted: int = cursor.rowcount
            count += deleted
            if deleted < batch:
                return count


def strip_letters(*, now: datetime) -> int:
    """Delete the content of dead letters that were decided INBOX_DAYS ago; returns of how many.

    What was decided, by whom and why stays. The content may name people who have been deleted everywhere else.
    """
    # One that its own batch superseded was decided when it was written.
    decided = DeadLetter.objects.exclude(state__in=DeadLetter.OPEN).alias(at=Coalesce("resolved_at", "created_at"))
    old = decided.filter(at__lt=now - timedelta(days=conf().inbox_days), value__isnull=False)
    return old.update(value=None, headers=b"", error="")
