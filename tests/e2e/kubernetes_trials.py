"""What docs/operations.md tells of Kubernetes, tried; the name of a trial as an argument tries it alone.

On the cluster of TRACKER_K8S_CONTEXT, in a namespace of its own, under the load of load.py; it prints what happened.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from driver import eventually
from load import Load
from people import Person

from dev.paths import SERVICES
from dev.pytest_browser import headless_browser
from k8s import KubernetesDriver

BEFORE = "before"  # tag of the images of the release before; those of this one are `dev`
Started = tuple[KubernetesDriver, dict[str, str]]


@contextmanager
def installation() -> Iterator[Started]:
    """A running system of the release before, and the cookies of an admin who is signed in everywhere."""
    with tempfile.TemporaryDirectory(prefix="tracker-trials-") as folder:
        began = time.monotonic()
        driver = KubernetesDriver(Path(folder), BEFORE)
        say(f"applied, ready and seeded after {time.monotonic() - began:.0f} s")
        try:
            with headless_browser() as browser:
                person = Person("admin", driver, browser)
                for service in ("tasks", "billing", "analytics"):
                    person.open(service)
                    if service == "tasks":
                        person.fill_in_sign_in()
                    person.page.wait_for_url(driver.url(service) + "/**")
                cookies = {str(found["name"]): str(found["value"]) for found in person.context.cookies()}
            yield driver, cookies
        finally:
            driver.close()


def say(text: str) -> None:
    sys.stdout.write(f"{time.strftime('%T')} {text}\n")
    sys.stdout.flush()


def under_load(started: Started, work: Callable[[KubernetesDriver], None]) -> None:
    """Do something to the system while people use it; then nothing may be missing."""
    driver, cookies = started
    driver.broken_connections()
    with Load({name: driver.url(name) for name in SERVICES}, cookies) as load:
        time.sleep(10)
        began = time.monotonic()
        work(driver)
        took = time.monotonic() - began
        time.sleep(10)
    say(f"took {took:.0f} s; {dict(load.counts)}; slowest {load.slowest:.1f} s; failed: {len(load.failed)}")
    for failure in [*load.failed[:20], *driver.broken_connections()[:20]]:
        say(f"  {failure}")
    began = time.monotonic()
    eventually(driver.ledger_is_complete, within=180, every=2)
    say(f"ledger_check --complete finds nothing, {time.monotonic() - began:.0f} s after the last request")


def release(driver: KubernetesDriver) -> None:
    """The next release: migrations first, all Deployments at the same time; old pods meet the new tables."""
    driver.release("dev")


def rolling(driver: KubernetesDriver) -> None:
    """Every Deployment of ours anew, one after the other."""
    for name in driver.deployments():
        began = time.monotonic()
        driver.kubectl("rollout", "restart", name)
        driver.kubectl("rollout", "status", name, "--timeout=600s")
        say(f"{name}: {time.monotonic() - began:.0f} s")


def pods(driver: KubernetesDriver) -> None:
    """Each pod of ours is deleted, where two answer for each page, as in production."""
    driver.pages(2)
    one_by_one(driver, lambda pod: driver.kubectl("delete", "pod", pod, "--wait=false"), driver.deployments())


def evictions(driver: KubernetesDriver) -> None:
    """Each pod of ours is evicted, as draining a node does; no disruption budget may be in the way."""
    driver.pages(2)
    one_by_one(driver, driver.evict, driver.deployments())


def servers(driver: KubernetesDriver) -> None:
    """Each pod of the servers is deleted; pages answer 503 while their database is away, and nothing else may fail."""
    names = driver.kubectl("get", "deployments,statefulsets", "--output", "name").split()
    others = [name for name in names if name not in driver.deployments()]
    one_by_one(driver, lambda pod: driver.kubectl("delete", "pod", pod, "--wait=false"), others)


def one_by_one(driver: KubernetesDriver, away: Callable[[str], object], owners: list[str]) -> None:
    """Do away with each pod of these, the next once its owner is whole again."""
    for name in owners:
        pods = driver.kubectl("get", "pods", "--selector", driver.labels(name), "--output", "name").split()
        for pod in pods:
            began = time.monotonic()
            away(pod.removeprefix("pod/"))
            time.sleep(1)
            driver.kubectl("rollout", "status", name, "--timeout=600s")
            say(f"{name}: {time.monotonic() - began:.0f} s")


def secrets(driver: KubernetesDriver) -> None:
    """A database password, an OAuth client's secret and the signing key, at the same time."""
    driver.rotate("database-billing-app", "client-tasks", "signing-key")


TRIALS = {each.__name__: each for each in (release, rolling, secrets, pods, evictions, servers)}

if __name__ == "__main__":
    with installation() as running:
        for trial in sys.argv[1:] or TRIALS:
            say(f"--- {trial}")
            under_load(running, TRIALS[trial])
