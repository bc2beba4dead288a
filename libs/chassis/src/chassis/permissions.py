"""Who may open what: denied by default, said by each view, and asked of the database on every request."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar, cast
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import resolve_url
from django.utils.http import url_has_allowed_host_and_scheme

from chassis.errors import is_htmx

ROLES = ("admin", "manager", "finance", "worker")
GetResponse = Callable[[HttpRequest], HttpResponseBase]
View = TypeVar("View", bound=Callable[..., HttpResponseBase])


@dataclass(frozen=True, slots=True)
class Access:
    """Who may call a view: everybody (`public`), every account with a role, or those with one of `roles`."""

    roles: tuple[str, ...] = ROLES
    public: bool = False


def _mark(view: View, access: Access) -> View:
    # A wrapper, so that one view can be mounted twice with different rights.
    @functools.wraps(view)
    def marked(*args: Any, **kwargs: Any) -> HttpResponseBase:
        return view(*args, **kwargs)

    marked.access = access  # type: ignore[attr-defined]
    return cast("View", marked)


def requires(*roles: str) -> Callable[[View], View]:
    """Decorator: only accounts with one of these roles."""
    if not roles or set(roles) - set(ROLES):
        raise ValueError(f"roles are {', '.join(ROLES)}")
    return lambda view: _mark(view, Access(roles=roles))


def signed_in(view: View) -> View:
    """Decorator: every account that may sign in, whatever its role."""
    return _mark(view, Access())


def public(view: View) -> View:
    """Decorator: everybody, signed in or not."""
    return _mark(view, Access(public=True))


def may(account: Any, *roles: str) -> bool:
    """Whether the account is active and has one of the roles (any role if none is named)."""
    return bool(account.is_authenticated and account.is_active and account.role in (roles or ROLES))


def refuse(request: HttpRequest, *roles: str) -> NoReturn:
    """Ends the request with the 403 page that says which role may; for a right that depends on the row."""
    request.required_roles = roles  # type: ignore[attr-defined]
    raise PermissionDenied


def page_of(request: HttpRequest) -> str:
    """The page a person is on: of an htmx or POST request the one that it was sent from, `/` if that is not ours."""
    if is_htmx(request):
        address = request.headers.get("HX-Current-URL", "")
    elif request.method in ("GET", "HEAD"):
        return request.get_full_path()
    else:
        address = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(address, allowed_hosts={request.get_host()}):
        return "/"
    parts = urlsplit(address)
    path = parts.path or "/"
    return f"{path}?{parts.query}" if parts.query else path


def sign_in_response(request: HttpRequest) -> HttpResponse:
    """Sends the browser to sign in and back to its page; htmx moves the whole page, not a part of it."""
    address = f"{resolve_url(settings.LOGIN_URL)}?{urlencode({'next': page_of(request)})}"
    if not is_htmx(request):
        return HttpResponseRedirect(address)
    response = HttpResponse(status=204)
    response.headers["HX-Redirect"] = address
    return response


class PermissionMiddleware:
    """Refuses every view that does not say who may call it, and everybody whom it does not name."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], _args: Any, _kwargs: Any
    ) -> HttpResponse | None:
        """None lets the view run."""
        access: Access | None = getattr(view, "access", None)
        if access is None:
            refuse(request)
        if access.public:
            return None
        if not request.user.is_authenticated:
            return sign_in_response(request)
        if not may(request.user, *access.roles):
            refuse(request, *access.roles)
        return None
