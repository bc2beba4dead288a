"""What the pages show, as rows to take along: management's income of each day, and the most expensive tasks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analytics import selectors
from analytics.domain import Completed, Income, Period, Top, days_of
from analytics.web.forms import choice_read
from analytics.web.shown import Task, tasks_shown
from chassis.errors import NotUnderstood
from chassis.exports import Amount, Column, export_response
from chassis.tables import check_names

_CHUNK_ROWS = 500  # rows whose names are read at once


@dataclass(frozen=True, slots=True)
class _Earned:
    """One of the most expensive tasks of a day; a day on which nothing was completed has a row without a task."""

    day: date
    task: Task | None


def _of_task(read: Callable[[Task], Any]) -> Callable[[_Earned], Any]:
    return lambda row: read(row.task) if row.task else None


_INCOME_COLUMNS: list[Column[tuple[date, Income]]] = [
    Column(gettext_lazy("Day"), lambda row: row[0]),
    Column(gettext_lazy("Fees charged"), lambda row: row[1].fees, cents=True),
    Column(gettext_lazy("Rewards earned"), lambda row: row[1].earnings, cents=True),
    Column(gettext_lazy("Rewards reversed"), lambda row: row[1].reversals, cents=True),
    Column(gettext_lazy("Management's income"), lambda row: row[1].total, cents=True),
]
_TASK_COLUMNS: list[Column[_Earned]] = [
    Column(gettext_lazy("Day"), lambda row: row.day),
    Column(gettext_lazy("Reward"), _of_task(lambda task: task.completed.reward), cents=True),
    Column(gettext_lazy("Jira id"), _of_task(lambda task: task.label.jira_id)),
    Column(gettext_lazy("Task"), _of_task(lambda task: task.title)),
    Column(gettext_lazy("Earned by"), _of_task(lambda task: task.label.earner)),
    Column(gettext_lazy("Completed at"), _of_task(lambda task: task.completed.occurred_at)),
    Column(gettext_lazy("Task id"), _of_task(lambda task: str(task.completed.task_id))),
]


def period_of(request: HttpRequest, *, today: date) -> Period:
    """The period of the page that the export belongs to. Raises NotUnderstood where the page would show an error."""
    query = request.GET.copy()
    check_names(query, {"from", "to", "format"})
    query.pop("format", None)
    choice = choice_read(query, today=today)
    if choice.period is None:
        raise NotUnderstood(choice.error)
    return choice.period


def income_export(request: HttpRequest, period: Period) -> HttpResponseBase:
    """A row for each day of the period, also for one without any income."""
    incomes = selectors.income_by_day(period)
    total = sum(incomes.values(), Income())
    return export_response(
        request,
        name=_("Management's income"),
        columns=_INCOME_COLUMNS,
        rows=((day, incomes.get(day, Income())) for day in days_of(period)),
        filters=_in_words(period),
        totals=lambda: [(_("Management's income"), Amount(total.total))],
    )


def tasks_export(request: HttpRequest, period: Period) -> HttpResponseBase:
    """The most expensive completed tasks of each day of the period, each of those that tie in a row of its own."""
    return export_response(
        request,
        name=_("Most expensive tasks"),
        columns=_TASK_COLUMNS,
        rows=_named(_by_day(period)),
        filters=_in_words(period),
        totals=lambda: _totals((top, Period(day, day)) for day, top in selectors.tops_by_day(period).items()),
    )


def tie_export(request: HttpRequest, period: Period) -> HttpResponseBase:
    """Every task that shares the highest reward of the whole period."""
    top = selectors.top_of_period(period)
    rows = selectors.tied(top=top, period=period) if top else iter(())
    return export_response(
        request,
        name=_("Tasks that tie"),
        columns=_TASK_COLUMNS,
        rows=_named((task.business_date, task) for task in rows),
        filters=_in_words(period),
        totals=lambda: _totals([(top, period)] if top else []),
    )


def _totals(tops: Iterable[tuple[Top, Period]]) -> list[tuple[str, Any]]:
    """How many tasks there are, and their rewards together; those of a long tie are counted in the database."""
    found = [
        (top.reward, selectors.tie(top=top, period=period).count() if top.more else len(top.tasks))
        for top, period in tops
    ]
    rewards = sum(reward * count for reward, count in found)
    return [(_("Tasks"), sum(count for _reward, count in found)), (_("Rewards"), Amount(rewards))]


def _by_day(period: Period) -> Iterator[tuple[date, Completed | None]]:
    tops = selectors.tops_by_day(period)
    for day in days_of(period):
        top = tops.get(day)
        if top is None:
            yield day, None
        elif top.more:
            yield from ((day, task) for task in selectors.tied(top=top, period=Period(day, day)))
        else:
            yield from ((day, task) for task in top.tasks)


def _named(rows: Iterable[tuple[date, Completed | None]]) -> Iterator[_Earned]:
    """Names are read for many rows at once, and never for all."""
    waiting = iter(rows)
    while chunk := list(islice(waiting, _CHUNK_ROWS)):
        shown = {task.completed.task_id: task for task in tasks_shown(task for _day, task in chunk if task)}
        yield from (_Earned(day, shown[task.task_id] if task else None) for day, task in chunk)


def _in_words(period: Period) -> str:
    return _("%(first)s to %(last)s, both included") % {"first": period.start, "last": period.end}
