"""Addresses of the tasks service."""

from django.urls import include, path

from chassis.permissions import requires
from eventbus.urls import dead_letters

urlpatterns = [
    path("", include("tasks.web.urls")),
    path("", include("chassis.identity.urls")),
    path("dead-letters/", include(dead_letters(read=requires("admin"), act=requires("admin")))),
]
