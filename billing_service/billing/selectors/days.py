"""Management's income, today and day by day, from the rollup (B3)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Case, F, QuerySet, Sum, When

from billing.domain import Kind, Sums
from billing.models import AccountDay, Cycle
from chassis.business_time import day_bounds

_ZONE_SPAN = timedelta(days=2)  # a cycle's day is that of the zone of then, which may not be the zone of now
WORK = (Kind.FEE, Kind.EARNING, Kind.REVERSAL)


@dataclass(slots=True)
class Day:
    """A business day: everything of it, and how much of that was recorded after its cycle was closed."""

    day: date
    sums: Sums = field(default_factory=Sums)
    afterwards: Sums = field(default_factory=Sums)
    closed: bool = False

    @property
    def in_time(self) -> Sums:
        """Without what was recorded after its cycle was closed."""
        return self.sums.less(self.afterwards)


def days(first: date, last: date) -> list[Day]:
    """Each day of a period, both ends included, oldest first; days without entries too."""
    found = {day: Day(day) for day in _dates(first, last)}
    rows = AccountDay.objects.filter(business_date__range=(first, last)).values(
        "business_date", "kind", "cycle__due_at"
    )
    cycles = _cycle_of_days(found)
    for row in rows.annotate(change=Sum("sum"), entries=Sum("count")):
        day = found[row["business_date"]]
        day.sums.add(row["kind"], row["change"], row["entries"])
        own = cycles.get(day.day)
        if own is not None and own.state == Cycle.State.CLOSED and row["cycle__due_at"] > own.due_at:
            day.afterwards.add(row["kind"], row["change"], row["entries"])
    for moment, cycle in cycles.items():
        found[moment].closed = cycle.state == Cycle.State.CLOSED
    return list(found.values())


def _dates(first: date, last: date) -> Iterable[date]:
    return (first + timedelta(days=number) for number in range((last - first).days + 1))


def _cycle_of_days(wanted: Iterable[date]) -> dict[date, Cycle]:
    """The cycle that pays a day: the last one due on it, else the first one after it (a Saturday's is Monday's)."""
    wanted = sorted(wanted)
    start, end = day_bounds(wanted[0])[0] - _ZONE_SPAN, day_bounds(wanted[-1])[1] + _ZONE_SPAN
    following = Cycle.objects.filter(due_at__gte=end).order_by("due_at")[:1]
    cycles = list(Cycle.objects.filter(due_at__gte=start, due_at__lt=end).union(following).order_by("due_at"))
    due_on = {cycle.day: cycle for cycle in cycles}
    found = {}
    for day in wanted:
        cycle = due_on.get(day) or next((cycle for cycle in cycles if cycle.day > day), None)
        if cycle is not None:
            found[day] = cycle
    return found


def days_of_cycle(cycle_id: UUID) -> list[Day]:
    """What each business day has in a cycle, oldest first: mostly one or a weekend, and days that were told late."""
    found: dict[date, Day] = {}
    rows = AccountDay.objects.filter(cycle_id=cycle_id).values("business_date", "kind").order_by("business_date")
    for row in rows.annotate(change=Sum("sum"), entries=Sum("count")):
        day = found.setdefault(row["business_date"], Day(row["business_date"]))
        day.sums.add(row["kind"], row["change"], row["entries"])
    return list(found.values())


def cycle_sums(cycle_id: UUID) -> Sums:
    """What a cycle's entries sum up to, by kind."""
    return _sums(AccountDay.objects.filter(cycle_id=cycle_id))


def worker_day_sums(account_id: UUID, day: date) -> Sums:
    """One worker's entries of a day, by kind."""
    return _sums(AccountDay.objects.filter(account_id=account_id, business_date=day))


def _sums(rows: QuerySet[AccountDay]) -> Sums:
    sums = Sums()
    for row in rows.values("kind").annotate(change=Sum("sum"), entries=Sum("count")):
        sums.add(row["kind"], row["change"], row["entries"])
    return sums


def workers_of_day(day: date) -> QuerySet[Any, Any]:
    """One row for each worker with entries on that day: sums by kind, and `work`, what work changed on the balance."""
    by_kind = {kind.value: Sum(Case(When(kind=kind, then=F("sum")), default=0)) for kind in Kind}
    return (
        AccountDay.objects.filter(business_date=day)
        .values("account_id")
        .annotate(work=Sum(Case(When(kind__in=WORK, then=F("sum")), default=0)), entries=Sum("count"), **by_kind)
    )
