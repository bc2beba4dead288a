"""Partitions that are taken from a consumer and given back to it, while it waits too."""

from buses import until
from django.db import connection
from sample.models import Effect
from sample.published import bank
from structlog.testing import capture_logs
from test_consumer import numbers, running, step_until

from eventbus.conf import conf
from eventbus.consumer import Consumer
from eventbus.heartbeat import Heartbeat
from eventbus.kafka_source import KafkaSource


def give_back(source: KafkaSource) -> None:
    """Let the group give out what was taken."""
    topic = conf().topic_prefix + "payments"
    source._consumer.subscribe([topic], on_assign=source._assigned, on_revoke=source._revoked)


def test_a_partition_that_was_taken_while_paused_is_read_when_it_comes_back(kafka):
    consumer = Consumer.on_kafka("payments")
    source = consumer._source
    step_until(consumer, lambda: len(source.positions) == 3)
    source.poll_paused(0.1)  # as while the database is away
    source._consumer.unsubscribe()
    until(lambda: source.poll_paused(0.1) or not source.positions)
    source.poll(1, 0.1)  # the database is back, before the partitions are
    give_back(source)
    for number in range(9):
        kafka.send(bank("PaymentMade", f"a{number}", number))
    step_until(consumer, lambda: Effect.objects.count() == 9)
    consumer.close()
    assert sorted(numbers()) == list(range(9))


def test_a_stopped_partition_is_read_when_somebody_has_decided_and_it_comes_back(kafka):
    kafka.send(bank("PaymentMade", number=1))
    consumer = Consumer.on_kafka("payments")
    source = consumer._source
    step_until(consumer, lambda: numbers() == [1] and len(source.positions) == 3)
    for partition in list(source.positions):
        source.positions.pop(partition)
        source._stop_reading(partition, "as where its topic is another one")
    source._consumer.unsubscribe()
    until(lambda: source.poll_paused(0.1) or not source._stopped)
    give_back(source)
    kafka.send(bank("PaymentMade", number=2))
    step_until(consumer, lambda: numbers() == [1, 2])
    consumer.close()


def test_a_consumer_that_waits_for_its_positions_is_alive(kafka, monkeypatch, tmp_path):
    alive = tmp_path / "alive"
    with monkeypatch.context() as away, capture_logs() as lines:
        away.setitem(connection.settings_dict, "PORT", "9")  # the discard port: refused at once
        with running("payments", Heartbeat(str(alive))) as consumer:
            until(lambda: "positions_not_read" in [line["event"] for line in lines])
            waiting_since = alive.stat().st_mtime
            until(lambda: alive.stat().st_mtime > waiting_since + 1.5, 10)
            assert not consumer._source.positions
            away.undo()
            until(lambda: len(consumer._source.positions) == 3)
