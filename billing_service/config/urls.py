"""Addresses of the billing service."""

from django.urls import include, path

urlpatterns = [
    path("", include("billing.web.urls")),
]
