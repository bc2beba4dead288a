"""Names of the people behind ids."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from billing.domain import short_name
from billing.models import LedgerAccount
from chassis.replica.models import Account


def accounts_of(ids: Iterable[UUID]) -> dict[UUID, Account]:
    """The replicated accounts of these ids, as far as billing knows them; a stub for the others."""
    wanted = set(ids)
    known = Account.objects.in_bulk(wanted)
    return {id_: known.get(id_) or Account(id=id_) for id_ in wanted}


def takes_corrections(account_id: UUID) -> bool:
    """Whether the account is a worker's, or somebody's who has a ledger account, whatever the role (B2, B6)."""
    workers = Account.objects.filter(id=account_id, role="worker")
    return workers.exists() or LedgerAccount.objects.filter(id=account_id).exists()


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
