"""What docs/operations.md tells of failures under Compose, tried; the name of a trial as an argument tries it alone.

In a project of its own, with Prometheus beside it; it prints what happened and which alerts spoke. As root on Linux: a
disk that can be full is a loop device, and processes of containers are killed from outside.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from compose import ComposeDriver, project_name
from driver import eventually
from kubernetes_trials import say

from dev.system import CommandFailed

DISK_MIB = 600
DISK_MINUTES, KAFKA_MINUTES = 6.0, 10.0
# Twenty tasks are made, and all that are open are drawn anew five times.
WORK = """
import random
from uuid import uuid4
from chassis.replica.models import Account
from django.utils import timezone
from tasks import services
from tasks.domain import Heading
leader = Account.objects.filter(role="manager").first()
chance, now = random.SystemRandom(), timezone.now()
for number in range(20):
    services.task_create(actor=leader, heading=Heading(f"Meanwhile {number}"), description="", now=now, rng=chance)
for _ in range(5):
    services.tasks_reassign(key=uuid4(), actor=leader, again=True, now=timezone.now(), rng=chance)
"""


@contextmanager
def small_disk(volume: str, folder: Path) -> Iterator[None]:
    """A volume of Compose that has room for so much, made before Compose would make it."""
    image, project = folder / "disk", project_name()
    subprocess.run(["truncate", f"--size={DISK_MIB}M", image], check=True)
    subprocess.run(["mkfs.ext4", "-q", "-E", "root_owner=999:999", image], check=True)
    found = subprocess.run(["losetup", "--find", "--show", image], check=True, capture_output=True, text=True)
    device = found.stdout.strip()
    labels = (f"com.docker.compose.project={project}", f"com.docker.compose.volume={volume}")
    options = ("--opt=type=ext4", f"--opt=device={device}", *(f"--label={label}" for label in labels))
    subprocess.run(["docker", "volume", "create", *options, f"{project}_{volume}"], check=True, stdout=subprocess.PIPE)
    try:
        yield
    finally:
        subprocess.run(["losetup", "--detach", device], check=True)


@contextmanager
def installation() -> Iterator[ComposeDriver]:
    """A running system whose billing has a small disk."""
    with tempfile.TemporaryDirectory(prefix="tracker-trials-") as name, small_disk("billing-db", Path(name)):
        began = time.monotonic()
        driver = ComposeDriver(Path(name))
        try:
            driver.compose("--profile", "monitoring", "up", "--detach", "--no-deps", "prometheus")
            say(f"up, healthy and seeded after {time.monotonic() - began:.0f} s")
            yield driver
        finally:
            driver.compose("--profile", "monitoring", "down", "--volumes", "--timeout", "5")


def work(driver: ComposeDriver) -> None:
    driver.manage("tasks", "shell", "-v", "0", "-c", WORK)


def alerts(driver: ComposeDriver) -> set[str]:
    """What speaks now, as `NAME of SERVICE`; pending ones in brackets."""
    with urllib.request.urlopen(f"http://127.0.0.1:{driver.ports['prometheus']}/api/v1/alerts", timeout=10) as answer:
        found = json.load(answer)["data"]["alerts"]
    named = {
        (f"{each['labels']['alertname']} of {each['labels'].get('service', '-')}", each["state"]) for each in found
    }
    return {name if state == "firing" else f"({name})" for name, state in named}


def watch(driver: ComposeDriver, minutes: float, *, working: bool = True) -> None:
    """Say each change of the alerts; somebody works once a minute."""
    began, known = time.monotonic(), alerts(driver)
    for second in range(int(minutes * 60)):
        time.sleep(max(0, began + second - time.monotonic()))
        if working and second % 60 == 0:
            work(driver)
        if (now := alerts(driver)) != known:
            say(f"{second:4} s: {', '.join(sorted(now)) or 'no alert'}")
            known = now


def heals(driver: ComposeDriver) -> None:
    began = time.monotonic()
    eventually(driver.ledger_is_complete, within=300, every=1)
    say(f"ledger_check --complete finds nothing after {time.monotonic() - began:.0f} s")
    watch(driver, 2, working=False)


def full_disk(driver: ComposeDriver) -> None:
    """Billing's database has no room for a byte while people work."""
    fill = "dd if=/dev/zero of=/var/lib/postgresql/fill bs=1M 2>/dev/null; df -h /var/lib/postgresql | tail -1"
    say(driver.compose("exec", "-T", "billing-db", "sh", "-c", fill).strip())
    watch(driver, DISK_MINUTES)
    say(f"billing: {driver.health('billing', 'billing-db', 'billing-worker')}")
    driver.compose("run", "--rm", "--no-deps", "-T", "--entrypoint", "rm", "billing-db", "/var/lib/postgresql/fill")
    heals(driver)


def kafka_away(driver: ComposeDriver) -> None:
    """Kafka is stopped while people work."""
    driver.stop("kafka")
    watch(driver, KAFKA_MINUTES)
    driver.start("kafka")
    heals(driver)


def is_down(driver: ComposeDriver, name: str) -> bool:
    return driver.health(name)[name] != "healthy"


def killed(driver: ComposeDriver) -> None:
    """The main process of each container is killed; how long until it is healthy again."""
    for name in driver.running():
        container = driver.compose("ps", "--quiet", name).strip()
        inspected = ["docker", "inspect", "--format", "{{.State.Pid}}", container]
        process = int(subprocess.run(inspected, check=True, capture_output=True, text=True).stdout)
        began = time.monotonic()
        os.kill(process, signal.SIGKILL)
        eventually(partial(is_down, driver, name), within=30)
        driver.wait(name)
        say(f"{name}: {time.monotonic() - began:.1f} s")
    heals(driver)


def rotated(driver: ComposeDriver) -> None:
    """A database password, an OAuth client's secret and the signing key, at the same time."""
    for name in ("database-billing-app", "client-tasks", "signing-key"):
        say(driver.compose("run", "--rm", "-T", "secrets", "rotate", name).strip())
    began = time.monotonic()
    driver.compose("down")
    driver.compose("up", "--detach")
    driver.wait()
    say(f"healthy again {time.monotonic() - began:.0f} s after down")
    driver.compose("--profile", "monitoring", "up", "--detach", "--no-deps", "prometheus")
    heals(driver)


TRIALS: dict[str, Callable[[ComposeDriver], None]] = {
    each.__name__: each for each in (killed, rotated, kafka_away, full_disk)
}

if __name__ == "__main__":
    with installation() as running:
        work(running)
        for trial in sys.argv[1:] or TRIALS:
            say(f"--- {trial}")
            try:
                TRIALS[trial](running)
            except (CommandFailed, AssertionError) as error:
                say(f"FAILED: {error}")
