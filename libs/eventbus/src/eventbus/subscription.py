"""A service's table of subscriptions: consumer name -> event name -> handler."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from eventbus.catalogue import catalogue
from eventbus.conf import conf
from eventbus.event import Event

Handler = Callable[[Sequence[Event]], object]


@dataclass(frozen=True, slots=True)
class Subscription:
    """What one consumer of this service reads."""

    name: str
    handlers: Mapping[str, Handler]

    @property
    def group(self) -> str:
        """Name of the consumer group, without prefix."""
        return f"{conf().service}.{self.name}"

    @property
    def dead_letter_topic(self) -> str:
        """Where its dead letters are mirrored."""
        return f"{self.group}.dlq"

    @property
    def topics(self) -> list[str]:
        """The topics of its events; ImproperlyConfigured for an event without a schema."""
        topic_of = catalogue().topic_of
        if unknown := set(self.handlers) - set(topic_of):
            raise ImproperlyConfigured(f"Consumer {self.name}: no schema for {', '.join(sorted(unknown))}.")
        return sorted({topic_of[name] for name in self.handlers})


def subscriptions() -> dict[str, Subscription]:
    """All subscriptions of this service."""
    table: Mapping[str, Mapping[str, Handler]] = import_string(conf().consumers) if conf().consumers else {}
    return {name: Subscription(name, handlers) for name, handlers in table.items()}


def subscription(name: str) -> Subscription:
    """The named one; ImproperlyConfigured if there is none."""
    found = subscriptions()
    if name not in found:
        raise ImproperlyConfigured(f"No consumer {name!r} in {conf().consumers}; there are {', '.join(found)}.")
    return found[name]
