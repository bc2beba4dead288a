"""The lists of billing. A transfer is a row; the list of workers is measured with as many ledger accounts once more."""

from collections.abc import Iterator

from bench.inside.sites import Page, after_middle
from bench.inside.tools import Connection, empty, make_people, set_letters_aside, settle
from billing.models import Task, Transfer

TABLES = (
    "billing_payout",
    "billing_transfer",
    "billing_accountday",
    "billing_ledgeraccount",
    "billing_cycle",
    "billing_task",
    "billing_taskprice",
    "replica_account",
    "eventbus_dead_letter",
)
WORKERS = 100
DAYS = 8  # few, so that a day of a thousand entries has about as many workers as a page
CYCLES = 60
ENTRIES_OF_A_TASK = 1_000  # one that was reassigned hundreds of times
FOUND = 5  # tasks whose words no other has
MOST = 1_000_000  # of what a company has fewer of than transfers

# The first worker has half of all entries, so that a statement is long; six fees come to four rewards.
_TRANSFERS = """
INSERT INTO billing_transfer (id, idempotency_key, payload_hash, kind, debit_id, credit_id, amount, account_id,
    entry_no, balance_after, cycle_id, occurred_at, recorded_at, business_date, task_id, cause, actor_id, reason)
SELECT uuidv7(), kind || ':' || n, '', kind, CASE kind WHEN 'fee' THEN account ELSE company END,
    CASE kind WHEN 'fee' THEN company ELSE account END, amount, account,
    row_number() OVER entries, sum(CASE kind WHEN 'fee' THEN -amount ELSE amount END) OVER entries, cycle, at, at,
    at::date, task, '', 'system', ''
FROM (
    SELECT n, CASE WHEN n %% 10 < 6 THEN 'fee' ELSE 'earning' END AS kind, 1000 + n %% 1000 AS amount,
        (%(people)s::uuid[])[CASE n %% 2 WHEN 0 THEN 1 ELSE 2 + n / 2 %% 99 END] AS account,
        (%(tasks)s::uuid[])[1 + (n - 1) / %(entries_of_a_task)s] AS task,
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

_COLUMNS = """INSERT INTO billing_transfer (id, idempotency_key, payload_hash, kind, debit_id, credit_id, amount,
    account_id, entry_no, balance_after, cycle_id, occurred_at, recorded_at, business_date, cause, actor_id, reason)"""
_PAYOUTS = f"""
WITH paid AS ({_COLUMNS}
    SELECT uuidv7(), 'payout:' || id, '', 'payout', id, 'c0000000-0000-4000-8000-000000000001', 1000 + entry_no, id,
        entry_no + 1000000000, 0, %(cycle)s, now(), now(), now()::date, '', 'system', '' FROM billing_ledgeraccount
    RETURNING id, account_id, amount)
INSERT INTO billing_payout (id, transfer_id, cycle_id, account_id, amount, message_id, due_at, sent_at, attempts,
    error, sent_to)
SELECT uuidv7(), id, %(cycle)s, account_id, amount, 'payout ' || id, now(), now(), 1, '', '' FROM paid
"""
_CORRECTIONS = f"""{_COLUMNS}
SELECT uuidv7(), 'adjustment:' || n, '', 'adjustment', 'c0000000-0000-4000-8000-000000000001', id, 1000, id,
    2000000000 + n, 0, %(cycle)s, now(), now() - n * interval '1 second', now()::date, '', gen_random_uuid()::text,
    'The feeder was broken.'
FROM generate_series(1, %(count)s) AS n, LATERAL (SELECT (array_agg(account_id))[1 + n %% 2] AS id
    FROM (SELECT id AS account_id FROM billing_ledgeraccount WHERE entry_no > 0 ORDER BY id LIMIT 2) two) chosen
