"""Every version is read with every other, both ways: FULL_TRANSITIVE, without a registry."""

from __future__ import annotations

import io
from itertools import product
from typing import Any

import fastavro
import pytest
from compatibility import breaks
from schema_files import SchemaFile, example_record, versions_of_each_event

from tests.conftest import changed

PAIRS = [pair for versions in versions_of_each_event().values() for pair in product(versions, repeat=2)]


def read(record: dict[str, Any], writer: dict[str, Any], reader: dict[str, Any]) -> Any:
    buffer = io.BytesIO()
    fastavro.schemaless_writer(buffer, fastavro.parse_schema(writer), record, strict=True)
    buffer.seek(0)
    return fastavro.schemaless_reader(buffer, fastavro.parse_schema(writer), fastavro.parse_schema(reader))


def test_an_example_comes_back_as_it_was_written(file: SchemaFile):
    record = example_record(file)

    assert read(record, file.schema, file.schema) == record


def test_an_example_names_its_event_version_and_producer(file: SchemaFile):
    named = {key: file.example[key] for key in ("event_name", "event_version", "producer")}

    assert named == {"event_name": file.name, "event_version": file.version, "producer": file.schema["producer"]}


@pytest.mark.parametrize(("writer", "reader"), PAIRS, ids=lambda file: f"{file.name}-{file.version}")
def test_each_version_is_read_with_every_other(writer: SchemaFile, reader: SchemaFile):
    written = example_record(writer)

    data = read(written, writer.schema, reader.schema)["data"]

    defaults = {field["name"]: field.get("default") for field in reader.data_fields}
    assert data == {name: written["data"].get(name, default) for name, default in defaults.items()}


@pytest.mark.parametrize(("old", "new"), PAIRS, ids=lambda file: f"{file.name}-{file.version}")
def test_no_version_breaks_another(old: SchemaFile, new: SchemaFile):
    assert breaks(old.schema, new.schema) == []


def test_a_breaking_change_is_found(file: SchemaFile, breaking_change: Any):
    assert breaks(file.schema, changed(file, breaking_change)) != []


def test_a_field_with_a_default_breaks_nothing(file: SchemaFile):
    def harmless(schema: dict[str, Any]) -> None:
        field = {"name": "added", "type": ["null", "string"], "default": None, "doc": "Harmless."}
        schema["fields"][-1]["type"]["fields"].append(field)

    assert breaks(file.schema, changed(file, harmless)) == []


def test_another_logical_type_or_record_name_breaks():
    time = {"type": "long", "logicalType": "timestamp-micros"}
    old = {"type": "record", "name": "A", "fields": [{"name": "at", "type": time}]}

    assert breaks(old, {**old, "fields": [{"name": "at", "type": "long"}]}) == ["A.at: its type changed"]
    assert breaks(old, {**old, "name": "B"}) == ["B: the record's name changed"]
