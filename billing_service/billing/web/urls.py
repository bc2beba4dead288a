"""Pages of billing."""

from django.urls import path, register_converter

from billing.web.views import corrections, cycles, evidence, overview, people
from chassis.converters import DayConverter

register_converter(DayConverter, "day")

urlpatterns = [
    path("", overview.dashboard, name="dashboard"),
    path("totals", people.dashboard_totals, name="dashboard_totals"),
    path("days/export", overview.dashboard_export, name="dashboard_export"),
    path("days/<day:day>", overview.day_detail, name="day_detail"),
    path("days/<day:day>/export", overview.day_export, name="day_export"),
    path("search", evidence.search_page, name="search"),
    path("tasks/<uuid:task_id>", evidence.task_detail, name="task_detail"),
    path("tasks/<uuid:task_id>/export", evidence.task_export, name="task_export"),
    path("entries/<uuid:entry_id>", evidence.entry_detail, name="entry_detail"),
    path("entries/<uuid:entry_id>/take-back", corrections.correction_take_back, name="correction_take_back"),
    path("entries/<uuid:entry_id>/return", corrections.payout_come_back, name="payout_return"),
    path("corrections", corrections.correction_list, name="correction_list"),
    path("corrections/news", corrections.correction_news, name="correction_news"),
    path("corrections/export", corrections.correction_export, name="correction_export"),
    path("corrections/new", corrections.correction_new, name="correction_new"),
    path("people", people.people_options, name="people_options"),
    path("workers", people.worker_list, name="worker_list"),
    path("workers/totals", people.worker_totals, name="worker_totals"),
    path("workers/export", people.worker_export, name="worker_export"),
    path("workers/<uuid:account_id>", people.worker_detail, name="worker_detail"),
    path("workers/<uuid:account_id>/export", people.worker_statement_export, name="worker_statement_export"),
    path("workers/<uuid:account_id>/news", people.statement_news, name="statement_news"),
    path("statement", people.statement, name="statement"),
    path("statement/export", people.statement_export, name="statement_export"),
    path("cycles", cycles.cycle_list, name="cycle_list"),
    path("cycles/news", cycles.cycle_news, name="cycle_news"),
    path("cycles/export", cycles.cycle_list_export, name="cycle_list_export"),
    path("cycles/<uuid:cycle_id>", cycles.cycle_detail, name="cycle_detail"),
    path("cycles/<uuid:cycle_id>/export", cycles.cycle_export, name="cycle_export"),
    path("cycles/<uuid:cycle_id>/progress", cycles.cycle_progress, name="cycle_progress"),
    path("cycles/<uuid:cycle_id>/close", cycles.cycle_close, name="cycle_close"),
]
