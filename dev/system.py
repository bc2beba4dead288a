"""The whole product from nothing: servers, secrets, databases, schemas, clients, and every process of the Procfile.

The demo, the browser tests, the benchmarks and the chaos runs all use this one.
"""

import fcntl
import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage
from pathlib import Path
from typing import TextIO

from dev import people, ports
from dev.conversation import Conversation
from dev.environment import service_environment
from dev.errors import Trouble
from dev.paths import DEMO, SERVICES, service_dir
from dev.preparation import Preparation
from dev.procfile import Entry, entries
from dev.secrets_file import Secrets
from dev.seed import seed_minimum
from dev.servers import PORT_NAMES, Servers
from dev.supervisor import Supervisor

READY_SECONDS = 60.0
STOP_SECONDS = 6.0
SEEDED = "seeded"
PAGES = "-web"
PORTS = "ports.json"
# They start after the seed, which closes cycles of the past on its own.
SCHEDULING = "-worker"
MANAGE = (sys.executable, "manage.py")
ALL_PORTS = (*SERVICES, *PORT_NAMES)


class CommandFailed(Trouble):
    """A management command ended with another exit code than 0; the message holds what it printed."""


def say_to_terminal(line: str) -> None:
    """One line for the person at the terminal."""
    print(line, flush=True)


