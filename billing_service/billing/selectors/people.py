"""Names of the people behind ids."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from billing.domain import short_name
from chassis.replica.models import Account


def accounts_of(ids: Iterable[UUID]) -> dict[UUID, Account]:
    """The replicated accounts of these ids, as far as billing knows them; a stub for the others."""
    wanted = set(ids)
    known = Account.objects.in_bulk(wanted)
    return {id_: known.get(id_) or Account(id=id_) for id_ in wanted}


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
