"""Two versions of TaskCreated side by side, as during a roll-out."""

from __future__ import annotations

import re
from collections.abc import Callable
from uuid import UUID

from driver import Driver, eventually
from old_tasks import OldTasks
from people import Person

PersonMaker = Callable[..., Person]


def test_tasks_of_both_versions_are_priced_posted_and_ranked(driver: Driver, person: PersonMaker) -> None:
    manager, ines, admin = person("manager"), person("ines"), person("admin")
    admin.open("auth", "/?q=ines")
    admin.page.get_by_role("link", name="Inês Duarte").click()
    found = re.search(r"/accounts/([0-9a-f-]{36})", admin.page.url)
    assert found

    OldTasks(driver.kafka()).create_and_complete(
        description="[popug-71] - Made by the old version", account_id=UUID(found.group(1))
    )
    manager.create_task("[POPUG-72] Made by the new version", assignee="Inês Duarte")
    ines.complete("Made by the new version")

    ines.sees("billing", "/statement", "POPUG-71", "Made by the old version", "POPUG-72", "Made by the new version")
    eventually(lambda: len(ines.entries("Made by the old version")) == 2)
    eventually(lambda: len(ines.entries("Made by the new version")) == 2)
