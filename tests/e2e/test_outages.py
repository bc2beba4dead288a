"""Bad days: servers go away and come back while people work."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from driver import Driver, eventually
from people import Person, change_role
from playwright.sync_api import expect

PersonMaker = Callable[..., Person]


@pytest.fixture
def outage(driver: Driver) -> Iterator[Callable[[str], None]]:
    """`outage("kafka")` stops a server; it is started again whatever the test does."""
    down: list[str] = []

    def stop(server: str) -> None:
        driver.stop(server)
        down.append(server)

    yield stop
    for server in down:
        driver.start(server)


def test_work_goes_on_without_kafka_and_arrives_after_its_return_and_access_ends_at_once(
    driver: Driver, person: PersonMaker, outage: Callable[[str], None]
) -> None:
    manager, wilma, admin, pavel = (person(name) for name in ("manager", "worker", "admin", "pavel"))
    manager.open("tasks")
    outage("kafka")
    titles = [f"Without Kafka {number}" for number in range(3)]
    for title in titles:
        manager.create_task(title, assignee="Wilma Weber")
        wilma.complete(title)
    expect(wilma.task_row(titles[-1]).get_by_text("being priced").first).to_be_visible()
    change_role(admin, "Pavel Petrov", "manager", "worker")
    eventually(lambda: pavel.is_asked_to_sign_in("tasks"), within=5)

    driver.start("kafka")
    wilma.sees("billing", "/statement", *titles, within=60_000)
    for title in titles:
        eventually(lambda title=title: len(wilma.entries(title)) == 2)
    eventually(driver.ledger_is_complete)


def test_services_restart_and_go_on_without_the_registry(
    driver: Driver, person: PersonMaker, outage: Callable[[str], None]
) -> None:
    manager, wilma = person("manager"), person("worker")
    outage("registry")
    for process in ("tasks", "billing"):
        driver.stop_service(process)
        driver.start_service(process)
    driver.restart_workers("tasks")
    driver.restart_workers("billing")
    manager.create_task("Without the registry", assignee="Wilma Weber")
    wilma.complete("Without the registry")
    wilma.sees("billing", "/statement", "Without the registry", within=60_000)
    eventually(lambda: len(wilma.entries("Without the registry")) == 2)


def test_signed_in_people_go_on_without_auth_and_others_are_told(driver: Driver, person: PersonMaker) -> None:
    wilma, stranger = person("worker"), person("stranger", sign_in=False)
    driver.stop_service("auth")
    try:
        assert wilma.status("tasks", "/") == 200
        wilma.add_task("While auth is away")
        assert stranger.status("tasks", "/") == 503
        assert "unavailable" in stranger.page.locator("main").inner_text().lower()
    finally:
        driver.start_service("auth")
    eventually(lambda: stranger.is_asked_to_sign_in("tasks"))


def test_pages_ask_to_try_again_while_postgres_is_away_and_workers_reconnect(
    driver: Driver, person: PersonMaker, outage: Callable[[str], None]
) -> None:
    manager, wilma = person("manager"), person("worker")
    outage("postgres")
    assert wilma.status("tasks", "/") == 503
    assert "again" in wilma.page.locator("main").inner_text().lower()
    driver.start("postgres")
    eventually(lambda: wilma.status("tasks", "/") == 200)
    manager.create_task("After the restart", assignee="Wilma Weber")
    wilma.complete("After the restart")
    wilma.sees("billing", "/statement", "After the restart", within=60_000)
    eventually(lambda: len(wilma.entries("After the restart")) == 2)
