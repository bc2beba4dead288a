"""Who may see whose money."""

from typing import Any
from uuid import UUID

from chassis.permissions import may

OFFICE = ("admin", "finance")


def sees_everything(account: Any) -> bool:
    """Whether the account may look at all statements (B2, B3)."""
    return may(account, *OFFICE)


def sees_statement(account: Any, account_id: UUID) -> bool:
    """Everybody sees the own statement, admins and finance all of them."""
    return sees_everything(account) or (may(account) and account.id == account_id)


def closes_cycles(account: Any) -> bool:
    """Whether the account may close a due cycle (B4)."""
    return may(account, "finance")


def corrects(account: Any, *, whose: UUID | None = None) -> bool:
    """Whether the account may post corrections and returned payouts (B6); nobody for oneself."""
    return may(account, "finance") and account.id != whose
