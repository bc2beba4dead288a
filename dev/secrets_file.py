"""Generated secrets of one installation: made once, kept in a file that only its owner can read."""

import fcntl
import json
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


def token() -> str:
    """A fresh secret that is safe in a URL."""
    return secrets.token_urlsafe(36)


class Secrets:
    """A JSON file of name -> secret, mode 0600."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def get(self, name: str, make: Callable[[], str] = token) -> str:
        """The secret of that name; made and written down at first use."""
        with self._locked():
            known = self._read()
            if name not in known:
                known[name] = make()
                self._write(known)
            return known[name]

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Servers start side by side: one of them at a time reads and adds."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.with_suffix(".lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _read(self) -> dict[str, str]:
        return dict(json.loads(self.path.read_text())) if self.path.exists() else {}

    def _write(self, values: dict[str, str]) -> None:
        fresh = self.path.with_suffix(".new")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(values, file, indent=2)
        fresh.replace(self.path)
