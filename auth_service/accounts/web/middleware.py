from collections.abc import Callable

from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponseBase

from .sessions import SID, session_is_over


class SessionEpochMiddleware:
    """Ends a session that is older than its account's session epoch; the other services do the same with theirs."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.user.is_authenticated and session_is_over(request):
            logout(request)
        elif request.user.is_authenticated:
            request.user.browser_sid = request.session[SID]  # type: ignore[union-attr]
        return self.get_response(request)
