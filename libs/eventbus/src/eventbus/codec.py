"""Avro in the Confluent wire format (a zero byte, the schema's id, the body), and the checks on both sides."""

import json
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any, NamedTuple, Protocol, cast
from uuid import UUID

from fastavro import schemaless_reader, schemaless_writer

from eventbus.catalogue import Schema, catalogue
from eventbus.errors import InvalidEvent, Rejected
from eventbus.event import Event

MAX_VALUE_BYTES = 900_000  # the broker takes 1 MiB with headers
MAX_KEY_BYTES = 1_000
FUTURE = timedelta(minutes=5)
SHA256_HEADER = "schema-sha256"
TRACE_HEADER = "traceparent"
_PREFIX_BYTES = 5

Headers = list[tuple[str, bytes]]


class Record(NamedTuple):
    """A record as the broker gives it; `topic` is without prefix, `timestamp` the broker's, in milliseconds."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers
    timestamp: int

    @property
    def received_at(self) -> datetime:
        """The broker's timestamp, aware, UTC."""
        return datetime.fromtimestamp(self.timestamp / 1000, UTC)


class SchemaIds(Protocol):
    """Which id a schema has on the wire."""

    def schema(self, schema_id: int, sha256: bytes) -> Schema:
        """The schema that a record was written with, by its id and the header with its sha256 (hexadecimal).

        Rejected if it is unknown or another one.
        """
        ...


def encode(event: Event) -> tuple[Schema, bytes]:
    """The event's schema and its body (no wire prefix); InvalidEvent if it does not fit."""
    schema = catalogue().by_version.get((event.name, event.version))
    if schema is None:
        raise InvalidEvent(f"{event.name} version {event.version} is not among the schemas.")
    try:
        body = _write(schema, event)
    except InvalidEvent:
        raise
    except Exception as error:
        raise InvalidEvent(f"{event.name} version {event.version}: {error}") from error
    if len(body) > MAX_VALUE_BYTES:
        raise InvalidEvent(f"{event.name} has {len(body)} bytes, more than {MAX_VALUE_BYTES}.")
    return schema, body


def _write(schema: Schema, event: Event) -> bytes:
    data = event.data
    if not event.key or event.key != str(data.get(schema.key)) or len(event.key.encode()) > MAX_KEY_BYTES:
        raise InvalidEvent(f"{event.name}: the key must be data[{schema.key!r}], at most {MAX_KEY_BYTES} bytes.")
    if "\x00" in event.key:
        raise InvalidEvent(f"{event.name}: a key holds no zero character.")
    envelope = {
        "event_id": str(event.id),
        "event_name": event.name,
        "event_version": event.version,
        "event_time": event.time,
        "producer": schema.producer,
        "data": data,
    }
    try:
        return schema.write(envelope)
    except Exception:
        _refuse_what_avro_would_bend(schema, event)
        buffer = BytesIO()
        schemaless_writer(buffer, schema.parsed, envelope, strict_allow_default=True)
        return buffer.getvalue()


def _refuse_what_avro_would_bend(schema: Schema, event: Event) -> None:
    """A time without a zone, and a number that is none: fastavro writes both, as something else."""
    for value in (event.time, *event.data.values()):
        if isinstance(value, datetime) and value.utcoffset() is None:
            raise InvalidEvent(f"{event.name}: {value} has no time zone.")
    for name in schema.integers:
        if (number := event.data.get(name)) is not None and type(number) is not int:
            raise InvalidEvent(f"{event.name}: {name} must be a whole number, not {number!r}.")


def frame(schema_id: int, body: bytes) -> bytes:
    """The record's value: prefix and body."""
    return b"\x00" + schema_id.to_bytes(4, "big") + body


def fixed_headers(schema: Schema) -> Headers:
    """The headers that all records of a schema share: CloudEvents' and the schema's sha256."""
    return [
        ("ce_specversion", b"1.0"),
        ("ce_type", f"{schema.full_name}.v{schema.version}".encode()),
        ("ce_source", f"/{schema.producer}".encode()),
        ("content-type", b"application/avro"),
        (SHA256_HEADER, schema.sha256.hex().encode()),
    ]