class System:
    """Task Tracker, running. Names of `stop`, `start` and `kill` are servers (`kafka`) or processes (`billing-web`).

    `settings` are for its processes, beside what all have; a process with a port of its own tells its metrics there.
    """

    def __init__(
        self,
        state_dir: Path,
        port_numbers: Mapping[str, int],
        *,
        durable: bool = True,
        only: tuple[str, ...] = SERVICES,
        say: Callable[[str], None] = say_to_terminal,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.state_dir = state_dir.resolve()
        self.ports = dict(port_numbers)
        self.services = only
        self.servers = Servers(self.state_dir, {name: self.ports[name] for name in PORT_NAMES}, durable=durable)
        self.secrets = Secrets(self.state_dir / "secrets.json")
        self.supervisor = Supervisor(self.state_dir, say)
        self.say = say
        self._settings = dict(settings or {})
        self._lock_file: TextIO | None = None

    @classmethod
    def for_demo(cls) -> "System":
        """The demo: its data stays, its ports come from the environment or are the defaults."""
        return cls(DEMO, ports.configured(ALL_PORTS))

    @classmethod
    def of(cls, state_dir: Path) -> "System":
        """The system that was last started in a directory, on the ports that it has."""
        return cls(state_dir, json.loads((state_dir / PORTS).read_text()))

    @classmethod
    def for_tests(
        cls, directory: Path, *, only: tuple[str, ...] = SERVICES, settings: Mapping[str, str] | None = None
    ) -> "System":
        """A system on free ports in a directory that is thrown away; all of its processes tell their metrics."""
        background = (entry.name for entry in entries() if not entry.name.endswith(PAGES))
        return cls(directory, ports.free((*ALL_PORTS, *background)), durable=False, only=only, settings=settings)

    def up(self, seed: Callable[["System"], None] = seed_minimum) -> None:
        """Bring everything up; when that fails, everything is taken down again. A new system is seeded first."""
        self._take()
        try:
            ports.require_free({name: self.ports[name] for name in self.services})
            self.say("Starting Postgres, Kafka, the schema registry, Valkey and the mail catcher")
            self.servers.start()
            self.say("Preparing databases, schemas and sign-in")
            Preparation(self).run()
            self.say("Starting the services")
            # Pages first: they are what somebody waits for.
            self.start_processes(*(entry for entry in self.entries if entry.name.endswith(PAGES)))
            self.start_processes(*(entry for entry in self.entries if not entry.name.endswith((PAGES, SCHEDULING))))
            self._seed_once(seed)
            self.start_processes(*(entry for entry in self.entries if entry.name.endswith(SCHEDULING)))
        except BaseException:
            self.down()
            raise

    def down(self) -> None:
        """Stop everything; the data stays. What runs in another terminal is not ours to stop."""
        lock_file, self._lock_file = self._lock_file, None
        if lock_file is None:
            return
        self.supervisor.close(STOP_SECONDS)
        self.servers.stop()
        lock_file.close()

    def _seed_once(self, seed: Callable[["System"], None]) -> None:
        if self.is_seeded(self.state_dir):
            return
        seed(self)
        (self.state_dir / SEEDED).touch()

    @staticmethod
    def is_seeded(state_dir: Path) -> bool:
        """Whether the system of this directory was brought up completely before."""
        return (state_dir / SEEDED).exists()

    @property
    def entries(self) -> list[Entry]:
        """The processes of the services that run."""
        return [entry for entry in entries() if entry.service in self.services]

    def start_processes(self, *chosen: Entry) -> None:
        """Start processes, and wait until their pages answer."""
        for entry in chosen:
            environment = self.environment(entry.service) | self._process_environment(entry)
            self.supervisor.add(entry.name, entry.words(environment), environment, entry.directory)
        self.supervisor.start(*(entry.name for entry in chosen))
        for entry in chosen:
            if entry.name.endswith(PAGES):
                self.wait_ready(entry.service)

    def wait_ready(self, service: str) -> None:
        """Wait until the service's pages answer."""
        process = self.supervisor.programs[f"{service}-web"].process
        process.wait_until(lambda: answers(f"{self.url(service)}/readyz"), READY_SECONDS)

    def url(self, service: str) -> str:
        """The address of a service's pages, or of the `mail` catcher's."""
        return f"http://127.0.0.1:{self.ports[service]}"

    @property
    def urls(self) -> dict[str, str]:
        """The addresses of the four services, whether they run or not."""
        return {name: self.url(name) for name in SERVICES}

    @property
    def accounts(self) -> list[dict[str, str]]:
        """The demo's accounts: email, name, role, password."""
        return people.accounts(self.secrets)

    def environment(self, service: str) -> dict[str, str]:
        """The environment of a service's processes and commands."""
        common = service_environment(service, servers=self.servers, secrets=self.secrets, urls=self.urls)
        return common | {"DEMO": "true"}

    def _process_environment(self, entry: Entry) -> dict[str, str]:
        metrics = {"METRICS_HOST": "127.0.0.1", "METRICS_PORT": str(self.ports.get(entry.name, ""))}
        return {
            **self._settings,
            **metrics,
            "PORT": str(self.ports[entry.service]),
            "HEARTBEAT_FILE": str(self.state_dir / "run" / f"{entry.name}.heartbeat"),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
            "PYTHONUNBUFFERED": "1",
        }

    def manage(self, service: str, *arguments: str, owner: bool = False, timeout: float = 900) -> str:
        """Run a management command of a service and return what it printed. Raises CommandFailed."""
        environment = {**os.environ, **self.environment(service)}
        if owner:
            environment["DATABASE_URL"] = self.servers.postgres.url(service, "owner")
        result = subprocess.run(
            [*MANAGE, *arguments],
            cwd=service_dir(service),
            env=environment,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        if result.returncode:
            command = " ".join(arguments)
            raise CommandFailed(f"{service}: `{command}` failed.\n{result.stdout}{result.stderr}")
        return result.stdout

    def converse(self, service: str) -> Conversation:
        """Management commands of a service in one process, for many of them."""
        return Conversation(MANAGE, cwd=service_dir(service), env={**os.environ, **self.environment(service)})

    def start(self, name: str) -> None:
        """Start a server or a process, and wait until it answers."""
        if name in self.servers.all:
            self.servers.start(name)
            return
        self.supervisor.start(name)
        if name.endswith("-web"):
            self.wait_ready(name.removesuffix("-web"))

    def stop(self, name: str) -> None:
        """Stop a server or a process; it stays down until `start`."""
        if name in self.servers.all:
            self.servers.stop(name)
        else:
            self.supervisor.stop(name)

    def kill(self, name: str) -> None:
        """Crash a server or a process; the supervisor starts a process again, a server stays down."""
        if name in self.servers.all:
            self.servers.kill(name)
        else:
            self.supervisor.kill(name)

    def mailbox(self) -> list[EmailMessage]:
        """All messages sent, oldest first."""
        return self.servers.mail.messages()

    def kafka(self) -> dict[str, str]:
        """Where a test or a tool finds the broker and the registry."""
        return {
            "bootstrap_servers": self.servers.kafka.bootstrap_servers,
            "registry_url": self.servers.registry.url,
            "topic_prefix": "",
        }

    def each_service(self, action: Callable[[str], object], names: Iterable[str] | None = None) -> None:
        """Do something for services side by side; the first failure is raised when all have ended."""
        with ThreadPoolExecutor(max_workers=len(SERVICES)) as pool:
            futures = [pool.submit(action, name) for name in (self.services if names is None else names)]
        for future in futures:
            future.result()

    def lock(self) -> bool:
        """Take the directory for this process; False when another one has it."""
        self.state_dir.parent.mkdir(parents=True, exist_ok=True)
        lock_file = self.state_dir.with_suffix(".lock").open("w")
        try:
            fcntl.flock(lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock_file.close()
            return False
        self._lock_file = lock_file
        return True

    def _take(self) -> None:
        """One system per directory; what an earlier one left behind, because it was killed, is ended."""
        if not self.lock():
            raise Trouble("It runs already, in another terminal: use that one, or end it there with Ctrl-C.")
        for entry in entries():
            self.supervisor.add(entry.name, (), {}, entry.directory)
        self.supervisor.stop(*self.supervisor.programs, seconds=STOP_SECONDS)
        if not self.is_seeded(self.state_dir):
            self.servers.destroy()  # half of a seed is no use to anybody
        self.state_dir.mkdir(parents=True, exist_ok=True)
        (self.state_dir / PORTS).write_text(json.dumps(self.ports))


def answers(address: str) -> bool:
    """Whether an address answers with success."""
    try:
        with urllib.request.urlopen(address, timeout=5) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False
