"""Publishing the present state of all aggregates anew: for a topic that was lost, or a database that was restored."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, models, transaction
from django.utils.module_loading import import_string

from eventbus.conf import conf
from eventbus.event import Event
from eventbus.outbox import publish_many
from eventbus.reading import Unreadable, read_topic

_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class State:
    """What a `-stream` topic tells: a row of `rows` for each aggregate, and the event that says its present state.

    `version` names the aggregate's version, as a column and as a field of the event. `take` brings rows to what newer
    events of the topic say, at the events' versions, and makes those that are missing; it runs in a transaction.
    """

    rows: Callable[[], "models.QuerySet[Any]"]
    event: Callable[[Any], Event]
    version: str = "version"
    take: Callable[[Sequence[Event]], object] | None = None


def state_table() -> Mapping[str, State]:
    """The service's table: topic -> its state."""
    table: Mapping[str, State] = import_string(conf().state) if conf().state else {}
    return table


def republish(topic: str, *, above: Mapping[str, int] | None = None) -> int:
    """Publish the state of every aggregate of a topic; returns how many. KeyError for a topic that is not ours.

    A thousand rows in a transaction, locked in key order: ids of the outbox rise in the order of commits, so that no
    state can follow a later change of the same aggregate. With `above` (the highest that `read_state` found), versions
    that are not higher are raised first, so that consumers take the restored state.
    """
    state, count = state_table()[topic], 0
    last: Any = None
    while True:
        with transaction.atomic():
            _wait_patiently()
            rows = state.rows().order_by("pk").select_for_update()
            found = list((rows if last is None else rows.filter(pk__gt=last))[:_AT_ONCE])
            if above:
                _raise(state, found, above)
            publish_many([state.event(row) for row in found])
        if not found:
            return count
        count, last = count + len(found), found[-1].pk


def _wait_patiently() -> None:
    """Somebody may hold a row for longer than a page would wait."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '10s'")


def _raise(state: State, rows: list[Any], above: Mapping[str, int]) -> None:
    behind = [row for row in rows if getattr(row, state.version) <= above.get(str(row.pk), -1)]
    for row in behind:
        setattr(row, state.version, above[str(row.pk)] + 1)
    if behind:
        type(behind[0])._default_manager.bulk_update(behind, [state.version])


@dataclass(slots=True)
class Told:
    """What a topic of state tells: the highest version of each key, and the event of each that is newer than our row.

    `unreadable` counts the records that were skipped.
    """

    highest: dict[str, int] = field(default_factory=dict)
    newer: dict[str, Event] = field(default_factory=dict)
    unreadable: int = 0


def take_back(topic: str, told: Told) -> int:
    """Bring the rows to what the topic tells that they do not know; returns how many. For a restored database.

    Others have acted on it: a completion that tasks has forgotten was paid, and would be paid again.
    """
    take, keys = state_table()[topic].take, sorted(told.newer)
    if take is None:
        return 0
    for start in range(0, len(keys), _AT_ONCE):
        with transaction.atomic():
            _wait_patiently()
            take([told.newer[key] for key in keys[start : start + _AT_ONCE]])
    return len(keys)


def read_state(topic: str, *, skip_unreadable: bool = False) -> Told:
    """What the topic tells of each key, read from its first record to its last and compared with the rows.

    Raises TransientError where the broker (or the registry, if it must be asked) is away, Unreadable for a record that
    cannot be read, unless such are to be skipped: consumers set them aside too.
    """
    state, told = state_table()[topic], Told()
    own = {str(pk): version for pk, version in state.rows().values_list("pk", state.version)}

    def unreadable(record: Unreadable) -> None:
        if not skip_unreadable:
            raise record
        told.unreadable += 1

    for event in read_topic(topic, unreadable=unreadable):
        number = int(event.data[state.version])
        if number > told.highest.get(event.key, -1):
            told.highest[event.key] = number
            if number > own.get(event.key, -1):
                told.newer[event.key] = event
    return told
