"""Many management commands in one process: what starting Django costs is spent once."""

import shlex
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

from dev.errors import Trouble

ANSWERED = "\0\n"
LOOP = f"""
import shlex, sys
from django.core.management import call_command
for line in sys.stdin:
    call_command(*shlex.split(line))
    sys.stdout.write({ANSWERED!r})
    sys.stdout.flush()
"""


class Ended(Trouble):
    """The process ended instead of answering; the message holds what it printed."""


class Conversation:
    """A `manage.py` that carries out one command after the other; use it as a context manager."""

    def __init__(self, manage: Sequence[str], *, cwd: Path, env: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [*manage, "shell", "-v", "0", "-c", LOOP],
            cwd=cwd,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def __enter__(self) -> "Conversation":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate()

    def run(self, *arguments: str) -> str:
        """Carry out one command, wait until it is done, and return what it printed. Raises Ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(shlex.join(arguments) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # what it printed before it ended says why
        printed: list[str] = []
        for line in self._process.stdout:
            if line.endswith(ANSWERED):
                return "".join([*printed, line.removesuffix(ANSWERED)])
            printed.append(line)
        raise Ended("".join(printed))
