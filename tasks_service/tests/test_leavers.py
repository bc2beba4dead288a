import pytest

from chassis.replica.models import Account
from eventbus import event_id
from eventbus.testing import clear_outbox, deliver, published
from tasks.events.consumed import accounts_apply
from tasks.models import Task, TaskHistory

from .support.people import account_event, deactivated, person, reactivated
from .support.work import at, complete, history, new_task

pytestmark = pytest.mark.django_db


@pytest.fixture
def manager():
    return person("manager", "Max Braun")


@pytest.fixture
def leaver():
    return person("worker", "Leo Lang")


@pytest.fixture
def task(manager, leaver):
    task = new_task(manager)
    clear_outbox()
    return task


def test_a_leavers_open_tasks_are_drawn_again_and_done_ones_stay(manager, leaver, task):
    done = complete(new_task(manager, "Done"), leaver)
    heir = person("worker", "Nora Nagel")
    clear_outbox()
    deliver("accounts", [deactivated(leaver, time=at(5))])
    task.refresh_from_db()
    assert (task.assignee_id, task.assignment_no, task.assigned_at) == (heir.pk, 2, at(5))
    assert Task.objects.get(pk=done.pk).assignee_id == leaver.pk
    assigned, updated = published()
    assert assigned.data == {
        "task_id": str(task.pk),
        "version": 2,
        "account_id": str(heir.pk),
        "assignment_no": 2,
        "cause": "left",
        "actor_id": "system",
        "reassignment_id": None,
    }
    assert assigned.time == at(5)
    assert (updated.name, updated.data["assignee_id"], updated.data["version"]) == ("TaskUpdated", str(heir.pk), 2)


def test_events_caused_by_an_event_have_ids_that_a_replay_repeats(leaver, task):
    person("worker")
    deliver("accounts", [deactivated(leaver)])
    assigned, updated = published()
    assert assigned.id == event_id(f"TaskAssigned:{task.pk}:2")
    assert updated.id == event_id(f"TaskUpdated:{task.pk}:2")


def test_the_same_event_draws_the_same_worker_again(manager, leaver):
    for _ in range(5):
        person("worker")
    tasks = [new_task(manager, f"Task {n}", assignee_id=leaver.pk) for n in range(20)]
    event = deactivated(leaver)
    drawn = []
    for _ in range(2):
        Account.objects.filter(pk=leaver.pk).update(access_version=1, is_active=True)
        Task.objects.filter(pk__in=[task.pk for task in tasks]).update(assignee_id=leaver.pk)
        accounts_apply([event])
        drawn.append(list(Task.objects.order_by("id").values_list("assignee_id", flat=True)))
    assert drawn[0] == drawn[1]


@pytest.mark.parametrize("role", ["manager", "finance", "admin"])
def test_somebody_who_stops_being_a_worker_gives_the_tasks_away(leaver, task, role):
    heir = person("worker")
    deliver("accounts", [account_event("AccountRoleChanged", leaver, version=2, role=role)])
    assert Task.objects.get().assignee_id == heir.pk


def test_the_state_event_alone_is_enough(leaver, task):
    heir = person("worker")
    deliver("accounts", [account_event("AccountUpdated", leaver, version=2, active=False)])
    assert Task.objects.get().assignee_id == heir.pk


def test_a_deleted_account_keeps_no_open_task(leaver, task):
    heir = person("worker")
    deliver("accounts", [account_event("AccountDeleted", leaver, version=9)])
    assert Task.objects.get().assignee_id == heir.pk


def test_an_assignment_that_crossed_the_deactivation_is_drawn_again_and_history_says_why(manager, leaver):
    crossed = new_task(manager, minutes=6)
    heir = person("worker", "Nora Nagel")
    clear_outbox()
    deliver("accounts", [deactivated(leaver, time=at(5))])
    crossed.refresh_from_db()
    assert (crossed.assignee_id, crossed.assignment_no) == (heir.pk, 2)
    assert crossed.assigned_at == at(6), "not before the assignment that it follows"
    assert published("TaskAssigned")[0].data["cause"] == "crossed"
    assert history(crossed)[-1] == ("assigned", "crossed")


