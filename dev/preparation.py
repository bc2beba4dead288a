"""What has to be there before the processes start: tables, schemas, OAuth clients. Done work is not redone."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from dev.paths import ROOT, service_dir

if TYPE_CHECKING:
    from dev.system import System


class Preparation:
    """Runs the steps of a deployment; a step whose inputs are those of the last start is left out."""

    def __init__(self, system: System) -> None:
        self._system = system
        self._stamps_file = system.state_dir / "prepared.json"
        self._stamps: dict[str, str] = json.loads(self._stamps_file.read_text()) if self._stamps_file.exists() else {}
        self._lock = threading.Lock()

    def run(self) -> None:
        """All steps of all services."""
        together = self._system.each_service
        together(self._migrate)
        together(self._register)
        if "auth" in self._system.services:
            self._provision()

    def _migrate(self, service: str) -> None:
        manage = self._system.manage
        tables = digest(ROOT.glob("libs/*/src/**/migrations/*.py"), service_dir(service).glob("*/migrations/*.py"))
        self._once(f"{service} migrate", tables, lambda: manage(service, "migrate", "--no-input", owner=True))

    def _register(self, service: str) -> None:
        contract = digest((ROOT / "schemas").rglob("*.avsc"), (ROOT / "libs/eventbus/src").rglob("*.py"))
        self._once(f"{service} register_schemas", contract, lambda: self._system.manage(service, "register_schemas"))

    def _provision(self) -> None:
        clients = hashlib.sha256(self._system.environment("auth")["OIDC_CLIENTS"].encode()).hexdigest()
        self._once("auth provision_clients", clients, lambda: self._system.manage("auth", "provision_clients"))

    def _once(self, step: str, inputs: str, action: Callable[[], object]) -> None:
        if self._stamps.get(step) == inputs:
            return
        action()
        with self._lock:
            self._stamps[step] = inputs
            self._stamps_file.write_text(json.dumps(self._stamps, indent=2))


def digest(*groups: Iterable[Path]) -> str:
    """A digest of files: their places and contents, and of the lock of all packages."""
    found = hashlib.sha256()
    for path in [ROOT / "dev" / "requirements.lock", *sorted(path for group in groups for path in group)]:
        found.update(str(path.relative_to(ROOT)).encode())
        found.update(path.read_bytes())
    return found.hexdigest()
