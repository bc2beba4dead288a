"""Events between services: published with the database's commit, consumed once and in order.

This is the whole public API, with `eventbus.testing` for tests and `eventbus.urls` for pages.
Names are loaded at first use, because models cannot be imported before Django is set up.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from eventbus.consumer import Consumer
    from eventbus.dead_letters import dead_letters_of, open_dead_letters
    from eventbus.errors import ConsumerStopped, InvalidEvent, TransientError
    from eventbus.event import Event, event_id
    from eventbus.inbox import prune_inbox
    from eventbus.outbox import publish, publish_many, unsent
    from eventbus.positions import consumed_until
    from eventbus.reading import Unreadable, read_topic
    from eventbus.relay import Relay
    from eventbus.state import State
    from eventbus.subscription import alarms, looks_twice

__all__ = [
    "Consumer",
    "ConsumerStopped",
    "Event",
    "InvalidEvent",
    "Relay",
    "State",
    "TransientError",
    "Unreadable",
    "alarms",
    "consumed_until",
    "dead_letters_of",
    "event_id",
    "looks_twice",
    "open_dead_letters",
    "prune_inbox",
    "publish",
    "publish_many",
    "read_topic",
    "unsent",
]

_MODULES = {
    "Consumer": "consumer",
    "ConsumerStopped": "errors",
    "Event": "event",
    "InvalidEvent": "errors",
    "Relay": "relay",
    "State": "state",
    "TransientError": "errors",
    "Unreadable": "reading",
    "alarms": "subscription",
    "consumed_until": "positions",
    "dead_letters_of": "dead_letters",
    "event_id": "event",
    "looks_twice": "subscription",
    "open_dead_letters": "dead_letters",
    "prune_inbox": "inbox",
    "publish": "outbox",
    "publish_many": "outbox",
    "read_topic": "reading",
    "unsent": "outbox",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"eventbus has no {name}")
    return getattr(import_module(f"eventbus.{_MODULES[name]}"), name)
