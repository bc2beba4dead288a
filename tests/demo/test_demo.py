"""The commands of the documents and of `make demo` itself, typed as a newcomer types them."""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from exports import income_by_day
from people import Person
from playwright.sync_api import Browser, expect
from terminal import DAYS, Demo, Described

from dev.documents import management_commands, tracked
from dev.paths import ROOT, SERVICES

# Who is seen doing what in the pictures of the README; each has to show what it is about.
PICTURES = {
    "auth": ("admin", "/", "Wilma Weber"),
    "tasks": ("manager", "/?show=open", "Done"),
    "billing": ("finance", "/", "Management's income"),
    "analytics": ("admin", "/", "Most expensive"),
}


# Whose commands a document means that belongs to no service.
MEANT = {
    "register_schemas": SERVICES,
    "dead_letters": SERVICES[1:],
    "republish_state": ("tasks",),
    "provision_clients": ("auth",),
    "run_relay": SERVICES,
    "run_consumer": ("billing",),
}
# What each says when it did what the documents tell, by its first two words.
TOLD = {
    "register_schemas": r"^\d\d schemas are registered",
    "dead_letters list": r"no such dead letter|applied|waiting behind",
    "dead_letters retry": r"No dead letter is open|applied \d+, left 0",
    "republish_state tasks-stream": r"^Published \d\d+ states",
    "provision_clients": r"^tasks: as it was\nbilling: as it was\nanalytics: as it was\n$",
    "create_admin EMAIL": r"^http://\S+/link\?token=\S+$",
    "rebuild": r"^Rebuilt from \d\d+ events",
    "seed_demo --password-file": r"^0 of 9 accounts were missing",
    "seed_demo --day": r"^2026-03-02: \d+ things done",
}


def documented() -> list[tuple[str, tuple[str, ...]]]:
    """Service and words of each `python manage.py` in a document, each once."""
    found: list[tuple[str, tuple[str, ...]]] = []
    for path in tracked(".md"):
        folder = path.relative_to(ROOT).parts[0]
        for words in management_commands(path.read_text()):
            services = (folder.removesuffix("_service"),) if folder.endswith("_service") else MEANT[words[0]]
            found += [(service, tuple(words)) for service in services]
    return list(dict.fromkeys(found))


def take_pictures(told: dict[str, Any], browser: Browser, folder: Path) -> None:
    """A picture of each service, as a newcomer sees the demo; `TRACKER_PICTURES` names the folder to keep them in."""
    for service, (name, path, shown) in PICTURES.items():
        someone = Person(name, Described(told), browser)  # type: ignore[arg-type]
        someone.sign_in(service if service != "auth" else "tasks")
        page = someone.open(service, path)
        expect(page.get_by_text(shown).first).to_be_visible()
        page.wait_for_load_state("networkidle")
        picture = folder / f"{service}.png"
        page.screenshot(path=picture)
        assert picture.stat().st_size > 10_000
        someone.close()


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, tell_logs_of: Callable[[Path], None]) -> Iterator[Demo]:
    made = Demo(tmp_path_factory.mktemp("commands") / "local")
    tell_logs_of(made.folder / "demo")
    try:
        yield made
    finally:
        for process in made.processes():
            process.kill()


def test_make_demo_and_what_it_tells_to_try(demo: Demo) -> None:
    welcome = demo.start()

    description = json.loads((demo.folder / "demo.json").read_text())
    assert description["urls"].keys() == {"auth", "tasks", "billing", "analytics", "mail"}
    assert all(url in welcome for url in description["urls"].values())
    assert all(account["password"] in welcome for account in description["accounts"])
    assert {account["role"] for account in description["accounts"]} == {"admin", "manager", "finance", "worker"}
    assert len(re.findall(r"^  \d\. ", welcome, re.MULTILINE)) == 5

    assert "closed" in demo.make("close").lower()
    assert "together" in demo.make("memory")
    assert "earning" in demo.make("psql", "s=billing", typed="SELECT DISTINCT kind FROM billing_transfer;\n")
    counted = demo.make(
        "shell", "s=tasks", typed="from tasks.models import Task\nprint('tasks:', Task.objects.count())\n"
    )
    assert int(re.findall(r"tasks: (\d+)", counted)[0]) > DAYS
    assert "running: end it first" in demo.make("clean", code=2)
    assert "It runs already" in demo.make("demo", code=2)

    assert "The ledger adds up" in demo.manage("billing", "ledger_check")


