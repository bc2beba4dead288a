from collections import Counter
from uuid import uuid4

import pytest
from django.db import connection

from eventbus.testing import clear_outbox, published
from tasks import selectors
from tasks.domain import Refused
from tasks.models import Reassignment, Task, TaskHistory
from tasks.services import assignment

from .support.people import NOW, person
from .support.work import at, complete, new_task, price, reassign

pytestmark = pytest.mark.django_db


@pytest.fixture
def manager():
    return person("manager", "Max Braun")


@pytest.fixture
def workers():
    return [person("worker") for _ in range(4)]


@pytest.fixture
def open_tasks(manager, workers):
    tasks = [new_task(manager, f"Task {n}") for n in range(40)]
    clear_outbox()
    return tasks


def test_every_open_task_is_drawn_on_its_own_and_charged(manager, workers, open_tasks):
    run = reassign(manager)
    shares = Counter(Task.objects.values_list("assignee_id", flat=True))
    assert set(shares) == {worker.pk for worker in workers}
    assert len(set(shares.values())) > 1, "dealt out in turn, not drawn"
    assert set(Task.objects.values_list("assignment_no", "version", "assigned_at")) == {(2, 2, at(5))}
    assigned = {event.key: event for event in published("TaskAssigned")}
    assert len(assigned) == 40
    for task in Task.objects.all():
        event = assigned[str(task.pk)]
        assert event.time == at(5)
        assert event.data == {
            "task_id": str(task.pk),
            "version": 2,
            "account_id": str(task.assignee_id),
            "assignment_no": 2,
            "cause": "reassigned",
            "actor_id": str(manager.pk),
            "reassignment_id": str(run.pk),
        }


def test_each_reassigned_task_tells_its_whole_state_as_the_database_has_it(manager, open_tasks):
    reassign(manager)
    told = {event.key: event.data for event in published("TaskUpdated")}
    assert len(told) == 40
    for task in Task.objects.all():
        data = told[str(task.pk)]
        assert data["assignee_id"] == str(task.assignee_id)
        assert (data["title"], data["jira_id"], data["version"]) == (task.title, None, task.version)
        assert (data["creator_id"], data["created_at"]) == (str(manager.pk), NOW)


def test_a_task_may_stay_with_whom_it_was_and_that_is_a_new_assignment(manager):
    worker = person("worker")
    new_task(manager)
    clear_outbox()
    reassign(manager)
    assert Task.objects.get().assignee_id == worker.pk
    assert [event.data["assignment_no"] for event in published("TaskAssigned")] == [2]


def test_done_tasks_stay_as_they_are(manager, workers, open_tasks):
    done = complete(open_tasks[7], manager)
    clear_outbox()
    reassign(manager)
    assert str(done.pk) not in {event.key for event in published()}
    assert Task.objects.get(pk=done.pk).assignment_no == 1


def test_tasks_that_waited_for_a_worker_are_drawn_too(manager, workers, open_tasks):
    Task.objects.update(assignee_id=None)
    run = reassign(manager)
    assert not Task.objects.filter(assignee_id__isnull=True).exists()
    assert run.shares.get(account_id=None).before == 40
    assert TaskHistory.objects.filter(cause="reassigned", previous_id__isnull=True).count() == 40


def test_the_same_form_twice_is_one_run(manager, open_tasks):
    key = uuid4()
    first = reassign(manager, key=key)
    clear_outbox()
    assert reassign(manager, key=key, minutes=9) == first
    assert published() == []
    assert Reassignment.objects.count() == 1


def test_two_managers_are_two_runs_and_both_are_charged(manager, open_tasks):
    reassign(manager)
    reassign(person("admin"), minutes=6)
    assert len(published("TaskAssigned")) == 80
    assert Reassignment.objects.count() == 2
    assert set(Task.objects.values_list("assignment_no", flat=True)) == {3}


def test_the_run_notes_counts_fees_and_the_tasks_of_each_worker_before_and_after(manager, workers, open_tasks):
    idle = person("worker", "Ida Idle")
    for n, task in enumerate(open_tasks[:39]):
        price(task, fee=1000 + 100 * (n % 2))
    before = Counter(Task.objects.values_list("assignee_id", flat=True))
    run = reassign(manager)
    after = Counter(Task.objects.values_list("assignee_id", flat=True))
    assert (run.task_count, run.worker_count, run.unpriced_count, run.currency) == (40, 5, 1, "USD")
    assert run.fees == 20 * 1000 + 19 * 1100
    assert (run.actor_id, run.at) == (manager.pk, at(5))
    shares = {share.account_id: (share.before, share.after) for share in selectors.reassignment_shares(run.pk)}
    assert shares == {person.pk: (before[person.pk], after[person.pk]) for person in [*workers, idle]}


def test_what_it_would_do_is_known_before(manager, workers, open_tasks):
    price(open_tasks[0], fee=1700)
    price(complete(open_tasks[1], manager), fee=1900)
    preview = selectors.reassignment_preview()
    assert (preview.tasks, preview.workers, preview.fees, preview.unpriced) == (39, 4, 1700, 38)
    assert preview.last is None
    run = reassign(manager)
    assert selectors.reassignment_preview().last == run


def test_history_says_who_reassigned_and_from_whom_to_whom(manager, open_tasks):
    before = {task.pk: task.assignee_id for task in Task.objects.all()}
    run = reassign(manager)
    for entry in TaskHistory.objects.filter(cause="reassigned"):
        task = Task.objects.get(pk=entry.task_id)
        assert (entry.kind, entry.actor_id, entry.reassignment_id) == ("assigned", manager.pk, run.pk)
        assert (entry.previous_id, entry.account_id) == (before[task.pk], task.assignee_id)
        assert (entry.number, entry.version, entry.at) == (2, 2, at(5))
    assert TaskHistory.objects.filter(cause="reassigned").count() == 40


@pytest.mark.parametrize("role", ["worker", "finance"])
def test_nobody_but_managers_and_admins_reassigns(role, open_tasks):
    with pytest.raises(Refused, match="Only managers and admins"):
        reassign(person(role))
    assert published() == []


def test_without_an_active_worker_it_is_refused(manager, workers, open_tasks):
    for worker in workers:
        worker.is_active = False
        worker.save()
    with pytest.raises(Refused, match="no active worker"):
        reassign(manager)
    assert not Reassignment.objects.exists()
    assert published() == []


def test_a_second_manager_waits_longer_for_the_first_than_others_wait_for_a_lock(manager, open_tasks):
    reassign(manager)
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == ("25s",)


def test_several_chunks_are_one_run(manager, workers, open_tasks, monkeypatch):
    monkeypatch.setattr(assignment, "CHUNK", 7)
    reassign(manager)
    assert len(published("TaskAssigned")) == len({event.key for event in published("TaskAssigned")}) == 40
    assert set(Task.objects.values_list("assignment_no", flat=True)) == {2}


def test_nothing_is_assigned_earlier_than_it_was_assigned_before(manager, workers, open_tasks):
    reassign(manager, minutes=-30)
    assert {event.time for event in published("TaskAssigned")} == {NOW}
