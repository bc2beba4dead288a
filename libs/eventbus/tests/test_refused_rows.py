"""Rows that Kafka refuses: they are found, and the others of their batch are not blamed for them."""

import itertools

import pytest
from buses import until
from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka.admin import NewTopic
from django.db import transaction
from sample.published import order
from test_relay import claimed, commit, sent

from eventbus.conf import conf
from eventbus.kafka import TRANSACTION_MILLISECONDS
from eventbus.models import OutboxRow
from eventbus.outbox import publish_copies


def flagged() -> list[str]:
    return list(OutboxRow.objects.filter(flagged_at__isnull=False).order_by("id").values_list("topic", flat=True))


def test_a_row_that_the_broker_refuses_is_flagged_and_the_others_are_not(kafka):
    narrow = NewTopic(conf().topic_prefix + "narrow", 1, 1, config={"max.message.bytes": "1000"})
    kafka.admin.create_topics([narrow])[narrow.topic].result()
    with transaction.atomic():
        publish_copies([("narrow", b"a1", b"x" * 5_000, [])])
    commit(*(order("OrderPlaced", f"o{number}") for number in range(2, 6)))
    with claimed() as relay:
        assert relay.step() == 0
        assert flagged() == ["narrow"]
        assert relay.step() == 4
    assert sorted(sent(kafka)) == [2, 3, 4, 5]
    kafka.delete("narrow")


class Refusing(Producer):
    """Refuses a topic as the coordinator of transactions does, which names no record.

    It comes with the commit, or before that: then librdkafka takes no more records and the commit tells why.
    """

    early = False

    def begin_transaction(self):
        super().begin_transaction()
        self._refused = False

    def produce(self, topic, *args, **kwargs):
        if self._refused and self.early:
            raise KafkaException(KafkaError(KafkaError._STATE, "the transaction is broken"))
        super().produce(topic, *args, **kwargs)
        self._refused |= topic.endswith("payments")

    def commit_transaction(self, timeout=TRANSACTION_MILLISECONDS / 1000):
        if self._refused:
            raise KafkaException(KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED, "refused", txn_requires_abort=True))
        return super().commit_transaction(timeout)

    def abort_transaction(self, timeout=TRANSACTION_MILLISECONDS / 1000):
        super().abort_transaction(timeout)
        if self._refused:  # the coordinator began no transaction, and says so
            raise KafkaException(KafkaError(KafkaError.INVALID_TXN_STATE, "no transaction", fatal=True))


@pytest.mark.parametrize("early", [False, True])
def test_rows_that_the_coordinator_refuses_are_found_by_halves_and_the_others_sent(kafka, monkeypatch, early):
    monkeypatch.setattr("eventbus.relay.Producer", Refusing)
    monkeypatch.setattr(Refusing, "early", early)
    commit(*(order("OrderPlaced", f"o{number}") for number in range(7)))
    with transaction.atomic():
        publish_copies([("payments", key, b"refused", []) for key in (b"a1", b"a2", b"a1", b"a3")])
    commit(*(order("OrderPlaced", f"o{number}") for number in range(7, 20)))
    with claimed() as relay:
        steps = [relay.step() for _ in range(40)]
    assert sum(steps) == 20
    assert sorted(sent(kafka)) == list(range(20))
    assert flagged() == ["payments"]  # what is true of one is true of its topic: the others are not tried
    assert OutboxRow.objects.count() == 4


def test_a_commit_that_fails_for_a_while_blames_no_row(kafka, monkeypatch):
    """As while the coordinator is away: the whole batch is sent again."""

    class Away(Producer):
        def commit_transaction(self, timeout=TRANSACTION_MILLISECONDS / 1000):
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT, "no answer", retriable=True))

    commit(order("OrderPlaced", "o1"))
    with monkeypatch.context() as away:
        away.setattr("eventbus.relay.Producer", Away)
        with claimed() as relay, pytest.raises(KafkaException):
            relay.step()
    assert not flagged()
    assert kafka.relay() == 1


def test_what_was_refused_is_tried_again_soon_and_then_ever_later(kafka, monkeypatch):
    clock = itertools.count(1_000, step=0.25)
    monkeypatch.setattr("eventbus.relay.monotonic", lambda: next(clock))
    commit(order("OrderPlaced", "o1"))
    known = OutboxRow.objects.get().schema
    OutboxRow.objects.update(schema=b"\x00" * 32)
    tries: list[float] = []
    monkeypatch.setattr("eventbus.relay.logger.error", lambda *_, **__: tries.append(next(clock)))
    with claimed() as relay:
        for _ in range(2_000):
            assert relay.step() == 0
            if len(tries) == 7:
                break
        pauses = [round(later - earlier) for earlier, later in itertools.pairwise(tries)]
        assert pauses == pytest.approx([5, 10, 20, 40, 60, 60], abs=2)
        OutboxRow.objects.update(schema=known)
        until(lambda: relay.step() == 1)
        commit(order("OrderPlaced", "o2"))
        OutboxRow.objects.update(schema=b"\x00" * 32)
        until(lambda: relay.step() == 0 and len(tries) == 9)
    assert tries[8] - tries[7] == pytest.approx(5, abs=2), "the pauses begin anew"
