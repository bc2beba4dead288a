"""Pytest plugin: real servers for the tests of a service or library, shared between runs where they are warm.

It sets the environment before Django reads it. Servers come from, in this order: `TRACKER_SHARED` (the state directory
of a set that somebody else started), the warm servers, or a set of this run's own. Each run has a database name and
a topic prefix of its own, so that runs live side by side.
"""

import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import psutil
import pytest

from dev.environment import service_environment
from dev.paths import LIBRARIES, LOCAL, SERVICES, WARM
from dev.ports import SERVICE_PORTS
from dev.servers import Servers

URLS = {name: f"http://127.0.0.1:{port}" for name, port in SERVICE_PORTS.items()}


class SharedServers(Servers):
    """Servers that other runs use too: they are not ours to stop."""

    def _refuse(self, *_: str) -> NoReturn:
        raise RuntimeError("These servers are shared with other runs: stop, kill or freeze those of `own_servers`.")

    stop = kill = restart = freeze = _refuse  # type: ignore[assignment]


@dataclass(slots=True)
class Run:
    """One pytest process: whose tests, on which servers, under which name."""

    subject: str
    servers: Servers
    owned: bool
    name: str

    @property
    def database(self) -> str:
        """Django puts `test_` before it."""
        return f"{self.subject}_{self.name}"

    @property
    def topic_prefix(self) -> str:
        return f"{self.name}-"


RUN = pytest.StashKey[Run]()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Iterator[None]:
    """Before pytest-django imports the settings."""
    subject = early_config.rootpath.name.removesuffix("_service")
    if subject in (*SERVICES, *LIBRARIES):
        os.environ.update(environment(start_run(early_config)))
    return (yield)


def start_run(config: pytest.Config) -> Run:
    """The servers of this run, found or started at first use."""
    if RUN not in config.stash:
        servers, owned = find_servers()
        subject = config.rootpath.name.removesuffix("_service")
        config.stash[RUN] = Run(subject, servers, owned, f"r{os.getpid()}{secrets.token_hex(2)}")
    return config.stash[RUN]


def find_servers() -> tuple[Servers, bool]:
    """Servers that answer, and whether this run has to stop them at its end."""
    if given := os.environ.get("TRACKER_SHARED"):
        return SharedServers(Path(given)), False
    if (WARM / "servers.json").exists() and (warm := SharedServers(WARM)).answer():
        return warm, False
    sweep("pytest")
    own = Servers(LOCAL / f"pytest-{os.getpid()}", durable=False)
    own.start()
    return own, True


def sweep(kind: str) -> None:
    """Forget what runs left behind that were killed before they could clean up."""
    for folder in LOCAL.glob(f"{kind}-*"):
        pid = folder.name.removeprefix(f"{kind}-").split("-")[0]
        if not psutil.pid_exists(int(pid)):
            Servers(folder).destroy()


def environment(run: Run) -> dict[str, str]:
    """The environment of a service under test: its database is the owner's, who may create it."""
    run.servers.postgres.ensure_database(run.subject)
    common = service_environment(
        run.subject,
        servers=run.servers,
        secrets=run.servers.postgres.secrets,
        urls=URLS,
        topic_prefix=run.topic_prefix,
    )
    return common | {"DATABASE_URL": run.servers.postgres.url(run.subject, "owner", run.database), "ALLOWED_HOSTS": "*"}


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave nothing behind."""
    if (run := config.stash.get(RUN, None)) is None:
        return
    if run.owned:
        run.servers.destroy()
        return
    run.servers.postgres.drop_databases(f"test_{run.database}%")
    run.servers.kafka.delete_topics(run.topic_prefix)


@pytest.fixture(scope="session")
def servers(pytestconfig: pytest.Config) -> Servers:
    """The servers of this run; they can be stopped only if the run owns them."""
    return start_run(pytestconfig).servers


@pytest.fixture(scope="session")
def own_servers() -> Iterator[Servers]:
    """A private set of servers, to be stopped, killed and frozen."""
    private = Servers(LOCAL / f"pytest-{os.getpid()}-own", durable=False)
    try:
        private.start()
        yield private
    finally:
        private.destroy()


@pytest.fixture
def app_dsn(pytestconfig: pytest.Config, django_db_setup: None) -> str:
    """The address of the test database for the app role, which the service runs with."""
    from django.db import connection  # noqa: PLC0415 - the settings are not read yet when this file is

    run = pytestconfig.stash[RUN]
    return run.servers.postgres.url(run.subject, "app", str(connection.settings_dict["NAME"]))
