"""What pages say of why somebody has a task, or nobody (T6, T7)."""

import pytest

from eventbus.testing import deliver
from tasks.models import TaskHistory
from tasks.web.history import REASONS

from .support.pages import soup, text_of
from .support.people import deactivated, person
from .support.work import at, new_task

pytestmark = pytest.mark.django_db
LEFT_LONG_AGO = "Leo Lang is no longer an active worker, so it was drawn again."
TAKEN_BACK = "The reward of Nora Nagel is taken back."
WORDS = {
    ("assigned", "picked"): "Assigned to Nora Nagel | Picked by Max Braun.",
    ("assigned", "drawn"): "Assigned to Nora Nagel | Drawn at random.",
    ("assigned", "created"): "Assigned to Nora Nagel | The first assignment.",
    ("assigned", "reassigned"): "Assigned to Nora Nagel | Drawn anew: all tasks were reassigned by Max Braun. "
    "Before: Leo Lang.",
    ("assigned", "left"): f"Assigned to Nora Nagel | {LEFT_LONG_AGO}",
    ("assigned", "crossed"): "Assigned to Nora Nagel | It was given to Leo Lang just after they had left, before this "
    "was known here, so it was drawn again. The fee of that assignment stands.",
    ("assigned", "waited"): "Assigned to Nora Nagel | It had waited until there was an active worker.",
    ("assigned", "reopened"): f"Assigned to Nora Nagel | {LEFT_LONG_AGO}",
    ("waiting", "left"): "Waiting for a worker | Leo Lang left, and there is no active worker now.",
    ("waiting", "crossed"): "Waiting for a worker | It was given to Leo Lang just after they had left, and there is no "
    "active worker now. The fee of that assignment stands.",
    ("waiting", "reopened"): "Waiting for a worker | Leo Lang left, and there is no active worker now.",
    ("done", ""): "Done by Max Braun | Nora Nagel earns the reward.",
    ("undone", "undone"): f"Undone by Max Braun | {TAKEN_BACK}",
    ("reopened", "reopened"): f"Reopened by Max Braun | {TAKEN_BACK}",
    ("restored", ""): "Taken back after a restore | The database came from a backup. What had been told of this task "
    "since holds; who did it is not known now.",
    ("assigned", "a cause of tomorrow"): "Assigned to Nora Nagel | a cause of tomorrow",
}


def newest(client, task):
    """The headline of the newest entry of a task's history, and its reason."""
    entry = soup(client.get(f"/tasks/{task.pk}")).select_one(".timeline li")
    return " | ".join(text_of(part) for part in (entry.strong, *entry.find_all("div", recursive=False)[1:]))


def test_each_reason_that_pages_know_has_its_words_here():
    assert set(REASONS) == set(WORDS) - {("assigned", "a cause of tomorrow")}


@pytest.mark.parametrize(("kind", "cause"), WORDS)
def test_history_says_why_in_words(browser, kind, cause):
    manager = browser("manager", "Max Braun")
    nora, leo = person("worker", "Nora Nagel"), person("worker", "Leo Lang")
    task = new_task(manager.account)
    given = {"actor_id": manager.account.pk, "account_id": nora.pk, "previous_id": leo.pk}
    TaskHistory.objects.create(task=task, version=2, kind=kind, cause=cause, at=at(5), **given)
    assert newest(manager, task) == WORDS[kind, cause]


def test_history_tells_a_picked_assignee_from_a_drawn_one(browser):
    manager = browser("manager", "Max Braun")
    nora = person("worker", "Nora Nagel")
    drawn = new_task(manager.account)
    assert newest(manager, drawn) == "Assigned to Nora Nagel | Drawn at random."
    picked = new_task(manager.account, assignee_id=nora.pk)
    assert newest(manager, picked) == "Assigned to Nora Nagel | Picked by Max Braun."


def test_a_task_without_a_worker_says_that_it_waits_and_offers_no_done(browser):
    manager = browser("manager", "Max Braun")
    leo = person("worker", "Leo Lang")
    task = new_task(manager.account)
    for address in ("/?show=open", f"/tasks/{task.pk}"):
        shown = soup(manager.get(address))
        assert shown.select(f"form[action='/tasks/{task.pk}/done']"), "somebody has it, and a manager may press"
        assert not shown.find_all("span", string="waiting for a worker")
    deliver("accounts", [deactivated(leo, time=at(5))])
    for address in ("/?show=open", f"/tasks/{task.pk}"):
        shown = soup(manager.get(address))
        (badge,) = shown.find_all("span", string="waiting for a worker")
        assert "status-warn" in badge["class"]
        assert not shown.select(f"form[action='/tasks/{task.pk}/done']")
    assert newest(manager, task) == WORDS["waiting", "left"]
