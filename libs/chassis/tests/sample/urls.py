"""Addresses of the sample service; identity's are there as in the real ones."""

from django.urls import include, path

urlpatterns = [
    path("", include("chassis.identity.urls")),
]
