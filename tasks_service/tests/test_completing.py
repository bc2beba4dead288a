import pytest

from eventbus.testing import clear_outbox, published
from tasks import services
from tasks.domain import Refused
from tasks.models import Task, TaskHistory

from .support.people import person
from .support.work import at, complete, history, new_task, reassign, reopen, undo

pytestmark = pytest.mark.django_db


@pytest.fixture
def worker():
    return person("worker", "Wilma Weber")


@pytest.fixture
def manager():
    return person("manager", "Max Braun")


@pytest.fixture
def task(worker, manager):
    task = new_task(manager)
    clear_outbox()
    return task


def test_completing_tells_who_earned_and_the_whole_task(task, worker):
    done = complete(task, worker, minutes=3)
    completed, updated = published()
    assert (completed.name, completed.time, completed.topic) == ("TaskCompleted", at(3), "tasks")
    assert completed.data == {
        "task_id": str(task.pk),
        "version": 2,
        "account_id": str(worker.pk),
        "completion_no": 1,
        "actor_id": str(worker.pk),
    }
    assert (updated.name, updated.topic) == ("TaskUpdated", "tasks-stream")
    assert updated.data["status"] == "done"
    assert (updated.data["version"], updated.data["completion_no"]) == (2, 1)
    assert (done.status, done.completed_by_id, done.completed_at) == ("done", worker.pk, at(3))


@pytest.mark.parametrize("role", ["manager", "admin"])
def test_the_assignee_earns_whoever_presses_done_and_history_names_both(task, worker, role):
    leader = person(role)
    complete(task, leader)
    (completed,) = published("TaskCompleted")
    assert (completed.data["account_id"], completed.data["actor_id"]) == (str(worker.pk), str(leader.pk))
    entry = TaskHistory.objects.get(task=task, kind="done")
    assert (entry.actor_id, entry.account_id, entry.number) == (leader.pk, worker.pk, 1)


@pytest.mark.parametrize("role", ["worker", "finance"])
def test_nobody_else_completes_it(task, role):
    with pytest.raises(Refused, match="Wilma Weber has this task"):
        complete(task, person(role))
    assert published() == []


def test_a_worker_whose_task_was_reassigned_is_told_to_whom_it_went(task, worker, manager):
    new = person("worker", "Nora Nagel")
    for seed in range(20):
        reassign(manager, seed=seed)
        if Task.objects.get().assignee_id == new.pk:
            break
    with pytest.raises(Refused, match="Nora Nagel has it now"):
        complete(task, worker)
    assert Task.objects.get().status == "open"


def test_an_assignment_to_the_same_worker_again_is_another_assignment(task, worker, manager):
    reassign(manager)
    with pytest.raises(Refused, match="to you again"):
        complete(task, worker)
    complete(Task.objects.get(), worker, minutes=9)
    assert Task.objects.get().status == "done"


def test_a_manager_with_an_old_page_is_refused_too(task, manager):
    reassign(manager)
    with pytest.raises(Refused, match="Wilma Weber has it now"):
        complete(task, manager)


def test_a_second_completion_is_refused_and_names_the_first(task, worker, manager):
    complete(task, worker)
    with pytest.raises(Refused, match="Wilma Weber has completed"):
        complete(task, manager)
    with pytest.raises(Refused, match="You have completed"):
        complete(task, worker)
    assert len(published("TaskCompleted")) == 1


def test_a_task_that_waits_for_a_worker_cannot_be_completed(task, manager):
    Task.objects.update(assignee_id=None)
    with pytest.raises(Refused, match="waits for a worker"):
        complete(task, manager)


def test_undo_takes_the_completion_back_as_a_reopening_that_says_so(task, worker):
    done = complete(task, worker)
    clear_outbox()
    undo(done, worker, minutes=10)
    reopened, updated = published()
    assert reopened.name == "TaskReopened"
    assert reopened.data == {
        "task_id": str(task.pk),
        "version": 3,
        "account_id": str(worker.pk),
        "completion_no": 1,
        "actor_id": str(worker.pk),
        "cause": "undone",
    }
    assert (updated.data["status"], updated.data["assignment_no"], updated.data["version"]) == ("open", 1, 3)
    assert history(task)[-1] == ("undone", "undone")


