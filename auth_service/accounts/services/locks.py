"""U2: sign-in locks, which django-axes keeps as failures of an address from a network address."""

from datetime import datetime
from uuid import UUID

from axes.models import AccessAttempt
from django.db import transaction

from accounts.domain import Refused
from accounts.models import Account
from accounts.selectors import account_locks

from .changes import account_locked, account_noted, admin_only


@transaction.atomic
def account_unlock(*, account_id: UUID, actor_id: str, now: datetime) -> Account:
    """Lifts every sign-in lock of the account, kept in its history. Raises Refused: `not_admin`, `not_locked`."""
    account = account_locked(account_id)
    admin_only(actor_id)
    locks = account_locks(account.email, now=now)
    if not locks:
        raise Refused("not_locked")
    failures_forget(account.email)
    before = {"locked_from": ", ".join(lock.address for lock in locks)}
    account_noted(account_id, action="unlocked", before=before, after={"locked_from": ""}, actor_id=actor_id, now=now)
    return account


def failures_forget(email: str) -> None:
    """No failure of the address counts any more, wherever it came from."""
    AccessAttempt.objects.filter(username=email).delete()
