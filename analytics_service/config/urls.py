"""Addresses of the analytics service."""

from django.urls import include, path

urlpatterns = [path("", include("analytics.web.urls"))]
