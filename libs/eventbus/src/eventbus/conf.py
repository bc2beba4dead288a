"""The settings of the bus: the Django setting `EVENTBUS`, read once and typed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed

STATE_SUFFIX = "-stream"
SLOTS = 64  # parts of the key space, of which a shard has at least one


@dataclass(frozen=True, slots=True, kw_only=True)
class Conf:
    """What a service tells the bus. Topics are named without `topic_prefix` everywhere but on the broker."""

    service: str  # name of the service, the producer in its events
    schemas: Path  # folder of <domain>/<event>/<version>.avsc
    bootstrap_servers: str = ""
    client_settings: Mapping[str, Any] = field(default_factory=dict)  # of librdkafka, for all clients: TLS and the like
    registry_url: str = ""  # Confluent API of the schema registry
    topic_prefix: str = ""  # before topics, groups and transactional ids, so that installations can share a broker
    replication_factor: int = 1
    consumers: str = ""  # dotted path of the table of subscriptions
    state: str = ""  # dotted path of {topic: callable returning all aggregates' present state as events}
    superseding: tuple[str, ...] = ()  # topics, besides `-stream` ones, whose later events make the earlier ones void
    shards: int = 1  # parts of the key space that relays share among them
    relay_database: str = ""  # libpq address of the relay's direct connection; default: that of Django's database
    relay_idle_seconds: int = 30  # after which Postgres takes a frozen relay's shard away; a relay asks once a second
    stop_after: int = 20  # culprits in a row after which the consumer blames itself
    stop_percent: int = 10  # and share of a batch, where it has at least 100 events
    inbox_days: int = 97  # how long event ids are remembered: a topic's retention and a week

    @property
    def transactional_prefix(self) -> str:
        """Start of the `transactional.id` of this service's relays."""
        return f"{self.topic_prefix}{self.service}"

    def supersedes(self, topic: str) -> bool:
        """Whether a later event of a key says all that the earlier ones said."""
        return topic.endswith(STATE_SUFFIX) or topic in self.superseding


@lru_cache(maxsize=1)
def conf() -> Conf:
    """The settings; ImproperlyConfigured where `EVENTBUS` is missing or holds an unknown name."""
    given: dict[str, Any] = {name.lower(): value for name, value in getattr(settings, "EVENTBUS", {}).items()}
    unknown = set(given) - set(Conf.__slots__)
    if unknown or not {"service", "schemas"} <= set(given):
        raise ImproperlyConfigured(f"EVENTBUS needs SERVICE and SCHEMAS and knows no {sorted(unknown)}.")
    if not 1 <= given.get("shards", 1) <= SLOTS:
        raise ImproperlyConfigured(f"EVENTBUS has 1 to {SLOTS} SHARDS, not {given['shards']}.")
    given["schemas"] = Path(given["schemas"])
    given["superseding"] = tuple(given.get("superseding", ()))
    return Conf(**{name: value for name, value in given.items() if value is not None})


def _forget(*, setting: str, **_: Any) -> None:
    if setting == "EVENTBUS":
        conf.cache_clear()


setting_changed.connect(_forget, dispatch_uid="eventbus.conf")
