"""Management's income: today, thirty days, and one day."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from itertools import islice
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from billing.domain import together
from billing.selectors import cycles, days
from billing.selectors.clock import database_now
from billing.selectors.people import accounts_of
from billing.selectors.statements import EXPORT_ROWS
from billing.web import exports
from billing.web.permissions import OFFICE, sees_everything
from chassis.business_time import business_date
from chassis.converters import FIRST_DAY
from chassis.exports import Amount, export_response
from chassis.permissions import requires, signed_in
from chassis.tables import ExportForm, NoFilter, in_order, table_page, understood

CHART_DAYS = 30
DAY_SORTS = {"work": ("work", "account_id"), "entries": ("entries", "account_id")}


def _period(today: date) -> list[days.Day]:
    return days.days(today - timedelta(days=CHART_DAYS - 1), today)


@require_safe
@signed_in
def dashboard(request: HttpRequest) -> HttpResponse:
    """Income today, the open cycle so far, and the last thirty days; others than the office see their statement."""
    if not sees_everything(request.user):
        return redirect("statement")
    understood(NoFilter(request.GET))
    now = database_now()
    period = _period(business_date(now))
    cycle = cycles.open_cycle()
    context = {
        "today": period[-1],
        "newest_first": period[::-1],
        "period": period,
        "sums": together(day.sums for day in period),
        "afterwards": together(day.afterwards for day in period),
        "cycle": cycle,
        "cycle_sums": days.cycle_sums(cycle.id) if cycle else None,
        "unfinished": cycles.unfinished_cycle(now),
        "empty": not any(day.sums.count for day in period),
    }
    return render(request, "billing/dashboard.html", context)


@require_safe
@requires(*OFFICE)
def dashboard_export(request: HttpRequest) -> HttpResponseBase:
    """The thirty days of the overview, the newest first."""
    understood(ExportForm(request.GET))
    period = _period(business_date(database_now()))
    return export_response(
        request,
        name=_("Management's income day by day"),
        columns=exports.DAYS,
        rows=period[::-1],
        filters=_("the last 30 days"),
        totals=lambda: [(_("Income"), Amount(sum(day.sums.income for day in period)))],
    )


@require_safe
@requires(*OFFICE)
def day_detail(request: HttpRequest, day: date) -> HttpResponse:
    """A business day: its sums, and each worker who had entries on it."""
    understood(NoFilter(request.GET))
    [found] = days.days(day, day)
    today = business_date(database_now())
    page = table_page(request, days.workers_of_day(day), sorts=DAY_SORTS, default="work")
    context = {
        "day": found,
        "page": page,
        "rows": _with_people(page),
        "before": day - timedelta(days=1) if day > FIRST_DAY else None,
        "after": day + timedelta(days=1) if day < today else None,
        "today": today,
    }
    return render(request, "billing/day.html", context)


@require_safe
@requires(*OFFICE)
def day_export(request: HttpRequest, day: date) -> HttpResponseBase:
    """All workers of a day."""
    understood(ExportForm(request.GET))
    [found] = days.days(day, day)
    rows = in_order(request, days.workers_of_day(day), sorts=DAY_SORTS, default="work")
    return export_response(
        request,
        name=_("Workers on %(day)s") % {"day": day.isoformat()},
        columns=exports.DAY_WORKERS,
        rows=_all_with_people(rows.iterator(chunk_size=EXPORT_ROWS)),
        filters=day.isoformat(),
        totals=lambda: [(_("Income"), Amount(found.sums.income)), (_("Entries"), found.sums.count)],
    )


def _with_people(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    rows = list(rows)
    people = accounts_of(row["account_id"] for row in rows)
    return [
        {**row, "account": people[row["account_id"]], "fees": -row["fee"], "reversed": -row["reversal"]} for row in rows
    ]


def _all_with_people(rows: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    while batch := list(islice(rows, EXPORT_ROWS)):
        yield from _with_people(batch)
