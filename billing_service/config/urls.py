"""Addresses of the billing service."""

from django.urls import include, path

from billing.web.letters import AROUND
from chassis.permissions import requires
from eventbus.urls import dead_letters

urlpatterns = [
    path("", include("billing.web.urls")),
    path("", include("chassis.identity.urls")),
    path(
        "dead-letters/",
        include(dead_letters(read=requires("admin", "finance"), act=requires("admin"), around=AROUND)),
    ),
]
