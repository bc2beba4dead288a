"""All numbers again, from the kept events alone (A3)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import connection, transaction

from analytics.models import KeptEvent
from analytics.services import generations
from analytics.services.projecting import Kept, project

_ONE_REBUILD = "hashtextextended('analytics.rebuild', 0)"
CHUNK = 5_000
TAIL = 2_000


class RebuildRunning(RuntimeError):
    """Another rebuild is at work."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild did: the generation that counts now, events read, and how many of those while consumers waited."""

    generation: int
    events: int
    tail: int


def rebuild(*, chunk: int = CHUNK, tail: int = TAIL) -> Rebuilt:
    """Write the projections anew beside the ones that pages read, then move the pointer (A3).

    Consumers go on meanwhile: they wait only while the last events, at most about `tail`, are replayed. A rebuild
    that dies leaves the old numbers in force. Raises RebuildRunning while another one is at work.
    """
    with _alone():
        generations.sweep()
        target = generations.current() + 1
        events, done = 0, 0
        while (boundary := _boundary()) - done > tail:
            events += _copy(target, after=done, to=boundary, chunk=chunk)
            done = boundary
        last = _switch(target, after=done, chunk=chunk)
        generations.sweep()
        return Rebuilt(target, events + last, last)


@contextmanager
def _alone() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_try_advisory_lock({_ONE_REBUILD})")
        if not cursor.fetchone()[0]:
            raise RebuildRunning("A rebuild is running already.")
        try:
            yield
        finally:
            cursor.execute(f"SELECT pg_advisory_unlock({_ONE_REBUILD})")


@transaction.atomic
def _boundary() -> int:
    """An id that no batch still in flight is below: ids come from a sequence, in another order than commits."""
    generations.lock_exclusive()
    last = KeptEvent.objects.order_by("-id").values_list("id", flat=True).first()
    return last or 0


def _copy(target: int, *, after: int, to: int, chunk: int) -> int:
    count = 0
    for rows in _chunks(after=after, to=to, chunk=chunk):
        with transaction.atomic():
            project(rows, generation=target)
        count += len(rows)
    return count


@transaction.atomic
def _switch(target: int, *, after: int, chunk: int) -> int:
    """Replay what came since, while no batch runs, and move the pointer."""
    generations.lock_exclusive()
    count = _copy(target, after=after, to=_NO_END, chunk=chunk)
    generations.move_to(target)
    return count


_NO_END = 2**63 - 1
_NEXT = """
SELECT topic, partition, "offset", id, name, data FROM analytics_kept_event
WHERE id > %s AND id <= %s AND (topic, partition, "offset", id) > (%s, %s, %s, %s)
ORDER BY topic, partition, "offset", id LIMIT %s
"""


def _chunks(*, after: int, to: int, chunk: int) -> Iterator[Sequence[Kept]]:
    """The kept events between two ids, by topic, partition and offset.

    By id as well, because the retry of a dead letter keeps an event of a low offset long after its neighbours.
    """
    position: tuple[str, int, int, int] = ("", -1, -1, -1)
    while True:
        with connection.cursor() as cursor:
            cursor.execute(_NEXT, [after, to, *position, chunk])
            rows = cursor.fetchall()
        if not rows:
            return
        yield [Kept(name, partition, json.loads(data)) for _, partition, _, _, name, data in rows]
        position = rows[-1][:4]
