"""The search finds what a complaint is about: a worker, a task by title or Jira id, an entry (B8)."""

from uuid import uuid4

import pytest
from django.db import connection

from billing.models import Task, Transfer
from billing.selectors import search
from chassis.replica.models import Account
from eventbus.testing import deliver
from tests.make import BORIS, WILMA, account, reward, task_id, task_state
from tests.pages import dollars, page, rows, text

pytestmark = [pytest.mark.django_db, pytest.mark.no_cover]  # traced, it takes twice as long


def found(client, q, **given):
    """Group -> the first cells of its rows."""
    soup = page(client, "/search", query_params={"q": q, **given})
    return {
        text(group.h2): [text(row.select_one(".lead-cell")) for row in group.select("tbody tr")]
        for group in soup.select("main section")
    }


@pytest.fixture
def finance(browser):
    return browser("finance")


@pytest.mark.parametrize("q", ["wilma", "Weber Wil", "wilma@popug.example", str(WILMA)])
def test_a_worker_is_found_by_name_address_or_id(finance, worked, q):
    assert found(finance, q) == {"Workers": ["Wilma Weber"]}


@pytest.mark.parametrize("q", ["POPUG-42", "popug-42", "[POPUG-42]", "cage", "wa ca", str(task_id())])
def test_a_task_is_found_by_words_of_its_title_by_jira_id_or_id(finance, worked, q):
    assert found(finance, q) == {"Tasks": ["POPUG-42 · Wash the cage"]}


def test_tasks_of_one_title_are_told_apart_by_assignee_and_reward(finance, worked):
    deliver("tasks", [task_state(task_id(5), assignee_id=str(BORIS)), task_state(task_id(6), assignee_id=None)])
    shown = {tuple(row[1:]) for row in rows(page(finance, "/search?q=wash+cage"))}
    assert shown == {
        ("open", "Wilma Weber", dollars(reward(task_id()))),
        ("open", "Boris Bauer", dollars(reward(task_id(5)))),
        ("open", "\N{EN DASH}", dollars(reward(task_id(6)))),
    }


def test_an_entry_is_found_by_its_id_its_address_or_its_key(finance, worked):
    entry = Transfer.objects.get(kind="earning")
    for q in (str(entry.id), f"http://127.0.0.1:4000/entries/{entry.id}", entry.idempotency_key):
        assert "Reward" in found(finance, q)["Entries"]


def test_one_word_finds_workers_and_tasks_in_groups(finance, worked):
    Task.objects.filter(id=task_id(2)).update(title="Ask Wilma")
    assert found(finance, "wilma") == {"Workers": ["Wilma Weber"], "Tasks": ["Ask Wilma"]}


@pytest.mark.parametrize("q", ["Nobody", str(uuid4()), "' | !x", "<script>alert(1)</script>", "\N{PARROT}", "=cmd()"])
def test_nothing_found_is_said_and_what_was_typed_is_kept(finance, worked, q):
    soup = page(finance, "/search", query_params={"q": q})
    assert "Nothing is called so" in text(soup)
    assert soup.select_one("[role=search] input")["value"] == q


def test_an_empty_search_says_what_can_be_found(finance):
    assert "What are you looking for?" in text(page(finance, "/search"))


def test_a_text_that_is_too_long_or_an_unknown_filter_is_an_error(finance):
    assert finance.get("/search", {"q": "x" * 201}).status_code == 400
    assert finance.get("/search?q=x&group=letters").status_code == 400
    assert finance.get("/search?q=x&kind=fee").status_code == 400


def test_a_long_group_has_pages_of_its_own(finance):
    Account.objects.bulk_create(Account(id=uuid4(), full_name=f"Pia Popug {number}") for number in range(120))
    soup = page(finance, "/search?q=popug")
    assert len(soup.select("tbody tr")) == 5
    address, seen = f"/search{soup.select_one('main section p a')['href']}", []
    while address:
        soup = page(finance, address)
        seen += [text(row.th) for row in soup.select("tbody tr")]
        following = soup.select_one("a[rel=next]")
        address = f"/search{following['href']}" if following else None
    assert len(seen) == len(set(seen)) == 120


def test_the_number_of_queries_is_fixed(finance, worked, django_assert_max_num_queries):
    for number in range(10):
        account(name=f"Cage Keeper {number}")
    with django_assert_max_num_queries(16):
        page(finance, "/search?q=ca")


def test_of_many_tasks_the_newest_come_first(finance):
    Task.objects.bulk_create(Task(id=task_id(n), version=1, title=f"Count crate {n}") for n in range(100, 110))
    assert found(finance, "crate") == {"Tasks": [f"Count crate {n}" for n in range(109, 104, -1)]}


@pytest.mark.parametrize("common", [0, 1_000])
def test_rare_and_common_words_find_the_same(finance, common, monkeypatch):
    monkeypatch.setattr(search, "COMMON", common)
    Task.objects.bulk_create(Task(id=task_id(n), version=1, title=f"Count crate {n}") for n in range(100, 160))
    Account.objects.bulk_create(Account(id=uuid4(), full_name=f"Cora Crate {n}") for n in range(3))
    assert found(finance, "crat 12", group="tasks") == {"Tasks": [f"Count crate {n}" for n in range(129, 119, -1)]}
    assert found(finance, "crate", group="tasks") == {"Tasks": [f"Count crate {n}" for n in range(159, 109, -1)]}
    assert sorted(found(finance, "crat cora")["Workers"]) == [f"Cora Crate {n}" for n in range(3)]
    assert found(finance, "crate cage") == {}
    for many in (search.find_tasks("crate"), search.find_workers("crate")):
        assert ("ANY (" in many.explain()) is not (common == 0), "rare words are looked for in their index"


def test_common_words_are_looked_for_in_the_order_of_the_list_whatever_postgres_guesses(worked):
    Task.objects.bulk_create(Task(id=task_id(n), version=1, title="Wash the crate") for n in range(100, 160))
    asked = "Index Cond: (to_tsvector"
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_indexscan = off")  # what is left is bitmaps: of the words, if it may
    assert asked not in search.find_tasks("crate").explain()
    assert asked in search.find_tasks("cage").explain()


@pytest.mark.parametrize("role", ["manager", "worker"])
def test_others_have_no_search(browser, role):
    client = browser(role)
    assert client.get("/search?q=wilma").status_code == 403
    assert not page(client, "/statement").select("[role=search]")


def test_the_box_is_on_every_page_of_the_office(finance, worked):
    for address in ("/", "/workers", f"/workers/{BORIS}", "/cycles", "/corrections", "/dead-letters/"):
        assert page(finance, address).select_one("form[role=search][action='/search'] input[name=q]")
