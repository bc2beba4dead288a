from uuid import uuid4

import pytest

from tasks.models import Task

from .support.pages import HTMX, row_form, soup, text_of
from .support.people import person
from .support.work import complete, new_task, reassign

pytestmark = pytest.mark.django_db


def test_done_and_undo_on_the_row_without_leaving_it(browser):
    me = browser("worker")
    task = new_task(person("manager"), "Wash", assignee_id=me.account.pk)
    fields = row_form(soup(me.get("/")), task, "done")
    row = soup(me.post(f"/tasks/{task.pk}/done", fields, headers=HTMX)).select_one("tr")
    assert "is-done" in row["class"], "struck through, in its place"
    assert Task.objects.get().status == "done"
    row = soup(me.post(f"/tasks/{task.pk}/undo", row_form(row, task, "undo"), headers=HTMX)).select_one("tr")
    assert not row.get("class")
    assert Task.objects.get().status == "open"
    assert row_form(row, task, "done")["assignment_no"] == "1"


def test_done_and_undo_without_javascript(browser):
    me = browser("worker")
    task = new_task(person("manager"), "Wash", assignee_id=me.account.pk)
    fields = row_form(soup(me.get("/")), task, "done")
    back = me.post(f"/tasks/{task.pk}/done", fields, headers={"Referer": "http://testserver/?show=mine"}, follow=True)
    assert back.redirect_chain == [("/?show=mine", 302)]
    message = soup(back).select_one("#messages .message-success a")
    page = me.get(message["href"])
    me.post(f"/tasks/{task.pk}/undo", row_form(soup(page), task, "undo"))
    assert Task.objects.get().status == "open"


def test_the_same_done_form_twice_is_one_completion_and_the_same_answer(browser):
    me = browser("worker")
    task = new_task(person("manager"), assignee_id=me.account.pk)
    fields = row_form(soup(me.get("/")), task, "done")
    answers = [me.post(f"/tasks/{task.pk}/done", fields, headers=HTMX) for _ in range(2)]
    assert [soup(answer).select_one("tr")["class"] for answer in answers] == [["is-done"]] * 2
    assert not soup(answers[1]).select("[role=alert]")
    assert Task.objects.get().completion_no == 1


def test_a_done_that_was_undone_since_is_not_done_by_its_old_button_and_that_is_said(browser):
    me = browser("worker")
    task = new_task(person("manager"), "Wash", assignee_id=me.account.pk)
    fields = row_form(soup(me.get("/")), task, "done")
    row = soup(me.post(f"/tasks/{task.pk}/done", fields, headers=HTMX)).select_one("tr")
    me.post(f"/tasks/{task.pk}/undo", row_form(row, task, "undo"), headers=HTMX)
    row = soup(me.post(f"/tasks/{task.pk}/done", fields, headers=HTMX)).select_one("tr")
    assert "pressed before" in text_of(row.select_one("[role=alert]"))
    assert (Task.objects.get().status, Task.objects.get().completion_no) == ("open", 1)
    back = me.post(f"/tasks/{task.pk}/done", fields, follow=True)
    assert "pressed before" in text_of(soup(back).select_one("#messages .message-error"))
    row = soup(me.post(f"/tasks/{task.pk}/done", row_form(row, task, "done"), headers=HTMX)).select_one("tr")
    assert "is-done" in row["class"]
    assert Task.objects.get().completion_no == 2


def test_a_repetition_without_javascript_says_the_first_result(browser):
    me = browser("worker")
    task = new_task(person("manager"), "Wash", assignee_id=me.account.pk)
    fields = row_form(soup(me.get("/")), task, "done")
    for _ in range(2):
        back = me.post(f"/tasks/{task.pk}/done", fields, follow=True)
        assert "Done." in text_of(soup(back).select_one("#messages .message-success"))


def test_an_old_undo_does_not_undo_a_later_done_and_that_is_said(browser):
    me = browser("worker")
    task = new_task(person("manager"), "Wash", assignee_id=me.account.pk)
    address = f"/tasks/{task.pk}"
    row = soup(me.post(f"{address}/done", row_form(soup(me.get("/")), task, "done"), headers=HTMX))
    undo = row_form(row, task, "undo")
    row = soup(me.post(f"{address}/undo", undo, headers=HTMX))
    me.post(f"{address}/done", row_form(row, task, "done"), headers=HTMX)
    row = soup(me.post(f"{address}/undo", undo, headers=HTMX)).select_one("tr")
    assert "pressed before" in text_of(row.select_one("[role=alert]"))
    assert Task.objects.get().status == "done"


def test_a_refusal_is_said_on_the_row_where_one_pressed(browser):
    me, other = browser("worker"), person("worker", "Nora Nagel")
    manager = person("manager")
    task = new_task(manager, assignee_id=me.account.pk)
    fields = row_form(soup(me.get("/")), task, "done")
    while Task.objects.get().assignee_id != other.pk:
        reassign(manager, seed=int(uuid4()))
    row = soup(me.post(f"/tasks/{task.pk}/done", fields, headers=HTMX)).select_one("tr")
    assert "Nora Nagel has it now" in text_of(row.select_one("[role=alert]"))
    assert not row.select("form"), "no button for somebody else's task"
    back = me.post(f"/tasks/{task.pk}/done", fields, follow=True)
    assert "Nora Nagel has it now" in text_of(soup(back).select_one("#messages .message-error"))


def test_a_broken_button_is_not_understood(browser):
    me = browser("worker")
    task = new_task(person("manager"), assignee_id=me.account.pk)
    assert me.post(f"/tasks/{task.pk}/done", {"form_key": str(uuid4())}).status_code == 400
    assert me.post(f"/tasks/{task.pk}/undo", {"completion_no": 1}).status_code == 400
    assert me.post(f"/tasks/{uuid4()}/done", {"form_key": str(uuid4()), "assignment_no": 1}).status_code == 404
    assert me.get(f"/tasks/{task.pk}/done").status_code == 405


def test_managers_reopen_where_nobody_may_undo_any_more(browser):
    manager = browser("manager")
    worker = person("worker")
    task = complete(new_task(manager.account), worker)
    page = soup(manager.get(f"/tasks/{task.pk}"))
    manager.post(f"/tasks/{task.pk}/reopen", row_form(page, task, "reopen"))
    assert Task.objects.get().status == "open"
    assert "taken back" in text_of(soup(manager.get(f"/tasks/{task.pk}")))


def test_history_says_why_a_task_was_reopened_where_that_was_said(browser):
    manager = browser("manager")
    worker = person("worker")
    task = complete(new_task(manager.account), worker)
    address = f"/tasks/{task.pk}"
    fields = row_form(soup(manager.get(address)), task, "reopen")
    manager.post(f"{address}/reopen", fields | {"reason": "Still <dirty>"})
    assert "Why: Still <dirty>" in text_of(soup(manager.get(address)).select_one(".timeline"))
    complete(Task.objects.get(), worker)
    fields = row_form(soup(manager.get("/?show=done")), task, "reopen")
    manager.post(f"{address}/reopen", fields | {"reason": "\u200b"})
    assert text_of(soup(manager.get(address)).select_one(".timeline")).count("Why:") == 1


def test_a_worker_sees_no_button_for_what_they_may_not_do(browser):
    me = browser("worker")
    manager, other = person("manager"), person("worker")
    new_task(manager, assignee_id=other.pk)
    complete(new_task(manager, assignee_id=me.account.pk), me.account)
    for show in ("open", "done"):
        assert not soup(me.get(f"/?show={show}")).select("#task-rows form")
