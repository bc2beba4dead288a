"""What every change of an account has in common: the lock, the version, history, events and the end of sessions."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from accounts.domain import SYSTEM, Refused
from accounts.events import published
from accounts.models import Account, AccountChange, fields_of
from eventbus import Event, publish_many

from .sessions import access_end

Facts = Callable[[], Sequence[Event]]


def admin_only(actor_id: str) -> None:
    """Raises Refused("not_admin") unless the actor is an active admin, or the system, at this moment."""
    if actor_id != SYSTEM and not Account.objects.admins().filter(pk=actor_id).exists():
        raise Refused("not_admin")


def account_locked(account_id: UUID) -> Account:
    """The account, locked until the transaction ends: the outbox rows that follow are in its order."""
    return Account.objects.select_for_update().get(pk=account_id)


def account_added(account: Account, *, action: str, actor_id: str, now: datetime) -> Account:
    """Inserts an account; raises Refused("taken") if the address has one already."""
    account.created_at = account.updated_at = now
    try:
        with transaction.atomic():
            account.save(force_insert=True)
    except IntegrityError as error:
        raise Refused("taken") from error
    _keep(account, {}, action=action, actor_id=actor_id, now=now)
    if account.is_confirmed:
        publish_many([published.account_created(account, time=now)])
    return account


def account_changed(
    account: Account,
    before: dict[str, Any],
    *,
    action: str,
    actor_id: str,
    now: datetime,
    facts: Facts = tuple,
    ends_sessions: bool = False,
) -> Account:
    """Stores a changed account, locked before, with its history and its events.

    `facts` builds the events of `accounts` after the version has risen. `ends_sessions` raises the session epoch,
    deletes tokens and sessions and tells the services.
    """
    account.version += 1
    if ends_sessions:
        account.session_epoch += 1
    account.updated_at = now
    account.save()
    _keep(account, before, action=action, actor_id=actor_id, now=now)
    if account.is_confirmed:
        publish_many([published.account_updated(account, time=now), *facts()])
    if ends_sessions:
        access_end(account, now=now)
    return account


def account_confirmed(account: Account, *, action: str, now: datetime) -> Account:
    """The account appears for the other services: its address is confirmed (U1)."""
    account.email_confirmed_at = account.updated_at = now
    account.version += 1
    account.save()
    _keep(account, fields_of(account), action=action, actor_id=str(account.id), now=now)
    publish_many([published.account_created(account, time=now)])
    return account


def account_noted(
    account_id: UUID, *, action: str, before: dict[str, Any], after: dict[str, Any], actor_id: str, now: datetime
) -> None:
    """Keeps what happened around an account that leaves its own fields and its version as they are."""
    AccountChange.objects.create(
        account_id=account_id, actor_id=actor_id, action=action, before=before, after=after, at=now
    )


def _keep(account: Account, before: dict[str, Any], *, action: str, actor_id: str, now: datetime) -> None:
    after = fields_of(account)
    changed = [name for name in after if before.get(name) != after[name]]
    AccountChange.objects.create(
        account_id=account.id,
        actor_id=actor_id,
        action=action,
        before={name: before[name] for name in changed if name in before},
        after={name: after[name] for name in changed},
        at=now,
    )
