"""The same promises, kept by the real registry."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from confluent_kafka.schema_registry import (
    ConfigCompatibilityLevel,
    Schema,
    SchemaRegistryClient,
    SchemaRegistryError,
    ServerConfig,
)
from schema_files import SchemaFile, versions_of_each_event

from dev.pytest_servers import find_servers
from tests.conftest import BREAKING_CHANGES, changed

EVENTS = list(versions_of_each_event().values())


@pytest.fixture(scope="module")
def registry() -> Iterator[SchemaRegistryClient]:
    servers, owned = find_servers()
    yield SchemaRegistryClient({"url": servers.registry.url})
    if owned:
        servers.destroy()


@pytest.fixture
def subject(registry: SchemaRegistryClient) -> Iterator[str]:
    """A subject of this test alone, held to FULL_TRANSITIVE."""
    name = f"test-{uuid4()}"
    level = ConfigCompatibilityLevel.FULL_TRANSITIVE
    registry.set_config(name, ServerConfig(compatibility=level))
    yield name
    registry.delete_subject(name)


def register(registry: SchemaRegistryClient, subject: str, schema: dict[str, Any]) -> int:
    return registry.register_schema(subject, Schema(json.dumps(schema), "AVRO"))


@pytest.mark.parametrize("versions", EVENTS, ids=lambda versions: versions[0].name)
def test_all_versions_of_an_event_register_in_any_order(
    registry: SchemaRegistryClient, subject: str, versions: list[SchemaFile]
):
    for file in [*versions, *reversed(versions)]:
        register(registry, subject, file.schema)

    assert len(registry.get_versions(subject)) == len(versions)


@pytest.mark.parametrize("change", BREAKING_CHANGES, ids=lambda change: change.__name__)
def test_a_breaking_change_is_answered_409(registry: SchemaRegistryClient, subject: str, change: Any):
    latest = next(versions for versions in EVENTS if len(versions) > 1)[-1]
    register(registry, subject, latest.schema)

    with pytest.raises(SchemaRegistryError) as refused:
        register(registry, subject, changed(latest, change))

    assert refused.value.http_status_code == 409


def test_a_change_that_only_the_first_version_cannot_read_is_answered_409(registry: SchemaRegistryClient, subject: str):
    """TRANSITIVE: `title` came in version 2 with a default; without that, records of version 1 are unreadable."""
    first, second = next(versions for versions in EVENTS if versions[0].name == "TaskCreated")
    register(registry, subject, first.schema)
    register(registry, subject, second.schema)
    third = copy.deepcopy(second.schema)
    title = next(field for field in third["fields"][-1]["type"]["fields"] if field["name"] == "title")
    del title["default"]

    with pytest.raises(SchemaRegistryError) as refused:
        register(registry, subject, third)

    assert refused.value.http_status_code == 409
