"""docs/operations.md done as it says, on containers: each block is typed as it stands there.

After all others by its name: what is stopped and moved here are containers that they count on.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from compose import ComposeDriver
from driver import eventually
from people import Person

from dev.documents import blocks
from dev.paths import ROOT
from dev.system import CommandFailed

PersonMaker = Callable[[str], Person]
DOCUMENT = (ROOT / "docs/operations.md").read_text()
CHAPTER = DOCUMENT[DOCUMENT.index("## Back up and restore") : DOCUMENT.index("## Secrets")]
BACK_UP, RESTORE, TAKE_BACK_TASKS, SECRETS, COPY, MOVE, LOST_KAFKA = blocks(CHAPTER)
JOURNAL = "SELECT * FROM billing_transfer ORDER BY id"
CYCLES = "SELECT * FROM billing_cycle ORDER BY due_at"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the operator types."""
    return tmp_path_factory.mktemp("operator")


def rows(driver: ComposeDriver, query: str) -> list[str]:
    words = ("exec", "-T", "billing-db", "psql", "--username=postgres", "--csv", f"--command={query}", "billing")
    return driver.compose(*words).splitlines()


def kept(driver: ComposeDriver) -> tuple[list[str], list[str]]:
    return rows(driver, JOURNAL), rows(driver, CYCLES)


def worked(driver: ComposeDriver, person: PersonMaker, title: str) -> None:
    """A task is done, and its reward is in the journal."""
    manager = person("manager")
    manager.create_task(title, assignee="Wilma Weber")
    worker = person("worker")
    worker.complete(title)
    worker.sees("billing", "/statement", title, "Reward")


def goes(driver: ComposeDriver, script: str, folder: Path) -> bool:
    try:
        return bool(driver.type(script, folder))
    except CommandFailed:
        return False


def test_a_lost_billing_comes_back_with_what_was_paid_since_the_dump(
    driver: ComposeDriver, person: PersonMaker, folder: Path
) -> None:
    worked(driver, person, "Before the dump")
    driver.type(BACK_UP, folder)
    worked(driver, person, "After the dump")
    driver.close_cycle()
    eventually(driver.ledger_is_complete, within=60)
    before = kept(driver)

    *restoring, last = RESTORE.strip().splitlines()
    assert "ledger_check --complete" in last
    said = driver.type("\n".join(restoring), folder)

    assert "Closed again, with the payouts that it had" in said
    driver.wait()
    eventually(lambda: goes(driver, last, folder), within=60)
    assert kept(driver) == before
    assert (folder / "secrets.json").stat().st_size > 1000


def test_a_lost_tasks_takes_back_what_it_told(driver: ComposeDriver, person: PersonMaker, folder: Path) -> None:
    """The chapter writes its steps for billing; between them tasks has its own command."""
    steps = [line.replace("billing", "tasks") for line in RESTORE.strip().splitlines()]
    steps = [line.replace("-consumer-tasks", "-consumer-prices") for line in steps if "ledger" not in line]
    assert steps[-1].startswith("docker compose up -d")
    worked(driver, person, "Told, and then forgotten by tasks")

    driver.type("\n".join([*steps[:-1], TAKE_BACK_TASKS, steps[-1]]), folder)
    driver.wait()

    worked(driver, person, "After tasks came back")
    eventually(driver.ledger_is_complete, within=60)


def test_the_secrets_are_put_back_as_they_were(driver: ComposeDriver, folder: Path) -> None:
    driver.type(SECRETS, folder)
    assert (
        driver.type(BACK_UP.strip().splitlines()[-1].replace("> secrets.json", ""), folder)
        == (folder / "secrets.json").read_text()
    )


def test_the_whole_machine_goes_on_elsewhere(driver: ComposeDriver, person: PersonMaker, folder: Path) -> None:
    worked(driver, person, "Before the move")
    before = kept(driver)
    driver.type(COPY, folder)

    driver.compose("down", "--volumes")
    driver.type(MOVE, folder)
    driver.wait()

    assert kept(driver) == before
    worked(driver, person, "After the move")
    driver.close_cycle()
    eventually(driver.ledger_is_complete, within=60)


def test_work_goes_on_with_an_empty_kafka(driver: ComposeDriver, person: PersonMaker, folder: Path) -> None:
    worked(driver, person, "Before Kafka was lost")
    eventually(driver.ledger_is_complete, within=60)
    before, cycles = kept(driver)
    driver.compose("stop", "tasks-relay")
    waiting = person("manager").create_task("Not sent when Kafka was lost", assignee="Wilma Weber")
    driver.compose("stop", "kafka")
    empty = ("/var/lib/kafka/data", "-mindepth", "1", "-delete")
    driver.compose("run", "--rm", "--no-deps", "-T", "--entrypoint", "find", "kafka", *empty)

    *going_on, last = LOST_KAFKA.strip().splitlines()
    assert "ledger_check --complete" in last
    said = driver.type("\n".join(going_on), folder)

    assert "billing.tasks tasks-stream/0 goes on at 0" in said
    driver.wait()
    person("manager").sees("tasks", f"/tasks/{waiting}", "$")
    worked(driver, person, "After Kafka was lost")
    eventually(lambda: goes(driver, last, folder), within=60)
    now, cycles_now = kept(driver)
    assert set(before) < set(now)
    assert len(now) == len(before) + 3, "two fees and a reward"
    assert cycles_now == cycles
    driver.close_cycle()
    eventually(driver.ledger_is_complete, within=60)
