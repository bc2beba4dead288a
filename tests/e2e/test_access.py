"""Who may see what, and how fast access ends."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from driver import Driver, eventually
from people import Person, change_role
from playwright.sync_api import expect

from dev.paths import SERVICES

PersonMaker = Callable[..., Person]
ROLES = {"admin": "admin", "manager": "manager", "finance": "finance", "worker": "worker"}
EVERYBODY = set(ROLES)
PAGES = [
    ("auth", "/", {"admin"}),
    ("auth", "/profile", EVERYBODY),
    ("auth", "/accounts/invite", {"admin"}),
    ("auth", "/oauth/applications", {"admin"}),
    ("auth", "/oauth/applications/new", {"admin"}),
    ("tasks", "/", EVERYBODY),
    ("tasks", "/notifications", EVERYBODY),
    ("tasks", "/tasks/new", EVERYBODY),
    ("tasks", "/reassignments", {"admin", "manager"}),
    ("tasks", "/reassignments/new", {"admin", "manager"}),
    ("tasks", "/dead-letters/", {"admin"}),
    ("billing", "/", {"admin", "finance"}),
    ("billing", "/statement", EVERYBODY),
    ("billing", "/workers", {"admin", "finance"}),
    ("billing", "/cycles", {"admin", "finance"}),
    ("billing", "/corrections", {"admin", "finance"}),
    ("billing", "/corrections/new", {"finance"}),
    ("billing", "/search", {"admin", "finance"}),
    ("billing", "/dead-letters/", {"admin", "finance"}),
    ("analytics", "/", {"admin"}),
    ("analytics", "/dead-letters/", {"admin"}),
]
# Front pages send those who may not see them to their own page instead.
SENT_ELSEWHERE = {("auth", "/"): "/profile", ("billing", "/"): "/statement"}


@pytest.mark.parametrize("name", ROLES)
def test_each_role_sees_its_own_pages_and_is_told_who_may_see_the_others(
    name: str, driver: Driver, person: PersonMaker
) -> None:
    someone = person(name)
    for service, path, roles in PAGES:
        status = someone.status(service, path)
        if ROLES[name] in roles:
            assert status == 200, (service, path)
            assert someone.page.url == driver.url(service) + path
        elif (service, path) in SENT_ELSEWHERE:
            assert someone.page.url == driver.url(service) + SENT_ELSEWHERE[service, path]
        else:
            assert status == 403, (service, path)
            told = someone.page.locator("main").inner_text()
            assert all(role in told.lower() for role in roles), told


def test_a_stranger_is_asked_to_sign_in_on_every_page(person: PersonMaker) -> None:
    stranger = person("stranger", sign_in=False)
    for service, path, _ in PAGES:
        if service != "auth":
            assert stranger.is_asked_to_sign_in(service, path), (service, path)


def test_signing_out_of_one_service_signs_out_of_all(driver: Driver, person: PersonMaker) -> None:
    admin = person("admin")
    for service in SERVICES:
        for other in SERVICES:
            assert admin.status(other, "/") == 200
        admin.open(service)
        admin.sign_out()
        for other in SERVICES:
            eventually(lambda other=other: admin.is_asked_to_sign_in(other), within=5)
        admin.sign_in()


def test_a_deactivated_worker_is_out_within_five_seconds_and_their_tasks_move(
    driver: Driver, person: PersonMaker
) -> None:
    admin, manager, lena = person("admin"), person("manager"), person("lena")
    task = manager.create_task("Oil the door", assignee="Lena Larsen")
    for service, path in (("tasks", "/"), ("billing", "/statement")):
        assert lena.status(service, path) == 200

    admin.open("auth", "/?q=lena")
    admin.page.get_by_role("link", name="Lena Larsen").click()
    admin.page.get_by_text("Deactivate…").click()
    started = time.monotonic()
    admin.page.get_by_role("button", name="Deactivate Lena Larsen").click()
    for service, path in (("tasks", "/"), ("billing", "/statement"), ("auth", "/profile")):
        eventually(
            lambda s=service, p=path: lena.is_asked_to_sign_in(s, p) or lena.page.url.endswith("login"), within=5
        )
    assert time.monotonic() - started < 5

    lena.open("tasks")
    lena.fill_in_sign_in()
    expect(lena.page.get_by_label("E-mail")).to_be_visible()
    manager.sees("tasks", f"/tasks/{task}", "Lena Larsen")
    eventually(
        lambda: manager.open("tasks", f"/tasks/{task}").locator("aside, .card").first.inner_text().count("Lena") == 0
    )
    assert manager.status("tasks", "/tasks/new") == 200
    assert "Lena Larsen" not in manager.page.get_by_label("Assignee").inner_text()


def test_a_role_change_takes_effect_everywhere_within_five_seconds(driver: Driver, person: PersonMaker) -> None:
    admin, pavel = person("admin"), person("pavel")
    assert pavel.status("tasks", "/reassignments") == 403
    assert pavel.status("billing", "/statement") == 200
    change_role(admin, "Pavel Petrov", "manager")
    started = time.monotonic()
    eventually(lambda: pavel.is_asked_to_sign_in("tasks", "/reassignments"), within=5)
    eventually(lambda: pavel.is_asked_to_sign_in("billing", "/statement"), within=5)
    assert time.monotonic() - started < 5
    pavel.open("tasks", "/reassignments")
    pavel.fill_in_sign_in()
    pavel.page.wait_for_url(driver.url("tasks") + "/reassignments")
    assert pavel.status("tasks", "/reassignments") == 200


def test_who_was_an_admin_sees_neither_numbers_nor_accounts_five_seconds_later(
    driver: Driver, person: PersonMaker
) -> None:
    admin, ines = person("admin"), person("ines")
    places = (("analytics", "/"), ("auth", "/"))
    change_role(admin, "Inês Duarte", "admin")
    eventually(lambda: ines.is_asked_to_sign_in("analytics"), within=5)
    ines.sign_in("analytics")
    for service, path in places:
        assert ines.status(service, path) == 200
    change_role(admin, "Inês Duarte", "worker")
    started = time.monotonic()
    for service, path in places:
        eventually(lambda s=service, p=path: ines.is_asked_to_sign_in(s, p), within=5)
    assert time.monotonic() - started < 5
    ines.sign_in("tasks")
    assert ines.status("analytics", "/") == 403
    assert ines.open("auth").url == driver.url("auth") + SENT_ELSEWHERE["auth", "/"]


def test_a_role_change_takes_effect_by_its_event_where_the_log_out_does_not_arrive(
    driver: Driver, person: PersonMaker
) -> None:
    admin, pavel = person("admin"), person("pavel")
    with the_log_out_of_tasks_going_nowhere(driver):
        change_role(admin, "Pavel Petrov", "worker", "manager")
        eventually(lambda: pavel.is_asked_to_sign_in("tasks"), within=5)


@contextmanager
def the_log_out_of_tasks_going_nowhere(driver: Driver) -> Iterator[None]:
    """Auth tells tasks of log-outs at an address where nobody listens; only events are left."""
    parties = "from accounts.models import RelyingParty; tasks = RelyingParty.objects.filter(name='tasks'); "
    look = parties + "print(tasks.get().backchannel_logout_uri)"
    address = driver.manage("auth", "shell", "-v", "0", "-c", look).split()[-1]
    change = parties + "tasks.update(backchannel_logout_uri={!r})"
    driver.manage("auth", "shell", "-v", "0", "-c", change.format("http://127.0.0.1:9/"))
    try:
        yield
    finally:
        driver.manage("auth", "shell", "-v", "0", "-c", change.format(address))
