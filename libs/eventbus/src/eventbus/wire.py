"""From outbox rows to records: what the relay sends."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from eventbus.catalogue import Schema, catalogue
from eventbus.codec import Headers, frame, headers, unpack_headers
from eventbus.errors import InvalidEvent

COLUMNS = "id, topic, key, value, schema, event_id::text, event_time, traceparent, headers"


class WritingIds(Protocol):
    """Which id to write a schema with."""

    def id_of(self, schema: Schema) -> int | None:
        """The id, or None while the schema is not registered."""
        ...


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A record on its way; `topic` is without prefix."""

    id: int  # of its outbox row
    topic: str
    key: bytes
    value: bytes | None
    headers: Headers


def outgoing(row: Sequence[Any], ids: WritingIds) -> Outgoing:
    """The record of an outbox row read as COLUMNS. InvalidEvent while there is no schema or no id for it."""
    row_id, topic, key, value, sha256, event_id, event_time, traceparent, packed = row
    if sha256 is None:
        return Outgoing(row_id, topic, key, value, unpack_headers(packed))
    schema = catalogue().by_sha256.get(sha256)
    if schema is None:
        raise InvalidEvent(f"No schema file has the sha256 {sha256.hex()}.")
    schema_id = ids.id_of(schema)
    if schema_id is None:
        raise InvalidEvent(f"{schema.full_name} version {schema.version} is not registered: run register_schemas.")
    return Outgoing(row_id, topic, key, frame(schema_id, value), headers(schema, event_id, event_time, traceparent))
