"""Addresses of the analytics service."""

from django.urls import include, path

from chassis.permissions import requires
from chassis.replica.services import name_of
from chassis.validators import visible
from eventbus.urls import Around, dead_letters

AROUND = Around(name_of=name_of, check_reason=visible)

urlpatterns = [
    path("", include("analytics.web.urls")),
    path("", include("chassis.identity.urls")),
    path("dead-letters/", include(dead_letters(read=requires("admin"), act=requires("admin"), around=AROUND))),
]
