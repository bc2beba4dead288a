"""What a session of this service remembers about the sign-in at auth, and when it is over."""

from django.http import HttpRequest

from .models import LogoutNotice

EPOCH = "identity_epoch"
SID = "identity_sid"


def session_is_over(request: HttpRequest) -> bool:
    """Whether the account's floor, its standing or a log-out of its browser has ended the request's session."""
    account = request.user
    epoch, sid = request.session.get(EPOCH), request.session.get(SID)
    if not isinstance(epoch, int) or not sid:
        return True
    if not account.is_active or not account.role or epoch < account.session_epoch:
        return True
    return LogoutNotice.objects.filter(sid=sid).exists()
