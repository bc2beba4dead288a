"""Pages for admins: what happened, in numbers."""

from datetime import date

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from analytics import selectors
from analytics.domain import Period, PeriodError, period_read
from analytics.web import exports
from analytics.web.forms import choice_read, in_words
from analytics.web.shown import shown, tasks_shown
from chassis.business_time import business_date
from chassis.permissions import requires
from chassis.tables import ExportForm, NoFilter, table_page, understood

TIE_SORTS = {"when": ("occurred_at", "task_id")}


@requires("admin")
@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """A1 and A2: cards of today, and a chosen period."""
    now = timezone.now()
    today = business_date(now)
    choice = choice_read(request.GET, today=today)
    report = selectors.report_show(period=choice.period) if choice.period else None
    cards, tables = shown(selectors.today_show(today=today), report)
    context = {"today": today, "choice": choice, "cards": cards, "tables": tables}
    context |= {"incomplete": selectors.incomplete(now=now), "billing_url": settings.PUBLIC_URLS["billing"]}
    return render(request, "analytics/overview.html", context, status=400 if choice.error else 200)


@requires("admin")
@require_safe
def tie(request: HttpRequest, first: date, last: date) -> HttpResponse:
    """Every task that shares the highest reward of a day, week or month."""
    understood(NoFilter(request.GET))
    period = _period(first, last)
    top = selectors.top_of_period(period)
    context = {"period": period, "top": top, "incomplete": selectors.incomplete(now=timezone.now())}
    if top is None:
        return render(request, "analytics/tie.html", context)
    page = table_page(request, selectors.tie(top=top, period=period), sorts=TIE_SORTS, default="when")
    tasks = tasks_shown(map(selectors.completed, page.rows))
    return render(request, "analytics/tie.html", context | {"page": page, "tasks": tasks})


@requires("admin")
@require_safe
def income_export(request: HttpRequest) -> HttpResponseBase:
    """Management's income of each day of the chosen period."""
    return exports.income_export(request, exports.period_of(request, today=business_date(timezone.now())))


@requires("admin")
@require_safe
def tasks_export(request: HttpRequest) -> HttpResponseBase:
    """The most expensive tasks of each day of the chosen period."""
    return exports.tasks_export(request, exports.period_of(request, today=business_date(timezone.now())))


@requires("admin")
@require_safe
def tie_export(request: HttpRequest, first: date, last: date) -> HttpResponseBase:
    """The rows of `tie`."""
    understood(ExportForm(request.GET))
    return exports.tie_export(request, _period(first, last))


def _period(first: date, last: date) -> Period:
    try:
        return period_read(first.isoformat(), last.isoformat())
    except PeriodError as error:
        raise Http404(in_words(error)) from error
