"""What people and machines put into forms: an error at the field or a safe display, and what was typed is kept."""

from uuid import uuid4

import pytest

from tasks.domain import Heading
from tasks.models import Task

from .support.pages import soup, text_of, titles
from .support.people import person
from .support.work import edit, new_task

pytestmark = [pytest.mark.django_db, pytest.mark.no_cover]  # traced, it takes twice as long
SAFE = [
    "🦜🦜 Feed the parrots",
    "اغسل القفص قبل الظهر",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "=cmd()",
    "{{ 7|add:7 }} {% now %}",
    "'; DROP TABLE tasks_task; --",
    "a" * 200,
]
REFUSED = [
    ("", "Say in a few words"),
    ("   ", "Say in a few words"),
    ("a [b] c", "no [ or ]"),
    ("[POPUG-1] [twice]", "no [ or ]"),
    ("b" * 201, "at most 200 characters"),
    ("a\0b", "Null characters are not allowed"),
    ("a\u2028b", "one line"),
    ("\u200b", "that one can see"),
    ("[POPUG-1] \u200b\u2800\u3164", "that one can see"),
    ("turned \u202e round", "invisible characters"),
]


@pytest.fixture
def me(browser):
    return browser("worker", "Wilma Weber")


def posted(client, title, description=""):
    return client.post("/tasks/new", {"title": title, "description": description, "form_key": str(uuid4())})


@pytest.mark.parametrize("typed", SAFE)
def test_odd_titles_are_shown_as_they_were_typed(me, typed):
    posted(me, typed, typed)
    task = Task.objects.get()
    assert (task.title, task.description) == (typed, typed)
    assert titles(me.get("/?show=open")) == [typed]
    page = soup(me.get(f"/tasks/{task.pk}"))
    assert text_of(page.select_one("h1")) == typed
    assert not page.select("main script, main img")
    edit(task, me.account, Heading("Plain"), "Plain")
    assert typed in text_of(soup(me.get(f"/tasks/{task.pk}")).select_one(".timeline"))
    assert soup(me.get(f"/tasks/{task.pk}/edit")).select_one("textarea").get_text().strip() == "Plain"


@pytest.mark.parametrize(("typed", "problem"), REFUSED)
def test_a_refused_title_is_said_at_the_field_and_kept_with_the_description(me, typed, problem):
    answer = posted(me, typed, "Kept <b>")
    assert answer.status_code == 422
    page = soup(answer)
    assert problem in text_of(page.select_one("#id_title_error"))
    assert page.select_one("#id_title").get("value", "") in (typed, typed.replace("\0", "\ufffd"))
    assert page.select_one("textarea").get_text().strip() == "Kept <b>"
    assert not Task.objects.exists()


@pytest.mark.parametrize("address", ["/tasks/new", "/tasks/add"])
def test_ten_megabytes_are_refused_in_the_house_style(me, address):
    answer = me.post(address, {"title": "x" * 10_000_000, "description": "", "form_key": str(uuid4())})
    assert answer.status_code == 413
    assert soup(answer).select_one("h1")
    assert not Task.objects.exists()


def test_a_description_of_a_megabyte_is_an_error_at_its_field(me):
    answer = posted(me, "Wash", "x" * 1_000_000)
    assert "at most 10,000 characters" in text_of(soup(answer).select_one("#id_description_error"))
    assert soup(answer).select_one("#id_title")["value"] == "Wash"


@pytest.mark.parametrize("number", ["-1", "1.5", "0", "=1", "", "9" * 30])
def test_a_button_with_a_number_that_is_none_changes_nothing(me, number):
    task = new_task(person("manager"), assignee_id=me.account.pk)
    answer = me.post(f"/tasks/{task.pk}/done", {"form_key": str(uuid4()), "assignment_no": number})
    assert answer.status_code in (302, 400)
    assert Task.objects.get().status == "open"


def test_a_form_without_a_key_or_with_a_broken_one_does_nothing(me):
    for key in ({}, {"form_key": "x"}):
        assert me.post("/tasks/new", {"title": "Wash", **key}).status_code == 422
        assert me.post("/tasks/add", {"title": "Wash", **key}).status_code == 422
    assert not Task.objects.exists()


def test_the_key_of_somebody_elses_form_is_refused(me, browser):
    key = {"title": "Wash", "form_key": str(uuid4())}
    me.post("/tasks/new", key)
    assert browser("worker").post("/tasks/new", key).status_code == 403
    assert Task.objects.count() == 1
