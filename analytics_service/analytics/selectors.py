"""Reads. Every statement asks the pointer for the generation itself, so that a rebuild never shows half of one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet, Subquery, Sum

from analytics.domain import (
    SHOWN,
    Completed,
    Income,
    Period,
    Top,
    best,
    days_of,
    month_of,
    months_of,
    top_of,
    week_of,
    weeks_of,
)
from analytics.models import CompletedTask, DayIncome, Generation, TaskTitle
from chassis.replica.models import Account
from eventbus import consumed_until, open_dead_letters

_BEHIND = timedelta(seconds=30)

# No business zone is further from UTC than this: it bounds the moments of a day without asking for the zone.
_ZONE_SPAN = timedelta(days=2)

_BELOW_ZERO = """
SELECT count(*) FILTER (WHERE standing.account_id IS NULL OR (standing.is_active AND standing.role = 'worker')),
    count(*)
FROM analytics_account_balance AS balance
LEFT JOIN analytics_account_standing AS standing USING (generation, account_id)
WHERE balance.generation = (SELECT number FROM analytics_generation) AND balance.balance < 0
"""

# Two descents of one index for each day, however many tasks it has.
_TOPS_BY_DAY = """
SELECT tied.task_id, tied.account_id, tied.reward, tied.business_date, tied.occurred_at
FROM (SELECT number FROM analytics_generation) AS pointer
CROSS JOIN generate_series(%(start)s::date, %(end)s::date, interval '1 day') AS day
CROSS JOIN LATERAL (
    SELECT reward FROM analytics_completed_task
    WHERE generation = pointer.number AND business_date = day::date AND reward IS NOT NULL
    ORDER BY reward DESC LIMIT 1
) AS highest
CROSS JOIN LATERAL (
    SELECT task_id, account_id, reward, business_date, occurred_at FROM analytics_completed_task
    WHERE generation = pointer.number AND business_date = day::date AND reward = highest.reward
    ORDER BY occurred_at, task_id LIMIT %(limit)s
) AS tied
"""


@dataclass(frozen=True, slots=True)
class BelowZero:
    """How many people owe more than they earned; leavers are no longer active workers."""

    workers: int
    leavers: int


@dataclass(frozen=True, slots=True)
class Incomplete:
    """What is missing in the figures: events that wait for a decision, or that have not been read yet."""

    dead_letters: int
    behind: bool

    def __bool__(self) -> bool:
        return bool(self.dead_letters or self.behind)


@dataclass(frozen=True, slots=True)
class Label:
    """What a page calls a task, and who earned its reward."""

    title: str
    jira_id: str | None
    earner: str


@dataclass(frozen=True, slots=True)
class Day:
    """A day of the chosen period."""

    day: date
    income: Income
    top: Top | None


@dataclass(frozen=True, slots=True)
class Span:
    """A week or month of the chosen period, cut off at its ends."""

    period: Period
    top: Top | None


@dataclass(frozen=True, slots=True)
class Today:
    """The cards: management's income, debts, and the most expensive task of the day, week and month so far."""

    day: date
    week_start: date
    month_start: date
    income: Income
    below_zero: BelowZero
    of_day: Top | None
    of_week: Top | None
    of_month: Top | None


@dataclass(frozen=True, slots=True)
class Report:
    """A chosen period: its days, weeks and months, oldest first."""

    period: Period
    days: list[Day]
    weeks: list[Span]
    months: list[Span]
    overall: Top | None
    income: Income


def incomplete(*, now: datetime) -> Incomplete:
    """Why the figures may be incomplete at this moment (B8)."""
    until = consumed_until("facts")
    return Incomplete(dead_letters=open_dead_letters(), behind=until is None or until < now - _BEHIND)


def today_show(*, today: date) -> Today:
    """The cards of A1 and A2 for the business date `today`."""
    week, month = week_of(today), month_of(today)
    tops = tops_by_day(Period(min(week.start, month.start), today))
    return Today(
        day=today,
        week_start=week.start,
        month_start=month.start,
        income=income_by_day(Period(today, today)).get(today, Income()),
        below_zero=below_zero(),
        of_day=tops.get(today),
        of_week=_best(tops, Period(week.start, today)),
        of_month=_best(tops, Period(month.start, today)),
    )