def test_its_history_has_what_a_company_knows(demo: Demo, browser: Browser) -> None:
    def asked(service: str, query: str) -> set[str]:
        said = demo.make("psql", f"s={service}", typed=f"\\pset format unaligned\n\\pset tuples_only\n{query};\n")
        return set(said.splitlines())

    kinds = asked("billing", "SELECT DISTINCT kind FROM billing_transfer")
    assert {"fee", "earning", "reversal", "adjustment", "payout"} <= kinds
    assert "owing" in asked("billing", "SELECT 'owing' FROM billing_ledgeraccount WHERE balance < 0")
    late = "SELECT 'late' FROM billing_transfer t JOIN billing_cycle c ON c.id = t.cycle_id"
    assert "late" in asked("billing", f"{late} WHERE t.occurred_at < (SELECT max(due_at) FROM billing_cycle b"
                           " WHERE b.due_at < c.due_at AND b.state = 'closed')")  # fmt: skip
    assert "left" in asked("auth", "SELECT 'left' FROM accounts_account WHERE NOT is_active")
    assert "set aside" in asked("billing", "SELECT 'set aside' FROM eventbus_dead_letter WHERE state = 'dead'")

    told = Described(json.loads((demo.folder / "demo.json").read_text()))
    fatima, ada = (Person(name, told, browser) for name in ("finance", "admin"))  # type: ignore[arg-type]
    fatima.sign_in("billing")
    ada.sign_in("analytics")
    income = income_by_day(fatima, "billing")
    assert income_by_day(ada, "analytics") == income
    assert len({amount for amount in income.values() if amount != "0.00"}) >= DAYS
    fatima.close()
    ada.close()


def test_the_things_that_the_demo_tells_to_try_are_so(demo: Demo, browser: Browser) -> None:
    """By the browser what the terminal tells: 1, 2, 3, 5, and the mail of 4, whose cycle was closed before."""
    told = Described(json.loads((demo.folder / "demo.json").read_text()))
    wilma, max_, fatima, ada = people = [
        Person(name, told, browser)  # type: ignore[arg-type]
        for name in ("worker", "manager", "finance", "admin")
    ]
    for someone in people:
        someone.sign_in("billing" if someone is fatima else "tasks")

    wilma.add_task("Tried by a newcomer")
    max_.create_task("Ring the new ones", assignee="Wilma Weber")
    wilma.complete("Ring the new ones")
    wilma.sees("billing", "/statement", "Ring the new ones", "Reward")

    max_.open("tasks", "/reassignments/new")
    expect(max_.page.locator("main")).to_contain_text("$")
    max_.page.get_by_role("button", name="Reassign").click()
    max_.page.wait_for_url(re.compile(r"/reassignments/[0-9a-f-]{36}$"))

    page = fatima.open("billing")
    page.get_by_role("status").get_by_role("link", name="Dead letters").click()
    page.get_by_role("link", name="Show").first.click()
    expect(page.get_by_text("an_earlier_release_had_a_fault").first).to_be_visible()
    page.locator("dd a", has=page.locator("code")).click()
    expect(page.locator("[data-case]")).to_have_attribute("data-case", "waiting in dead letters")
    ada.open("billing", "/dead-letters/").get_by_role("link", name="Show").first.click()
    ada.page.get_by_role("button", name="Retry").click()
    expect(ada.page.get_by_text("Applied, with all that waited behind it.")).to_be_visible()
    page.reload()
    expect(page.locator("[data-case]")).to_have_attribute("data-case", "rewarded")

    wilma.page.goto(told.url("mail"))
    expect(wilma.page.get_by_text("You were paid").first).to_be_visible()

    assert "kafka is stopped" in demo.make("stop", "p=kafka")
    late = max_.create_task("Told while Kafka was away", assignee="Wilma Weber")
    assert "kafka is up" in demo.make("start", "p=kafka")
    max_.sees("tasks", f"/tasks/{late}", "$", within=120_000)

    for someone in people:
        someone.close()


def test_a_later_start_keeps_the_data(demo: Demo, browser: Browser, tmp_path: Path) -> None:
    before = json.loads((demo.folder / "demo.json").read_text())
    assert demo.interrupt() == -signal.SIGINT  # make ends with it when the demo has ended
    assert demo.processes() == []

    assert "Working through" not in demo.start()
    assert json.loads((demo.folder / "demo.json").read_text()) == before
    assert "earning" in demo.make("psql", "s=billing", typed="SELECT DISTINCT kind FROM billing_transfer;\n")
    take_pictures(before, browser, Path(os.environ.get("TRACKER_PICTURES") or tmp_path))


@pytest.mark.parametrize(("service", "words"), documented(), ids=str)
def test_a_management_command_of_the_documents_does_what_they_say(
    demo: Demo, tmp_path: Path, service: str, words: tuple[str, ...]
) -> None:
    if words[0] in {"run_relay", "run_consumer"}:
        running = [(process.cwd(), process.cmdline()[1:]) for process in demo.processes()]
        assert (str(ROOT / f"{service}_service"), ["manage.py", *words]) in running
        return
    passwords = tmp_path / "passwords.json"
    passwords.write_text("{}")
    filled = {"EMAIL": "newcomer@popug.example", "FILE": str(passwords)}

    told = demo.manage(service, *(filled.get(word, word) for word in words))

    assert re.search(TOLD[" ".join(words[:2])], told)


def test_clean_forgets_the_data(demo: Demo) -> None:
    assert "The ledger adds up" in demo.manage("billing", "ledger_check", "--complete")
    assert demo.interrupt() == -signal.SIGINT
    assert demo.processes() == []

    demo.make("clean")
    assert not (demo.folder / "demo").exists()
    assert not (demo.folder / "demo.json").exists()
    assert "not running" in demo.make("psql", "s=billing", code=2)
