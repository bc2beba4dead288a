"""A service's table of subscriptions: consumer name -> event name -> handler."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from eventbus.catalogue import catalogue
from eventbus.conf import conf
from eventbus.event import Event

H = TypeVar("H", bound="Handler")
Handler = Callable[[Sequence[Event]], object]
_looking_twice: set[Handler] = set()
_alarms: dict[Handler, tuple[type[Exception], "Rising"]] = {}


class Rising(Protocol):
    """What only rises, such as a counter of Prometheus."""

    def inc(self) -> None: ...


def looks_twice(handler: H) -> H:
    """A handler that is also given events that the inbox knows as applied, and refuses one with another content.

    It has to change nothing for a repetition that says the same. Ids made of what an event does
    (`event_id("price:4711")`) come again with another content when a producer was restored from a backup.
    """
    _looking_twice.add(handler)
    return handler


def wants_repetitions(handler: Handler) -> bool:
    """Whether the handler looks twice."""
    return handler in _looking_twice


def alarms(error: type[Exception], counter: Rising) -> Callable[[H], H]:
    """A handler whose events are never set aside for this error without an alarm: the counter rises by one for each.

    It rises after the commit, so that neither the search for the culprit nor a batch that is tried again counts twice.
    """

    def mark(handler: H) -> H:
        _alarms[handler] = error, counter
        return handler

    return mark


def raise_alarm(handler: Handler, error: Exception) -> None:
    """Tell that an event was set aside because its handler raised this."""
    if handler in _alarms and isinstance(error, _alarms[handler][0]):
        _alarms[handler][1].inc()


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
