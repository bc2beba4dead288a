import re
from datetime import timedelta
from uuid import uuid4

import pytest
import time_machine
from django.utils import timezone

from tasks import services
from tasks.models import Reassignment, Task

from .support.pages import HTMX, fragments, quick_add, soup, text_of, titles
from .support.people import NOW, person
from .support.work import complete, new_task, price, reassign, rng

pytestmark = pytest.mark.django_db


def test_the_line_is_read_while_it_is_typed(browser):
    me = browser("worker")
    assert "POPUG-42" in text_of(soup(me.get("/tasks/reading", {"title": "[popug-42] - Wash"}, headers=HTMX)))
    assert "no [ or ]" in text_of(soup(me.get("/tasks/reading", {"title": "[x] Wash"}, headers=HTMX)))
    assert "random worker" in text_of(soup(me.get("/tasks/reading", {"title": " "}, headers=HTMX)))
    escaped = me.get("/tasks/reading", {"title": "<script>alert(1)</script>"}, headers=HTMX)
    assert b"<script>" not in escaped.content


def test_quick_add_puts_the_task_on_top_of_the_list_that_shows_it(browser):
    me = browser("worker", "Wilma Weber")
    new_task(person("manager"), "There already")
    answer = fragments(me.post("/tasks/add", quick_add(me, "[popug-7] Wash"), headers=HTMX))
    assert Task.objects.get(jira_id="POPUG-7").title == "Wash"
    assert text_of(answer.select_one("tbody[hx-swap-oob='afterbegin:#task-rows'] .lead-cell")) == "POPUG-7 Wash"
    assert "Wilma Weber got it: [POPUG-7] Wash" in text_of(answer.select_one("#reading"))
    assert answer.select_one("input[name=title]")["value"] == ""
    assert not fragments(me.post("/tasks/add", quick_add(me, "Dry", show="done"), headers=HTMX)).select("tr")


def test_the_first_task_of_an_empty_list_loads_it_anew(browser):
    me = browser("worker")
    answer = me.post("/tasks/add", quick_add(me, "Wash"), headers=HTMX)
    assert answer.headers["HX-Refresh"] == "true"
    assert titles(me.get("/")) == ["Wash"]


def test_quick_add_without_javascript(browser):
    me = browser("worker", "Wilma Weber")
    back = me.post(
        "/tasks/add", quick_add(me, "Wash"), headers={"Referer": "http://testserver/?show=open"}, follow=True
    )
    assert back.redirect_chain == [("/?show=open", 302)]
    assert "Wilma Weber got it" in text_of(soup(back).select_one("#messages"))


def test_without_javascript_a_refused_line_that_was_mended_leads_back_to_its_list(browser):
    me = browser("worker", "Wilma Weber")
    fields = quick_add(me, "a [b] c", q="wash")
    refused = me.post("/tasks/add", fields, headers={"Referer": "http://testserver/?show=open&q=wash"})
    assert refused.status_code == 422
    back = me.post(
        "/tasks/add", fields | {"title": "Wash"}, headers={"Referer": "http://testserver/tasks/add"}, follow=True
    )
    assert back.redirect_chain == [("/?show=open&q=wash", 302)]
    assert "Wilma Weber got it" in text_of(soup(back).select_one("#messages"))


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_another_task_under_a_used_key_is_said_and_kept_and_made_when_sent_again(browser, headers):
    me = browser("worker")
    used = quick_add(me, "Wash")
    me.post("/tasks/add", used, headers=headers)
    page = soup(me.post("/tasks/add", used | {"title": "Feed"}, headers=headers))
    assert "sent before" in text_of(page.select_one("#reading"))
    assert page.select_one("input[name=title]")["value"] == "Feed"
    assert [task.title for task in Task.objects.all()] == ["Wash"]
    fresh = page.select_one("form[action='/tasks/add'] input[name=form_key]")["value"]
    me.post("/tasks/add", used | {"title": "Feed", "form_key": fresh}, headers=headers)
    assert sorted(Task.objects.values_list("title", flat=True)) == ["Feed", "Wash"]


