"""The table of the product's processes."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template

from dev.paths import ROOT, service_dir

PROCFILE = ROOT / "dev" / "Procfile"


@dataclass(frozen=True, slots=True)
class Entry:
    """One process: `name` starts with its service."""

    name: str
    command: str

    @property
    def service(self) -> str:
        """Whose folder and environment it runs with."""
        return self.name.split("-")[0]

    @property
    def directory(self) -> Path:
        """Where it runs."""
        return service_dir(self.service)

    def words(self, environment: Mapping[str, str]) -> list[str]:
        """The command line, with the environment's values filled in."""
        return shlex.split(Template(self.command).substitute(environment))


def entries(text: str | None = None) -> list[Entry]:
    """All processes, in the order of the file."""
    lines = (text if text is not None else PROCFILE.read_text()).splitlines()
    pairs = (line.split(":", 1) for line in lines if line.strip() and not line.startswith("#"))
    return [Entry(name.strip(), command.strip()) for name, command in pairs]
