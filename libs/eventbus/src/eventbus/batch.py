"""The engine: one batch of records, applied in one transaction, whatever broker it came from."""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any
from uuid import UUID

import structlog
from django.db import IntegrityError, connection, transaction

from eventbus import inbox, metrics
from eventbus.codec import Record, SchemaIds, decode, is_future
from eventbus.conf import conf
from eventbus.errors import ConsumerStopped, Rejected, TransientError
from eventbus.inbox import Advance, Letter
from eventbus.levels import Item, TopicKey, levels
from eventbus.models import DeadLetter
from eventbus.subscription import Handler, Subscription, raise_alarm, wants_repetitions
from eventbus.tracing import following, within
from eventbus.transient import is_transient

logger = structlog.get_logger("eventbus.consumer")

_LINES_PER_BATCH = 5  # batches up to this size log each of their events as information
_SHARE_FROM = 100  # the share of culprits counts in batches of at least this many events


@dataclass(slots=True)
class Sorted:
    """A batch's records by what they are."""

    items: list[Item] = field(default_factory=list)
    rejected: list[Letter] = field(default_factory=list)


class Engine:
    """Applies the batches of one subscription. It remembers the culprits in a row, so keep it between batches."""

    def __init__(self, subscription: Subscription, ids: SchemaIds) -> None:
        self.subscription = subscription
        self._ids = ids
        self._group_id: int | None = None
        self.handlers = tuple(dict.fromkeys(subscription.handlers.values()))
        self.culprits_in_a_row: set[TopicKey] = set()

    def apply(
        self, records: Sequence[Record], advances: Iterable[Advance], confirm: Callable[[], None] | None = None
    ) -> None:
        """Move the positions and apply the records, all or nothing; what `confirm` raises undoes it all.

        Fenced if a position is not the one we left; a transient error if it is to be tried again; ConsumerStopped if
        too many events in a row could not be handled, or the commit finds a constraint violated.
        """
        started = perf_counter()
        found = self.sort(records)
        culprits = set(self.culprits_in_a_row)
        try:
            batch = self._run(found, advances, confirm)
        except BaseException as error:
            self.culprits_in_a_row = culprits
            if isinstance(error, IntegrityError):  # of the commit: no event can be told to be the culprit
                raise ConsumerStopped(f"The batch could not be committed: {error}") from error
            raise
        group = self.subscription.group
        metrics.BATCH_SECONDS.labels(group).observe(perf_counter() - started)
        batch.report(perf_counter() - started)

    def _run(self, found: Sorted, advances: Iterable[Advance], confirm: Callable[[], None] | None) -> "Batch":
        """Without savepoints at first, as almost always nothing fails; then once more, looking for the culprit."""
        culprits = set(self.culprits_in_a_row)
        with suppress(Stumbled):
            return self._transaction(Batch(self, found, self.group_id()), advances, confirm)
        self.culprits_in_a_row = culprits
        return self._transaction(Batch(self, found, self.group_id(), bisect=True), advances, confirm)

    def _transaction(self, batch: "Batch", advances: Iterable[Advance], confirm: Callable[[], None] | None) -> "Batch":
        with transaction.atomic():
            batch.run(advances)
            if confirm is not None:
                confirm()
        return batch

    def group_id(self) -> int:
        """The number of the group in this database."""
        if self._group_id is None:
            self._group_id = inbox.group_id(self.subscription.group)
        return self._group_id

    def sort(self, records: Sequence[Record]) -> Sorted:
        """Decode the records; null values, and events that nobody here handles, are left out."""
        found = Sorted()
        handlers = self.subscription.handlers
        for place, record in enumerate(records):
            if record.value is None:
                continue
            try:
                event = decode(record, self._ids)
            except Rejected as error:
                found.rejected.append(Letter(place, record, None, error.reason, str(error), DeadLetter.State.DEAD))
                continue
            if (handler := handlers.get(event.name)) is not None:
                found.items.append(Item(place, record, event, handler, (event.topic, event.key)))
        return found


