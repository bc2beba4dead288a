"""Reads of accounts."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from .models import Account, AccountChange, BrowserSession, OneTimeLink, RelyingParty

STATUSES = {
    "active": Q(is_active=True, email_confirmed_at__isnull=False),
    "invited": Q(is_active=True, email_confirmed_at__isnull=True),
    "deactivated": Q(is_active=False),
}


def accounts_search(*, text: str = "", role: str = "", status: str = "") -> QuerySet[Account]:
    """Accounts that have every word of `text` in name, address or position. Empty arguments choose all."""
    accounts = Account.objects.all()
    for word in text.split():
        accounts = accounts.filter(
            Q(full_name__icontains=word) | Q(email__icontains=word) | Q(position__icontains=word)
        )
    if role:
        accounts = accounts.filter(role=role)
    return accounts.filter(STATUSES[status]) if status else accounts


def account_history(account_id: UUID) -> QuerySet[AccountChange]:
    """What was changed of an account, newest first."""
    return AccountChange.objects.filter(account_id=account_id).order_by("-id")


def account_names(ids: Iterable[str]) -> dict[str, str]:
    """Names by id, for history; `system` is nobody's."""
    wanted = {UUID(text) for text in ids if len(text) == len(str(UUID(int=0)))}
    return {str(account.pk): account.name for account in Account.objects.filter(pk__in=wanted)}


def browser_open(sid: str) -> BrowserSession | None:
    """The signed-in browser with this `sid`, unless it is signed out."""
    return BrowserSession.objects.filter(pk=sid, ended_at__isnull=True).first()


def relying_party(client_id: str) -> RelyingParty | None:
    """The own service behind an OAuth client."""
    return RelyingParty.objects.filter(client_id=client_id).first()


def link_account(token_hash: str, *, now: datetime) -> Account | None:
    """Whose password an open link sets; nobody's if it is unknown, used or expired."""
    link = OneTimeLink.objects.filter(pk=token_hash).first()
    if link is None or not link.is_open(now):
        return None
    return Account.objects.filter(pk=link.account_id, is_active=True).first()
