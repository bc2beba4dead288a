"""The real servers of the local stack: started, stopped, killed, frozen and restarted, together or one by one."""

import json
import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from dev import ports
from dev.errors import Trouble
from dev.servers.base import Server
from dev.servers.kafka import Kafka
from dev.servers.mail import Mail
from dev.servers.postgres import Postgres
from dev.servers.registry import Registry
from dev.servers.valkey import Valkey

__all__ = ["NAMES", "PORT_NAMES", "Servers"]

Kinds = tuple[type[Postgres], type[Kafka], type[Registry], type[Valkey], type[Mail]]
KINDS: Kinds = (Postgres, Kafka, Registry, Valkey, Mail)
NAMES = tuple(kind.name for kind in KINDS)
PORT_NAMES = tuple(name for kind in KINDS for name in kind.port_names)
FREE_BYTES_NEEDED = 2 * 1024**3
CHOICE = "TRACKER_SERVERS"  # the setting that says what new sets are made of
CONTAINERS = "containers"


class Servers:
    """A set of servers with one state directory; another `Servers` of the same directory finds the same programs.

    `port_numbers` are those to use; without them, the ones of the directory's last start, or free ones.
    `durable=False` leaves out waiting for the disk: for runs that throw their data away. `TRACKER_SERVERS=containers`
    makes a new set of containers instead of programs of this machine; a set stays what it is.
    """

    def __init__(self, state_dir: Path, port_numbers: Mapping[str, int] | None = None, *, durable: bool = True) -> None:
        self.state_dir = state_dir.resolve()
        self.description = self.state_dir / "servers.json"
        self.port_numbers = dict(port_numbers or self._known_ports() or ports.free(PORT_NAMES))
        self._mark = self.state_dir / CONTAINERS
        self.in_containers = self._mark.exists() or (
            os.environ.get(CHOICE) == CONTAINERS and not self.description.exists()
        )
        postgres, kafka, registry, valkey, mail = _containers() if self.in_containers else KINDS
        common = (self.state_dir, self.port_numbers)
        self.postgres = postgres(*common, durable=durable)
        self.kafka = kafka(*common, durable=durable)
        self.registry = registry(*common, durable=durable)
        self.valkey = valkey(*common, durable=durable)
        self.mail = mail(*common, durable=durable)

    @property
    def all(self) -> dict[str, Server]:
        """Every server by its name."""
        return {name: getattr(self, name) for name in NAMES}

    def start(self, *names: str) -> None:
        """Start the named servers, or all of them, side by side; on failure none of them is left behind."""
        self._require_space()
        self.description.parent.mkdir(parents=True, exist_ok=True)
        if self.in_containers:
            self._mark.touch()
        chosen = self._chosen(names)
        for server in chosen:
            if not server.running:
                ports.require_free(server.ports)
        try:
            self._each(chosen, lambda server: server.start())
        except BaseException:
            self._each(chosen, lambda server: server.kill())
            raise
        self.description.write_text(json.dumps({"ports": self.port_numbers}, indent=2) + "\n")

    def stop(self, *names: str) -> None:
        """Stop the named servers, or all of them; their data stays."""
        self._each(self._chosen(names), lambda server: server.stop())

    def kill(self, *names: str) -> None:
        """Crash the named servers, or all of them; their data stays."""
        self._each(self._chosen(names), lambda server: server.kill())

    def restart(self, *names: str) -> None:
        """Stop, then start."""
        self.stop(*names)
        self.start(*names)

    def freeze(self, name: str) -> None:
        """Let a server hang with its connections open."""
        self.all[name].process.freeze()

    def thaw(self, name: str) -> None:
        """Let a frozen server go on."""
        self.all[name].process.thaw()

    def destroy(self) -> None:
        """Kill all servers and forget their data."""
        self._each(self.all.values(), lambda server: server.process.forget())
        shutil.rmtree(self.postgres.directory, ignore_errors=True)
        shutil.rmtree(self.state_dir, ignore_errors=True)

    def answer(self) -> bool:
        """Whether all servers run and answer."""
        return all(server.running and server.ready() for server in self.all.values())

    def _chosen(self, names: Iterable[str]) -> list[Server]:
        return [self.all[name] for name in (names or NAMES)]

    @staticmethod
    def _each(servers: Iterable[Server], action: Callable[[Server], None]) -> None:
        """Do it to all of them at once; the first failure is raised when all have ended."""
        with ThreadPoolExecutor(max_workers=len(NAMES)) as pool:
            futures = [pool.submit(action, server) for server in servers]
        for future in futures:
            future.result()

    def _known_ports(self) -> dict[str, int] | None:
        return json.loads(self.description.read_text())["ports"] if self.description.exists() else None

    def _require_space(self) -> None:
        folder = next(path for path in (self.state_dir, *self.state_dir.parents) if path.exists())
        if shutil.disk_usage(folder).free < FREE_BYTES_NEEDED:
            raise Trouble(
                f"Less than 2 GiB are free on the disk of {folder}. Make room, then run the same command again."
            )


def _containers() -> Kinds:
    from dev.servers.containers import KINDS as contained  # noqa: PLC0415 - Docker's client is for those who ask for it

    return contained
