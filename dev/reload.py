"""Changed code shows within seconds: a template in pages at once; with Python all start anew, pages first."""

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
        if not any(path.suffix == ENDING_PYTHON for path in paths):
            for name in services:
                # gunicorn makes new workers without dropping a request
                self._supervisor.programs[f"{name}-web"].process.terminate(signal.SIGHUP)
            return
        # Its master keeps what it has loaded itself, settings among it. Pages first: somebody is looking.
        for name in sorted(self._supervisor.programs, key=lambda name: not name.endswith("-web")):
            if name.split("-")[0] in services and not self._ending.is_set():
                self._supervisor.stop(name)
                self._supervisor.start(name)


def _concerns(_: watchfiles.Change, name: str) -> bool:
    path = Path(name)
    return path.suffix in SUFFIXES and not {"tests", "__pycache__"} & set(path.parts)
