"""One program of the local stack in a container, with the face of Process."""

import hashlib
import logging
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import docker
from docker.errors import DockerException, NotFound
from docker.models.containers import Container as Found
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer

from dev.errors import Trouble
from dev.process import STOP_SECONDS, Process
from dev.servers.base import LOOPBACK

# Containers outlive the Python process that starts them, as the other servers do; `Servers.destroy` removes them.
testcontainers_config.ryuk_disabled = True
logging.getLogger("testcontainers").setLevel(logging.WARNING)


class ContainerProcess(Process):
    """Start, stop, kill, freeze one container. A second one with the same directory finds the same container."""

    def __init__(self, name: str, state_dir: Path) -> None:
        super().__init__(name, state_dir)
        digest = hashlib.sha256(str(state_dir).encode()).hexdigest()[:12]
        self._container_name = f"tracker-{digest}-{name}"

    def run(
        self, image: str, ports: Mapping[int, int], *, env: Mapping[str, str] | None = None, command: Sequence[str] = ()
    ) -> None:
        """Start the container, or make it at first. `ports`: those inside, and where they are on the loopback."""
        if (found := self._found()) is not None:
            found.start()
            return
        wanted = DockerContainer(image, name=self._container_name, env=dict(env or {}))
        wanted.with_command(list(command))
        # Its own way to name a port would open it to the world.
        wanted.ports = {str(inside): cast("Any", (LOOPBACK, outside)) for inside, outside in ports.items()}
        try:
            wanted.start()
        except DockerException as error:
            raise Trouble(f"Docker cannot start {image} for {self.name}: {error}") from error

    @property
    def running(self) -> bool:
        found = self._found()
        return found is not None and found.status in {"running", "paused"}

    def tail(self, lines: int = 15) -> str:
        found = self._found()
        return "(nothing)" if found is None else found.logs(tail=lines).decode(errors="replace")

    def terminate(self, number: int = signal.SIGTERM) -> None:
        if self.running and (found := self._found()) is not None:
            found.kill(signal.Signals(number).name)

    def finish(self, seconds: float = STOP_SECONDS) -> None:
        if (found := self._found()) is not None:
            found.stop(timeout=int(seconds))

    def kill(self) -> None:
        self.terminate(signal.SIGKILL)
        if (found := self._found()) is not None:
            found.wait()

    def freeze(self) -> None:
        if (found := self._found()) is not None:
            found.pause()

    def thaw(self) -> None:
        if (found := self._found()) is not None:
            found.unpause()

    def forget(self) -> None:
        if (found := self._found()) is not None:
            found.remove(force=True, v=True)

    def _found(self) -> Found | None:
        try:
            return docker.from_env().containers.get(self._container_name)
        except NotFound:
            return None
        except DockerException as error:
            raise Trouble(f"TRACKER_SERVERS=containers needs Docker, which does not answer: {error}") from error
