"""From kept events to numbers, in sets.

Any order and any repetition of the same events gives the same rows: transactions are unique on their transfer, states
are guarded by their version, and sums are of transactions that are new.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection

from analytics.domain import (
    Entry,
    Income,
    Standing,
    TaskText,
    income_of,
    latest,
    read_entry,
    read_standing,
    read_task_text,
    unique_entries,
)
from analytics.models import Transaction

_STANDINGS = frozenset(
    {
        "AccountCreated",
        "AccountUpdated",
        "AccountDeleted",
        "AccountRoleChanged",
        "AccountDeactivated",
        "AccountReactivated",
    }
)
_TEXTS = frozenset({"TaskCreated", "TaskUpdated"})
_ENTRY = "TransactionPosted"


@dataclass(frozen=True, slots=True)
class Kept:
    """What projections need of a kept event: its name, the partition of its topic, and its data as kept."""

    name: str
    partition: int
    data: Mapping[str, Any]
    entry: Entry | None = None  # of a transaction that was read already


def project(rows: Sequence[Kept], *, generation: int) -> None:
    """Bring the projections of the generation up to date with these kept events. In a transaction only.

    Raises ContradictoryTransaction when a known transfer comes with another content, ForeignCurrency for another
    currency than the installation's.
    """
    standings = latest([read_standing(row.data) for row in rows if row.name in _STANDINGS])
    texts = latest([read_task_text(row.data) for row in rows if row.name in _TEXTS])
    entries = [(row.entry or entry_of(row.data), row.partition) for row in rows if row.name == _ENTRY]
    if standings:
        _standings_write(standings, generation)
    if texts:
        _titles_write(texts, generation)
    if entries:
        shards = {entry.transfer_id: partition for entry, partition in entries}
        _count(unique_entries(entry for entry, _ in entries), shards, generation)


def entry_of(data: Mapping[str, Any]) -> Entry:
    """The entry of a kept transaction. Raises ForeignCurrency for another currency than the installation's."""
    return read_entry(data, currency=settings.CURRENCY)


def counted_before(entries: Mapping[UUID, Entry], *, generation: int) -> set[UUID]:
    """Those events, of which the entries are given, whose transfers are counted in the generation already.

    A transfer's event has the transfer's id. Raises ContradictoryTransaction as `project` does.
    """
    return _compare([entry for event_id, entry in entries.items() if entry.transfer_id == event_id], generation)


def _count(entries: Sequence[Entry], shards: Mapping[UUID, int], generation: int) -> None:
    new = _transactions_write(entries, generation)
    balances: dict[UUID, int] = defaultdict(int)
    days: dict[tuple[date, int], Income] = defaultdict(Income)
    for entry in new:
        balances[entry.account_id] += entry.amount
        if (income := income_of(entry)) != Income():
            days[entry.business_date, shards[entry.transfer_id]] += income
    _balances_add(balances, generation)
    _days_add(days, generation)
    _completed_write({e.task_id for e in new if e.task_id and e.kind in ("earning", "reversal")}, generation)


def _transactions_write(entries: Sequence[Entry], generation: int) -> list[Entry]:
    """Those that were not there yet."""
    inserted = _execute(
        "INSERT INTO analytics_transaction (generation, transfer_id, account_id, task_id, kind, amount, currency,"
        " occurred_at, business_date, reverses) SELECT %s, * FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[],"
        " %s::text[], %s::bigint[], %s::text[], %s::timestamptz[], %s::date[], %s::uuid[])"
        " ON CONFLICT DO NOTHING RETURNING transfer_id",
        [generation, *_columns(map(astuple, entries))],
    )
    new_ids = {row[0] for row in inserted}
    _compare([entry for entry in entries if entry.transfer_id not in new_ids], generation)
    return [entry for entry in entries if entry.transfer_id in new_ids]


def _compare(entries: Sequence[Entry], generation: int) -> set[UUID]:
    """Those that are known. A repetition must say what was said before: sums were made of that."""
    if not entries:
        return set()
    rows = Transaction.objects.filter(generation=generation, transfer_id__in=[e.transfer_id for e in entries])
    fields = ("transfer_id", "account_id", "task_id", "kind", "amount", "currency", "occurred_at", "business_date")
    known = [Entry(*row) for row in rows.values_list(*fields, "reverses")]
    unique_entries([*entries, *known])
    return {entry.transfer_id for entry in known}


