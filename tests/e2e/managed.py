"""What follows from commands beside the pages, wherever a system runs."""

from __future__ import annotations

from abc import ABC, abstractmethod

from dev.system import CommandFailed


class Managed(ABC):
    """`manage` runs a command of a service."""

    @abstractmethod
    def manage(self, service: str, *arguments: str) -> str:
        """What the command prints. Raises CommandFailed."""

    def close_cycle(self) -> None:
        self.manage("billing", "close_due_cycles", "--as-if-due")

    def ledger_is_complete(self) -> bool:
        try:
            self.manage("billing", "ledger_check", "--complete")
        except CommandFailed:
            return False
        return True
