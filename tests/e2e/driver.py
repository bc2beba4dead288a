"""What a browser test may ask of the running system besides its pages.

The tests know this protocol alone, so that they run against the local stack, Compose and Kubernetes alike.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol, TypeVar

from compose import ComposeDriver
from gateway import Gateway, templates
from managed import Managed

from dev.collector import collecting
from dev.system import System
from k8s import KubernetesDriver

T = TypeVar("T")


class Driver(Protocol):
    """A running Task Tracker with the demo's accounts and no history."""

    def url(self, service: str) -> str:
        """Address of a service's pages, without a trailing slash."""

    def password(self, email: str) -> str:
        """Password of a demo account."""

    def stop(self, server: str) -> None:
        """Stop a server (`kafka`, `registry`, `postgres`, `mail`) as an outage would."""

    def start(self, server: str) -> None:
        """Start it again and wait until it answers."""

    def stop_service(self, service: str) -> None:
        """Stop the web process of a service."""

    def start_service(self, service: str) -> None:
        """Start it again and wait until it answers."""

    def restart_workers(self, service: str) -> None:
        """Restart relay and consumers of a service."""

    def manage(self, service: str, *arguments: str) -> str:
        """Run a management command and return what it printed; raises `CommandFailed` on another exit code than 0."""

    def close_cycle(self) -> None:
        """Close the open billing cycle as if it were due."""

    def ledger_is_complete(self) -> bool:
        """Whether `ledger_check --complete` finds nothing."""

    def mailbox(self) -> list[Any]:
        """All mails that were sent, oldest first, as `email.message.EmailMessage`."""

    def posts(self) -> list[tuple[str, dict[str, str]]]:
        """What SMS and Slack messages sent to the operator's HTTP endpoint: address and JSON, oldest first."""

    def kafka(self) -> dict[str, str]:
        """`bootstrap_servers`, `registry_url` and `topic_prefix` for a test that speaks as another producer."""

    def logs(self) -> Iterable[str]:
        """What our own processes wrote so far, line by line."""

    def close(self) -> None:
        """Stop everything that the driver started."""


class LocalDriver(Managed):
    """The local stack of `dev/`, in a directory and on ports of its own; traced, and with logs as in production."""

    def __init__(self, directory: Path) -> None:
        self.gateway = Gateway()
        threading.Thread(target=self.gateway.serve_forever, daemon=True).start()
        self._opened = ExitStack()
        self.collector = self._opened.enter_context(collecting())
        settings = {
            "LOG_FORMAT": "json",
            "OTEL_EXPORTER_OTLP_ENDPOINT": self.collector.url,
            "OTEL_BSP_SCHEDULE_DELAY": "1000",
            **templates(self.gateway.server_port),
        }
        self.system = System.for_tests(directory, settings=settings)
        try:
            self.system.up()
        except BaseException:
            self.close()
            raise

    def url(self, service: str) -> str:
        return str(self.system.url(service)).rstrip("/")

    def password(self, email: str) -> str:
        return next(str(account["password"]) for account in self.system.accounts if account["email"] == email)

    def stop(self, server: str) -> None:
        self.system.stop(server)

    def start(self, server: str) -> None:
        self.system.start(server)

    def stop_service(self, service: str) -> None:
        self.system.stop(f"{service}-web")

    def start_service(self, service: str) -> None:
        self.system.start(f"{service}-web")

    def restart_workers(self, service: str) -> None:
        workers = [
            name
            for name in self.system.supervisor.programs
            if name.startswith((f"{service}-relay", f"{service}-consumer"))
        ]
        for name in workers:
            self.system.stop(name)
            self.system.start(name)

    def manage(self, service: str, *arguments: str) -> str:
        return str(self.system.manage(service, *arguments))

    def mailbox(self) -> list[Any]:
        return list(self.system.mailbox())

    def posts(self) -> list[tuple[str, dict[str, str]]]:
        return list(self.gateway.posts)

    def kafka(self) -> dict[str, str]:
        return dict(self.system.kafka())

    def logs(self) -> Iterable[str]:
        for entry in self.system.entries:
            yield from self.system.supervisor.programs[entry.name].process.log.read_text().splitlines()

    def metrics_address(self, service: str, role: str) -> str:
        """Where Prometheus finds the metrics of a process."""
        return f"127.0.0.1:{self.system.ports[service if role == 'web' else f'{service}-{role}']}"

    def close(self) -> None:
        self.system.down()
        self._opened.close()
        self.gateway.shutdown()
        self.gateway.server_close()


def make_driver(directory: Path) -> Driver:
    """The driver named by `TRACKER_DRIVER`: `local` (default), `compose` or `k8s`."""
    drivers: dict[str, Callable[[Path], Driver]] = {
        "local": LocalDriver,
        "compose": ComposeDriver,
        "k8s": KubernetesDriver,
    }
    return drivers[os.environ.get("TRACKER_DRIVER", "local")](directory)


def eventually(check: Callable[[], T], *, within: float = 20.0, every: float = 0.1) -> T:
    """Call `check` until it neither raises AssertionError nor returns something false; seconds."""
    deadline = time.monotonic() + within
    while True:
        try:
            result = check()
            if result:
                return result
            problem: AssertionError | None = None
        except AssertionError as error:
            problem = error
        if time.monotonic() > deadline:
            raise problem or AssertionError(f"{check!r} stayed false for {within:.0f} s")
        time.sleep(every)
