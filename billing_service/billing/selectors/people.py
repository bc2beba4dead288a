"""Names of the people behind ids."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from billing.domain import short_name
from billing.models import LedgerAccount
from chassis.replica.models import Account


def accounts_of(ids: Iterable[UUID]) -> dict[UUID, Account]:
    """The replicated accounts of these ids, as far as billing knows them; a stub for the others."""
    wanted = set(ids)
    known = Account.objects.in_bulk(wanted)
    return {id_: known.get(id_) or Account(id=id_) for id_ in wanted}


def correctable(accounts: QuerySet[Account], *, by: UUID) -> QuerySet[Account]:
    """Those of the accounts that `by` can correct: workers, and whoever has a ledger account, whatever the role
    (B2, B6); never oneself."""
    in_the_ledger = Exists(LedgerAccount.objects.filter(id=OuterRef("id")))
    return accounts.exclude(id=by).filter(Q(role="worker") | in_the_ledger)


def takes_corrections(account_id: UUID, *, by: UUID) -> bool:
    """Whether `by` can correct the account; it may be one of which nothing but the ledger knows."""
    known = correctable(Account.objects.filter(id=account_id), by=by)
    return known.exists() or (account_id != by and LedgerAccount.objects.filter(id=account_id).exists())


def actor_names(actors: Iterable[str]) -> dict[str, str]:
    """Short names of those who did something; nobody's name for `system`."""
    ids = {actor: UUID(actor) for actor in set(actors) if _is_uuid(actor)}
    accounts = accounts_of(ids.values())
    return {actor: short_name(accounts[id_].name) for actor, id_ in ids.items()}


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
