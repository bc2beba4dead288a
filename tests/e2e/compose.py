"""docker-compose.yml as the driver of the browser tests: a project of its own, on free ports, removed at the end."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import gateway
from containers import ContainerDriver

from dev import mailpit, ports
from dev.paths import ROOT, SERVICES
from dev.system import CommandFailed

START_SECONDS = 600.0  # building the images is not in it
PUBLISHED = (
    "auth_db", "tasks_db", "billing_db", "analytics_db", "kafka", "registry", "valkey", "mail", "smtp", "prometheus",
)  # fmt: skip
DATABASES = [f"{name}-db" for name in SERVICES]
# The endpoint that takes SMS and Slack messages runs in a container that has memory to spare.
POSTS_GO_TO = "tasks"
CLEAR_LINE = "\x1b[2K"  # Compose writes it before each line, also where nobody looks and with `--ansi never`


def project_name() -> str:
    """Of the system that this process starts."""
    return f"tracker-e2e-{os.getpid()}"


class ComposeDriver(ContainerDriver):
    """`docker compose up` of this checkout; `postgres` is all four databases."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.project = project_name()
        self.ports = ports.free((*SERVICES, *PUBLISHED))
        settings = {ports.setting(name): str(number) for name, number in self.ports.items()}
        self._environment = {
            **os.environ,
            **settings,
            **gateway.templates(gateway.PORT, POSTS_GO_TO),
            "COMPOSE_PROFILES": "",
        }
        try:
            self.compose("build", "--quiet")
            self.compose("up", "--detach")
            self.wait()
            self.listen()
            self.seed()
        except BaseException:
            self.close()
            raise

    def listen(self) -> None:
        """Take SMS and Slack messages; ends with the container that it runs in."""
        source = Path(gateway.__file__).read_text()
        self.compose("exec", "--detach", POSTS_GO_TO, "python", "-c", source, str(gateway.PORT), gateway.ANYWHERE)

    def type(self, script: str, folder: Path) -> str:
        """What a script prints that somebody types in a folder beside the checkout. Raises CommandFailed."""
        place = {"COMPOSE_FILE": str(ROOT / "docker-compose.yml"), "COMPOSE_PROJECT_NAME": self.project}
        return self._run(["bash", "-euo", "pipefail", "-c", script], folder, place)

    def url(self, service: str) -> str:
        return f"http://127.0.0.1:{self.ports[service]}"

    def stop(self, server: str) -> None:
        self.compose("stop", *self._containers(server))

    def start(self, server: str) -> None:
        self.compose("start", *self._containers(server))
        self.wait(*self._containers(server))

    def stop_service(self, service: str) -> None:
        self.stop(service)

    def start_service(self, service: str) -> None:
        self.start(service)

    def restart_workers(self, service: str) -> None:
        names = [name for name in self.running() if name.startswith((f"{service}-relay", f"{service}-consumer"))]
        self.compose("restart", *names)
        self.wait(*names)

    def manage(self, service: str, *arguments: str, stdin: str = "") -> str:
        """A command beside the pages of a service; DEMO lets the demo's own commands run, and only those."""
        command = ("exec", "-T", "--env", "DEMO=true", service, "role", "manage", *arguments)
        return self.compose(*command, stdin=stdin)

    def mailbox(self) -> list[Any]:
        return mailpit.messages(f"http://127.0.0.1:{self.ports['mail']}")

    def posts(self) -> list[tuple[str, dict[str, str]]]:
        return gateway.told(self.compose("exec", "-T", POSTS_GO_TO, "python", "-c", gateway.ASK))

    def kafka(self) -> dict[str, str]:
        registry = f"http://127.0.0.1:{self.ports['registry']}/apis/ccompat/v7"
        broker = f"127.0.0.1:{self.ports['kafka']}"
        return {"bootstrap_servers": broker, "registry_url": registry, "topic_prefix": ""}

    def logs(self) -> Iterable[str]:
        ours = [name for name in self.running() if name.split("-")[0] in SERVICES and not name.endswith("-db")]
        return self.compose("logs", "--no-color", "--no-log-prefix", *ours).replace(CLEAR_LINE, "").splitlines()

    def close(self) -> None:
        self.compose("down", "--volumes", "--timeout", "5")

    def _containers(self, server: str) -> list[str]:
        return DATABASES if server == "postgres" else [server]

    def running(self) -> list[str]:
        """The long-running services: those with a health check."""
        services = json.loads(self.compose("config", "--format", "json"))["services"]
        return [name for name, service in services.items() if "healthcheck" in service]

    def wait(self, *names: str) -> None:
        """Until these are healthy, or all. Raises AssertionError."""
        names = names or tuple(self.running())
        deadline = time.monotonic() + START_SECONDS
        while waiting := {name: state for name, state in self.health(*names).items() if state != "healthy"}:
            if time.monotonic() > deadline:
                raise AssertionError(f"not healthy after {START_SECONDS:.0f} s: {waiting}")
            time.sleep(0.5)

    def health(self, *names: str) -> dict[str, str]:
        lines = self.compose("ps", "--all", "--format", "{{.Service}} {{.Health}}", *names).splitlines()
        found = {name: health.strip() for name, _, health in (line.partition(" ") for line in lines)}
        return dict.fromkeys(names, "") | found

    def compose(self, *words: str, stdin: str = "") -> str:
        """What a command of Compose prints. Raises CommandFailed."""
        program = ["docker", "compose", "--project-name", self.project, "--progress", "quiet"]
        return self._run([*program, *words], ROOT, {}, stdin=stdin)

    def _run(self, command: list[str], folder: Path, more: dict[str, str], *, stdin: str = "") -> str:
        result = subprocess.run(
            command,
            cwd=folder,
            env=self._environment | more,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        if result.returncode:
            raise CommandFailed(f"{' '.join(command)}: {result.stdout}{result.stderr}")
        return result.stdout
