"""What each request is asked about its session."""

from collections.abc import Callable

from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponseBase

from .sessions import CHANGED, access_has_changed, session_is_over

GetResponse = Callable[[HttpRequest], HttpResponseBase]


class SessionEpochMiddleware:
    """Ends a session whose epoch is below the account's floor, whose browser signed out, or whose account lost access.

    Asked on every request, so that a sign-in that raced a log-out keeps nothing. The browser remembers whose access
    was changed, so that it can tell who signs in again.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.user.is_authenticated and session_is_over(request):
            changed = str(request.user.pk) if access_has_changed(request) else ""
            logout(request)
            if changed:
                request.session[CHANGED] = changed
        return self.get_response(request)
