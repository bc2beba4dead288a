"""Addresses of the tasks service."""

from django.urls import include, path

urlpatterns = [
    path("", include("tasks.web.urls")),
]
