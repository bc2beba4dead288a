"""The same servers as containers of their makers' images, where `TRACKER_SERVERS=containers` asks for them."""

import urllib.error
import urllib.request
from collections.abc import Mapping
from email.message import EmailMessage
from pathlib import Path

from dev import mailpit
from dev.container import ContainerProcess
from dev.servers import kafka, postgres
from dev.servers.base import LOOPBACK, Server
from dev.servers.kafka import Kafka
from dev.servers.mail import Mail
from dev.servers.postgres import Postgres
from dev.servers.registry import Registry
from dev.servers.valkey import Valkey


class InContainer(Server):
    """A server whose program is in a container; all else is as it is with a program of this machine."""

    start_seconds = 120.0

    def __init__(self, state_dir: Path, port_numbers: Mapping[str, int], *, durable: bool) -> None:
        super().__init__(state_dir, port_numbers, durable=durable)
        self.process = self.container = ContainerProcess(self.name, state_dir)


class PostgresContainer(InContainer, Postgres):
    """A cluster with the four databases, in one container."""

    def launch(self) -> None:
        settings = postgres.SETTINGS | ({} if self.durable else postgres.THROWAWAY_SETTINGS)
        of_this_machine = {"listen_addresses", "unix_socket_directories"}
        options = [f"-c{name}={value}" for name, value in settings.items() if name not in of_this_machine]
        env = {
            "POSTGRES_PASSWORD": self.secrets.get("postgres_superuser"),
            "POSTGRES_INITDB_ARGS": "--locale-provider=builtin --locale=C.UTF-8 --encoding=UTF8 --auth=scram-sha-256",
        }
        self.container.run("postgres:18", {5432: self.ports["postgres"]}, env=env, command=["postgres", *options])


class KafkaContainer(InContainer, Kafka):
    """One node; it listens on the very port that it is known by outside."""

    def launch(self) -> None:
        port = self.ports["kafka"]
        settings = kafka.SETTINGS | {
            "listeners": f"PLAINTEXT://:{port},CONTROLLER://localhost:9093",
            "advertised.listeners": f"PLAINTEXT://{self.bootstrap_servers}",
            "controller.quorum.voters": "1@localhost:9093",
        }
        env = {f"KAFKA_{name.upper().replace('.', '_')}": value for name, value in settings.items()}
        env |= {"CLUSTER_ID": "dGFzay10cmFja2VyLW9uZQ", "KAFKA_HEAP_OPTS": "-Xmx384m -Xms128m -XX:+UseSerialGC"}
        self.container.run("apache/kafka:4.4.0", {port: port}, env=env)


class RegistryContainer(InContainer, Registry):
    """Its data lies in a file of the container, which is there again when the container is."""

    def launch(self) -> None:
        env = {
            "APICURIO_STORAGE_KIND": "sql",
            "APICURIO_STORAGE_SQL_KIND": "h2",
            "APICURIO_DATASOURCE_URL": "jdbc:h2:file:/tmp/registry",
            "JAVA_OPTS": "-Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1",
        }
        ports = {8080: self.ports["registry"], 9000: self.ports["registry_management"]}
        self.container.run("apicurio/apicurio-registry:3.3.3", ports, env=env)


class ValkeyContainer(InContainer, Valkey):
    """One server with a numbered database per service."""

    def launch(self) -> None:
        command = ["valkey-server", "--appendonly", "yes"]
        self.container.run("valkey/valkey:9", {6379: self.ports["valkey"]}, command=command)


class MailContainer(InContainer, Mail):
    """Mailpit, which is asked by its API: it speaks no IMAP."""

    def launch(self) -> None:
        self.container.run("axllent/mailpit:latest", {8025: self.ports["mail"], 1025: self.ports["smtp"]})

    def ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://{LOOPBACK}:{self.ports['mail']}/readyz", timeout=2) as response:
                return bool(response.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def messages(self) -> list[EmailMessage]:
        return mailpit.messages(self.url)


KINDS = (PostgresContainer, KafkaContainer, RegistryContainer, ValkeyContainer, MailContainer)
