"""Keeps published schema files as they are: `frozen.sha256` holds the checksum of each.

`python schemas/frozen.py` adds the files that are new; it never replaces a line. A published version that has to change
becomes a new version instead (docs/adding-an-event.md).
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

from schema_files import ROOT

LIST_NAME = "frozen.sha256"


def problems(root: Path = ROOT) -> list[str]:
    """What differs between the list and the files, one sentence each."""
    listed, found = _listed(root), _found(root)
    changed = sorted(name for name in listed.keys() & found.keys() if listed[name] != found[name])
    return [
        *(f"{name} was changed after it was published: add a version instead" for name in changed),
        *(f"{name} was published and is gone" for name in sorted(listed.keys() - found.keys())),
        *(f"{name} is not frozen yet: run python schemas/frozen.py" for name in sorted(found.keys() - listed.keys())),
    ]


def freeze(root: Path = ROOT) -> list[str]:
    """Adds the new files to the list and returns their names; lines that are there stay."""
    listed, found = _listed(root), _found(root)
    added = sorted(found.keys() - listed.keys())
    lines = listed | {name: found[name] for name in added}
    text = "".join(f"{checksum}  {name}\n" for name, checksum in sorted(lines.items()))
    (root / LIST_NAME).write_text(text, encoding="ascii")
    return added


def _found(root: Path) -> dict[str, str]:
    files = [*root.glob("*/*/*.avsc"), *root.glob("*/*/*.example.json")]
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def _listed(root: Path) -> dict[str, str]:
    path = root / LIST_NAME
    if not path.exists():
        return {}
    lines = path.read_text(encoding="ascii").splitlines()
    return {name: checksum for checksum, name in (line.split("  ", 1) for line in lines)}


if __name__ == "__main__":
    for name in freeze():
        sys.stdout.write(f"frozen: {name}\n")