def test_a_role_that_a_sign_in_told_first_still_moves_the_tasks_when_the_event_arrives(leaver, task):
    heir = person("worker")
    Account.objects.filter(pk=leaver.pk).update(role="manager", access_version=2)
    deliver("accounts", [account_event("AccountRoleChanged", leaver, version=2, role="manager")])
    assert Task.objects.get().assignee_id == heir.pk


def test_with_no_worker_left_tasks_wait_and_nobody_is_charged(leaver, task):
    deliver("accounts", [deactivated(leaver, time=at(5))])
    task.refresh_from_db()
    assert task.is_waiting
    assert (task.assignment_no, task.version, task.assigned_at) == (1, 2, at(5))
    (updated,) = published()
    assert (updated.name, updated.data["assignee_id"], updated.data["status"]) == ("TaskUpdated", None, "open")
    assert history(task)[-1] == ("waiting", "left")
    assert TaskHistory.objects.get(kind="waiting").previous_id == leaver.pk


@pytest.mark.parametrize("name", ["AccountCreated", "AccountRoleChanged", "AccountReactivated"])
def test_waiting_tasks_are_drawn_when_a_worker_appears(leaver, task, name):
    deliver("accounts", [deactivated(leaver, time=at(5))])
    newcomer = Account(
        id=person("admin").pk, role="worker", is_active=True, full_name="Nils Neu", email="n@popug.example"
    )
    Account.objects.filter(pk=newcomer.pk).delete()
    clear_outbox()
    deliver("accounts", [account_event(name, newcomer, version=2, time=at(9), role="worker", active=True)])
    task.refresh_from_db()
    assert (task.assignee_id, task.assignment_no, task.assigned_at) == (newcomer.pk, 2, at(9))
    assert published("TaskAssigned")[0].data["cause"] == "waited"
    assert history(task)[-1] == ("assigned", "waited")


def test_two_leavers_in_one_batch_leave_nothing_to_each_other(manager):
    leavers = [person("worker") for _ in range(2)]
    for n in range(20):
        new_task(manager, f"Task {n}")
    heir = person("worker")
    deliver("accounts", [deactivated(leaver) for leaver in leavers])
    assert set(Task.objects.values_list("assignee_id", flat=True)) == {heir.pk}
    assert set(Task.objects.values_list("assignment_no", flat=True)) == {2}, "each task was drawn again once"


def test_left_and_back_within_one_batch_keeps_the_tasks(leaver, task):
    person("worker")
    deliver("accounts", [deactivated(leaver, time=at(5)), reactivated(leaver, time=at(6))])
    task.refresh_from_db()
    assert (task.assignee_id, task.assignment_no) == (leaver.pk, 1)
    assert published() == []


def test_the_same_event_twice_moves_the_tasks_once(leaver, task):
    person("worker")
    event = deactivated(leaver)
    deliver("accounts", [event, event])
    deliver("accounts", [event])
    assert len(published("TaskAssigned")) == 1
    assert Task.objects.get().assignment_no == 2


def test_a_leavers_events_in_reverse_across_batches_leave_no_task_with_somebody_inactive(leaver, task):
    heir = person("worker")
    deliver("accounts", [account_event("AccountUpdated", leaver, version=2, active=False, full_name="Leo L.")])
    deliver("accounts", [account_event("AccountCreated", leaver, version=1), deactivated(leaver, version=2)])
    assert Task.objects.get().assignee_id == heir.pk
    assert Task.objects.get().assignment_no == 2
    assert Account.objects.get(pk=leaver.pk).full_name == "Leo L."


def test_a_late_deactivation_of_somebody_who_is_back_moves_nothing(leaver, task):
    person("worker")
    deliver("accounts", [reactivated(leaver, version=3)])
    deliver("accounts", [deactivated(leaver, version=2)])
    assert Task.objects.get().assignee_id == leaver.pk


def test_a_change_of_name_moves_nothing(leaver, task):
    person("worker")
    deliver("accounts", [account_event("AccountUpdated", leaver, version=2, full_name="Leo Long")])
    assert Task.objects.get().assignee_id == leaver.pk
    assert Account.objects.get(pk=leaver.pk).full_name == "Leo Long"
    assert published() == []
