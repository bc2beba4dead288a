"""Keeps the product's processes up: a crashed one is started again, later each time it crashes again."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from dev.process import Process

LOOK_EVERY = 0.3
STEADY_SECONDS = 30.0
LONGEST_PAUSE = 30.0


@dataclass(slots=True)
class Program:
    """One process with what it takes to start it again."""

    process: Process
    command: Sequence[str]
    env: Mapping[str, str]
    cwd: Path
    wanted: bool = False
    started: float = 0.0
    crashed: float | None = None
    crashes: int = 0

    def start(self) -> None:
        """Start it now; a predecessor that was left behind ends first."""
        self.process.stop()
        self.started = time.monotonic()
        self.process.start(self.command, env=self.env, cwd=self.cwd)
        self.crashed, self.wanted = None, True

    def note_crash(self) -> None:
        """Count a crash; those of a program that ran steadily before are forgotten."""
        self.crashed = time.monotonic()
        self.crashes = 1 if self.crashed - self.started > STEADY_SECONDS else self.crashes + 1

    @property
    def pause(self) -> float:
        """Seconds from a crash to the next start: 1, 2, 4 .. 30."""
        return min(LONGEST_PAUSE, 2.0 ** (self.crashes - 1))


class Supervisor:
    """Starts, stops and restarts programs by name. `say` gets a line for each thing worth telling."""

    def __init__(self, state_dir: Path, say: Callable[[str], None]) -> None:
        self._state_dir = state_dir
        self._say = say
        self._lock = threading.RLock()
        self._ending = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="supervisor", daemon=True)
        self.programs: dict[str, Program] = {}

    def add(self, name: str, command: Sequence[str], env: Mapping[str, str], cwd: Path) -> None:
        """Make a program known, without starting it."""
        self.programs[name] = Program(Process(name, self._state_dir), command, env, cwd)

    def start(self, *names: str) -> None:
        """Start programs, and watch over them from now on."""
        with self._lock:
            for name in names:
                self.programs[name].start()
            if not self._watcher.is_alive() and not self._ending.is_set():
                self._watcher.start()

    def stop(self, *names: str, seconds: float = 10.0) -> None:
        """Ask programs to end, all at once, and wait for them; they stay down."""
        with self._lock:
            chosen = [self.programs[name] for name in names]
            for program in chosen:
                program.wanted = False
                program.process.terminate()
        deadline = time.monotonic() + seconds
        for program in chosen:
            program.process.finish(max(0.0, deadline - time.monotonic()))

    def kill(self, name: str) -> None:
        """Crash a program; it is started again as after any crash."""
        self.programs[name].process.kill()

    def close(self, seconds: float) -> None:
        """End everything."""
        self._ending.set()
        self.stop(*self.programs, seconds=seconds)

    def _watch(self) -> None:
        while not self._ending.wait(LOOK_EVERY):
            with self._lock:
                for name, program in self.programs.items():
                    if program.wanted:
                        self._keep(name, program)

    def _keep(self, name: str, program: Program) -> None:
        """Nothing that fails here, on a full disk say, may end the watch over all others."""
        try:
            if not program.process.running:
                self._revive(name, program)
        except Exception as error:
            program.note_crash()
            with suppress(OSError):
                self._say(f"{name} cannot be started, it is tried again in {program.pause:.0f} s: {error}")

    def _revive(self, name: str, program: Program) -> None:
        if program.crashed is None:
            program.note_crash()
            self._say(
                f"{name} ended unexpectedly and starts again in {program.pause:.0f} s. Log: {program.process.log}"
            )
        elif time.monotonic() - program.crashed >= program.pause:
            program.start()
