"""The consumer on the real broker: positions, group, replaced topics, things that are away."""

import re
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from buses import until
from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException, Producer
from django.core.management import CommandError, call_command
from django.db import connection, connections, transaction
from prometheus_client import REGISTRY
from sample import consumed
from sample.models import Effect
from sample.published import bank, order
from structlog.testing import capture_logs

from eventbus import ConsumerStopped, consumed_until, publish
from eventbus.conf import conf
from eventbus.consumer import Consumer
from eventbus.heartbeat import Heartbeat
from eventbus.kafka import producer_settings
from eventbus.models import ConsumerGroup, ConsumerOffset, DeadLetter, InboxRow, OffsetDecision
from eventbus.positions import Position
from eventbus.registry import CachedIds
from eventbus.testing import wire


def numbers() -> list[int]:
    return list(Effect.objects.order_by("id").values_list("number", flat=True))


def metric(name: str) -> float:
    return REGISTRY.get_sample_value(name, {"group": "shop.payments"}) or 0.0


@contextmanager
def running(name: str = "payments", heartbeat: Heartbeat | None = None):
    """A consumer in a thread, with a database connection of its own."""

    def run() -> None:
        try:
            consumer.run()
        finally:
            connections.close_all()

    consumer = Consumer.on_kafka(name, heartbeat)
    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield consumer
    finally:
        consumer.stop()
        thread.join()


def step_until(consumer: Consumer, condition) -> None:
    until(lambda: consumer.step(0.1) >= 0 and condition())


def test_the_members_of_a_group_share_the_partitions_and_each_event_is_applied_once(kafka):
    with running() as first, running() as second:
        until(lambda: first._source.positions and second._source.positions)
        for number in range(60):
            kafka.send(bank("PaymentMade", f"a{number}", number))
        until(lambda: Effect.objects.count() >= 60)
    assert sorted(numbers()) == list(range(60))
    kafka.consume("payments", 0)
    assert Effect.objects.count() == 60


def test_a_batch_that_another_consumer_was_faster_with_is_refused(kafka):
    before = metric("eventbus_fenced_total")
    kafka.send(bank("PaymentMade", number=1))
    consumer = Consumer.on_kafka("payments")
    step_until(consumer, lambda: numbers() == [1])
    kafka.send(bank("PaymentMade", number=2))
    # As the rightful owner would after a rebalance that we slept through.
    moved = ConsumerOffset.objects.get(topic="payments", position__gt=0)
    ConsumerOffset.objects.filter(pk=moved.pk).update(position=moved.position + 1)
    kafka.send(bank("PaymentMade", number=3))
    step_until(consumer, lambda: 3 in numbers())
    consumer.close()
    assert numbers() == [1, 3]
    assert metric("eventbus_fenced_total") > before


def test_a_transient_error_keeps_the_record_and_the_membership(kafka):
    kafka.send(bank("PaymentMade", number=1, text="away"))
    with running():
        until(lambda: len(consumed.attempts) >= 3)
        consumed.healed.set()
        until(lambda: numbers() == [1])
        kafka.send(bank("PaymentMade", number=2))
        until(lambda: numbers() == [1, 2])
    assert not DeadLetter.objects.exists()


def test_a_lost_database_connection_is_replaced(kafka):
    with running():
        kafka.send(bank("PaymentMade", number=1))
        until(lambda: numbers() == [1])
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        kafka.send(bank("PaymentMade", number=2))
        until(lambda: numbers() == [1, 2])


def test_a_handler_whose_session_postgres_ended_is_tried_again_and_not_to_blame(kafka):
    kafka.send(bank("PaymentMade", number=1, text="idle too long"))
    with capture_logs() as lines:
        kafka.consume("payments", 1)
    assert numbers() == [1]
    assert not DeadLetter.objects.exists()
    assert [line["event"] for line in lines][:2] == ["try_again", "event_applied"]


def test_lag_is_nothing_once_all_is_consumed_although_transactions_leave_gaps(kafka):
    with transaction.atomic():
        publish(order("OrderPlaced"))
    kafka.relay()
    consumer = Consumer.on_kafka("orders")
    step_until(consumer, lambda: numbers() == [1])
    step_until(consumer, lambda: consumed_until("orders") is not None)
    consumer.close()
    assert abs((datetime.now(UTC) - consumed_until("orders")).total_seconds()) < 60
    labels = {"group": "shop.orders", "topic": "orders"}
    lags = [
        REGISTRY.get_sample_value("eventbus_consumer_lag_records", labels | {"partition": str(p)}) for p in range(3)
    ]
    assert lags == [0, 0, 0]


def test_a_partition_that_is_read_again_is_not_caught_up_before_it_was_applied_again(kafka):
    for number in (1, 2, 3):
        kafka.send(bank("PaymentMade", number=number))
    consumer = Consumer.on_kafka("payments")
    source = consumer._source
    step_until(consumer, lambda: len(numbers()) == 3 and len(source.caught_up()) == 3)
    offset = ConsumerOffset.objects.get(topic="payments", position__gt=0)
    back = {(offset.topic, offset.partition): Position(offset.topic_id, offset.position - 2)}
    source.rewind(back)
    assert set(source.positions) - set(source.caught_up()) == set(back)
    consumer.close()


