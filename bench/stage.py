"""Servers, databases and processes that belong to one run of the benchmarks alone."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from dev import ports
from dev.errors import Trouble
from dev.paths import LOCAL, ROOT, service_dir
from dev.preparation import Preparation
from dev.system import ALL_PORTS, STOP_SECONDS, System

DIRECTORY = LOCAL / "bench"
LONGEST_SECONDS = 600


class Stage:
    """Where a benchmark runs: Postgres that waits for the disk, Kafka, registry, migrated databases, topics."""

    def __init__(self, system: System) -> None:
        self._system = system

    def inside(self, service: str, module: str, /, *, seconds: float = LONGEST_SECONDS, **arguments: Any) -> Any:
        """Run `measure` of a module of `bench.inside` as a process of a service, and return what it returns."""
        answer = DIRECTORY / "answer.json"
        answer.unlink(missing_ok=True)
        with (DIRECTORY / "logs" / f"{module}.log").open("ab") as log:
            ended = subprocess.run(
                [sys.executable, "-m", "bench.inside", module, json.dumps(arguments), str(answer)],
                cwd=service_dir(service),
                env=self._environment(service),
                stdout=log,
                stderr=subprocess.STDOUT,
                timeout=seconds,
                check=False,
            )
        if ended.returncode:
            raise Trouble(f"{module} failed:\n{_end_of(log.name)}")
        return json.loads(answer.read_text())

    @contextmanager
    def processes(self, *services: str) -> Iterator[None]:
        """All processes of these services, as the Procfile has them."""
        chosen = [entry for entry in self._system.entries if entry.service in services]
        self._system.start_processes(*chosen)
        try:
            yield
        finally:
            self._system.supervisor.stop(*(entry.name for entry in chosen), seconds=STOP_SECONDS)

    def _environment(self, service: str) -> dict[str, str]:
        postgres = self._system.servers.postgres
        return {
            **os.environ,
            **self._system.environment(service),
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "PYTHONPATH": str(ROOT),
            **{f"BENCH_ADMIN_{name.upper()}": postgres.superuser_url(name) for name in self._system.services},
        }


@contextmanager
def stage(services: Iterable[str]) -> Iterator[Stage]:
    """Servers up and the services' databases migrated; afterwards stopped and forgotten, whatever happened."""
    system = System(DIRECTORY, ports.free(ALL_PORTS), only=tuple(services), settings={"LOG_FORMAT": "json"})
    system.servers.kafka.for_load = True
    if not system.lock():
        raise Trouble("The benchmarks run already, in another terminal.")
    _end_leftovers(system)
    try:
        system.servers.start()
        _date_commits(system)
        Preparation(system).run()
        yield Stage(system)
    finally:
        system.down()
        system.servers.destroy()


def _end_leftovers(system: System) -> None:
    """What a run left behind that was killed before it could clean up."""
    for entry in system.entries:
        system.supervisor.add(entry.name, (), {}, entry.directory)
    system.supervisor.stop(*system.supervisor.programs, seconds=STOP_SECONDS)
    system.servers.destroy()


def _date_commits(system: System) -> None:
    """Postgres notes the time of each commit: exact, and one clock for all databases of the cluster."""
    with psycopg.connect(system.servers.postgres.superuser_url(), autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET track_commit_timestamp = on")
    system.servers.restart("postgres")


def _end_of(log: str) -> str:
    with open(log, errors="replace") as file:
        return "".join(file.readlines()[-30:])
