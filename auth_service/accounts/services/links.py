"""One-time links: signing up, invitations, password resets and the operator's link all end in setting a password."""

import secrets
from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts.domain import (
    INVITATION,
    LINK_LIFETIMES,
    RESET,
    SIGN_UP,
    SYSTEM,
    WORKER,
    Refused,
    email_normalized,
    token_hash,
)
from accounts.models import Account, OneTimeLink, fields_of

from .accounts import account_create
from .changes import account_changed, account_confirmed, account_locked, account_noted, admin_only
from .locks import failures_forget
from .mail import mail_write


@transaction.atomic
def link_open(*, account_id: UUID, kind: str, now: datetime) -> str:
    """A new link's token. Only its hash is kept: the token is in the link alone."""
    token = secrets.token_urlsafe(32)
    OneTimeLink.objects.create(
        token_hash=token_hash(token),
        kind=kind,
        account_id=account_id,
        created_at=now,
        expires_at=now + LINK_LIFETIMES[kind],
    )
    return token


@transaction.atomic
def link_use(*, token: str, password: str, now: datetime) -> Account:
    """Sets the password; a first one confirms the address, another one ends all sessions. The link is used up.

    The account's other open links are used up too. Raises Refused: `link` (unknown, used or expired), `inactive`.
    """
    link = OneTimeLink.objects.filter(pk=token_hash(token)).first()
    if link is None:
        raise Refused("link")
    account = account_locked(link.account_id)
    link.refresh_from_db()  # after the lock: of two that use it at once, the second sees that it is used
    if not link.is_open(now):
        raise Refused("link")
    if not account.is_active:
        raise Refused("inactive")
    OneTimeLink.objects.filter(account_id=account.pk, used_at__isnull=True).update(used_at=now)
    failures_forget(account.email)  # who reads the mail of this address need not wait for a lock to end
    account.set_password(password)
    if not account.is_confirmed:
        return account_confirmed(account, action="confirmed", now=now)
    return _password_stored(account, now=now)


@transaction.atomic
def password_change(*, account_id: UUID, current: str, password: str, now: datetime) -> Account:
    """U1: a new password ends every session of the account, everywhere. Raises Refused("wrong_password")."""
    account = account_locked(account_id)
    if not account.check_password(current):
        raise Refused("wrong_password")
    account.set_password(password)
    return _password_stored(account, now=now)


@transaction.atomic
def invite(
    *, email: str, full_name: str, position: str = "", role: str, actor_id: str, base_url: str, now: datetime
) -> Account:
    """U2: an account that exists for auth only, and a mail with a link that makes it real within 72 hours.

    Raises Refused: `not_admin`, `email`, `role`, `taken`.
    """
    admin_only(actor_id)
    account = account_create(
        email=email,
        full_name=full_name,
        position=position,
        role=role,
        confirmed=False,
        actor_id=actor_id,
        now=now,
        action="invited",
    )
    _mail_link(account, INVITATION, base_url=base_url, now=now)
    return account


@transaction.atomic
def link_resend(*, account_id: UUID, actor_id: str, base_url: str, now: datetime) -> Account:
    """U2: another link to somebody whose address is not confirmed yet; an earlier one works until its own time is over.

    Raises Refused: `not_admin`, `confirmed`, `inactive`.
    """
    account = account_locked(account_id)
    admin_only(actor_id)
    if account.is_confirmed:
        raise Refused("confirmed")
    if not account.is_active:
        raise Refused("inactive")
    first = OneTimeLink.objects.filter(account_id=account_id).order_by("created_at").first()
    kind = SIGN_UP if first is not None and first.kind == SIGN_UP else INVITATION
    account_noted(account_id, action="link_sent", before={}, after={}, actor_id=actor_id, now=now)
    _mail_link(account, kind, base_url=base_url, now=now)
    return account


@transaction.atomic
def sign_up(*, email: str, full_name: str, base_url: str, now: datetime) -> None:
    """U1: a worker's account that its owner makes real by the link in a mail. It takes no role and no password.

    Who has an account already gets a link to a new password instead: the page never tells whether one exists.
    Raises Refused("email"). The door asks `domain.sign_up_allowed` first.
    """
    email = email_normalized(email)
    account = Account.objects.filter(email=email).first()
    if account is None:
        account = account_create(
            email=email, full_name=full_name, role=WORKER, confirmed=False, actor_id=SYSTEM, now=now, action="signed_up"
        )
    if account.is_active:
        _mail_link(account, RESET if account.is_confirmed else SIGN_UP, base_url=base_url, now=now)


@transaction.atomic
def password_reset_request(*, email: str, base_url: str, now: datetime) -> None:
    """U1: mails a link to whoever has an active account with this address, and says nothing about others."""
    account = Account.objects.filter(email=email.strip().lower(), is_active=True).first()
    if account is not None:
        _mail_link(account, RESET, base_url=base_url, now=now)


def _password_stored(account: Account, *, now: datetime) -> Account:
    return account_changed(
        account, fields_of(account), action="password_set", actor_id=str(account.pk), now=now, ends_sessions=True
    )


def _mail_link(account: Account, kind: str, *, base_url: str, now: datetime) -> None:
    token = link_open(account_id=account.pk, kind=kind, now=now)
    lifetime = LINK_LIFETIMES[kind]
    context = {"url": f"{base_url}/link?token={token}", "hours": int(lifetime.total_seconds() // 3600)}
    mail_write(account, template=kind, context=context, now=now, expires_at=now + lifetime)