def test_a_partition_whose_last_record_came_but_is_not_applied_is_not_caught_up(kafka):
    consumer = Consumer.on_kafka("payments")
    source = consumer._source
    step_until(consumer, lambda: len(source.positions) == 3 and len(source.caught_up()) == 3)
    kafka.send(bank("PaymentMade", number=1))
    until(lambda: source.poll(1, 0.2))
    source.poll(1, 0.5)  # and the end of the partition behind it
    assert len(source.caught_up()) == 2
    consumer.close()


def test_a_record_kept_from_before_a_rebalance_does_not_overtake_those_before_it(kafka):
    for number in (1, 2, 3):
        kafka.send(bank("PaymentMade", number=number))
    consumer = Consumer.on_kafka("payments")
    source = consumer._source
    records = []
    until(lambda: records.extend(source.poll(10, 0.2)) or len(records) == 3)
    source._carried = records[2:]  # came although its partition was paused; the first two were not applied yet
    member = source._consumer
    member.unsubscribe()
    until(lambda: source.poll_paused(0.1) or not source.positions)
    topics = [conf().topic_prefix + topic for topic in consumer.engine.subscription.topics]
    member.subscribe(topics, on_assign=source._assigned, on_revoke=source._revoked)
    until(lambda: source.poll_paused(0.1) or source.positions)
    step_until(consumer, lambda: len(numbers()) == 3)
    consumer.close()
    assert numbers() == [1, 2, 3]


def test_a_topic_that_is_no_longer_read_holds_up_nobody(kafka):
    kafka.send(bank("PaymentMade", number=1))
    consumer = Consumer.on_kafka("payments")
    step_until(consumer, lambda: numbers() == [1] and consumed_until("payments") is not None)
    consumer.close()
    group = ConsumerGroup.objects.get(name="shop.payments")
    ConsumerOffset.objects.create(group=group, topic="moved-away", partition=0, topic_id="x", position=0)
    assert consumed_until("payments") is not None


def test_lag_is_told_in_records_and_seconds(kafka):
    for number in range(3):
        kafka.send(bank("PaymentMade", number=number))
    consumer = Consumer.on_kafka("payments")
    source = consumer._source
    until(lambda: source.poll(1, 0.1))
    time.sleep(0.2)
    source.caught_up()
    labels = {"group": "shop.payments", "topic": "payments"}
    lags = [
        REGISTRY.get_sample_value("eventbus_consumer_lag_records", labels | {"partition": str(p)}) for p in range(3)
    ]
    assert sum(lags) == 3  # given out is not yet applied
    assert 0.2 <= metric("eventbus_consumer_lag_seconds") < 60
    consumer.close()
    kafka.consume("payments", 3)
    assert metric("eventbus_consumer_lag_seconds") == 0


def test_a_recreated_topic_stops_the_consumer_instead_of_skipping_until_somebody_decides(kafka, capsys):
    kafka.send(bank("PaymentMade", number=1))
    consumer = Consumer.on_kafka("payments")
    step_until(consumer, lambda: numbers() == [1])
    kafka.delete("payments")
    until(lambda: conf().topic_prefix + "payments" not in kafka.admin.list_topics(timeout=10).topics)
    until(lambda: created(kafka, "payments"))
    for number in (2, 3, 4):
        kafka.send(bank("PaymentMade", number=number))
    with capture_logs() as lines:
        step_until(consumer, lambda: metric("eventbus_stopped_partitions") > 0)
        for _ in range(10):
            consumer.step(0.1)
    assert numbers() == [1]
    assert "partition_stopped" in [line["event"] for line in lines]
    call_command("bus", "offsets", "list")
    assert "STOPPED: the topic is another one" in capsys.readouterr().out
    call_command("bus", "offsets", "accept", "payments", "--consumer=shop.payments", "--reason=restored", "--by=me")
    step_until(consumer, lambda: numbers() == [1, 2, 3, 4])
    consumer.close()
    assert set(OffsetDecision.objects.values_list("reason", "decided_by")) == {("restored", "me")}


def created(kafka, topic: str) -> bool:
    """A topic that was just deleted may still be in the way."""
    try:
        kafka.create(topic)
    except KafkaException:
        return False
    return True


def test_a_restarted_consumer_does_not_read_a_recreated_topic_either(kafka):
    kafka.send(bank("PaymentMade", number=1))
    kafka.consume("payments", 1)
    ConsumerOffset.objects.filter(topic="payments").update(topic_id="another")
    kafka.send(bank("PaymentMade", number=2))
    with capture_logs() as lines:
        kafka.consume("payments", 0)
        consumer = Consumer.on_kafka("payments")
        step_until(consumer, lambda: metric("eventbus_stopped_partitions") == 3)
        consumer.close()
    assert numbers() == [1]
    assert "partition_stopped" in [line["event"] for line in lines]