"""


def lists(database: Connection, size: int) -> Iterator[list[Page]]:
    """Entries of eight days, in a cycle for each; then as many ledger accounts, payouts, corrections and tasks."""
    empty(database, *TABLES)
    people = make_people(database, WORKERS)
    with database.transaction():
        database.execute("SET LOCAL session_replication_role = replica")  # the guard takes no entries of closed cycles
        _fill(database, people, size)
    settle(database, *TABLES)
    statement = f"/workers/{people[0]}"
    middle = after_middle(Transfer.objects.filter(account_id=people[0]), ("-entry_no",))
    day = database.execute("SELECT '/days/' || (now()::date - 5)").fetchall()[0][0]
    task = Task.objects.get(title="Wash the cage 1").pk
    yield [
        Page("billing, overview", "finance", "/", 30),
        Page("billing, statement", "finance", statement),
        Page("billing, statement, from the middle", "finance", f"{statement}?after={middle}"),
        Page("billing, own statement", "worker", "/statement"),
        Page("billing, a day", "finance", day, 30),
        Page("billing, cycles", "finance", "/cycles"),
        Page("billing, 100 workers", "finance", "/workers"),
        Page("billing, entries of a task", "finance", f"/tasks/{task}"),
    ]
    many = min(size, MOST)
    with database.transaction():
        database.execute("SET LOCAL session_replication_role = replica")
        cycle = _more(database, many)
    settle(database, *TABLES)
    yield [
        Page("billing, workers: as many as rows", "finance", "/workers"),
        Page("billing, workers who left", "finance", "/workers?show=left"),
        Page("billing, payouts of a cycle", "finance", f"/cycles/{cycle}"),
        Page("billing, corrections", "finance", "/corrections"),
        Page("billing, a search that finds few", "finance", "/search?group=tasks&q=polish+bell", FOUND),
        Page("billing, a search that finds most", "finance", "/search?group=tasks&q=wash+cage"),
        Page("billing, corrections of one worker", "finance", f"/corrections?worker={people[1]}"),
    ]
    set_letters_aside(database, many)
    yield [Page("billing, dead letters", "finance", "/dead-letters/")]


def _more(database: Connection, count: int) -> str:
    """Ledger accounts, each paid in one cycle; corrections, half of them of one worker; tasks. Returns the cycle."""
    database.execute(
        "INSERT INTO billing_ledgeraccount (id, balance, entry_no)"
        " SELECT uuidv7(), n %% 20000 - 5000, 0 FROM generate_series(1, %s) AS n",
        [count],
    )
    database.execute(  # one in twenty has left: a page full of them, however few there are
        "INSERT INTO replica_account (id, email, full_name, position, role, is_active, session_epoch, state_version,"
        " access_version, is_deleted, reported_role, reported_active)"
        " SELECT id, 'left' || n || '@popug.example', 'Left ' || n, '', 'worker', false, 1, 1, 1, false, 'worker',"
        " false"
        " FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM billing_ledgeraccount WHERE entry_no = 0) numbered"
        " WHERE n % 20 = 0"
    )
    (cycle,) = database.execute(
        "SELECT id FROM billing_cycle WHERE state = 'closed' ORDER BY due_at LIMIT 1"
    ).fetchall()[0]
    database.execute(_PAYOUTS, {"cycle": cycle})
    database.execute(
        "UPDATE billing_cycle SET payout_count = (SELECT count(*) FROM billing_payout) WHERE id = %s", [cycle]
    )
    database.execute(_CORRECTIONS, {"cycle": cycle, "count": count})
    database.execute(
        "WITH made AS (INSERT INTO billing_task (id, version, title, jira_id, status, assignment_no, completion_no)"
        " SELECT uuidv7(), 1, CASE WHEN n <= %s THEN 'Polish the bell' ELSE 'Wash the cage' END, 'CAGE-' || n, 'open',"
        " 1, 0 FROM generate_series(1, %s) AS n RETURNING id)"
        " INSERT INTO billing_taskprice (task_id, fee, reward, key_id) SELECT id, 1500, 3000, 'bench' FROM made",
        [FOUND, count],
    )
    return str(cycle)


def _fill(database: Connection, people: list[object], size: int) -> None:
    database.execute(
        "INSERT INTO billing_cycle (id, due_at, state, payout_count, payout_sum, hash, requested_by, failure)"
        " SELECT uuidv7(), (now()::date - n) + time '18:00', CASE n WHEN 0 THEN 'open' ELSE 'closed' END,"
        " 0, 0, '', NULL, ''"
        " FROM generate_series(0, %s) AS n",
        [CYCLES],
    )
    tasks = [
        row[0]
        for row in database.execute(
            "INSERT INTO billing_task (id, version, title, jira_id, status, assignment_no, completion_no)"
            " SELECT uuidv7(), 1, 'Wash the cage ' || n, 'POPUG-' || n, 'open', 1, 0 FROM generate_series(1, %s) AS n"
            " RETURNING id",
            [max(1, size // ENTRIES_OF_A_TASK)],
        ).fetchall()
    ]
    database.execute(
        "INSERT INTO billing_taskprice (task_id, fee, reward, key_id) SELECT id, 1500, 3000, 'bench' FROM billing_task"
    )
    database.execute("INSERT INTO billing_ledgeraccount (id) SELECT unnest(%s::uuid[])", [people])
    database.execute(
        _TRANSFERS,
        {"people": people, "size": size, "days": DAYS, "tasks": tasks, "entries_of_a_task": ENTRIES_OF_A_TASK},
    )
    database.execute(_ROLLUP)
    database.execute(
        "UPDATE billing_ledgeraccount a SET balance = t.sum, entry_no = t.count FROM (SELECT account_id, sum(change),"
        " count(*) FROM billing_transfer GROUP BY 1) t WHERE t.account_id = a.id"
    )


def exported(database: Connection, size: int) -> str:
    """A statement with as many entries: the first worker has half of all. Returns the address of its export."""
    empty(database, *TABLES)
    people = make_people(database, WORKERS)
    with database.transaction():
        database.execute("SET LOCAL session_replication_role = replica")
        _fill(database, people, 2 * size)
    settle(database, *TABLES)
    return f"/workers/{people[0]}/export?format=csv"
