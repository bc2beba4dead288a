from collections import Counter
from uuid import UUID, uuid4

import pytest

from eventbus.testing import published
from tasks.domain import Heading, Refused, TextError
from tasks.models import Task, TaskHistory

from .support.people import NOW, person
from .support.work import history, new_task, rng

pytestmark = pytest.mark.django_db


def test_a_task_is_assigned_to_an_active_worker_and_to_nobody_else():
    workers = {person("worker").pk for _ in range(3)}
    manager, _, _ = person("manager"), person("admin"), person("finance")
    person("worker", active=False)
    person("", "Stub", state_version=0)
    drawn = Counter(new_task(manager, f"Task {n}").assignee_id for n in range(60))
    assert set(drawn) == workers


def test_creating_publishes_the_whole_task_and_its_first_assignment_in_one_version():
    worker, manager = person("worker"), person("manager")
    task = new_task(manager, heading=Heading("Wash the cage", "POPUG-42"), description="By the window.")
    created, assigned = published()
    assert (created.name, created.version, created.topic, created.time) == ("TaskCreated", 2, "tasks-stream", NOW)
    assert created.data == {
        "task_id": str(task.pk),
        "version": 1,
        "title": "Wash the cage",
        "jira_id": "POPUG-42",
        "description": "By the window.",
        "status": "open",
        "assignee_id": str(worker.pk),
        "assignment_no": 1,
        "completion_no": 0,
        "creator_id": str(manager.pk),
        "created_at": NOW,
    }
    assert (assigned.name, assigned.topic, assigned.time) == ("TaskAssigned", "tasks", NOW)
    assert assigned.data == {
        "task_id": str(task.pk),
        "version": 1,
        "account_id": str(worker.pk),
        "assignment_no": 1,
        "cause": "created",
        "actor_id": str(manager.pk),
        "reassignment_id": None,
    }


def test_history_says_who_created_it_and_who_got_it():
    worker, manager = person("worker"), person("manager")
    task = new_task(manager)
    assert history(task) == [("created", ""), ("assigned", "drawn")]
    assigned = TaskHistory.objects.get(task=task, kind="assigned")
    assert (assigned.actor_id, assigned.account_id, assigned.number, assigned.version) == (manager.pk, worker.pk, 1, 1)


@pytest.mark.parametrize("role", ["worker", "finance", "manager", "admin"])
def test_everybody_creates_tasks(role):
    person("worker")
    creator = person(role)
    assert new_task(creator).creator_id == creator.pk


@pytest.mark.parametrize("role", ["manager", "admin"])
def test_managers_and_admins_pick_the_worker(role):
    workers = [person("worker") for _ in range(5)]
    assert new_task(person(role), assignee_id=workers[3].pk).assignee_id == workers[3].pk


@pytest.mark.parametrize("role", ["worker", "finance"])
def test_nobody_else_picks_the_worker(role):
    worker = person("worker")
    with pytest.raises(Refused, match="Only managers and admins"):
        new_task(person(role), assignee_id=worker.pk)
    assert not Task.objects.exists()
    assert published() == []


@pytest.mark.parametrize("role", ["manager", "admin", "finance"])
def test_only_an_active_worker_can_be_picked(role):
    manager, other, left = person("manager"), person(role, "Olga Ott"), person("worker", "Leo Lang", active=False)
    for picked in (other, left):
        with pytest.raises(Refused, match=f"{picked.full_name} is not an active worker"):
            new_task(manager, assignee_id=picked.pk)
    with pytest.raises(Refused, match="is not an active worker"):
        new_task(manager, assignee_id=uuid4())
    assert not Task.objects.exists()


def test_without_an_active_worker_creation_is_refused():
    person("worker", active=False)
    with pytest.raises(Refused, match="no active worker"):
        new_task(person("manager"))
    assert not Task.objects.exists()
    assert not TaskHistory.objects.exists()
    assert published() == []


def test_the_rules_of_titles_and_descriptions_hold_below_the_form_too():
    person("worker")
    manager = person("manager")
    for given in ({"heading": Heading("a\nb")}, {"heading": Heading("")}, {"description": "x" * 10_001}):
        with pytest.raises(TextError):
            new_task(manager, **given)
    assert new_task(manager, description="one\r\ntwo").description == "one\ntwo"


def test_the_server_makes_ids_that_sort_by_time():
    person("worker")
    manager = person("manager")
    ids = [new_task(manager, minutes=n, rng=rng(9)).pk for n in (3, 1, 2)]
    assert sorted(ids) == [ids[1], ids[2], ids[0]]
    assert {UUID(str(made)).version for made in ids} == {7}


def test_a_task_is_named_with_its_jira_id():
    person("worker")
    manager = person("manager")
    assert str(new_task(manager, heading=Heading("Wash", "POPUG-1"))) == "[POPUG-1] Wash"
    assert str(new_task(manager, heading=Heading("Wash"))) == "Wash"