class Stumbled(Exception):
    """A handler raised, and there is no savepoint to look for the culprit from."""


class Batch:
    """One run of the engine, inside its transaction."""

    def __init__(self, engine: Engine, found: Sorted, group_id: int, *, bisect: bool = False) -> None:
        self._engine = engine
        self._group_id = group_id
        self._bisect = bisect
        self._span = f"process {engine.subscription.group}"
        self._items = found.items
        self._letters = list(found.rejected)
        self._closed: set[TopicKey] = set()  # keys that wait in a sequence
        self._open: set[TopicKey] = set()  # keys of superseding topics with open dead letters
        self._applied: list[Item] = []
        self._blamed: list[tuple[Handler, Exception]] = []
        self._repeated: list[Item] = []

    def run(self, advances: Iterable[Advance]) -> None:
        """The steps of design.md, "Consuming", 2 and 3."""
        with connection.cursor() as cursor:
            if inbox.advance(cursor, self._group_id, advances):
                self._divert_to(inbox.lock_sequences(cursor, self._group_id, {item.topic_key for item in self._items}))
            new = self._unseen(inbox.remember(cursor, self._group_id, [item.event.id for item in self._items]))
            for calls in levels(self._admitted(new)):
                # In the order of the table: two consumers that take each other's locks in turn would deadlock.
                for handler in self._engine.handlers:
                    if items := calls.get(handler):
                        self._call(handler, items)
            self._look_twice(cursor)
            self._write_letters()

    def _divert_to(self, sequences: set[TopicKey]) -> None:
        for topic_key in sequences:
            (self._open if conf().supersedes(topic_key[0]) else self._closed).add(topic_key)

    def _unseen(self, new_ids: set[UUID]) -> list[Item]:
        new: list[Item] = []
        for item in self._items:
            if item.event.id in new_ids:
                new_ids.discard(item.event.id)
                new.append(item)
            else:
                self._repeated.append(item)
        return new

    def _look_twice(self, cursor: Any) -> None:
        """Some handlers refuse what was applied before with another content; the other repetitions are dropped."""
        looking = [item for item in self._repeated if wants_repetitions(item.handler)]
        if not looking:
            return
        applied = inbox.applied(cursor, self._group_id, [item.event.id for item in looking])
        again = [item for item in looking if item.event.id in applied]
        done = len(self._applied)
        for handler in self._engine.handlers:
            items = [item for item in again if item.handler is handler]
            # One by one where a culprit is looked for: the others of its key were applied long ago and need not wait.
            for some in [[item] for item in items] if self._bisect else [items]:
                self._call(handler, [item for item in some if item.topic_key not in self._closed | self._open])
        del self._applied[done:]

    def _admitted(self, items: Iterable[Item]) -> list[Item]:
        """Without those that wait and those from the future, which count as culprits without being handled."""
        admitted: list[Item] = []
        for item in items:
            if item.topic_key in self._closed:
                self._wait(item)
            elif is_future(item.event):
                self._set_aside(item, "future", f"Its time, {item.event.time}, is after it was received.")
            else:
                admitted.append(item)
        return admitted

    def _call(self, handler: Handler, items: list[Item]) -> None:
        """Hand items to their handler; where it raises, look for the culprit in halves."""
        ready = [item for item in items if not self._waits(item)]
        if not ready:
            return
        try:
            with self._savepoint(), following(self._span, (item.event.traceparent for item in ready)):
                handler([item.event for item in ready])
        except Exception as error:
            if is_transient(error):
                raise
            if connection.connection is None or connection.connection.closed:
                # Postgres ends a session that idled in its transaction with an internal error: nobody's fault here.
                raise TransientError(f"The database connection was lost: {error}") from error
            if not self._bisect:
                raise Stumbled from error
            if len(ready) > 1:
                middle = len(ready) // 2
                self._call(handler, ready[:middle])
                self._call(handler, ready[middle:])
                return
            self._blame(ready[0], error)
        else:
            self._engine.culprits_in_a_row.clear()
            self._applied += ready

    def _savepoint(self) -> AbstractContextManager[object]:
        return transaction.atomic() if self._bisect else nullcontext()

    def _waits(self, item: Item) -> bool:
        if item.topic_key in self._closed:
            self._wait(item)
            return True
        return False

    def _wait(self, item: Item) -> None:
        self._letters.append(
            Letter(item.place, item.record, item.event, "waiting", "Behind another one of its key.", "waiting")
        )

    def _blame(self, item: Item, error: Exception) -> None:
        group = self._engine.subscription.group
        with within(item.event.traceparent):
            logger.error("handler_failed", group=group, event_id=str(item.event.id), exc_info=error)
        self._blamed.append((item.handler, error))
        row = self._engine.culprits_in_a_row
        row.add(item.topic_key)
        culprits = len(self._blamed)
        share = 100 * culprits > conf().stop_percent * len(self._items) >= conf().stop_percent * _SHARE_FROM
        if len(row) > conf().stop_after or (share and culprits > conf().stop_after):
            raise ConsumerStopped(f"{len(row)} events in a row could not be handled; the last: {error!r}") from error
        self._set_aside(item, "handler", f"{type(error).__name__}: {error}")

    def _set_aside(self, item: Item, reason: str, error: str) -> None:
        self._letters.append(Letter(item.place, item.record, item.event, reason, error, DeadLetter.State.DEAD))
        (self._open if conf().supersedes(item.event.topic) else self._closed).add(item.topic_key)

    def _write_letters(self) -> None:
        if self._open:
            self._supersede()
        if self._letters:
            inbox.write_letters(self._group_id, self._engine.subscription, sorted(self._letters, key=lambda x: x.place))

    def _supersede(self) -> None:
        """In topics whose events carry the whole state, a later one that was applied makes the dead ones void."""
        last: dict[TopicKey, int] = {}
        for item in self._applied:
            if item.topic_key in self._open:
                last[item.topic_key] = max(item.place, last.get(item.topic_key, -1))
        for letter in self._letters:
            if letter.event and letter.place < last.get((letter.event.topic, letter.event.key), -1):
                letter.state = DeadLetter.State.SUPERSEDED
        inbox.supersede(self._group_id, last)

    def report(self, seconds: float) -> None:
        """Metrics and log lines, after the commit."""
        group = self._engine.subscription.group
        counts = dict(Counter(item.event.name for item in self._applied))
        for name, count in counts.items():
            metrics.CONSUMED.labels(group, name).inc(count)
        if self._repeated:
            metrics.DUPLICATES.labels(group).inc(len(self._repeated))
        for letter in self._letters:
            metrics.DEAD_LETTERS.labels(group, letter.reason).inc()
        for handler, error in self._blamed:
            raise_alarm(handler, error)
        self._tell_each()
        logger.info(
            "batch_applied",
            group=group,
            events=counts,
            duplicates=len(self._repeated),
            dead_letters=len(self._letters),
            milliseconds=round(seconds * 1000, 1),
        )

    def _tell_each(self) -> None:
        """A line for each event, within its own trace; those of a large batch only where somebody debugs."""
        level = logging.INFO if len(self._applied) <= _LINES_PER_BATCH else logging.DEBUG
        if level == logging.DEBUG and not logging.getLogger("eventbus.consumer").isEnabledFor(level):
            return
        for item in self._applied:
            with within(item.event.traceparent):
                logger.log(
                    level,
                    "event_applied",
                    group=self._engine.subscription.group,
                    event_name=item.event.name,
                    key=item.event.key,
                    event_id=str(item.event.id),
                    partition=item.record.partition,
                    offset=item.record.offset,
                )