def report_show(*, period: Period) -> Report:
    """A2 for the period, and management's income of each day; a day without any has its row all the same."""
    tops, incomes = tops_by_day(period), income_by_day(period)
    return Report(
        period=period,
        days=[Day(day, incomes.get(day, Income()), tops.get(day)) for day in days_of(period)],
        weeks=[Span(week, _best(tops, week)) for week in weeks_of(period)],
        months=[Span(month, _best(tops, month)) for month in months_of(period)],
        overall=best(tops.values()),
        income=sum(incomes.values(), Income()),
    )


def _best(tops: Mapping[date, Top], period: Period) -> Top | None:
    return best(top for day, top in tops.items() if period.start <= day <= period.end)


def income_by_day(period: Period) -> dict[date, Income]:
    """Parts of management's income, in cents, of the days that have any."""
    rows = (
        DayIncome.objects.filter(generation=_pointer(), business_date__range=(period.start, period.end))
        .values("business_date")
        .annotate(Sum("fees"), Sum("earnings"), Sum("reversals"))
    )
    return {row["business_date"]: Income(row["fees__sum"], row["earnings__sum"], row["reversals__sum"]) for row in rows}


def below_zero() -> BelowZero:
    """Workers with a balance below zero, leavers apart (A1). Who is not known yet counts as a worker."""
    with connection.cursor() as cursor:
        cursor.execute(_BELOW_ZERO)
        workers, everybody = cursor.fetchone()
    return BelowZero(workers, everybody - workers)


def tops_by_day(period: Period) -> dict[date, Top]:
    """The most expensive completed task of each day that has one, with those that tie (A2)."""
    with connection.cursor() as cursor:
        cursor.execute(_TOPS_BY_DAY, {"start": period.start, "end": period.end, "limit": SHOWN + 1})
        tied = [Completed(*row) for row in cursor.fetchall()]
    by_day: dict[date, list[Completed]] = {}
    for task in tied:
        by_day.setdefault(task.business_date, []).append(task)
    return {day: top for day, tasks in by_day.items() if (top := top_of(tasks))}


def tie(*, top: Top, period: Period) -> QuerySet[CompletedTask]:
    """All completed tasks that share the highest reward of the period; to be read in the order of a tie."""
    first = datetime.combine(period.start, time.min, UTC) - _ZONE_SPAN
    last = datetime.combine(period.end, time.max, UTC) + _ZONE_SPAN
    return CompletedTask.objects.filter(
        generation=_pointer(),
        reward=top.reward,
        business_date__range=(period.start, period.end),
        occurred_at__range=(first, last),
    )


def tied(*, top: Top, period: Period) -> Iterator[Completed]:
    """The tasks of `tie` in their order, the earliest first, however many there are."""
    return map(completed, tie(top=top, period=period).order_by("occurred_at", "task_id").iterator())


def top_of_period(period: Period) -> Top | None:
    """The most expensive completed task of the whole period, with those that tie."""
    return best(tops_by_day(period).values())


def completed(row: CompletedTask) -> Completed:
    """A row of `tie`, which holds only tasks that are done."""
    assert row.account_id and row.reward is not None and row.business_date and row.occurred_at  # noqa: PT018
    return Completed(row.task_id, row.account_id, row.reward, row.business_date, row.occurred_at)


def labels(tasks: Iterable[Completed]) -> dict[UUID, Label]:
    """Title, Jira id and earner of each task: two statements for all of them."""
    earners = {task.task_id: task.account_id for task in tasks}
    names = {account.id: account.name for account in Account.objects.filter(id__in=set(earners.values()))}
    titles = {row.task_id: row for row in TaskTitle.objects.filter(generation=_pointer(), task_id__in=earners)}
    return {
        task_id: Label(
            title=titles[task_id].title if task_id in titles else "",
            jira_id=titles[task_id].jira_id if task_id in titles else None,
            earner=names.get(earner, str(earner)[:8]),
        )
        for task_id, earner in earners.items()
    }


def _pointer() -> Subquery:
    return Subquery(Generation.objects.values("number")[:1])
