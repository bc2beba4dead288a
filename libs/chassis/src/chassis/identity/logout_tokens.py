"""Back-channel logout: what a logout token must be, and what it does (OpenID Connect Back-Channel Logout 1.0)."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self
from uuid import UUID

import jwt
from django.db import transaction
from social_core.exceptions import SocialAuthBaseException

from chassis.replica.services import session_epoch_raise

from .backend import AuthServiceBackend
from .models import LogoutNotice

EVENT = "http://schemas.openid.net/event/backchannel-logout"
TYPE = "logout+jwt"
KEPT = timedelta(days=31)  # longer than any session and any token live
REFRESH_SECONDS = 10.0  # a stranger's tokens with invented key ids must not make us ask auth for its keys each time

_refreshed: dict[str, float] = {}


class InvalidLogoutToken(Exception):
    """The token was not made by auth for this service, has expired, or was seen before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogoutToken:
    """A verified token: everything of the account below `session_epoch` is over, and so is the browser `sid`."""

    jti: str
    sid: str
    account_id: UUID
    session_epoch: int

    @classmethod
    def of(cls, claims: Mapping[str, Any]) -> Self:
        """Raises ValueError for claims that are no log-out."""
        epoch = claims.get("session_epoch")
        if type(epoch) is not int or epoch < 1 or "nonce" in claims:
            raise ValueError("not a logout token")
        if not isinstance(claims["events"], dict) or EVENT not in claims["events"]:
            raise ValueError("not a logout token")
        return cls(
            jti=str(claims["jti"])[:64],
            sid=str(claims.get("sid", "")),
            account_id=UUID(str(claims["sub"])),
            session_epoch=epoch,
        )


def verified(backend: AuthServiceBackend, token: str) -> LogoutToken:
    """Checks signature, type, issuer, audience and times.

    Raises InvalidLogoutToken, and AuthProviderError if auth does not tell its keys.
    """
    client_id, _ = backend.get_key_and_secret()
    try:
        header = jwt.get_unverified_header(token)
        if str(header.get("typ", "")).lower() != TYPE:
            raise InvalidLogoutToken("typ")
        claims = jwt.decode(
            token,
            jwt.PyJWK(_signing_key(backend, header.get("kid")), algorithm="RS256"),
            algorithms=["RS256"],
            audience=client_id,
            issuer=backend.id_token_issuer(),
            leeway=5,
            options={"require": ["iss", "sub", "aud", "iat", "exp", "jti", "events"]},
        )
        return LogoutToken.of(claims)
    except SocialAuthBaseException:
        raise  # a ValueError too, but it says that auth could not be asked for its keys
    except (jwt.PyJWTError, ValueError) as error:
        raise InvalidLogoutToken(type(error).__name__) from error


def _signing_key(backend: AuthServiceBackend, kid: Any) -> dict[str, Any]:
    key = _published(backend, kid)
    if key is None and _may_refresh(backend.jwks_uri()):
        backend.get_jwks_keys_for_uri.invalidate(backend, backend.jwks_uri())
        key = _published(backend, kid)
    if key is None:
        raise InvalidLogoutToken("kid")
    return key


def _published(backend: AuthServiceBackend, kid: Any) -> dict[str, Any] | None:
    return next((dict(key) for key in backend.get_jwks_keys() if kid and key.get("kid") == kid), None)


def _may_refresh(uri: str) -> bool:
    now = time.monotonic()
    if now - _refreshed.get(uri, -REFRESH_SECONDS) < REFRESH_SECONDS:
        return False
    _refreshed[uri] = now
    return True


@transaction.atomic
def logout_apply(token: LogoutToken, *, now: datetime) -> None:
    """Raises the account's floor and ends the browser's sessions; an account not seen yet gets a stub that keeps it.

    Raises InvalidLogoutToken if this `jti` was applied before.
    """
    LogoutNotice.objects.filter(received_at__lt=now - KEPT).delete()
    _, first = LogoutNotice.objects.get_or_create(
        jti=token.jti,
        defaults={
            "sid": token.sid,
            "account_id": token.account_id,
            "session_epoch": token.session_epoch,
            "received_at": now,
        },
    )
    if not first:
        raise InvalidLogoutToken("jti")
    session_epoch_raise(account_id=token.account_id, session_epoch=token.session_epoch)