@pytest.mark.parametrize(("at", "expected"), [("low", [1, 2]), ("high", []), ("1", [2])])
def test_a_position_outside_of_the_topic_stops_the_partition_until_somebody_decides(kafka, at, expected):
    consumer = Consumer.on_kafka("payments")
    step_until(consumer, lambda: len(consumer._source.positions) == 3)
    consumer.close()
    kafka.send(bank("PaymentMade", number=1))
    kafka.send(bank("PaymentMade", number=2))
    for offset in ConsumerOffset.objects.filter(topic="payments"):
        ConsumerOffset.objects.filter(pk=offset.pk).update(position=1000)
    consumer = Consumer.on_kafka("payments")
    step_until(consumer, lambda: metric("eventbus_stopped_partitions") == 3)
    arguments = ["bus", "offsets", "accept", "payments", "--consumer=shop.payments", "--reason=lost"]
    with pytest.raises(CommandError, match="--at"):
        call_command(*arguments, "--at=5000")
    (number,) = {record.partition for record in kafka.records("payments")}
    call_command(*arguments, f"--at={at}", f"--partition={number}")
    step_until(consumer, lambda: metric("eventbus_stopped_partitions") == 2)
    step_until(consumer, lambda: numbers() == expected)
    consumer.close()
    with pytest.raises(CommandError, match="stopped"):
        call_command(*arguments, f"--partition={number}")


def test_where_kafka_itself_was_lost_one_decision_lets_every_topic_go_on(kafka, capsys):
    kafka.send(bank("PaymentMade", number=1))
    kafka.consume("payments", 1)
    orders = Consumer.on_kafka("orders")
    step_until(orders, lambda: ConsumerOffset.objects.filter(topic="orders").exists())
    orders.close()
    ConsumerOffset.objects.update(topic_id="of the Kafka before")
    stopped = set(ConsumerOffset.objects.values_list("group__name", "topic", "partition"))
    assert len({topic for _, topic, _ in stopped}) > 1
    group = ConsumerGroup.objects.get(name="shop.payments")
    ConsumerOffset.objects.create(group=group, topic="moved-away", partition=0, topic_id="x", position=0)
    capsys.readouterr()

    call_command("bus", "offsets", "accept", "all", "--reason=its volume was lost")

    told = capsys.readouterr().out
    assert {f"{group} {topic}/{number} goes on" for group, topic, number in stopped} == set(
        re.findall(r"^(.+ goes on) at \d+", told, re.MULTILINE)
    )
    with pytest.raises(CommandError, match="stopped"):
        call_command("bus", "offsets", "accept", "all", "--reason=its volume was lost")


def test_offsets_are_shown_to_the_brokers_tools(kafka):
    for number in range(3):
        kafka.send(bank("PaymentMade", number=number))
    kafka.consume("payments", 3)
    group = conf().topic_prefix + "shop.payments"

    def shown() -> list[int]:
        (future,) = kafka.admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)]).values()
        return [partition.offset for partition in future.result().topic_partitions]

    until(lambda: 3 in shown())


def test_records_of_a_transaction_that_was_given_up_are_not_read(kafka):
    producer = Producer(producer_settings(9))
    producer.init_transactions(10)
    for number, commit in ((1, False), (2, True)):
        topic, key, value, headers = wire(bank("PaymentMade", number=number), CachedIds())
        producer.begin_transaction()
        producer.produce(conf().topic_prefix + topic, value, key, headers=headers)
        producer.flush()
        (producer.commit_transaction if commit else producer.abort_transaction)(10)
    kafka.consume("payments", 1)
    assert numbers() == [2]


def test_a_constraint_that_the_commit_finds_violated_stops_the_consumer_and_nothing_is_set_aside(kafka):
    kafka.send(bank("PaymentMade", number=1))
    kafka.consume("payments", 1)
    before = set(ConsumerOffset.objects.values_list("topic", "partition", "position"))
    kafka.send(bank("PaymentMade", "a1", 2))
    kafka.send(bank("PaymentMade", "a1", 3, "no shelf at commit"))
    with pytest.raises(ConsumerStopped, match=r"could not be committed.*shelf"):
        kafka.consume("payments", 2)
    assert numbers() == [1]
    assert not DeadLetter.objects.exists()
    assert InboxRow.objects.count() == 1
    assert set(ConsumerOffset.objects.values_list("topic", "partition", "position")) == before
    consumed.healed.set()
    kafka.consume("payments", 2)
    assert numbers() == [1, 2, 3]


def test_stopping_a_consumer_whose_handler_is_stuck_takes_no_longer_than_its_wait(kafka):
    kafka.send(bank("PaymentMade", text="away"))
    with running() as consumer:
        until(lambda: len(consumed.attempts) >= 2)
        started = time.monotonic()
        consumer.stop()
    assert time.monotonic() - started < 5
    assert not Effect.objects.exists()
