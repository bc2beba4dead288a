"""What goes wrong, said in the house style: 400 not understood, 405, 413 too large, 503 while the database is away."""

import sys
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.signals import got_request_exception
from django.db import InterfaceError, InternalError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import is_valid_path
from django.utils.translation import gettext as _

GetResponse = Callable[[HttpRequest], HttpResponseBase]
RETRY_AFTER_SECONDS = 5
DRAINED_BYTES = 64 * 1024 * 1024
_CHUNK_BYTES = 64 * 1024
THEMES = ("light", "dark")
# A primary that became a standby, and sessions ended in their transaction: Django calls them errors within Postgres.
_PASSING = ("25006", "25P03", "25P04")


class NotUnderstood(Exception):
    """An address that names a filter, an order or a page that there is none of: an error, not "everything"."""


def is_htmx(request: HttpRequest) -> bool:
    """Whether htmx asked, and wants a fragment instead of a page."""
    return request.headers.get("HX-Request") == "true"


class NotUnderstoodMiddleware:
    """Answers NotUnderstood with a page that says what was not understood.

    So it answers a zero byte in an address, which Postgres takes in no text: else it would be our fault (500).
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if "%00" in request.META.get("QUERY_STRING", ""):
            return _not_understood(request, _("This address has a zero byte in it."))
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Only NotUnderstood; all else is Django's."""
        if not isinstance(exception, NotUnderstood):
            return None
        return _not_understood(request, str(exception))


def _not_understood(request: HttpRequest, reason: str) -> HttpResponse:
    """Says why, with the way to the page without filters: of an export to its page, not to a download of everything."""
    page = _page_above(request.path) if request.path.endswith("/export") else request.path
    return render(request, "400.html", {"reason": reason, "plain_url": page}, status=400)


class TooLargeMiddleware:
    """Answers a body over DATA_UPLOAD_MAX_MEMORY_SIZE (413) before anybody parses it; Django's own words are none.

    The body is read to its end first: a browser whose sending is cut off shows no answer at all.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        length = int(request.META.get("CONTENT_LENGTH") or 0)
        if length <= settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            return self.get_response(request)
        for _chunk in range(min(length, DRAINED_BYTES) // _CHUNK_BYTES + 1):
            if not request.read(_CHUNK_BYTES):
                break
        template = "chassis/fragments/too_large.html" if is_htmx(request) else "413.html"
        return HttpResponse(render_to_string(template, {"page_theme": theme_of(request)}), status=413)


class MethodNotAllowedMiddleware:
    """Leads a browser that opens an address which only takes forms to the page of the thing (`/tasks/1/done` to
    `/tasks/1`), and says any other 405 in the house style. Machines get the bare answer."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if response.status_code != 405 or is_htmx(request) or "text/html" not in request.headers.get("Accept", ""):
            return response
        if request.method in ("GET", "HEAD"):
            return HttpResponseRedirect(_page_above(request.path))
        page = render(request, "405.html", status=405)
        page.headers["Allow"] = response.headers.get("Allow", "")
        return page


def _page_above(path: str) -> str:
    """The nearest address above that there is."""
    parts = path.strip("/").split("/")
    for length in range(len(parts) - 1, 0, -1):
        above = "/" + "/".join(parts[:length])
        for address in (above, f"{above}/"):
            if is_valid_path(address):
                return address
    return "/"


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """CSRF_FAILURE_VIEW: an old form, said so."""
    return render(request, "403_csrf.html", {"reason": reason}, status=403)


def _remember_database_error(*, request: HttpRequest | None = None, **_kwargs: Any) -> None:
    """Django turns exceptions of views and of middleware into a response; this is the one place that sees them all."""
    if request is not None and _passes(sys.exc_info()[1]):
        request.database_unavailable = True  # type: ignore[attr-defined]


def _passes(error: BaseException | None) -> bool:
    if isinstance(error, InternalError):
        return getattr(error.__cause__, "sqlstate", None) in _PASSING
    return isinstance(error, (OperationalError, InterfaceError))


got_request_exception.connect(_remember_database_error, dispatch_uid="chassis.errors")


class UnavailableMiddleware:
    """Says "try again" (503) instead of "our fault" (500) where the database was away, slow or locked.

    The page touches no database: no session, no user, no context processor.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if not getattr(request, "database_unavailable", False):
            return response
        return unavailable(request)


def theme_of(request: HttpRequest) -> str:
    """The theme chosen in this browser, empty where the system's preference decides."""
    chosen = request.COOKIES.get("theme", "")
    return chosen if chosen in THEMES else ""


def unavailable(request: HttpRequest) -> HttpResponse:
    """The 503 page, or its fragment for htmx."""
    template = "chassis/fragments/unavailable.html" if is_htmx(request) else "503.html"
    response = HttpResponse(render_to_string(template, {"page_theme": theme_of(request)}), status=503)
    response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    response.headers["Cache-Control"] = "no-store"
    return response
