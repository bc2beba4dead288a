"""The checks of the ledger by itself. Each SQL statement returns one line of text for each thing that is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from django.conf import settings

from billing.domain import COUNTERPART, CREDITS_WORKER, Price, price_of
from billing.models import Cycle, TaskPrice, Transfer
from billing.selectors.journal import CYCLE_HASH, query

_SIDES = ", ".join(
    f"('{kind.value}', '{company}'::uuid, {str(CREDITS_WORKER.get(kind, 'NULL')).lower()}::bool)"
    for kind, company in COUNTERPART.items()
)
_COMPANY = ", ".join(sorted({f"('{company}'::uuid)" for company in COUNTERPART.values()}))

SIDES = f"""
    SELECT format('%s: debit %s, credit %s, amount %s of account %s',
                  t.idempotency_key, t.debit_id, t.credit_id, t.amount, t.account_id)
    FROM billing_transfer t LEFT JOIN (VALUES {_SIDES}) AS k(kind, company, credits) USING (kind)
    WHERE k.kind IS NULL OR t.amount <= 0
       OR t.change <> CASE WHEN t.credit_id = t.account_id THEN t.amount ELSE -t.amount END
       OR NOT ((t.debit_id = t.account_id AND t.credit_id = k.company AND k.credits IS NOT true)
            OR (t.credit_id = t.account_id AND t.debit_id = k.company AND k.credits IS NOT false))
"""  # noqa: S608  constants only

DEBITS_AND_CREDITS = f"""
    WITH known AS (SELECT id FROM billing_ledgeraccount UNION ALL SELECT * FROM (VALUES {_COMPANY}) AS c(id)),
         sums AS (SELECT coalesce(sum(amount) FILTER (WHERE debit_id IN (SELECT id FROM known)), 0) AS debits,
                         coalesce(sum(amount) FILTER (WHERE credit_id IN (SELECT id FROM known)), 0) AS credits
                  FROM billing_transfer)
    SELECT format('debits %s, credits %s', debits, credits) FROM sums WHERE debits <> credits
"""  # noqa: S608  constants only

ACCOUNTS = """
    SELECT format('account %s: balance %s after entry %s, the journal says %s after %s',
                  coalesce(a.id, j.account_id), a.balance, a.entry_no, coalesce(j.sum, 0), coalesce(j.last, 0))
    FROM billing_ledgeraccount a
    FULL JOIN (SELECT account_id, sum(change) AS sum, max(entry_no) AS last FROM billing_transfer GROUP BY 1) j
        ON j.account_id = a.id
    WHERE (a.balance, a.entry_no) IS DISTINCT FROM (coalesce(j.sum, 0)::bigint, coalesce(j.last, 0)) OR a.id IS NULL
"""

RUNNING = """
    SELECT format('%s: entry %s of account %s with balance %s, counted %s with %s',
                  idempotency_key, entry_no, account_id, balance_after, n, s)
    FROM (SELECT *, sum(change) OVER w AS s, row_number() OVER w AS n FROM billing_transfer
          WINDOW w AS (PARTITION BY account_id ORDER BY entry_no)) t
    WHERE balance_after <> s OR entry_no <> n
"""

ROLLUP = """
    SELECT format('%s %s %s in cycle %s: rollup %s of %s, journal %s of %s',
                  account_id, business_date, kind, cycle_id, d.sum, d.count, j.sum, j.count)
    FROM billing_accountday d
    FULL JOIN (SELECT account_id, cycle_id, business_date, kind, sum(change) AS sum, count(*) AS count
               FROM billing_transfer GROUP BY 1, 2, 3, 4) j USING (account_id, cycle_id, business_date, kind)
    WHERE (d.sum, d.count) IS DISTINCT FROM (j.sum::bigint, j.count)
