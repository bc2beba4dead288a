"""A service that is new, or lost its database, learns the world from topics that keep each key's last record only."""

from collections import Counter

from buses import until
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType
from sample.models import Effect
from sample.published import bank

from eventbus.conf import conf

KEYS = ("a1", "a2", "a3", "a4")
ROUNDS = 5


def compact_at_once(kafka, topic: str) -> None:
    """Let the broker clean whatever is behind the newest segment, and begin a segment with nearly every record."""
    wanted = {"segment.ms": "50", "min.cleanable.dirty.ratio": "0.001"}
    entries = [ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET) for name, value in wanted.items()]
    resource = ConfigResource(ResourceType.TOPIC, conf().topic_prefix + topic, incremental_configs=entries)
    (future,) = kafka.admin.incremental_alter_configs([resource]).values()
    future.result()


def test_a_new_consumer_reaches_the_same_state_from_a_compacted_topic(kafka):
    compact_at_once(kafka, "bank-stream")
    for number in range(1, ROUNDS + 1):
        for key in KEYS:
            kafka.send(bank("AccountState", key, number))
    kafka.consume("state", len(KEYS) * ROUNDS)
    before = dict(Effect.objects.order_by("id").values_list("key", "number"))
    sent = iter(range(ROUNDS + 1, 10_000))

    def is_compacted() -> bool:
        for filler in range(12):
            kafka.send(bank("AccountState", f"filler{filler}", next(sent)))
        kept = Counter(record.key.decode() for record in kafka.records("bank-stream"))
        return all(kept[key] == 1 for key in KEYS)

    until(is_compacted, seconds=60)
    Effect.objects.all().delete()
    kafka.forget("state")
    kafka.consume("state", len(kafka.records("bank-stream")))
    after = list(Effect.objects.filter(key__in=KEYS).values_list("key", "number"))
    assert sorted(after) == sorted((key, number) for key, number in before.items() if key in KEYS)
    assert len(after) == len(KEYS)
