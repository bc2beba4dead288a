"""Pages of analytics."""

from django.urls import path, register_converter

from analytics.web import views
from analytics.web.converters import DayConverter

register_converter(DayConverter, "day")

urlpatterns = [
    path("", views.overview, name="overview"),
    path("ties/<day:first>/<day:last>", views.tie, name="tie"),
]
