"""Changed code is taken up by the processes that it concerns, and by no other."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dev import reload
from dev.paths import LIBRARIES, SERVICES
from dev.reload import Reloader


@dataclass
class Programs:
    """A supervisor that notes what it is told."""

    told: list[str] = field(default_factory=list)

    @property
    def programs(self) -> dict[str, Any]:
        names = [f"{service}-{role}" for service in SERVICES for role in ("consumer-accounts", "relay", "web")]
        return {name: SimpleNamespace(process=SimpleNamespace(terminate=self._noting(name))) for name in names}

    def _noting(self, name: str) -> Any:
        return lambda how: self.told.append(f"{signal.Signals(how).name} {name}")

    def stop(self, name: str) -> None:
        self.told.append(f"stop {name}")

    def start(self, name: str) -> None:
        self.told.append(f"start {name}")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for folder in (*(f"{name}_service" for name in SERVICES), *(f"libs/{name}/src" for name in LIBRARIES)):
        for inner in ("tests", "config"):
            (tmp_path / folder / inner).mkdir(parents=True)
    monkeypatch.setattr(reload, "ROOT", tmp_path)
    monkeypatch.setattr(reload, "service_dir", lambda name: tmp_path / f"{name}_service")
    return tmp_path


@pytest.fixture
def supervisor(project: Path) -> Iterator[Programs]:
    supervisor = Programs()
    watching = Reloader(supervisor)  # type: ignore[arg-type]
    watching.start()
    until(lambda: supervisor.told, again=(project / "auth_service/ready.html").touch)
    time.sleep(0.5)  # what was touched last
    supervisor.told.clear()
    yield supervisor
    watching.stop()


def until(true: Any, again: Any = lambda: None) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline
        again()
        time.sleep(0.3)


def test_a_template_is_taken_up_by_the_pages_of_its_service_without_dropping_a_request(
    project: Path, supervisor: Programs
) -> None:
    (project / "tasks_service/list.html").write_text("new")
    until(lambda: supervisor.told)
    assert supervisor.told == ["SIGHUP tasks-web"]


def test_python_is_taken_up_by_all_processes_of_its_service_and_by_the_pages_first(
    project: Path, supervisor: Programs
) -> None:
    (project / "billing_service/domain.py").write_text("new = 1")
    until(lambda: len(supervisor.told) == 5)
    assert supervisor.told[0] == "SIGHUP billing-web"
    names = ("consumer-accounts", "relay")
    assert supervisor.told[1:] == [f"{what} billing-{name}" for name in names for what in ("stop", "start")]


def test_settings_start_the_pages_anew_too_because_gunicorn_itself_has_read_them(
    project: Path, supervisor: Programs
) -> None:
    (project / "billing_service/config/settings.py").write_text("new = 1")
    until(lambda: len(supervisor.told) == 6)
    names = ("web", "consumer-accounts", "relay")
    assert supervisor.told == [f"{what} billing-{name}" for name in names for what in ("stop", "start")]


def test_a_library_concerns_every_service(project: Path, supervisor: Programs) -> None:
    (project / "libs/chassis/src/base.css").write_text("new")
    until(lambda: len(supervisor.told) == len(SERVICES))
    assert supervisor.told == [f"SIGHUP {service}-web" for service in SERVICES]


def test_tests_and_notes_concern_nobody(project: Path, supervisor: Programs) -> None:
    (project / "tasks_service/tests/test_new.py").write_text("new = 1")
    (project / "tasks_service/README.md").write_text("new")
    (project / "analytics_service/page.html").write_text("new")
    until(lambda: supervisor.told)
    assert supervisor.told == ["SIGHUP analytics-web"]
