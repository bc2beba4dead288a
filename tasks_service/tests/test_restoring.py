"""A restored tasks takes back what it told after the backup: nothing is charged or paid under a number used before."""

from dataclasses import replace

import pytest

from eventbus.testing import clear_outbox, published
from tasks.domain import Heading
from tasks.models import Task, TaskHistory
from tasks.services.restoring import tasks_take

from .support.people import person
from .support.work import complete, new_task, reassign, reopen

pytestmark = pytest.mark.django_db
SAME = ("title", "jira_id", "status", "assignee_id", "assignment_no", "completion_no", "creator_id", "version")


def told(task):
    """The last state that the topic has of a task."""
    return [event for event in published() if event.topic == "tasks-stream" and event.key == str(task.pk)][-1]


def states():
    return list(Task.objects.order_by("pk").values_list(*SAME))


def test_a_completion_after_the_backup_is_not_paid_again():
    manager, worker = person("manager"), person("worker")
    task = new_task(manager)
    backup = Task.objects.values().get()
    reassign(manager)
    complete(Task.objects.get(), worker, minutes=6)
    event, before = told(task), states()
    Task.objects.update(**backup)
    tasks_take([event])
    assert states() == before
    clear_outbox()
    reopen(Task.objects.get(), manager, minutes=9)
    complete(Task.objects.get(), worker, minutes=12)
    [again] = published("TaskCompleted")
    assert again.data["completion_no"] == event.data["completion_no"] + 1


def test_the_next_assignment_has_a_number_of_its_own():
    manager, _ = person("manager"), person("worker")
    task = new_task(manager)
    backup = Task.objects.values().get()
    reassign(manager)
    event = told(task)
    Task.objects.update(**backup)
    tasks_take([event])
    clear_outbox()
    reassign(manager)
    [fee] = published("TaskAssigned")
    assert fee.data["assignment_no"] == event.data["assignment_no"] + 1


def test_a_task_made_after_the_backup_is_there_again_and_says_so(browser):
    manager, _ = person("manager"), person("worker")
    task = new_task(manager, heading=Heading("Feed Polly", "POPUG-7"))
    event, before = told(task), states()
    Task.objects.all().delete()
    tasks_take([event])
    assert states() == before
    assert TaskHistory.objects.filter(task=task.pk).latest("id").kind == "restored"
    client = browser(account=manager)
    page = client.get(f"/tasks/{task.pk}").content.decode()
    assert "Feed Polly" in page
    assert "Taken back after a restore" in page
    assert b"Feed Polly" in client.get("/?show=open&q=polly").content


def test_of_an_old_release_the_description_is_the_title():
    manager, _ = person("manager"), person("worker")
    task = new_task(manager)
    event = told(task)
    data = {name: value for name, value in event.data.items() if name not in {"title", "jira_id"}}
    tasks_take([replace(event, name="TaskCreated", version=1, data={**data, "description": "[popug-7] - Wash it"})])
    assert Task.objects.values_list("title", "jira_id").get() == ("Wash it", "POPUG-7")
