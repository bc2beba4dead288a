"""A fresh billing reads its own prices from the real topic before it prices anything."""

import pytest
from django.core.management import call_command, get_commands, load_command_class

from billing.management.commands.run_consumer import Command, read_own_prices
from billing.models import LedgerAccount, TaskPrice
from billing.services.task_events import task_events_post, tasks_apply
from eventbus import Relay
from eventbus.heartbeat import Heartbeat
from eventbus.testing import published
from tests.make import WILMA, assigned, fee, open_cycle, task_id, task_state

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def topics(settings, transactional_db):
    settings.EVENTBUS = settings.EVENTBUS | {"TOPIC_PREFIX": f"{settings.EVENTBUS['TOPIC_PREFIX']}own-"}
    call_command("register_schemas", verbosity=0)


def relay():
    sender = Relay()
    assert sender.claim()
    while sender.step():
        pass
    sender.close()


@pytest.mark.usefixtures("topics")
def test_a_lost_billing_finds_its_prices_in_the_topic_although_the_key_is_another(settings, tmp_path):
    old = {task_id(number): fee(task_id(number)) for number in range(20)}
    tasks_apply([task_state(task) for task in old])
    assert len(published("TaskPriced")) == 20
    relay()
    TaskPrice.objects.all().delete()
    settings.PRICE_KEYS = {"new": b"\x07" * 32}
    heartbeat = tmp_path / "heartbeat"

    assert read_own_prices(Heartbeat(str(heartbeat)), when_told=lambda stop: None)

    assert dict(TaskPrice.objects.values_list("task_id", "fee")) == old
    assert heartbeat.exists()
    open_cycle()
    task_events_post([assigned(task) for task in old])
    assert LedgerAccount.objects.get(id=WILMA).balance == -sum(old.values())


@pytest.mark.usefixtures("topics")
def test_who_is_told_to_stop_while_it_reads_stops():
    assert not read_own_prices(Heartbeat(), when_told=lambda stop: stop())
    assert not TaskPrice.objects.exists()


def test_billings_own_command_comes_before_the_bus_s():
    assert isinstance(load_command_class("billing", "run_consumer"), Command)
    assert get_commands()["run_consumer"] == "billing"
