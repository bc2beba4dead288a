"""Ledger accounts with what people want to know of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import Count, Q, QuerySet, Sum

from billing.models import AccountDay, LedgerAccount
from billing.selectors.days import WORK
from billing.selectors.people import accounts_of
from chassis.replica.models import Account


@dataclass(frozen=True, slots=True)
class Worker:
    """A row of the list of workers; amounts in cents."""

    account: Account
    balance: int
    today: int
    cycle: int


@dataclass(frozen=True, slots=True)
class Totals:
    """Over all ledger accounts of a list, in cents."""

    count: int
    owed: int
    owed_count: int
    debts: int
    debts_count: int


def ledger_accounts(*, left: bool = False) -> QuerySet[LedgerAccount]:
    """All ledger accounts, or those with a balance whose people are no active workers any more."""
    accounts = LedgerAccount.objects.all()
    if not left:
        return accounts
    gone = Account.objects.filter(Q(is_active=False) | ~Q(role__in=["worker", ""]))
    return accounts.exclude(balance=0).filter(id__in=gone.values("id"))


def workers(rows: Sequence[LedgerAccount], *, day: date, cycle_id: UUID | None) -> list[Worker]:
    """These ledger accounts with their people, what they earned on the day, and what the open cycle changed so far."""
    ids = [row.id for row in rows]
    people = accounts_of(ids)
    earned = _changes(ids, business_date=day, kind__in=WORK)
    cycle = _changes(ids, cycle_id=cycle_id)
    return [Worker(people[row.id], row.balance, earned.get(row.id, 0), cycle.get(row.id, 0)) for row in rows]


def _changes(ids: Sequence[UUID], **conditions: Any) -> dict[UUID, int]:
    rows = AccountDay.objects.filter(account_id__in=ids, **conditions)
    return dict(rows.values("account_id").annotate(change=Sum("sum")).values_list("account_id", "change"))


def totals(accounts: QuerySet[LedgerAccount]) -> Totals:
    """What is owed to workers and what they owe."""
    above, below = Q(balance__gt=0), Q(balance__lt=0)
    sums = accounts.aggregate(
        count=Count("id"),
        owed=Sum("balance", filter=above, default=0),
        owed_count=Count("id", filter=above),
        debts=Sum("balance", filter=below, default=0),
        debts_count=Count("id", filter=below),
    )
    return Totals(**sums)


def balance_of(account_id: UUID) -> int:
    """A worker's balance in cents; zero without a ledger account."""
    return LedgerAccount.objects.filter(id=account_id).values_list("balance", flat=True).first() or 0
