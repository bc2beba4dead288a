"""Search: all words, by prefix, in title, Jira id and description (T8)."""

from urllib.parse import urlencode

import pytest

from tasks import selectors
from tasks.domain import Heading
from tasks.models import Task, TaskSearch

from .support.pages import soup, text_of, titles
from .support.people import person
from .support.work import complete, edit, new_task, reassign

pytestmark = [pytest.mark.django_db, pytest.mark.no_cover]  # traced, it takes twice as long


@pytest.fixture
def manager(browser):
    person("worker")
    manager = browser("manager")
    new_task(
        manager.account,
        heading=Heading("Wash the big Käfig", "POPUG-42"),
        description="Ask bob@popug.example, see https://wiki.popug.example/how-to",
    )
    new_task(manager.account, heading=Heading("Feed 🦜 the parrots", "A_1-7"), minutes=1)
    new_task(manager.account, heading=Heading("اغسل القفص"), minutes=2)
    return manager


def found(client, words, show="open", **more):
    return titles(client.get(f"/?{urlencode({'show': show, 'q': words} | more)}"))


@pytest.mark.parametrize(
    "words",
    ["wash", "WASH the käf", "big was", "popug-42", "popug", "42", "bob@popug", "wiki.popug.example/how", "[popug-42]"],
)
def test_all_words_are_found_by_their_beginnings_in_title_jira_id_and_description(manager, words):
    expected = ["Wash the big Käfig"]
    assert found(manager, words) == expected


@pytest.mark.parametrize("words", ["wash parrots", "ash", "xyz", "!!!", "🦜🦜", "'); drop table", "a & !b | c:* <-> d"])
def test_what_no_task_has_is_no_match_and_not_everything(manager, words):
    page = manager.get(f"/?{urlencode({'show': 'open', 'q': words})}")
    assert titles(page) == []
    assert "No match" in text_of(soup(page).select_one("#list-empty"))
    assert soup(page).select_one("#list-empty a")["href"] == "/?show=open"
    assert soup(page).select_one("input[name=q]")["value"] == words.strip()


def test_what_is_not_among_ones_own_is_one_press_away_among_everybodys(manager, browser):
    worker = browser("worker")
    page = soup(worker.get(f"/?{urlencode({'q': 'wash käfig'})}"))
    assert text_of(page.select_one("#list-empty a")) == "Search everybody's open tasks"
    assert titles(worker.get(f"/{page.select_one('#list-empty a')['href']}")) == ["Wash the big Käfig"]


def test_other_scripts_are_found_too(manager):
    assert found(manager, "القفص") == ["اغسل القفص"]
    assert found(manager, "a_1-7") == ["Feed 🦜 the parrots"]


def test_a_search_is_combined_with_the_list_and_its_pages(manager):
    task = Task.objects.get(jira_id="POPUG-42")
    complete(task, manager.account)
    assert found(manager, "wash") == []
    assert found(manager, "wash", show="done") == ["Wash the big Käfig"]
    for n in range(70):
        new_task(manager.account, f"Count crate {n}", minutes=10 + n)
    seen, address = [], f"/?{urlencode({'show': 'open', 'q': 'crate', 'sort': 'assigned'})}"
    while address:
        page = manager.get(address)
        seen += titles(page)
        following = soup(page).select_one("a[rel=next]")
        address = following and "/" + following["href"]
    assert seen == [f"Count crate {n}" for n in range(70)]


def test_the_other_lists_and_the_news_keep_the_search(manager):
    page = soup(manager.get("/?show=open&q=was%26h"))
    assert {link["href"] for link in page.select("nav[aria-label=Lists] a")} == {
        "/?show=open&q=was%26h",
        "/?show=done&q=was%26h",
    }
    assert "q=was%26h" in page.select_one(".news")["hx-get"]
    assert page.select_one("input[type=search]")["data-key"] == "/"


def test_an_edited_task_is_found_by_its_new_words_only(manager):
    edit(Task.objects.get(jira_id="POPUG-42"), manager.account, Heading("Scrub the aviary"))
    assert found(manager, "scrub") == ["Scrub the aviary"]
    assert found(manager, "wash") == found(manager, "popug") == []


def test_reassigning_does_not_write_the_words_again(manager):
    before = list(TaskSearch.objects.extra(select={"place": "ctid::text"}).values_list("task_id", "place"))
    reassign(manager.account)
    after = list(TaskSearch.objects.extra(select={"place": "ctid::text"}).values_list("task_id", "place"))
    assert len(before) == 3
    assert sorted(after) == sorted(before)


def test_a_search_too_long_or_with_a_nul_is_not_understood(manager):
    assert manager.get("/", {"q": "x" * 201}).status_code == 400
    assert manager.get("/", {"q": "a\0b"}).status_code == 400


def test_a_search_takes_the_same_few_statements(manager, django_assert_num_queries):
    manager.get("/?q=wash")
    with django_assert_num_queries(6):  # those of the list, and one about the words
        manager.get("/?q=wash")


@pytest.mark.parametrize("common", [0, 1_000])
def test_rare_and_common_words_find_the_same(manager, common, monkeypatch):
    monkeypatch.setattr(selectors, "COMMON", common)
    for n in range(120):
        new_task(manager.account, f"Count crate {n}", minutes=10 + n)
    assert found(manager, "crate") == [f"Count crate {n}" for n in reversed(range(70, 120))]
    assert found(manager, "crat 11", sort="assigned") == [
        "Count crate 11",
        *(f"Count crate {n}" for n in range(110, 120)),
    ]
    assert found(manager, "crate cage") == []
    page = soup(manager.get("/?show=open&q=crate"))
    following = titles(manager.get("/" + page.select_one("a[rel=next]")["href"]))
    assert following == [f"Count crate {n}" for n in reversed(range(20, 70))]
