"""What leaves this service fits the schemas that everybody else reads, and what it keeps cannot be rewritten."""

import json
from datetime import datetime
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.core.management import call_command

from eventbus.testing import clear_outbox, published
from tasks.events.consumed import CONSUMERS
from tasks.models import Reassignment, ReassignmentShare, Task, TaskHistory, TaskPrice

from .support.people import person
from .support.work import at, complete, new_task, price, reassign, reopen

pytestmark = pytest.mark.django_db
SCHEMAS = Path(settings.EVENTBUS["SCHEMAS"])


def examples(domain: str) -> dict[tuple[str, int], dict]:
    found = [json.loads(path.read_text()) for path in SCHEMAS.glob(f"{domain}/*/*.example.json")]
    return {(example["event_name"], example["event_version"]): example for example in found}


def kind(value):
    """What a value of an example stands for: times are text in JSON."""
    return str if isinstance(value, datetime) else type(value)


def test_every_event_that_is_published_has_the_fields_of_its_example():
    worker, manager = person("worker"), person("manager")
    task = new_task(manager)
    reassign(manager)
    done = complete(Task.objects.get(), worker, minutes=6)
    reopen(done, manager, minutes=7)
    seen = {(event.name, event.version): event for event in published()}
    known = examples("tasks")
    assert set(seen) == set(known) - {("TaskCreated", 1)}
    for name, event in seen.items():
        example = known[name]
        assert set(event.data) == set(example["data"]), name
        for field, value in event.data.items():
            assert value is None or kind(value) is type(example["data"][field]), (name, field)
        assert event.key == event.data["task_id"] == str(task.pk)
        assert event.producer == "tasks"


def test_every_event_of_accounts_and_prices_has_a_handler():
    handled = {name for table in CONSUMERS.values() for name in table}
    assert handled == {name for name, _ in examples("accounts")} | {"TaskPriced"}


def test_the_state_of_all_tasks_can_be_told_again():
    worker, manager = person("worker"), person("manager")
    new_task(manager, "Open")
    complete(new_task(manager, "Done"), worker, minutes=3)
    last = {event.key: (event.data, event.time) for event in published("TaskUpdated")}
    clear_outbox()
    call_command("republish_state", "tasks-stream")
    told = {event.key: event for event in published("TaskUpdated")}
    assert len(told) == Task.objects.count() == 2
    for key, (data, time) in last.items():
        assert (told[key].data, told[key].time) == (data, time)
    assert {event.data["status"] for event in told.values()} == {"open", "done"}


@pytest.mark.parametrize("model", [TaskHistory, TaskPrice, Reassignment, ReassignmentShare])
@pytest.mark.django_db(transaction=True)
def test_the_app_role_adds_to_what_is_kept_and_never_changes_it(app_dsn, model):
    person("worker")
    manager = person("manager")
    price(new_task(manager))
    reassign(manager)
    table = model._meta.db_table
    column = model._meta.concrete_fields[-1].column
    with psycopg.connect(app_dsn, autocommit=True) as connection:
        assert connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] > 0
        for statement in (f"UPDATE {table} SET {column} = {column}", f"DELETE FROM {table}", f"TRUNCATE {table}"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)


@pytest.mark.django_db(transaction=True)
def test_the_app_role_may_do_all_that_the_service_does(app_dsn):
    person("worker")
    new_task(person("manager"))
    with psycopg.connect(app_dsn) as connection:
        connection.execute("UPDATE tasks_task SET version = version + 1")
        connection.execute("SELECT id FROM replica_account FOR SHARE")
        connection.execute("SELECT id FROM tasks_task FOR UPDATE")


def test_what_is_kept_says_in_words_what_it_is():
    worker, manager = person("worker"), person("manager")
    task = new_task(manager)
    run = reassign(manager)
    assert str(run) == "2026-03-02 10:05: 1 tasks"
    assert str(run.shares.get()) == f"{worker.pk}: 1 -> 1"
    assert str(TaskHistory.objects.filter(task=task).first()) == f"{task.pk} v1: created"
    assert run.at == at(5)
