"""Accounts as the replica would hold them, and account events as auth would send them."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from chassis.replica.models import Account
from eventbus import Event

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)


def person(role: str = "worker", name: str = "", *, active: bool = True, **fields: Any) -> Account:
    name = name or f"{role.title()} {Account.objects.count() + 1}"
    return Account.objects.create(
        **{
            "id": uuid4(),
            "email": f"{name.lower().replace(' ', '.')}@popug.example",
            "full_name": name,
            "role": role,
            "is_active": active,
            "state_version": 1,
            "access_version": 1,
            "session_epoch": 1,
            **fields,
        }
    )


def account_event(name: str, account: Account, *, version: int, time: datetime = NOW, **changes: Any) -> Event:
    """An event of auth about the account as it is in the replica, but for `changes`."""
    account_id = str(account.pk)
    data: dict[str, Any] = {"account_id": account_id, "version": version}
    if name != "AccountDeleted":
        data |= {"role": account.role, "active": account.is_active, "session_epoch": version}
    if name in {"AccountCreated", "AccountUpdated"}:
        data |= {"email": account.email, "full_name": account.full_name, "position": account.position}
    elif name != "AccountDeleted":
        data |= {"actor_id": str(uuid4())}
    if name == "AccountRoleChanged":
        data |= {"previous_role": account.role}
    return Event(name=name, version=1, key=account_id, time=time, data=data | changes)


def deactivated(account: Account, *, version: int = 2, time: datetime = NOW) -> Event:
    return account_event("AccountDeactivated", account, version=version, time=time, active=False)


def reactivated(account: Account, *, version: int = 3, time: datetime = NOW) -> Event:
    return account_event("AccountReactivated", account, version=version, time=time, active=True)