def test_another_task_or_text_under_a_used_key_of_the_full_forms_is_said_and_kept(browser):
    me = browser("worker")
    used = {"title": "Wash", "form_key": str(uuid4())}
    me.post("/tasks/new", used)
    task = Task.objects.get()
    address = f"/tasks/{task.pk}/edit"
    edit = {"title": "Wash it", "version": "1", "form_key": str(uuid4())}
    me.post(address, edit)
    for answer in (me.post("/tasks/new", used | {"title": "Feed"}), me.post(address, edit | {"title": "Feed"})):
        assert answer.status_code == 422
        page = soup(answer)
        assert "sent before" in text_of(page.select_one("[role=alert]"))
        assert page.select_one("input[name=title]")["value"] == "Feed"
        assert page.select_one("main input[name=form_key]")["value"] not in (used["form_key"], edit["form_key"])
    assert [task.title for task in Task.objects.all()] == ["Wash it"]


def test_a_quick_add_with_a_broken_key_says_what_to_do(browser):
    me = browser("worker")
    page = soup(me.post("/tasks/add", quick_add(me, "Wash", key="broken")))
    assert "Load the page again" in text_of(page.select_one("#reading"))
    assert not Task.objects.exists()


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_what_was_typed_is_kept_when_it_is_refused(browser, headers):
    me = browser("manager")
    for title, problem in (("[x] Wash", "no [ or ]"), ("y" * 201, "200 characters"), ("Wash", "no active worker")):
        answer = me.post("/tasks/add", quick_add(me, title), headers=headers)
        page = soup(answer)
        assert answer.status_code == (200 if headers else 422)
        assert problem in text_of(page.select_one("#reading"))
        assert page.select_one("input[name=title]")["value"] == title
    assert not Task.objects.exists()


def test_a_task_form_sent_twice_makes_one_task(browser):
    me = browser("worker")
    key = uuid4()
    for _ in range(2):
        answer = me.post("/tasks/add", quick_add(me, "Wash", key=key, show="done"), headers=HTMX)
        assert "Wash" in answer.content.decode()
    fields = {"title": "Wash", "form_key": str(uuid4())}
    addresses = {me.post("/tasks/new", fields).headers["Location"] for _ in range(2)}
    assert len(addresses) == 1
    assert Task.objects.count() == 2


def test_the_full_form_lets_leaders_pick_and_others_not(browser):
    workers = [person("worker", name) for name in ("Anna Arm", "Bert Bein")]
    person("worker", "Gone Gone", active=False)
    manager = browser("manager")

    def way_there(client):
        return text_of(soup(client.get("/")).select_one("a[href='/tasks/new']"))

    assert way_there(manager) == "New task with description or assignee"
    options = [text_of(option) for option in soup(manager.get("/tasks/new")).select("option")]
    assert options == ["A random worker", "Anna Arm", "Bert Bein"]
    fields = {"title": "[popug-1] Wash", "description": "Both\r\nsides", "form_key": str(uuid4())}
    answer = manager.post("/tasks/new", fields | {"assignee": str(workers[1].pk)})
    task = Task.objects.get()
    assert answer.headers["Location"] == f"/tasks/{task.pk}"
    assert (task.assignee_id, task.description) == (workers[1].pk, "Both\nsides")
    me = browser("worker", account=workers[0])
    assert way_there(me) == "New task with description"
    assert not soup(me.get("/tasks/new")).select("select")
    me.post("/tasks/new", fields | {"assignee": str(workers[1].pk), "form_key": str(uuid4())})
    assert Task.objects.count() == 2


