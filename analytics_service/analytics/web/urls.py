"""Pages of analytics."""

from django.urls import path, register_converter

from analytics.web import views
from chassis.converters import DayConverter

register_converter(DayConverter, "day")

urlpatterns = [
    path("", views.overview, name="overview"),
    path("income/export", views.income_export, name="income_export"),
    path("tasks/export", views.tasks_export, name="tasks_export"),
    path("ties/<day:first>/<day:last>", views.tie, name="tie"),
    path("ties/<day:first>/<day:last>/export", views.tie_export, name="tie_export"),
]
