"""Pages of billing."""

from datetime import date

from django.urls import path, register_converter

from billing.web import views


class DayConverter:
    """A date as it stands in an address: 2026-03-02."""

    regex = "[0-9]{4}-[0-9]{2}-[0-9]{2}"

    def to_python(self, value: str) -> date:
        return date.fromisoformat(value)

    def to_url(self, value: date) -> str:
        return value.isoformat()


register_converter(DayConverter, "day")

urlpatterns = [
    path("", views.dashboard, name="dashboard"),
    path("days/<day:day>", views.day_detail, name="day_detail"),
    path("workers", views.worker_list, name="worker_list"),
    path("workers/<uuid:account_id>", views.worker_detail, name="worker_detail"),
    path("statement", views.statement, name="statement"),
    path("cycles", views.cycle_list, name="cycle_list"),
    path("cycles/<uuid:cycle_id>", views.cycle_detail, name="cycle_detail"),
    path("cycles/<uuid:cycle_id>/close", views.cycle_close, name="cycle_close"),
]
