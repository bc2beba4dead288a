"""The compiled writers and readers, held to fastavro: the same bytes and values, or no answer at all."""

import json
from datetime import UTC, datetime, timedelta, timezone
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from fastavro import parse_schema, schemaless_reader, schemaless_writer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sample.published import EPOCH

from eventbus import Event, InvalidEvent, flat
from eventbus.catalogue import catalogue
from eventbus.codec import Record, decode, encode, fixed_headers, frame, headers
from eventbus.registry import FixedIds

HERE = Path(__file__).parent
FILES = sorted([*HERE.parents[2].glob("schemas/*/*/*.avsc"), *HERE.glob("sample/schemas/*/*/*.avsc")])
SCHEMAS = {"/".join(path.parts[-4:]): parse_schema(json.loads(path.read_text())) for path in FILES}
WRITERS = {name: flat.writer(schema) for name, schema in SCHEMAS.items()}
READERS = {name: flat.reader(schema) for name, schema in SCHEMAS.items()}
YEARS = datetime(2020, 1, 1), datetime(2200, 1, 1)  # noqa: DTZ001 - bounds have no zone
ALL = {
    "null": st.none(),
    "string": st.text() | st.just("ü" * 600),
    "int": st.integers(-(2**31), 2**31 - 1),
    "long": st.integers(-(2**63), 2**63 - 1),
    "boolean": st.booleans(),
    "date": st.dates(),
    "timestamp-micros": st.datetimes(timezones=st.just(UTC)),
}
USUAL = ALL | {
    "string": st.uuids().map(str) | st.text(max_size=100),
    "long": st.integers(-(10**9), 10**9),
    "timestamp-micros": st.datetimes(*YEARS, timezones=st.just(UTC)),
}
JUNK = st.sampled_from(
    ["", b"bytes", 1.0, True, None, 2**31, 2**63, EPOCH, EPOCH.replace(tzinfo=None), EPOCH.date(), [], {}, "\udc00"]
)


def values(avro_type: Any, simple: dict[str, st.SearchStrategy]) -> st.SearchStrategy:
    """Values of a type, made of simple ones."""
    if isinstance(avro_type, list):
        return st.one_of(*(values(member, simple) for member in avro_type))
    if isinstance(avro_type, str):
        return simple[avro_type]
    if avro_type["type"] == "record":
        return st.fixed_dictionaries({field["name"]: values(field["type"], simple) for field in avro_type["fields"]})
    return simple[avro_type["logicalType"]]


def about_each_schema(test: Any) -> Any:
    few = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    return pytest.mark.parametrize("name", SCHEMAS)(few(given(data=st.data())(test)))


def by_fastavro(schema: Any, envelope: Any) -> bytes:
    buffer = BytesIO()
    schemaless_writer(buffer, schema, envelope, strict_allow_default=True)
    return buffer.getvalue()


def read_by_fastavro(schema: Any, value: bytes) -> Any:
    buffer = BytesIO(value)
    found = schemaless_reader(buffer, schema, None)
    assert buffer.tell() == len(value)
    return found


def answer(function: Any, *arguments: Any) -> Any:
    """What it returns, or None where it raises."""
    try:
        return function(*arguments)
    except Exception:
        return None


@about_each_schema
def test_bytes_and_values_are_those_of_fastavro(name, data):
    schema = SCHEMAS[name]
    envelope = data.draw(values(schema, ALL))
    expected = by_fastavro(schema, envelope)
    assert answer(WRITERS[name], envelope) in [expected, None]
    assert answer(READERS[name], b"head" + expected, 4) in [envelope, None]


@about_each_schema
def test_usual_events_are_plain_cases(name, data):
    envelope = data.draw(values(SCHEMAS[name], USUAL))
    written = WRITERS[name](envelope)
    assert written == by_fastavro(SCHEMAS[name], envelope)
    assert READERS[name](written, 0) == envelope


