"""One program of the local stack: started in a session of its own, findable again by its pid file."""

import os
import pwd
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import psutil

from dev.errors import Trouble

STOP_SECONDS = 10.0


class Process:
    """Start, stop, kill, freeze one program. A second `Process` with the same directory finds the same program."""

    def __init__(self, name: str, state_dir: Path) -> None:
        self.name = name
        self.log = state_dir / "logs" / f"{name}.log"
        self._pid_file = state_dir / "run" / f"{name}.pid"
        self._child: subprocess.Popen[bytes] | None = None

    def start(
        self,
        command: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        user: str | None = None,
    ) -> None:
        """Start the program; what it prints goes to its log file."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self._pid_file.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(
                command,
                env=None if env is None else {**os.environ, **env},
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=user,
                group=None if user is None else _group(user),
                extra_groups=None if user is None else [],
            )
        try:
            self._pid_file.write_text(f"{self._child.pid} {_birth(self._child.pid)}")
        except OSError:
            self.kill()  # nobody else could find it
            raise

    def find(self) -> psutil.Process | None:
        """The running program, or None. A pid that was given to another program since does not count."""
        if self._child is not None and self._child.poll() is None:
            return psutil.Process(self._child.pid)
        try:
            pid, birth = self._pid_file.read_text().split()
            found = psutil.Process(int(pid))
            births = (_birth(found.pid), str(found.create_time()))  # a time is what was written before November 2026
            if birth not in births or found.status() == psutil.STATUS_ZOMBIE:
                return None
        except (OSError, ValueError, psutil.Error):
            return None
        return found

    @property
    def running(self) -> bool:
        """Whether the program is there now."""
        return self.find() is not None

    @property
    def exit_code(self) -> int | None:
        """The exit code of a program that this object started; None while it runs."""
        return None if self._child is None else self._child.poll()

    def wait_until(self, ready: Callable[[], bool], seconds: float) -> None:
        """Wait until `ready()`; raise Trouble with the end of the log when it takes longer or the program ends."""
        deadline = time.monotonic() + seconds
        while not ready():
            if not self.running:
                raise Trouble(f"{self.name} stopped while starting. {self._last_words()}")
            if time.monotonic() > deadline:
                raise Trouble(f"{self.name} is not ready after {seconds:.0f} s. {self._last_words()}")
            time.sleep(0.1)

    def _last_words(self) -> str:
        return f"Its log {self.log} ends with:\n{self.tail()}"

    def tail(self, lines: int = 15) -> str:
        """The last lines of the log."""
        if not self.log.exists():
            return "(nothing)"
        with self.log.open("rb") as log:
            log.seek(max(0, self.log.stat().st_size - 20_000))
            text = log.read().decode(errors="replace")
        return "\n".join(text.splitlines()[-lines:])

    def terminate(self, number: int = signal.SIGTERM) -> None:
        """Ask the program to end, without waiting."""
        if found := self.find():
            found.send_signal(number)

    def stop(self, number: int = signal.SIGTERM, seconds: float = STOP_SECONDS) -> None:
        """Ask the program to end and wait; what is left after `seconds` is killed."""
        self.terminate(number)
        self.finish(seconds)

    def finish(self, seconds: float = STOP_SECONDS) -> None:
        """Wait for the end of a program that was asked to end, then kill what is left."""
        deadline = time.monotonic() + seconds
        while self.running and time.monotonic() < deadline:
            time.sleep(0.05)
        self.kill()
        self._pid_file.unlink(missing_ok=True)

    def kill(self) -> None:
        """SIGKILL to the program and everything it started, and wait until they are gone."""
        tree = self._tree()
        self._signal_all(tree, signal.SIGKILL)
        psutil.wait_procs(tree, timeout=5)
        if self._child is not None:
            self._child.poll()

    def forget(self) -> None:
        """Kill it, and leave nothing of it but its files."""
        self.kill()

    def freeze(self) -> None:
        """SIGSTOP: the program hangs, with its connections open."""
        self._signal_all(self._tree(), signal.SIGSTOP)

    def thaw(self) -> None:
        """Wake a frozen program."""
        self._signal_all(self._tree(), signal.SIGCONT)

    def _tree(self) -> list[psutil.Process]:
        found = self.find()
        if found is None:
            return []
        try:
            return [found, *found.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    @staticmethod
    def _signal_all(processes: Sequence[psutil.Process], number: int) -> None:
        for process in processes:
            try:
                process.send_signal(number)
            except psutil.NoSuchProcess:
                continue


def _birth(pid: int) -> str:
    """What sets a program apart from a later one with its pid: ticks since the start of the machine.

    A time of day will not do where a clock that is set moves it, as on Linux.
    """
    stat = Path(f"/proc/{pid}/stat")
    if not stat.exists():  # on macOS never
        return str(psutil.Process(pid).create_time())
    return stat.read_text(errors="replace").rpartition(")")[2].split()[19]


def _group(user: str) -> int:
    return pwd.getpwnam(user).pw_gid
