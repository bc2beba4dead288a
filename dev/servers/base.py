"""What every server of the local stack has in common."""

import signal
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path

from dev import ports
from dev.process import Process
from dev.secrets_file import Secrets

LOOPBACK = "127.0.0.1"


class Server(ABC):
    """One real server: a program, its ports, its data directory."""

    name: str
    port_names: tuple[str, ...]
    start_seconds = 60.0
    stop_seconds = 10.0
    stop_signal: int = signal.SIGTERM

    def __init__(self, state_dir: Path, port_numbers: Mapping[str, int], *, durable: bool) -> None:
        self.directory = state_dir / self.name
        self.ports = {name: port_numbers[name] for name in self.port_names}
        self.durable = durable
        self.secrets = Secrets(state_dir / "secrets.json")
        self.process = Process(self.name, state_dir)

    def start(self) -> None:
        """Start the server if it does not run, and wait until it answers."""
        if not self.process.running:
            ports.require_free(self.ports)
            self.launch()
        try:
            self.process.wait_until(self.ready, self.start_seconds)
            self.after_start()
        except BaseException:
            self.kill()
            raise

    @abstractmethod
    def launch(self) -> None:
        """Prepare the data directory and start the program."""

    @abstractmethod
    def ready(self) -> bool:
        """Whether the server answers a real request."""

    def after_start(self) -> None:  # noqa: B027 - most servers need nothing
        """What has to be there before anybody uses the server."""

    def stop(self) -> None:
        """A clean end; the data stays."""
        self.process.stop(self.stop_signal, self.stop_seconds)

    def kill(self) -> None:
        """A crash; the data stays."""
        self.process.kill()

    @property
    def running(self) -> bool:
        """Whether the program is there."""
        return self.process.running
