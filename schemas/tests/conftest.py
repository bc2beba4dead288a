from __future__ import annotations

import copy
from typing import Any

import pytest
from schema_files import SchemaFile, schema_files


def data_fields(schema: dict[str, Any]) -> list[dict[str, Any]]:
    return next(field for field in schema["fields"] if field["name"] == "data")["type"]["fields"]


def without_default(schema: dict[str, Any]) -> None:
    data_fields(schema).append({"name": "added", "type": "string", "doc": "An old record has none."})


def another_type(schema: dict[str, Any]) -> None:
    field = data_fields(schema)[0]
    field["type"] = "long" if field["type"] == "string" else "string"


def required_field_removed(schema: dict[str, Any]) -> None:
    fields = data_fields(schema)
    fields.remove(next(field for field in fields if "default" not in field))


BREAKING_CHANGES = [without_default, another_type, required_field_removed]


@pytest.fixture(params=BREAKING_CHANGES, ids=lambda change: change.__name__)
def breaking_change(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture(params=schema_files(), ids=lambda file: f"{file.name}-{file.version}")
def file(request: pytest.FixtureRequest) -> SchemaFile:
    return request.param


def changed(file: SchemaFile, change: Any) -> dict[str, Any]:
    schema = copy.deepcopy(file.schema)
    change(schema)
    return schema
