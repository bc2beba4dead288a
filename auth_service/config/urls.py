from django.urls import include, path

from chassis.permissions import requires
from eventbus.urls import dead_letters

urlpatterns = [
    path("", include("accounts.web.urls")),
    path("dead-letters/", include(dead_letters(read=requires("admin"), act=requires("admin")))),
]
