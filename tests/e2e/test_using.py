"""What using it is like: by keyboard alone, and with a session that ends."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from people import SLOW, Person
from playwright.sync_api import expect

PersonMaker = Callable[..., Person]


def test_a_worker_s_day_by_keyboard_alone(person: PersonMaker) -> None:
    manager, wilma = person("manager"), person("worker")
    manager.create_task("Feed the finches", assignee="Wilma Weber")
    manager.create_task("Feed the canaries", assignee="Wilma Weber")
    page, press = wilma.open("tasks"), wilma.page.keyboard.press

    press("j")
    press("x")
    expect(wilma.task_row("Feed the canaries").get_by_role("button", name="Undo")).to_be_visible()
    press("j")
    press("x")
    expect(wilma.task_row("Feed the finches").get_by_role("button", name="Undo")).to_be_visible()
    expect(page.locator(".htmx-added")).to_have_count(0)  # until then Undo is a plain form
    press("u")
    expect(wilma.task_row("Feed the finches").get_by_role("button", name="Done")).to_be_visible()
    press("k")
    expect(wilma.task_row("Feed the canaries").get_by_role("link").first).to_be_focused()
    press("Enter")
    expect(page.get_by_role("heading", name="Feed the canaries")).to_be_visible()

    wilma.open("tasks")
    press("c")
    page.keyboard.type("[POPUG-31] Feed the owls")
    expect(page.get_by_text("POPUG-31").first).to_be_visible()
    press("Enter")
    expect(page.get_by_text("Added, and")).to_be_visible()
    press("Escape")
    press("?")
    expect(page.get_by_role("dialog")).to_contain_text("new task")
    press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


@pytest.mark.parametrize("everywhere", [False, True], ids=["in tasks alone", "in auth too"])
def test_what_was_typed_is_there_again_when_the_session_ended_meanwhile(person: PersonMaker, everywhere: bool) -> None:
    wilma = person("worker")
    page = wilma.open("tasks")
    page.get_by_label("New task").fill("Typed before the session ended")
    if everywhere:
        wilma.context.clear_cookies()
    else:
        wilma.context.clear_cookies(name="tasks_session")
    page.get_by_role("button", name="Add task").click()
    if everywhere:
        wilma.fill_in_sign_in()
    expect(page.get_by_label("New task")).to_have_value("Typed before the session ended", timeout=SLOW)
    page.get_by_role("button", name="Add task").click()
    expect(page.get_by_text("Added, and")).to_be_visible()
