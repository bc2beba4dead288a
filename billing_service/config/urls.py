"""Addresses of the billing service."""

from django.http import HttpRequest
from django.urls import include, path

from chassis.permissions import may, requires
from eventbus.urls import dead_letters


def is_admin(request: HttpRequest) -> bool:
    """Finance reads dead letters, and decides about none."""
    return may(request.user, "admin")


urlpatterns = [
    path("", include("billing.web.urls")),
    path("", include("chassis.identity.urls")),
    path(
        "dead-letters/",
        include(dead_letters(read=requires("admin", "finance"), act=requires("admin"), may_act=is_admin)),
    ),
]