"""

PAYOUTS = """
    SELECT format('account %s in cycle %s: payout of %s, transfer of %s',
                  coalesce(t.account_id, p.account_id), coalesce(t.cycle_id, p.cycle_id), p.amount, t.amount)
    FROM (SELECT * FROM billing_transfer WHERE kind = 'payout') t FULL JOIN billing_payout p ON p.transfer_id = t.id
    WHERE (t.account_id, t.cycle_id, t.amount) IS DISTINCT FROM (p.account_id, p.cycle_id, p.amount)
    UNION ALL
    SELECT format('cycle %s: says %s payouts of %s, has %s of %s',
                  c.due_at, c.payout_count, c.payout_sum, p.count, p.sum)
    FROM billing_cycle c
    CROSS JOIN LATERAL (SELECT count(*) AS count, coalesce(sum(t.amount), 0) AS sum FROM billing_transfer t
                        WHERE t.cycle_id = c.id AND t.kind = 'payout') p
    WHERE c.state = 'closed' AND (c.payout_count, c.payout_sum) <> (p.count, p.sum)
"""

OWED = """
    WITH moved AS (SELECT account_id, cycle_id, sum(change) AS sum, bool_or(kind = 'payout') AS paid
                   FROM billing_transfer GROUP BY 1, 2),
         after AS (SELECT m.account_id, c.due_at, c.state, m.paid,
                          sum(m.sum) OVER (PARTITION BY m.account_id ORDER BY c.due_at) AS owed
                   FROM moved m JOIN billing_cycle c ON c.id = m.cycle_id)
    SELECT format('account %s is owed %s at the end of the closed cycle %s', account_id, owed, due_at)
    FROM after WHERE state = 'closed' AND (owed > 0 OR paid AND owed <> 0)
"""

CYCLES = """
    SELECT format('%s cycles are open', count(*) FILTER (WHERE state = 'open')) FROM billing_cycle
    HAVING count(*) > 0 AND count(*) FILTER (WHERE state = 'open') <> 1
    UNION ALL
    SELECT format('cycle %s is %s after the open one', c.due_at, c.state)
    FROM billing_cycle c JOIN billing_cycle o ON o.state = 'open' AND o.due_at < c.due_at
    UNION ALL
    SELECT format('%s is in a cycle that does not exist', t.idempotency_key)
    FROM billing_transfer t LEFT JOIN billing_cycle c ON c.id = t.cycle_id WHERE c.id IS NULL
"""

HASHES = f"""
    SELECT format('cycle %s: hash %s, computed %s', c.due_at, c.hash, h.hash)
    FROM billing_cycle c JOIN ({CYCLE_HASH}) AS h(id, hash) USING (id)
    WHERE c.state = 'closed' AND c.hash <> h.hash OR c.state <> 'closed' AND c.hash <> ''
"""  # noqa: S608  constants only

PAYLOADS = """
    SELECT format('%s is not what it was posted as', idempotency_key)
    FROM billing_transfer
    WHERE payload_hash <> sha256(convert_to(concat_ws(chr(31), kind, account_id, change, coalesce(task_id::text, ''),
              (extract(epoch FROM occurred_at) * 1000000)::bigint, cause, actor_id, coalesce(reassignment_id::text, ''),
              coalesce(reverses::text, ''), reason, about), 'UTF8'))
       OR abs(business_date - (occurred_at AT TIME ZONE 'UTC')::date) > 1
       OR idempotency_key !~ CASE kind
              WHEN 'fee' THEN format('^fee:%s:[0-9]+$', task_id)
              WHEN 'earning' THEN format('^earning:%s:[0-9]+$', task_id)
              WHEN 'reversal' THEN format('^reversal:earning:%s:[0-9]+$', task_id)
              WHEN 'payout' THEN format('^payout:%s:%s$', cycle_id, account_id)
              WHEN 'payout_return' THEN format('^payout_return:%s$', reverses)
              ELSE format('^%s:', kind) END
