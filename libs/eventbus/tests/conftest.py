"""Fixtures of the bus's own tests."""

import os
from collections.abc import Iterator

import pytest
from buses import Kafka, Memory
from sample import consumed

from eventbus.catalogue import catalogue
from eventbus.registry import CachedIds, Registry
from eventbus.topics import wanted_topics


@pytest.fixture(autouse=True)
def handlers_misbehave() -> Iterator[None]:
    """Each test starts with handlers that stumble again."""
    for switch in (consumed.healed, consumed.at_gate, consumed.gate):
        switch.clear()
    consumed.attempts.clear()
    yield
    consumed.healed.clear()


@pytest.fixture(scope="session")
def registered() -> list[tuple[int, str]]:
    """All schemas with the ids that the real registry gave them."""
    registry = Registry(os.environ["SCHEMA_REGISTRY_URL"])
    schemas = sorted(catalogue().schemas, key=lambda schema: schema.version)
    return [(registry.register(schema), schema.text) for schema in schemas]


@pytest.fixture
def cached_ids(registered: list[tuple[int, str]], db: None) -> CachedIds:
    """This service's database knows the ids."""
    ids = CachedIds()
    for schema_id, text in registered:
        ids.remember(schema_id, text)
    return ids


@pytest.fixture
def own_prefix(settings, request: pytest.FixtureRequest) -> str:
    """Topics, groups and transactional ids of this test alone."""
    prefix = f"{settings.EVENTBUS['TOPIC_PREFIX']}{abs(hash(request.node.nodeid)) % 10**8}-"
    settings.EVENTBUS = settings.EVENTBUS | {"TOPIC_PREFIX": prefix}
    return prefix


@pytest.fixture
def kafka(own_prefix: str, transactional_db: None, cached_ids: CachedIds) -> Iterator[Kafka]:
    """The real broker with topics of this test alone."""
    bus = Kafka()
    yield bus
    bus.delete(*[topic for topic in wanted_topics() if own_prefix + topic in bus.admin.list_topics(timeout=10).topics])


@pytest.fixture(params=["memory", "kafka"])
def bus(request: pytest.FixtureRequest, transactional_db: None) -> Memory | Kafka:
    """One broker after the other."""
    return Memory() if request.param == "memory" else request.getfixturevalue("kafka")
