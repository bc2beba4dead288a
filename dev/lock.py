"""Writes the lock files: one for the whole tree, one per service, all of the same versions, with hashes; checkov's."""

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path

from dev import checkov, download
from dev.errors import Trouble
from dev.paths import LIBRARIES, ROOT, SERVICES, service_dir

TREE = ROOT / "dev" / "requirements.lock"
OPTIONS = ("--universal", "--python-version", "3.11", "--generate-hashes", "--no-emit-index-url")
CHECKOV = "checkov>=3.3"
# The libraries of this checkout are installed from it, not from an index.
OWN_PREFIX = "tracker-"


def write(*, upgrade: bool) -> None:
    """Write all lock files; the versions already locked stay unless they no longer fit or `upgrade` is asked for."""
    libraries = requirements(ROOT / "libs" / name for name in LIBRARIES)
    services = requirements(service_dir(name) for name in SERVICES)
    tools = (ROOT / "dev" / "requirements.in").read_text().splitlines()
    _compile([*tools, *libraries, *services], TREE, *(["--upgrade"] if upgrade else []))
    for name in SERVICES:
        wanted = [*requirements([service_dir(name)]), *libraries]
        _compile(wanted, service_dir(name) / "requirements.lock", "--constraint", str(TREE))
    _compile([CHECKOV], checkov.LOCK, *(["--upgrade"] if upgrade else []))
    download.write_lock()


def requirements(folders: Iterable[Path]) -> list[str]:
    """What the projects in these folders need from an index."""
    projects = (tomllib.loads((folder / "pyproject.toml").read_text())["project"] for folder in folders)
    found = (need for project in projects for need in project["dependencies"])
    return [need for need in found if not need.startswith(OWN_PREFIX)]


def _compile(wanted: list[str], target: Path, *options: str) -> None:
    command = [str(Path(sys.executable).with_name("uv")), "pip", "compile", "-", *OPTIONS, *options]
    result = subprocess.run(
        [*command, "--no-header", "--no-annotate", "--quiet", "-o", str(target)],
        input="\n".join(wanted),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode:
        raise Trouble(f"{target.relative_to(ROOT)} could not be written: {result.stderr.strip()}")
    if addresses := re.findall(r"https?://\S+", target.read_text()):
        raise Trouble(f"{target.relative_to(ROOT)} names a download address, {addresses[0]}: locks must not.")
