"""Large records: relay and consumer take as many at once as their memory bears."""

import json
import os
import time

from buses import PARTITIONS
from confluent_kafka import Consumer as PlainConsumer
from confluent_kafka import TopicPartition
from django.db import transaction
from sample.published import order
from test_relay import claimed, commit

from eventbus.conf import conf
from eventbus.kafka import consumer_settings
from eventbus.models import OutboxRow
from eventbus.outbox import publish_copies
from eventbus.relay import BATCH_BYTES

LARGE = 800_000
KEPT_BYTES = 16_384 * 1024
SENT = 60


def large(count: int) -> None:
    """Rows that cannot be compressed, by ten at a time."""
    for start in range(0, count, 10):
        with transaction.atomic():
            publish_copies([("orders", b"o%d" % n, os.urandom(LARGE), []) for n in range(start, start + 10)])


def test_a_batch_holds_so_many_bytes_and_all_are_sent_in_order(kafka):
    large(30)
    with claimed() as relay:
        taken = relay.take()
        assert [len(row[3]) for row in taken] == [LARGE] * (BATCH_BYTES // LARGE)
        sent = [relay.step() for _ in range(4)]
    assert sent == [10, 10, 10, 0]
    assert not OutboxRow.objects.exists()


def test_headers_count_and_one_row_goes_however_large_it_is(kafka, monkeypatch):
    monkeypatch.setattr("eventbus.relay.BATCH_BYTES", 1_000)
    with transaction.atomic():
        publish_copies([("orders", b"o1", None, [("note", b"x" * 600)]) for _ in range(3)])
        publish_copies([("orders", b"o1", b"x" * 5_000, [])])
    commit(*(order("OrderPlaced", "o2") for _ in range(5)))
    with claimed() as relay:
        assert [relay.step() for _ in range(5)] == [2, 2, 5, 0, 0]


def test_what_a_consumer_has_fetched_beforehand_is_bounded(kafka):
    large(SENT)
    assert kafka.relay() == SENT
    queued: list[int] = []

    def note(statistics: str) -> None:
        topics = json.loads(statistics)["topics"].values()
        # The queue is one for all partitions, and each tells of the whole.
        queued.append(max(p["fetchq_size"] for topic in topics for p in topic["partitions"].values()))

    consumer = PlainConsumer(consumer_settings("memory") | {"stats_cb": note, "statistics.interval.ms": 200})
    consumer.assign([TopicPartition(conf().topic_prefix + "orders", number, 0) for number in range(PARTITIONS)])
    while len(queued) < 15:
        consumer.poll(0.5)
        time.sleep(0.2)  # slower than the broker gives
    consumer.close()
    assert 0 < max(queued) < 1.5 * KEPT_BYTES
