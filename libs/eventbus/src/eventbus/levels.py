"""In which sets a batch's events are handed to their handlers."""

from collections.abc import Iterable
from dataclasses import dataclass

from eventbus.codec import Record
from eventbus.event import Event
from eventbus.subscription import Handler

TopicKey = tuple[str, str]


@dataclass(slots=True)
class Item:
    """A record of the batch that became an event."""

    place: int
    record: Record
    event: Event
    handler: Handler
    topic_key: TopicKey  # what its order is kept by


def levels(items: Iterable[Item]) -> list[dict[Handler, list[Item]]]:
    """Cut a batch so that each handler gets a set, and no two events of one key are swapped.

    An event goes to the level of its key's event before it if both have the same handler, otherwise to the next one.
    """
    found: list[dict[Handler, list[Item]]] = []
    last: dict[TopicKey, tuple[int, Handler]] = {}
    for item in items:
        level, handler = last.get(item.topic_key, (0, item.handler))
        if handler is not item.handler:
            level += 1
        last[item.topic_key] = level, item.handler
        if level == len(found):
            found.append({})
        found[level].setdefault(item.handler, []).append(item)
    return found
