"""Two real transactions at once, each on a connection of its own."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction

from chassis.form_keys import once
from chassis.replica.models import Account
from eventbus.testing import clear_outbox, published
from tasks import services
from tasks.domain import Refused, rng_of
from tasks.models import Reassignment, Task, TaskHistory
from tasks.services import locks

from .support.people import deactivated, person, reactivated
from .support.together import Held, meanwhile
from .support.work import complete, new_task, reassign, reopen, rng

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def manager():
    return person("manager", "Max Braun")


@pytest.fixture
def worker():
    return person("worker", "Wilma Weber")


def leave(*workers: Account) -> None:
    services.accounts_apply(events=[deactivated(worker) for worker in workers], rng_of=rng_of)


def test_a_completion_that_waited_for_a_reassignment_is_refused_and_told_to_whom_it_went(manager, worker):
    task = new_task(manager)
    nora = person("worker", "Nora Nagel")
    Account.objects.filter(pk=worker.pk).update(role="finance")
    run = Held(lambda: reassign(manager))
    late = meanwhile(lambda: complete(task, worker))
    assert not late.done()
    run.commit()
    with pytest.raises(Refused, match="Nora Nagel has it now"):
        late.result(10)
    task.refresh_from_db()
    assert (task.status, task.assignee_id) == ("open", nora.pk)


def test_a_reassignment_that_waited_for_a_completion_leaves_the_task_done(manager, worker):
    task, other = new_task(manager), new_task(manager)
    clear_outbox()
    done = Held(lambda: complete(task, worker))
    late = meanwhile(lambda: reassign(manager))
    assert not late.done()
    done.commit()
    assert late.result(10).task_count == 1
    task.refresh_from_db()
    assert (task.status, task.assignment_no) == ("done", 1)
    assert {event.key for event in published("TaskAssigned")} == {str(other.pk)}


def test_of_two_completions_at_once_one_counts_and_the_other_is_told(manager, worker):
    task = new_task(manager)
    first = Held(lambda: complete(task, worker))
    second = meanwhile(lambda: complete(task, manager))
    assert not second.done()
    first.commit()
    with pytest.raises(Refused, match="Wilma Weber has completed"):
        second.result(10)
    assert len(published("TaskCompleted")) == 1


def test_of_two_reopenings_at_once_one_reverses(manager, worker):
    done = complete(new_task(manager), worker)
    first = Held(lambda: reopen(done, manager))
    second = meanwhile(lambda: reopen(done, manager))
    first.commit()
    with pytest.raises(Refused, match="open again already"):
        second.result(10)
    assert len(published("TaskReopened")) == 1


def test_a_draw_that_waited_for_a_deactivation_draws_somebody_else(manager, worker):
    leaving = Held(lambda: leave(worker))
    nora = person("worker", "Nora Nagel")
    tasks = []
    for seed in range(20):  # until it draws the one who is leaving, and waits
        drawn = meanwhile(lambda seed=seed: new_task(manager, rng=rng(seed)))
        tasks.append(drawn)
        if not drawn.done():
            break
    assert not tasks[-1].done(), "never drew the leaver"
    leaving.commit()
    assert {drawn.result(10).assignee_id for drawn in tasks} == {nora.pk}


def test_a_draw_that_waited_for_the_last_workers_deactivation_is_refused(manager, worker):
    leaving = Held(lambda: leave(worker))
    drawn = meanwhile(lambda: new_task(manager))
    assert not drawn.done()
    leaving.commit()
    with pytest.raises(Refused, match="no active worker"):
        drawn.result(10)
    assert not Task.objects.exists()


def test_a_picked_worker_who_leaves_meanwhile_does_not_get_the_task(manager, worker):
    leaving = Held(lambda: leave(worker))
    picked = meanwhile(lambda: new_task(manager, assignee_id=worker.pk))
    leaving.commit()
    with pytest.raises(Refused, match="Wilma Weber is not an active worker"):
        picked.result(10)


def test_a_deactivation_that_waited_for_a_draw_moves_that_task_too(manager, worker):
    creation = Held(lambda: new_task(manager))
    nora = person("worker", "Nora Nagel")
    leaving = meanwhile(lambda: leave(worker))
    assert not leaving.done()
    task = creation.commit()
    leaving.result(10)
    task.refresh_from_db()
    assert (task.assignee_id, task.assignment_no) == (nora.pk, 2)


def test_a_deactivation_that_waited_for_a_reassignment_leaves_no_task_with_the_leaver(manager, worker):
    for n in range(10):
        new_task(manager, f"Task {n}")
    nora = person("worker", "Nora Nagel")
    run = Held(lambda: reassign(manager))
    leaving = meanwhile(lambda: leave(worker))
    assert not leaving.done()
    run.commit()
    leaving.result(10)
    assert set(Task.objects.values_list("assignee_id", flat=True)) == {nora.pk}


def test_a_reassignment_that_waited_for_a_deactivation_does_not_draw_the_leaver(manager, worker):
    for n in range(10):
        new_task(manager, f"Task {n}")
    nora = person("worker", "Nora Nagel")
    leaving = Held(lambda: leave(worker))
    run = meanwhile(lambda: reassign(manager))
    assert not run.done()
    leaving.commit()
    assert run.result(10).worker_count == 1
    assert set(Task.objects.values_list("assignee_id", flat=True)) == {nora.pk}


def test_a_reopening_that_waited_for_a_deactivation_draws_another(manager, worker):
    done = complete(new_task(manager), worker)
    nora = person("worker", "Nora Nagel")
    leaving = Held(lambda: leave(worker))
    reopened = meanwhile(lambda: reopen(done, manager))
    assert not reopened.done()
    leaving.commit()
    assert reopened.result(10).assignee_id == nora.pk


def test_a_task_reopened_for_nobody_is_found_by_the_worker_who_appears_at_that_moment(manager, worker):
    done = complete(new_task(manager), worker)
    leave(worker)
    reopening = Held(lambda: reopen(done, manager))
    back = meanwhile(lambda: services.accounts_apply(events=[reactivated(worker)], rng_of=rng_of))
    assert not back.done()
    assert reopening.commit().is_waiting
    back.result(10)
    assert Task.objects.get().assignee_id == worker.pk


def test_a_task_reopened_while_a_worker_appears_goes_to_that_worker(manager, worker):
    done = complete(new_task(manager), worker)
    leave(worker)
    back = Held(lambda: services.accounts_apply(events=[reactivated(worker)], rng_of=rng_of))
    reopening = meanwhile(lambda: reopen(done, manager))
    assert not reopening.done()
    back.commit()
    reopening.result(10)
    assert Task.objects.get().assignee_id == worker.pk


def test_the_same_reassignment_form_twice_at_once_is_one_run(manager, worker):
    new_task(manager)
    clear_outbox()
    key = uuid4()

    def send() -> str:
        return once(
            key=key,
            kind="tasks_reassign",
            actor_id=manager.pk,
            effect=lambda: f"/reassignments/{reassign(manager, key=key).pk}",
        )

    first = Held(send)
    second = meanwhile(send)
    assert not second.done()
    assert first.commit() == second.result(10) == f"/reassignments/{key}"
    assert len(published("TaskAssigned")) == 1


def test_of_two_windows_of_one_manager_at_once_the_second_is_asked(manager, worker):
    new_task(manager)
    clear_outbox()
    first = Held(lambda: reassign(manager, again=False))
    second = meanwhile(lambda: reassign(manager, minutes=6, again=False))
    assert not second.done()
    first.commit()
    with pytest.raises(Refused, match="reassigned open tasks just now"):
        second.result(10)
    assert len(published("TaskAssigned")) == 1


def test_two_managers_at_once_are_two_runs_one_after_the_other_and_both_charge(manager, worker):
    tasks = [new_task(manager, f"Task {n}") for n in range(5)]
    clear_outbox()
    first = Held(lambda: reassign(manager, again=False))
    second = meanwhile(lambda: reassign(person("admin"), minutes=6, again=False))
    assert not second.done()
    first.commit()
    second.result(10)
    assert Reassignment.objects.count() == 2
    for task in tasks:
        numbers = [event.data["assignment_no"] for event in published("TaskAssigned") if event.key == str(task.pk)]
        assert numbers == [2, 3], "the outbox has them in the order of the runs"


def test_tasks_created_while_everything_is_reassigned_do_not_wait_and_are_not_drawn_twice(manager, worker):
    new_task(manager, "Old")
    run = Held(lambda: reassign(manager))
    created = meanwhile(lambda: new_task(manager, "New"))
    assert created.done(), "it waited"
    assert run.commit().task_count == 1
    assert Task.objects.get(title="New").assignment_no == 1


def test_leavers_of_two_consumers_and_a_reassignment_never_wait_in_a_circle(manager):
    workers = [person("worker") for _ in range(6)]
    for n in range(60):
        new_task(manager, f"Task {n}")
    barrier = threading.Barrier(4)

    def at_once(use_case: Callable[[], Any]) -> Callable[[], Any]:
        def run() -> Any:
            try:
                barrier.wait(10)
                return use_case()
            finally:
                connection.close()

        return run

    with ThreadPoolExecutor(4) as pool:
        outcomes = [
            pool.submit(at_once(lambda: leave(workers[4], workers[0]))),
            pool.submit(at_once(lambda: leave(workers[1], workers[3]))),
            pool.submit(at_once(lambda: reassign(manager))),
            pool.submit(at_once(lambda: new_task(manager, "New"))),
        ]
        for outcome in outcomes:
            outcome.result(20)
    assert set(Task.objects.values_list("assignee_id", flat=True)) <= {workers[2].pk, workers[5].pk}


def test_a_use_case_that_fails_publishes_and_writes_nothing(manager, worker):
    class Crash(Exception):
        pass

    @transaction.atomic
    def crash() -> None:
        new_task(manager)
        reassign(manager)
        raise Crash

    with pytest.raises(Crash):
        crash()
    assert published() == []
    assert (Task.objects.count(), TaskHistory.objects.count(), Reassignment.objects.count()) == (0, 0, 0)


def test_a_worker_who_is_not_one_any_more_is_not_kept_locked(worker):
    Account.objects.filter(pk=worker.pk).update(is_active=False)
    with transaction.atomic():
        assert locks.worker_lock(worker.pk) is None
        Held(lambda: Account.objects.filter(pk=worker.pk).update(full_name="Wilma")).commit()
    assert Account.objects.get().full_name == "Wilma"
