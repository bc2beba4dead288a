"""The commands of the documents and of `make demo` itself, typed as a newcomer types them."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from people import Person
from playwright.sync_api import Browser, expect

from dev import ports
from dev.system import ALL_PORTS

ROOT = Path(__file__).resolve().parents[2]
UP_SECONDS = 300
DAYS = int(os.environ.get("TRACKER_PICTURES_DAYS") or 2)
# Who is seen doing what in the pictures of the README; each has to show what it is about.
PICTURES = {
    "auth": ("admin", "/", "Wilma Weber"),
    "tasks": ("manager", "/?show=open", "Done"),
    "billing": ("finance", "/", "Management's income"),
    "analytics": ("admin", "/", "Most expensive"),
}


class Demo:
    """`make demo` in a terminal of its own, with a state folder and ports of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ports = ports.free(ALL_PORTS)
        numbers = {ports.setting(name): str(number) for name, number in self.ports.items()}
        self.environment = {**os.environ, **numbers, "TRACKER_LOCAL": str(folder)}
        # As arguments too: make takes what a checkout's .env says before what the environment says.
        self.settings = [f"{name}={number}" for name, number in numbers.items()]
        self.output = folder.with_suffix(".out")
        self.terminal: subprocess.Popen[bytes] | None = None

    def start(self) -> str:
        """Start it, and return what it printed until it was up."""
        with self.output.open("wb") as output:
            self.terminal = subprocess.Popen(
                ["make", "-s", "demo", f"days={DAYS}", *self.settings],
                cwd=ROOT,
                env=self.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                # A shell that runs the tests in the background lets them ignore Ctrl-C, and so would make.
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
            )
        deadline = time.monotonic() + UP_SECONDS
        while "State and logs" not in (text := self.output.read_text()):
            assert self.terminal.poll() is None, text
            assert time.monotonic() < deadline, text
            time.sleep(0.2)
        return text

    def interrupt(self) -> int:
        """Ctrl-C: the terminal sends it to everything in the foreground."""
        assert self.terminal is not None
        os.killpg(self.terminal.pid, signal.SIGINT)
        return self.terminal.wait(timeout=60)

    def make(self, *words: str, typed: str = "", code: int = 0) -> str:
        """Another terminal of the same person."""
        result = subprocess.run(
            ["make", "-s", *words, *self.settings],
            cwd=ROOT,
            env=self.environment,
            input=typed,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        text = result.stdout + result.stderr
        assert result.returncode == code, text
        return text

    def processes(self) -> list[psutil.Process]:
        """Everything that runs with this demo's state."""
        found = []
        for process in psutil.process_iter():
            try:
                if str(self.folder) in " ".join((*process.cmdline(), *process.environ().values())):
                    found.append(process)
            except psutil.Error:
                continue
        return [process for process in found if process.pid != os.getpid()]


@dataclass(frozen=True)
class Described:
    """What `.local/demo.json` tells a program."""

    told: dict[str, Any]

    def url(self, service: str) -> str:
        return str(self.told["urls"][service])

    def password(self, email: str) -> str:
        return next(account["password"] for account in self.told["accounts"] if account["email"] == email)


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
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    made = Demo(tmp_path_factory.mktemp("commands") / "local")
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

    ledger = [str(ROOT / ".venv/bin/python"), "-m", "dev", "manage", "billing", "ledger_check"]
    checked = subprocess.run(ledger, cwd=ROOT, env=demo.environment, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


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
    max_.sees("tasks", f"/tasks/{late}", "$", within=60_000)

    for someone in people:
        someone.close()
    assert demo.interrupt() == -signal.SIGINT  # make ends with it when the demo has ended
    assert demo.processes() == []


def test_a_later_start_keeps_the_data_and_clean_forgets_it(demo: Demo, browser: Browser, tmp_path: Path) -> None:
    before = json.loads((demo.folder / "demo.json").read_text())
    assert "Working through" not in demo.start()
    assert json.loads((demo.folder / "demo.json").read_text()) == before
    assert "earning" in demo.make("psql", "s=billing", typed="SELECT DISTINCT kind FROM billing_transfer;\n")
    take_pictures(before, browser, Path(os.environ.get("TRACKER_PICTURES") or tmp_path))
    assert demo.interrupt() == -signal.SIGINT
    assert demo.processes() == []

    demo.make("clean")
    assert not (demo.folder / "demo").exists()
    assert not (demo.folder / "demo.json").exists()
    assert "not running" in demo.make("psql", "s=billing", code=2)
