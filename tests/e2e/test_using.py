"""What using it is like: by keyboard alone, with a session that ends, and for those who need more than a mouse."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from people import SLOW, Person
from playwright.sync_api import expect
from test_access import PAGES, ROLES

PersonMaker = Callable[..., Person]
WIDE = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}


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
    page.locator("body").click(position={"x": 2, "y": 2})
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


@pytest.mark.parametrize(("scheme", "size"), [("light", WIDE), ("dark", PHONE)], ids=["light wide", "dark phone"])
@pytest.mark.parametrize("name", ROLES)
def test_axe_finds_nothing_and_nothing_is_wider_than_the_screen(
    person: PersonMaker, name: str, scheme: str, size: dict[str, int]
) -> None:
    someone = person(name)
    page = someone.page
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.set_viewport_size(size)  # type: ignore[arg-type]
    for service, path, roles in PAGES:
        # One role that may see the page, and each role that may not.
        if ROLES[name] in roles and ROLES[name] != min(roles):
            continue
        someone.open(service, path)
        found = Axe().run(page)
        assert found.violations_count == 0, f"{service}{path}: {found.generate_report()}"
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{service}{path} is too wide"
