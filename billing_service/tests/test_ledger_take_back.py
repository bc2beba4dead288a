"""The command that takes back what billing told, on the real broker and as an operator sees it."""

from datetime import timedelta
from uuid import uuid4

import psycopg
import pytest
from confluent_kafka import Producer
from django.core.management import CommandError, call_command
from django.db import connection

from billing.management.commands.run_consumer import read_own_prices
from billing.models import TaskPrice, Transfer
from billing.selectors.ledger_check import complete_findings, ledger_findings
from billing.services.task_events import task_events_post
from eventbus import Consumer, Relay, consumed_until
from eventbus.heartbeat import Heartbeat
from eventbus.kafka import client_settings
from eventbus.registry import CachedIds
from eventbus.testing import clear_outbox, wire
from tests.ledger import close
from tests.make import BORIS, DUE, assigned, completed, open_cycle, reopened, task_id, task_state
from tests.told import ledger

pytestmark = pytest.mark.django_db(transaction=True)
TUESDAY = DUE + timedelta(hours=12)
FORGOTTEN = (
    "billing_transfer, billing_cycle, billing_ledgeraccount, billing_payout, billing_accountday, billing_taskprice,"
    " billing_task, eventbus_consumer_offset, eventbus_inbox"
)
MONDAYS = [assigned(), completed(), completed(task_id(2), account=BORIS)]
TUESDAYS = [completed(task_id(3), time=TUESDAY), assigned(task_id(4), account=BORIS, time=TUESDAY)]
WEDNESDAYS = [
    reopened(task_id(3), time=TUESDAY),
    task_state(version=9, status="done", completion_no=1),
    task_state(task_id(2), version=9, status="done", assignment_no=0, completion_no=1),
    task_state(task_id(3), version=9, assignment_no=0, completion_no=1),
    task_state(task_id(4), version=9),
]


class Kafka:
    """Topics of this test alone: what tasks tell, and billing's own relay and consumer."""

    def __init__(self, prefix):
        self._prefix = prefix
        self._producer = Producer(client_settings())

    def tasks_tell(self, events):
        for event in events:
            topic, key, value, headers = wire(event, CachedIds())
            self.tell(topic, value, key, headers)

    def tell(self, topic, value, key, headers=()):
        self._producer.produce(self._prefix + topic, value, key, headers=list(headers))
        self._producer.flush()

    def relay(self):
        sender = Relay()
        assert sender.claim()
        while sender.step():
            pass
        sender.close()

    def consume(self):
        """All that tasks told, as `run_consumer tasks` does."""
        assert read_own_prices(Heartbeat(), when_told=lambda stop: None)
        with connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            start = cursor.fetchone()[0]
        consumer = Consumer.on_kafka("tasks")
        while (until := consumed_until("tasks")) is None or until < start:
            consumer.step()
        consumer.close()


@pytest.fixture
def kafka(settings, transactional_db):
    prefix = f"{settings.EVENTBUS['TOPIC_PREFIX']}{uuid4().hex[:8]}-"
    settings.EVENTBUS = settings.EVENTBUS | {"TOPIC_PREFIX": prefix}
    call_command("register_schemas", verbosity=0)
    return Kafka(prefix)


def run(capsys, *arguments):
    call_command("ledger_take_back", *arguments)
    return capsys.readouterr().out.splitlines()


def lose():
    """What is left is a dump of before the first event: a cycle, and positions at the beginning of the topics."""
    clear_outbox()
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {FORGOTTEN} CASCADE")
    open_cycle(due_on=DUE.date(), currency="USD")


def test_a_lost_ledger_comes_back_from_kafka_and_the_consumer_posts_nothing_twice(kafka, capsys, settings):
    open_cycle(due_on=DUE.date(), currency="USD")
    for events, due in ((MONDAYS, DUE), (TUESDAYS, DUE + timedelta(days=1)), (WEDNESDAYS, None)):
        kafka.tasks_tell(events)
        kafka.consume()
        if due:
            close(due)
    kafka.relay()
    before, prices = ledger(), set(TaskPrice.objects.values_list("task_id", "fee", "reward"))
    lose()
    settings.PRICE_KEYS = {"new": b"\x07" * 32} | settings.PRICE_KEYS

    assert run(capsys) == [
        "Closed again, with the payouts that it had: the cycle of 2026-03-02T17:00:00+00:00.",
        "Closed again, with the payouts that it had: the cycle of 2026-03-03T17:00:00+00:00.",
        "Took back: 3 earning, 2 fee, 3 payout, 1 reversal.",
    ]
    assert ledger() == before
    assert set(TaskPrice.objects.values_list("task_id", "fee", "reward")) == prices
    assert run(capsys) == ["Took back: nothing, the database has all that was told."]
    kafka.consume()
    assert ledger() == before
    assert ledger_findings() == []
    assert complete_findings() == []


def test_records_of_tasks_that_cannot_be_read_caused_nothing_and_own_ones_end_it(kafka, capsys):
    open_cycle()
    kafka.tasks_tell(MONDAYS)
    kafka.consume()
    kafka.relay()
    kafka.tell("tasks", b"?", b"a task")
    lose()
    assert run(capsys) == ["Took back: 2 earning, 1 fee."]
    kafka.tell("cycles", b"?", b"a cycle")
    lose()
    with pytest.raises(CommandError, match=r"cannot be read: cycles/\d+ at \d+: .* The ledger is as it was"):
        run(capsys)
    assert not Transfer.objects.exists()


def test_a_kafka_that_lost_everything_is_no_ground_to_go_on(kafka):
    open_cycle()
    task_events_post(MONDAYS)
    with pytest.raises(CommandError, match="Kafka tells no entry at all"):
        call_command("ledger_take_back")


def test_a_broker_that_is_away_is_said(settings):
    settings.EVENTBUS = settings.EVENTBUS | {"BOOTSTRAP_SERVERS": "127.0.0.1:9"}
    with pytest.raises(CommandError, match=r"Kafka does not tell what is in prices-stream.*The ledger is as it was"):
        call_command("ledger_take_back")


@pytest.mark.parametrize("name", ["billing", "billing-relay"])
def test_it_does_not_run_beside_other_processes_of_billing(app_dsn, name):
    with (
        psycopg.connect(app_dsn, application_name=name),
        pytest.raises(CommandError, match=rf"Billing is at work \({name}\)"),
    ):
        call_command("ledger_take_back")
