"""checkov, in an environment of its own: it pins old versions of what the project itself uses in newer ones."""

import fcntl
import hashlib
import subprocess
import sys
from pathlib import Path

from dev.errors import Trouble
from dev.paths import ROOT, cache_dir

LOCK = ROOT / "dev" / "checkov.lock"


def python() -> Path:
    """The interpreter that has it, shared by all checkouts; made from the lock where there is none yet."""
    digest = hashlib.sha256(repr(sys.version_info[:2]).encode() + LOCK.read_bytes()).hexdigest()
    home = cache_dir() / f"checkov-{digest[:12]}"
    home.mkdir(parents=True, exist_ok=True)
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (home / "complete").exists():
            _make(home / "venv")
            (home / "complete").touch()
    return home / "venv" / "bin" / "python"


def _make(venv: Path) -> None:
    uv = Path(sys.executable).with_name("uv")
    commands: tuple[list[str | Path], ...] = (
        [uv, "venv", "--quiet", "--clear", "--python", sys.executable, venv],
        [uv, "pip", "install", "--quiet", "--python", venv / "bin" / "python", "--require-hashes", "-r", LOCK],
    )
    for command in commands:
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        if result.returncode:
            raise Trouble(f"checkov could not be installed from {LOCK.relative_to(ROOT)}: {result.stderr.strip()}")
