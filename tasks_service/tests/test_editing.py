"""Title, Jira id and description of an open task are edited; what it costs is not (T8)."""

from uuid import uuid4

import pytest

from eventbus.testing import clear_outbox, published
from tasks.domain import Heading, Refused, TextError
from tasks.models import Task, TaskHistory, TaskPrice
from tasks.services import EditedMeanwhile

from .support.pages import soup, text_of
from .support.people import person
from .support.together import Held, meanwhile
from .support.work import at, complete, edit, new_task, price, reassign

pytestmark = pytest.mark.django_db


@pytest.fixture
def worker():
    return person("worker", "Wilma Weber")


@pytest.fixture
def task(worker):
    task = new_task(worker, heading=Heading("Wash", "POPUG-1"), description="One side")
    price(task, fee=1500, reward=3200)
    clear_outbox()
    return task


def form_of(page):
    fields = {field["name"]: field.get("value", "") for field in page.select("main form input[name]")}
    return fields | {"description": page.select_one("main textarea").get_text().removeprefix("\n")}


@pytest.mark.parametrize("role", ["creator", "manager", "admin"])
def test_the_creator_managers_and_admins_edit_the_texts_of_an_open_task(task, worker, role):
    actor = worker if role == "creator" else person(role)
    edited = edit(task, actor, Heading("Wash the cage", "POPUG-2"), "Both sides")
    assert (edited.title, edited.jira_id, edited.description, edited.version) == (
        "Wash the cage",
        "POPUG-2",
        "Both sides",
        2,
    )
    (updated,) = published()
    assert (updated.name, updated.time) == ("TaskUpdated", at(3))
    assert (updated.data["title"], updated.data["jira_id"], updated.data["version"]) == ("Wash the cage", "POPUG-2", 2)
    assert (updated.data["assignee_id"], updated.data["assignment_no"]) == (str(worker.pk), 1)


@pytest.mark.parametrize("role", ["worker", "finance"])
def test_nobody_else_edits(task, role, browser):
    other = browser(role)
    with pytest.raises(Refused, match="Only who created"):
        edit(task, other.account, Heading("Mine now"))
    assert published() == []
    page = other.get(f"/tasks/{task.pk}/edit")
    assert page.status_code == 403
    assert "manager" in text_of(soup(page))
    assert not soup(other.get(f"/tasks/{task.pk}")).select("a[href$='/edit']")


def test_an_assignee_who_did_not_create_the_task_does_not_edit_it(worker):
    task = new_task(person("manager"))
    assert task.assignee_id == worker.pk
    with pytest.raises(Refused):
        edit(task, worker, Heading("Something easier"))


def test_the_price_stays(task, worker):
    before = TaskPrice.objects.values().get()
    edit(task, worker, Heading("Wash all cages of the zoo"))
    assert TaskPrice.objects.values().get() == before


def test_history_shows_before_and_after(task, worker, browser):
    edit(task, worker, Heading("Wash the cage"), "Both\nsides")
    entry = TaskHistory.objects.get(kind="edited")
    assert (entry.actor_id, entry.at, entry.version) == (worker.pk, at(3), 2)
    assert entry.changes == {
        "title": ["Wash", "Wash the cage"],
        "jira_id": ["POPUG-1", ""],
        "description": ["One side", "Both\nsides"],
    }
    story = text_of(soup(browser("finance").get(f"/tasks/{task.pk}")).select_one(".timeline li"))
    assert "Edited by Wilma Weber" in story
    assert "Title before Wash after Wash the cage" in story
    assert "Jira id before POPUG-1 after none" in story
    assert "Description before One side after Both sides" in story


def test_an_edit_that_changes_nothing_does_nothing(task, worker):
    assert edit(task, worker, Heading("Wash", "POPUG-1"), "One side").version == 1
    assert published() == []
    assert not TaskHistory.objects.filter(kind="edited").exists()


