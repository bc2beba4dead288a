"""From outbox rows to records: what the relay sends."""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from eventbus.catalogue import Schema, catalogue
from eventbus.codec import Headers, fixed_headers, frame, headers, unpack_headers
from eventbus.errors import InvalidEvent

COLUMNS = "id, topic, key, value, schema, event_id::text, event_time, traceparent, headers"


class WritingIds(Protocol):
    """Which id to write a schema with."""

    def id_of(self, schema: Schema) -> int | None:
        """The id, or None while the schema is not registered."""
        ...


class Outgoing(NamedTuple):
    """A record on its way; `topic` is without prefix."""

    id: int  # of its outbox row
    topic: str
    key: bytes
    value: bytes | None
    headers: Headers


class Wire:
    """Makes records of outbox rows; what a schema's records share is looked up once."""

    def __init__(self, ids: WritingIds) -> None:
        self._ids = ids
        self._shared: dict[bytes, tuple[bytes, Headers]] = {}  # by sha256: start of the value, headers

    def outgoing(self, row: Sequence[Any]) -> Outgoing:
        """The record of an outbox row read as COLUMNS. InvalidEvent while there is no schema or no id for it."""
        row_id, topic, key, value, sha256, event_id, event_time, traceparent, packed = row
        if sha256 is None:
            return Outgoing(row_id, topic, key, value, unpack_headers(packed))
        shared = self._shared.get(sha256)
        if shared is None:
            shared = self._shared[sha256] = self._look_up(sha256)
        start, fixed = shared
        return Outgoing(row_id, topic, key, start + value, headers(fixed, event_id, event_time, traceparent))

    def _look_up(self, sha256: bytes) -> tuple[bytes, Headers]:
        schema = catalogue().by_sha256.get(sha256)
        if schema is None:
            raise InvalidEvent(f"No schema file has the sha256 {sha256.hex()}.")
        schema_id = self._ids.id_of(schema)
        if schema_id is None:
            raise InvalidEvent(f"{schema.full_name} version {schema.version} is not registered: run register_schemas.")
        return frame(schema_id, b""), fixed_headers(schema)
