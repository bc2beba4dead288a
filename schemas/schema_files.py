"""The schema files as the scripts and tests of this folder see them. Services read them through `eventbus`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True)
class SchemaFile:
    path: Path
    schema: dict[str, Any]

    @property
    def name(self) -> str:
        return str(self.schema["name"])

    @property
    def version(self) -> int:
        return int(self.path.stem)

    @property
    def domain(self) -> str:
        return self.path.parent.parent.name

    @property
    def example_path(self) -> Path:
        return self.path.with_name(f"{self.version}.example.json")

    @property
    def example(self) -> dict[str, Any]:
        """The example as it stands in the file: times and dates are ISO strings."""
        loaded: dict[str, Any] = json.loads(self.example_path.read_text(encoding="utf-8"))
        return loaded

    @property
    def data_fields(self) -> list[dict[str, Any]]:
        data = next(field for field in self.schema["fields"] if field["name"] == "data")
        fields: list[dict[str, Any]] = data["type"]["fields"]
        return fields


def schema_files(root: Path = ROOT) -> list[SchemaFile]:
    """Every version of every event, by domain, event and version."""
    found = [SchemaFile(path, json.loads(path.read_text(encoding="utf-8"))) for path in root.glob("*/*/*.avsc")]
    return sorted(found, key=lambda file: (file.domain, file.name, file.version))


def versions_of_each_event(root: Path = ROOT) -> dict[str, list[SchemaFile]]:
    events: dict[str, list[SchemaFile]] = {}
    for file in schema_files(root):
        events.setdefault(f"{file.schema['namespace']}.{file.name}", []).append(file)
    return events


def example_record(file: SchemaFile) -> dict[str, Any]:
    """The example with Python's times and dates, as Avro takes and gives them."""
    record = dict(file.example)
    record["event_time"] = datetime.fromisoformat(record["event_time"]).astimezone(UTC)
    record["data"] = {field["name"]: _typed(field["type"], record["data"][field["name"]]) for field in file.data_fields}
    return record


def _typed(avro_type: Any, value: Any) -> Any:
    logical_types = {branch.get("logicalType") for branch in branches(avro_type) if isinstance(branch, dict)}
    if value is not None and "timestamp-micros" in logical_types:
        return datetime.fromisoformat(value).astimezone(UTC)
    if value is not None and "date" in logical_types:
        return date.fromisoformat(value)
    return value


def branches(avro_type: Any) -> list[Any]:
    """The branches of a union; a plain type is a union of one."""
    return list(avro_type) if isinstance(avro_type, list) else [avro_type]


def types_within(avro_type: Any) -> Iterator[Any]:
    """The type and every type inside it."""
    for branch in branches(avro_type):
        yield branch
        if isinstance(branch, dict):
            inner = [field["type"] for field in branch.get("fields", [])]
            inner += [branch[key] for key in ("items", "values") if key in branch]
            for part in inner:
                yield from types_within(part)