@about_each_schema
def test_what_does_not_fit_is_never_written_otherwise_than_by_fastavro(name, data):
    envelope = data.draw(values(SCHEMAS[name], USUAL))
    record = data.draw(st.sampled_from([envelope, envelope["data"]]))
    record[data.draw(st.sampled_from([*record, "one_too_many"]))] = data.draw(JUNK)
    if data.draw(st.booleans()):
        record.pop(data.draw(st.sampled_from([*record])))
    found = answer(WRITERS[name], envelope)
    assert found is None or found == by_fastavro(SCHEMAS[name], envelope)


@about_each_schema
def test_damaged_bytes_are_never_read_otherwise_than_by_fastavro(name, data):
    value = bytearray(by_fastavro(SCHEMAS[name], data.draw(values(SCHEMAS[name], USUAL))))
    for _ in range(data.draw(st.integers(1, 3))):
        value[data.draw(st.integers(0, len(value) - 1))] = data.draw(st.integers(0, 255))
    damaged = bytes(value[: data.draw(st.integers(0, len(value)))]) if data.draw(st.booleans()) else bytes(value)
    found = answer(READERS[name], damaged, 0)
    assert found is None or found == read_by_fastavro(SCHEMAS[name], damaged)


@pytest.mark.parametrize(
    "avro_type",
    [
        {"type": "array", "items": "string"},
        {"type": "enum", "name": "E", "symbols": ["A"]},
        {"type": "long", "logicalType": "timestamp-millis"},
        ["null", "string", "long"],
        ["string", "long"],
        "bytes",
        "double",
    ],
)
def test_other_types_are_left_to_fastavro(avro_type):
    schema = {"type": "record", "name": "R", "fields": [{"name": "a", "type": avro_type}]}
    assert flat.writer(schema) is None
    assert flat.reader(schema) is None


def test_null_may_come_last_in_a_union():
    schema = {"type": "record", "name": "R", "fields": [{"name": "a", "type": ["long", "null"]}]}
    for value in (None, 0, -1, 10**6):
        written = flat.writer(schema)({"a": value})
        assert written == by_fastavro(schema, {"a": value})
        assert flat.reader(schema)(written, 0) == {"a": value}


def test_an_event_whose_schema_is_not_flat_goes_through_all_the_same(settings, tmp_path):
    source = json.loads((HERE / "sample/schemas/bank/payment_noticed/1.avsc").read_text())
    data = next(field for field in source["fields"] if field["name"] == "data")["type"]
    fields = [*data["fields"], {"name": "tags", "type": {"type": "array", "items": "string"}, "default": []}]
    changed = [f | {"type": data | {"fields": fields}} if f["name"] == "data" else f for f in source["fields"]]
    folder = tmp_path / "bank" / "payment_noticed"
    folder.mkdir(parents=True)
    (folder / "1.avsc").write_text(json.dumps(source | {"fields": changed}))
    settings.EVENTBUS = settings.EVENTBUS | {"SCHEMAS": tmp_path, "CONSUMERS": None}
    given = {"account_id": "a1", "number": 7, "text": "", "tags": ["a", "b"]}
    event = Event(name="PaymentNoticed", version=1, key="a1", time=EPOCH, data=given)
    schema, body = encode(event)
    assert catalogue().by_version["PaymentNoticed", 1] is schema
    told = headers(fixed_headers(schema), str(event.id), event.time, "")
    record = Record(schema.topic, 0, 0, b"a1", frame(1, body), told, 0)
    assert decode(record, FixedIds()).data == given
    with pytest.raises(InvalidEvent, match="time zone"):
        encode(Event(name="PaymentNoticed", version=1, key="a1", time=EPOCH.replace(tzinfo=None), data=given))


def test_a_time_in_another_zone_is_the_same_moment():
    name = "schemas/bank/payment_noticed/1.avsc"
    envelope = {"event_id": "", "event_name": "", "event_version": 1, "event_time": EPOCH, "producer": ""}
    envelope["data"] = {"account_id": "a1", "number": 7, "text": ""}
    elsewhere = EPOCH.astimezone(timezone(timedelta(hours=5)))
    assert WRITERS[name](envelope | {"event_time": elsewhere}) == by_fastavro(SCHEMAS[name], envelope)
