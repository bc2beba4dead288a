"""Topics as code: their settings follow from their names."""

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourceType,
)

from eventbus.catalogue import catalogue
from eventbus.conf import STATE_SUFFIX, conf
from eventbus.kafka import client_settings
from eventbus.subscription import subscriptions

PARTITIONS = 12
RETENTION_MILLISECONDS = 90 * 24 * 60 * 60 * 1000
_SECONDS = 30


def settings_of(topic: str) -> dict[str, str]:
    """A topic of state keeps each key's last record for ever, the others keep 90 days."""
    kept = (
        {"cleanup.policy": "compact"}
        if topic.endswith(STATE_SUFFIX)
        else {"cleanup.policy": "delete", "retention.ms": str(RETENTION_MILLISECONDS)}
    )
    return kept | {"message.timestamp.type": "LogAppendTime"}


def wanted_topics() -> list[str]:
    """All topics of the catalogue, and where this service's dead letters are mirrored."""
    return [*catalogue().topics, *(found.dead_letter_topic for found in subscriptions().values())]


def create_topics() -> list[str]:
    """Create the topics that are missing and return their names; put the settings of the others right.

    KafkaException where the broker is away or refuses.
    """
    admin = AdminClient(client_settings())
    names = {conf().topic_prefix + topic: topic for topic in wanted_topics()}
    there = set(admin.list_topics(timeout=_SECONDS).topics)
    new = [
        NewTopic(name, PARTITIONS, conf().replication_factor, config=settings_of(topic))
        for name, topic in names.items()
        if name not in there
    ]
    created = []
    for name, future in (admin.create_topics(new, operation_timeout=_SECONDS) if new else {}).items():
        try:
            future.result()
        except KafkaException as error:
            # Another service's deployment was faster.
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise
        else:
            created.append(name)
    _put_right(admin, {name: topic for name, topic in names.items() if name in there})
    return created


def _put_right(admin: AdminClient, topics: dict[str, str]) -> None:
    if not topics:
        return
    wanted = {ConfigResource(ResourceType.TOPIC, name): settings_of(topic) for name, topic in topics.items()}
    changes = []
    for resource, future in admin.describe_configs(list(wanted)).items():
        present = future.result()
        wrong = {name: value for name, value in wanted[resource].items() if present[name].value != value}
        if wrong:
            changes.append(ConfigResource(resource.restype, resource.name, incremental_configs=_entries(wrong)))
    if changes:
        for changed in admin.incremental_alter_configs(changes).values():
            changed.result()


def _entries(settings: dict[str, str]) -> list[ConfigEntry]:
    return [ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET) for name, value in settings.items()]
