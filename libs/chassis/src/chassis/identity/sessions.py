"""What a session of this service remembers about the sign-in at auth, and when it is over."""

from typing import Any

from django.core import signing
from django.http import HttpRequest

from .models import LogoutNotice

EPOCH = "identity_epoch"
SID = "identity_sid"
CHANGED = "identity_access_changed"
HINT = "hint"
_SIGNED_FOR = "chassis.identity.sign_out"


def session_is_over(request: HttpRequest) -> bool:
    """Whether the account's floor, its standing or a log-out of its browser has ended the request's session."""
    account = request.user
    epoch, sid = request.session.get(EPOCH), request.session.get(SID)
    if not isinstance(epoch, int) or not sid:
        return True
    if not account.is_active or not account.role or epoch < account.session_epoch:
        return True
    return LogoutNotice.objects.filter(sid=sid).exists()


def access_has_changed(request: HttpRequest) -> bool:
    """True where only the session epoch has risen, False where access was lost or the browser signed out."""
    account = request.user
    return bool(account.is_active and account.role and request.session.get(EPOCH, 0) < account.session_epoch)


def sign_out_hint(request: HttpRequest) -> dict[str, Any]:
    """Context processor: the signed `sid` for the sign-out form, which may be sent again when the session is gone."""
    return {"page_sign_out_hint": lambda: signing.dumps(request.session.get(SID, ""), salt=_SIGNED_FOR)}


def sid_to_end(request: HttpRequest) -> str:
    """The browser's `sid` at auth: the session's, or the one that its form was made with; empty where nobody knows."""
    try:
        made_with = signing.loads(request.POST.get(HINT, ""), salt=_SIGNED_FOR)
    except signing.BadSignature:
        made_with = ""
    return str(request.session.get(SID) or made_with)
