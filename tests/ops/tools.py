"""The programs that check what operators are given: of the lock where an index has them, of the machine otherwise."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from dev.paths import ROOT

# Of no Python index; `.ci/run` installs it.
OF_THE_MACHINE = {"promtool": "Debian: apt-get install prometheus; macOS: brew install prometheus"}


def program(name: str) -> str:
    """Where it is. One that is missing fails the test: a check that was not made proves nothing."""
    beside_python = Path(sys.executable).with_name(name)
    if beside_python.exists():
        return str(beside_python)
    if found := shutil.which(name):
        return found
    advice = OF_THE_MACHINE.get(name, "make bootstrap")
    return pytest.fail(f"{name} is missing, and without it nothing is checked. {advice}", pytrace=False)


def complaint(name: str, *words: object, environment: Mapping[str, str] | None = None) -> str:
    """What the program says against it: nothing where it ends well."""
    command = [program(name), *map(str, words)]
    surroundings = {**os.environ, **(environment or {})}
    result = subprocess.run(command, cwd=ROOT, env=surroundings, capture_output=True, text=True, check=False)
    return f"{result.stdout}{result.stderr}" or f"{name} ended with {result.returncode}" if result.returncode else ""
