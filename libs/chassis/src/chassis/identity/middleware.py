"""What each request is asked about its session, and how an htmx request without one is answered."""

from collections.abc import Callable
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url
from django.utils.http import url_has_allowed_host_and_scheme

from .sessions import session_is_over

GetResponse = Callable[[HttpRequest], HttpResponse]


class SessionEpochMiddleware:
    """Ends a session whose epoch is below the account's floor, whose browser signed out, or whose account lost access.

    Asked on every request, so that a sign-in that raced a log-out keeps nothing.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated and session_is_over(request):
            logout(request)
        return self.get_response(request)


class HtmxLoginMiddleware:
    """Turns a redirect to the sign-in page into one of the whole page, not of the fragment that htmx asked for."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        login_url = resolve_url(settings.LOGIN_URL)
        if (
            request.headers.get("HX-Request") != "true"
            or response.status_code != 302
            or urlsplit(response["Location"]).path != login_url
        ):
            return response
        answer = HttpResponse(status=204)
        answer["HX-Redirect"] = f"{login_url}?{urlencode({'next': page_of(request)})}"
        return answer


def page_of(request: HttpRequest) -> str:
    """Path and query of the page from which htmx sent the request; `/` if it is not one of ours."""
    current = request.headers.get("HX-Current-URL", "")
    if not url_has_allowed_host_and_scheme(current, allowed_hosts={request.get_host()}):
        return "/"
    parts = urlsplit(current)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path or "/"
