"""What the journal says about a cycle: whom it owes, and the hash over its entries."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import connection

# What a closing cycle owes: the balance after the last entry that is not the next cycle's. Nothing but payouts goes
# into a closing cycle, so these entries come before all of the next one's; who has the cycle's payout (`payout_key`),
# which may come after entries of the next one, is paid.
OWED = """
    FROM billing_ledgeraccount a
    CROSS JOIN LATERAL (
        SELECT t.balance_after FROM billing_transfer t
        WHERE t.account_id = a.id AND t.cycle_id <> %(next)s ORDER BY t.entry_no DESC LIMIT 1
    ) owed
    WHERE owed.balance_after > 0
      AND NOT EXISTS (SELECT FROM billing_transfer p
                      WHERE p.idempotency_key = concat('payout:', %(cycle)s::text, ':', a.id))
"""
# Nobody else can be owed: a balance that is not above zero now was so only before an entry of the next cycle.
MAYBE_OWED = """
      AND a.id IN (SELECT b.id FROM billing_ledgeraccount b WHERE b.balance > 0
                   UNION SELECT n.account_id FROM billing_transfer n WHERE n.cycle_id = %(next)s)
"""

# An entry as bytes for the hash chain: everything that is stored, times as microseconds, in the order of the ids.
ENTRY_HASH = """sha256(convert_to(concat_ws(chr(31), t.id, t.idempotency_key, encode(t.payload_hash, 'hex'), t.kind,
    t.debit_id, t.credit_id, t.amount, t.account_id, t.entry_no, t.balance_after, t.cycle_id,
    (extract(epoch FROM t.occurred_at) * 1000000)::bigint, (extract(epoch FROM t.recorded_at) * 1000000)::bigint,
    t.business_date, coalesce(t.task_id::text, ''), t.cause, t.actor_id, coalesce(t.reassignment_id::text, ''),
    coalesce(t.reverses::text, ''), t.reason,
    t.event_id, (extract(epoch FROM t.received_at) * 1000000)::bigint, t.about), 'UTF8'))"""

CYCLE_HASH = f"""
    SELECT c.id, encode(sha256(
        convert_to(concat_ws(chr(31), coalesce(before.hash, ''), c.id,
            (extract(epoch FROM c.due_at) * 1000000)::bigint), 'UTF8')
        || coalesce((SELECT string_agg({ENTRY_HASH}, ''::bytea ORDER BY t.id)
                     FROM billing_transfer t WHERE t.cycle_id = c.id), ''::bytea)), 'hex')
    FROM billing_cycle c
    LEFT JOIN LATERAL (
        SELECT b.hash FROM billing_cycle b WHERE b.due_at < c.due_at ORDER BY b.due_at DESC LIMIT 1
    ) before ON true
"""  # noqa: S608  constants only


def query(statement: str, parameters: Any = None) -> list[tuple[Any, ...]]:
    """The rows of a statement."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall())


def anybody_owed(*, cycle_id: UUID, next_cycle_id: UUID) -> bool:
    """Whether a closing cycle still owes somebody money."""
    rows = query(f"SELECT EXISTS (SELECT {OWED} {MAYBE_OWED})", {"cycle": cycle_id, "next": next_cycle_id})
    return bool(rows[0][0])


def still_owed_count(*, cycle_id: UUID, next_cycle_id: UUID) -> int:
    """How many workers a closing cycle has still to pay."""
    return int(query(f"SELECT count(*) {OWED} {MAYBE_OWED}", {"cycle": cycle_id, "next": next_cycle_id})[0][0])


def paid_otherwise(*, cycle_id: UUID, next_cycle_id: UUID) -> list[str]:
    """Payouts of a cycle, by their keys, that are not what it owed: the balance before any of the next one's."""
    statement = """
        SELECT p.idempotency_key FROM billing_payout m JOIN billing_transfer p ON p.id = m.transfer_id
        LEFT JOIN LATERAL (
            SELECT t.balance_after FROM billing_transfer t
            WHERE t.account_id = p.account_id AND t.id <> p.id AND t.cycle_id <> %(next)s
            ORDER BY t.entry_no DESC LIMIT 1
        ) owed ON true
        WHERE m.cycle_id = %(cycle)s AND p.amount IS DISTINCT FROM owed.balance_after ORDER BY p.idempotency_key
    """
    return [row[0] for row in query(statement, {"cycle": cycle_id, "next": next_cycle_id})]


def cycle_hash(*, cycle_id: UUID) -> str:
    """sha256 over a cycle's entries, chained to the cycle before it, as 64 hexadecimal digits."""
    return str(query(CYCLE_HASH + "WHERE c.id = %s", [cycle_id])[0][1])
