"""What the base page shows: who I am, where I may go, what this service is called."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest
from django.shortcuts import resolve_url
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from chassis.errors import is_htmx, theme_of
from chassis.permissions import may, page_of


@dataclass(frozen=True, slots=True)
class Link:
    """One entry of the navigation or of the app switcher. `active` is where one is, `exact` on that very page."""

    label: str
    url: str
    active: bool
    hint: str = ""
    exact: bool = True


def navigation(request: HttpRequest) -> list[Link]:
    """The pages of this service that one's role may open; nothing for who is not signed in.

    Of the pages below one of them, that one is active: a task's is among the tasks.
    """
    match = getattr(request, "resolver_match", None)
    here = match.view_name if match else ""
    pages = [(label, reverse(name), name) for label, name, roles in settings.NAVIGATION if may(request.user, *roles)]
    above = [url for _, url, _ in pages if match and f"{request.path}/".startswith(f"{url.rstrip('/')}/")]
    active = max(above, key=len, default="")
    return [Link(label, url, url == active, exact=here == name) for label, url, name in pages]


def applications(request: HttpRequest) -> list[Link]:
    """The services that one's role may open, each at the page that is one's own there."""
    account: Any = request.user
    if not may(account):
        return []
    urls = settings.PUBLIC_URLS
    office = account.role in ("admin", "finance")
    found = [
        ("tasks", _("Tasks"), "/", _("Create, complete and follow tasks")),
        (
            "billing",
            _("Billing"),
            "/" if office else "/statement",
            _("Accounts and cycles") if office else _("Your statement"),
        ),
    ]
    if account.role == "admin":
        found.append(("analytics", _("Analytics"), "/", _("Income and the dearest tasks")))
        found.append(("auth", _("Accounts"), "/", _("People, roles and applications")))
    else:
        found.append(("auth", _("Profile"), "/profile", _("Your name and password")))
    return [Link(label, urls[name] + path, name == settings.SERVICE_NAME, hint) for name, label, path, hint in found]


def search(request: HttpRequest) -> Link | None:
    """The search box in the header, of a service that has one, for the roles that it names."""
    setting = getattr(settings, "SEARCH", None)
    if setting is None:
        return None
    label, name, roles = setting
    return Link(label, reverse(name), False) if may(request.user, *roles) else None


def sign_out_url() -> str:
    """Where the sign-out form goes; empty in a service that has none."""
    try:
        return reverse("logout")
    except NoReverseMatch:
        return ""


def own_pages(request: HttpRequest) -> list[Link]:
    """Where a person may go instead: the pages of this service, then the other services."""
    return [*navigation(request), *(app for app in applications(request) if not app.active)]


def page(request: HttpRequest) -> dict[str, Any]:
    """Context processor of every page; lazy, because a fragment of htmx needs none of it."""
    if not hasattr(request, "user"):
        # Refused before anybody asked who it is, as for a host that is not ours.
        return {"page_theme": theme_of(request), "page_layout": "chassis/standalone.html"}
    return {
        "page_service": settings.SERVICE_NAME,
        "page_theme": theme_of(request),
        "page_layout": "chassis/fragments/error.html" if is_htmx(request) else "base.html",
        "page_navigation": lambda: navigation(request),
        "page_applications": lambda: applications(request),
        "page_search": lambda: search(request),
        "page_own_pages": lambda: own_pages(request),
        "page_sign_in_url": lambda: f"{resolve_url(settings.LOGIN_URL)}?{urlencode({'next': page_of(request)})}",
        "page_sign_out_url": sign_out_url,
        "page_profile_url": f"{settings.PUBLIC_URLS['auth']}/profile",
        "page_back_url": lambda: page_of(request),
        "page_required_roles": getattr(request, "required_roles", ()),
    }
