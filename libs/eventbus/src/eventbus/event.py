"""What is published and consumed."""

import secrets
import time as clock
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

_NAMESPACE = UUID("6f2c1a5e-3d0b-5c7e-9a41-8b7d5e2f0c93")
_RANDOM_BITS = 74


def event_id(idempotency_key: str) -> UUID:
    """The id of an event that is caused by an event: the same for the same key, also after a replay or a restore."""
    return uuid5(_NAMESPACE, idempotency_key)


def new_id() -> UUID:
    """A UUID of version 7: it starts with the time, so that indexes grow at their end."""
    milliseconds = clock.time_ns() // 1_000_000
    random = secrets.randbits(_RANDOM_BITS)
    high, low = random >> 62, random & ((1 << 62) - 1)
    return UUID(int=(milliseconds & ((1 << 48) - 1)) << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One fact. `time` is when it happened (aware, UTC); `data` are the fields of the schema's `data` record.

    `traceparent` is the trace it belongs to: its cause's, if that is given, or else the current one.
    The last five are filled in by the bus: topic and producer from the schema, the rest on the consuming side.
    """

    name: str
    version: int
    key: str
    time: datetime
    data: Mapping[str, Any]
    id: UUID = field(default_factory=new_id)
    traceparent: str = ""
    topic: str = ""
    producer: str = ""
    received_at: datetime | None = None
    partition: int | None = None
    offset: int | None = None
