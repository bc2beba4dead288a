"""The browser's session at auth: where it begins, and where it ends for all services."""

from typing import Any

from django.contrib.auth import login, logout, update_session_auth_hash
from django.http import HttpRequest
from django.utils import timezone

from accounts import services
from accounts.domain import NOT_REMEMBERED, REMEMBERED, Refused
from accounts.models import Account

SID, EPOCH = "sid", "epoch"


def session_begin(request: HttpRequest, account: Account, *, remember: bool) -> None:
    """Signs the browser in. Raises Refused("inactive") if the account lost access meanwhile."""
    login(request, account, backend="accounts.web.backends.AccountBackend")
    request.session.set_expiry(REMEMBERED if remember else NOT_REMEMBERED)
    request.session.save()
    try:
        _bind(request, account)
    except Refused:
        logout(request)
        raise


def session_renew(request: HttpRequest, account: Account) -> None:
    """Goes on after the own password changed: another session, signed in for as long as the old one would have been.

    The form's CSRF token stays good, so that the same form sent again finds what its first sending did.
    """
    update_session_auth_hash(request, account)
    _bind(request, account)


def _bind(request: HttpRequest, account: Account) -> None:
    browser = services.session_start(
        account_id=account.pk, session_key=request.session.session_key or "", now=timezone.now()
    )
    request.session[SID], request.session[EPOCH] = browser.sid, browser.session_epoch


def session_end(request: HttpRequest) -> None:
    """Signs the browser out of every service."""
    sid = request.session.get(SID)
    logout(request)
    if sid:
        services.session_end(sid=sid, now=timezone.now())


def session_is_over(request: HttpRequest) -> bool:
    """Whether the account lost access or its session epoch has risen since this browser signed in."""
    account: Any = request.user
    epoch = request.session.get(EPOCH)
    return not account.is_active or not isinstance(epoch, int) or epoch < account.session_epoch
