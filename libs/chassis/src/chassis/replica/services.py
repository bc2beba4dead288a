"""Keeping the replica: events and log-outs in any order, any number of times, with the same result."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models.functions import Greatest

from chassis.replica.models import Account

STATE_EVENTS = frozenset({"AccountCreated", "AccountUpdated"})
ACCESS_EVENTS = frozenset({"AccountRoleChanged", "AccountDeactivated", "AccountReactivated"})
DELETED = "AccountDeleted"
_CHANGING = [field.name for field in Account._meta.concrete_fields if not field.primary_key]


class EventLike(Protocol):
    """What is read of an event."""

    @property
    def name(self) -> str: ...
    @property
    def data(self) -> Mapping[str, Any]: ...


@transaction.atomic
def accounts_apply(events: Sequence[EventLike]) -> None:
    """Applies account events of both topics, in sets.

    Each group of fields is applied if its version is higher than its own; an unknown account gets a row, a deleted
    one stays deleted. Rows are locked in id order. Raises ValueError for an event that is not one of these.
    """
    by_account: dict[UUID, list[EventLike]] = {}
    for event in events:
        by_account.setdefault(UUID(event.data["account_id"]), []).append(event)
    accounts = accounts_locked(by_account)
    for account in accounts:
        for event in by_account[account.id]:
            _apply(account, event)
    Account.objects.bulk_create(accounts, update_conflicts=True, unique_fields=["id"], update_fields=_CHANGING)


def accounts_locked(ids: Iterable[UUID]) -> list[Account]:
    """The rows of these accounts, locked in id order; stubs are made for those not seen yet. In a transaction only."""
    wanted = sorted(set(ids))
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO replica_account (id, email, full_name, position, role, is_active, session_epoch,"
            " state_version, access_version, is_deleted)"
            " SELECT id, '', '', '', '', true, 0, 0, 0, false FROM unnest(%s::uuid[]) AS id ORDER BY id"
            " ON CONFLICT (id) DO NOTHING",
            [wanted],
        )
    return list(Account.objects.filter(id__in=wanted).order_by("id").select_for_update())


def name_of(account_id: str) -> str:
    """What pages call somebody who is known by id; the text itself where that is no id."""
    try:
        return Account.objects.get(id=account_id).name
    except (Account.DoesNotExist, ValidationError):
        return account_id


@transaction.atomic
def session_epoch_raise(*, account_id: UUID, session_epoch: int) -> None:
    """Raises the lowest session epoch accepted for the account, also for one not seen yet; it never falls."""
    accounts_locked([account_id])
    Account.objects.filter(id=account_id).update(session_epoch=Greatest("session_epoch", session_epoch))


def _apply(account: Account, event: EventLike) -> None:
    data = event.data
    version: int = data["version"]
    if event.name == DELETED:
        _delete(account, version)
        return
    if event.name not in STATE_EVENTS | ACCESS_EVENTS:
        raise ValueError(f"{event.name} is not an event of an account")
    account.session_epoch = max(account.session_epoch, data["session_epoch"])
    if account.is_deleted:
        return
    if event.name in STATE_EVENTS and version > account.state_version:
        account.email, account.full_name = data["email"], data["full_name"]
        account.position = data["position"]
        account.state_version = version
    if version > account.access_version:
        account.role, account.is_active = data["role"], data["active"]
        account.access_version = version


def _delete(account: Account, version: int) -> None:
    """The last record of an account: the id stays, all else is blank."""
    account.is_deleted = True
    account.email = account.full_name = account.position = account.role = ""
    account.is_active = False
    account.state_version = max(account.state_version, version)
    account.access_version = max(account.access_version, version)