def test_the_full_form_says_at_the_field_what_is_wrong_and_keeps_what_was_typed(browser):
    manager = browser("manager")
    gone = person("worker", active=False)
    fields = {"title": "", "description": "x" * 10_001, "assignee": str(gone.pk), "form_key": str(uuid4())}
    answer = manager.post("/tasks/new", fields)
    assert answer.status_code == 422
    page = text_of(soup(answer))
    for problem in ("Say in a few words", "at most 10,000 characters", "not an active worker"):
        assert problem in page
    answer = manager.post("/tasks/new", fields | {"title": "Wash 🦜 <b>", "description": "=cmd()", "assignee": ""})
    assert "no active worker" in text_of(soup(answer))
    assert soup(answer).select_one("input[name=title]")["value"] == "Wash 🦜 <b>"
    assert not Task.objects.exists()


def test_the_task_page_tells_the_whole_story(browser):
    worker = person("worker", "Wilma Weber")
    manager = browser("manager", "Max Braun")
    task = new_task(manager.account, description="See https://popug.example/x\nand <script>x</script>")
    price(task, fee=1500, reward=3200)
    reassign(manager.account)
    task = complete(Task.objects.get(), worker, minutes=9)
    services.task_reopen(task_id=task.pk, actor=manager.account, completion_no=1, now=timezone.now(), rng=rng())
    page = soup(manager.get(f"/tasks/{task.pk}"))
    story = [text_of(entry) for entry in page.select(".timeline li")]
    assert len(story) == 5
    assert "Reopened by Max Braun" in story[0]
    assert "The reward of Wilma Weber is taken back." in story[0]
    assert "Done by Wilma Weber" in story[1]
    assert "all tasks were reassigned by Max Braun. Before: Wilma Weber." in story[2]
    assert "Assigned to Wilma Weber" in story[3]
    assert "Created by Max Braun" in story[4]
    assert "2 Mar 2026, 11:00 CET" in story[4]
    assert page.select_one("a[href='https://popug.example/x']")
    assert not page.select_one("main script")
    assert (text_of(page.select_one(f"#fee-{task.pk}")), text_of(page.select_one(f"#reward-{task.pk}"))) == (
        "$15.00",
        "$32.00",
    )


def test_a_task_that_there_is_not_is_not_found(browser):
    me = browser("worker")
    assert me.get(f"/tasks/{uuid4()}").status_code == 404
    assert browser("admin").get(f"/reassignments/{uuid4()}").status_code == 404


def test_who_may_open_what(browser):
    person("worker")
    task = new_task(person("manager"))
    run = reassign(person("manager"))
    everybody = ["/", "/tasks/new", f"/tasks/{task.pk}", "/tasks/reading"]
    leaders = ["/reassignments", "/reassignments/new", f"/reassignments/{run.pk}"]
    for role in ("worker", "finance", "manager", "admin"):
        client = browser(role)
        for address in everybody:
            assert client.get(address).status_code == 200, (role, address)
        for address in leaders:
            assert client.get(address).status_code == (200 if role in ("manager", "admin") else 403), (role, address)
        assert client.get("/dead-letters/").status_code == (200 if role == "admin" else 403)
        assert client.post("/reassignments/new", {"form_key": str(uuid4()), "again": "on"}).status_code in (302, 403)
    assert Reassignment.objects.count() == 3


def test_without_a_session_every_page_leads_to_signing_in(client):
    for address in ("/", "/tasks/new", f"/tasks/{uuid4()}", "/reassignments", "/dead-letters/"):
        answer = client.get(address)
        assert answer.status_code == 302
        assert answer.headers["Location"].startswith("/login")


def test_before_it_reassigns_the_page_says_what_that_does(browser):
    manager = browser("manager", "Max Braun")
    worker = person("worker")
    first, _, done = (new_task(manager.account, f"Task {n}") for n in range(3))
    price(first, fee=1700)
    complete(done, worker)
    page = soup(manager.get("/reassignments/new"))
    assert [text_of(page.select_one(f"#{name}")) for name in ("task-count", "worker-count", "fees")] == [
        "2",
        "1",
        "$17.00",
    ]
    assert "1 task still being priced" in text_of(page)
    assert "cannot be undone" in text_of(page)
    assert "never yet" in text_of(page)
    reassign(person("admin", "Ada Adler"))
    page = text_of(soup(manager.get("/reassignments/new")))
    assert "Ada Adler" in page
    assert "2 Mar 2026, 11:05 CET" in page


