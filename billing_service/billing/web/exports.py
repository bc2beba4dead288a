"""What the exports of billing's lists have in their columns; the rows are those of the page, all of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from billing.models import Cycle
from billing.selectors.cycles import Progress
from billing.selectors.days import Day
from billing.selectors.statements import Line
from billing.web import wording
from chassis.exports import Column


def cycles(now: datetime, progress: Progress | None) -> list[Column[Cycle]]:
    """What a closing cycle has paid so far stands in its state alone: its sums are known once it is closed."""

    def settled(name: str) -> Callable[[Cycle], Any]:
        return lambda cycle: getattr(cycle, name) if cycle.state == Cycle.State.CLOSED else None

    return [
        Column(_("Due"), lambda cycle: cycle.due_at),
        Column(_("State"), lambda cycle: wording.cycle_in_words(cycle, now, progress)),
        Column(_("Failure"), lambda cycle: cycle.failure or None),
        Column(_("Closed"), lambda cycle: cycle.closed_at),
        Column(_("Payouts"), settled("payout_count")),
        Column(_("Paid out"), settled("payout_sum"), cents=True),
        Column(_("Hash"), lambda cycle: cycle.hash or None),
    ]


def _entry(name: str) -> Callable[[Line], Any]:
    return lambda line: getattr(line.entry, name)


WORKER: list[Column[Line]] = [
    Column(_("Worker"), lambda line: line.account.name),
    Column(_("Worker id"), lambda line: str(line.account.id)),
]
CAUSE: list[Column[Line]] = [
    Column(_("What"), lambda line: wording.kind_in_words(line.entry.kind)),
    Column(_("Jira id"), lambda line: line.task.jira_id if line.task else None),
    Column(_("Task"), lambda line: str(line.task) if line.task else None),
    Column(_("Cause"), wording.cause_in_words),
    Column(_("Reason"), lambda line: line.entry.reason or None),
]
PLACE: list[Column[Line]] = [
    Column(_("Recorded at"), _entry("recorded_at")),
    Column(_("Business date"), _entry("business_date")),
    Column(_("Late"), lambda line: line.late),
    Column(_("Cycle due"), lambda line: line.cycle.due_at),
    Column(_("Entry id"), lambda line: str(line.entry.id)),
]
STATEMENT: list[Column[Line]] = [
    Column(_("When"), _entry("occurred_at")),
    *CAUSE,
    Column(_("Amount"), _entry("change"), cents=True),
    Column(_("Balance after"), _entry("balance_after"), cents=True),
    *PLACE,
]
ENTRIES: list[Column[Line]] = [
    Column(_("When"), _entry("occurred_at")),
    *WORKER,
    *CAUSE,
    Column(_("Amount"), _entry("change"), cents=True),
    Column(_("Settlement"), lambda line: wording.settlement_in_words(line) or None),
    Column(_("Paid out"), lambda line: line.payout.amount if line.payout else None, cents=True),
    *PLACE,
    Column(_("Received at"), _entry("received_at")),
    Column(_("Event id"), lambda line: str(line.entry.event_id or "") or None),
]
CORRECTIONS: list[Column[Line]] = [
    Column(_("When"), _entry("recorded_at")),
    *WORKER,
    Column(_("Amount"), _entry("change"), cents=True),
    Column(_("Reason"), _entry("reason")),
    Column(_("By"), lambda line: line.actor),
    Column(_("Jira id"), lambda line: line.task.jira_id if line.task else None),
    Column(_("Task"), lambda line: str(line.task) if line.task else None),
    Column(_("Takes back"), lambda line: str(line.entry.reverses or "") or None),
    Column(_("Taken back by"), lambda line: str(_entry("opposite")(line) or "") or None),
    Column(_("Entry id"), lambda line: str(line.entry.id)),
]
DAYS: list[Column[Day]] = [
    Column(_("Day"), lambda day: day.day),
    Column(_("Fees"), lambda day: day.sums.fees, cents=True),
    Column(_("Rewards"), lambda day: day.sums.earned, cents=True),
    Column(_("Reversed"), lambda day: day.sums.reversed, cents=True),
    Column(_("Income"), lambda day: day.sums.income, cents=True),
    Column(_("After closing"), lambda day: day.afterwards.income, cents=True),
    Column(_("Corrections"), lambda day: day.sums.corrections, cents=True),
]
DAY_WORKERS: list[Column[dict[str, Any]]] = [
    Column(_("Worker"), lambda row: row["account"].name),
    Column(_("Worker id"), lambda row: str(row["account_id"])),
    Column(_("Fees"), lambda row: row["fees"], cents=True),
    Column(_("Rewards"), lambda row: row["earning"], cents=True),
    Column(_("Reversed"), lambda row: row["reversed"], cents=True),
    Column(_("Earned"), lambda row: row["work"], cents=True),
    Column(_("Corrections"), lambda row: row["adjustment"], cents=True),
    Column(_("Entries"), lambda row: row["entries"]),
]
WORKERS: list[Column[Any]] = [
    Column(_("Worker"), lambda row: row.account.name),
    Column(_("Worker id"), lambda row: str(row.account.id)),
    Column(_("E-mail"), lambda row: row.account.email),
    Column(_("Role"), lambda row: row.account.role),
    Column(_("Active"), lambda row: row.account.is_active),
    Column(_("Deleted"), lambda row: row.account.is_deleted),
    Column(_("Earned today"), lambda row: row.today, cents=True),
    Column(_("Open cycle"), lambda row: row.cycle, cents=True),
    Column(_("Balance"), lambda row: row.balance, cents=True),
]
PAYOUTS: list[Column[dict[str, Any]]] = [
    Column(_("Worker"), lambda row: row["account"].name),
    Column(_("Worker id"), lambda row: str(row["payout"].account_id)),
    Column(_("Amount"), lambda row: row["payout"].amount, cents=True),
    Column(_("Mail sent at"), lambda row: row["payout"].done_at),
    Column(_("Mail sent to"), lambda row: row["payout"].sent_to or None),
    Column(_("Mail failed"), lambda row: row["payout"].last_error or None),
    Column(_("Mail attempts"), lambda row: row["payout"].attempts),
    Column(_("Mail next attempt at"), lambda row: None if row["payout"].done_at else row["payout"].next_attempt_at),
    Column(_("Entry id"), lambda row: str(row["payout"].transfer_id)),
]
