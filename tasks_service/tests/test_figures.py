"""What operators watch of tasks."""

import pytest

from eventbus.testing import deliver
from tasks.figures import FIGURES

from .support.people import deactivated, person
from .support.work import at, complete, new_task

pytestmark = pytest.mark.django_db


def read():
    return {name: figure.read() for name, figure in FIGURES.items()}


def test_done_tasks_are_not_open_and_those_without_a_worker_are_told_apart():
    manager, worker = person("manager"), person("worker")
    new_task(manager)
    complete(new_task(manager, "Done"), worker)
    assert read() == {"tasks_open": 1, "tasks_waiting_for_a_worker": 0}
    deliver("accounts", [deactivated(worker, time=at(5))])
    assert read() == {"tasks_open": 1, "tasks_waiting_for_a_worker": 1}
