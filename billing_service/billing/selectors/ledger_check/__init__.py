"""Proof that the ledger adds up (design "Ledger"): every check returns what it found wrong."""

from billing.selectors.ledger_check.checks import CHECKS
from billing.selectors.ledger_check.complete import complete_findings
from billing.selectors.ledger_check.finding import Finding

__all__ = ["CHECKS", "Finding", "complete_findings", "ledger_findings"]


def ledger_findings() -> list[Finding]:
    """Everything that is wrong in the ledger by itself; empty if all is right."""
    return [Finding(title, text) for title, check in CHECKS.items() for text in check()]