"""

AMOUNTS = """
    SELECT format('%s: %s cents, the price is %s for each assignment and %s for each completion',
                  t.idempotency_key, t.amount, p.fee, p.reward)
    FROM billing_transfer t LEFT JOIN billing_taskprice p USING (task_id)
    WHERE t.kind IN ('fee', 'earning', 'reversal')
      AND t.amount IS DISTINCT FROM CASE t.kind WHEN 'fee' THEN p.fee ELSE p.reward END
"""

REVERSALS = """
    SELECT format('%s takes back %s', r.idempotency_key, coalesce(o.idempotency_key, 'what is not there'))
    FROM billing_transfer r LEFT JOIN billing_transfer o ON o.id = r.reverses
    WHERE (r.reverses IS NOT NULL OR r.kind IN ('reversal', 'payout_return'))
      AND (o.id IS NULL OR o.account_id <> r.account_id OR o.amount <> r.amount OR o.change <> -r.change
           OR o.kind <> CASE r.kind WHEN 'reversal' THEN 'earning' WHEN 'payout_return' THEN 'payout' ELSE r.kind END
           OR r.kind = 'reversal' AND r.idempotency_key <> 'reversal:' || o.idempotency_key)
"""

BY_HAND = """
    SELECT format('%s: by %s, reason of %s characters, about %s', t.idempotency_key, t.actor_id, length(t.reason),
                  coalesce(t.about::text, 'no entry'))
    FROM billing_transfer t LEFT JOIN billing_transfer o ON o.id = t.about
    WHERE t.kind IN ('adjustment', 'payout_return')
          AND (t.actor_id = 'system' OR length(t.reason) NOT BETWEEN 10 AND 500)
       OR t.about IS NOT NULL AND (o.id IS NULL OR o.account_id <> t.account_id OR t.kind <> 'adjustment')
"""


def currency_findings() -> Iterable[str]:
    """Cycles that count in another currency than the pages show: amounts have none of their own."""
    others = Cycle.objects.exclude(currency__in=("", settings.CURRENCY))
    for cycle in others.filter(id__in=Transfer.objects.values("cycle")).order_by("due_at"):
        yield f"cycle {cycle.due_at}: counts in {cycle.currency}, CURRENCY is {settings.CURRENCY}"


def _lines(statement: str) -> list[str]:
    return [row[0] for row in query(statement)]


def price_findings() -> Iterable[str]:
    """Prices that their key does not draw, or whose key is lost."""
    for price in TaskPrice.objects.order_by("task_id").iterator(chunk_size=5000):
        key = settings.PRICE_KEYS.get(price.key_id)
        if key is None:
            yield f"task {price.task_id}: priced with the key {price.key_id}, which PRICE_KEYS does not have"
        elif price_of(key=key, task_id=price.task_id) != Price(price.fee, price.reward):
            yield f"task {price.task_id}: {price.fee} and {price.reward} are not what the key {price.key_id} draws"


CHECKS: dict[str, Callable[[], Iterable[str]]] = {
    "an entry is one debit and one credit, between a worker and the company": partial(_lines, SIDES),
    "debits equal credits": partial(_lines, DEBITS_AND_CREDITS),
    "account rows equal the journal": partial(_lines, ACCOUNTS),
    "each entry has the balance after it": partial(_lines, RUNNING),
    "the rollup equals the journal": partial(_lines, ROLLUP),
    "payouts equal their transfers": partial(_lines, PAYOUTS),
    "nothing is owed in a closed cycle": partial(_lines, OWED),
    "one cycle is open, and it is the last one": partial(_lines, CYCLES),
    "all cycles count in the currency of the settings": currency_findings,
    "the hash chain holds": partial(_lines, HASHES),
    "entries are what they were posted as": partial(_lines, PAYLOADS),
    "amounts are the task's price": partial(_lines, AMOUNTS),
    "prices are what their key draws": price_findings,
    "a reversal has its original": partial(_lines, REVERSALS),
    "what finance posted has an actor, a reason and its entry": partial(_lines, BY_HAND),
}
