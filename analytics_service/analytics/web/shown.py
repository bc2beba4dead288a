"""From the rules' words to a page's: titles, names and addresses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from analytics import selectors
from analytics.domain import Completed, Income, Period, Top
from analytics.selectors import Label


@dataclass(frozen=True, slots=True)
class Task:
    """A completed task as a page names it, with its address in tasks and that of its day in billing."""

    completed: Completed
    label: Label
    url: str
    day_url: str

    @property
    def title(self) -> str:
        return self.label.title or _("Task %(id)s") % {"id": str(self.completed.task_id)[:8]}


@dataclass(frozen=True, slots=True)
class Best:
    """The most expensive task of some days, or several that tie; `tie_url` lists those that are not named here."""

    reward: int
    tasks: list[Task]
    tie_url: str


@dataclass(frozen=True, slots=True)
class Row:
    """A day, week or month of the table."""

    period: Period
    best: Best | None
    income: Income | None = None
    income_url: str = ""
    is_today: bool = False


@dataclass(frozen=True, slots=True)
class Cards:
    """Today's figures."""

    income: Income
    income_url: str
    below_zero: selectors.BelowZero
    best: list[tuple[str, Best | None]]


@dataclass(frozen=True, slots=True)
class Tables:
    """The chosen period; `with_year` says that its days need their year."""

    with_year: bool
    days: list[Row]
    weeks: list[Row]
    months: list[Row]
    best: Best | None
    income: Income


def shown(today: selectors.Today, report: selectors.Report | None) -> tuple[Cards, Tables | None]:
    """Both halves of the overview, with two statements for all names in them."""
    labels = selectors.labels(_tasks(today, report))
    return _cards(today, labels), _tables(report, labels, today.day) if report else None


def tasks_shown(tasks: Iterable[Completed]) -> list[Task]:
    """The tasks of a tie."""
    found = list(tasks)
    labels = selectors.labels(found)
    return [_task(task, labels) for task in found]


def _tasks(today: selectors.Today, report: selectors.Report | None) -> list[Completed]:
    tops = [today.of_day, today.of_week, today.of_month]
    if report:
        # A week's and a month's tasks are among those of its days.
        tops += [day.top for day in report.days]
    return [task for top in tops if top for task in top.tasks]


def _cards(today: selectors.Today, labels: Mapping[UUID, Label]) -> Cards:
    day = today.day
    return Cards(
        income=today.income,
        income_url=billing_day_url(day),
        below_zero=today.below_zero,
        best=[
            (_("today"), _best(today.of_day, Period(day, day), labels)),
            (_("this week"), _best(today.of_week, Period(today.week_start, day), labels)),
            (_("this month"), _best(today.of_month, Period(today.month_start, day), labels)),
        ],
    )


def _tables(report: selectors.Report, labels: Mapping[UUID, Label], today: date) -> Tables:
    return Tables(
        with_year={report.period.start.year, report.period.end.year} != {today.year},
        days=[
            Row(
                Period(day.day, day.day),
                _best(day.top, Period(day.day, day.day), labels),
                day.income,
                billing_day_url(day.day),
                day.day == today,
            )
            for day in report.days
        ],
        weeks=[Row(span.period, _best(span.top, span.period, labels)) for span in report.weeks],
        months=[Row(span.period, _best(span.top, span.period, labels)) for span in report.months],
        best=_best(report.overall, report.period, labels),
        income=report.income,
    )


def _best(top: Top | None, period: Period, labels: Mapping[UUID, Label]) -> Best | None:
    if top is None:
        return None
    tie_url = reverse("tie", args=[period.start, period.end]) if top.more else ""
    return Best(top.reward, [_task(task, labels) for task in top.tasks], tie_url)


def _task(task: Completed, labels: Mapping[UUID, Label]) -> Task:
    return Task(
        completed=task,
        label=labels[task.task_id],
        url=f"{settings.PUBLIC_URLS['tasks']}/tasks/{task.task_id}",
        day_url=billing_day_url(task.business_date),
    )


def billing_day_url(day: date) -> str:
    """Where the income of a day is taken apart."""
    return f"{settings.PUBLIC_URLS['billing']}/days/{day.isoformat()}"
