"""The lists of billing. A transfer is a row; the list of workers is measured with as many ledger accounts once more."""

from collections.abc import Iterator

from bench.inside.sites import Page, after_middle
from bench.inside.tools import Connection, empty, make_people, settle
from billing.models import Transfer

TABLES = (
    "billing_transfer",
    "billing_accountday",
    "billing_ledgeraccount",
    "billing_cycle",
    "billing_task",
    "replica_account",
)
WORKERS = 100
DAYS = 8  # few, so that a day of a thousand entries has about as many workers as a page
CYCLES = 60

# The first worker has half of all entries, so that a statement is long; six fees come to four rewards.
_TRANSFERS = """
INSERT INTO billing_transfer (id, idempotency_key, payload_hash, kind, debit_id, credit_id, amount, account_id,
    entry_no, balance_after, cycle_id, occurred_at, recorded_at, business_date, task_id, cause, actor_id, reason)
SELECT uuidv7(), kind || ':' || n, '', kind, CASE kind WHEN 'fee' THEN account ELSE company END,
    CASE kind WHEN 'fee' THEN company ELSE account END, amount, account,
    row_number() OVER entries, sum(CASE kind WHEN 'fee' THEN -amount ELSE amount END) OVER entries, cycle, at, at,
    at::date, (SELECT id FROM billing_task LIMIT 1), '', 'system', ''
FROM (
    SELECT n, CASE WHEN n %% 10 < 6 THEN 'fee' ELSE 'earning' END AS kind, 1000 + n %% 1000 AS amount,
        (%(people)s::uuid[])[CASE n %% 2 WHEN 0 THEN 1 ELSE 2 + n / 2 %% 99 END] AS account,
        'c0000000-0000-4000-8000-000000000001'::uuid AS company,
        now() - (%(size)s - n) * %(days)s * interval '1 day' / %(size)s AS at, cycle.id AS cycle
    FROM generate_series(1, %(size)s) AS n JOIN billing_cycle AS cycle
        ON cycle.due_at::date = (now() - (%(size)s - n) * %(days)s * interval '1 day' / %(size)s)::date
) AS made
WINDOW entries AS (PARTITION BY account ORDER BY n)
"""
_ROLLUP = """
INSERT INTO billing_accountday (account_id, cycle_id, business_date, kind, sum, count)
SELECT account_id, cycle_id, business_date, kind, sum(change), count(*) FROM billing_transfer GROUP BY 1, 2, 3, 4
"""


def lists(database: Connection, size: int) -> Iterator[list[Page]]:
    """Entries of eight days, in a cycle for each."""
    empty(database, *TABLES)
    people = make_people(database, WORKERS)
    with database.transaction():
        database.execute("SET LOCAL session_replication_role = replica")  # the guard takes no entries of closed cycles
        _fill(database, people, size)
    settle(database, *TABLES)
    statement = f"/workers/{people[0]}"
    middle = after_middle(Transfer.objects.filter(account_id=people[0]), ("-entry_no",))
    yield [
        Page("billing, overview", "finance", "/", 30),
        Page("billing, statement", "finance", statement),
        Page("billing, statement, from the middle", "finance", f"{statement}?after={middle}"),
        Page(
            "billing, a day", "finance", database.execute("SELECT '/days/' || (now()::date - 5)").fetchall()[0][0], 30
        ),
        Page("billing, cycles", "finance", "/cycles"),
        Page("billing, 100 workers", "finance", "/workers"),
    ]
    database.execute(
        "INSERT INTO billing_ledgeraccount (id, balance, entry_no)"
        " SELECT uuidv7(), n %% 20000 - 5000, 0 FROM generate_series(1, %s) AS n",
        [size],
    )
    settle(database, "billing_ledgeraccount")
    yield [Page("billing, workers: as many as rows", "finance", "/workers")]


def _fill(database: Connection, people: list[object], size: int) -> None:
    database.execute(
        "INSERT INTO billing_cycle (id, due_at, state, payout_count, payout_sum, hash, requested_by, failure)"
        " SELECT uuidv7(), (now()::date - n) + time '18:00', CASE n WHEN 0 THEN 'open' ELSE 'closed' END,"
        " 0, 0, '', NULL, ''"
        " FROM generate_series(0, %s) AS n",
        [CYCLES],
    )
    database.execute(
        "INSERT INTO billing_task (id, version, title, jira_id, status, assignment_no, completion_no)"
        " VALUES (uuidv7(), 1, 'Wash the cage', 'POPUG-1', 'open', 1, 0)"
    )
    database.execute("INSERT INTO billing_ledgeraccount (id) SELECT unnest(%s::uuid[])", [people])
    database.execute(_TRANSFERS, {"people": people, "size": size, "days": DAYS})
    database.execute(_ROLLUP)
    database.execute(
        "UPDATE billing_ledgeraccount a SET balance = t.sum, entry_no = t.count FROM (SELECT account_id, sum(change),"
        " count(*) FROM billing_transfer GROUP BY 1) t WHERE t.account_id = a.id"
    )
