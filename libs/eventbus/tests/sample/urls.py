"""The shop's pages."""

from django.urls import path

urlpatterns: list = []
