from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from tasks import services

from .support.pages import HTMX, fragments, soup, text_of, titles
from .support.people import person
from .support.work import complete, new_task, price

pytestmark = [pytest.mark.django_db, pytest.mark.no_cover]  # traced, it takes twice as long


def test_workers_open_on_their_own_open_tasks(browser):
    me = browser("worker")
    manager = person("manager")
    new_task(manager, "Mine", assignee_id=me.account.pk)
    new_task(manager, "Another's", assignee_id=person("worker").pk)
    complete(new_task(manager, "Mine and done", assignee_id=me.account.pk), me.account)
    assert titles(me.get("/")) == ["Mine"]
    assert titles(me.get("/?show=mine")) == ["Mine"]
    assert titles(me.get("/?show=mine-done")) == ["Mine and done"]
    assert set(titles(me.get("/?show=open"))) == {"Mine", "Another's"}
    assert titles(me.get("/?show=done")) == ["Mine and done"]


@pytest.mark.parametrize("role", ["manager", "admin", "finance"])
def test_everybody_else_opens_on_all_open_tasks(browser, role):
    person("worker")
    new_task(person("manager"), "Wash")
    client = browser(role)
    assert titles(client.get("/")) == ["Wash"]
    assert client.get("/?show=mine").status_code == 400


def test_the_newest_assignment_comes_first_and_the_order_can_be_turned(browser):
    person("worker")
    manager = browser("manager")
    for n in range(3):
        new_task(manager.account, f"Task {n}", minutes=n)
    assert titles(manager.get("/")) == ["Task 2", "Task 1", "Task 0"]
    assert titles(manager.get("/?sort=assigned")) == ["Task 0", "Task 1", "Task 2"]


def test_lists_have_pages_of_fifty_that_share_no_row_and_miss_none(browser):
    person("worker")
    manager = browser("manager")
    for n in range(120):
        new_task(manager.account, f"Task {n}", minutes=n // 7)
    seen, address = [], "/"
    while address:
        page = manager.get(address)
        seen += titles(page)
        following = soup(page).select_one("a[rel=next]")
        address = following and "/" + following["href"]
    assert len(seen) == 120
    assert set(seen) == {f"Task {n}" for n in range(120)}


@pytest.mark.parametrize("address", ["/?show=all", "/?colour=red", "/?sort=title", "/?after=x", "/tasks/news?since=x"])
def test_an_address_that_is_not_understood_is_an_error_not_everything(browser, address):
    assert browser("manager").get(address).status_code == 400


def test_a_list_takes_the_same_few_statements_whatever_its_length(browser, django_assert_num_queries):
    manager = browser("manager")
    workers = [person("worker") for _ in range(10)]
    new_task(manager.account, "First")
    manager.get("/")
    with django_assert_num_queries(5):  # session, account, tasks with prices, names, session's floor
        manager.get("/")
    for n in range(60):
        task = new_task(manager.account, f"Task {n}", assignee_id=workers[n % 10].pk)
        if n % 2:
            price(task)
    with django_assert_num_queries(5):
        manager.get("/")


def test_an_empty_list_says_why_and_what_to_do(browser):
    worker = browser("worker")
    assert "You have no open task" in text_of(soup(worker.get("/")))
    assert "Write the next task" in text_of(soup(worker.get("/?show=open")))


def test_a_price_appears_by_itself_once_it_is_known(browser):
    person("worker")
    manager = browser("manager")
    task = new_task(manager.account)
    waiting = soup(manager.get("/")).select_one(f"#fee-{task.pk} [hx-get]")
    assert text_of(waiting) == "being priced"
    again = soup(manager.get(waiting["hx-get"], headers=HTMX))
    assert "wait=2" in again.select_one("[hx-get]")["hx-get"]
    price(task, fee=1700, reward=2900)
    cells = fragments(manager.get(waiting["hx-get"], headers=HTMX))
    assert text_of(cells.select_one(f"#fee-{task.pk}")) == "$17.00"
    assert text_of(cells.select_one(f"#reward-{task.pk}[hx-swap-oob]")) == "$29.00"
    assert not cells.select("[hx-get]")
    assert not soup(manager.get("/")).select("#task-rows td [hx-get]")


def test_the_wait_for_a_price_is_a_number_of_seconds(browser):
    person("worker")
    manager = browser("manager")
    task = new_task(manager.account)
    assert manager.get(f"/tasks/{task.pk}/price?wait=long").status_code == 400
    assert manager.get(f"/tasks/{uuid4()}/price").status_code == 404
    assert "wait=30" in manager.get(f"/tasks/{task.pk}/price?wait=900").content.decode()


def test_news_counts_what_others_did_since_the_page_was_made(browser):
    me = browser("worker")
    manager = person("manager")
    since = timezone.now()
    news = soup(me.get("/?show=mine")).select_one(".news[data-poll]")["hx-get"]
    assert text_of(soup(me.get(news, headers=HTMX))) == ""
    for actor, title in ((manager, "News"), (me.account, "My own")):
        new_task(actor, title, now=since + timedelta(seconds=30), assignee_id=None)
    assert text_of(soup(me.get(news, headers=HTMX))) == "1 new task, show"


@pytest.mark.parametrize(
    ("show", "said"), [("open", "2 tasks newly assigned, show"), ("done", "1 task newly done, show")]
)
def test_news_of_everybodys_lists_does_not_call_new_what_was_there_before(browser, show, said):
    me, worker, manager = browser("manager"), person("worker"), person("manager")
    news = soup(me.get(f"/?show={show}")).select_one(".news[data-poll]")["hx-get"]
    later = timezone.now() + timedelta(seconds=30)
    for title in ("Wash", "Feed"):
        new_task(manager, title, now=later, assignee_id=worker.pk)
    done = new_task(manager, "Done meanwhile", now=later, assignee_id=worker.pk)
    services.task_complete(task_id=done.pk, actor=worker, assignment_no=1, now=later + timedelta(seconds=30))
    assert text_of(soup(me.get(news, headers=HTMX))) == said
