"""One Postgres cluster with a database, an owner and an app role per service."""

import shutil
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

import psycopg
from psycopg import sql

from dev.errors import Trouble
from dev.paths import ROOT, SERVICES
from dev.servers.base import LOOPBACK, Server
from dev.servers.postgres_home import find_home

SUPERUSER = "postgres"
# The same in every installation, whoever runs it.
ROLES = ROOT / "deploy" / "postgres" / "roles.sql"
SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": "300",
    "shared_buffers": "128MB",
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "15s",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "max_wal_size": "1GB",
}
# A killed server loses nothing without these, only a power failure would. It does lose without synchronous_commit.
THROWAWAY_SETTINGS = {"fsync": "off", "full_page_writes": "off"}


class Postgres(Server):
    """Listens on the loopback interface only, with passwords, so that roles are held apart as in production."""

    name = "postgres"
    port_names = ("postgres",)
    stop_signal = signal.SIGINT  # "fast": ends the sessions instead of waiting for them

    def __init__(self, state_dir: Path, port_numbers: Mapping[str, int], *, durable: bool) -> None:
        super().__init__(state_dir, port_numbers, durable=durable)
        self._home = find_home(self.directory)
        self.directory = self._home.directory

    def launch(self) -> None:
        if not (self.directory / "data" / "PG_VERSION").exists():
            self._initialise()
        settings = SETTINGS | ({} if self.durable else THROWAWAY_SETTINGS) | {"port": str(self.ports["postgres"])}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        command = [str(self._home.binaries / "postgres"), "-D", str(self.directory / "data"), *options]
        self.process.start(command, cwd=Path("/"), user=self._home.user)

    def ready(self) -> bool:
        try:
            with self._superuser(timeout=2):
                return True
        except psycopg.OperationalError:
            return False

    def after_start(self) -> None:
        for service in SERVICES:
            self.ensure_database(service)

    def ensure_database(self, name: str) -> None:
        """Create the database with its two roles, unless it is there. No other role can connect to it."""
        with self._superuser() as connection:
            if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
                return
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
            settings = {"service": name} | {
                f"{role}_password": self.secrets.get(f"postgres_{name}_{role}") for role in ("owner", "app")
            }
            for setting, value in settings.items():
                connection.execute("SELECT set_config(%s, %s, false)", [f"tracker.{setting}", value])
            connection.execute(ROLES.read_bytes())
            # Django's test runner connects there to create its own database.
            for statement in ("GRANT CONNECT ON DATABASE postgres TO {}", "ALTER ROLE {} CREATEDB"):
                connection.execute(sql.SQL(statement).format(sql.Identifier(f"{name}_owner")))

    def drop_databases(self, pattern: str) -> None:
        """Drop the databases whose name matches an SQL pattern, with the sessions in them."""
        with self._superuser() as connection:
            found = connection.execute("SELECT datname FROM pg_database WHERE datname LIKE %s", [pattern]).fetchall()
            for (name,) in found:
                connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(str(name))))

    def url(self, service: str, role: str = "app", database: str = "") -> str:
        """The address of a service's database for its `app` or `owner` role."""
        password = self.secrets.get(f"postgres_{service}_{role}")
        return f"postgres://{service}_{role}:{password}@{LOOPBACK}:{self.ports['postgres']}/{database or service}"

    def superuser_url(self, database: str = "postgres") -> str:
        """The address for the cluster's superuser: for the local stack itself only."""
        password = self.secrets.get("postgres_superuser")
        return f"postgres://{SUPERUSER}:{password}@{LOOPBACK}:{self.ports['postgres']}/{database}"

    def _superuser(self, timeout: int = 10) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(self.superuser_url(), connect_timeout=timeout, autocommit=True)

    def _initialise(self) -> None:
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.mkdir(parents=True)
        password_file = self.directory / "password"
        password_file.touch(mode=0o600)
        password_file.write_text(self.secrets.get("postgres_superuser"))
        if self._home.user:
            shutil.chown(self.directory, self._home.user)
            shutil.chown(password_file, self._home.user)
        command = [str(self._home.binaries / "initdb"), "-D", str(self.directory / "data"), "-U", SUPERUSER]
        command += ["--auth=scram-sha-256", f"--pwfile={password_file}", "--encoding=UTF8", "--no-instructions"]
        command += ["--locale-provider=builtin", "--locale=C.UTF-8", "--no-sync"]
        result = subprocess.run(command, capture_output=True, text=True, user=self._home.user, cwd="/", check=False)
        password_file.unlink()
        if result.returncode:
            raise Trouble(f"Postgres could not make its data directory {self.directory}: {result.stderr.strip()}")
