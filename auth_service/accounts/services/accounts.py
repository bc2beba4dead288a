"""U2: making, editing, promoting, deactivating and reactivating accounts."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from uuid import UUID

from django.db import transaction

from accounts.domain import ADMIN, ROLES, SYSTEM, WORKER, Refused, Standing, email_normalized, standing_changed
from accounts.events import published
from accounts.models import Account, fields_of
from eventbus import Event

from .changes import account_added, account_changed, account_locked, admin_only


@transaction.atomic
def account_create(
    *,
    email: str,
    full_name: str,
    position: str = "",
    role: str = WORKER,
    password: str | None = None,
    confirmed: bool = True,
    actor_id: str = SYSTEM,
    now: datetime,
    action: str = "created",
) -> Account:
    """Makes an account; without a password nobody can sign in to it yet.

    An unconfirmed one exists for auth only. Raises Refused: `email`, `role`, `taken`.
    """
    if role not in ROLES:
        raise Refused("role")
    account = Account(
        email=email_normalized(email),
        full_name=full_name.strip(),
        position=position.strip(),
        role=role,
        email_confirmed_at=now if confirmed else None,
    )
    account.set_password(password)
    return account_added(account, action=action, actor_id=actor_id, now=now)


@transaction.atomic
def account_update(
    *, account_id: UUID, full_name: str, position: str | None = None, actor_id: str, now: datetime
) -> Account:
    """Changes the name, and the position if one is given. A form that changes nothing leaves no trace.

    One's own, or by an admin: raises Refused("not_admin").
    """
    account = account_locked(account_id)
    if actor_id != str(account_id):
        admin_only(actor_id)
    before = fields_of(account)
    account.full_name = full_name.strip()
    if position is not None:
        account.position = position.strip()
    if fields_of(account) == before:
        return account
    return account_changed(account, before, action="updated", actor_id=actor_id, now=now)


@transaction.atomic
def account_role_change(*, account_id: UUID, role: str, actor_id: str, now: datetime) -> Account:
    """Gives the account another role; it takes effect everywhere within seconds (U5).

    Raises Refused: `not_admin` (the actor), `role`, `unchanged`, `last_admin`.
    """
    account = _locked_for_standing(account_id, actor_id=actor_id)
    return _stand(account, Standing(role=role, is_active=account.is_active), "role_changed", actor_id, now)


@transaction.atomic
def account_deactivate(*, account_id: UUID, actor_id: str, now: datetime) -> Account:
    """Takes all access away within seconds (U5). Raises Refused: `not_admin`, `unchanged`, `last_admin`."""
    account = _locked_for_standing(account_id, actor_id=actor_id)
    return _stand(account, Standing(role=account.role, is_active=False), "deactivated", actor_id, now)


@transaction.atomic
def account_reactivate(*, account_id: UUID, actor_id: str, now: datetime) -> Account:
    """Lets the account sign in again, with the role it had. Raises Refused: `not_admin`, `unchanged`."""
    account = _locked_for_standing(account_id, actor_id=actor_id)
    return _stand(account, Standing(role=account.role, is_active=True), "reactivated", actor_id, now)


@transaction.atomic
def admin_restore(*, email: str, now: datetime) -> Account:
    """The first admin, or one whom nobody can make an admin any more (U2); the operator vouches for the address.

    Raises Refused("email").
    """
    email = email_normalized(email)
    known = Account.objects.filter(email=email).first()
    if known is None:
        return account_create(email=email, full_name="", role=ADMIN, now=now, action="restored")
    account = _locked_for_standing(known.pk, actor_id=SYSTEM)
    if not account.is_confirmed:
        account.email_confirmed_at = now
    wanted = Standing(role=ADMIN, is_active=True)
    if account.standing == wanted:
        return account_changed(
            account, fields_of(account), action="restored", actor_id=SYSTEM, now=now, ends_sessions=True
        )
    return _stand(account, wanted, "restored", SYSTEM, now)


def _locked_for_standing(account_id: UUID, *, actor_id: str) -> Account:
    """All active admins locked in the order of their ids, then the account; the actor is an admin still.

    Whoever changes a standing comes through here, so that two admins cannot take each other's last right away.
    """
    list(Account.objects.admins().select_for_update().order_by("id").values_list("id", flat=True))
    account = account_locked(account_id)
    admin_only(actor_id)
    return account


def _stand(account: Account, after: Standing, action: str, actor_id: str, now: datetime) -> Account:
    before, fields = account.standing, fields_of(account)
    # A statement of its own, after the locks: the one that took them read the rows from before its wait.
    standing_changed(before, after, other_admins=Account.objects.admins().exclude(pk=account.pk).count())
    account.role, account.is_active = after.role, after.is_active
    facts = partial(_facts, account, before, actor_id, now)
    return account_changed(account, fields, action=action, actor_id=actor_id, now=now, facts=facts, ends_sessions=True)


def _facts(account: Account, before: Standing, actor_id: str, now: datetime) -> Sequence[Event]:
    events = []
    if before.role != account.role:
        events.append(published.account_role_changed(account, previous_role=before.role, actor_id=actor_id, time=now))
    if before.is_active and not account.is_active:
        events.append(published.account_deactivated(account, actor_id=actor_id, time=now))
    if account.is_active and not before.is_active:
        events.append(published.account_reactivated(account, actor_id=actor_id, time=now))
    return events