def test_reassigning_leads_to_a_page_of_tasks_per_worker_before_and_after(browser):
    manager = browser("manager", "Max Braun")
    person("worker", "Wilma Weber")
    for n in range(3):
        new_task(manager.account, f"Task {n}")
    form = soup(manager.get("/reassignments/new")).select_one("main form")
    fields = {"form_key": form.select_one("[name=form_key]")["value"]}
    addresses = {manager.post("/reassignments/new", fields).headers["Location"] for _ in range(2)}
    assert addresses == {f"/reassignments/{fields['form_key']}"}, "the form's key is the run's id"
    page = soup(manager.get(addresses.pop()))
    assert [text_of(cell) for cell in page.select("tbody tr > *")] == ["Wilma Weber", "3", "3"]
    listed = text_of(soup(manager.get("/reassignments")).select_one("tbody"))
    assert re.search(r"Max Braun 3 1 \$0\.00 and those of 3 unpriced", listed)


def test_back_and_the_button_once_more_reassigns_nothing_unless_it_is_meant(browser):
    manager = browser("manager", "Max Braun")
    person("worker", "Wilma Weber")
    new_task(manager.account, "Wash")
    first = {"form_key": str(uuid4())}
    assert manager.post("/reassignments/new", first).status_code == 302
    page = soup(manager.get("/reassignments/new"))  # as after Back: the browser asks for the page anew
    again = {"form_key": page.select_one("main [name=form_key]")["value"]}
    refused = manager.post("/reassignments/new", again)
    assert refused.status_code == 422
    assert "You reassigned open tasks just now" in text_of(soup(refused).select_one("[role=alert]"))
    assert Reassignment.objects.count() == 1
    assert manager.post("/reassignments/new", first).status_code == 302, "the same form again has the same answer"
    assert page.select_one("main [name=again]")
    assert manager.post("/reassignments/new", again | {"again": "on"}).status_code == 302
    assert Reassignment.objects.count() == 2
    other = browser("manager")
    assert not soup(other.get("/reassignments/new")).select_one("main [name=again]")
    assert other.post("/reassignments/new", {"form_key": str(uuid4())}).status_code == 302, "two managers are two runs"
    with time_machine.travel(timezone.now() + timedelta(minutes=3)):
        assert not soup(manager.get("/reassignments/new")).select_one("main [name=again]")


def test_reassigning_nothing_or_among_nobody_is_not_offered(browser):
    manager = browser("manager")
    assert "no active worker" in text_of(soup(manager.get("/reassignments/new")))
    refused = manager.post("/reassignments/new", {"form_key": str(uuid4())})
    assert refused.status_code == 422
    assert "Nothing was reassigned" in text_of(soup(refused))
    person("worker")
    assert "no open task" in text_of(soup(manager.get("/reassignments/new")))
    assert "never reassigned" in text_of(soup(manager.get("/reassignments")))


def test_a_run_of_somebody_else_is_offered_to_who_looks_at_the_list(browser):
    max_, ada = browser("manager", "Max Braun"), browser("admin", "Ada Adler")
    person("worker")
    address = soup(max_.get("/reassignments")).find("div", class_="news")["hx-get"]
    assert max_.get(address).content.strip() == b""
    for account in (max_.account, ada.account):
        reassign(account, minutes=(timezone.now() - NOW).total_seconds() / 60)
    offered = soup(max_.get(address)).a
    assert (text_of(offered), offered["href"]) == ("1 new, show", "/reassignments")
    assert browser("worker").get(address).status_code == 403