def headers(fixed: Headers, event_id: str, time: datetime, traceparent: str) -> Headers:
    """All headers of a record."""
    found = [*fixed, ("ce_id", event_id.encode()), ("ce_time", time.isoformat().encode())]
    if traceparent:
        found.append((TRACE_HEADER, traceparent.encode()))
    return found


def read_body(schema: Schema, value: bytes, start: int = 0) -> dict[str, Any]:
    """The envelope in `value` from `start` on. Rejected if it is not exactly one."""
    try:
        return schema.read(value, start)
    except Exception:
        return _read_slowly(schema, value, start)


def _read_slowly(schema: Schema, value: bytes, start: int) -> dict[str, Any]:
    buffer = BytesIO(value)
    buffer.seek(start)
    try:
        envelope: Any = schemaless_reader(buffer, schema.parsed, None)
    except Exception as error:  # whatever broken bytes lead fastavro to
        raise Rejected("malformed", f"{schema.name}: {type(error).__name__}: {error}") from error
    if buffer.tell() != len(value):
        raise Rejected("malformed", f"{schema.name}: {len(value) - buffer.tell()} bytes are left over.")
    return cast("dict[str, Any]", envelope)


def decode(record: Record, ids: SchemaIds) -> Event:
    """The event in a record. Rejected with a reason if there is none that may be believed."""
    value = record.value or b""
    if len(value) <= _PREFIX_BYTES or value[0] != 0:
        raise Rejected("malformed", "The value does not start with a schema id.")
    told = dict(record.headers)
    if (sha256 := told.get(SHA256_HEADER)) is None:
        raise Rejected("malformed", "The record does not say the sha256 of its schema.")
    schema = ids.schema(int.from_bytes(value[1:_PREFIX_BYTES], "big"), sha256)
    envelope = read_body(schema, value, _PREFIX_BYTES)
    if envelope["event_name"] != schema.name or envelope["event_version"] != schema.version:
        found = f"{envelope['event_name']} version {envelope['event_version']}"
        raise Rejected("wrong_name", f"Written as {schema.name} version {schema.version}, says {found}.")
    if envelope["producer"] != schema.producer:
        raise Rejected("other_producer", f"{schema.topic} is written by {schema.producer}, not {envelope['producer']}.")
    if record.topic != schema.topic:
        raise Rejected("wrong_topic", f"{schema.name} belongs on {schema.topic}.")
    if len(record.key or b"") > MAX_KEY_BYTES:
        raise Rejected("wrong_key", f"{schema.name}: a key has at most {MAX_KEY_BYTES} bytes.")
    try:
        key = (record.key or b"").decode()
        event_id = UUID(envelope["event_id"])
    except ValueError as error:
        raise Rejected("malformed", f"{schema.name}: {error}") from error
    if not key or key != str(envelope["data"][schema.key]) or "\x00" in key:
        raise Rejected("wrong_key", f"{schema.name}: the record's key is not its {schema.key}.")
    return Event(
        name=schema.name,
        version=schema.version,
        key=key,
        time=envelope["event_time"],
        data=envelope["data"],
        id=event_id,
        traceparent=(told.get(TRACE_HEADER) or b"").decode("ascii", "replace"),
        topic=schema.topic,
        producer=schema.producer,
        received_at=datetime.fromtimestamp(record.timestamp / 1000, UTC),
        partition=record.partition,
        offset=record.offset,
    )


def is_future(event: Event) -> bool:
    """Whether it claims to have happened more than five minutes after the broker received it."""
    return event.received_at is not None and event.time > event.received_at + FUTURE


def parse_sha256(header: bytes) -> bytes:
    """The sha256 that a header names; Rejected if it names none."""
    try:
        return bytes.fromhex(header.decode("ascii"))
    except (AttributeError, ValueError) as error:
        raise Rejected("malformed", f"{header!r} is no sha256 of a schema.") from error


def pack_headers(found: Headers) -> bytes:
    """Headers as they are kept in a table: they may hold any bytes."""
    return json.dumps([[name, (value or b"").decode("latin-1")] for name, value in found]).encode()


def unpack_headers(packed: bytes) -> Headers:
    """The reverse of `pack_headers`."""
    return [(name, value.encode("latin-1")) for name, value in json.loads(bytes(packed))]