def test_a_done_task_is_not_edited(task, worker, browser):
    me = browser(account=worker)
    form = form_of(soup(me.get(f"/tasks/{task.pk}/edit")))
    complete(task, worker)
    with pytest.raises(Refused, match="is done"):
        edit(task, worker, Heading("Wash more"))
    answer = me.post(f"/tasks/{task.pk}/edit", form | {"title": "Wash more"})
    assert answer.status_code == 422
    assert "This task is done" in text_of(soup(answer))
    assert soup(answer).select_one("input[name=title]")["value"] == "Wash more"
    assert me.get(f"/tasks/{task.pk}/edit").headers["Location"] == f"/tasks/{task.pk}"


def test_the_rules_of_titles_and_descriptions_hold(task, worker):
    for given in ({"heading": Heading("a]b")}, {"heading": Heading("x" * 201)}, {"description": "x" * 10_001}):
        with pytest.raises(TextError):
            edit(task, worker, **{"heading": Heading("Wash")} | given)
    assert Task.objects.get().version == 1


def test_a_form_made_from_an_older_text_is_refused_and_shows_both(task, worker, browser):
    manager = browser("manager", "Max Braun")
    form = form_of(soup(manager.get(f"/tasks/{task.pk}/edit")))
    assert form["title"] == "[POPUG-1] Wash"
    edit(task, worker, Heading("Wash the cage"), "Theirs <b>")
    answer = manager.post(f"/tasks/{task.pk}/edit", form | {"title": "Wash it all", "description": "Mine"})
    assert answer.status_code == 422
    page = soup(answer)
    assert "Wilma Weber has edited this task" in text_of(page.select_one("[role=alert]"))
    theirs = text_of(page.select_one("section[aria-labelledby=theirs]"))
    assert theirs == "The text as Wilma Weber saved it Wash the cage Theirs <b>"
    assert page.select_one("input[name=title]")["value"] == "Wash it all"
    assert Task.objects.get().title == "Wash the cage"
    manager.post(f"/tasks/{task.pk}/edit", form_of(page))
    assert (Task.objects.get().title, Task.objects.get().description) == ("Wash it all", "Mine")


def test_an_assignment_meanwhile_does_not_refuse_an_edit(task, worker):
    reassign(person("manager"))
    edit(task, worker, Heading("Wash the cage"))
    assert (Task.objects.get().title, Task.objects.get().version) == ("Wash the cage", 3)


def test_the_same_form_twice_is_one_edit(task, worker, browser):
    me = browser(account=worker)
    form = form_of(soup(me.get(f"/tasks/{task.pk}/edit"))) | {"title": "Wash the cage"}
    addresses = {me.post(f"/tasks/{task.pk}/edit", form).headers["Location"] for _ in range(2)}
    assert addresses == {f"/tasks/{task.pk}"}
    assert TaskHistory.objects.filter(kind="edited").count() == 1


def test_what_was_typed_is_kept_when_it_is_refused(task, worker, browser):
    me = browser(account=worker)
    form = form_of(soup(me.get(f"/tasks/{task.pk}/edit")))
    answer = me.post(f"/tasks/{task.pk}/edit", form | {"title": "a [b]", "description": "<script>x</script>"})
    assert answer.status_code == 422
    assert "no [ or ]" in text_of(soup(answer))
    assert form_of(soup(answer))["description"] == "<script>x</script>"
    assert b"<script>x" not in answer.content


def test_a_task_that_there_is_not_is_not_found(browser):
    assert browser("admin").get(f"/tasks/{uuid4()}/edit").status_code == 404


@pytest.mark.django_db(transaction=True)
def test_of_two_edits_at_once_the_second_sees_the_first():
    worker, manager = person("worker", "Wilma Weber"), person("manager")
    task = new_task(worker)
    first = Held(lambda: edit(task, worker, Heading("First")))
    second = meanwhile(lambda: edit(task, manager, Heading("Second")))
    assert not second.done()
    first.commit()
    with pytest.raises(EditedMeanwhile) as refused:
        second.result(10)
    assert refused.value.task.title == "First"
    assert Task.objects.get().title == "First"