def test_undo_is_for_who_pressed_done_and_for_ten_minutes(task, worker, manager):
    done = complete(task, manager, minutes=0)
    with pytest.raises(Refused, match="Only Max Braun"):
        undo(done, worker, minutes=1)
    with pytest.raises(Refused, match="ten minutes"):
        undo(done, manager, minutes=10.1)
    assert Task.objects.get().status == "done"
    assert undo(done, manager, minutes=10).is_open


@pytest.mark.parametrize("role", ["manager", "admin"])
def test_managers_and_admins_reopen_at_any_time_and_the_assignee_keeps_it_without_a_fee(task, worker, role):
    done = complete(task, worker)
    clear_outbox()
    reopened = reopen(done, person(role), minutes=60 * 24 * 90)
    assert [event.name for event in published()] == ["TaskReopened", "TaskUpdated"]
    assert published("TaskReopened")[0].data["cause"] == "reopened"
    assert (reopened.assignee_id, reopened.assignment_no, reopened.assigned_at) == (worker.pk, 1, task.assigned_at)
    assert (reopened.completed_by_id, reopened.completed_at) == (None, None)
    assert history(task)[-1] == ("reopened", "reopened")


@pytest.mark.parametrize("role", ["worker", "finance"])
def test_nobody_else_reopens(task, worker, role):
    done = complete(task, worker)
    with pytest.raises(Refused, match="Only managers and admins"):
        reopen(done, person(role))


def test_reopening_twice_reverses_once(task, worker, manager):
    done = complete(task, worker)
    reopen(done, manager)
    with pytest.raises(Refused, match="open again already"):
        reopen(done, manager)
    assert len(published("TaskReopened")) == 1


def test_an_old_page_does_not_reopen_a_later_completion(task, worker, manager):
    first = complete(task, worker)
    complete(reopen(first, manager), worker, minutes=3)
    first.completion_no = 1
    with pytest.raises(Refused, match="completed anew"):
        services.task_reopen(task_id=task.pk, actor=manager, completion_no=1, now=at(4), rng=None)
    assert Task.objects.get().status == "done"


def test_done_reopened_done_counts_its_completions(task, worker, manager):
    complete(reopen(complete(task, worker), manager), worker, minutes=3)
    assert [event.data["completion_no"] for event in published("TaskCompleted")] == [1, 2]
    assert [event.data["version"] for event in published("TaskUpdated")] == [2, 3, 4]


def test_reopening_a_leavers_task_draws_and_charges_another_and_reverses_the_one_who_earned(task, worker, manager):
    done = complete(task, worker)
    worker.is_active = False
    worker.save()
    heir = person("worker", "Nora Nagel")
    clear_outbox()
    reopened = reopen(done, manager, minutes=7)
    taken, assigned, updated = published()
    assert (taken.name, taken.data["account_id"]) == ("TaskReopened", str(worker.pk))
    assert assigned.data == {
        "task_id": str(task.pk),
        "version": 3,
        "account_id": str(heir.pk),
        "assignment_no": 2,
        "cause": "reopened",
        "actor_id": str(manager.pk),
        "reassignment_id": None,
    }
    assert (updated.data["assignee_id"], updated.data["assignment_no"]) == (str(heir.pk), 2)
    assert (reopened.assignee_id, reopened.assigned_at) == (heir.pk, at(7))
    assert history(task)[-2:] == [("reopened", "reopened"), ("assigned", "reopened")]


def test_reopening_with_no_active_worker_left_makes_the_task_wait_and_charges_nobody(task, worker, manager):
    done = complete(task, worker)
    worker.role = "finance"
    worker.save()
    clear_outbox()
    reopened = undo(done, worker)
    assert [event.name for event in published()] == ["TaskReopened", "TaskUpdated"]
    assert published("TaskUpdated")[0].data["assignee_id"] is None
    assert reopened.is_waiting
    assert reopened.assignment_no == 1
    assert history(task)[-1] == ("waiting", "reopened")
