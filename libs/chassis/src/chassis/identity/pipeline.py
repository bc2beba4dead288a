"""The fixed pipeline: the replicated account is found by `sub`, never by e-mail, and no token is kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID

from django.db import transaction
from social_core.exceptions import AuthPolicyError, AuthResponseError

from chassis.replica.models import Account
from chassis.replica.services import accounts_locked


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What a validated ID token says about the person who signed in."""

    account_id: UUID
    email: str
    full_name: str
    role: str
    access_version: int
    session_epoch: int
    sid: str

    @classmethod
    def of(cls, claims: Mapping[str, Any]) -> Self:
        """Raises ValueError for claims of another shape."""
        numbers = claims["access_version"], claims["session_epoch"]
        if not all(type(number) is int and number > 0 for number in numbers) or not claims["sid"] or not claims["role"]:
            raise ValueError("claims out of range")
        return cls(
            account_id=UUID(str(claims["sub"])),
            email=str(claims["email"]),
            full_name=str(claims["name"]),
            role=str(claims["role"]),
            access_version=numbers[0],
            session_epoch=numbers[1],
            sid=str(claims["sid"]),
        )


def account_upsert(*, backend: Any, response: Mapping[str, Any], **_: Any) -> dict[str, Any]:
    """Pipeline step: the account that may go on, or AuthPolicyError."""
    try:
        claims = Claims.of(response)
    except ValueError as error:
        raise AuthResponseError(backend, code="invalid_claim", stage="pipeline") from error
    account = account_signed_in(claims)
    if account is None:
        raise AuthPolicyError(backend, code="authentication_disallowed", stage="pipeline")
    return {"user": account}


@transaction.atomic
def account_signed_in(claims: Claims) -> Account | None:
    """Brings the replica up to the claims where they are newer; None if the account or this sign-in is out already.

    A claim older than an event that was applied since changes nothing: `access_version` guards role and standing.
    Name and address fill a stub only: the event that introduces the account brings them with their own version.
    """
    (account,) = accounts_locked([claims.account_id])
    if account.is_deleted:
        return None
    if account.is_stub:
        account.email, account.full_name = claims.email, claims.full_name
    if claims.access_version > account.access_version:
        account.role, account.is_active, account.access_version = claims.role, True, claims.access_version
    account.session_epoch = max(account.session_epoch, claims.session_epoch)
    account.save()
    if not account.is_active or claims.session_epoch < account.session_epoch:
        return None
    return account
