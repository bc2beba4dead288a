"""Publishing the present state of all aggregates anew, for a restored database or a topic that was lost."""

from collections.abc import Callable, Iterable, Mapping
from itertools import islice

from django.db import transaction
from django.utils.module_loading import import_string

from eventbus.conf import conf
from eventbus.event import Event
from eventbus.outbox import publish_many

_AT_ONCE = 1_000


def state_table() -> Mapping[str, Callable[[], Iterable[Event]]]:
    """The service's table: topic -> callable that returns all aggregates' present state as events."""
    table: Mapping[str, Callable[[], Iterable[Event]]] = import_string(conf().state) if conf().state else {}
    return table


@transaction.atomic
def republish(topic: str) -> int:
    """Publish all states of a topic in one transaction; returns how many. KeyError for a topic without a builder.

    The builder locks the rows that it reads (`select_for_update`, in key order), so that no change slips in before
    its state: ids must rise in the order of commits. After a restore the versions are raised first.
    """
    events, count = iter(state_table()[topic]()), 0
    while some := list(islice(events, _AT_ONCE)):
        publish_many(some)
        count += len(some)
    return count
