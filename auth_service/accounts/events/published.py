"""Account -> event. `accounts-stream` carries the whole account, `accounts` what happened to its access."""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from accounts.models import Account
from eventbus import Event


def account_created(account: Account, *, time: datetime) -> Event:
    """The whole account, once its address is confirmed."""
    return _event("AccountCreated", account, time, **_whole(account))


def account_updated(account: Account, *, time: datetime) -> Event:
    """The whole account, after any change."""
    return _event("AccountUpdated", account, time, **_whole(account))


def account_role_changed(account: Account, *, previous_role: str, actor_id: str, time: datetime) -> Event:
    return _event(
        "AccountRoleChanged", account, time, **_access(account), previous_role=previous_role, actor_id=actor_id
    )


def account_deactivated(account: Account, *, actor_id: str, time: datetime) -> Event:
    return _event("AccountDeactivated", account, time, **_access(account), actor_id=actor_id)


def account_reactivated(account: Account, *, actor_id: str, time: datetime) -> Event:
    return _event("AccountReactivated", account, time, **_access(account), actor_id=actor_id)


def account_state(account: Account) -> Event:
    """The present state of an account, for `republish_state`."""
    return account_updated(account, time=account.updated_at)


def known_elsewhere() -> "QuerySet[Account]":
    """The accounts that other services have heard of."""
    return Account.objects.filter(email_confirmed_at__isnull=False)


def _event(name: str, account: Account, time: datetime, **data: Any) -> Event:
    key = str(account.id)
    return Event(name=name, version=1, key=key, time=time, data={"account_id": key, "version": account.version, **data})


def _access(account: Account) -> dict[str, Any]:
    return {"role": account.role, "active": account.is_active, "session_epoch": account.session_epoch}


def _whole(account: Account) -> dict[str, Any]:
    return {
        "email": account.email,
        "full_name": account.full_name,
        "position": account.position,
        **_access(account),
    }
