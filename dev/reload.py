"""Changed code shows within seconds: in pages without dropping a request, then in the processes without pages."""

import signal
import threading
from collections.abc import Iterable
from pathlib import Path

import watchfiles

from dev.paths import LIBRARIES, ROOT, SERVICES, service_dir
from dev.supervisor import Supervisor

SUFFIXES = (".py", ".html", ".css", ".js", ".txt")
ENDING_PYTHON = ".py"


def services_of(paths: Iterable[Path]) -> list[str]:
    """The services that a change concerns; a change of a library concerns all."""
    folders = {path.relative_to(ROOT).parts[0] for path in paths}
    return [name for name in SERVICES if "libs" in folders or service_dir(name).name in folders]


class Reloader:
    """Watches the services and libraries; only Python changes concern processes without pages."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="reload", daemon=True)

    def start(self) -> None:
        """Watch from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Stop watching."""
        self._ending.set()

    def _watch(self) -> None:
        folders = [*map(service_dir, SERVICES), *(ROOT / "libs" / name / "src" for name in LIBRARIES)]
        for changes in watchfiles.watch(*folders, stop_event=self._ending, watch_filter=_concerns, debounce=200):
            self._reload([Path(name) for _, name in changes])

    def _reload(self, paths: list[Path]) -> None:
        services = services_of(paths)
        python = [path for path in paths if path.suffix == ENDING_PYTHON]
        kept = any(map(_is_kept_by_gunicorn, python))
        # Pages first: somebody is looking.
        if not kept:
            for service in services:
                # gunicorn makes new workers without dropping a request
                self._supervisor.programs[f"{service}-web"].process.terminate(signal.SIGHUP)
        if not python:
            return
        for name in sorted(self._supervisor.programs, key=lambda name: not _is_web(name)):
            if name.split("-")[0] in services and (kept or not _is_web(name)) and not self._ending.is_set():
                self._supervisor.stop(name)
                self._supervisor.start(name)


def _is_web(program: str) -> bool:
    return program.endswith("-web")


def _is_kept_by_gunicorn(path: Path) -> bool:
    """Whether its master has loaded it itself, to write its lines: settings, and what they use."""
    return path.relative_to(ROOT).parts[0] == "libs" or path.parent.name == "config"


def _concerns(_: watchfiles.Change, name: str) -> bool:
    path = Path(name)
    return path.suffix in SUFFIXES and not {"tests", "__pycache__"} & set(path.parts)
