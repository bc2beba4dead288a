"""`make demo` as somebody runs it in a terminal, and what it tells a program."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from dev import ports
from dev.paths import ROOT
from dev.system import ALL_PORTS

UP_SECONDS = 300
DAYS = int(os.environ.get("TRACKER_PICTURES_DAYS") or 2)


class Demo:
    """`make demo` in a terminal of its own, with a state folder and ports of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ports = ports.free(ALL_PORTS)
        numbers = {ports.setting(name): str(number) for name, number in self.ports.items()}
        self.environment = {**os.environ, **numbers, "TRACKER_LOCAL": str(folder)}
        # As arguments too: make takes what a checkout's .env says before what the environment says.
        self.settings = [f"{name}={number}" for name, number in numbers.items()]
        self.output = folder.with_suffix(".out")
        self.terminal: subprocess.Popen[bytes] | None = None

    def start(self) -> str:
        """Start it, and return what it printed until it was up."""
        with self.output.open("wb") as output:
            self.terminal = subprocess.Popen(
                ["make", "-s", "demo", f"days={DAYS}", *self.settings],
                cwd=ROOT,
                env=self.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                # A shell that runs the tests in the background lets them ignore Ctrl-C, and so would make.
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
            )
        deadline = time.monotonic() + UP_SECONDS
        while "State and logs" not in (text := self.output.read_text()):
            assert self.terminal.poll() is None, text
            assert time.monotonic() < deadline, text
            time.sleep(0.2)
        return text

    def interrupt(self) -> int:
        """Ctrl-C: the terminal sends it to everything in the foreground."""
        assert self.terminal is not None
        os.killpg(self.terminal.pid, signal.SIGINT)
        return self.terminal.wait(timeout=60)

    def make(self, *words: str, typed: str = "", code: int = 0) -> str:
        """Another terminal of the same person."""
        result = subprocess.run(
            ["make", "-s", *words, *self.settings],
            cwd=ROOT,
            env=self.environment,
            input=typed,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        text = result.stdout + result.stderr
        assert result.returncode == code, text
        return text

    def manage(self, service: str, *words: str) -> str:
        """A management command of a service; both of its outputs."""
        command = [sys.executable, "-m", "dev", "manage", service, *words]
        result = subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False)
        text = result.stdout + result.stderr
        assert result.returncode == 0, text
        return text

    def processes(self) -> list[psutil.Process]:
        """Everything that runs with this demo's state."""
        found = []
        for process in psutil.process_iter():
            try:
                if str(self.folder) in " ".join((*process.cmdline(), *process.environ().values())):
                    found.append(process)
            except psutil.Error:
                continue
        return [process for process in found if process.pid != os.getpid()]


@dataclass(frozen=True)
class Described:
    """What `.local/demo.json` tells a program."""

    told: dict[str, Any]

    def url(self, service: str) -> str:
        return str(self.told["urls"][service])

    def password(self, email: str) -> str:
        return next(account["password"] for account in self.told["accounts"] if account["email"] == email)