def _balances_add(balances: Mapping[UUID, int], generation: int) -> None:
    if balances:
        _execute(
            "INSERT INTO analytics_account_balance AS known (generation, account_id, balance)"
            " SELECT %s, * FROM unnest(%s::uuid[], %s::bigint[])"
            " ON CONFLICT (generation, account_id) DO UPDATE SET balance = known.balance + excluded.balance",
            [generation, *_columns(sorted(balances.items()))],
        )


def _days_add(days: Mapping[tuple[date, int], Income], generation: int) -> None:
    if days:
        rows = [(*day, income.fees, income.earnings, income.reversals) for day, income in sorted(days.items())]
        _execute(
            "INSERT INTO analytics_day_income AS known (generation, business_date, shard, fees, earnings, reversals)"
            " SELECT %s, * FROM unnest(%s::date[], %s::int[], %s::bigint[], %s::bigint[], %s::bigint[])"
            " ON CONFLICT (generation, business_date, shard) DO UPDATE SET fees = known.fees + excluded.fees,"
            " earnings = known.earnings + excluded.earnings, reversals = known.reversals + excluded.reversals",
            [generation, *_columns(rows)],
        )


def _completed_write(tasks: Iterable[UUID], generation: int) -> None:
    """Find the standing completion of each task again from its transactions.

    Earnings and reversals of one task may come in different partitions: the row is locked first, in id order, and a
    later statement reads what the other batch committed meanwhile.
    """
    ids = sorted(tasks)
    if not ids:
        return
    _execute(
        "INSERT INTO analytics_completed_task (generation, task_id) SELECT %s, id FROM unnest(%s::uuid[]) AS id"
        " ORDER BY id ON CONFLICT DO NOTHING",
        [generation, ids],
    )
    _execute(
        "SELECT task_id FROM analytics_completed_task WHERE generation = %s AND task_id = ANY(%s)"
        " ORDER BY task_id FOR NO KEY UPDATE",
        [generation, ids],
    )
    _execute(_STANDING_COMPLETIONS, {"generation": generation, "ids": ids})


_STANDING_COMPLETIONS = """
UPDATE analytics_completed_task AS task
SET transfer_id = standing.transfer_id, account_id = standing.account_id, reward = standing.amount,
    business_date = standing.business_date, occurred_at = standing.occurred_at
FROM unnest(%(ids)s::uuid[]) AS wanted (task_id)
LEFT JOIN LATERAL (
    SELECT * FROM analytics_transaction AS earning
    WHERE earning.generation = %(generation)s AND earning.task_id = wanted.task_id AND earning.kind = 'earning'
        AND NOT EXISTS (
            SELECT FROM analytics_transaction AS reversal
            WHERE reversal.generation = %(generation)s AND reversal.kind = 'reversal'
                AND reversal.reverses = earning.transfer_id
        )
    ORDER BY earning.occurred_at DESC, earning.transfer_id DESC
    LIMIT 1
) AS standing ON true
WHERE task.generation = %(generation)s AND task.task_id = wanted.task_id
"""


def _standings_write(standings: Sequence[Standing], generation: int) -> None:
    _execute(
        "INSERT INTO analytics_account_standing AS known (generation, account_id, version, role, is_active)"
        " SELECT %s, * FROM unnest(%s::uuid[], %s::bigint[], %s::text[], %s::bool[])"
        " ON CONFLICT (generation, account_id) DO UPDATE SET version = excluded.version, role = excluded.role,"
        " is_active = excluded.is_active WHERE excluded.version > known.version",
        [generation, *_columns(map(astuple, standings))],
    )


def _titles_write(texts: Sequence[TaskText], generation: int) -> None:
    _execute(
        "INSERT INTO analytics_task_title AS known (generation, task_id, version, title, jira_id)"
        " SELECT %s, * FROM unnest(%s::uuid[], %s::bigint[], %s::text[], %s::text[])"
        " ON CONFLICT (generation, task_id) DO UPDATE SET version = excluded.version, title = excluded.title,"
        " jira_id = excluded.jira_id WHERE excluded.version > known.version",
        [generation, *_columns(map(astuple, texts))],
    )


def _columns(rows: Iterable[tuple[Any, ...]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]


def _execute(statement: str, parameters: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall()) if cursor.description else []
